"""Whether resources, scopes and permission ids in a pack exist, and which ones were probably meant."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from auditor.checks.typo_suggestions import Invalid, nearest, typo_of_guid, typo_of_name
from auditor.consent.request import is_guid
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCE_NAMES
from auditor.facts.scope_lists import RESOURCES, SCOPE_LISTS, listed_scopes, spellings
from auditor.facts.scopes import is_complete, known_scope_ids, known_scopes

GUID_PATTERN = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
"""A GUID, for JSON Schemas."""
GUID_FORM = "five groups of 8-4-4-4-12 digits 0-9 and a-f"


def resource(text: str) -> Invalid | None:
    """Why `text` doesn't name a resource by its short name or its app id."""
    if text in RESOURCES:
        return None
    if is_guid(text):
        near = typo_of_guid(text, RESOURCE_NAMES)
        return Invalid(f'"{text}" is almost the id of {RESOURCE_NAMES[near]}', near=near) if near else None
    return Invalid(f'"{text}" isn\'t a resource', f"{', '.join(RESOURCES)} or an app id", nearest(text, RESOURCES))


def resource_keys() -> dict[str, Any]:
    """The same as a JSON Schema."""
    return {"anyOf": [{"enum": list(RESOURCES)}, {"pattern": GUID_PATTERN}]}


def scope_of(resource_id: str, text: str) -> Invalid | None:
    """Why `text` isn't the name of a delegated permission of the resource; a name that may exist is valid."""
    if "/" in text or text.split() != [text]:
        return Invalid(f'"{text}" isn\'t a scope name', "the bare name of one scope, as in Mail.Read")
    if text.lower() == ".default":
        return Invalid("names .default", "the scopes themselves, and request: default in the app")
    if text.lower() in OPENID_SCOPES and resource_id != MICROSOFT_GRAPH:
        return Invalid(f'"{text}" is a scope of Microsoft Graph', "it under microsoft-graph")
    known = _scopes_of(resource_id)
    if not known or text.lower() in known:
        return None
    on = RESOURCE_NAMES.get(resource_id, resource_id)
    if is_complete(resource_id):
        kin = [name for name in known.values() if name.partition(".")[0].lower() == text.partition(".")[0].lower()]
        return Invalid(f'"{text}" doesn\'t exist on {on}', near=nearest(text, kin) or nearest(text, known.values()))
    # A name made of words of other scopes may exist: many scopes are on several resources.
    is_plausible = set(text.lower().split(".")) <= _scope_words()
    near = typo_of_name(text, known.values(), is_plausible=is_plausible)
    return Invalid(f'"{text}" isn\'t known on {on}', near=near) if near else None


@cache
def _scopes_of(resource_id: str) -> Mapping[str, str]:
    """The known scopes of a resource by their names in lower case, from its table and from the scope lists."""
    listed_here = listed_scopes(SCOPE_LISTS).get(resource_id, frozenset())
    found = {name: spellings().get(name, name) for name in sorted(listed_here)}
    return {**found, **{name: scope.value for name, scope in known_scopes(resource_id).items()}}


@cache
def _scope_words() -> frozenset[str]:
    """The words between the dots of all known scopes of any resource."""
    every = (*(scope.value.lower() for _, scope in known_scope_ids().values()), *spellings())
    return frozenset(word for name in every for word in name.split("."))


def scope_or_id(resource_id: str, text: str) -> Invalid | None:
    """Why `text` isn't the name of a delegated permission; for an id, which name to write instead."""
    if not is_guid(text):
        return scope_of(resource_id, text)
    found = known_scope_ids().get(text.lower())
    if found is None:
        return Invalid(f'"{text}" is an id', "the name of a scope, as in Mail.Read")
    if found[0] != resource_id:
        return Invalid(
            f'"{text}" is {found[1].value} of {RESOURCE_NAMES.get(found[0], found[0])}',
            "a scope of this resource, by name",
        )
    return Invalid(f'"{text}" is an id', "its name", found[1].value)


def permission_id(resource_id: str, text: str, name: str = "") -> Invalid | None:
    """Why `text` isn't the id of a delegated permission of the resource, and of that name if one is given."""
    found = known_scope_ids().get(text.lower())
    on = RESOURCE_NAMES.get(resource_id, resource_id)
    if found is None:
        if is_guid(text) and is_complete(resource_id):
            named = known_scopes(resource_id).get(name.lower())
            return Invalid(f'"{text}" isn\'t a permission of {on}', "the id of one", named.id if named else "")
        return None
    owner, scope = found
    if owner != resource_id:
        ours = known_scopes(resource_id).get(scope.value.lower())
        message = f'"{text}" is {scope.value} of {RESOURCE_NAMES.get(owner, owner)}, not of {on}'
        return Invalid(message, f"the id of a permission of {on}", ours.id if ours else "")
    if name and name.lower() != scope.value.lower():
        return Invalid(f'"{text}" is {scope.value}, not {name}', f"the id of {name}", _id_of(resource_id, name))
    return None


def _id_of(resource_id: str, name: str) -> str:
    found = known_scopes(resource_id).get(name.lower())
    return found.id if found else ""
