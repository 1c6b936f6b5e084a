"""What decides about an app, in a few words and as one setting, by the reason of the decision.

A survey shows it for each app, an explanation for one app, and a fleet groups its tenants by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from auditor.consent.explanation import POLICY_NAMES, listed
from auditor.facts.ids import setting_named
from auditor.model.decision import Decision, Outcome, Reason, Verdict
from auditor.model.document import first_of
from auditor.model.rule import App, Setting

SETTINGS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.USER_CONSENT_DISABLED: "user-consent",
        Reason.SCOPE_EXCLUDED: "user-consent",
        Reason.NO_POLICY_MATCHES: "user-consent",
        Reason.SCOPE_NOT_CLASSIFIED: "permission-classifications",
        Reason.PUBLISHER_NOT_VERIFIED: "app-publisher",
        Reason.CLIENT_NOT_LISTED: "consent-policies",
        Reason.SCOPE_NOT_LISTED: "consent-policies",
        Reason.SCOPE_REQUIRES_ADMIN: "app-consent",
        Reason.RISK_STEP_UP: "risky-consent",
        Reason.ASSIGNMENT_REQUIRED: "app-assignment",
        Reason.NOT_ASSIGNED: "app-assignment",
        Reason.APP_DISABLED_IN_TENANT: "app-sign-in",
        Reason.RESOURCE_MISSING: "enterprise-apps",
        Reason.RESOURCE_DISABLED: "enterprise-apps",
        Reason.NEEDED_APP_MISSING: "enterprise-apps",
        Reason.GRANTED_TENANT_WIDE: "app-consent",
        Reason.GRANTED_TO_USER: "app-consent",
        Reason.APPROVED_BY_POLICY: "user-consent",
    }
)
"""What in the tenant decides, by the reason of a decision; the rest isn't the tenant's."""

_STOPPED_BY: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.SCOPE_EXCLUDED: "{policy} excludes {scopes}",
        Reason.SCOPE_REQUIRES_ADMIN: "{scopes}: only administrators can approve",
        Reason.SCOPE_NOT_CLASSIFIED: "not classified as low impact: {scopes}",
        Reason.PUBLISHER_NOT_VERIFIED: "the publisher isn't verified",
        Reason.CLIENT_NOT_LISTED: "{policy} is for other apps",
        Reason.SCOPE_NOT_LISTED: "{policy} doesn't list {scopes}",
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

_LACKS = "what was granted lacks {scopes}"
_THE_POLICY = "the consent policy"
_OWN_POLICY = "a consent policy of the tenant's own"
_WHAT_IT_ASKS_FOR = "what it asks for"


class DecidingSetting(NamedTuple):
    """What stops users, so that it can be compared between tenants.

    `policy` is the id of one of Microsoft's own policies that does it, or `OWN` for one that the tenant made, whose
    id says nothing in another tenant; empty if no policy does it. `scopes` are the required permissions that are
    stopped for this reason, in the order of the request.
    """

    reason: Reason
    policy: str = ""
    scopes: tuple[str, ...] = ()


OWN = "own"


def deciding_setting(decision: Decision) -> DecidingSetting | None:
    """What stops users; none if they connect, and if that isn't known."""
    if decision.outcome.connects or decision.outcome is Outcome.DEPENDS:
        return None
    stopping = [one for one in (*decision.required_scopes, *decision.added_scopes) if one.verdict is Verdict.BLOCKED]
    if decision.outcome is not Outcome.CONNECTS_BUT_LACKS_SCOPES:
        stopping = [one for one in stopping if one.reason is decision.reason]
    policies = {one.policy.lower() for one in stopping if one.policy}
    policy = policies.pop() if len(policies) == 1 else OWN if policies else ""
    scopes = tuple(dict.fromkeys(one.scope for one in stopping))
    return DecidingSetting(decision.reason, policy if not policy or policy in POLICY_NAMES else OWN, scopes)


def stopped_by(decision: Decision) -> str:
    """What stops users, in a few words; empty if they connect, and if that isn't known.

    It names the first of the permissions, and how many more there are.
    """
    found = deciding_setting(decision)
    if found is None:
        return ""
    if decision.outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return "what was granted lacks permissions that the app needs"
    return in_few_words(found, decision.because, most=1, policy=_THE_POLICY)


def lacks(scopes: Sequence[str]) -> str:
    """What is so where users connect and the app lacks permissions, in a few words."""
    return _LACKS.replace("{scopes}", _named(scopes, 3))


def in_few_words(found: DecidingSetting, otherwise: str = "", *, most: int = 3, policy: str = "") -> str:
    """What stops users, with at most so many permissions by name; `otherwise` for a reason that has no such words.

    `policy` replaces what the policy is called.
    """
    text = _STOPPED_BY.get(found.reason, otherwise)
    called = policy or (_OWN_POLICY if found.policy == OWN else POLICY_NAMES.get(found.policy, _THE_POLICY))
    return text.replace("{scopes}", _named(found.scopes, most)).replace("{policy}", called)


def _named(scopes: Sequence[str], most: int) -> str:
    """The first of the scopes that the reason is about, and how many more there are."""
    if not scopes:
        return _WHAT_IT_ASKS_FOR
    return listed(first_of(scopes, most))


def setting_of(decision: Decision, app: App) -> Setting | None:
    """The setting that decides; none for what isn't the tenant's."""
    named = SETTINGS.get(decision.reason)
    return setting_named(named, app) if named else None
