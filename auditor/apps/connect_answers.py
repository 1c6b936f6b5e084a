"""Whether users can connect an app of a survey, in short: who may approve it, and what stops the others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from auditor.consent.decide import decision_of
from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.explanation import listed
from auditor.model.decision import Decision, Outcome, Reason, Verdict
from auditor.model.survey import Approver, ConnectAnswer

_APPROVERS: Mapping[Outcome, Approver] = MappingProxyType(
    {
        Outcome.CONNECTS_SILENTLY: Approver.APPROVED,
        Outcome.USER_MAY_CONSENT: Approver.USERS,
        Outcome.CONNECTS_BUT_LACKS_SCOPES: Approver.ADMINISTRATORS,
        Outcome.NEEDS_ADMIN: Approver.ADMINISTRATORS,
        Outcome.BLOCKED: Approver.NOBODY,
        Outcome.DEPENDS: Approver.UNKNOWN,
    }
)

_STOPPED_BY: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.SCOPE_EXCLUDED: "the consent policy excludes {scopes}",
        Reason.SCOPE_REQUIRES_ADMIN: "{scopes}: only administrators can approve",
        Reason.SCOPE_NOT_CLASSIFIED: "not classified as low impact: {scopes}",
        Reason.PUBLISHER_NOT_VERIFIED: "the publisher isn't verified",
        Reason.CLIENT_NOT_LISTED: "the consent policy is for other apps",
        Reason.SCOPE_NOT_LISTED: "the consent policy doesn't list {scopes}",
        Reason.NO_POLICY_MATCHES: "no consent policy allows {scopes}",
        Reason.USER_CONSENT_DISABLED: "user consent is switched off",
        Reason.ASSIGNMENT_REQUIRED: "the app requires assignment",
        Reason.NOT_ASSIGNED: "only assigned users can sign in",
        Reason.RISK_STEP_UP: "the request looks risky (step-up)",
        Reason.CONSENT_FORCED: "the app forces the consent page",
        Reason.APP_DEACTIVATED: "the app's owner deactivated it",
        Reason.APP_DISABLED_BY_MICROSOFT: "Microsoft disabled the app",
        Reason.APP_DISABLED_IN_TENANT: "sign-in to the app is switched off",
        Reason.RESOURCE_MISSING: "an API that it uses isn't in the tenant",
        Reason.RESOURCE_DISABLED: "an API that it uses is switched off",
        Reason.NEEDED_APP_MISSING: "another app that it needs is missing",
        Reason.REDIRECT_URI_NOT_REGISTERED: "its redirect URI isn't registered",
        Reason.REQUEST_REFUSED: "Entra refuses its request",
        Reason.CONSENT_PAGE_FORBIDDEN: "the app forbids the consent page",
        Reason.ADMIN_CONSENT_REQUESTED: "the app asks for admin consent",
        Reason.SCOPE_DOES_NOT_EXIST: "it asks for {scopes}, which the API doesn't have",
        Reason.SCOPE_DISABLED: "it asks for {scopes}, which the API has disabled",
        Reason.GUEST_UNDOCUMENTED: "whether guests may consent isn't documented",
    }
)
"""What stops users, in a few words, by the reason of the decision."""


def connect_answer(facts: DecisionFacts) -> ConnectAnswer:
    """The decision on these facts, in short."""
    decision = decision_of(facts)
    needs_consent = decision.outcome is Outcome.NEEDS_ADMIN
    return ConnectAnswer(
        outcome=decision.outcome,
        confidence=decision.confidence,
        reason=decision.reason,
        because=decision.because,
        approver=_APPROVERS[decision.outcome],
        stopped_by=_stopped_by(decision),
        code=decision.code,
        roles=tuple(dict.fromkeys(role for role, _ in facts.custom_roles)) if needs_consent else (),
        depends_on=decision.depends_on,
    )


def _stopped_by(decision: Decision) -> str:
    """What stops users, in a few words; empty if they connect, and if that isn't known."""
    if decision.outcome.connects or decision.outcome is Outcome.DEPENDS:
        return ""
    if decision.outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return "what was granted lacks permissions that the app needs"
    text = _STOPPED_BY.get(decision.reason, decision.because)
    return text.replace("{scopes}", _scopes(decision))


def _scopes(decision: Decision) -> str:
    """The first of the scopes that the reason is about, and how many more there are."""
    stopping = (one for one in (*decision.required_scopes, *decision.added_scopes) if one.verdict is Verdict.BLOCKED)
    names = list(dict.fromkeys(one.scope for one in stopping if one.reason is decision.reason))
    if not names:
        return "what it asks for"
    more = len(names) - 1
    return names[0] if not more else listed((names[0], f"{more} more"))
