"""The explanation of a decision: the reason in a sentence, the error code, what the user sees, and whom to ask.

Sources: Entra, "Application consent experience", "Unexpected error when consenting", "Deactivate an app registration",
"Publisher verification overview" and "Properties of an enterprise application"; Microsoft identity platform, the
AADSTS reference and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.consent.blockers import Blocker
from auditor.consent.decision_facts import DecisionFacts, ScopeFacts
from auditor.consent.permission import ResourceApp
from auditor.consent.possible_outcomes import PossibleOutcome
from auditor.consent.request import admin_consent_link
from auditor.consent.tenant_settings import Workflow
from auditor.consent.truth import Truth
from auditor.facts.ids import POLICY_LEGACY, POLICY_LOW, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED, RESOURCE_NAMES
from auditor.model.decision import Outcome, Reason
from auditor.model.document import series

POLICY_NAMES = {
    POLICY_RECOMMENDED: "the Microsoft-managed policy",
    POLICY_LOW: "the policy for low-impact permissions",
    POLICY_LEGACY: "the policy that lets users consent to any app",
    POLICY_MAIL_CLIENTS: "the policy for popular mail clients",
}


def policy_name(policy_id: str | None) -> str:
    """What to call a policy in a sentence."""
    if not policy_id:
        return "the tenant's policy"
    return POLICY_NAMES.get(policy_id.lower(), f"the policy {policy_id}")


def listed(names: Iterable[str], word: str = "and") -> str:
    """The names as a `series`, each once."""
    return series(list(dict.fromkeys(names)), word)


def because(facts: DecisionFacts, possible: Sequence[PossibleOutcome]) -> str:
    """One sentence, without a full stop inside, that answers whether the subject can connect."""
    outcomes = tuple(dict.fromkeys(p.outcome for p in possible))
    if len(outcomes) > 1:
        return _depends(facts, possible, outcomes)
    first = possible[0]
    who, app = facts.subject.phrase, facts.app.label
    match first.outcome:
        case Outcome.CONNECTS_SILENTLY:
            return f"{who} connects {app} without being asked: {_granted(facts, first)}."
        case Outcome.CONNECTS_BUT_LACKS_SCOPES:
            lacking = listed(r.permission.value for r in first.rows)
            return f"{who} connects {app} without being asked, but {lacking} {_is(first.rows)} not granted."
        case Outcome.USER_MAY_CONSENT:
            return f"{who} can connect {app} and accepts the permissions: {_approved(facts, first)}."
        case Outcome.BLOCKED:
            blocker = first.blocker
            return f"{who} cannot connect {app}: {blocker.because if blocker else 'it is blocked'}."
        case _:
            return f"{who} cannot connect {app}: {_refusal(first, len(facts.required))}."


def _granted(facts: DecisionFacts, first: PossibleOutcome) -> str:
    if facts.asks_unlisted:
        who = "an administrator" if first.reason is Reason.GRANTED_TENANT_WIDE else "this user"
        return f"it asks for its registered permissions, and {who} has already granted it some of {_resources(facts)}"
    if any(r.granted.reason is Reason.GRANTED_TO_USER for r in first.rows):
        return "every required scope is granted, in part to this user alone"
    return "an administrator has granted every required scope for the whole tenant"


def _resources(facts: DecisionFacts) -> str:
    """The resources of a request for registered permissions."""
    return listed(resource.name for resource in facts.defaults) or "a resource"


def _approved(facts: DecisionFacts, first: PossibleOutcome) -> str:
    if first.reason is Reason.SUBJECT_IS_ADMIN:
        return f"a {facts.subject.admin_role} may consent to any delegated permission"
    approvers = [r.approval.approvers for r in first.rows if r.approval.approvers]
    alone = [policy for policy in approvers[0] if all(policy in each for each in approvers)] if approvers else []
    names = alone[:1] or [policy for each in approvers for policy in each[:1]]
    policies = listed(policy_name(policy) for policy in names)
    verb = "approves" if len(set(names)) == 1 else "together approve"
    return f"{policies} {verb} every scope that is still missing"


def _refusal(first: PossibleOutcome, required: int) -> str:
    if first.reason is Reason.ASSIGNMENT_REQUIRED:
        return "the app requires assignment, so users cannot consent for themselves"
    if first.reason is Reason.RISK_STEP_UP:
        return (
            "its publisher is not verified and it asks for more than sign-in, so risk-based step-up consent"
            " requires an administrator"
        )
    if first.reason is Reason.ADMIN_CONSENT_REQUESTED:
        return "it asks for an administrator's consent at each sign-in (prompt=admin_consent)"
    if first.reason is Reason.USER_CONSENT_DISABLED:
        return "user consent is switched off in this tenant"
    parts = []
    for reason in dict.fromkeys(sorted((r.approval.reason for r in first.rows), key=list(Reason).index)):
        rows = tuple(r for r in first.rows if r.approval.reason is reason)
        parts.append(_one_refusal(reason, rows, required))
    more = "; the scopes below show the rest" if len(parts) > 2 else ""
    return "; ".join(parts[:2]) + more


def _one_refusal(reason: Reason, rows: tuple[ScopeFacts, ...], required: int) -> str:
    everything = len(rows) == required > 4
    names = f"all {required} required scopes" if everything else listed(r.permission.value for r in rows)
    policies = listed((policy_name(r.approval.policy) for r in rows), "or")
    match reason:
        case Reason.SCOPE_EXCLUDED:
            return f"{names} {_is(rows)} excluded by {policies}"
        case Reason.SCOPE_NOT_CLASSIFIED:
            if everything:
                return f"none of its {required} required scopes is classified as {policies} requires"
            return f"{names} {_is(rows)} not classified as {policies} requires"
        case Reason.PUBLISHER_NOT_VERIFIED:
            return f"its publisher is not verified, which {policies} requires"
        case Reason.SCOPE_REQUIRES_ADMIN:
            return f"{names} may only be granted by an administrator"
        case Reason.CLIENT_NOT_LISTED:
            return f"{policies} applies to other apps only"
        case Reason.SCOPE_NOT_LISTED:
            return f"{names} {_is(rows)} not among the permissions that {policies} allows"
        case _:
            return f"no assigned policy approves {names}"


def _is(rows: Sequence[ScopeFacts]) -> str:
    return "is" if len({r.permission.value for r in rows}) == 1 else "are"


_WHAT = {
    Outcome.CONNECTS_SILENTLY: "connect without being asked",
    Outcome.CONNECTS_BUT_LACKS_SCOPES: "connect but lack scopes",
    Outcome.USER_MAY_CONSENT: "be asked and may accept",
    Outcome.NEEDS_ADMIN: "need an administrator",
    Outcome.BLOCKED: "be blocked",
}


def _depends(facts: DecisionFacts, possible: Sequence[PossibleOutcome], outcomes: Sequence[Outcome]) -> str:
    needs = tuple(dict.fromkeys(n for p in possible for n in p.needs))
    named = needs[:2] if len(needs) == 2 else needs[:1]
    more = f" and {len(needs) - 1} more facts" if len(needs) > 2 else ""
    first = " and on ".join(named) or "facts that were not read"
    who = (
        facts.subject.phrase[0].lower() + facts.subject.phrase[1:]
        if facts.subject.user_id is None
        else facts.subject.phrase
    )
    will = listed((_WHAT[o] for o in outcomes), "or")
    return f"Whether {who} can connect {facts.app.label} depends on {first}{more}: they would {will}."


_BLOCKED_SCREENS = {
    Reason.NOT_ASSIGNED: (
        "An error page: the administrator has configured the application to block users unless they are"
        " specifically granted access."
    ),
    Reason.APP_DISABLED_IN_TENANT: "An error page: the application is disabled.",
    Reason.APP_DEACTIVATED: "An error page: the app was disabled by its owner.",
    Reason.APP_DISABLED_BY_MICROSOFT: "An error page: the application is disabled.",
    Reason.RESOURCE_MISSING: "An error page: the organization lacks a subscription for the service.",
    Reason.RESOURCE_DISABLED: "An error page: the service principal of the resource is disabled.",
    Reason.REDIRECT_URI_NOT_REGISTERED: "An error page: the redirect URI does not match the registered ones.",
    Reason.REQUEST_REFUSED: "An error page: the request is not valid.",
    Reason.CONSENT_PAGE_FORBIDDEN: (
        "No page: Entra sends the app an error (interaction_required or consent_required), and the app decides what to"
        " show."
    ),
    Reason.SCOPE_DOES_NOT_EXIST: "An error page: the app asked for a scope that does not exist.",
    Reason.SCOPE_DISABLED: "An error page: the app asked for a scope that does not exist.",
}


def code(outcome: Outcome, reason: Reason, flow: Workflow, blocked_code: str = "") -> str:
    """The AADSTS code of the outcome; empty where none is shown or none is documented."""
    if outcome is Outcome.BLOCKED:
        return blocked_code
    if outcome is not Outcome.NEEDS_ADMIN:
        return ""
    off, on = "AADSTS90094", "AADSTS90095"
    if reason is Reason.RISK_STEP_UP:
        off, on = "AADSTS90094 or AADSTS900941", "AADSTS90094 or AADSTS900981"
    if reason is Reason.ADMIN_CONSENT_REQUESTED:
        off, on = "AADSTS90093 or AADSTS90094", "AADSTS90093 or AADSTS90095"
    if reason is Reason.ASSIGNMENT_REQUIRED:
        on = off
    return {Truth.TRUE: on, Truth.FALSE: off, Truth.UNKNOWN: off if on == off else f"{off} or {on}"}[flow.enabled]


def screen(outcome: Outcome, reason: Reason, flow: Workflow, app: str, admin_role: str = "") -> str:
    """What the user sees, as full sentences; a Global Administrator sees more ("Application consent experience")."""
    if outcome is Outcome.USER_MAY_CONSENT and admin_role == "Global Administrator":
        return (
            '"Permissions requested", with Accept and Cancel, and a box "Consent on behalf of your organization",'
            " which is not ticked: unticked, the consent is for this administrator alone."
        )
    match outcome:
        case Outcome.CONNECTS_SILENTLY:
            return "Nothing: the app connects without asking."
        case Outcome.CONNECTS_BUT_LACKS_SCOPES:
            return "Nothing: the app seems connected, but its calls fail later (403, access denied)."
        case Outcome.USER_MAY_CONSENT:
            return '"Permissions requested", with Accept and Cancel.'
        case Outcome.BLOCKED:
            return _BLOCKED_SCREENS[reason]
        case Outcome.DEPENDS:
            return ""
        case Outcome.NEEDS_ADMIN:
            return _needs_admin(reason, flow, app)


def _needs_admin(reason: Reason, flow: Workflow, app: str) -> str:
    off = (
        f'"Need admin approval": {app} needs permission to access resources in your organization'
        " that only an admin can grant."
    )
    on = '"Approval required", with a box for the reason and a button "Request approval".'
    risky = " The page adds that the app may be risky." if reason is Reason.RISK_STEP_UP else ""
    match flow.enabled:
        case Truth.TRUE:
            nobody = (
                " Nobody receives the request, because the workflow has no reviewers." if flow.reviewers == 0 else ""
            )
            return on + risky + nobody
        case Truth.FALSE:
            return off + risky
        case Truth.UNKNOWN:
            return f'{off[:-1]}; or "Approval required", if the admin consent workflow is on ({flow.why}).{risky}'


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
