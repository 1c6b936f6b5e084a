"""The usual case in full: TrackerRMS in a tenant on the Microsoft-managed policy, and what its pack finds."""

from __future__ import annotations

from auditor.model.decision import Confidence, Decision, Outcome, Reason
from auditor.model.report import Evidence
from auditor.model.rule import FindingOutcome, Remediation, Severity
from tests.render.parts import (
    ADMIN_CONSENT,
    BASICS,
    CONSENT_BY_LINK,
    MAIL,
    SELF_CONSENT,
    TRACKER,
    allowed,
    excluded,
    finding,
)

NEEDS_ADMIN_DECISION = Decision(
    app=TRACKER,
    subject="ordinary member",
    outcome=Outcome.NEEDS_ADMIN,
    confidence=Confidence.CERTAIN,
    reason=Reason.SCOPE_EXCLUDED,
    because="An ordinary user cannot connect TrackerRMS: Mail.ReadWrite, Calendars.ReadWrite and"
    " Contacts.ReadWrite are excluded by the Microsoft-managed policy.",
    code="AADSTS90094",
    screen='"Need admin approval": TrackerRMS needs permission to access resources in your organization that only'
    " an admin can grant.",
    scopes=(
        *(allowed(value, assumed=True) for value in BASICS),
        *(excluded(value, assumed=True) for value in MAIL),
        allowed("Mail.Send", assumed=True),
        excluded("MailboxSettings.Read", assumed=True, required=False),
    ),
    notes=("The scope list is an assumption of the rule pack; the vendor does not publish it as text.",),
    fixes=(CONSENT_BY_LINK, SELF_CONSENT),
)


CONSENT_REMEDY = Remediation(
    portal=(
        "Open the admin consent link as a Cloud Application Administrator.",
        "Check the publisher and the permissions, and press Accept.",
    ),
    link=ADMIN_CONSENT,
    role="Cloud Application Administrator",
)

CONNECT = finding(
    "users-can-connect",
    "Users can connect TrackerRMS",
    FindingOutcome.FAIL,
    NEEDS_ADMIN_DECISION.because,
    why="Every user presses Connect\nin TrackerRMS once. If that fails, mail and calendar stay empty.\n",
    remediation=CONSENT_REMEDY,
    fixes=(CONSENT_BY_LINK, SELF_CONSENT),
    references=("https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",),
)

FINDINGS = (
    CONNECT,
    finding(
        "admin-consent-covers-scopes",
        "A tenant-wide grant covers the required scopes",
        FindingOutcome.FAIL,
        "No administrator has granted TrackerRMS anything for the whole tenant.",
        severity=Severity.MEDIUM,
        why="A tenant-wide grant works for every user, whatever the user consent setting says.",
        remediation=CONSENT_REMEDY,
        fixes=(CONSENT_BY_LINK,),
        evidence=(Evidence(path="oauth2PermissionGrants[AllPrincipals].scope", actual=[], expected=list(MAIL)),),
        references=("https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",),
        frameworks={"SCuBA": "MS.AAD.5.2v1", "CIS": "5.1.5.1"},
    ),
    finding(
        "consent-workflow",
        "Users can ask an administrator for consent",
        FindingOutcome.FAIL,
        "The admin consent workflow is switched off.",
        severity=Severity.LOW,
        why="Without it a blocked user sees a dead end.",
        remediation=Remediation(
            portal=(
                "Open Enterprise apps > Consent and permissions > Admin consent settings.",
                'Set "Users can request admin consent to apps they are unable to consent to" to Yes.',
                "Choose the reviewers and press Save; it can take an hour to take effect.",
            ),
            link="https://entra.microsoft.com/#view/Microsoft_AAD_IAM/ConsentPoliciesMenuBlade/~/AdminConsentSettings",
            role="Global Administrator",
        ),
    ),
    finding(
        "user-consent-setting",
        "The user consent setting is known",
        FindingOutcome.PASS,
        'The setting is "Let Microsoft manage your consent settings (Recommended)".',
        severity=Severity.INFO,
    ),
    finding(
        "scopes-exist",
        "Every required scope exists and users may be asked for it",
        FindingOutcome.PASS,
        "All 9 required scopes exist on Microsoft Graph.",
    ),
    finding(
        "scopes-classified",
        "Required scopes are classified low impact",
        FindingOutcome.NOT_APPLICABLE,
        "No assigned consent policy depends on classifications.",
        severity=Severity.MEDIUM,
    ),
)
