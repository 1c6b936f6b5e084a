"""What the user sees for each outcome, and the code that the sign-in log shows.

Sources: Entra, "Application consent experience", "Unexpected error when consenting" and the AADSTS reference.
"""

from __future__ import annotations

from auditor.consent.logic import Truth
from auditor.consent.workflow import Workflow
from auditor.model.decision import Outcome, Reason

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
            return "Nothing: the app seems connected, but its calls are refused later (403, access denied)."
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
            nobody = " The request reaches nobody, because no reviewer is named." if flow.reviewers == 0 else ""
            return on + risky + nobody
        case Truth.FALSE:
            return off + risky
        case Truth.UNKNOWN:
            return f'{off[:-1]}; or "Approval required", if the admin consent workflow is on ({flow.why}).{risky}'
