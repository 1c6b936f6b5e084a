"""What an audit by some packs must read, in one pass and after it, and the permissions that this needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from auditor.checks.kind import kind_of, with_inner
from auditor.consent.lookup import index_of
from auditor.facts.ids import MICROSOFT_GRAPH, RESOURCES
from auditor.facts.permissions import PERMISSIONS
from auditor.model.rule import App, Check, Pack
from auditor.model.sections import SECTIONS, Extent, permissions_to_read, sections_read
from auditor.model.snapshot import Plan, Snapshot

TENANT = Plan(sections=("organization",))
"""The tenant's name, which every report shows."""
POLICIES = Plan(sections=("authorizationPolicy", "permissionGrantPolicies"))
"""The consent policies and which of them are assigned to users."""
CONSENT = POLICIES.union(Plan(sections=("adminConsentRequestPolicy", "roleDefinitions")))
"""What decides whether users may consent: the policies, the screen users see, custom roles that allow more."""

AFTER_CONSENT = Plan(sections=("conditionalAccessPolicies",))
"""What can stop users after consent. No decision depends on it."""


class Needed(NamedTuple):
    """An application permission, the sections it is for, and the permissions that would also do for all of them."""

    permission: str
    sections: tuple[str, ...]
    alternatives: tuple[str, ...]


def plan_for(packs: Iterable[Pack], extra_app: App | None = None) -> Plan:
    """The reads that the packs' rules need, and a decision about each of their apps and `extra_app`.

    Next to each decision, a report says what can stop users after consent, so that is read, too.

    Follow-up reads, which depend on what a first read finds, are not included: see `further_reads`.
    """
    plan = TENANT if extra_app is None else TENANT.union(connecting(extra_app)).union(AFTER_CONSENT)
    for pack in packs:
        if pack.app is not None:
            plan = plan.union(connecting(pack.app)).union(AFTER_CONSENT)
        for rule in pack.rules:
            plan = plan.union(reads_of(rule.check, pack.app))
    return plan


def reads_of(check: Check, app: App | None) -> Plan:
    """What one check reads; a check about an app reads nothing without one."""
    return kind_of(check).reads(app)


def connecting(app: App) -> Plan:
    """What decides whether an ordinary user can connect the app."""
    return CONSENT.union(client_of(app)).union(resources_of(app))


def client_of(app: App) -> Plan:
    """The app as it is in the tenant, its grants, and who is assigned to it."""
    return Plan(clients=(app.client_id,))


def resources_of(app: App) -> Plan:
    """The resources that the app names in its request, the apps that it also needs, and Microsoft Graph.

    Graph has the scopes of every sign-in.
    """
    asked = (*app.default_resources, *(scope.resource for scope in app.scopes))
    return Plan(resources=tuple(dict.fromkeys([MICROSOFT_GRAPH, *asked, *(need.client_id for need in app.also_needs)])))


def section_plan(section: str, app: App | None) -> Plan:
    """How to read a section for a check on all of it."""
    extents = SECTIONS[section].extents
    if Extent.DIRECTORY in extents or Extent.LOG in extents:
        return Plan(whole=(section,))
    if Extent.TENANT in extents:
        return Plan(sections=(section,))
    if Extent.RESOURCE in extents:
        return Plan(resources=tuple(RESOURCES.values()))
    return client_of(app) if Extent.CLIENT in extents and app is not None else Plan()


def further_reads(snapshot: Snapshot, packs: Iterable[Pack]) -> Plan:
    """What else the packs' rules need, given what a first read found.

    Never names a resource that could not be read.
    """
    plan = Plan()
    for pack in packs:
        for rule in pack.rules:
            for check in with_inner(rule.check):
                plan = plan.union(check.further_reads(snapshot))
    index = index_of(snapshot)
    missing = sorted(r for r in plan.resources if not index.was_refused("servicePrincipals", r))
    return Plan(resources=tuple(missing))


def permissions_for(plan: Plan) -> tuple[Needed, ...]:
    """The least application permissions that allow every read of the plan, in the order of its sections."""
    by_permission: dict[str, list[str]] = {}
    for section in dict.fromkeys(sections_of(plan)):
        by_permission.setdefault(permissions_to_read(section)[0], []).append(section)
    return tuple(
        Needed(permission, tuple(sections), _alternatives(sections)) for permission, sections in by_permission.items()
    )


def sections_of(plan: Plan) -> Iterator[str]:
    """The sections of a snapshot that the plan fills, with repetitions."""
    yield from plan.sections
    if plan.beta_policies:
        yield "permissionGrantPolicies"
    if plan.clients:
        yield from sections_read(Extent.CLIENT)
    if plan.resources:
        yield from sections_read(Extent.RESOURCE)
    if plan.assignments_of:
        yield from sections_read(Extent.ROLE)
    if plan.users:
        yield from sections_read(Extent.USER)
    yield from plan.whole


def _alternatives(sections: Iterable[str]) -> tuple[str, ...]:
    """The wider permissions that allow every one of the sections."""
    first, *others = (permissions_to_read(section)[1:] for section in sections)
    return tuple(wider for wider in first if all(wider in other for other in others))


def required_resource_access(needed: Iterable[Needed]) -> list[dict[str, Any]]:
    """The permissions as ``az ad app create --required-resource-accesses`` and the portal's manifest take them.

    Source: Microsoft Graph, ``requiredResourceAccess``: an application permission is of type ``Role``.
    """
    access = [{"id": PERMISSIONS[one.permission].id, "type": "Role"} for one in needed]
    return [{"resourceAppId": MICROSOFT_GRAPH, "resourceAccess": access}]
