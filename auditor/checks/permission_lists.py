"""The permissions that a check is about, given by named lists and by scopes of resources.

The check on classifications is here too: none of the listed permissions may be classified, on any resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    Invalid,
    SchemaPart,
    alternatives,
    as_list,
    as_text,
    compared,
    entries_at,
    failed,
    first_names,
    is_empty_list,
    passed,
    unknown,
)
from auditor.checks.user_consent import level_problem
from auditor.consent.conditions import LEVELS
from auditor.consent.explanation import listed
from auditor.consent.snapshot_index import Absent, SnapshotIndex
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCE_NAMES, RESOURCES, is_guid
from auditor.facts.permissions import (
    APP_ROLES,
    CISA,
    SCOPE_LISTS,
    is_complete,
    known_scope_ids,
    known_scopes,
    listed_scopes,
    spellings,
)
from auditor.model.document import Point, code
from auditor.model.report import Evidence, FindingSubject
from auditor.model.resources import DelegatedPermissionClassification, ServicePrincipal
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Plan

Scopes = Mapping[str, tuple[str, ...]]
"""Names of permissions by resource: ``microsoft-graph``, ``exchange-online`` or an app id."""


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
    from auditor.checks.typo_suggestions import nearest

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
    from auditor.checks.typo_suggestions import neighbor_of_guid

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
    from auditor.checks.typo_suggestions import neighbor_of_guid

    near = neighbor_of_guid(key, RESOURCE_NAMES)
    return f'"{key}" isn\'t the id of {RESOURCE_NAMES[near]}' if near else ""


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


GUID_PATTERN = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
"""A GUID, for JSON Schemas."""
GUID_FORM = "five groups of 8-4-4-4-12 digits 0-9 and a-f"


def resource(text: str) -> Invalid | None:
    """Why `text` doesn't name a resource by its short name or its app id."""
    from auditor.checks.typo_suggestions import nearest, typo_of_guid

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
    from auditor.checks.typo_suggestions import nearest, typo_of_name

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


def is_delegated_only(name: str) -> bool:
    """Whether no resource has an application permission with this name: those for sign-in, and those "as a user"."""
    return name.lower() in OPENID_SCOPES or "asuser" in name.lower()


def misspelled_role(resource_id: str, text: str) -> str:
    """The known application permission of the resource (app id) that `text` probably misspells; empty for none."""
    from auditor.checks.typo_suggestions import typo_of

    known = [role.value for roles in APP_ROLES.values() for role in roles if role.resource == resource_id]
    is_known = is_guid(text) or text.lower() in map(str.lower, (*known, *known_scopes(resource_id)))
    return "" if is_known else typo_of(text, known)


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


SHOWN = 50
"""Permissions that the evidence names; the reason gives their number."""


class Classifications(CheckKind, frozen=True, tag="classifications"):
    """No permission of the `lists` or `scopes` is classified `level`, on any resource that was read."""

    setting_id: ClassVar[str] = "permission-classifications"
    lists: tuple[str, ...] = ()
    scopes: Scopes = {}
    level: str = "low"

    def reads(self, app: App | None) -> Plan:
        return reads_of(self.lists, self.scopes)

    def sentence(self) -> Point:
        return Point(
            f"No permission of {phrase_of(self.lists, self.scopes)} is classified {code(self.level)}, on any"
            " resource that was read."
        )

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from list_problems(arguments)
        yield from scope_problems(arguments)
        if names_no_permission(arguments):
            yield ArgumentProblem((), "a check of kind classifications names no permissions", "lists or scopes")
        yield from level_problem(arguments.get("level"))

    def judge(self, context: CheckContext) -> CheckResult:
        index = context.index
        wanted = scopes_by_resource(self.lists, self.scopes)
        unread = _why_unread(index, wanted)
        classified = index.snapshot.sections.delegatedPermissionClassifications or {}
        found: dict[FindingSubject, Evidence] = {}
        unclear = ""
        for resource, entries in classified.items():
            on = index.resource_name(resource)
            names = names_on(resource, wanted)
            for entry in entries:
                level = entry.classification.lower()
                if level != self.level and level in LEVELS:
                    continue
                name = _name(index, resource, entry)
                where = f"delegatedPermissionClassifications/{on}"
                if level != self.level:
                    if not name or name.lower() in names:
                        unclear = unclear or _why_unclear(entry, f"{where}/{name or entry.permissionId.lower()}")
                elif name.lower() in names:
                    # Of several with one name each counts: any app may call itself, and its scopes, what it likes.
                    subject = FindingSubject(name=f"{on} {name}", id=f"{resource.lower()}/{name}")
                    found[subject] = compared(f"{where}/{name}", self.level, "not classified, or higher")
                elif not name:
                    unclear = unclear or f"the name of permission {entry.permissionId.lower()} of {where} is unknown"
        if found:
            subjects = sorted(found, key=lambda one: (one.name.lower(), one.id.lower()))
            return failed(
                f"classified {self.level}: {first_names(one.name for one in subjects)}",
                *[found[one] for one in subjects[:SHOWN]],
                subjects=subjects,
                unread=unread or unclear,
            )
        if unread or unclear:
            return unknown(unread or unclear)
        what = named_lists(self.lists) if self.lists else "scopes in question"
        on = listed(sorted(map(index.resource_name, classified))) or "any resource of this tenant"
        return passed(f"none of the {what} is classified {self.level} on {on}")

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        definition["properties"]["level"]["enum"] = list(LEVELS)
        definition["anyOf"] = [{"required": ["lists"]}, {"required": ["scopes"]}]
        narrow_lists(definition)
        narrow_scopes(definition)


def _why_unread(index: SnapshotIndex, wanted: Iterable[str]) -> str:
    """Why the classifications of a resource are unknown; empty if those of all resources that matter are known."""
    section = index.snapshot.sections.delegatedPermissionClassifications
    if section is None:
        return index.not_read("delegatedPermissionClassifications").why
    refused = [key.partition("/")[2].lower() for key in index.snapshot.unread if key.startswith(_PARTS)]
    missing = set(wanted) - {app_id.lower() for app_id in section}
    for resource in sorted({*refused, *missing}):
        if resource in refused or not isinstance(index.service_principal(resource), Absent):
            return index.not_read("delegatedPermissionClassifications", resource).why
    return ""


def _why_unclear(entry: DelegatedPermissionClassification, where: str) -> str:
    """Why it isn't known whether the level of a classification is the one of the check."""
    if not entry.classification:
        return f"the classification of {where} was not read"
    return f"{where} is classified {entry.classification}, which is new to this program"


_PARTS = "delegatedPermissionClassifications/"


def _name(index: SnapshotIndex, resource: str, entry: DelegatedPermissionClassification) -> str:
    """The name of a classified permission: as the tenant's own service principal publishes it, if that was read."""
    principal = index.service_principal(resource)
    for scope in principal.oauth2PermissionScopes or () if isinstance(principal, ServicePrincipal) else ():
        if scope.id.lower() == entry.permissionId.lower():
            return scope.value
    known = known_scope_ids().get(entry.permissionId.lower())
    return known[1].value if known else entry.permissionName or ""
