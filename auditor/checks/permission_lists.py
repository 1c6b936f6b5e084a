"""The permissions that a check is about, given by named lists and by scopes of resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from auditor.checks.kind import ArgumentProblem, Arguments, SchemaPart, as_list, as_text, entries_at, is_empty_list
from auditor.checks.scope_names import resource, resource_keys, scope_or_id
from auditor.checks.typo_suggestions import alternatives, nearest, neighbor_of_guid
from auditor.consent.explanation import listed
from auditor.facts.ids import MICROSOFT_GRAPH, RESOURCE_NAMES
from auditor.facts.scope_lists import CISA, RESOURCES, SCOPE_LISTS, listed_scopes
from auditor.facts.scopes import known_scopes
from auditor.model.app import ScopeNeed
from auditor.model.document import code
from auditor.model.read_plan import Plan

Scopes = Mapping[str, tuple[str, ...]]
"""Names of permissions by resource: ``microsoft-graph``, ``exchange-online`` or an app id."""

LEVELS = ("low", "medium", "high")
"""The classifications of delegated permissions (Microsoft Graph, ``delegatedPermissionClassification``)."""


def scopes_by_resource(lists: Iterable[str], scopes: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Scope names, in lower case, by the app id of their resource."""
    found = listed_scopes(lists)
    for key, names in scopes.items():
        resource_id = RESOURCES.get(key.lower(), key.lower())
        found[resource_id] = found.get(resource_id, frozenset()) | {name.lower() for name in names}
    return found


def needs_of(lists: Iterable[str], scopes: Mapping[str, Iterable[str]]) -> tuple[ScopeNeed, ...]:
    """The same permissions as an app would request them, in the order of their names."""
    return tuple(
        ScopeNeed(resource=resource_id, value=known.value if (known := known_scopes(resource_id).get(name)) else name)
        for resource_id, names in scopes_by_resource(lists, scopes).items()
        for name in sorted(names)
    )


def reads_of(lists: Iterable[str], scopes: Iterable[str]) -> Plan:
    """The resources that publish the permissions."""
    named = (RESOURCES.get(key.lower(), key.lower()) for key in scopes)
    return Plan(resources=tuple(dict.fromkeys((*listed_scopes(lists), *named))))


def names_on(resource_id: str, wanted: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The names that count on one resource: its own, and those of Microsoft Graph, which other resources repeat."""
    return wanted.get(resource_id.lower(), frozenset()) | wanted.get(MICROSOFT_GRAPH, frozenset())


_LABELS = {
    CISA: "scopes that CISA calls risky",
    "admin-only": "scopes that only administrators can grant",
    "mailbox-protocols": "mailbox protocol scopes",
    "mail-app-only": "app-only mail permissions",
    "files-app-only": "app-only file permissions",
    "directory-app-only": "app-only directory permissions",
}


def named_lists(names: Iterable[str]) -> str:
    """Lists as something that an app can hold: ``risky or basic scopes``."""
    plain = [name for name in names if name not in _LABELS]
    labels = [_LABELS[name] for name in names if name in _LABELS]
    return listed([*([f"{listed(plain, 'or')} scopes"] if plain else []), *labels], "or")


def phrase_of(lists: Sequence[str], scopes: Scopes) -> str:
    """The lists and scopes by name, to follow ``a permission of`` in a sentence about a check."""
    named = [phrase_of_lists(lists)] if lists else []
    for key, values in scopes.items():
        name = RESOURCE_NAMES.get(RESOURCES.get(key, key.lower()), key)
        named.append(f"{listed(map(code, values))} ({name})")
    return listed(named)


def phrase_of_lists(names: Sequence[str]) -> str:
    """``the lists a and b``, for a sentence about a check."""
    return f"the {'list' if len(names) == 1 else 'lists'} {listed(map(code, names))}"


def list_problems(arguments: Arguments, known: Sequence[str] = SCOPE_LISTS) -> Iterator[ArgumentProblem]:
    """Lists that don't exist, or none at all."""
    if is_empty_list(arguments, "lists"):
        yield ArgumentProblem(("lists",), "lists is an empty list", f"at least one of {alternatives(known)}")
    for path, entry in entries_at(arguments, "lists"):
        if (text := as_text(entry)) and text not in known:
            yield ArgumentProblem(path, f'there is no list "{text}"', alternatives(known), nearest(text, known))


def scope_problems(arguments: Arguments) -> Iterator[ArgumentProblem]:
    """Resources and scopes that don't exist, or none at all."""
    scopes = arguments.get("scopes")
    if not isinstance(scopes, dict):
        return
    if not scopes:
        yield ArgumentProblem(("scopes",), "scopes is empty", "scopes of a resource")
    for key, values in scopes.items():
        yield from _scopes_of_resource(key, values)


def _scopes_of_resource(key: str, values: object) -> Iterator[ArgumentProblem]:
    path = ("scopes", key)
    if wrong := resource(key):
        yield ArgumentProblem(path, f"scopes: {wrong.message}", wrong.expected, wrong.near, at_key=True)
        return
    if warning := resource_warning(key):
        yield ArgumentProblem(path, warning, near=neighbor_of_guid(key, RESOURCE_NAMES), at_key=True, is_warning=True)
    if values == []:
        yield ArgumentProblem(path, f"scopes: {key} is an empty list", "at least one scope")
    resource_id = RESOURCES.get(key, key.lower())
    for number, entry in enumerate(as_list(values)):
        if (text := as_text(entry)) and (wrong := scope_or_id(resource_id, text)):
            yield ArgumentProblem((*path, number), f"the scope {wrong.message}", wrong.expected, wrong.near)


def resource_warning(key: str) -> str:
    """A warning about an app id next to that of a well-known resource; empty for any other."""
    near = neighbor_of_guid(key, RESOURCE_NAMES)
    return f'"{key}" isn\'t the id of {RESOURCE_NAMES[near]}' if near else ""


def level_problem(level: object) -> Iterator[ArgumentProblem]:
    """A classification that doesn't exist."""
    if isinstance(level, str) and (text := level.strip()) and text not in LEVELS:
        message = f'level: there is no classification "{text}"'
        yield ArgumentProblem(("level",), message, alternatives(LEVELS), nearest(text, LEVELS))


def narrow_lists(definition: SchemaPart, known: Sequence[str] = SCOPE_LISTS) -> None:
    """The lists that exist, for a JSON Schema."""
    lists = definition["properties"]["lists"]
    lists["items"] = {"enum": list(known)}
    lists["minItems"] = 1
    lists.pop("default", None)


def narrow_scopes(definition: SchemaPart) -> None:
    """The resources that have names, for a JSON Schema."""
    scopes = definition["properties"]["scopes"]
    scopes.pop("default", None)
    scopes.update(minProperties=1, propertyNames=resource_keys())
    scopes["additionalProperties"]["minItems"] = 1


def names_no_permission(arguments: Arguments) -> bool:
    """Whether the arguments name no permission."""
    return "lists" not in arguments and "scopes" not in arguments
