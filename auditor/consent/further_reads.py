"""What else to read: facts that would make a decision firmer, named by the decision itself.

A pre-flight reads only what every case needs. Risk settings, beta conditions of a custom policy, or the
holders of a custom role matter in few tenants, and are asked for only there.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import Case, gather
from auditor.consent.lookup import NotRead
from auditor.consent.policies import role_actions, role_policies
from auditor.consent.possible_outcomes import possibilities
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.consent.truth import Truth
from auditor.model.app import App
from auditor.model.decision import Outcome, Reason
from auditor.model.read_plan import Plan
from auditor.model.snapshot import Snapshot


def further_reads(snapshot: Snapshot, app: App, subject: Subject = ORDINARY_MEMBER) -> Plan:
    """What to read next for this app and subject; empty when nothing more would help.

    Never names what was tried and refused already.
    """
    case = gather(snapshot, app, subject)
    sections = ("directorySettings",) if _needs_settings(case) else ()
    return Plan(
        sections=tuple(s for s in sections if s not in snapshot.unread),
        beta_policies=tuple(_beta_policies(case)),
        assignments_of=tuple(_roles(case)),
    )


def _needs_settings(case: Case) -> bool:
    if case.snapshot.sections.directorySettings is not None:
        return False
    risk = any(p.reason is Reason.RISK_STEP_UP and p.needs for p in possibilities(case))
    return risk or case.workflow.enabled is Truth.UNKNOWN


def _beta_policies(case: Case) -> Iterator[str]:
    """Custom policies of which a set matches that may hold a condition only beta shows."""
    if isinstance(case.policies, NotRead):
        return
    matching = {s.policy for r in (*case.rows, *case.extra) for s in r.approval.steps if s.matched != "false"}
    for assigned in case.policies:
        if not assigned.is_custom or assigned.policy is None or assigned.id not in matching:
            continue
        sets = (*(assigned.policy.includes or ()), *(assigned.policy.excludes or ()))
        hidden = any(s.certifiedClientApplicationsOnly is None for s in sets)
        if hidden and f"permissionGrantPolicies/{assigned.id}" not in case.snapshot.unread:
            yield assigned.id


def _roles(case: Case) -> Iterator[str]:
    """Custom roles that let their holders consent, while nobody else may."""
    if all(p.outcome is not Outcome.NEEDS_ADMIN for p in possibilities(case)):
        return
    if "roleAssignments" in case.snapshot.unread:
        return
    covered = case.snapshot.covers.get("roleAssignments", ())
    everything = case.snapshot.sections.roleAssignments is not None and not covered
    for role in case.snapshot.sections.roleDefinitions or ():
        lets_consent = any(role_policies(role_actions((role,))))
        if role.isBuiltIn is False and lets_consent and not everything and role.id.lower() not in covered:
            yield role.id.lower()
