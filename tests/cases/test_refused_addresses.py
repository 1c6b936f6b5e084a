"""Addresses that Entra refuses, in a tenant whose users connect the same app by a correct one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from auditor.cli.program import program
from auditor.consent.sign_in_address import request_from_url
from auditor.facts.ids import CLOUDS
from auditor.jobs.pack_selection import text_for_app
from auditor.packs.forms import CloudName

REPORT = Path(__file__).parent / "reports" / "loopback-port.json"
CLIENT = "11111111-2222-4333-8444-555555555555"
SCOPE = "&scope=User.Read%20offline_access"
AUTHORIZE = (
    f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={CLIENT}&response_type=code"
    f"&redirect_uri=https%3A%2F%2Fmailroom.example%2Fcb{SCOPE}"
)


def decided(address: str, *, cloud: str = "global", **client: Any) -> dict[str, Any]:
    """The decision on an address in a tenant of a cloud; `client` are properties of the app's service principal."""
    document = json.loads(REPORT.read_text("utf-8"))
    app = next(one for one in document["sections"]["servicePrincipals"] if one["appId"] == CLIENT)
    app |= {"replyUrls": ["https://mailroom.example/cb"], **client}
    arguments = ["check", "--snapshot", "-", "--from-url", address, "-f", "json"]
    done = CliRunner().invoke(program, arguments, input=json.dumps(document | {"cloud": cloud}))
    return dict(json.loads(done.stdout)["decisions"][0])


def test_users_connect_by_the_address_without_a_mistake() -> None:
    decision = decided(AUTHORIZE)
    assert (decision["outcome"], decision["confidence"]) == ("user-may-consent", "certain")


@pytest.mark.parametrize(
    ("tenant", "code"),
    [
        # CIPP issue 5274.
        pytest.param("undefined", "AADSTS900023 or AADSTS90002", id="a variable without a value"),
        # microsoft-graph-docs issue 13158.
        pytest.param("{{tenantid}}", "AADSTS900023", id="a placeholder"),
        pytest.param("YOUR_TENANT_ID", "AADSTS900023", id="a placeholder in words"),
    ],
)
def test_a_sign_in_at_a_tenant_that_cannot_be_one_is_blocked_for_certain(tenant: str, code: str) -> None:
    decision = decided(AUTHORIZE.replace("/common/", f"/{tenant}/"))
    assert (decision["outcome"], decision["confidence"], decision["code"]) == ("blocked", "certain", code)


@pytest.mark.parametrize(
    "more",
    [
        # eikek/sharry issue 1270.
        pytest.param("&scope=Mail.Read", id="scope"),
        pytest.param("&prompt=login&prompt=consent", id="prompt"),
        pytest.param("&state=1&state=1", id="state, with one value"),
    ],
)
def test_an_address_with_a_parameter_twice_is_blocked_for_certain(more: str) -> None:
    decision = decided(AUTHORIZE + more)
    assert (decision["outcome"], decision["confidence"]) == ("blocked", "certain")
    assert decision["code"] == "AADSTS9000411"


@pytest.mark.parametrize(
    ("more", "code", "confidence"),
    [
        # vscode issue 254009, django-auth-adfs issue 198.
        pytest.param(
            "&scope=User.Read&resource=https://graph.microsoft.com", "AADSTS901002", "likely", id="resource on v2.0"
        ),
        # powerbi-modeling-mcp issue 68.
        pytest.param(
            "&scope=User.Read&resource=https://outlook.office365.com",
            "AADSTS901002 or AADSTS9010010",
            "certain",
            id="another resource than that of the scopes",
        ),
        # n8n issue 33881.
        pytest.param("&scope=&state=1", "AADSTS900144", "certain", id="an empty scope"),
    ],
)
def test_what_the_v2_endpoint_refuses_blocks_the_sign_in(more: str, code: str, confidence: str) -> None:
    decision = decided(AUTHORIZE.replace(SCOPE, "") + more)
    assert (decision["outcome"], decision["code"], decision["confidence"]) == ("blocked", code, confidence)


US, CHINA, GLOBAL = "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.microsoftonline.com"


@pytest.mark.parametrize(
    ("host", "cloud", "is_refused"),
    [
        # "National clouds": each has its own sign-in host, and the app is registered in each by itself.
        pytest.param(US, "global", True, id="US Government for a tenant of the global cloud"),
        pytest.param(CHINA, "global", True, id="China for a tenant of the global cloud"),
        pytest.param("login.chinacloudapi.cn", "global", True, id="the old host of China"),
        pytest.param(GLOBAL, "us-gov", True, id="the global cloud for a tenant of US Government"),
        pytest.param("login.windows.net", "china", True, id="an old global host for a tenant in China"),
        pytest.param(US, "china", True, id="US Government for a tenant in China"),
        pytest.param(GLOBAL, "germany", True, id="a cloud that this version doesn't know"),
        pytest.param(US, "us-gov", False, id="US Government"),
        pytest.param(US, "us-gov-dod", False, id="US Government, DoD"),
        pytest.param("login.usgovcloudapi.net", "us-gov", False, id="another host of US Government"),
        pytest.param(CHINA, "china", False, id="China"),
        pytest.param("sts.windows.net", "global", False, id="another host of the global cloud"),
    ],
)
def test_an_address_of_another_cloud_is_blocked_but_not_for_certain(host: str, cloud: str, is_refused: bool) -> None:
    decision = decided(AUTHORIZE.replace(GLOBAL, host), cloud=cloud)
    if not is_refused:
        assert decision["outcome"] == "user-may-consent"
        return
    assert (decision["outcome"], decision["confidence"]) == ("blocked", "likely")
    assert decision["code"] == "AADSTS700016"
    assert f"this tenant is in the cloud {cloud}" in decision["because"]


def test_the_pack_in_a_bundle_keeps_what_an_address_says() -> None:
    asked = request_from_url(AUTHORIZE.replace(GLOBAL, US)).app
    kept = text_for_app(asked).pack.app
    assert kept is not None
    assert (kept.clouds, kept.authority, kept.faults) == (asked.clouds, asked.authority, asked.faults)
    assert asked.clouds == ("us-gov", "us-gov-dod")
    assert get_args(CloudName) == tuple(CLOUDS)


TENANT = json.loads(REPORT.read_text("utf-8"))["tenant"]["id"]
SINGLE = {"signInAudience": "AzureADMyOrg", "appOwnerOrganizationId": TENANT}
ELSEWHERE = {"signInAudience": "AzureADMyOrg", "appOwnerOrganizationId": "9c1f0f3e-3c5e-4f0e-8a77-0f5a5e0c9d11"}


@pytest.mark.parametrize(
    ("tenant", "client", "expected"),
    [
        # azure-docs issue 55341.
        pytest.param("common", SINGLE, ("blocked", "likely", "AADSTS50194"), id="the tenant's own app at /common"),
        pytest.param("organizations", SINGLE, ("blocked", "likely", "AADSTS50194"), id="at /organizations"),
        pytest.param("common", ELSEWHERE, ("blocked", "likely", "AADSTS50194"), id="another tenant's app at /common"),
        pytest.param(TENANT, SINGLE, ("user-may-consent", "certain", ""), id="the tenant's own app at its tenant"),
        pytest.param(TENANT, ELSEWHERE, ("user-may-consent", "likely", ""), id="another tenant's app at this tenant"),
        pytest.param(
            TENANT,
            {"signInAudience": "AzureADMyOrg", "appOwnerOrganizationId": None},
            ("user-may-consent", "likely", ""),
            id="an app of a tenant that isn't known",
        ),
        pytest.param(
            "common",
            {**SINGLE, "createdDateTime": "2017-03-01T00:00:00Z"},
            ("user-may-consent", "certain", ""),
            id="an app from before the rule",
        ),
        pytest.param(
            TENANT,
            {"signInAudience": "PersonalMicrosoftAccount"},
            ("blocked", "likely", ""),
            id="an app for personal accounts",
        ),
        pytest.param(
            "common",
            {"signInAudience": "AzureADandPersonalMicrosoftAccount"},
            ("user-may-consent", "certain", ""),
            id="an app for any account",
        ),
    ],
)
def test_the_accounts_that_a_registration_takes_decide_where_it_can_sign_in(
    tenant: str, client: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    decision = decided(AUTHORIZE.replace("/common/", f"/{tenant}/"), **client)
    code = decision["code"] if decision["outcome"] == "blocked" else ""
    assert any("which is another one" in one for one in decision["doubts"]) is (
        client is ELSEWHERE and tenant == TENANT
    )
    assert (decision["outcome"], decision["confidence"], code) == expected
