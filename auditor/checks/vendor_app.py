"""Checks on the app in this tenant: switched on, assigned, from a verified publisher."""

from __future__ import annotations

import msgspec

from auditor.checks.judged import Judged
from auditor.checks.ruling import Ruling, failed, not_applicable, passed, seen, unknown
from auditor.consent.blockers import Blocker
from auditor.consent.decide import decide
from auditor.consent.explanation import listed
from auditor.consent.truth import Truth
from auditor.model.decision import Outcome, Reason
from auditor.model.finding import Evidence
from auditor.model.resources import VerifiedPublisher

_SWITCHES = (Reason.APP_DEACTIVATED, Reason.APP_DISABLED_BY_MICROSOFT, Reason.APP_DISABLED_IN_TENANT)


def app_enabled(judged: Judged) -> Ruling:
    """Whether nobody switched the app off."""
    client = judged.case.client
    if client.presence is Truth.FALSE:
        return passed("the app is not in the tenant yet, so nothing is switched off")
    shut = [g for g in judged.case.blockers if g.reason in _SWITCHES]
    if not shut:
        return passed("sign-in to the app is switched on", seen("servicePrincipals.accountEnabled", True, True))
    certain = [g for g in shut if g.truth is Truth.TRUE]
    if certain:
        return failed(certain[0].because, *(_switch_evidence(g) for g in certain))
    return unknown(client.unread)


def _switch_evidence(blocker: Blocker) -> Evidence:
    return {
        Reason.APP_DEACTIVATED: seen("servicePrincipals.isDisabled", True, None),
        Reason.APP_DISABLED_BY_MICROSOFT: seen("servicePrincipals.disabledByMicrosoftStatus", "disabled", None),
    }.get(blocker.reason, seen("servicePrincipals.accountEnabled", False, True))


def app_assignment(judged: Judged) -> Ruling:
    """Whether the app needs no assignment, or somebody has one."""
    case = judged.case
    required = case.client.assignment_required
    if case.client.presence is Truth.FALSE:
        return passed("the app is not in the tenant yet, and a new app requires no assignment")
    if required is Truth.FALSE:
        return passed("the app requires no assignment")
    if required is Truth.UNKNOWN:
        return unknown(f"whether the app requires assignment is not known ({case.client.unread})")
    evidence = seen("servicePrincipals.appRoleAssignmentRequired", True, False)
    if case.assignment.truth is Truth.FALSE:
        return failed(f"the app requires assignment, and {case.assignment.why}", evidence)
    if case.assignment.truth is Truth.UNKNOWN and not case.assignment.assigned:
        return unknown(f"the app requires assignment, and {case.assignment.why}", evidence)
    return passed(f"the app requires assignment, and {case.assignment.why}: only they can use it", evidence)


def publisher_verified(judged: Judged) -> Ruling:
    """Whether the publisher is verified, where that changes the outcome in this tenant."""
    verified = judged.case.client.publisher_verified
    if verified is Truth.TRUE:
        return passed("the app's publisher is verified")
    difference = _makes_a_difference(judged)
    if difference is Truth.UNKNOWN:
        return unknown(
            f"whether the publisher matters in this tenant is not known ({listed(judged.decision.depends_on[:1])})"
        )
    if difference is Truth.FALSE:
        return not_applicable("in this tenant the outcome is the same for a verified and an unverified publisher")
    if verified is Truth.UNKNOWN:
        return unknown(f"whether the app's publisher is verified is not known ({judged.case.client.unread})")
    evidence = seen("servicePrincipals.verifiedPublisher.verifiedPublisherId", None, "an id")
    return failed("the app's publisher is not verified, and this tenant's outcome depends on that", evidence)


def _makes_a_difference(judged: Judged) -> Truth:
    """Decides twice, with the publisher verified and not; not known where other facts are missing anyway."""
    outcomes: set[Outcome] = set()
    for verified in (True, False):
        app = msgspec.structs.replace(judged.the_app, publisher_verified=verified)
        publisher = VerifiedPublisher(verifiedPublisherId="supposed" if verified else None)
        sections = judged.snapshot.sections
        principals = tuple(
            msgspec.structs.replace(p, verifiedPublisher=publisher) if p.appId.lower() == app.client_id.lower() else p
            for p in sections.servicePrincipals or ()
        )
        if sections.servicePrincipals is not None:
            sections = msgspec.structs.replace(sections, servicePrincipals=principals)
        snapshot = msgspec.structs.replace(judged.snapshot, sections=sections)
        decision = decide(snapshot, app, judged.subject)
        outcomes.add(decision.outcome)
    if len(outcomes) > 1:
        return Truth.TRUE
    return Truth.UNKNOWN if Outcome.DEPENDS in outcomes else Truth.FALSE
