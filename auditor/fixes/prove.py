"""The proof: a fix is offered only if deciding again, on the changed snapshot, gives what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import msgspec

from auditor.consent.client import client_of
from auditor.consent.decide import decide
from auditor.consent.decision_facts import gather
from auditor.consent.subject import ORDINARY_MEMBER, Subject, assigned_member
from auditor.consent.tenant_settings import workflow
from auditor.consent.truth import Truth
from auditor.fixes.apply import NotApplicable, apply_all
from auditor.fixes.candidate import Candidate, Mends, Promise
from auditor.fixes.exposure import as_opens, exposure, rank
from auditor.fixes.offer import offer
from auditor.fixes.routes import candidates
from auditor.model.app import App
from auditor.model.decision import Decision, Outcome
from auditor.model.fix import Fix
from auditor.model.snapshot import Snapshot

_AT_MOST = 3
"""Things can stand in the way in three places: sign-in to the app, consent, assignment."""


def fixes_for(snapshot: Snapshot, app: App, subject: Subject = ORDINARY_MEMBER) -> tuple[Fix, ...]:
    """The proven fixes for `subject` connecting `app`, least exposure first; none where it connects already.

    Where several things stand in the way, the smallest sets that mend all of them. What only lets the user ask
    for approval comes after what lets them connect; a change for every app comes last.
    """
    before = decide(snapshot, app, subject)
    if before.outcome.connects:
        return ()
    found = tuple(candidates(gather(snapshot, app, subject)))
    connecting = tuple(c for c in found if c.mends is not Mends.ASKING)
    proven = _smallest(snapshot, app, subject, connecting)
    asking = [f for c in found if c.mends is Mends.ASKING and (f := _proven(snapshot, app, subject, (c,)))]
    wide = [f for f in proven if "R9" in f.route.split("+")]
    return (*rank(f for f in proven if f not in wide), *asking, *rank(wide))


def _smallest(snapshot: Snapshot, app: App, subject: Subject, found: tuple[Candidate, ...]) -> tuple[Fix, ...]:
    """Every set of the least size that works. None of its members is superfluous: no smaller set does."""
    ordered = sorted(found, key=lambda c: list(Mends).index(c.mends))
    for size in range(1, _AT_MOST + 1):
        sets = [s for s in combinations(ordered, size) if len({c.mends for c in s}) == size]
        sets.sort(key=lambda s: max(found.index(c) for c in s))
        if fixes := tuple(fix for parts in sets if (fix := _proven(snapshot, app, subject, parts))):
            return fixes
    return ()


def _proven(snapshot: Snapshot, app: App, subject: Subject, parts: tuple[Candidate, ...]) -> Fix | None:
    try:
        after = apply_all(snapshot, (request for part in parts for request in part.requests))
    except NotApplicable:
        return None
    for who in _subjects(snapshot, app, subject, parts):
        decision = decide(after, app, who)
        if all(_kept(part.promise, decision, after) for part in parts):
            fix = offer(snapshot, parts, decision)
            return msgspec.structs.replace(fix, opens=as_opens(exposure(snapshot, after, app)))
    return None


def _kept(promise: Promise, decision: Decision, after: Snapshot) -> bool:
    match promise:
        case Promise.SILENT:
            return decision.outcome is Outcome.CONNECTS_SILENTLY
        case Promise.CONNECTS:
            return decision.outcome.connects
        case Promise.MAY_ASK:
            flow = workflow(after)
            asked = any(code in decision.code for code in ("AADSTS90095", "AADSTS900981"))
            return asked and flow.enabled is Truth.TRUE and bool(flow.reviewers)


def _subjects(snapshot: Snapshot, app: App, subject: Subject, parts: tuple[Candidate, ...]) -> Iterator[Subject]:
    """For whom a fix may be proven: the subject, else those who are assigned or whom the fix assigns.

    An app that requires assignment keeps others out on purpose, so a fix that lets the assigned users in is a
    fix, provided that they did not get in before.
    """
    yield subject
    if subject != ORDINARY_MEMBER:
        return
    for lets_in in (part.lets_in for part in parts if part.lets_in):
        yield Subject(
            label="newly assigned member",
            phrase="A user who is then assigned to it",
            user_id=lets_in,
            groups=(lets_in,),
        )
        return
    member = assigned_member(snapshot, client_of(snapshot, app))
    if member is not None and not decide(snapshot, app, member).outcome.connects:
        yield member
