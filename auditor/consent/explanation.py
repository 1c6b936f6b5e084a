"""The explanation of a decision: the reason in a sentence, the error code, what the user sees, and whom to ask.

Sources: Entra, "Application consent experience", "Unexpected error when consenting", "Deactivate an app registration",
"Publisher verification overview" and "Properties of an enterprise application"; Microsoft identity platform, the
AADSTS reference and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.consent.admin_links import best_consent_link
from auditor.consent.blockers import Blocker
from auditor.consent.decision_facts import DecisionFacts, ScopeFacts
from auditor.consent.existing_grants import Grants, MalformedGrant
from auditor.consent.lookup import NotRead
from auditor.consent.permission import ResourceApp
from auditor.consent.possible_outcomes import PossibleOutcome, consent_only_forced
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
            return f"{who} connects {app} without being asked: {_granted(first)}."
        case Outcome.CONNECTS_BUT_LACKS_SCOPES:
            lacking = listed(r.permission.value for r in first.rows)
            verb = _is(first.rows)
            return f"{who} connects {app} without being asked, but {lacking} {verb} not granted{_malformed_too(facts)}."
        case Outcome.USER_MAY_CONSENT:
            approved = _approved(first, forced=facts.app.prompt_consent)
            return f"{who} can connect {app} and accepts the permissions: {approved}."
        case Outcome.BLOCKED:
            blocker = first.blocker
            return f"{who} cannot connect {app}: {blocker.because if blocker else 'it is blocked'}."
        case _:
            forced = f"{_FORCED}, and " if facts.app.prompt_consent else ""
            return f"{who} cannot connect {app}: {forced}{_refusal(first, len(facts.required))}{_malformed_too(facts)}."


_FORCED = "the app sends prompt=consent, so Entra asks every user again, whatever an administrator has granted"


def malformed_grants(grants: Grants | NotRead) -> tuple[str, ...]:
    """One clause for each grant that gives less than was meant: what it is, and why."""
    return tuple(map(_malformed, grants.malformed)) if isinstance(grants, Grants) else ()


def _malformed(grant: MalformedGrant) -> str:
    whose = "tenant-wide" if grant.tenant_wide else "user's own"
    on = RESOURCE_NAMES.get(grant.resource, grant.resource)
    return (
        f"the {whose} grant on {on} is malformed and doesn't give {listed(grant.names)}, because its scopes are"
        f" separated by {grant.separator} instead of spaces"
    )


def _malformed_too(facts: DecisionFacts) -> str:
    """The malformed grants as the rest of a sentence: whoever made one expects that it works."""
    return "".join(f"; {clause}" for clause in malformed_grants(facts.grants))


def _granted(first: PossibleOutcome) -> str:
    if any(r.granted.reason is Reason.GRANTED_TO_USER for r in first.rows):
        return "every required scope is granted, in part to this user alone"
    return "an administrator has granted every required scope for the whole tenant"


def _approved(first: PossibleOutcome, *, forced: bool) -> str:
    if first.reason is Reason.SUBJECT_IS_ADMIN:
        return first.rows[0].approval.detail
    approvers = [r.approval.approvers for r in first.rows if r.approval.approvers]
    alone = [policy for policy in approvers[0] if all(policy in each for each in approvers)] if approvers else []
    names = alone[:1] or [policy for each in approvers for policy in each[:1]]
    policies = listed(policy_name(policy) for policy in names)
    verb = "approves" if len(set(names)) == 1 else "together approve"
    what = "every scope, including those already granted" if forced else "every scope that is still missing"
    return f"{policies} {verb} {what}"


def _refusal(first: PossibleOutcome, required: int) -> str:
    if first.reason is Reason.ASSIGNMENT_REQUIRED:
        return "the app requires assignment, so users cannot consent for themselves"
    if first.reason is Reason.RISK_STEP_UP:
        return (
            "its publisher is not verified and it asks for more than sign-in, so risk-based step-up consent"
            " requires an administrator"
        )
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
            nobody = f" Nobody receives the request: the workflow is on, but {flow.obstacle}." if flow.obstacle else ""
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
        how = f"at {link}" if link else "with a grant through Microsoft Graph"
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
        yield from _of_forced_consent(facts)
    if outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        yield (
            "The vendor can also send each user once through a sign-in with prompt=consent, which helps those who may"
            " consent themselves."
        )
