"""The permissions that a check is about: those of its named lists, and those that it names itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.consent.explanation import listed
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.facts.scope_lists import CISA, RESOURCES, listed_scopes
from auditor.facts.scopes import known_scopes
from auditor.model.app import ScopeNeed


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


def names_on(resource: str, wanted: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The names that count on one resource: its own, and Microsoft Graph's, which other resources publish again."""
    return wanted.get(resource.lower(), frozenset()) | wanted.get(MICROSOFT_GRAPH, frozenset())


_CALLED = {
    CISA: "scopes that CISA calls risky",
    "admin-only": "scopes for administrators only",
    "mailbox-protocols": "mailbox protocol scopes",
    "mail-app-only": "app-only mail permissions",
    "files-app-only": "app-only file permissions",
    "directory-app-only": "app-only directory permissions",
}


def named_lists(names: Iterable[str]) -> str:
    """Lists as something that an app can hold: ``risky or basic scopes``."""
    plain = [name for name in names if name not in _CALLED]
    called = [_CALLED[name] for name in names if name in _CALLED]
    return listed([*([f"{listed(plain, 'or')} scopes"] if plain else []), *called], "or")
