"""The explanation of a decision: the reason in a sentence, the error code, and what the user sees.

Also whom the app works for although new users are stopped, and what decides besides consent and can't be read.

Sources: Entra, "Application consent experience", "Unexpected error when consenting", "Deactivate an app registration",
"Publisher verification overview" and "Properties of an enterprise application"; Microsoft identity platform, the
AADSTS reference and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from auditor.consent import Truth
from auditor.consent.decision_facts import DecisionFacts, ScopeFacts, Workflow
from auditor.consent.existing_grants import Grants, MalformedGrant, grant_state
from auditor.consent.possible_outcomes import PossibleOutcome
from auditor.consent.snapshot_index import NotRead
from auditor.facts.access_requirements import unknowns_about_scopes
from auditor.facts.ids import POLICY_LEGACY, POLICY_LOW, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED, RESOURCE_NAMES
from auditor.model.decision import NamedUnknown, Outcome, Reason
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
            verb = _is(first.rows)
            return f"{who} connects {app} without being asked, but {lacking} {verb} not granted{_malformed_too(facts)}."
        case Outcome.USER_MAY_CONSENT:
            approved = _approved(facts, first)
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
    if not grant.fault:
        return f"the {whose} grant on {on} gives nothing, because {on} has no permission {listed(grant.names)}"
    return (
        f"the {whose} grant on {on} is malformed and doesn't give {listed(grant.names)}, because its scopes are"
        f" {grant.fault}"
    )


def _malformed_too(facts: DecisionFacts) -> str:
    """The malformed grants as the rest of a sentence: whoever made one expects that it works."""
    return "".join(f"; {clause}" for clause in malformed_grants(facts.grants))


def _granted(facts: DecisionFacts, first: PossibleOutcome) -> str:
    if facts.asks_unlisted:
        who = "an administrator" if first.reason is Reason.GRANTED_TENANT_WIDE else "this user"
        return f"it asks for its registered permissions, and {who} has already granted it some of {_resources(facts)}"
    if any(r.granted.reason is Reason.GRANTED_TO_USER for r in first.rows):
        return "every required scope is granted, in part to this user alone"
    return "an administrator has granted every required scope for the whole tenant"


def _resources(facts: DecisionFacts) -> str:
    """The resources of a request for registered permissions, in "some of …"; it may name none."""
    return listed(resource.name for resource in facts.defaults) or "them"


def _approved(facts: DecisionFacts, first: PossibleOutcome) -> str:
    if first.reason is Reason.SUBJECT_IS_ADMIN:
        return f"the role {facts.subject.admin_role} may consent to any delegated permission"
    approvers = [r.approval.approvers for r in first.rows if r.approval.approvers]
    alone = [policy for policy in approvers[0] if all(policy in each for each in approvers)] if approvers else []
    names = alone[:1] or [policy for each in approvers for policy in each[:1]]
    policies = listed(policy_name(policy) for policy in names)
    verb = "approves" if len(set(names)) == 1 else "together approve"
    what = (
        "every scope, including those already granted"
        if facts.app.prompt_consent
        else "every scope that is still missing"
    )
    return f"{policies} {verb} {what}"


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
    Reason.NEEDED_APP_MISSING: "An error page: the organization lacks a service principal for another app.",
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
    if reason is Reason.ASSIGNMENT_REQUIRED:
        return off  # the page of the only code that is documented for it, also where the workflow is on
    match flow.enabled:
        case Truth.TRUE:
            nobody = f" Nobody receives the request: the workflow is on, but {flow.obstacle}." if flow.obstacle else ""
            return on + risky + nobody
        case Truth.FALSE:
            return off + risky
        case Truth.UNKNOWN:
            return f'{off[:-1]}; or "Approval required", if the admin consent workflow is on ({flow.why}).{risky}'


def works_for(facts: DecisionFacts) -> tuple[str, ...]:
    """Whom the app still works for although new users are stopped; empty where nobody is known to have connected.

    An earlier consent of a user stays when the tenant's setting or Microsoft's managed policy gets narrower, but it
    holds only what the user accepted then (Entra, "Configure how users consent to applications": a change affects
    future consent only).
    """
    app = facts.app.label
    if facts.client.assignment_required is not Truth.FALSE or not (earlier := earlier_consents(facts)):
        return ()
    count, complete = earlier.users, earlier.covered
    if not count or facts.app.prompt_consent:
        return ()
    if not complete:
        theirs = (
            "The grant of the one user who has one" if count == 1 else f"Each grant of the {count} users who have one"
        )
        return (f"{theirs} lacks a scope that {app} requires now, so an earlier consent helps nobody.",)
    some = f"{complete} of the {count} users" if complete < count else f"the {count} users"
    whom = "the one user who has a personal grant" if count == 1 else f"{some} who have personal grants"
    return (
        f"{app} still works for {whom} from an earlier consent. That is why it can work for a colleague and not for a"
        " new user.",
        f"Such a grant covers nobody else, and it isn't enough any more once {app} asks for one more permission.",
    )


class EarlierConsents(NamedTuple):
    """How many users have a personal grant, and of how many it covers everything that the app asks for."""

    users: int
    covered: int


def earlier_consents(facts: DecisionFacts) -> EarlierConsents | None:
    """The users who consented before; none where grants were not read, or not whole.

    An app that forces the consent page asks them again, whatever they granted.
    """
    covered = users_covered(facts)
    if covered is None or isinstance(facts.grants, NotRead):
        return None
    return EarlierConsents(len(facts.grants.others), len(covered))


def users_covered(facts: DecisionFacts) -> frozenset[str] | None:
    """The users whose earlier consents cover all that the app asks for; none where that isn't known."""
    grants = facts.grants
    if isinstance(grants, NotRead) or grants.unread or grants.incomplete:
        return None
    if facts.app.prompt_consent:
        return frozenset()
    # Of many users, few have other scopes than most.
    held = {user: frozenset(own.items()) for user, own in grants.others.items()}
    enough = {own for own in set(held.values()) if _is_covered(facts, grants, dict(own))}
    return frozenset(user for user, own in held.items() if own in enough)


def _is_covered(facts: DecisionFacts, grants: Grants, own: Mapping[str, frozenset[str]]) -> bool:
    """Whether a user with these grants of their own connects without being asked."""
    if facts.app.mode.is_static:
        return all(r.permission.resource in {**grants.tenant_wide, **own} for r in facts.required)
    theirs = msgspec.structs.replace(grants, own=dict(own))
    return all(grant_state(r.permission, theirs).truth is Truth.TRUE for r in facts.required)


def unknowns(facts: DecisionFacts) -> tuple[NamedUnknown, ...]:
    """What else decides whether the app works with the scopes that it asks for, and can't be read from Graph."""
    found = []
    for one in unknowns_about_scopes():
        asked = [r.permission for r in facts.scopes if one.concerns(r.permission.resource, r.permission.value)]
        if names := tuple(dict.fromkeys(permission.value for permission in asked)):
            found.append(
                NamedUnknown(
                    name=one.name,
                    why=one.why.format(scopes=listed(names)),
                    verify=one.verify,
                    symptom=one.symptom,
                    scopes=names,
                )
            )
    return tuple(found)
