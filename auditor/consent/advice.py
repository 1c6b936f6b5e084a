"""Whom to ask for what, where no administrator of the tenant can help by granting consent.

Sources: Entra, "Unexpected error when consenting", "Deactivate an app registration", "Publisher verification overview"
and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from auditor.consent.admin_links import best_consent_link
from auditor.consent.blockers import Blocker
from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.explanation import listed
from auditor.consent.permission import ResourceApp
from auditor.consent.possible_outcomes import consent_only_forced, possible_outcomes
from auditor.consent.request import admin_consent_link
from auditor.consent.truth import Truth
from auditor.facts.ids import RESOURCE_NAMES
from auditor.model.decision import Outcome, Reason
from auditor.model.rule import App

_THROUGH_GRAPH = "with a grant through Microsoft Graph"


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
        case Reason.REQUEST_REFUSED:
            return (
                f"No consent can help: {blocker.because}. It is a mistake in the address that {app} sends users to, and"
                " only whoever makes that address can correct it: contact the vendor."
            )
        case Reason.RESOURCE_MISSING:
            return " ".join(_missing(facts, r) for r in facts.resources if r.missing is Truth.TRUE)
        case Reason.NEEDED_APP_MISSING:
            return " ".join(_needed(facts, one) for one in facts.needed if one.missing is Truth.TRUE)
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


def _needs_admin_once_enabled(facts: DecisionFacts, reason: Reason) -> bool:
    """Whether users still need an administrator after one has switched on the sign-in to the app again."""
    if reason is not Reason.APP_DISABLED_IN_TENANT:
        return False
    enabled = msgspec.structs.replace(facts, blockers=())
    return {one.outcome for one in possible_outcomes(enabled)} == {Outcome.NEEDS_ADMIN}


def _of_forced_consent(facts: DecisionFacts) -> Iterator[str]:
    """To have ``prompt=consent`` left out, and what an administrator grants then."""
    app = facts.app.label
    yield (
        f"Have prompt=consent left out of the sign-in of {app}: in the settings of the integration if it has one for"
        " this, otherwise by the vendor. With it, Entra asks every user again, whatever an administrator has granted."
    )
    if consent_only_forced(facts) is Truth.FALSE:
        names = listed(r.permission.value for r in facts.required if r.granted.truth is not Truth.TRUE)
        link = best_consent_link(facts)
        how = (
            f"at {link} (the page after Accept may be an error although consent was given)" if link else _THROUGH_GRAPH
        )
        if names:
            yield f"An administrator then grants what is still missing ({names}) {how}."


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


def _needed(facts: DecisionFacts, one: ResourceApp) -> str:
    link = admin_consent_link(facts.snapshot, App(client_id=one.app_id, name=one.name))
    return (
        f"No consent to {facts.app.label} can help before {one.name} is in this tenant. An administrator consents to"
        f" {one.name} first: {link} (the page after Accept may be an error although consent was given). Then run the"
        " check again."
    )


def _disabled(facts: DecisionFacts) -> str:
    names = listed(r.name for r in (*facts.needed, *facts.resources) if r.disabled is Truth.TRUE)
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
    if facts.app.prompt_consent and (outcome is Outcome.NEEDS_ADMIN or _needs_admin_once_enabled(facts, reason)):
        yield from _of_forced_consent(facts)
    if reason is Reason.CONSENT_PAGE_FORBIDDEN:
        yield (
            f"The vendor can let {app} sign users in once without prompt=none, so that Entra may ask for consent; else"
            " an administrator has to grant it for them."
        )
    if reason is Reason.ADMIN_CONSENT_REQUESTED:
        yield (
            f"Ask the vendor to leave prompt=admin_consent out of the sign-in of {app}: with it, Entra asks every user"
            " for an administrator's consent, whatever an administrator has granted."
        )
    if outcome is Outcome.CONNECTS_SILENTLY and facts.asks_unlisted:
        yield (
            f"If {app} connects but its calls fail (403, access denied), the vendor has added permissions since."
            f" An administrator grants them at {admin_consent_link(facts.snapshot, facts.app)}"
        )
    if outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        yield (
            "The vendor can also send each user once through a sign-in with prompt=consent, which helps those who may"
            " consent themselves."
        )
