"""Questions of real tenants and tickets, each as a snapshot, the command that asks, and the right answer.

A row names a snapshot in `reports`, the arguments of ``check``, and what must be true of the result. The sources of
the right answer are in the comment above the row. `changes` is a JSON merge patch (RFC 7396) on the snapshot, for
siblings of a reported case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from auditor.snapshot.samples import merge_patch
from tests.cli.program import run

REPORTS = Path(__file__).parent / "reports"


@dataclass(frozen=True)
class Case:
    """One question and what must be true of the answer.

    `findings` are outcomes by rule, of which those in `likely` are not certain. `text` are passages of the text report,
    whose line breaks don't count. `because` is a passage of the first decision's sentence. `first_link` is a passage of
    the link of its first fix, of which ``no link`` means that it has none, and `first_thing` of the first thing to do.
    `without` are passages that the text report must not have.
    """

    snapshot: str
    arguments: tuple[str, ...]
    exit_code: int
    findings: Mapping[str, str] = field(default_factory=dict)
    likely: tuple[str, ...] = ()
    outcome: str = ""
    confidence: str = ""
    text: tuple[str, ...] = ()
    because: str = ""
    first_link: str = ""
    first_thing: str = ""
    without: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)


def packs(*names: str) -> tuple[str, ...]:
    return tuple(word for name in names for word in ("--pack", name))


def assigned(*policies: str) -> dict[str, Any]:
    """The change that assigns these policies instead, next to those for teams and chats."""
    owned = "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for"
    entries = [f"{owned}-team", f"{owned}-chat", *(f"ManagePermissionGrantsForSelf.{one}" for one in policies)]
    role = {"permissionGrantPoliciesAssigned": entries}
    return {"sections": {"authorizationPolicy": {"defaultUserRolePermissions": role}}}


DYNAMIC, FORCED, UNHEARD = "dynamic-consent-link", "prompt-consent-first-screen", "workflow-nobody-notified"


def principals(snapshot: str) -> list[dict[str, Any]]:
    """The service principals of a snapshot: the resources, and then the app."""
    return list(json.loads((REPORTS / f"{snapshot}.json").read_text("utf-8"))["sections"]["servicePrincipals"])


def mailroom(snapshot: str, *replies: str, **more: Any) -> dict[str, Any]:
    """The change that gives the app of a snapshot these reply URLs."""
    *resources, app = principals(snapshot)
    return {"sections": {"servicePrincipals": [*resources, {**app, "replyUrls": list(replies), **more}]}}


MAILROOM = principals(DYNAMIC)[-1]
APP = ("--app", MAILROOM["appId"], "--name", "Mailroom")
OUTLOOK = "https://outlook.office.com"
MAIL = ("--scopes", f"{OUTLOOK}/IMAP.AccessAsUser.All {OUTLOOK}/SMTP.Send offline_access")
SIGN_IN = (
    "--name",
    "Mailroom",
    "--from-url",
    f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={MAILROOM['appId']}&response_type=code"
    "&redirect_uri=https%3A%2F%2Fmailroom.example%2Fcb&scope=offline_access%20User.Read%20Calendars.ReadWrite",
)
FORCING = (*SIGN_IN[:-1], f"{SIGN_IN[-1]}&prompt=consent")

BENCHMARKS = packs("cis-m365", "cisa-scuba", "eidsca", "zero-trust-assessment")
USER_CONSENT = ("CIS-5.1.5.1", "MS.AAD.5.2v1", "EIDSCA.AP08", "ZTA-21776")
POLICIES_UNREAD = "benchmark-legacy-policies-unread"

READING = (*APP, "--scopes", "User.Read Calendars.Read offline_access")


def granted(scope: str) -> dict[str, Any]:
    """The change that gives the one grant of a snapshot this text."""
    document = json.loads((REPORTS / "grant-badly-separated.json").read_text("utf-8"))
    (row,) = document["sections"]["oauth2PermissionGrants"]
    return {"sections": {"oauth2PermissionGrants": [{**row, "scope": scope}]}}


CASES = [
    # Read with Policy.Read.All alone, or exported by another tool: the assigned built-in policy is known, its content
    # isn't. Reported in almenscorner/IntuneCD pull request 146 and o365soa/soa pull request 22; the permissions are
    # those of Microsoft Graph, "Get authorizationPolicy". The benchmarks judge the policy by its id: ScubaGear's
    # AADConfig.rego, EIDSCA AP08 as Maester has it, and Test-Assessment.21776.ps1 of the Zero Trust Assessment.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "fail"),
            likely=USER_CONSENT,
            text=("fail, likely", "according to Microsoft's documentation (the consent policies could not be read"),
        ),
        id="benchmark-legacy-policies-unread",
    ),
    # The same, from an export that doesn't say that a read was refused.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "fail"),
            likely=USER_CONSENT,
            text=("according to Microsoft's documentation (the consent policies were not read)",),
            changes={"unread": None},
        ),
        id="benchmark-legacy-policies-missing",
    ),
    # The Microsoft-managed policy approves all that it doesn't exclude (Entra, "Manage app consent policies").
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "fail"),
            likely=USER_CONSENT,
            changes=assigned("microsoft-user-default-recommended"),
        ),
        id="benchmark-recommended-policies-unread",
    ),
    # What the low-impact policy contains decides the other three rules. The text of CIS names it, and it lets users
    # consent to something.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "unknown") | {"CIS-5.1.5.1": "fail"},
            likely=("CIS-5.1.5.1",),
            changes=assigned("microsoft-user-default-low"),
        ),
        id="benchmark-low-policies-unread",
    ),
    # The Zero Trust Assessment and EIDSCA require the low-impact policy, so any other policy fails by its name.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings={
                "CIS-5.1.5.1": "unknown",
                "MS.AAD.5.2v1": "unknown",
                "EIDSCA.AP08": "fail",
                "ZTA-21776": "fail",
            },
            likely=("EIDSCA.AP08", "ZTA-21776"),
            changes=assigned("our-own-policy"),
        ),
        id="benchmark-custom-policies-unread",
    ),
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("microsoft-recommended"),
            exit_code=1,
            # Which scopes Microsoft Graph has in this tenant was not read either.
            findings={"MS-CONSENT-NOT-EVERYTHING": "fail", "MS-MAIL-AND-FILES": "unknown"},
            likely=("MS-CONSENT-NOT-EVERYTHING",),
        ),
        id="microsoft-recommended-legacy-policies-unread",
    ),
    # Nobody learns anything from a pack of which every rule is unknown, so the command doesn't end as if all were well.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("zero-trust-assessment"),
            exit_code=4,
            findings={"ZTA-21776": "unknown", "ZTA-21809": "unknown"},
            changes=assigned("microsoft-user-default-low"),
        ),
        id="every-rule-of-the-pack-unknown",
    ),
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("zero-trust-assessment", "cis-m365"),
            exit_code=4,
            findings={"ZTA-21776": "unknown", "ZTA-21809": "unknown", "CIS-5.1.5.1": "unknown", "CIS-5.1.2.2": "pass"},
            changes={
                "sections": {
                    "authorizationPolicy": {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": None}}
                }
            },
        ),
        id="every-rule-of-one-of-two-packs-unknown",
    ),
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("cis-m365"),
            exit_code=0,
            findings={"CIS-5.1.5.1": "unknown", "CIS-5.1.2.2": "pass"},
            changes={
                "sections": {
                    "authorizationPolicy": {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": None}}
                }
            },
        ),
        id="some-rules-of-the-pack-unknown",
    ),
    # The app asks at run time for more than it registered, so the link without scopes, which an administrator opened
    # before, left its users stopped: thunderbird-android issue 8766, kellylford/QuickMail pull request 208,
    # office-js-docs-pr pull request 4950, Otter help article 26338981397783.
    pytest.param(
        Case(DYNAMIC, (*APP, *MAIL), exit_code=1, outcome="needs-admin", first_link="/v2.0/adminconsent?"),
        id="dynamic-consent-link",
    ),
    # "Admin consent on the Microsoft identity platform": redirect_uri is required, and must be registered.
    pytest.param(
        Case(
            DYNAMIC,
            (*APP, *MAIL),
            exit_code=1,
            first_link="no link",
            first_thing="through Microsoft Graph",
            text=("Let users ask for approval: switch the admin consent workflow on",),
            changes=mailroom(DYNAMIC, "urn:ietf:wg:oauth:2.0:oob", "net.mailroom.app://auth"),
        ),
        id="dynamic-no-redirect-uri-for-a-browser",
    ),
    pytest.param(
        Case(
            DYNAMIC,
            (*APP, *MAIL),
            exit_code=1,
            first_link="&redirect_uri=http://localhost",
            text=("may be an error of the app or of the browser, although consent was given",),
            changes=mailroom(DYNAMIC, "net.mailroom.app://auth", "http://localhost"),
        ),
        id="dynamic-redirect-uri-of-the-computer",
    ),
    # Nobody has connected the app: the portal doesn't list it, and the redirect URI is the one in the address.
    pytest.param(
        Case(
            FORCED,
            SIGN_IN,
            exit_code=1,
            first_link="&redirect_uri=https://mailroom.example/cb",
            text=("If Entra shows AADSTS50011 instead of the prompt",),
            without=("All applications > Mailroom",),
            changes={
                "sections": {
                    "servicePrincipals": principals(FORCED)[:-1],
                    "absentServicePrincipals": [MAILROOM["appId"]],
                    "oauth2PermissionGrants": [],
                }
            },
        ),
        id="dynamic-app-not-in-the-tenant",
    ),
    # Everything is granted, and leaving prompt=consent out helped: mattermost-plugin-mscalendar issue 536,
    # NangoHQ/nango issue 1040, OpenFn/lightning issue 2250, keeper.sh pull request 924, mcp-oauth-proxy pull request
    # 51, simstudioai/sim pull request 1057, entra-docs issue 652, osTicket issue 5390, Microsoft Q&A question 5847660.
    pytest.param(
        Case(
            FORCED,
            FORCING,
            exit_code=1,
            outcome="needs-admin",
            confidence="certain",
            because="prompt=consent",
            first_thing="Have prompt=consent left out",
        ),
        id="prompt-consent-first-screen",
    ),
    # A scope is missing, too: prompt=consent is half of the reason, and the scopes are the other half.
    pytest.param(
        Case(
            FORCED,
            FORCING,
            exit_code=1,
            because="prompt=consent",
            text=("An administrator then grants what is still missing (Calendars.ReadWrite) at https://",),
            changes={
                "sections": {
                    "oauth2PermissionGrants": [
                        {
                            "id": "g1",
                            "clientId": MAILROOM["id"],
                            "resourceId": principals(FORCED)[0]["id"],
                            "consentType": "AllPrincipals",
                            "scope": "openid profile offline_access User.Read",
                        }
                    ]
                }
            },
        ),
        id="prompt-consent-and-a-missing-scope",
    ),
    # The snapshot was collected for another app: what to do first is about the question, not the advice of some rule.
    pytest.param(
        Case(
            FORCED,
            ("--app", "9e5f94bc-e8a4-4e73-b8be-63364c29d753", "--name", "Thunderbird", "--scopes", "User.Read"),
            exit_code=4,
            outcome="depends",
            first_thing="run: consent-auditor collect --app 9e5f94bc-e8a4-4e73-b8be-63364c29d753 -o tenant.json",
        ),
        id="app-that-was-not-read",
    ),
    # An administrator who requires assignment wants to keep users out, so assigning comes before letting everybody in.
    # Entra, "Properties of an enterprise application", Assignment required.
    pytest.param(
        Case(
            FORCED,
            SIGN_IN,
            exit_code=1,
            first_thing="then: assign the users or groups that need Mailroom to it",
            text=(
                "then: let every user use Mailroom without being assigned to it",
                "Role Cloud Application Administrator. Result Users who are assigned to the app connect",
            ),
            changes={
                "sections": {
                    **mailroom(FORCED, "https://mailroom.example/cb", appRoleAssignmentRequired=True)["sections"],
                    "oauth2PermissionGrants": [],
                    "appRoleAssignedTo": {MAILROOM["appId"]: []},
                }
            },
        ),
        id="assignment-required-and-nobody-assigned",
    ),
    # Reviewers get no mail of requests: azure-docs issue 63155, CIPP issues 83 and 6069. The page of Microsoft Graph on
    # adminConsentRequestPolicy: notifyReviewers says whether they receive notifications.
    pytest.param(
        Case(
            UNHEARD,
            (*APP, "--scopes", "Calendars.Read"),
            exit_code=1,
            findings={"VENDOR-WORKFLOW": "fail"},
            text=("have the reviewers of the admin consent workflow notified of requests",),
        ),
        id="workflow-nobody-notified",
    ),
    pytest.param(
        Case(
            UNHEARD,
            (*APP, "--scopes", "Calendars.Read"),
            exit_code=1,
            findings={"VENDOR-WORKFLOW": "fail"},
            text=("none of its reviewers exists any more",),
            changes={"sections": {"adminConsentRequestPolicy": {"notifyReviewers": True}, "users": []}},
        ),
        id="workflow-reviewer-gone",
    ),
    # Grants that Graph stored although they give nothing: Azure/azure-cli issue 20974 (a scope of another resource) and
    # microsoftgraph/microsoft-graph-docs issue 16902 (a resource that is gone). Whose the deleted app was isn't known.
    pytest.param(
        Case(
            "hygiene-odd-grants",
            packs("grants-hygiene"),
            exit_code=0,
            findings={
                "HYG-USER-GRANTED-DATA": "unknown",
                "HYG-GRANTS-IN-EFFECT": "fail",
                "HYG-DEAD-GRANTS": "fail",
            },
            text=(
                "dead0000-0000-4000-8000-000000000002 is no longer",
                "Microsoft Graph has no scope user_impersonation",
            ),
        ),
        id="hygiene-odd-grants",
    ),
    # An administrator's grant with commas: MicrosoftDocs/microsoftgraph-docs-powershell issue 411 and
    # microsoftgraph/msgraph-bicep-types pull request 211.
    pytest.param(
        Case(
            "grant-badly-separated",
            READING,
            exit_code=1,
            outcome="needs-admin",
            text=("because its scopes are separated by commas instead of spaces",),
        ),
        id="grant-badly-separated",
    ),
    # The same grant as a JSON list, or with the resource before each name: Graph stores these, too.
    pytest.param(
        Case(
            "grant-badly-separated",
            READING,
            exit_code=1,
            outcome="needs-admin",
            text=("doesn't give User.Read and Calendars.Read, because its scopes are written in quotation marks",),
            changes=granted('["User.Read","Calendars.Read"]'),
        ),
        id="grant-as-a-json-list",
    ),
    pytest.param(
        Case(
            "grant-badly-separated",
            READING,
            exit_code=1,
            outcome="needs-admin",
            text=("because its scopes are written as addresses instead of names",),
            changes=granted("https://graph.microsoft.com/User.Read https://graph.microsoft.com/Calendars.Read"),
        ),
        id="grant-with-addresses",
    ),
    # The same grant without its client: what the app was granted is not known.
    pytest.param(
        Case(
            "grant-badly-separated",
            READING,
            exit_code=4,
            outcome="depends",
            text=("oauth2PermissionGrants[0] (id g1) has no clientId",),
            changes={"sections": {"oauth2PermissionGrants": [{"id": "g1", "consentType": "AllPrincipals"}]}},
        ),
        id="a-grant-without-its-client",
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_the_command_gives_the_right_answer(case: Case, tmp_path: Path) -> None:
    document = json.loads((REPORTS / f"{case.snapshot}.json").read_text("utf-8"))
    (tmp_path / "tenant.json").write_text(json.dumps(merge_patch(document, case.changes)), "utf-8")
    files = ("-o", "report.json", "-o", "report.txt")
    done = run("check", "--snapshot", "tenant.json", *case.arguments, *files, cwd=tmp_path)
    report = json.loads((tmp_path / "report.json").read_bytes())
    text = " ".join((tmp_path / "report.txt").read_text("utf-8").split())
    found = {one["rule"]: one for one in report["findings"]}
    assert {rule: found[rule]["outcome"] for rule in case.findings} == case.findings
    likely = {rule for rule in case.findings if found[rule]["confidence"] == "likely"}
    assert likely == set(case.likely)
    for decision in report["decisions"][:1]:
        assert case.outcome in ("", decision["outcome"])
        assert case.confidence in ("", decision["confidence"])
        assert case.because in decision["because"]
        assert case.first_link in (decision["fixes"][0].get("link") or "no link" if decision["fixes"] else "")
    assert case.first_thing in text.partition("First thing to do:")[2].partition(" Scopes: ")[0]
    for passage in case.text:
        assert passage in text
    for passage in case.without:
        assert passage not in text
    assert done.code == case.exit_code, done.err
