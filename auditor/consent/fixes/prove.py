"""The proof: a fix is offered only if deciding again, on the changed snapshot, gives what it promises."""

from __future__ import annotations

from auditor.consent.case import gather
from auditor.consent.client import client_of
from auditor.consent.decide import decide
from auditor.consent.fixes.apply import NotApplicable, apply
from auditor.consent.fixes.candidate import Candidate
from auditor.consent.fixes.routes import candidates
from auditor.consent.subject import ORDINARY_MEMBER, Subject, assigned_member
from auditor.model.app import App
from auditor.model.decision import Decision, Outcome
from auditor.model.fix import Fix, Proof, Steps
from auditor.model.snapshot import Snapshot


def fixes_for(snapshot: Snapshot, app: App, subject: Subject = ORDINARY_MEMBER) -> tuple[Fix, ...]:
    """The proven fixes for `subject` connecting `app`, least exposure first; none where it connects already.

    Where two things stand in the way, a fix that mends one of them is combined with one that mends the other.
    """
    if decide(snapshot, app, subject).outcome.connects:
        return ()
    found = tuple(candidates(gather(snapshot, app, subject)))
    single = [fix for c in found if (fix := _proven(snapshot, app, subject, (c,)))]
    if single:
        return tuple(single)
    pairs = ((a, b) for i, a in enumerate(found) for b in found[i + 1 :])
    return tuple(fix for pair in pairs if (fix := _proven(snapshot, app, subject, pair)))


def _proven(snapshot: Snapshot, app: App, subject: Subject, parts: tuple[Candidate, ...]) -> Fix | None:
    after = snapshot
    try:
        for request in (request for part in parts for request in part.requests):
            after = apply(after, request)
    except NotApplicable:
        return None
    decision = decide(after, app, subject)
    if decision.outcome is Outcome.DEPENDS and subject is ORDINARY_MEMBER:
        decision = _for_those_assigned(after, app, decision)
    if decision.outcome.value not in parts[-1].promise or decision.outcome is Outcome.DEPENDS:
        return None
    return _fix(parts, decision)


def _for_those_assigned(after: Snapshot, app: App, decision: Decision) -> Decision:
    """Where an app requires assignment on purpose, a fix that lets the assigned users in is a fix."""
    if set(decision.outcomes) != {Outcome.CONNECTS_SILENTLY, Outcome.BLOCKED}:
        return decision
    member = assigned_member(after, client_of(after, app))
    return decision if member is None else decide(after, app, member)


def _fix(parts: tuple[Candidate, ...], after: Decision) -> Fix:
    first = parts[0]
    proof = Proof(
        outcome=after.outcome.value,
        confidence=after.confidence.value,
        because=after.because,
        subject=after.subject,
    )
    if len(parts) == 1:
        return Fix(
            route=first.route,
            title=first.title,
            role=first.role,
            steps=first.steps,
            verify=first.verify,
            undo=first.undo,
            link=first.link,
            opens=first.opens,
            expect=first.expect,
            proven=proof,
        )
    return Fix(
        route="+".join(p.route for p in parts),
        title=f"{first.title}; then: {parts[1].title[0].lower()}{parts[1].title[1:]}",
        role="; ".join(dict.fromkeys(p.role for p in parts)),
        steps=_joined(parts),
        verify=first.verify,
        undo=" ".join(p.undo for p in reversed(parts)),
        link=next((p.link for p in parts if p.link), ""),
        opens={"summary": " ".join(str(p.opens["summary"]) for p in parts)},
        expect=" ".join(p.expect for p in parts if p.expect),
        proven=proof,
    )


def _joined(parts: tuple[Candidate, ...]) -> Steps:
    each = [p.steps for p in parts]
    scripted = all(p.shown for p in parts)
    return Steps(
        portal=tuple(step for s in each for step in s.portal),
        powershell="\n".join(s.powershell for s in each) if scripted else "",
        az="\n".join(s.az for s in each) if scripted else "",
        graph=tuple(request for s in each for request in s.graph) if scripted else (),
    )
