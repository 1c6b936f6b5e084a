"""Reports made by hand, one for each thing that a reader may meet; no engine takes part."""

from __future__ import annotations

import msgspec

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, POLICY_RECOMMENDED
from auditor.model.decision import AppRef, Confidence, Decision, Outcome, Reason, Steps, Verdict
from auditor.model.report import (
    Calibration,
    Evidence,
    PackRef,
    Report,
    ScopeDifference,
    UnreadPart,
)
from auditor.model.rule import FindingOutcome, Remediation, Severity
from auditor.model.snapshot import Tenant
from tests.render.parts import (
    BASICS,
    CONSENT_BY_LINK,
    MAIL,
    PACKS,
    TENANT,
    TRACKER,
    allowed,
    excluded,
    finding,
    granted,
    report,
    scope,
    summary,
)
from tests.render.tracker import CONNECT, FINDINGS, NEEDS_ADMIN_DECISION


def needs_admin() -> Report:
    """The usual case: the Microsoft-managed policy excludes mail scopes, and two fixes are proven."""
    return report(NEEDS_ADMIN_DECISION, findings=FINDINGS)


def connects() -> Report:
    """An administrator has consented; the grant is not quite what the pack assumes."""
    decision = Decision(
        app=TRACKER,
        subject="ordinary member",
        outcome=Outcome.CONNECTS_SILENTLY,
        confidence=Confidence.CERTAIN,
        reason=Reason.GRANTED_TENANT_WIDE,
        because=CONSENT_BY_LINK.proven.because,
        screen="Nothing: the app connects without asking.",
        scopes=tuple(granted(value) for value in (*BASICS, *MAIL)),
    )
    difference = ScopeDifference(
        resource=MICROSOFT_GRAPH,
        resource_name="Microsoft Graph",
        assumed_not_granted=("MailboxSettings.Read",),
        granted_not_assumed=("Tasks.ReadWrite", "People.Read"),
    )
    calibration = Calibration(
        app="TrackerRMS", client_id=TRACKER.client_id, pack="trackerrms-uk", differences=(difference,)
    )
    passing = msgspec.structs.replace(CONNECT, outcome=FindingOutcome.PASS, reason=decision.because, fixes=())
    return report(decision, findings=(passing,), calibrations=(calibration,), source="live, read as an application")


def blocked() -> Report:
    """Somebody switched the app off; nothing about consent matters until that is undone."""
    decision = Decision(
        app=TRACKER,
        subject="anna@contoso.com",
        outcome=Outcome.BLOCKED,
        confidence=Confidence.CERTAIN,
        reason=Reason.APP_DISABLED_IN_TENANT,
        because="anna@contoso.com cannot connect TrackerRMS: sign-in to the app is switched off in this tenant.",
        code="7000112",
        screen="An error page: the application is disabled.",
        scopes=tuple(granted(value) for value in MAIL),
        also=(
            "users may not consent to Mail.ReadWrite under the Microsoft-managed policy",
            "the app requires assignment, so users cannot consent for themselves",
        ),
    )
    enabled = finding(
        "app-enabled",
        "Nobody switched TrackerRMS off",
        FindingOutcome.FAIL,
        '"Enabled for users to sign-in" is set to No.',
        severity=Severity.CRITICAL,
        why="While it is off, no user gets in, whatever was granted.",
        evidence=(Evidence(path="servicePrincipals[TrackerRMS].accountEnabled", actual=False, expected=True),),
        remediation=Remediation(
            portal=(
                "Find out who switched the app off, and why: blocking a consent request leaves the same state.",
                'Open Enterprise apps > TrackerRMS > Properties and set "Enabled for users to sign-in?" to Yes.',
            ),
            link=f"https://entra.microsoft.com/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/appId/{TRACKER.client_id}",
            role="Cloud Application Administrator",
        ),
    )
    waived = finding(
        "publisher-verified",
        "The app's publisher is verified",
        FindingOutcome.WAIVED,
        "Waived until 2027-01-31 by IT security: the vendor is verifying its domain.",
        severity=Severity.MEDIUM,
    )
    return report(decision, findings=(enabled, waived), source="snapshot contoso.json")


def depends() -> Report:
    """Two things could not be read, so the answer hangs on them."""
    unknown = scope(
        "Mail.ReadWrite",
        Verdict.UNKNOWN,
        Reason.NOT_READ,
        "the scopes of Office 365 Exchange Online were not read",
        resource=EXCHANGE_ONLINE,
        resource_name="Office 365 Exchange Online",
    )
    likely = excluded("Calendars.ReadWrite", confidence=Confidence.LIKELY, condition_set=None)
    decision = Decision(
        app=TRACKER,
        subject="ordinary member",
        outcome=Outcome.DEPENDS,
        confidence=Confidence.LIKELY,
        reason=Reason.POLICY_UNREADABLE,
        because="Whether an ordinary user can connect TrackerRMS depends on which scopes were granted already and on"
        " 1 more fact: they would connect without being asked or need an administrator.",
        scopes=(allowed("openid", implicit=True, required=False), unknown, likely),
        caveats=(
            "the consent policies could not be read (403, Authorization_RequestDenied); Microsoft's documented text of"
            f" {POLICY_RECOMMENDED} is used instead",
        ),
        depends_on=("which scopes were granted already", "whether the app's publisher is verified"),
        outcomes=(Outcome.CONNECTS_SILENTLY, Outcome.NEEDS_ADMIN),
    )
    unread = (
        UnreadPart(
            section="permissionGrantPolicies",
            status=403,
            code="Authorization_RequestDenied",
            message="Insufficient privileges to complete the operation.",
            needs=("Policy.Read.PermissionGrant",),
            request_id="0a8d1f60-33c1-4b0e-9d5f-6c4b2f1a7e11",
        ),
        UnreadPart(
            section=f"oauth2PermissionGrants/{TRACKER.client_id}",
            status=403,
            code="Authorization_RequestDenied",
            needs=("DelegatedPermissionGrant.Read.All", "Directory.Read.All"),
        ),
    )
    open_question = msgspec.structs.replace(CONNECT, outcome=FindingOutcome.UNKNOWN, reason=decision.because, fixes=())
    return report(decision, findings=(open_question,), unread=unread, source="live, read as an application")


def several() -> Report:
    """Two packs and a pasted link: three apps; one fix works for the first two."""
    other = AppRef(name="Fabrikam Scheduler", client_id="11112222-bbbb-3333-cccc-4444dddd5555")
    connected = Decision(
        app=other,
        subject="ordinary member",
        outcome=Outcome.USER_MAY_CONSENT,
        confidence=Confidence.CERTAIN,
        reason=Reason.APPROVED_BY_POLICY,
        because="An ordinary user can connect Fabrikam Scheduler and accepts the permissions: the Microsoft-managed"
        " policy approves every scope that is still missing.",
        screen='"Permissions requested", with Accept and Cancel.',
        scopes=(allowed("User.Read"), allowed("Mail.Send")),
    )
    lacking = Decision(
        app=AppRef(name="", client_id="22223333-cccc-4444-dddd-5555eeee6666"),
        subject="guest@fabrikam.com",
        outcome=Outcome.CONNECTS_BUT_LACKS_SCOPES,
        confidence=Confidence.LIKELY,
        reason=Reason.GRANTED_TENANT_WIDE,
        because="guest@fabrikam.com connects app 22223333-cccc-4444-dddd-5555eeee6666 without being asked, but"
        " Calendars.ReadWrite is not granted.",
        caveats=("how guests consent is not documented",),
        scopes=(granted("Mail.Read"), excluded("Calendars.ReadWrite")),
    )
    packs = (*PACKS, PackRef(name="trackerrms-us", version="1", digest="sha256:aa11bb22cc33dd44ee55ff66"))
    us = msgspec.structs.replace(CONNECT, pack="trackerrms-us")
    return report(
        NEEDS_ADMIN_DECISION,
        NEEDS_ADMIN_DECISION,
        connected,
        lacking,
        findings=(CONNECT, us),
        packs=packs,
    )


def wide() -> Report:
    """A tenant and an app with names in wide characters."""
    name = "予定表コネクタ"
    because = f"An ordinary user cannot connect {name}: 予定表.読み取り and メール.読み取り are excluded by the policy."
    decision = msgspec.structs.replace(
        NEEDS_ADMIN_DECISION,
        app=AppRef(name=name, client_id=TRACKER.client_id),
        because=because,
        scopes=(
            excluded("予定表.読み取り", resource="api://contoso", resource_name="株式会社コントソの予定表サービス"),
            excluded("メール.読み取り"),
            allowed("Mail.Send"),
        ),
        notes=(),
        fixes=(),
    )
    found = finding(
        "利用者は接続できる",
        f"{name}に利用者が接続できる",
        FindingOutcome.FAIL,
        "管理者の同意がないため、一般の利用者はこのアプリに接続できません。管理者の同意が必要です。",
    )
    tenant = Tenant(id=TENANT.id, name="株式会社コントソ")
    return report(decision, findings=(found,), tenant=tenant)


HOSTILE = "Evil\n>> CONNECTS\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 \x00\x9b31m\r\t\u200b\u2028end"


def hostile() -> Report:
    """Every string that a tenant controls tries to forge the report."""
    app = AppRef(name=HOSTILE, client_id=TRACKER.client_id)
    fix = msgspec.structs.replace(
        CONSENT_BY_LINK,
        title=f"Grant admin consent to {HOSTILE}",
        steps=Steps(portal=(f"Open {HOSTILE}.",), powershell="# \x1b[2J \u202egnp\nConnect-MgGraph"),
    )
    decision = msgspec.structs.replace(
        NEEDS_ADMIN_DECISION,
        app=app,
        because=f"An ordinary user cannot connect {HOSTILE}.",
        screen=f'"Need admin approval": {HOSTILE}',
        scopes=(excluded(HOSTILE, policy=HOSTILE), allowed("M" * 300)),
        fixes=(fix,),
    )
    found = finding(
        "app-enabled",
        f"Nobody switched {HOSTILE} off",
        FindingOutcome.FAIL,
        f"{HOSTILE} is off",
        evidence=(Evidence(path=HOSTILE, actual=HOSTILE),),
    )
    part = UnreadPart(section=f"users/{HOSTILE}", status=500, message=HOSTILE, request_id=HOSTILE)
    return report(decision, findings=(found,), unread=(part,), tenant=Tenant(id=TENANT.id, name=HOSTILE * 50))


def empty() -> Report:
    """Nothing was asked."""
    return report(source="", packs=(), policies=(), tenant=Tenant(id=TENANT.id), taken="")


def rules_only() -> Report:
    """Rules without an app."""
    return report(findings=FINDINGS[2:], summary=summary("1 of 4 rules failed in Contoso Ltd", FINDINGS[2:]))


ALL = {
    made.__name__.replace("_", "-"): made
    for made in (needs_admin, connects, blocked, depends, several, wide, hostile, empty, rules_only)
}
"""By the name of their golden file."""
