"""What Entra refuses before it asks anybody, and requests for the permissions of a registration."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from auditor.consent.decide import decide
from auditor.consent.sign_in_address import request_from_url
from auditor.fixes import fixes_for
from auditor.model.decision import Confidence, Decision, Outcome, Reason
from auditor.model.rule import App
from tests.consent.from_oracle import app_of, snapshot_of, subject_of
from tests.oracle import pool
from tests.oracle.plain import UNVERIFIED, VERIFIED, tenant
from tests.oracle.plain import app as plain_app

Json = dict[str, Any]
V2 = f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={pool.CLIENT}&response_type=code"
V1 = f"https://login.microsoftonline.com/common/oauth2/authorize?client_id={pool.CLIENT}&response_type=code"
DEFAULT = f"{V2}&scope=.default"
CALLBACK = "https://mailer.example/cb"


def app_at(address: str) -> App:
    """The app of an address."""
    return request_from_url(address).app


def redirecting(uri: str, *registered: str) -> Decision:
    """The decision for an app with these redirect URIs, in a tenant where users may consent to anything."""
    client = {**VERIFIED, "replyUrls": list(registered)}
    address = f"{V2}&scope=User.Read" + (f"&redirect_uri={quote(uri, safe='')}" if uri else "")
    return decide(snapshot_of(tenant(pool.LEGACY, client=client)), app_at(address))


@pytest.mark.parametrize(
    ("uri", "registered", "expected"),
    [
        pytest.param("http://localhost:53682", "http://localhost", "certain", id="another port"),
        pytest.param("http://localhost:53682/", "http://localhost", "certain", id="another port and a slash"),
        pytest.param("http://localhost", "http://localhost:8080", "certain", id="no port"),
        pytest.param("http://localhost:1/MyApp", "http://localhost:5000/MyApp", "certain", id="the same path"),
        pytest.param("http://localhost:1/MyWebApp", "http://localhost/MyNativeApp", "", id="another path"),
        pytest.param("http://localhost:1/app", "http://localhost", "", id="a path that is not registered"),
        pytest.param("https://localhost:1", "http://localhost", "", id="another scheme"),
        pytest.param("https://localhost:44321/", "https://localhost:5001/", "likely", id="https"),
        pytest.param("http://127.0.0.1:53682", "http://127.0.0.1", "likely", id="127.0.0.1"),
        pytest.param("http://127.0.0.1:53682", "http://localhost", "", id="127.0.0.1 is not localhost"),
        pytest.param("http://[::1]:53682", "http://[::1]", "", id="IPv6 is not supported"),
        pytest.param("http://localhost.example:1", "http://localhost.example", "", id="a host that starts like it"),
        pytest.param("https://mailer.example:8443/cb", "https://mailer.example/cb", "", id="a port of another host"),
        pytest.param("https://mailer.example", "https://mailer.example/", "certain", id="no path"),
    ],
)
def test_only_the_port_of_a_loopback_address_is_ignored(uri: str, registered: str, expected: str) -> None:
    """Source: "Redirect URI (reply URL) restrictions and limitations", localhost exceptions."""
    decision = redirecting(uri, "https://other.example/cb", registered)
    if expected:
        assert (decision.outcome, decision.confidence.value) == (Outcome.USER_MAY_CONSENT, expected)
    else:
        assert (decision.outcome, decision.code) == (Outcome.BLOCKED, "AADSTS50011")


def test_an_app_without_any_registered_redirect_uri_is_blocked() -> None:
    decision = redirecting(CALLBACK)
    assert (decision.outcome, decision.code, decision.confidence) == (
        Outcome.BLOCKED,
        "AADSTS500113",
        Confidence.CERTAIN,
    )


def test_an_address_without_a_redirect_uri_is_blocked_too_if_none_is_registered() -> None:
    decision = redirecting("")
    assert (decision.outcome, decision.code) == (Outcome.BLOCKED, "AADSTS500113")


def test_an_app_of_which_no_redirect_uri_is_known_may_sign_in_by_device_code() -> None:
    client = {**VERIFIED, "replyUrls": []}
    decision = decide(snapshot_of(tenant(pool.LEGACY, client=client)), app_of(plain_app(["User.Read"])))
    assert (decision.outcome, decision.confidence) == (Outcome.USER_MAY_CONSENT, Confidence.LIKELY)


def test_an_address_without_a_redirect_uri_gets_one_of_the_registered_ones() -> None:
    """Source: "OpenID Connect on the Microsoft identity platform", redirect_uri."""
    decision = redirecting("", CALLBACK)
    assert (decision.outcome, decision.confidence) == (Outcome.USER_MAY_CONSENT, Confidence.LIKELY)


# ---- Registered permissions that nobody here can list ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("policies", "scope", "address", "outcomes"),
    [
        pytest.param((), None, DEFAULT, {"needs-admin"}, id="consent off, no grant"),
        pytest.param((pool.LEGACY,), None, DEFAULT, {"user-may-consent", "needs-admin"}, id="consent on, no grant"),
        pytest.param((), "User.Read", DEFAULT, {"connects-silently"}, id="a grant"),
        pytest.param((), "", DEFAULT, {"connects-silently", "needs-admin"}, id="an empty grant"),
        pytest.param((), "User.Read", f"{DEFAULT}&prompt=consent", {"needs-admin"}, id="a grant and prompt=consent"),
        pytest.param((), "User.Read", f"{DEFAULT}&prompt=none", {"connects-silently"}, id="a grant and prompt=none"),
        pytest.param((), None, f"{DEFAULT}&prompt=none", {"blocked"}, id="no grant and prompt=none"),
        pytest.param((), "User.Read", f"{V1}&resource={pool.GRAPH}", {"connects-silently"}, id="v1, a grant"),
        pytest.param((), "User.Read", f"{V1}&resource={pool.EXCHANGE}", {"needs-admin"}, id="v1, of another resource"),
        pytest.param((), "User.Read", V1, {"connects-silently"}, id="v1 without a resource"),
        pytest.param((), "User.Read", f"{V1}&prompt=admin_consent", {"needs-admin"}, id="v1, prompt=admin_consent"),
    ],
)
def test_registered_permissions_depend_on_any_grant_for_the_resource(
    policies: tuple[str, ...], scope: str | None, address: str, outcomes: set[str]
) -> None:
    """Source: "Scopes and permissions", ``.default`` when the user has already given consent."""
    grants = [] if scope is None else [pool.grant(pool.GRAPH, scope)]
    snapshot = snapshot_of(tenant(*policies, client=VERIFIED, oauth2PermissionGrants=grants))
    decision = decide(snapshot, app_at(address))
    assert {str(one) for one in decision.outcomes or (decision.outcome,)} == outcomes


def test_unread_grants_leave_both_outcomes_open() -> None:
    document = tenant(client=VERIFIED)
    del document["sections"]["oauth2PermissionGrants"]
    decision = decide(snapshot_of(document), app_at(DEFAULT))
    assert set(decision.outcomes) == {Outcome.CONNECTS_SILENTLY, Outcome.NEEDS_ADMIN}


def test_an_assignment_requirement_holds_for_registered_permissions_too() -> None:
    client = {**VERIFIED, "appRoleAssignmentRequired": True}
    asked = decide(snapshot_of(tenant(pool.LEGACY, client=client)), app_at(DEFAULT))
    granted = decide(
        snapshot_of(tenant(client=client, oauth2PermissionGrants=[pool.grant(pool.GRAPH, "User.Read")])),
        app_at(DEFAULT),
    )
    assert (asked.outcome, asked.reason) == (Outcome.NEEDS_ADMIN, Reason.ASSIGNMENT_REQUIRED)
    assert (granted.outcome, granted.reason) == (Outcome.BLOCKED, Reason.NOT_ASSIGNED)


def test_an_administrator_may_consent_to_whatever_is_registered() -> None:
    snapshot = snapshot_of(tenant(client=VERIFIED))
    admin = subject_of(
        {
            "id": pool.ALICE,
            "userType": "Member",
            "roles": [pool.GLOBAL_ADMINISTRATOR],
            "role_actions": [],
            "groups": [],
        },
        snapshot,
    )
    assert decide(snapshot, app_at(DEFAULT), admin).outcome is Outcome.USER_MAY_CONSENT


@pytest.mark.parametrize(
    "policies", [pytest.param((), id="consent off"), pytest.param((pool.LEGACY,), id="consent on")]
)
@pytest.mark.parametrize("client", [pytest.param(VERIFIED, id="present"), pytest.param(None, id="absent")])
@pytest.mark.parametrize(
    "address",
    [
        pytest.param(DEFAULT, id="default"),
        pytest.param(f"{V1}&resource={pool.EXCHANGE}", id="v1"),
        pytest.param(V1, id="v1 without a resource"),
    ],
)
def test_the_admin_consent_link_is_the_first_fix(address: str, client: Json | None, policies: tuple[str, ...]) -> None:
    document = tenant(*policies, client=client)
    if client is None:
        document["sections"]["absentServicePrincipals"] = [pool.CLIENT]
    first = fixes_for(snapshot_of(document), app_at(address))[0]
    assert f"/adminconsent?client_id={pool.CLIENT}" in first.link
    assert (first.proven.outcome, first.proven.confidence) == ("connects-silently", "likely")
    assert "registration" in first.opens["summary"]
    assert not first.steps.graph, "nobody here can write the grant"


# ---- National clouds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cloud", "client", "confidence"),
    [
        pytest.param("global", None, "certain", id="global"),
        pytest.param("us-gov", None, "likely", id="US Government"),
        pytest.param("us-gov-dod", None, "likely", id="DoD"),
        pytest.param("china", None, "likely", id="China"),
        pytest.param("us-gov", UNVERIFIED, "certain", id="an app that is there"),
    ],
)
def test_whether_an_absent_app_exists_in_a_national_cloud_is_not_known(
    cloud: str, client: Json | None, confidence: str
) -> None:
    """Source: "National clouds": an app is registered in each cloud (else AADSTS700016)."""
    document = {**tenant(client=client), "cloud": cloud}
    if client is None:
        document["sections"]["absentServicePrincipals"] = [pool.CLIENT]
    snapshot, app = snapshot_of(document), app_of(plain_app(["Mail.Read"]))
    decision = decide(snapshot, app)
    assert (decision.outcome, decision.confidence.value) == (Outcome.NEEDS_ADMIN, confidence)
    for fix in fixes_for(snapshot, app):
        assert any("AADSTS700016" in doubt for doubt in fix.proven.doubts) == (confidence == "likely")
