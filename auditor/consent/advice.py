"""What to do where nothing in the tenant's consent settings can help: who can, and what to ask of them (route R12).

Sources: Entra, "Deactivate an app registration", "Publisher verification overview", "Properties of an enterprise
application"; Microsoft identity platform, the AADSTS reference and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.blockers import Gate
from auditor.consent.decision_facts import Case
from auditor.consent.explanation import listed
from auditor.consent.links import portal_address
from auditor.consent.lookup import Absent, resource_name, service_principal
from auditor.consent.truth import Truth
from auditor.facts.ids import RESOURCE_NAMES
from auditor.model.decision import Outcome, Reason
from auditor.model.resources import ServicePrincipal


def advice(case: Case, outcome: Outcome, reason: Reason) -> tuple[str, ...]:
    """One piece of advice for each cause that no administrator of the tenant can mend by consent."""
    shut = [gate for gate in case.gates if gate.truth is Truth.TRUE]
    texts = (*(_of_gate(case, gate) for gate in shut), *_of_request(case, outcome, reason))
    return tuple(dict.fromkeys(text for text in texts if text))


def _of_gate(case: Case, gate: Gate) -> str:
    """Empty where an administrator of the tenant can open the gate."""
    app = case.app.label
    match gate.reason:
        case Reason.APP_DEACTIVATED:
            return (
                f"Nothing in this tenant can help: the publisher of {app} has deactivated its registration, for every"
                " tenant, and only the publisher can activate it again. Contact the vendor."
            )
        case Reason.APP_DISABLED_BY_MICROSOFT:
            return (
                f"Nothing in this tenant can help: Microsoft has disabled {app} for every tenant. Only Microsoft can"
                " lift that. Ask the vendor, who has to settle it with Microsoft, and do not approve another app in"
                " its place before it is known why."
            )
        case Reason.APP_DISABLED_IN_TENANT:
            return ""
        case Reason.RESOURCE_MISSING:
            return " ".join(_missing(case, name) for name in _resources(case, absent=True))
        case Reason.RESOURCE_DISABLED:
            return _disabled(case)
        case Reason.REDIRECT_URI_NOT_REGISTERED:
            return (
                f"No consent can help: {gate.because}. Ask the vendor which redirect URI this tenant is to use, or"
                " correct it in the pack if it is the pack that is wrong."
            )
        case _:
            return (
                f"No consent can help: {gate.because}. Only the vendor can change what {app} asks for. Contact the"
                " vendor, or correct the scope in the pack if it is the pack that is wrong."
            )


def _resources(case: Case, *, absent: bool) -> list[str]:
    """App ids of the required resources that are absent, or that are switched off."""
    found = []
    for resource in dict.fromkeys(r.permission.resource for r in (*case.required, *case.extra)):
        principal = service_principal(case.snapshot, resource)
        off = isinstance(principal, ServicePrincipal) and principal.accountEnabled is False
        if (isinstance(principal, Absent) and absent) or (off and not absent):
            found.append(resource)
    return found


def _missing(case: Case, resource: str) -> str:
    name = resource_name(case.snapshot, resource)
    if resource in RESOURCE_NAMES:
        return (
            f"No consent setting can help: {name} is not in this tenant, so no licence of the tenant includes it. Look"
            " under Microsoft 365 admin center > Billing > Your products, or ask the licence reseller."
        )
    return (
        f"No consent to {case.app.label} can help before the API {name} is in this tenant. Ask the API's vendor for its"
        " own admin consent link or, for a Microsoft service, which licence includes it."
    )


def _disabled(case: Case) -> str:
    names = listed(resource_name(case.snapshot, resource) for resource in _resources(case, absent=False))
    return (
        f"No consent setting can help: {names} is switched off in this tenant. If a subscription has lapsed, renew it"
        " (Microsoft 365 admin center > Billing > Your products); if an administrator switched it off, see"
        f" {portal_address(case.snapshot)} > Entra ID > Enterprise apps > Application type: Microsoft Applications >"
        f" {names} > Properties."
    )


def _of_request(case: Case, outcome: Outcome, reason: Reason) -> Iterator[str]:
    app = case.app.label
    if reason is Reason.RISK_STEP_UP:
        yield (
            f"The vendor can remove the cause for every tenant, by having the publisher of {app} verified. Switching"
            " risk-based step-up off in the tenant is not advised."
        )
    if outcome is Outcome.NEEDS_ADMIN and case.app.prompt_consent:
        yield (
            f"Ask the vendor to leave prompt=consent out of the sign-in of {app}: with it, Entra asks every user again,"
            " whatever an administrator has granted."
        )
    if outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        yield (
            "The vendor can also send each user once through a sign-in with prompt=consent, which helps those who may"
            " consent themselves."
        )
