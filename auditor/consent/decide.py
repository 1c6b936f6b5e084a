"""The decision: can this subject connect this app, and if not, which setting stops it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from auditor.consent import Truth
from auditor.consent.advice import advice
from auditor.consent.conditions import CLASSIFICATION_OF_SCOPE, TYPE_OF_SCOPE
from auditor.consent.decision_facts import DecisionFacts, ScopeFacts, gather
from auditor.consent.existing_grants import Grants
from auditor.consent.explanation import (
    because,
    code,
    listed,
    malformed_grants,
    policy_name,
    screen,
    unknowns,
    works_for,
)
from auditor.consent.possible_outcomes import PossibleOutcome, consent_only_forced, possible_outcomes
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, index_of
from auditor.consent.subject import DIRECTORY_SCOPE, ORDINARY_MEMBER, Subject
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.facts.permissions import known_scopes, plain_words
from auditor.model.decision import AppRef, Confidence, Decision, Outcome, Reason, ScopeVerdict, Verdict
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot


def decide(snapshot: Snapshot | SnapshotIndex, app: App, subject: Subject = ORDINARY_MEMBER) -> Decision:
    """Whether `subject` can connect `app` in the tenant of `snapshot`.

    A fact that was not read makes the outcome ``depends`` where it matters, and nowhere else. Undocumented
    behaviour makes it *likely*. The same snapshot, app and subject always give the same decision.
    """
    return decision_of(gather(snapshot, app, subject))


def decision_of(facts: DecisionFacts) -> Decision:
    """The decision that follows from the facts."""
    app, subject = facts.app, facts.subject
    possible = _clearest_first(possible_outcomes(facts))
    outcomes = tuple(dict.fromkeys(p.outcome for p in possible))
    outcome = outcomes[0] if len(outcomes) == 1 else Outcome.DEPENDS
    first = possible[0]
    caveats = _caveats(facts, possible, outcome)
    reason = first.reason if outcome is not Outcome.DEPENDS else Reason.FACT_UNKNOWN
    only_forced = outcome is Outcome.NEEDS_ADMIN and consent_only_forced(facts) is not Truth.FALSE
    blocker_code = first.blocker.code if first.blocker else ""
    return Decision(
        app=AppRef(name=app.label, client_id=app.client_id.lower()),
        subject=subject.label,
        outcome=outcome,
        confidence=Confidence.LIKELY if caveats else Confidence.CERTAIN,
        reason=Reason.CONSENT_FORCED if only_forced else reason,
        because=because(facts, possible),
        code=code(outcome, reason, facts.workflow, blocker_code),
        screen=screen(outcome, reason, facts.workflow, app.label, subject.admin_role),
        scopes=tuple(_verdict(facts, row) for row in (*facts.scopes, *facts.added)),
        app_roles=facts.app_roles,
        also=tuple(_also(facts, outcome, reason)),
        caveats=caveats,
        depends_on=_together(n for p in possible for n in p.needs) if len(outcomes) > 1 else (),
        outcomes=outcomes if len(outcomes) > 1 else (),
        notes=tuple(_notes(facts, outcomes)),
        advice=advice(facts, outcome, reason),
        users_with_grant=_users_with_grant(facts.grants),
        works_for=works_for(facts) if Outcome.NEEDS_ADMIN in outcomes else (),
        unknowns=unknowns(facts),
        vendor_says=tuple(text for one in app.vendor_advice for text in (one.says, _judged(one.judgement))),
    )


def _together(needs: Iterable[str]) -> tuple[str, ...]:
    """The missing facts, each once; the same fact about several scopes is one, where it is first named."""
    found: dict[str, list[str]] = {}
    for need in dict.fromkeys(needs):
        kind = next((one for one in _OF_ONE_SCOPE if need.startswith(one)), need)
        found.setdefault(kind, []).append(need.removeprefix(kind))
    return tuple(
        f"{_OF_ONE_SCOPE[kind]}{listed(names)}" if len(names) > 1 else f"{kind}{names[0]}"
        for kind, names in found.items()
    )


_OF_ONE_SCOPE = {
    TYPE_OF_SCOPE: "the types of the scopes ",
    CLASSIFICATION_OF_SCOPE: "the classifications of ",
}
"""How a missing fact about one scope begins, and how the same fact about several does."""


def _caveats(facts: DecisionFacts, possible: tuple[PossibleOutcome, ...], outcome: Outcome) -> tuple[str, ...]:
    if outcome is Outcome.DEPENDS:
        return ()
    # Several ways to the same outcome are alternatives: whichever holds brings its own caveats.
    caveats = [d for p in possible for d in p.caveats]
    if outcome is not Outcome.BLOCKED:
        caveats += [d for row in (*facts.required, *facts.added) for d in row.table_caveats]
        caveats += facts.request_caveats
    return tuple(dict.fromkeys((*caveats, *_role_caveats(facts, outcome))))


def _role_caveats(facts: DecisionFacts, outcome: Outcome) -> tuple[str, ...]:
    """What isn't certain about the subject's roles, unless the outcome is the same without the uncertain ones."""
    if not facts.subject.caveats:
        return ()
    sure = tuple(role for role in facts.whole_subject.roles if role.scope == DIRECTORY_SCOPE)
    without = gather(facts.snapshot, facts.app, msgspec.structs.replace(facts.whole_subject, roles=sure))
    is_same = {one.outcome for one in possible_outcomes(without)} == {outcome}
    return facts.whole_subject.caveats if is_same else facts.subject.caveats


_VAGUE = (Reason.POLICY_UNREADABLE, Reason.FACT_UNKNOWN, Reason.NOT_READ)


def _clearest_first(possible: tuple[PossibleOutcome, ...]) -> tuple[PossibleOutcome, ...]:
    """Of several ways to one outcome, the one that can be named comes first."""
    return tuple(sorted(possible, key=lambda p: p.reason in _VAGUE))


def _verdict(facts: DecisionFacts, row: ScopeFacts) -> ScopeVerdict:
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
        confidence=Confidence.LIKELY if row.caveats or row.granted.caveat else Confidence.CERTAIN,
        steps=row.approval.steps,
        plain=_plain(facts, permission.resource, permission.value),
    )


def _plain(facts: DecisionFacts, resource: str, scope: str) -> str:
    """What the resource says to users about the scope, or this program's own words.

    A display name that only repeats the scope says nothing (Microsoft Graph, ``permissionScope``: any text is valid).
    """
    published = index_of(facts.snapshot).published_scopes(resource)
    found = published.get(scope.lower()) if isinstance(published, Mapping) else None
    said = " ".join((found.userConsentDisplayName or "").split()) if found else ""
    return said if said.lower() not in ("", scope.lower()) else plain_words(resource, scope)


_GRANTED = {
    Reason.GRANTED_TENANT_WIDE: "granted for the whole tenant by an administrator",
    Reason.GRANTED_TO_USER: "granted to this user",
    Reason.COVERED_BY_OTHER_GRANT: "covered by the app's other Microsoft Graph grant",
}


def _scope_outcome(row: ScopeFacts) -> tuple[Verdict, Reason, str, str | None, str | None]:
    found = row.approval
    if row.permission.exists is Truth.FALSE or row.permission.enabled is Truth.FALSE:
        return Verdict.BLOCKED, found.reason, found.detail, None, None
    if row.granted.truth is Truth.TRUE:
        return Verdict.GRANTED, row.granted.reason, _GRANTED[row.granted.reason], None, None
    if row.permission.exists is Truth.UNKNOWN:
        detail = f"the scopes of {row.permission.resource_name} were not read"
        return Verdict.UNKNOWN, Reason.NOT_READ, detail, None, None
    if row.granted.truth is Truth.UNKNOWN and found.truth is not Truth.TRUE:
        detail = f"{row.granted.why}; if it isn't granted yet: {found.detail}"
        return Verdict.UNKNOWN, Reason.NOT_READ, detail, found.policy, found.condition_set
    verdict = {
        Truth.TRUE: Verdict.CONSENTABLE,
        Truth.FALSE: Verdict.BLOCKED,
        Truth.UNKNOWN: Verdict.UNKNOWN,
    }[found.truth]
    return verdict, found.reason, found.detail, found.policy, found.condition_set


def _also(facts: DecisionFacts, outcome: Outcome, reason: Reason) -> Iterator[str]:
    """What else would block the user if the first obstacle were gone."""
    certain = [b for b in facts.blockers if b.truth is Truth.TRUE]
    for blocker in certain[1:]:
        yield blocker.because
    if outcome not in (Outcome.BLOCKED, Outcome.NEEDS_ADMIN):
        return
    refused = [
        r
        for r in facts.required
        if r.granted.truth is Truth.FALSE and r.approval.truth is Truth.FALSE and r.permission.exists is not Truth.FALSE
    ]
    if refused and (outcome is Outcome.BLOCKED or reason is Reason.ASSIGNMENT_REQUIRED):
        names = listed(r.permission.value for r in refused)
        yield f"users may not consent to {names} under {_policies(refused)}"
    if (
        outcome is Outcome.BLOCKED
        and facts.client.assignment_required is Truth.TRUE
        and reason is not Reason.NOT_ASSIGNED
    ):
        yield "the app requires assignment, so users cannot consent for themselves"


def _policies(rows: list[ScopeFacts]) -> str:
    names = [policy_name(r.approval.policy) for r in rows if r.approval.policy]
    return listed(names) if names else "this tenant's settings"


def _notes(facts: DecisionFacts, outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    outcome = outcomes[0] if len(outcomes) == 1 else Outcome.DEPENDS
    if facts.asks_unlisted:
        yield _registered(facts)
    if any(r.permission.assumed for r in facts.scopes):
        yield "The scope list is an assumption of the rule pack; the vendor does not publish it as text."
    others = len(facts.grants.others) if isinstance(facts.grants, Grants) else 0
    if others and not (Outcome.NEEDS_ADMIN in outcomes and works_for(facts)):
        people = "user has" if others == 1 else "users have"
        yield f"{others} {people} a personal grant for this app, which covers nobody else."
    if outcome is Outcome.USER_MAY_CONSENT:
        yield from map("Note that {}.".format, malformed_grants(facts.grants))
    if outcome is Outcome.DEPENDS:
        yield from map("Note that {}.".format, facts.request_caveats)
    if outcome is Outcome.NEEDS_ADMIN and facts.subject.user_id is None:
        yield from _custom_roles(facts)
    if outcome is Outcome.NEEDS_ADMIN and facts.workflow.enabled is Truth.TRUE:
        yield from _approval_requests(facts)
    if facts.subject.admin_role and outcome.connects:
        yield f"That a {facts.subject.admin_role} can connect doesn't mean that other users can."
    if facts.app.prompt_consent:
        yield "The app forces the consent page (prompt=consent), so an administrator's grant alone doesn't help."


def _approval_requests(facts: DecisionFacts) -> Iterator[str]:
    """What a user's request for approval leads to.

    Sources: Entra, "Review admin consent requests" (an approval is a consent for the whole tenant); Otter, help article
    26338981397783 (an approval covers the scopes that the app requested).
    """
    if facts.workflow.obstacle:
        yield f"The admin consent workflow is on, but {facts.workflow.obstacle}."
    elif not facts.app.prompt_consent and facts.client.assignment_required is not Truth.TRUE:
        yield (
            "A user can request approval of exactly these permissions. A reviewer who approves the request, under"
            " Enterprise apps > Activity > Admin consent requests, grants them for the whole tenant."
        )


def _registered(facts: DecisionFacts) -> str:
    """What the app asks for, and what of it was granted, where its list of permissions can't be read."""
    names = listed(resource.name for resource in facts.defaults)
    of = f" ({names})" if names else ""
    asks = f"The app asks for its registered permissions{of}, which only its publisher can read."
    grants, named = facts.grants, tuple(resource.app_id for resource in facts.defaults)
    if isinstance(grants, NotRead):
        return asks
    resources = named or (MICROSOFT_GRAPH, *grants.tenant_wide, *grants.own)
    is_whole = not any(map(grants.unknown_on, resources)) and bool(named or not grants.elsewhere)
    granted = {
        known.value if (known := known_scopes(resource).get(scope)) else scope
        for resource in resources
        for scope in grants.effective(resource)
    }
    if granted:
        so_far = "so far" if is_whole else "so far, as far as was read"
        return f"{asks} Granted {so_far}: {', '.join(sorted(granted, key=str.lower))}."
    return f"{asks} Granted so far: nothing." if is_whole else asks


def _users_with_grant(grants: Grants | NotRead) -> int | None:
    """How many other users have a personal grant; ``None`` where rows were not read, or not whole."""
    if isinstance(grants, NotRead) or grants.incomplete or grants.unread:
        return None
    return len(grants.others)


def _judged(judgement: str) -> str:
    return f"This project's view: {judgement}"


def _custom_roles(facts: DecisionFacts) -> Iterator[str]:
    for role, policy_id in facts.custom_roles:
        yield f"Holders of the custom role {role} may consent under {policy_name(policy_id)}."
