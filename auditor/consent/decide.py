"""The decision: can this subject connect this app, and if not, which setting stops it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.advice import advice
from auditor.consent.decision_facts import Case, Row, gather
from auditor.consent.existing_grants import Grants
from auditor.consent.explanation import because, code, listed, policy_name, screen
from auditor.consent.policies import role_actions, role_policies
from auditor.consent.possible_outcomes import Possible, possibilities
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.consent.truth import Truth
from auditor.model.app import App
from auditor.model.decision import AppRef, Confidence, Decision, Outcome, Reason, ScopeVerdict, Verdict
from auditor.model.snapshot import Snapshot


def decide(snapshot: Snapshot, app: App, subject: Subject = ORDINARY_MEMBER) -> Decision:
    """Whether `subject` can connect `app` in the tenant of `snapshot`.

    A fact that was not read makes the outcome ``depends`` where it matters, and nowhere else. Undocumented
    behaviour makes it *likely*. The same snapshot, app and subject always give the same decision.
    """
    case = gather(snapshot, app, subject)
    possible = _clearest_first(possibilities(case))
    outcomes = tuple(dict.fromkeys(p.outcome for p in possible))
    outcome = outcomes[0] if len(outcomes) == 1 else Outcome.DEPENDS
    first = possible[0]
    doubts = _doubts(case, possible, outcome)
    reason = first.reason if outcome is not Outcome.DEPENDS else Reason.FACT_UNKNOWN
    gate_code = first.gate.code if first.gate else ""
    return Decision(
        app=AppRef(name=app.label, client_id=app.client_id.lower()),
        subject=subject.label,
        outcome=outcome,
        confidence=Confidence.LIKELY if doubts else Confidence.CERTAIN,
        reason=reason,
        because=because(case, possible),
        code=code(outcome, reason, case.workflow, gate_code),
        screen=screen(outcome, reason, case.workflow, app.label, subject.admin_role),
        scopes=tuple(_verdict(case, row) for row in (*case.rows, *case.extra)),
        also=tuple(_also(case, outcome, reason)),
        doubts=doubts,
        depends_on=tuple(dict.fromkeys(n for p in possible for n in p.needs)) if len(outcomes) > 1 else (),
        outcomes=outcomes if len(outcomes) > 1 else (),
        notes=tuple(_notes(case, outcome)),
        advice=advice(case, outcome, reason),
    )


def _doubts(case: Case, possible: tuple[Possible, ...], outcome: Outcome) -> tuple[str, ...]:
    if outcome is Outcome.DEPENDS:
        return ()
    # Several ways to the same outcome are alternatives: whichever holds brings its own doubts.
    doubts = [d for p in possible for d in p.doubts]
    if outcome is not Outcome.BLOCKED:
        # A scope that the resource does not have would stop the request before anything else.
        doubts += [d for row in (*case.required, *case.extra) for d in row.table_doubts]
    return tuple(dict.fromkeys((*doubts, *case.subject.doubts)))


_VAGUE = (Reason.POLICY_UNREADABLE, Reason.FACT_UNKNOWN, Reason.NOT_READ)


def _clearest_first(possible: tuple[Possible, ...]) -> tuple[Possible, ...]:
    """Of several ways to one outcome, the one that can be named comes first."""
    return tuple(sorted(possible, key=lambda p: p.reason in _VAGUE))


def _verdict(case: Case, row: Row) -> ScopeVerdict:
    permission = row.permission
    verdict, reason, detail, policy, conditions = _scope_outcome(row)
    return ScopeVerdict(
        resource=permission.resource,
        resource_name=permission.resource_name,
        scope=permission.value,
        verdict=verdict,
        reason=reason,
        detail=detail,
        permission_id=permission.id,
        policy=policy,
        condition_set=conditions,
        required=permission.required,
        assumed=permission.assumed,
        implicit=permission.implicit,
        confidence=Confidence.LIKELY if row.doubts or row.granted.doubt else Confidence.CERTAIN,
        steps=row.approval.steps,
    )


_GRANTED = {
    Reason.GRANTED_TENANT_WIDE: "granted for the whole tenant by an administrator",
    Reason.GRANTED_TO_USER: "granted to this user",
    Reason.COVERED_BY_OTHER_GRANT: "covered by the app's other Microsoft Graph grant",
}


def _scope_outcome(row: Row) -> tuple[Verdict, Reason, str, str | None, str | None]:
    found = row.approval
    if row.permission.exists is Truth.FALSE or row.permission.enabled is Truth.FALSE:
        return Verdict.BLOCKED, found.reason, found.detail, None, None
    if row.granted.truth is Truth.TRUE:
        return Verdict.GRANTED, row.granted.reason, _GRANTED[row.granted.reason], None, None
    if row.permission.exists is Truth.UNKNOWN:
        detail = f"the scopes of {row.permission.resource_name} were not read"
        return Verdict.UNKNOWN, Reason.NOT_READ, detail, None, None
    if row.granted.truth is Truth.UNKNOWN and found.truth is not Truth.TRUE:
        detail = f"whether it is granted already was not read; if not: {found.detail}"
        return Verdict.UNKNOWN, Reason.NOT_READ, detail, found.policy, found.condition_set
    verdict = {
        Truth.TRUE: Verdict.CONSENTABLE,
        Truth.FALSE: Verdict.BLOCKED,
        Truth.UNKNOWN: Verdict.UNKNOWN,
    }[found.truth]
    return verdict, found.reason, found.detail, found.policy, found.condition_set


def _also(case: Case, outcome: Outcome, reason: Reason) -> Iterator[str]:
    """What else would stand in the way once the first obstacle is gone."""
    shut = [g for g in case.gates if g.truth is Truth.TRUE]
    for gate in shut[1:]:
        yield gate.because
    if outcome not in (Outcome.BLOCKED, Outcome.NEEDS_ADMIN):
        return
    refused = [r for r in case.required if r.granted.truth is Truth.FALSE and r.approval.truth is Truth.FALSE]
    if refused and (outcome is Outcome.BLOCKED or reason is Reason.ASSIGNMENT_REQUIRED):
        names = listed(r.permission.value for r in refused)
        yield f"users may not consent to {names} under {_policies(refused)}"
    if (
        outcome is Outcome.BLOCKED
        and case.client.assignment_required is Truth.TRUE
        and reason is not Reason.NOT_ASSIGNED
    ):
        yield "the app requires assignment, so users cannot consent for themselves"


def _policies(rows: list[Row]) -> str:
    names = [policy_name(r.approval.policy) for r in rows if r.approval.policy]
    return listed(names) if names else "this tenant's settings"


def _notes(case: Case, outcome: Outcome) -> Iterator[str]:
    if any(r.permission.assumed for r in case.rows):
        yield "The scope list is an assumption of the rule pack; the vendor does not publish it as text."
    if isinstance(case.grants, Grants) and case.grants.others:
        people = "user has" if case.grants.others == 1 else "users have"
        yield f"{case.grants.others} {people} a grant of their own for this app, which covers nobody else."
    if outcome is Outcome.NEEDS_ADMIN and case.subject.user_id is None:
        yield from _custom_roles(case)
    if outcome is Outcome.NEEDS_ADMIN and case.workflow.enabled is Truth.TRUE and case.workflow.reviewers == 0:
        yield "The admin consent workflow is on but names no reviewer: requests reach nobody."
    if outcome.connects:
        yield _BEYOND
    if case.subject.admin_role and outcome.connects:
        yield f"That a {case.subject.admin_role} can connect says nothing about other users."
    if case.app.prompt_consent:
        yield "The app forces the consent page (prompt=consent), so a grant by an administrator does not help."


_BEYOND = (
    "Consent is not everything: Conditional Access, tenant restrictions, a user without a mailbox or licence, and"
    " Exchange's own app settings can still stop the connection; none of them was looked at."
)


def _custom_roles(case: Case) -> Iterator[str]:
    roles = case.snapshot.sections.roleDefinitions or ()
    custom = (r for r in roles if r.isBuiltIn is False)
    for role, policy_id in role_policies(role_actions(custom)):
        yield f"Holders of the custom role {role} may consent under {policy_name(policy_id)}."
