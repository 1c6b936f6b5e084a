"""Every outcome that is possible with what was read: one when the facts suffice, more when they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from auditor.consent import Truth, all_of, known
from auditor.consent.blockers import Blocker
from auditor.consent.conditions import OWNER_NEED, TENANT_NEED
from auditor.consent.decision_facts import DecisionFacts, ScopeFacts, looks_risky
from auditor.consent.existing_grants import Grants
from auditor.consent.snapshot_index import NotRead
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.decision import Outcome, Reason


class PossibleOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One possible outcome, what decides it, and the rows that it is about.

    `needs` names the facts that would have to be known to rule it out or in; `caveats` says why it would
    not be certain even so. `blocker` is set for what happens before or after consent.
    """

    outcome: Outcome
    reason: Reason
    rows: tuple[ScopeFacts, ...] = ()
    caveats: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    blocker: Blocker | None = None


def possible_outcomes(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    """The possible outcomes of these facts, the most obstructive cause first."""
    certain = [b for b in facts.blockers if b.truth is Truth.TRUE]
    if certain:
        # The first is what the user meets. One without caveats makes it certain that the request is blocked.
        caveats = min((b.caveats for b in certain), key=len)
        return (_blocked(msgspec.structs.replace(certain[0], caveats=caveats)),)
    maybe = tuple(_blocked(b) for b in facts.blockers)
    return (*maybe, *_connection(facts))


def consent_only_forced(facts: DecisionFacts) -> Truth:
    """Whether the subject would connect if the app left out ``prompt=consent``; false if it doesn't send it.

    Source: Entra, "Unexpected consent prompt when signing in to an application" (``prompt=consent`` asks every user,
    whatever was granted).
    """
    if not facts.app.prompt_consent:
        return Truth.FALSE
    without = msgspec.structs.replace(facts, app=msgspec.structs.replace(facts.app, prompt_consent=False))
    connects = {one.outcome.connects for one in possible_outcomes(without)}
    return known(connects.pop()) if len(connects) == 1 else Truth.UNKNOWN


def _blocked(blocker: Blocker) -> PossibleOutcome:
    needs = (blocker.needs,) if blocker.truth is Truth.UNKNOWN else ()
    return PossibleOutcome(
        outcome=Outcome.BLOCKED, reason=blocker.reason, caveats=blocker.caveats, needs=needs, blocker=blocker
    )


def _connection(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    if facts.app.prompt == "none":
        return _without_pages(_requested(facts))
    if facts.app.prompt == "admin_consent":
        return _for_administrators(facts)
    return _requested(facts)


def _requested(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    if facts.asks_unlisted:
        return _unlisted(facts)
    if not facts.required:
        if (
            facts.policies == ()
            and isinstance(facts.grants, Grants)
            and facts.grants.is_empty is Truth.TRUE
            and not facts.subject.admin_role
            and not facts.subject.unread_roles
        ):
            return (PossibleOutcome(outcome=Outcome.NEEDS_ADMIN, reason=Reason.USER_CONSENT_DISABLED),)
        needs = ("the permissions that the app requests",)
        outcomes = (Outcome.CONNECTS_SILENTLY, Outcome.NEEDS_ADMIN)
        return tuple(PossibleOutcome(outcome=o, reason=Reason.NOTHING_REQUESTED, needs=needs) for o in outcomes)
    if facts.app.prompt_consent:
        return _consent(facts, facts.required, ())
    return _static(facts) if facts.app.mode.is_static else _dynamic(facts)


def _without_pages(found: tuple[PossibleOutcome, ...]) -> tuple[PossibleOutcome, ...]:
    """What ``prompt=none`` makes of these: where consent is missing, Entra answers with an error instead of a page.

    Source: "OAuth 2.0 authorization code flow", `prompt`; the AADSTS reference, 65001.
    """
    return tuple(one if one.outcome not in _WITH_PAGE else _no_page(one) for one in found)


_WITH_PAGE = (Outcome.USER_MAY_CONSENT, Outcome.NEEDS_ADMIN)


def _no_page(one: PossibleOutcome) -> PossibleOutcome:
    blocker = Blocker(
        truth=Truth.TRUE,
        reason=Reason.CONSENT_PAGE_FORBIDDEN,
        code="AADSTS65001",
        because="consent is missing, and the app asks with prompt=none, so that Entra may show no page to give it",
    )
    return PossibleOutcome(outcome=Outcome.BLOCKED, reason=blocker.reason, needs=one.needs, blocker=blocker)


def _for_administrators(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    """``prompt=admin_consent`` of the v1.0 endpoint: an administrator consents for everybody, at each sign-in."""
    needs = facts.subject.unread_roles
    may = PossibleOutcome(
        outcome=Outcome.USER_MAY_CONSENT, reason=Reason.SUBJECT_IS_ADMIN, rows=facts.required, needs=needs
    )
    may_not = PossibleOutcome(
        outcome=Outcome.NEEDS_ADMIN, reason=Reason.ADMIN_CONSENT_REQUESTED, rows=facts.required, needs=needs
    )
    if facts.subject.admin_role:
        return (may,)
    return (may, may_not) if needs else (may_not,)


_REGISTRATION = "the permissions in the app's registration, which only its publisher can read"


def _unlisted(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    """Registered permissions that no pack lists: silent with a grant for the resource, else consent to what is unknown.

    Source: "Scopes and permissions", the ``.default`` scope: it "only triggers a consent prompt if consent hasn't been
    granted for any delegated permission between the client and the resource", and returns what was granted.
    """
    granted = Truth.FALSE if facts.app.prompt_consent else _any_grant(facts)
    if granted is Truth.TRUE:
        return _silent_unlisted(facts, ())
    if granted is Truth.FALSE:
        return _consent_unlisted(facts, ())
    empty = "whether a grant that gives no permission counts as consent, which Microsoft doesn't document"
    unnamed = "for which resource the app asks, which the request doesn't name"
    needs = _grant_needs(facts) or (empty if facts.app.default_resources else unnamed,)
    return (*_silent_unlisted(facts, needs), *_consent_unlisted(facts, needs))


def _any_grant(facts: DecisionFacts) -> Truth:
    """Whether the subject was granted a permission of every resource of the request."""
    grants = facts.grants
    if isinstance(grants, NotRead):
        return Truth.UNKNOWN
    if facts.app.default_resources:
        return all_of(_has_grant(grants, resource) for resource in facts.app.default_resources)
    if grants.is_empty is Truth.TRUE:
        return Truth.FALSE
    return Truth.TRUE if grants.effective(MICROSOFT_GRAPH) else Truth.UNKNOWN


def _has_grant(grants: Grants, resource: str) -> Truth:
    """Whether a permission of the resource is granted. Nobody documents what a grant without permissions does."""
    row = grants.has_row(resource)
    return Truth.UNKNOWN if row is Truth.TRUE and not grants.effective(resource) else row


def _silent_unlisted(facts: DecisionFacts, needs: tuple[str, ...]) -> tuple[PossibleOutcome, ...]:
    caveats = ["whether the app was granted all that it needs can't be read in this tenant, only what it was granted"]
    if not facts.app.default_resources:
        caveats.append("the request names no resource; the decision assumes Microsoft Graph")
    wide = isinstance(facts.grants, Grants) and facts.grants.tenant_wide
    reason = Reason.GRANTED_TENANT_WIDE if wide else Reason.GRANTED_TO_USER
    inside = PossibleOutcome(outcome=Outcome.CONNECTS_SILENTLY, reason=reason, caveats=tuple(caveats), needs=needs)
    return _for_assigned(facts, inside)


def _consent_unlisted(facts: DecisionFacts, needs: tuple[str, ...]) -> tuple[PossibleOutcome, ...]:
    """Consent to permissions that are not known: sure only where users may consent to all, or to nothing."""
    if facts.subject.admin_role:
        return (PossibleOutcome(outcome=Outcome.USER_MAY_CONSENT, reason=Reason.SUBJECT_IS_ADMIN, needs=needs),)
    required = facts.client.assignment_required
    assignment = PossibleOutcome(
        outcome=Outcome.NEEDS_ADMIN, reason=Reason.ASSIGNMENT_REQUIRED, needs=(*needs, *_assignment_needs(facts)[:1])
    )
    by_role = facts.may_consent_for_all or bool(facts.subject.unread_roles)
    if required is Truth.TRUE and not by_role:
        return (assignment,)
    if facts.policies == () and not by_role:
        return (PossibleOutcome(outcome=Outcome.NEEDS_ADMIN, reason=Reason.USER_CONSENT_DISABLED, needs=needs),)
    unread = (f"the user consent setting ({facts.policies.why})",) if isinstance(facts.policies, NotRead) else ()
    all_needs = (*needs, *unread, *facts.subject.unread_roles, _REGISTRATION)
    outcomes = (Outcome.USER_MAY_CONSENT, Outcome.NEEDS_ADMIN)
    maybe = (assignment,) if required is Truth.UNKNOWN else ()
    return (
        *maybe,
        *(PossibleOutcome(outcome=o, reason=Reason.NOTHING_REQUESTED, needs=all_needs) for o in outcomes),
    )


def _dynamic(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    """Named scopes: silent when all are granted, else consent for the missing ones."""
    missing = tuple(r for r in facts.required if r.granted.truth is Truth.FALSE)
    unsure = tuple(r for r in facts.required if r.granted.truth is Truth.UNKNOWN)
    found: list[PossibleOutcome] = []
    if not missing:
        found.extend(_silent(facts, Outcome.CONNECTS_SILENTLY, facts.required, _grant_needs(facts)))
    if missing or unsure:
        found.extend(_consent(facts, missing, unsure))
    return tuple(found)


def _static(facts: DecisionFacts) -> tuple[PossibleOutcome, ...]:
    """Registered permissions that a pack lists: silent as soon as any grant for the resource exists, enough or not.

    Source: "Scopes and permissions", the ``.default`` scope. The consent page is for all registered permissions.
    """
    grants = facts.grants
    resources = facts.app.default_resources or tuple(r.permission.resource for r in facts.required)
    has_row = {one: Truth.UNKNOWN if isinstance(grants, NotRead) else grants.has_row(one) for one in resources}
    missing = tuple(r for r in facts.required if r.granted.truth is Truth.FALSE)
    unsure = tuple(r for r in facts.required if r.granted.truth is Truth.UNKNOWN)
    if Truth.FALSE in has_row.values():
        return _consent(facts, missing, unsure) if missing or unsure else _consent(facts, facts.required, ())
    lacks = tuple(r for r in facts.required if r.granted.truth is not Truth.TRUE)
    found: list[PossibleOutcome] = []
    if all(r.granted.truth is not Truth.FALSE for r in facts.required):
        found.extend(_silent(facts, Outcome.CONNECTS_SILENTLY, facts.required, _grant_needs(facts)))
    if lacks:
        found.extend(_silent(facts, Outcome.CONNECTS_BUT_LACKS_SCOPES, lacks, _grant_needs(facts)))
    if Truth.UNKNOWN in has_row.values():
        found.extend(_consent(facts, (), unsure or facts.required))
    return tuple(found)


def _silent(
    facts: DecisionFacts, outcome: Outcome, rows: tuple[ScopeFacts, ...], needs: tuple[str, ...]
) -> tuple[PossibleOutcome, ...]:
    """Consent is in place."""
    caveats = tuple(dict.fromkeys(d for r in rows for d in (r.granted.caveat,) if d))
    reason = rows[0].granted.reason
    if outcome is Outcome.CONNECTS_SILENTLY:
        reason = next((r.granted.reason for r in rows if not r.permission.is_openid), reason)
    return _for_assigned(
        facts, PossibleOutcome(outcome=outcome, reason=reason, rows=rows, caveats=caveats, needs=needs)
    )


def _for_assigned(facts: DecisionFacts, inside: PossibleOutcome) -> tuple[PossibleOutcome, ...]:
    """The outcome where consent is in place, and what an assignment requirement makes of it."""
    required = facts.client.assignment_required
    # Microsoft documents that Global Administrators get in without an assignment.
    if required is Truth.FALSE or facts.subject.admin_role == _GLOBAL_ADMIN:
        return (inside,)
    assigned = facts.assignment
    if assigned.truth is Truth.TRUE:
        return (inside,)
    outside = PossibleOutcome(
        outcome=Outcome.BLOCKED,
        reason=Reason.NOT_ASSIGNED,
        blocker=Blocker(
            truth=Truth.TRUE,
            reason=Reason.NOT_ASSIGNED,
            code="AADSTS50105",
            because=f"the app requires assignment, and {assigned.why}",
        ),
        needs=_assignment_needs(facts),
    )
    if required is Truth.TRUE and assigned.truth is Truth.FALSE and not facts.subject.every_unread_role:
        return (outside,)
    return (inside, outside)


_GLOBAL_ADMIN = "Global Administrator"


def _assignment_needs(facts: DecisionFacts) -> tuple[str, ...]:
    needs: list[str] = []
    if facts.client.assignment_required is Truth.UNKNOWN:
        needs.append(f"whether the app requires assignment ({facts.client.unread})")
    if facts.assignment.truth is Truth.UNKNOWN:
        needs.append(f"whether the user is assigned to the app ({facts.assignment.why})")
    # An administrator for apps, who may consent whatever other roles there are, needs an assignment like anybody else.
    return (*needs, *facts.subject.every_unread_role)


def _consent(
    facts: DecisionFacts, missing: tuple[ScopeFacts, ...], unsure: tuple[ScopeFacts, ...]
) -> tuple[PossibleOutcome, ...]:
    """Consent is needed for `missing`, and for those of `unsure` that turn out not to be granted."""
    grant_needs = _grant_needs(facts) if unsure else ()
    rows = (*missing, *unsure)
    as_admin = Truth.TRUE if facts.subject.admin_role else all_of(r.for_all.truth for r in rows)
    if as_admin is Truth.TRUE:
        return (_accepted(facts, rows, grant_needs),)
    if as_admin is Truth.UNKNOWN or facts.subject.unread_roles:
        by_role = (*facts.subject.unread_roles, *(n for r in rows for n in r.for_all.needs))
        needs = tuple(dict.fromkeys((*grant_needs, *by_role)))
        return (_accepted(facts, rows, needs), *_as_user(facts, missing, unsure, grant_needs))
    return _as_user(facts, missing, unsure, grant_needs)


def _as_user(
    facts: DecisionFacts, missing: tuple[ScopeFacts, ...], unsure: tuple[ScopeFacts, ...], grant_needs: tuple[str, ...]
) -> tuple[PossibleOutcome, ...]:
    """The subject consents for themself, under the policies for that."""
    rows = (*missing, *unsure)
    required = facts.client.assignment_required
    assignment = PossibleOutcome(
        outcome=Outcome.NEEDS_ADMIN, reason=Reason.ASSIGNMENT_REQUIRED, rows=rows, needs=_assignment_needs(facts)[:1]
    )
    if required is Truth.TRUE:
        return (assignment,)
    maybe = (assignment,) if required is Truth.UNKNOWN else ()
    refused = _refused(facts, missing)
    if refused is not None:
        return (refused,)
    return (*maybe, *_undecided(facts, missing, unsure, grant_needs))


def _refused(facts: DecisionFacts, missing: tuple[ScopeFacts, ...]) -> PossibleOutcome | None:
    """The refusal that is sure: one missing scope that no policy approves stops the whole request."""
    blocked = tuple(r for r in missing if r.approval.truth is Truth.FALSE)
    added = () if blocked else tuple(r for r in facts.added if r.approval.truth is Truth.FALSE)
    rows = blocked or added
    if not rows:
        return None
    # One certain refusal makes the outcome certain, whatever is doubtful about the others.
    caveats = min((_refusal_caveats(r) for r in rows), key=len)
    return PossibleOutcome(outcome=Outcome.NEEDS_ADMIN, reason=_first_reason(rows), rows=rows, caveats=caveats)


def _refusal_caveats(row: ScopeFacts) -> tuple[str, ...]:
    caveats = list(row.caveats)
    name = row.permission.value
    if row.permission.implicit:
        caveats.append(f"Entra adds {name} to the request by itself, although not in every tenant")
    elif row.permission.is_openid and row.approval.reason is Reason.SCOPE_NOT_CLASSIFIED:
        caveats.append(f"Microsoft implies, but doesn't state, that an unclassified {name} alone blocks a request")
    return tuple(caveats)


def _first_reason(rows: Iterable[ScopeFacts]) -> Reason:
    reasons = [r.approval.reason for r in rows]
    return min(reasons, key=list(Reason).index)


def _undecided(
    facts: DecisionFacts, missing: tuple[ScopeFacts, ...], unsure: tuple[ScopeFacts, ...], grant_needs: tuple[str, ...]
) -> tuple[PossibleOutcome, ...]:
    found: list[PossibleOutcome] = []
    asked = (*missing, *unsure, *facts.added, *facts.perhaps_added)
    open_rows = tuple(r for r in asked if r.approval.truth is not Truth.TRUE)
    needs = tuple(dict.fromkeys((*grant_needs, *(n for r in open_rows for n in r.approval.needs))))
    if open_rows:
        reason = _first_reason(open_rows)
        caveats = tuple(dict.fromkeys(d for r in open_rows for d in _refusal_caveats(r)))
        found.append(
            PossibleOutcome(outcome=Outcome.NEEDS_ADMIN, reason=reason, rows=open_rows, needs=needs, caveats=caveats)
        )
    if not missing and all(r.approval.truth is Truth.FALSE for r in unsure):
        return tuple(found)
    accepted = _accepted(facts, (*missing, *unsure), needs)
    found.extend(_after_risk(facts, accepted))
    return tuple(found)


def _accepted(facts: DecisionFacts, rows: tuple[ScopeFacts, ...], needs: tuple[str, ...]) -> PossibleOutcome:
    caveats = [d for r in (*rows, *facts.added) for d in r.caveats]
    approvers = [set(r.approval.approvers) for r in (*rows, *facts.added) if r.approval.approvers]
    if approvers and not set.intersection(*approvers):
        caveats.append("Microsoft doesn't document whether several policies can approve one request together")
    if facts.app.mode.is_static:
        caveats.append(
            "the app's registered permissions can't be read in this tenant; the decision uses the listed ones instead"
        )
    reason = Reason.SUBJECT_IS_ADMIN if facts.subject.admin_role else Reason.APPROVED_BY_POLICY
    return PossibleOutcome(
        outcome=Outcome.USER_MAY_CONSENT,
        reason=reason,
        rows=rows,
        needs=needs,
        caveats=tuple(dict.fromkeys(caveats)),
    )


def _after_risk(facts: DecisionFacts, accepted: PossibleOutcome) -> tuple[PossibleOutcome, ...]:
    """What risk-based step-up and a guest's uncertain rights leave of an accepted request."""
    found = [accepted]
    on = facts.step_up
    risky = looks_risky(facts.tenant_id, facts.app, facts.client, [r.permission for r in accepted.rows])
    if Truth.FALSE not in (on.truth, risky):
        caveat = "Microsoft's risk verdict can't be read; the request looks like a risky one"
        needs = [on.needs] if on.needs else []
        if risky is Truth.UNKNOWN:
            needs += _unknown_marks(facts)
        stepped = PossibleOutcome(
            outcome=Outcome.NEEDS_ADMIN,
            reason=Reason.RISK_STEP_UP,
            rows=accepted.rows,
            caveats=(caveat,),
            needs=(*accepted.needs, *needs),
        )
        sure = on.truth is Truth.TRUE and risky is Truth.TRUE
        found = [stepped] if sure else [accepted, stepped]
    # Undocumented is only what guests may do by default. A role that is assigned to a guest holds for them.
    by_role = all_of(r.by_role.truth for r in (*accepted.rows, *facts.added))
    if facts.subject.guest is not Truth.FALSE and by_role is not Truth.TRUE and accepted in found:
        needs_guest = "whether a guest may consent, which Microsoft does not document"
        found.append(
            PossibleOutcome(
                outcome=Outcome.NEEDS_ADMIN,
                reason=Reason.GUEST_UNDOCUMENTED,
                rows=accepted.rows,
                needs=(*accepted.needs, needs_guest),
            )
        )
    return tuple(found)


def _unknown_marks(facts: DecisionFacts) -> Iterator[str]:
    """What to ask for where it isn't known whether the request looks like a risky one."""
    if facts.client.publisher_verified is Truth.UNKNOWN:
        yield facts.client.publisher_need
    if facts.client.owner_tenant is None:
        yield OWNER_NEED
    elif not facts.tenant_id:
        yield TENANT_NEED


def _grant_needs(facts: DecisionFacts) -> tuple[str, ...]:
    if isinstance(facts.grants, NotRead):
        return (f"which scopes are granted already ({facts.grants.why})",)
    asked = dict.fromkeys((*facts.app.default_resources, *(r.permission.resource for r in facts.required)))
    why = dict.fromkeys(found.why for one in asked if (found := facts.grants.unknown_on(one)))
    return tuple(f"which scopes are granted already ({one})" for one in why)
