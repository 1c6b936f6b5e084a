"""Every outcome that is possible with what was read: one when the facts suffice, more when they do not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.consent.blockers import Gate
from auditor.consent.decision_facts import Case, Row
from auditor.consent.existing_grants import Grants
from auditor.consent.lookup import NotRead
from auditor.consent.tenant_settings import looks_risky, step_up
from auditor.consent.truth import Truth, all_of
from auditor.model.decision import Outcome, Reason


class Possible(msgspec.Struct, frozen=True, kw_only=True):
    """One possible outcome, what decides it, and the rows that it is about.

    `needs` names the facts that would have to be known to rule it out or in; `doubts` says why it would
    not be certain even so. `gate` is set for what happens before or after consent.
    """

    outcome: Outcome
    reason: Reason
    rows: tuple[Row, ...] = ()
    doubts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    gate: Gate | None = None


def possibilities(case: Case) -> tuple[Possible, ...]:
    """The possible outcomes of `case`, the most obstructive cause first."""
    shut = next((g for g in case.gates if g.truth is Truth.TRUE), None)
    if shut is not None:
        return (_blocked(shut),)
    maybe = tuple(_blocked(g) for g in case.gates)
    return (*maybe, *_connection(case))


def _blocked(gate: Gate) -> Possible:
    needs = (gate.needs,) if gate.truth is Truth.UNKNOWN else ()
    return Possible(outcome=Outcome.BLOCKED, reason=gate.reason, doubts=gate.doubts, needs=needs, gate=gate)


def _connection(case: Case) -> tuple[Possible, ...]:
    if not case.required:
        if (
            case.policies == ()
            and isinstance(case.grants, Grants)
            and case.grants.is_empty
            and not case.subject.admin_role
        ):
            return (Possible(outcome=Outcome.NEEDS_ADMIN, reason=Reason.USER_CONSENT_DISABLED),)
        needs = ("the permissions that the app asks for",)
        outcomes = (Outcome.CONNECTS_SILENTLY, Outcome.NEEDS_ADMIN)
        return tuple(Possible(outcome=o, reason=Reason.NOTHING_REQUESTED, needs=needs) for o in outcomes)
    if case.app.prompt_consent:
        return _consent(case, case.required, ())
    return _static(case) if case.app.mode.is_static else _dynamic(case)


def _dynamic(case: Case) -> tuple[Possible, ...]:
    """Named scopes: silent when all are granted, else consent for the missing ones."""
    missing = tuple(r for r in case.required if r.granted.truth is Truth.FALSE)
    unsure = tuple(r for r in case.required if r.granted.truth is Truth.UNKNOWN)
    found: list[Possible] = []
    if not missing:
        found.extend(_silent(case, Outcome.CONNECTS_SILENTLY, case.required, _grant_needs(case)))
    if missing or unsure:
        found.extend(_consent(case, missing, unsure))
    return tuple(found)


def _static(case: Case) -> tuple[Possible, ...]:
    """Registered permissions: silent as soon as any grant for the resource exists, enough or not.

    Source: "Scopes and permissions", the ``.default`` scope.
    """
    if isinstance(case.grants, NotRead):
        lacking = _silent(case, Outcome.CONNECTS_BUT_LACKS_SCOPES, case.required, _grant_needs(case))
        silent = _silent(case, Outcome.CONNECTS_SILENTLY, case.required, _grant_needs(case))
        return (*silent, *lacking, *_consent(case, (), case.required))
    resources = {r.permission.resource for r in case.required}
    without = {resource for resource in resources if not case.grants.has_row(resource)}
    if without:
        return _consent(case, tuple(r for r in case.required if r.permission.resource in without), ())
    lacks = tuple(r for r in case.required if r.granted.truth is Truth.FALSE)
    if lacks:
        return _silent(case, Outcome.CONNECTS_BUT_LACKS_SCOPES, lacks, ())
    return _silent(case, Outcome.CONNECTS_SILENTLY, case.required, ())


def _silent(case: Case, outcome: Outcome, rows: tuple[Row, ...], needs: tuple[str, ...]) -> tuple[Possible, ...]:
    """Consent is in place; where the app requires assignment, only assigned users get in."""
    doubts = tuple(dict.fromkeys(d for r in rows for d in (r.granted.doubt,) if d))
    reason = rows[0].granted.reason
    if outcome is Outcome.CONNECTS_SILENTLY:
        reason = next((r.granted.reason for r in rows if not r.permission.is_openid), reason)
    inside = Possible(outcome=outcome, reason=reason, rows=rows, doubts=doubts, needs=needs)
    required = case.client.assignment_required
    # Microsoft documents that Global Administrators get in without an assignment.
    if required is Truth.FALSE or case.subject.admin_role == _GLOBAL_ADMIN:
        return (inside,)
    assigned = case.assignment
    if assigned.truth is Truth.TRUE:
        return (inside,)
    outside = Possible(
        outcome=Outcome.BLOCKED,
        reason=Reason.NOT_ASSIGNED,
        gate=Gate(
            truth=Truth.TRUE,
            reason=Reason.NOT_ASSIGNED,
            code="AADSTS50105",
            because=f"the app requires assignment, and {assigned.why}",
        ),
        needs=_assignment_needs(case),
    )
    if required is Truth.TRUE and assigned.truth is Truth.FALSE:
        return (outside,)
    return (inside, outside)


_GLOBAL_ADMIN = "Global Administrator"


def _assignment_needs(case: Case) -> tuple[str, ...]:
    needs: list[str] = []
    if case.client.assignment_required is Truth.UNKNOWN:
        needs.append(f"whether the app requires assignment ({case.client.unread})")
    if case.assignment.truth is Truth.UNKNOWN:
        needs.append(f"whether the user is assigned to the app ({case.assignment.why})")
    return tuple(needs)


def _consent(case: Case, missing: tuple[Row, ...], unsure: tuple[Row, ...]) -> tuple[Possible, ...]:
    """Consent is needed for `missing`, and for those of `unsure` that turn out not to be granted."""
    grant_needs = _grant_needs(case) if unsure else ()
    rows = (*missing, *unsure)
    as_admin = Truth.TRUE if case.subject.admin_role else all_of(r.for_all.truth for r in rows)
    if as_admin is Truth.TRUE:
        return (_accepted(case, rows, grant_needs),)
    if as_admin is Truth.UNKNOWN:
        needs = tuple(dict.fromkeys((*grant_needs, *(n for r in rows for n in r.for_all.needs))))
        return (_accepted(case, rows, needs), *_as_user(case, missing, unsure, grant_needs))
    return _as_user(case, missing, unsure, grant_needs)


def _as_user(
    case: Case, missing: tuple[Row, ...], unsure: tuple[Row, ...], grant_needs: tuple[str, ...]
) -> tuple[Possible, ...]:
    """The subject consents for themself, under the policies for that."""
    rows = (*missing, *unsure)
    required = case.client.assignment_required
    assignment = Possible(
        outcome=Outcome.NEEDS_ADMIN, reason=Reason.ASSIGNMENT_REQUIRED, rows=rows, needs=_assignment_needs(case)[:1]
    )
    if required is Truth.TRUE:
        return (assignment,)
    maybe = (assignment,) if required is Truth.UNKNOWN else ()
    refused = _refused(case, missing)
    if refused is not None:
        return (refused,)
    return (*maybe, *_undecided(case, missing, unsure, grant_needs))


def _refused(case: Case, missing: tuple[Row, ...]) -> Possible | None:
    """The refusal that is sure: one missing scope that no policy approves stops the whole request."""
    blocked = tuple(r for r in missing if r.approval.truth is Truth.FALSE)
    added = () if blocked else tuple(r for r in case.extra if r.approval.truth is Truth.FALSE)
    rows = blocked or added
    if not rows:
        return None
    # One certain refusal makes the outcome certain, whatever is doubtful about the others.
    doubts = min((_refusal_doubts(r) for r in rows), key=len)
    return Possible(outcome=Outcome.NEEDS_ADMIN, reason=_first_reason(rows), rows=rows, doubts=doubts)


def _refusal_doubts(row: Row) -> tuple[str, ...]:
    doubts = list(row.doubts)
    name = row.permission.value
    if row.permission.implicit:
        doubts.append(f"{name} is added by Entra without being asked, which not every tenant shows")
    elif row.permission.is_openid and row.approval.reason is Reason.SCOPE_NOT_CLASSIFIED:
        doubts.append(f"that an unclassified {name} alone stops a request is implied, not stated, by Microsoft")
    return tuple(doubts)


def _first_reason(rows: Iterable[Row]) -> Reason:
    reasons = [r.approval.reason for r in rows]
    return min(reasons, key=list(Reason).index)


def _undecided(
    case: Case, missing: tuple[Row, ...], unsure: tuple[Row, ...], grant_needs: tuple[str, ...]
) -> tuple[Possible, ...]:
    found: list[Possible] = []
    open_rows = tuple(r for r in (*missing, *unsure, *case.extra) if r.approval.truth is not Truth.TRUE)
    needs = tuple(dict.fromkeys((*grant_needs, *(n for r in open_rows for n in r.approval.needs))))
    if open_rows:
        reason = _first_reason(open_rows)
        doubts = tuple(dict.fromkeys(d for r in open_rows for d in _refusal_doubts(r)))
        found.append(Possible(outcome=Outcome.NEEDS_ADMIN, reason=reason, rows=open_rows, needs=needs, doubts=doubts))
    if not missing and all(r.approval.truth is Truth.FALSE for r in unsure):
        return tuple(found)
    accepted = _accepted(case, (*missing, *unsure), needs)
    found.extend(_after_risk(case, accepted))
    return tuple(found)


def _accepted(case: Case, rows: tuple[Row, ...], needs: tuple[str, ...]) -> Possible:
    doubts = [d for r in (*rows, *case.extra) for d in r.doubts]
    approvers = [set(r.approval.approvers) for r in (*rows, *case.extra) if r.approval.approvers]
    if approvers and not set.intersection(*approvers):
        doubts.append("that several policies may approve one request together is not documented")
    if case.app.mode.is_static:
        doubts.append("the app's registered permissions cannot be read in this tenant; the listed ones stand in")
    reason = Reason.SUBJECT_IS_ADMIN if case.subject.admin_role else Reason.APPROVED_BY_POLICY
    return Possible(
        outcome=Outcome.USER_MAY_CONSENT,
        reason=reason,
        rows=rows,
        needs=needs,
        doubts=tuple(dict.fromkeys(doubts)),
    )


def _after_risk(case: Case, accepted: Possible) -> tuple[Possible, ...]:
    """What risk-based step-up and a guest's uncertain rights leave of an accepted request."""
    found = [accepted]
    on = step_up(case.snapshot)
    risky = looks_risky(case.snapshot, case.app, case.client, [r.permission for r in accepted.rows])
    if Truth.FALSE not in (on.truth, risky):
        doubt = "Microsoft's risk verdict cannot be read; the request has the marks of a risky one"
        needs = [on.needs] if on.needs else []
        if risky is Truth.UNKNOWN:
            needs.append(case.client.publisher_need)
        stepped = Possible(
            outcome=Outcome.NEEDS_ADMIN,
            reason=Reason.RISK_STEP_UP,
            rows=accepted.rows,
            doubts=(doubt,),
            needs=(*accepted.needs, *needs),
        )
        sure = on.truth is Truth.TRUE and risky is Truth.TRUE
        found = [stepped] if sure else [accepted, stepped]
    if case.subject.guest is not Truth.FALSE and accepted in found:
        needs_guest = "whether a guest may consent, which Microsoft does not document"
        found.append(
            Possible(
                outcome=Outcome.NEEDS_ADMIN,
                reason=Reason.GUEST_UNDOCUMENTED,
                rows=accepted.rows,
                needs=(*accepted.needs, needs_guest),
            )
        )
    return tuple(found)


def _grant_needs(case: Case) -> tuple[str, ...]:
    if isinstance(case.grants, NotRead):
        return (f"which scopes are granted already ({case.grants.why})",)
    return ()
