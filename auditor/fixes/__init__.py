"""Fixes: changes computed from the tenant's data, applied to a copy of the snapshot, and offered only if they work.

A fix works if the decision on the changed snapshot is the one that the fix promises. The module of each route names its
sources. Four route numbers have no function: R2 (the button in the portal) is a step of R1; R10 (a risky app) and R11
(a grant that lacks scopes) are fixed by R1 and R3; for R12 (the vendor, Microsoft or a license),
`auditor.consent.advice` says whom to ask, because there is nothing to change in the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec

from auditor.consent import Truth
from auditor.consent.blockers import request_caveats
from auditor.consent.decide import decide
from auditor.consent.decision_facts import DecisionFacts, gather, workflow
from auditor.consent.explanation import listed
from auditor.consent.requested_access import client_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject, assigned_member
from auditor.fixes.app_fixes import (
    OPEN_TO_ALL,
    add_needed_apps,
    admin_consent,
    assign_users,
    consent_for_one_user,
    drop_assignment_requirement,
    enable_sign_in,
)
from auditor.fixes.change import NotApplicable, states_of
from auditor.fixes.consent_settings import (
    admin_consent_workflow,
    app_consent_policy,
    permission_classifications,
    user_consent_setting,
)
from auditor.fixes.exposure import Breadth, as_opens, exposure
from auditor.fixes.policy_changes import without_beta_conditions
from auditor.fixes.proposed_fix import Goal, Obstacle, ProposedFix, as_fix
from auditor.model.decision import Confidence, Decision, Fix, Outcome
from auditor.model.rule import App
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot, Unread

_MAX_PARTS = 4
"""The obstacles to connecting are at most four: an app that is needed first, sign-in, consent, and assignment."""
_WHOLE_TENANT = "R9"
"""The route that changes the setting for every app."""


def fixes_for(snapshot: Snapshot, app: App, subject: Subject = ORDINARY_MEMBER) -> tuple[Fix, ...]:
    """The proven fixes that let `subject` connect `app`, least exposure first; none if it connects already.

    If there are several obstacles, these are the smallest sets of fixes that remove all of them. Changes for every app
    come after the others. Fixes that only let the user ask for approval come last.
    """
    before = decide(snapshot, app, subject)
    if before.outcome.connects:
        return ()
    proposed = tuple(proposed_fixes(gather(snapshot, app, subject)))
    asking = tuple(one for one in proposed if one.obstacle is Obstacle.NO_APPROVAL_REQUESTS)
    proven = _smallest_sets(snapshot, app, subject, tuple(one for one in proposed if one not in asking))
    can_ask = [fix for one in asking if (fix := _proven(snapshot, app, subject, (one,)))]
    wide = [fix for fix in proven if _WHOLE_TENANT in fix.route.split("+")]
    return (*rank(fix for fix in proven if fix not in wide), *rank(wide), *can_ask)


def proposed_fixes(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """Every fix that might help, least exposure first; the proof drops those that don't."""
    yield from add_needed_apps(facts)
    yield from enable_sign_in(facts)
    yield from consent_for_one_user(facts)
    yield from admin_consent(facts)
    yield from app_consent_policy(facts)
    yield from assign_users(facts)
    yield from drop_assignment_requirement(facts)
    yield from permission_classifications(facts)
    yield from admin_consent_workflow(facts)
    yield from user_consent_setting(facts)


def _smallest_sets(
    snapshot: Snapshot, app: App, subject: Subject, proposed: tuple[ProposedFix, ...]
) -> tuple[Fix, ...]:
    """Every set of the smallest size that works. No member is superfluous, because no smaller set works.

    An administrator who requires assignment wants to keep users out. Letting every user in is therefore no reason to
    leave out larger sets that assign users instead.
    """
    kept = tuple(one for one in proposed if one.key != OPEN_TO_ALL)
    size, fixes = _of_smallest_size(snapshot, app, subject, kept, _MAX_PARTS)
    if kept == proposed:
        return fixes
    _, every = _of_smallest_size(snapshot, app, subject, proposed, size)
    return (*fixes, *(fix for fix in every if fix not in fixes))


def _of_smallest_size(
    snapshot: Snapshot, app: App, subject: Subject, proposed: tuple[ProposedFix, ...], most: int
) -> tuple[int, tuple[Fix, ...]]:
    """The smallest size of sets of at most `most` fixes that work, and these sets; `most` and none if none works."""
    ordered = sorted(proposed, key=lambda one: list(Obstacle).index(one.obstacle))
    for size in range(1, most + 1):
        sets = [parts for parts in combinations(ordered, size) if len({one.obstacle for one in parts}) == size]
        sets.sort(key=lambda parts: max(proposed.index(one) for one in parts))
        if fixes := tuple(fix for parts in sets if (fix := _proven(snapshot, app, subject, parts))):
            return size, fixes
    return most, ()


def _proven(snapshot: Snapshot, app: App, subject: Subject, parts: tuple[ProposedFix, ...]) -> Fix | None:
    try:
        states = states_of(snapshot, (change for part in parts for change in part.changes))
    except NotApplicable:
        return None
    after = states[-1]
    for who in _subjects(snapshot, app, subject, parts):
        decision = decide(after, app, who)
        if all(_reached(part.goal, decision, after) for part in parts):
            lasting = request_caveats(snapshot.cloud, app, client_of(snapshot, app))
            again = _read_again(snapshot, after)
            unseen = () if again is after else _unseen(decision, decide(again, app, who))
            fix = as_fix(states, parts, decision, (*lasting, *unseen))
            as_registered = any(part.grants_registered for part in parts)
            opens = as_opens(exposure(snapshot, after, app, as_registered=as_registered))
            return msgspec.structs.replace(fix, opens=opens)
    return None


def _read_again(before: Snapshot, after: Snapshot) -> Snapshot:
    """`after` as another audit reads it, or itself: what could not be read before can't be read then either.

    A list of one app or resource that was refused stays in `Snapshot.unread`, which every look-up respects.
    """
    names = {name for key in before.unread for name, _, part in (key.partition("/"),) if not part or name == _GRANTS}
    sections = {name: getattr(before.sections, name) for name in names if name in SECTIONS}
    covers = {name: parts for name, parts in after.covers.items() if name not in sections}
    covers |= {name: parts for name, parts in before.covers.items() if name in sections}
    policies, unread = after.sections.permissionGrantPolicies, after.unread
    hides_beta = "permissionGrantPolicies" not in sections and _beta_is_unread(before)
    if not sections and not hides_beta:
        return after
    if policies and hides_beta:
        sections["permissionGrantPolicies"] = tuple(map(without_beta_conditions, policies))
        unread = {**{f"{_BETA_READS}{policy.id}": Unread() for policy in policies}, **unread}
    seen = msgspec.structs.replace(after.sections, **sections)
    return msgspec.structs.replace(after, sections=seen, covers=covers, unread=unread)


_GRANTS, _BETA_READS = "oauth2PermissionGrants", "permissionGrantPolicies/"


def _beta_is_unread(before: Snapshot) -> bool:
    """Whether the beta version of Graph didn't answer, as far as it was asked: for policies, or for the settings.

    A credential that lacks the permission for the settings says nothing about policies.
    """
    settings = before.unread.get("directorySettings")
    is_broken = settings is not None and settings.status not in (401, 403)
    return is_broken or any(key.startswith(_BETA_READS) for key in before.unread)


def _unseen(promised: Decision, seen: Decision) -> tuple[str, ...]:
    """Why an audit after the fix is less certain than the fix, which knows what it has set."""
    if (seen.outcome, seen.code) == (promised.outcome, promised.code):
        return tuple(caveat for caveat in seen.caveats if caveat not in promised.caveats)
    missing = listed(seen.depends_on[:1]) or "data that could not be read"
    return (f"with the same permissions, a check after the fix can't confirm it, because it depends on {missing}",)


def _reached(goal: Goal, decision: Decision, after: Snapshot) -> bool:
    match goal:
        case Goal.CONNECTS_SILENTLY:
            return decision.outcome is Outcome.CONNECTS_SILENTLY
        case Goal.CONNECTS:
            return decision.outcome.connects
        case Goal.CAN_ASK:
            flow = workflow(after)
            asked = any(code in decision.code for code in ("AADSTS90095", "AADSTS900981"))
            return asked and flow.enabled is Truth.TRUE and bool(flow.reviewers) and not flow.obstacle
        case Goal.RULE_PASSES:
            return False  # a decision says nothing about rules


def _subjects(snapshot: Snapshot, app: App, subject: Subject, parts: tuple[ProposedFix, ...]) -> Iterator[Subject]:
    """The subjects for whom a fix may be proven: `subject`, then users who are assigned or whom the fix assigns.

    An app that requires assignment keeps other users out on purpose. A fix that lets the assigned users in is
    therefore a fix, provided that they could not connect before.
    """
    yield subject
    if subject != ORDINARY_MEMBER:
        return
    assigned = next((part.assigns for part in parts if part.assigns), "")
    if assigned:
        yield Subject(
            label="newly assigned member",
            phrase="A user who is then assigned to it",
            user_id=assigned,
            groups=(assigned,),
        )
        return
    member = assigned_member(snapshot, client_of(snapshot, app))
    if member is not None and not decide(snapshot, app, member).outcome.connects:
        yield member


RankKey = tuple[int, int, bool, int, tuple[tuple[str, int], ...]]
_NOT_MEASURED = 10**9


def rank(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """The fixes, least exposure first; fixes with equal keys keep their order."""
    return tuple(sorted(fixes, key=rank_key))


def rank_key(fix: Fix) -> RankKey:
    """The weight of what opens to other apps, how many people can do more with this app, certainty, steps and route.

    With the same exposure, a fix that only likely works comes after every fix that certainly does, however short it
    is. A fix whose exposure was not measured comes last, because it may open anything.
    """
    weight = fix.opens.get("weight", _NOT_MEASURED)
    breadth = Breadth[str(fix.opens.get("breadth", Breadth.EVERYBODY.name)).upper()]
    likely = fix.proven.confidence == Confidence.LIKELY
    return int(weight), int(breadth), likely, _step_count(fix), _numbered(fix.route)


def _step_count(fix: Fix) -> int:
    """How much there is to do: a link is one step; otherwise each request, or else each portal step, is one."""
    if fix.link:
        return len(fix.route.split("+"))
    return len(fix.steps.graph) or len(fix.steps.portal)


def _numbered(route: str) -> tuple[tuple[str, int], ...]:
    """The route with its numbers as numbers, so that R10 comes after R2."""
    return tuple((letters, int(digits or 0)) for letters, digits in re.findall(r"(\D*)(\d*)", route))
