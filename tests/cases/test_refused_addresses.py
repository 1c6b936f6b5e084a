"""Addresses that Entra refuses, in a tenant whose users connect the same app by a correct one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from auditor.cli.program import program

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
