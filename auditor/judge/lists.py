"""The permissions that a check is about: those of its named lists, and those that it names itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.model.app import ScopeNeed
from auditor.model.known_scopes import known_scopes
from auditor.model.scope_lists import RESOURCES, listed_scopes


def scopes_by_resource(lists: Iterable[str], scopes: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Scope names, in lower case, by resource app id."""
    found = listed_scopes(lists)
    for key, names in scopes.items():
        resource = RESOURCES.get(key.lower(), key.lower())
        found[resource] = found.get(resource, frozenset()) | {name.lower() for name in names}
    return found


def needs_of(lists: Iterable[str], scopes: Mapping[str, Iterable[str]]) -> tuple[ScopeNeed, ...]:
    """The same as an app would ask for them, in the order of their names."""
    return tuple(
        ScopeNeed(resource=resource, value=known.value if (known := known_scopes(resource).get(name)) else name)
        for resource, names in scopes_by_resource(lists, scopes).items()
        for name in sorted(names)
    )
