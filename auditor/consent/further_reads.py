"""What else to read: the data that would make a decision more certain.

A pre-flight reads only what every case needs. Risk settings, beta conditions of a custom policy, or the
holders of a custom role matter in few tenants, and are read only there.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import DecisionFacts, gather
from auditor.consent.lookup import NotRead, SnapshotIndex
from auditor.consent.policies import role_actions, role_policies
from auditor.consent.possible_outcomes import possible_outcomes
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.model.decision import Outcome, Reason
from auditor.model.rule import App
from auditor.model.snapshot import Plan, Snapshot


def further_reads(snapshot: Snapshot | SnapshotIndex, app: App, subject: Subject = ORDINARY_MEMBER) -> Plan:
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
