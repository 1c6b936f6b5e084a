"""The parts of reports: scopes, fixes, findings of one app in one tenant."""

from __future__ import annotations

from typing import Any

from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_RECOMMENDED
from auditor.model.decision import (
    AppRef,
    Decision,
    Fix,
    GraphRequest,
    Proof,
    Reason,
    ScopeVerdict,
    Step,
    Steps,
    Verdict,
)
from auditor.model.report import (
    Finding,
    PackRef,
    PolicyRef,
    Report,
    Summary,
)
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.snapshot import Tenant

TRACKER = AppRef(name="TrackerRMS", client_id="5353a3d2-8ca9-42d2-b567-ea399ccb5e38")
TENANT = Tenant(id="aaaabbbb-0000-cccc-1111-dddd2222eeee", name="Contoso Ltd")
INCLUDE = "6d1c1b36-8a4e-4bb1-9f58-1c1f2f1b7a01"
EXCLUDE = "0b6c5a0e-7c8d-4a55-a3b1-2c9a5d0e7f02"
ADMIN_CONSENT = (
    f"https://login.microsoftonline.com/{TENANT.id}/adminconsent?client_id={TRACKER.client_id}"
    "&redirect_uri=https%3A%2F%2Fukevo.tracker-rms.com%2FOffice365%2FCallBack"
)
SETTINGS_LINK = "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/ConsentPoliciesMenuBlade/~/UserSettings"


def scope(value: str, verdict: Verdict, reason: Reason, detail: str, **more: Any) -> ScopeVerdict:
    """A verdict on a scope of Microsoft Graph."""
    settings = {"resource": MICROSOFT_GRAPH, "resource_name": "Microsoft Graph"} | more
    return ScopeVerdict(scope=value, verdict=verdict, reason=reason, detail=detail, **settings)


def allowed(value: str, **more: Any) -> ScopeVerdict:
    """A scope that the Microsoft-managed policy lets users accept."""
    detail = f"policy {POLICY_RECOMMENDED} lets users consent to {value}"
    step = Step(policy=POLICY_RECOMMENDED, kind="include", condition_set=INCLUDE, matched="true", why="it matches")
    return scope(
        value,
        Verdict.CONSENTABLE,
        Reason.APPROVED_BY_POLICY,
        detail,
        **({"policy": POLICY_RECOMMENDED, "condition_set": INCLUDE, "steps": (step,)} | more),
    )


def excluded(value: str, **more: Any) -> ScopeVerdict:
    """A scope that the Microsoft-managed policy leaves to administrators."""
    detail = f"{value} is excluded by policy {POLICY_RECOMMENDED}"
    step = Step(policy=POLICY_RECOMMENDED, kind="exclude", condition_set=EXCLUDE, matched="true", why="it matches")
    return scope(
        value,
        Verdict.BLOCKED,
        Reason.SCOPE_EXCLUDED,
        detail,
        **({"policy": POLICY_RECOMMENDED, "condition_set": EXCLUDE, "steps": (step,)} | more),
    )


def granted(value: str, **more: Any) -> ScopeVerdict:
    """A scope that an administrator granted to everybody."""
    detail = "granted for the whole tenant by an administrator"
    return scope(value, Verdict.GRANTED, Reason.GRANTED_TENANT_WIDE, detail, **more)


BASICS = ("openid", "profile", "email", "offline_access", "User.Read")
MAIL = ("Mail.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite")

CONSENT_BY_LINK = Fix(
    route="admin-consent-link",
    title="Grant admin consent to TrackerRMS for the whole tenant",
    role="Cloud Application Administrator",
    link=ADMIN_CONSENT,
    steps=Steps(
        portal=(
            "Open the link below as the administrator and choose the work account of this tenant.",
            "Check that the page names TrackerRMS, read the permissions, and press Accept.",
            "The browser then shows the vendor's page; an error there does no harm.",
        ),
    ),
    expect="It takes effect at once. All users may then use the app with these permissions.",
    verify="Run this check again, or open Enterprise apps > TrackerRMS > Permissions.",
    undo="Enterprise apps > TrackerRMS > Permissions > Review permissions, and revoke what was granted.",
    proven=Proof(
        outcome="connects-silently",
        confidence="certain",
        because="An ordinary user connects TrackerRMS without being asked: an administrator has granted every"
        " required scope for the whole tenant.",
    ),
)

SELF_CONSENT = Fix(
    route="app-consent-policy",
    title="Let users consent to TrackerRMS, and to nothing else, with a policy of its own",
    role="Privileged Role Administrator",
    steps=Steps(
        powershell="Connect-MgGraph -Scopes Policy.ReadWrite.PermissionGrant, Policy.ReadWrite.Authorization\n"
        "New-MgPolicyPermissionGrantPolicy -Id allow-trackerrms -DisplayName 'TrackerRMS self-consent'\n"
        "Update-MgPolicyAuthorizationPolicy -BodyParameter @{defaultUserRolePermissions=@{"
        "permissionGrantPoliciesAssigned=@('ManagePermissionGrantsForSelf.allow-trackerrms')}}",
        az="az rest --method post --url https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies"
        ' --body \'{"id":"allow-trackerrms","displayName":"TrackerRMS self-consent"}\'',
        graph=(
            GraphRequest(
                method="POST",
                url="https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies",
                body={"id": "allow-trackerrms"},
            ),
            GraphRequest(
                method="PATCH",
                url="https://graph.microsoft.com/v1.0/policies/authorizationPolicy",
                body={
                    "defaultUserRolePermissions": {
                        "permissionGrantPoliciesAssigned": [
                            "ManagePermissionGrantsForSelf.allow-trackerrms",
                            "ManagePermissionGrantsForSelf.microsoft-user-default-recommended",
                            "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team",
                        ]
                    }
                },
            ),
        ),
    ),
    expect="In Microsoft-managed mode the change may be discarded: read it back after saving.",
    verify="Run this check again.",
    undo="Assign the earlier list again:\n"
    "Update-MgPolicyAuthorizationPolicy -BodyParameter @{defaultUserRolePermissions=@{"
    "permissionGrantPoliciesAssigned=@('ManagePermissionGrantsForSelf.microsoft-user-default-recommended')}}",
    opens={"this app": list(MAIL), "any other app": []},
    proven=Proof(
        outcome="user-may-consent",
        confidence="likely",
        because="An ordinary user can connect TrackerRMS and accepts the permissions: the policy allow-trackerrms"
        " approves every scope that is still missing.",
    ),
)


def finding(rule: str, title: str, outcome: FindingOutcome, reason: str, **more: Any) -> Finding:
    """A finding of the TrackerRMS pack."""
    settings: dict[str, Any] = {"pack": "trackerrms-uk", "severity": Severity.HIGH, "fingerprint": f"print-{rule}"}
    return Finding(rule=rule, title=title, outcome=outcome, reason=reason, **(settings | more))


PACKS = (PackRef(name="trackerrms-uk", version="1", digest="3f79bb7b435b05321651daefd374cdc681dc06faa65e374e3833"),)
POLICIES = (PolicyRef(id=POLICY_RECOMMENDED, digest="9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190e"),)


def summary(answer: str, findings: tuple[Finding, ...] = ()) -> Summary:
    """The counts of these findings."""
    outcomes = [each.outcome for each in findings]
    return Summary(
        answer=answer,
        passed=outcomes.count(FindingOutcome.PASS),
        failed=outcomes.count(FindingOutcome.FAIL),
        unknown=outcomes.count(FindingOutcome.UNKNOWN),
        waived=outcomes.count(FindingOutcome.WAIVED),
        not_applicable=outcomes.count(FindingOutcome.NOT_APPLICABLE),
    )


def report(*decisions: Decision, findings: tuple[Finding, ...] = (), **more: Any) -> Report:
    """A report on the sample tenant, counted."""
    answer = decisions[0].because if decisions else "No app was asked about"
    settings: dict[str, Any] = {
        "tenant": TENANT,
        "taken": "2026-11-22T02:00:00Z",
        "tool": "consent-auditor 0.1.0",
        "source": "sample tenant managed-default",
        "packs": PACKS,
        "policies": POLICIES,
        "summary": summary(answer, findings),
    }
    return Report(decisions=decisions, findings=findings, **(settings | more))
