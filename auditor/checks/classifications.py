"""The check on classifications: permissions that must not be classified, on any resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    compared,
    failed,
    first_names,
    passed,
    unknown,
)
from auditor.checks.permission_lists import (
    Scopes,
    list_problems,
    named_lists,
    names_no_permission,
    names_on,
    narrow_lists,
    narrow_scopes,
    phrase_of,
    reads_of,
    scope_problems,
    scopes_by_resource,
)
from auditor.checks.user_consent import LEVELS, level_problem
from auditor.consent.explanation import listed
from auditor.consent.lookup import Absent, SnapshotIndex
from auditor.facts.permissions import known_scope_ids
from auditor.model.document import Point, code
from auditor.model.report import Evidence, FindingSubject
from auditor.model.resources import DelegatedPermissionClassification, ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Plan

SHOWN = 50
"""Permissions that the evidence names; the reason gives their number."""


class Classifications(CheckKind, frozen=True, tag="classifications"):
    """No permission of the `lists` or `scopes` is classified `level`, on any resource that was read."""

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
