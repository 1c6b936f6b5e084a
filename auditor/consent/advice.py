"""What to do if nothing in the tenant's consent settings can help: who can, and what to ask them for (route R12).

Sources: Entra, "Deactivate an app registration", "Publisher verification overview", "Properties of an enterprise
application"; Microsoft identity platform, the AADSTS reference and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.blockers import Blocker
from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.explanation import listed
from auditor.consent.permission import ResourceApp
from auditor.consent.truth import Truth
from auditor.facts.ids import RESOURCE_NAMES
from auditor.model.decision import Outcome, Reason


def advice(facts: DecisionFacts, outcome: Outcome, reason: Reason) -> tuple[str, ...]:
    """One piece of advice for each cause that no administrator of the tenant can fix by granting consent."""
    certain = [b for b in facts.blockers if b.truth is Truth.TRUE]
    texts = (*(_of_blocker(facts, b) for b in certain), *_of_request(facts, outcome, reason))
    return tuple(dict.fromkeys(text for text in texts if text))


def _of_blocker(facts: DecisionFacts, blocker: Blocker) -> str:
    """Empty where an administrator of the tenant can remove the blocker."""
    app = facts.app.label
    match blocker.reason:
        case Reason.APP_DEACTIVATED:
            return (
                f"Nothing in this tenant can help: the publisher of {app} has deactivated its registration, for every"
                " tenant, and only the publisher can activate it again. Contact the vendor."
            )
        case Reason.APP_DISABLED_BY_MICROSOFT:
            return (
                f"Nothing in this tenant can help: Microsoft has disabled {app} for every tenant. Only Microsoft can"
                " reverse that. Ask the vendor, who has to resolve it with Microsoft, and don't approve another app in"
                " its place until you know the reason."
            )
        case Reason.APP_DISABLED_IN_TENANT:
            return ""
        case Reason.RESOURCE_MISSING:
            return " ".join(_missing(facts, r) for r in facts.resources if r.missing is Truth.TRUE)
        case Reason.RESOURCE_DISABLED:
            return _disabled(facts)
        case Reason.REDIRECT_URI_NOT_REGISTERED:
            return (
                f"No consent can help: {blocker.because}. Ask the vendor which redirect URI this tenant should use,"
                " or correct the pack if the pack is wrong."
            )
        case _:
            return (
                f"No consent can help: {blocker.because}. Only the vendor can change what {app} asks for. Contact the"
                " vendor, or correct the scope in the pack if the pack is wrong."
            )


def _missing(facts: DecisionFacts, resource: ResourceApp) -> str:
    name = resource.name
    if resource.app_id in RESOURCE_NAMES:
        return (
            f"No consent setting can help: {name} is not in this tenant, so no licence of the tenant includes it. Look"
            " under Microsoft 365 admin center > Billing > Your products, or ask the licence reseller."
        )
    return (
        f"No consent to {facts.app.label} can help before the API {name} is in this tenant. Ask the API's vendor for"
        " its own admin consent link or, for a Microsoft service, which licence includes it."
    )


def _disabled(facts: DecisionFacts) -> str:
    names = listed(r.name for r in facts.resources if r.disabled is Truth.TRUE)
    return (
        f"No consent setting can help: {names} is switched off in this tenant. If a subscription has lapsed, renew it"
        " (Microsoft 365 admin center > Billing > Your products); if an administrator switched it off, see"
        f" {facts.portal} > Entra ID > Enterprise apps > Application type: Microsoft Applications >"
        f" {names} > Properties."
    )


def _of_request(facts: DecisionFacts, outcome: Outcome, reason: Reason) -> Iterator[str]:
    app = facts.app.label
    if reason is Reason.RISK_STEP_UP:
        yield (
            f"The vendor can remove the cause for every tenant, by having the publisher of {app} verified. Turning off"
            " risk-based step-up consent in the tenant is not recommended."
        )
    if outcome is Outcome.NEEDS_ADMIN and facts.app.prompt_consent:
        yield (
            f"Ask the vendor to leave prompt=consent out of the sign-in of {app}: with it, Entra asks every user again,"
            " whatever an administrator has granted."
        )
    if outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        yield (
            "The vendor can also send each user once through a sign-in with prompt=consent, which helps those who may"
            " consent themselves."
        )
