"""Addresses and lists of scopes as administrators and vendors reported them: the call, and the right answer.

Each row names the snapshot in ``reports/``, the arguments, what the first decision must be, and in a comment the
reports and the documentation that say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from auditor.cli.program import program

HERE = Path(__file__).parent / "reports"
CLIENT = "11111111-2222-4333-8444-555555555555"
MAILROOM = ("--app", CLIENT, "--name", "Mailroom", "--scopes")
AUTHORIZE = f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={CLIENT}&response_type=code"
CALLBACK = "&redirect_uri=https%3A%2F%2Fmailroom.example%2Fcb"


def address(*parts: str) -> tuple[str, ...]:
    """The arguments for an address of the v2.0 endpoint."""
    return ("--from-url", AUTHORIZE + "".join(parts))


def decided(case: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    """The first decision of the report as JSON."""
    snapshot = str(HERE / f"{case}.json")
    done = CliRunner().invoke(program, ["check", "--snapshot", snapshot, *arguments, "-f", "json"])
    return dict(json.loads(done.stdout)["decisions"][0])


def fix_links(decision: Mapping[str, Any]) -> list[str]:
    """The links of the fixes, best fix first."""
    return [fix.get("link", "") for fix in decision["fixes"]]


@pytest.mark.parametrize(
    ("case", "arguments", "expected"),
    [
        # CIPP-API pull request 269; azure-docs issue 62774; meetergo's help on admin consent.
        pytest.param(
            "default-scope-no-consent-link",
            (*MAILROOM, "https://graph.microsoft.com/.default"),
            {"outcome": "needs-admin", "reason": "user-consent-disabled"},
            id="default-scope-no-consent-link",
        ),
        # QuickMail pull request 208; azure-docs issues 65651 and 37434; "Scopes and permissions", the .default scope.
        pytest.param(
            "default-scope-with-grant",
            (*MAILROOM, "https://graph.microsoft.com/.default"),
            {"outcome": "connects-silently", "confidence": "likely", "outcomes": []},
            id="default-scope-with-grant",
        ),
        # MSAL for Objective-C issue 1520; ms-intune-app-sdk-ios issue 646; "National clouds": apps are registered per
        # cloud (AADSTS700016).
        pytest.param(
            "gov-cloud-absent-app",
            ("--app", CLIENT, "--scopes", "User.Read offline_access"),
            {"outcome": "user-may-consent", "confidence": "likely"},
            id="gov-cloud-absent-app",
        ),
        # MSAL.js issue 3273; MSAL.NET issue 2167; MSAL for Java issue 636; "Redirect URI restrictions", localhost.
        pytest.param(
            "loopback-port",
            address("&redirect_uri=http%3A%2F%2Flocalhost%3A53682&scope=User.Read%20offline_access"),
            {"outcome": "user-may-consent", "confidence": "certain"},
            id="loopback-port",
        ),
        # passport-azure-ad issues 524 and 331; azure-docs issue 87107.
        pytest.param(
            "prompt-admin-consent",
            address(CALLBACK, "&scope=offline_access%20User.Read%20Calendars.ReadWrite&prompt=admin_consent"),
            {"outcome": "blocked", "confidence": "certain", "code": "AADSTS90023 or AADSTS901001"},
            id="prompt-admin-consent",
        ),
        # opencloud-eu/desktop issue 871: AADSTS90023 for prompt=consent select_account.
        pytest.param(
            "prompt-admin-consent",
            address(CALLBACK, "&scope=User.Read&prompt=consent%20select_account"),
            {"outcome": "blocked", "confidence": "certain", "code": "AADSTS90023"},
            id="two values of prompt",
        ),
        # keycloak issue 15092: AADSTS90023 for prompt=unspecified.
        pytest.param(
            "prompt-admin-consent",
            address(CALLBACK, "&scope=User.Read&prompt=unspecified"),
            {"outcome": "blocked", "confidence": "certain", "code": "AADSTS90023"},
            id="an unknown value of prompt",
        ),
        # "OAuth 2.0 authorization code flow", prompt=none; the AADSTS reference, 65001.
        pytest.param(
            "scope-commas",
            address(CALLBACK, "&scope=Mail.Read%20User.Read&prompt=none"),
            {"outcome": "blocked", "reason": "consent-page-forbidden", "code": "AADSTS65001"},
            id="prompt none without consent",
        ),
        # The same page: granted for the tenant, a silent request is answered silently.
        pytest.param(
            "prompt-admin-consent",
            address(CALLBACK, "&scope=User.Read%20Calendars.ReadWrite&prompt=none"),
            {"outcome": "connects-silently", "confidence": "certain"},
            id="prompt none with consent",
        ),
        # ms-identity-java-webapp issue 82; MailKit issue 1811: both names are Exchange Online's.
        pytest.param(
            "resource-outlook-com",
            (*MAILROOM, "https://outlook.com/IMAP.AccessAsUser.All offline_access"),
            {"outcome": "needs-admin", "reason": "scope-excluded-by-policy"},
            id="resource-outlook-com",
        ),
        pytest.param(
            "resource-outlook-com",
            (*MAILROOM, "https://ps.outlook.com/IMAP.AccessAsUser.All offline_access"),
            {"outcome": "needs-admin", "reason": "scope-excluded-by-policy"},
            id="resource ps.outlook.com",
        ),
        # TabularEditorDocs: a resource is named by its app id.
        pytest.param(
            "resource-outlook-com",
            (*MAILROOM, "00000002-0000-0ff1-ce00-000000000000/IMAP.AccessAsUser.All"),
            {"outcome": "needs-admin", "reason": "scope-excluded-by-policy"},
            id="resource by its app id",
        ),
        # lowcoder issue 915; omniauth-office365 issue 1; Graph-Controls pull request 193; oauth2-azure pull request 48.
        pytest.param(
            "scope-commas",
            address(CALLBACK, "&scope=Mail.Read%2CUser.Read"),
            {"outcome": "blocked", "reason": "request-refused", "code": "AADSTS650053 or AADSTS70011"},
            id="scope-commas",
        ),
        # fluent-smtp issue 154: AADSTS650053 for the scope "user.read%0a".
        pytest.param(
            "scope-commas",
            address(CALLBACK, "&scope=User.Read%0AMail.Read"),
            {"outcome": "blocked", "code": "AADSTS650053 or AADSTS70011"},
            id="scopes on two lines",
        ),
        pytest.param(
            "scope-commas",
            address(CALLBACK, "&scope=User.Read%2520Mail.Read"),
            {"outcome": "blocked", "code": "AADSTS650053 or AADSTS70011"},
            id="scopes encoded twice",
        ),
        # MSAL.js issue 1718: AADSTS70011, ".default scope can't be combined with resource-specific scopes".
        pytest.param(
            "default-scope-with-grant",
            (*MAILROOM, "https://graph.microsoft.com/.default Calendars.Read"),
            {"outcome": "blocked", "reason": "request-refused", "code": "AADSTS70011"},
            id="default and a named scope",
        ),
        # dotnet/aspnetcore issue 60868: AADSTS70011, "static scope limit exceeded".
        pytest.param(
            "default-scope-with-grant",
            (*MAILROOM, "https://graph.microsoft.com/.default https://outlook.office.com/.default"),
            {"outcome": "blocked", "reason": "request-refused", "code": "AADSTS70011", "confidence": "certain"},
            id="default of two resources",
        ),
        # microsoft-graph-explorer-v4 issue 540: "Reply address did not match because of case sensitivity"; azure-docs
        # issue 40422; "Redirect URI restrictions": "case-sensitive".
        pytest.param(
            "prompt-admin-consent",
            address("&redirect_uri=https%3A%2F%2Fmailroom.example%2FCB&scope=User.Read"),
            {"outcome": "blocked", "code": "AADSTS50011", "confidence": "certain"},
            id="a redirect URI in another letter case",
        ),
        pytest.param(
            "prompt-admin-consent",
            address("&redirect_uri=HTTPS%3A%2F%2FMailroom.Example%2Fcb&scope=User.Read"),
            {"outcome": "connects-silently", "confidence": "certain"},
            id="a host in another letter case",
        ),
        # "OAuth 2.0 authorization code flow", tenant: consumers is for personal Microsoft accounts.
        pytest.param(
            "prompt-admin-consent",
            ("--from-url", f"{AUTHORIZE}{CALLBACK}&scope=User.Read".replace("/common/", "/consumers/")),
            {"outcome": "blocked", "reason": "request-refused", "confidence": "certain"},
            id="personal accounts only",
        ),
        # claude-code issue 64636: the OpenID Connect scopes are next to .default in a request that Entra takes.
        pytest.param(
            "default-scope-with-grant",
            address(CALLBACK, "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default+offline_access+openid"),
            {"outcome": "connects-silently", "confidence": "likely"},
            id="default and the scopes of a sign-in",
        ),
    ],
)
def test_the_report_gets_its_right_answer(case: str, arguments: tuple[str, ...], expected: dict[str, Any]) -> None:
    decision = decided(case, arguments)
    assert {name: decision.get(name, [] if name == "outcomes" else "") for name in expected} == expected


def test_an_app_that_asks_for_default_gets_the_admin_consent_link_first() -> None:
    """CIPP-API pull request 269: the administrator opens /adminconsent, which grants what is registered."""
    decision = decided("default-scope-no-consent-link", (*MAILROOM, "https://graph.microsoft.com/.default"))
    first = decision["fixes"][0]
    assert f"/adminconsent?client_id={CLIENT}" in first["link"]
    assert (first["proven"]["outcome"], first["proven"]["confidence"]) == ("connects-silently", "likely")


def test_default_with_a_malformed_grant_depends_on_what_such_a_grant_does() -> None:
    """The request names its resource, so what is missing is whether a grant without effect counts as consent."""
    decision = decided("grant-badly-separated", (*MAILROOM, "https://graph.microsoft.com/.default"))
    assert decision["outcome"] == "depends"
    assert "a grant that gives no permission counts as consent" in decision["because"]


def test_a_joined_scope_is_named_with_the_separator_that_joins_it() -> None:
    because = decided("scope-commas", address(CALLBACK, "&scope=Mail.Read%2CUser.Read"))["because"]
    assert "Mail.Read,User.Read" in because
    assert "commas" in because


def test_consent_that_may_not_be_asked_for_can_be_granted_by_an_administrator() -> None:
    decision = decided("scope-commas", address(CALLBACK, "&scope=Mail.Read%20User.Read&prompt=none"))
    assert decision["fixes"][0]["proven"]["outcome"] == "connects-silently"


@pytest.mark.parametrize(
    ("query", "known_by"),
    [
        pytest.param("client_id=5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "by its client ID", id="client id"),
        pytest.param(f"client_id={CLIENT}", "by its redirect URI", id="redirect URI"),
    ],
)
def test_a_pack_that_knows_the_app_lists_the_scopes_that_its_address_does_not_name(query: str, known_by: str) -> None:
    uri = "https://ukevo.tracker-rms.com/Office365/CallBack"
    pasted = f"login.microsoftonline.com/common/oauth2/authorize?{query}&resource=https://graph.microsoft.com"
    arguments = ["check", "--sample", "managed-default", "--from-url", f"{pasted}&redirect_uri={uri}", "-f", "json"]
    done = CliRunner().invoke(program, arguments)
    decision = json.loads(done.stdout)["decisions"][0]
    assert decision["app"]["name"] == "TrackerRMS"
    assert "Mail.ReadWrite" in [row["scope"] for row in decision["scopes"]]
    assert f"The pack trackerrms-uk knows this app {known_by}" in done.stderr


@pytest.mark.parametrize(
    "urls", [pytest.param(None, id="null"), pytest.param([None], id="a null"), pytest.param("gone", id="missing")]
)
def test_lost_reply_urls_never_make_a_refused_redirect_uri_certain_to_work(urls: Any, tmp_path: Path) -> None:
    arguments = address(CALLBACK, "&scope=User.Read%20offline_access")
    assert decided("loopback-port", arguments)["code"] == "AADSTS50011"
    document = json.loads((HERE / "loopback-port.json").read_text("utf-8"))
    app = next(one for one in document["sections"]["servicePrincipals"] if one["appId"] == CLIENT)
    app["replyUrls"] = urls
    if urls == "gone":
        del app["replyUrls"]
    (tmp_path / "tenant.json").write_text(json.dumps(document), "utf-8")
    done = CliRunner().invoke(program, ["check", "--snapshot", str(tmp_path / "tenant.json"), *arguments, "-f", "json"])
    decision = json.loads(done.stdout)["decisions"][0]
    assert (decision["outcome"], decision["confidence"]) == ("user-may-consent", "likely")
    assert "Entra then answers AADSTS50011" in done.stdout


@pytest.mark.parametrize(
    ("tenant", "said"),
    [
        pytest.param("common", "", id="any tenant"),
        pytest.param("ContosoTalent.onmicrosoft.com", "", id="a domain of the tenant"),
        pytest.param("the snapshot's", "", id="the snapshot's tenant"),
        pytest.param("fabrikam.onmicrosoft.com", "signs in to the tenant fabrikam", id="a domain of another tenant"),
        pytest.param("9c1f0f3e-3c5e-4f0e-8a77-0f5a5e0c9d11", "signs in to the tenant 9c1f0f3e", id="another tenant"),
        pytest.param("undefined", "", id="no tenant at all, which blocks the sign-in"),
    ],
)
def test_an_address_that_signs_in_to_another_tenant_is_said(tenant: str, said: str) -> None:
    if tenant == "the snapshot's":
        tenant = json.loads((HERE / "loopback-port.json").read_text("utf-8"))["tenant"]["id"].upper()
    assert said in (noted := notes_on(tenant, HERE / "loopback-port.json"))
    assert ("Note: the address" in noted) is bool(said)


def notes_on(tenant: str, snapshot: Path) -> str:
    """What a check of an address at this tenant says next to the report."""
    url = AUTHORIZE.replace("/common/", f"/{tenant}/") + CALLBACK + "&scope=User.Read"
    return CliRunner().invoke(program, ["check", "--snapshot", str(snapshot), "--from-url", url]).stderr


def test_whether_a_domain_is_of_another_tenant_is_left_open_if_the_domains_were_not_read(tmp_path: Path) -> None:
    document = json.loads((HERE / "loopback-port.json").read_text("utf-8"))
    del document["sections"]["organization"]
    (tmp_path / "tenant.json").write_text(json.dumps(document), "utf-8")
    assert "signs in to fabrikam.onmicrosoft.com, and the data doesn't say whether" in " ".join(
        notes_on("fabrikam.onmicrosoft.com", tmp_path / "tenant.json").split()
    )
