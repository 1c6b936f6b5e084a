"""What an audit must read after a first pass, and the permissions that its reads need.

A pre-flight reads only what every case needs. Risk settings, beta conditions of a custom policy, or the
holders of a custom role matter in few tenants, and are read only there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from auditor.checks.kind import with_inner
from auditor.consent.decision_facts import DecisionFacts, gather
from auditor.consent.policies import role_actions, role_policies
from auditor.consent.possible_outcomes import possible_outcomes
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, index_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.facts.permissions import PERMISSIONS
from auditor.model.decision import Outcome, Reason
from auditor.model.rule import App, Pack
from auditor.model.sections import Extent, permissions_to_read, sections_read
from auditor.model.snapshot import Plan, Snapshot


class Needed(NamedTuple):
    """An application permission, the sections it is for, and the permissions that would also do for all of them."""

    permission: str
    sections: tuple[str, ...]
    alternatives: tuple[str, ...]


def further_reads(snapshot: Snapshot, packs: Iterable[Pack]) -> Plan:
    """What else the packs' rules need, given what a first read found.

    Its `sections` only say more about a finding that stands without them, so that they are read if the credential may.
    Never names what could not be read.
    """
    plan = Plan()
    for pack in packs:
        for rule in pack.rules:
            for check in with_inner(rule.check):
                plan = plan.union(check.further_reads(snapshot))
    index = index_of(snapshot)
    missing = sorted(r for r in plan.resources if not index.was_refused("servicePrincipals", r))
    return Plan(
        resources=tuple(missing),
        app_roles_of=tuple(a for a in plan.app_roles_of if not index.was_refused("appRoleAssignments", a)),
        sections=tuple(s for s in plan.sections if s not in snapshot.unread),
        beta_policies=tuple(p for p in plan.beta_policies if not index.was_refused("permissionGrantPolicies", p)),
    )


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
    if plan.app_roles_of:
        yield from sections_read(Extent.HOLDER)
    if plan.app_roles_on:
        yield "servicePrincipals"
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


def further_reads_for_app(snapshot: Snapshot | SnapshotIndex, app: App, subject: Subject = ORDINARY_MEMBER) -> Plan:
    """What to read next for this app and subject; empty when nothing more would help.

    Never names what was tried and refused already.
    """
    facts = gather(snapshot, app, subject)
    sections = ("directorySettings",) if _needs_settings(facts) else ()
    return Plan(
        sections=tuple(s for s in sections if s not in facts.snapshot.unread),
        beta_policies=tuple(_beta_policies(facts)),
        assignments_of=tuple(_roles(facts)),
    )


def _needs_settings(facts: DecisionFacts) -> bool:
    if facts.snapshot.sections.directorySettings is not None:
        return False
    return any(p.reason is Reason.RISK_STEP_UP and p.needs for p in possible_outcomes(facts))


def _beta_policies(facts: DecisionFacts) -> Iterator[str]:
    """Custom policies of which a set matches that may hold a condition only beta shows."""
    if isinstance(facts.policies, NotRead):
        return
    matching = {s.policy for r in (*facts.scopes, *facts.added) for s in r.approval.steps if s.matched != "false"}
    for assigned in facts.policies:
        if not assigned.is_custom or assigned.policy is None or assigned.id not in matching:
            continue
        if assigned.hides_conditions and f"permissionGrantPolicies/{assigned.id}" not in facts.snapshot.unread:
            yield assigned.id


def _roles(facts: DecisionFacts) -> Iterator[str]:
    """Custom roles that let their holders consent, while nobody else may."""
    if all(p.outcome is not Outcome.NEEDS_ADMIN for p in possible_outcomes(facts)):
        return
    if "roleAssignments" in facts.snapshot.unread:
        return
    covered = facts.snapshot.covers.get("roleAssignments", ())
    everything = facts.snapshot.sections.roleAssignments is not None and not covered
    for role in facts.snapshot.sections.roleDefinitions or ():
        lets_consent = any(role_policies(role_actions((role,))))
        if role.isBuiltIn is False and lets_consent and not everything and role.id.lower() not in covered:
            yield role.id.lower()
