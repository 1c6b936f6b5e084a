"""The test server keeps Graph's and Entra's rules, so that what passes against it may pass against them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import azure.identity
import azure.identity.aio
import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.graphserver import (
    CLIENT_ID,
    CLIENT_SECRET,
    Body,
    Challenge,
    ContentType,
    Cut,
    EmptyPage,
    Fault,
    GraphServer,
    HtmlPage,
    LatencyProxy,
    NextLink,
    Redirect,
    Reset,
    Silence,
    Status,
)
from tests.graphserver.call import Call
from tests.limits import HUNG_AFTER

TENANT = "7b0c2d4e-1111-4222-8333-9a8b7c6d5e4f"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
VENDOR = "3c2f1f5e-7a7a-4d4d-9c9c-0b0b1a1a2c2c"
SCOPE = {"id": "5a5a0000-0000-4000-8000-00000000000a", "value": "Mail.Read", "type": "User", "isEnabled": True}
CONDITIONS = {"id": "set-1", "permissionType": "delegated", "certifiedClientApplicationsOnly": True}
SECTIONS: dict[str, Any] = {
    "authorizationPolicy": {
        "id": "authorizationPolicy",
        "allowUserConsentForRiskyApps": None,
        "defaultUserRolePermissions": {
            "allowedToCreateApps": True,
            "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-low"],
        },
    },
    "permissionGrantPolicies": [
        {"id": "custom-mail", "displayName": "Mail", "includes": [CONDITIONS], "excludes": []},
        {"id": "microsoft-user-default-low", "displayName": "Low", "includes": [], "excludes": []},
    ],
    "adminConsentRequestPolicy": {"isEnabled": False, "reviewers": []},
    "directorySettings": [{"id": "s", "templateId": "t", "values": []}],
    "servicePrincipals": [
        {"id": "sp-graph", "appId": GRAPH_APP, "displayName": "Graph", "oauth2PermissionScopes": [SCOPE]},
        {"id": "sp-vendor", "appId": VENDOR, "displayName": "Vendor", "accountEnabled": True},
        {"id": "sp-self", "appId": CLIENT_ID, "displayName": "Auditor"},
    ],
    "delegatedPermissionClassifications": {GRAPH_APP: [{"id": "c1", "classification": "low"}]},
    "appRoleAssignedTo": {VENDOR: [{"id": "a1", "principalType": "User"}]},
    "oauth2PermissionGrants": [
        {
            "id": "g1",
            "clientId": "sp-vendor",
            "consentType": "AllPrincipals",
            "principalId": None,
            "scope": " Mail.Read",
        },
        {"id": "g2", "clientId": "sp-vendor", "consentType": "Principal", "principalId": "u1", "scope": "User.Read"},
        {"id": "g3", "clientId": "sp-other", "consentType": "Principal", "principalId": "u2", "scope": "User.Read"},
    ],
    "applications": [{"id": "app-1", "appId": CLIENT_ID, "displayName": "Auditor"}],
    "roleDefinitions": [{"id": "r1", "isBuiltIn": True}, {"id": "r2", "isBuiltIn": False}],
    "roleAssignments": [{"id": "x", "roleDefinitionId": "r2", "principalId": "u1"}],
    "appConsentRequests": [{"id": "q1", "appId": VENDOR, "userConsentRequests": [{"id": "w", "status": "InProgress"}]}],
    "signIns": [
        {"id": "n1", "appId": VENDOR, "createdDateTime": "2026-11-19T09:00:00Z", "status": {"errorCode": 90094}}
    ],
    "directoryAudits": [
        {"id": "d1", "activityDisplayName": "Consent to application", "activityDateTime": "2026-11-19T09:02:11.12Z"},
        {"id": "d2", "activityDisplayName": "Add user", "activityDateTime": "2026-11-20T09:02:11Z"},
    ],
    "users": [
        {"id": "u1", "userPrincipalName": "amy@x.example", "userType": "Member", "memberOf": [{"id": "group-1"}]}
    ],
}
DOCUMENT = {"tenant": {"id": TENANT, "name": "Example"}, "sections": SECTIONS}


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with GraphServer(DOCUMENT) as running:
        yield running
    assert running.refused_writes == []


def connected(server: GraphServer) -> httpx.Client:
    return httpx.Client(base_url=server.graph, verify=server.trust, headers=server.bearer(), timeout=HUNG_AFTER)


def fetch(server: GraphServer, path: str, token: str | None = None, **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else server.bearer(**options)
    return httpx.get(server.graph + path, verify=server.trust, headers=headers, timeout=HUNG_AFTER)


@pytest.fixture
def client(server: GraphServer) -> Iterator[httpx.Client]:
    with connected(server) as one:
        yield one


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["value"]]


def batch(client: httpx.Client, *urls: str, version: str = "v1.0", **extra: Any) -> dict[str, Any]:
    items = [{"id": str(number), "method": "GET", "url": url, **extra} for number, url in enumerate(urls)]
    response = client.post(f"/{version}/$batch", json={"requests": items})
    assert response.status_code == 200, response.text
    return {one["id"]: one for one in response.json()["responses"]}


# What it serves


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(
            "/v1.0/servicePrincipals?$filter=appId eq '" + VENDOR + "'",
            ["sp-vendor"],
            id="a service principal by app id",
        ),
        pytest.param(
            "/v1.0/servicePrincipals?%24filter=appId%20eq%20%27nobody%27", [], id="no service principal of an app id"
        ),
        pytest.param(
            f"/v1.0/servicePrincipals?$filter=appId in ('{VENDOR}', '{GRAPH_APP}')",
            ["sp-graph", "sp-vendor"],
            id="service principals by two app ids",
        ),
        pytest.param(
            f"/v1.0/servicePrincipals(appId='{GRAPH_APP}')/delegatedPermissionClassifications",
            ["c1"],
            id="classifications by app id",
        ),
        pytest.param(
            "/v1.0/servicePrincipals/sp-graph/delegatedPermissionClassifications", ["c1"], id="classifications"
        ),
        pytest.param(
            "/v1.0/servicePrincipals/sp-vendor/delegatedPermissionClassifications", [], id="no classifications"
        ),
        pytest.param(
            f"/v1.0/servicePrincipals%28appId=%27{VENDOR}%27%29/appRoleAssignedTo",
            ["a1"],
            id="app roles assigned, brackets encoded",
        ),
        pytest.param(
            f"/v1.0/servicePrincipals(appId='{VENDOR}')/oauth2PermissionGrants", ["g1", "g2"], id="grants of a client"
        ),
        pytest.param(
            "/v1.0/oauth2PermissionGrants?$filter=clientId eq 'sp-vendor' and consentType eq 'Principal'",
            ["g2"],
            id="grants by two properties",
        ),
        pytest.param(
            "/beta/oauth2PermissionGrants?$filter=principalId eq 'u2'", ["g3"], id="grants by principal, beta"
        ),
        pytest.param("/v1.0/users/u1/oauth2PermissionGrants", ["g2"], id="grants of a user"),
        pytest.param("/v1.0/users/AMY@x.example/memberOf", ["group-1"], id="groups of a user by name"),
        pytest.param(
            "/v1.0/policies/permissionGrantPolicies",
            ["custom-mail", "microsoft-user-default-low"],
            id="permission grant policies",
        ),
        pytest.param(
            "/v1.0/policies/permissionGrantPolicies/custom-mail/includes", ["set-1"], id="condition sets included"
        ),
        pytest.param(
            "/v1.0/policies/permissionGrantPolicies/custom-mail/excludes", [], id="condition sets excluded, none"
        ),
        pytest.param("/beta/settings", ["s"], id="directory settings"),
        pytest.param("/beta/policies/authorizationPolicy", ["authorizationPolicy"], id="the authorization policy"),
        pytest.param(
            "/v1.0/roleManagement/directory/roleDefinitions?$filter=isBuiltIn eq false",
            ["r2"],
            id="role definitions by a flag",
        ),
        pytest.param(
            "/v1.0/roleManagement/directory/roleAssignments?$filter=(principalId eq 'u1' or principalId eq 'u9')",
            ["x"],
            id="role assignments by two principals",
        ),
        pytest.param(
            "/v1.0/auditLogs/signIns?$filter=createdDateTime ge 2026-11-01T00:00:00Z and status/errorCode eq 90094",
            ["n1"],
            id="sign-ins by time and error code",
        ),
        pytest.param(
            "/v1.0/auditLogs/directoryAudits?$orderby=activityDateTime desc",
            ["d2", "d1"],
            id="directory audits, latest first",
        ),
        pytest.param(
            "/v1.0/auditLogs/directoryAudits?$filter=startswith(activityDisplayName,'Consent')",
            ["d1"],
            id="directory audits by the start of a name",
        ),
        pytest.param(
            "/v1.0/identityGovernance/appConsent/appConsentRequests"
            "?$filter=userConsentRequests/any(u:u/status eq 'InProgress')",
            ["q1"],
            id="app consent requests by their user requests",
        ),
        pytest.param(
            "/v1.0/identityGovernance/appConsent/appConsentRequests/q1/userConsentRequests",
            ["w"],
            id="user requests of a consent request",
        ),
        pytest.param("/v1.0/organization", [TENANT], id="the organization"),
    ],
)
def test_every_collection_is_served_where_graph_has_it(client: httpx.Client, path: str, expected: list[str]) -> None:
    assert ids(client.get(path)) == expected


def test_a_selection_leaves_the_rest_out(client: httpx.Client) -> None:
    url = f"/v1.0/servicePrincipals(appId='{VENDOR}')?%24select=id%2CaccountEnabled"
    body = client.get(url).json()
    assert {name for name in body if not name.startswith("@")} == {"id", "accountEnabled"}
    assert "userType" not in client.get("/v1.0/users/u1").json()
    assert client.get("/v1.0/users/u1?$select=userType").json()["userType"] == "Member"


def test_beta_and_v1_spell_the_policies_differently(client: httpx.Client) -> None:
    beta = client.get("/beta/policies/authorizationPolicy/authorizationPolicy").json()
    assert beta["permissionGrantPolicyIdsAssignedToDefaultUserRole"][0].startswith("ManagePermissionGrantsForSelf.")
    assert "permissionGrantPoliciesAssigned" not in beta["defaultUserRolePermissions"]
    v1 = client.get("/v1.0/policies/authorizationPolicy").json()
    assert v1["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    shown = {
        version: client.get(f"/{version}/policies/permissionGrantPolicies/custom-mail").json()
        for version in ("v1.0", "beta")
    }
    assert "resourceScopeType" in shown["beta"] and "resourceScopeType" not in shown["v1.0"]
    assert shown["beta"]["includes"][0]["certifiedClientApplicationsOnly"] is True
    assert "certifiedClientApplicationsOnly" not in shown["v1.0"]["includes"][0]
    assert "publishedPermissionScopes" in client.get("/beta/servicePrincipals/sp-graph").json()


def test_the_list_of_consent_requests_hides_the_users_requests(client: httpx.Client) -> None:
    body = client.get("/v1.0/identityGovernance/appConsent/appConsentRequests").json()
    assert body["value"][0]["userConsentRequests"] == [] and body["@odata.count"] == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(
            "/v1.0/servicePrincipals(appId='nobody')", (404, "Request_ResourceNotFound"), id="no such service principal"
        ),
        pytest.param("/v1.0/applications(appId='nobody')", (404, "Request_ResourceNotFound"), id="no such application"),
        pytest.param("/v1.0/settings", (400, "BadRequest"), id="settings outside beta"),
        pytest.param("/v1.0/policies/nothing", (400, "BadRequest"), id="no such policy"),
        pytest.param("/v2.0/organization", (400, "BadRequest"), id="no such version"),
        pytest.param(
            "/v1.0/oauth2PermissionGrants?$filter=scope eq 'User.Read'",
            (400, "Request_UnsupportedQuery"),
            id="a filter by scope",
        ),
        pytest.param(
            "/v1.0/oauth2PermissionGrants?$filter=principalId eq 'u1'",
            (400, "Request_UnsupportedQuery"),
            id="a filter by principal alone",
        ),
        pytest.param(
            "/v1.0/oauth2PermissionGrants?$filter=clientId eq 'a' or clientId eq 'b'",
            (400, "Request_UnsupportedQuery"),
            id="a filter with or",
        ),
        pytest.param(
            "/v1.0/oauth2PermissionGrants?$filter=clientId eq 'open",
            (400, "Request_UnsupportedQuery"),
            id="a quote that isn't closed",
        ),
        pytest.param("/v1.0/servicePrincipals?$top=1000", (400, "Request_UnsupportedQuery"), id="too large a page"),
        pytest.param(
            "/v1.0/servicePrincipals?$skiptoken=AAAA",
            (400, "Directory_ExpiredPageToken"),
            id="a page token not given out",
        ),
        pytest.param(
            "/v1.0/servicePrincipals?$expand=owners", (400, "Request_UnsupportedQuery"), id="an expanded list"
        ),
    ],
)
def test_what_graph_refuses_is_refused(client: httpx.Client, path: str, expected: tuple[int, str]) -> None:
    response = client.get(path, headers={"client-request-id": "mine"})
    assert code(response) == expected
    inner = response.json()["error"]["innerError"]
    assert inner["request-id"] == response.headers["request-id"] and inner["date"]
    assert inner["client-request-id"] == response.headers["client-request-id"] == "mine"


def test_an_unknown_property_a_missing_segment_and_a_missing_licence_have_their_own_errors() -> None:
    rules: dict[str, Any] = {
        "unknown_properties": {"isDisabled"},
        "unavailable": {"appConsentRequests"},
        "premium": False,
    }
    with GraphServer(DOCUMENT, **rules) as server, connected(server) as client:
        assert code(client.get("/v1.0/servicePrincipals?$select=id,isDisabled")) == (400, "BadRequest")
        assert code(client.get("/v1.0/identityGovernance/appConsent/appConsentRequests")) == (400, "BadRequest")
        premium = code(client.get("/v1.0/auditLogs/signIns"))
        assert premium == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
        server.unknown_properties = set()
        assert len(ids(client.get("/v1.0/servicePrincipals?$select=id,isDisabled"))) == 3


def test_what_the_snapshot_could_not_read_is_refused_again() -> None:
    unread = {"oauth2PermissionGrants": {"status": 403, "code": "Authorization_RequestDenied"}}
    with GraphServer({**DOCUMENT, "unread": unread}) as server:
        assert code(fetch(server, "/v1.0/oauth2PermissionGrants")) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize("top", ["", "&$top=2"])
def test_ten_thousand_rows_arrive_once_each_over_opaque_links(top: str) -> None:
    rows = ({"id": f"sp-{number}", "appId": f"app-{number}", "tags": []} for number in range(10_000))
    document = {"tenant": {"id": TENANT}, "sections": {"servicePrincipals": rows}}
    with GraphServer(document, page_size=999) as server, connected(server) as client:
        url: str | None = "/v1.0/servicePrincipals?$select=id" + (top or "&$top=999")
        seen: list[str] = []
        while url and len(server.requests) < 20:
            page = client.get(url)
            seen += ids(page)
            url = page.json().get("@odata.nextLink")
        assert seen == [f"sp-{number}" for number in range(40 if top else 10_000)]
        assert server.connections == 1
        assert "$skiptoken" in server.requests[-1].query


# Whom it serves


@pytest.mark.parametrize(
    ("roles", "path", "expected"),
    [
        pytest.param(["Policy.Read.All"], "/v1.0/policies/authorizationPolicy", 200, id="policy with its permission"),
        pytest.param(
            ["Directory.Read.All"],
            "/v1.0/policies/authorizationPolicy",
            "AccessDenied",
            id="policy with the directory's",
        ),
        pytest.param(
            ["Policy.Read.All", "Directory.Read.All"],
            "/v1.0/policies/permissionGrantPolicies",
            "Authorization_RequestDenied",
            id="grant policies with neither",
        ),
        pytest.param(
            ["Policy.Read.PermissionGrant"],
            "/v1.0/policies/permissionGrantPolicies/custom-mail/includes",
            200,
            id="grant policy",
        ),
        pytest.param(["DelegatedPermissionGrant.Read.All"], "/v1.0/oauth2PermissionGrants", 200, id="grants"),
        pytest.param(
            ["Application.Read.All"],
            "/v1.0/oauth2PermissionGrants",
            "Authorization_RequestDenied",
            id="grants with the permission for apps",
        ),
        pytest.param(["Directory.Read.All"], f"/v1.0/servicePrincipals(appId='{VENDOR}')", 200, id="an app by app id"),
        pytest.param(
            [],
            f"/v1.0/servicePrincipals(appId='{VENDOR}')",
            "Authorization_RequestDenied",
            id="another's app without a role",
        ),
        pytest.param([], f"/v1.0/servicePrincipals(appId='{CLIENT_ID}')", 200, id="its own app by app id"),
        pytest.param([], "/v1.0/servicePrincipals/sp-self", 200, id="its own app by id"),
        pytest.param([], "/v1.0/servicePrincipals", "Authorization_RequestDenied", id="all apps without a role"),
        pytest.param(
            ["User.Read.All"], "/v1.0/users/u1/memberOf", "Authorization_RequestDenied", id="groups of a user"
        ),
        pytest.param([], "/v1.0/auditLogs/signIns", "Authentication_MSGraphPermissionMissing", id="sign-ins"),
    ],
)
def test_each_endpoint_wants_its_own_permission(
    server: GraphServer, roles: list[str], path: str, expected: int | str
) -> None:
    answer = fetch(server, path, roles=roles)
    assert (200 if answer.status_code == 200 else code(answer)[1]) == expected
    assert answer.status_code in (200, 403)


def test_a_bad_token_is_answered_401(server: GraphServer) -> None:
    stale = server.bearer()
    server.expire_tokens()
    bad = [{}, stale, server.bearer(lifetime=-10), server.bearer(foreign=True), server.bearer(tenant_id="elsewhere")]
    bad += [server.bearer(audience="https://graph.microsoft.com"), {"Authorization": "Bearer rubbish"}]
    for headers in bad:
        answer = httpx.get(f"{server.graph}/v1.0/organization", verify=server.trust, headers=headers)
        assert code(answer) == (401, "InvalidAuthenticationToken")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert [one.authorized for one in server.requests] == [False] + [True] * 6
    assert not any("authorization" in one.headers for one in server.requests)


def test_a_users_token_may_read_what_its_scopes_allow(server: GraphServer) -> None:
    assert ids(fetch(server, "/v1.0/users/u1/memberOf", scopes=["User.Read.All"])) == ["group-1"]


def test_two_tenants_are_distinguished_by_the_token() -> None:
    other = {"tenant": {"id": "another", "name": "Other"}, "sections": {}}
    with GraphServer(DOCUMENT, other) as server:
        assert ids(fetch(server, "/v1.0/organization", tenant_id="another")) == ["another"]
        assert server.requests[0].tenant_id == "another"


# Batches and writes


def test_a_batch_answers_each_item_by_itself_and_in_any_order(server: GraphServer, client: httpx.Client) -> None:
    urls = [
        "/organization",
        "/servicePrincipals(appId='nobody')?$select=id",
        "oauth2PermissionGrants?$filter=clientId eq 'sp-vendor'",
    ]
    found = batch(
        client, *urls, "https://evil.example/v1.0/organization", "/v1.0/organization", *["/organization"] * 15
    )
    assert [found[str(number)]["status"] for number in range(5)] == [200, 404, 200, 400, 400]
    assert [row["id"] for row in found["2"]["body"]["value"]] == ["g1", "g2"]
    assert list(found) != sorted(found, key=int)
    (record,) = server.requests
    assert [item.status for item in record.items[:3]] == [200, 404, 200]
    assert record.items[1].path == "/servicePrincipals(appId='nobody')" and record.items[1].query == {"$select": "id"}


def test_a_batch_keeps_its_rules(client: httpx.Client) -> None:
    def post(items: Any) -> httpx.Response:
        return client.post("/v1.0/$batch", json={"requests": items})

    item = {"id": "a", "method": "GET", "url": "/organization"}
    assert code(post([{**item, "id": str(number)} for number in range(21)])) == (400, "BadRequest")
    assert code(post([item, item])) == code(post([])) == code(post("no")) == (400, "BadRequest")
    assert code(post([{**item, "dependsOn": ["z"]}])) == (400, "BadRequest")
    after = {**item, "id": "b", "dependsOn": ["a"]}
    answers = post([after, {**item, "url": "/servicePrincipals/none"}]).json()["responses"]
    assert {one["id"]: one["status"] for one in answers} == {"a": 404, "b": 424}
    assert code(client.post("/v1.0/$batch", headers={"Authorization": ""}, json={})) == (
        401,
        "InvalidAuthenticationToken",
    )


def test_a_link_in_a_batched_page_leads_on_outside_the_batch() -> None:
    with GraphServer(DOCUMENT, page_size={"oauth2PermissionGrants": 2}) as server, connected(server) as client:
        first = batch(client, "/oauth2PermissionGrants")["0"]["body"]
        assert len(first["value"]) == 2
        assert ids(client.get(first["@odata.nextLink"])) == ["g3"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_every_write_is_refused_and_remembered(method: str) -> None:
    with GraphServer(DOCUMENT) as server, connected(server) as client:
        assert code(client.request(method, "/v1.0/oauth2PermissionGrants/g1"))[0] == 405
        item = {"id": "1", "method": method, "url": "/servicePrincipals/sp-vendor", "body": {"accountEnabled": False}}
        answer = client.post("/v1.0/$batch", json={"requests": [item]})
        assert answer.json()["responses"][0]["status"] == 405
        assert [(write.method, write.in_batch) for write in server.refused_writes] == [(method, False), (method, True)]


# Trouble


@pytest.mark.parametrize("retry_after", [None, 3, 2.128])
def test_throttling_strikes_as_often_as_scripted(
    server: GraphServer, client: httpx.Client, retry_after: float | None
) -> None:
    server.fault("/organization", Status(429, retry_after=retry_after), times=2)
    answers = [client.get("/v1.0/organization") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert not server.faults_left()


def test_a_retry_time_can_be_a_date_and_the_clock_can_be_wrong(server: GraphServer, client: httpx.Client) -> None:
    server.fault("/organization", Status(503, retry_date=1_800_000_000))
    reported = parsedate_to_datetime(client.get("/v1.0/organization").headers["Retry-After"])
    assert reported.timestamp() == 1_800_000_000
    first = parsedate_to_datetime(client.get("/v1.0/organization").headers["Date"])
    server.clock_skew_seconds = 3600
    second = parsedate_to_datetime(client.get("/v1.0/organization").headers["Date"])
    assert 3600 <= (second - first).total_seconds() < 3660


@pytest.mark.parametrize("kind", [Reset(), Cut()])
def test_a_connection_can_break_before_and_within_an_answer(
    server: GraphServer, client: httpx.Client, kind: Fault
) -> None:
    server.fault("/servicePrincipals", kind)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("/v1.0/servicePrincipals")
    assert client.get("/v1.0/servicePrincipals").status_code == 200
    assert server.connections == 2 and server.requests[0].fault == kind


def test_an_answer_can_never_come(server: GraphServer, client: httpx.Client) -> None:
    server.fault("/organization", Silence())
    with pytest.raises(httpx.ReadTimeout):  # connecting may take its time: only the answer is not waited for
        client.get("/v1.0/organization", timeout=httpx.Timeout(HUNG_AFTER, read=0.05))


def test_it_stops_whatever_state_its_connections_are_in() -> None:
    heard = threading.Event()

    def awaited(call: Call) -> bool:
        if call.path == "/users":
            heard.set()
        return call.path == "/users"

    with contextlib.ExitStack() as clients:
        with GraphServer(DOCUMENT) as server:
            idle, cut, waiting = (clients.enter_context(connected(server)) for _ in range(3))
            idle.get("/v1.0/organization")
            server.fault("/servicePrincipals", Cut())
            with pytest.raises(httpx.RemoteProtocolError):
                cut.get("/v1.0/servicePrincipals")
            server.fault(awaited, Silence())
            never = clients.enter_context(ThreadPoolExecutor(1)).submit(waiting.get, "/v1.0/users")
            assert heard.wait(HUNG_AFTER)
            mute = clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))  # no TLS handshake
        assert mute.recv(1) == b""
        assert isinstance(never.exception(HUNG_AFTER), httpx.TransportError)
        with pytest.raises(httpx.TransportError):
            idle.get("/v1.0/organization")
    gc.collect()  # a transport that was left open warns here, and a warning fails the test


def test_an_answer_can_be_something_else_altogether(server: GraphServer, client: httpx.Client) -> None:
    for kind in (HtmlPage(), ContentType("text/plain"), Body([1]), Body(b"{"), Redirect(server.foreign)):
        server.fault(lambda call: call.path == "/organization", kind)
    page, plain, shape, broken, moved = (client.get("/v1.0/organization") for _ in range(5))
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert plain.headers["Content-Type"] == "text/plain" and plain.json()["value"]
    assert shape.json() == [1] and broken.text == "{"
    assert moved.status_code == 302 and moved.headers["Location"] == server.foreign


def test_next_links_can_lead_astray(server: GraphServer, client: httpx.Client) -> None:
    for kind in (EmptyPage(), NextLink(), NextLink(f"{server.foreign}/v1.0/more"), Challenge()):
        server.fault("/oauth2PermissionGrants", kind)
    empty, loop, foreign, challenged = (client.get("/v1.0/oauth2PermissionGrants?$top=5") for _ in range(4))
    assert ids(empty) == [] and ids(client.get(empty.json()["@odata.nextLink"])) == ["g1", "g2", "g3"]
    assert loop.json()["@odata.nextLink"] == str(loop.url)
    client.get(foreign.json()["@odata.nextLink"])
    assert [stray.authorized for stray in server.strays] == [True]
    assert "insufficient_claims" in challenged.headers["WWW-Authenticate"]


def test_trouble_can_befall_one_item_of_a_batch(server: GraphServer, client: httpx.Client) -> None:
    server.fault("/organization", Status(429, retry_after=4))
    server.fault("/organization", Reset())
    found = batch(client, "/organization", "/organization", "/servicePrincipals/sp-self")
    assert [found[name]["status"] for name in "012"] == [429, 200, 200]
    assert found["0"]["headers"]["Retry-After"] == "4"
    assert len(server.faults_left()) == 1


def test_answers_are_squeezed_for_those_who_can_unpack_them(client: httpx.Client) -> None:
    assert client.get("/v1.0/servicePrincipals").headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/v1.0/servicePrincipals", headers={"Accept-Encoding": ""}).headers


# Tokens


def credential(server: GraphServer, kind: str, module: Any = azure.identity, **changed: str) -> Any:
    common: dict[str, Any] = {
        "authority": server.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(server.ca_file),
        "retry_total": 0,
    }
    who = {"tenant_id": TENANT, "client_id": CLIENT_ID}
    if kind == "secret":
        return module.ClientSecretCredential(**{**who, "client_secret": CLIENT_SECRET, **changed}, **common)
    if kind == "certificate":
        return module.CertificateCredential(**who, certificate_path=str(server.certificate_file()), **common)
    path = server.env("workload")["AZURE_FEDERATED_TOKEN_FILE"]
    return module.WorkloadIdentityCredential(**who, token_file_path=path, **common)


@pytest.mark.parametrize("kind", ["secret", "certificate", "workload"])
def test_azure_identity_gets_a_token_that_graph_takes(server: GraphServer, kind: str) -> None:
    with credential(server, kind) as one:
        token = one.get_token(f"{server.graph}/.default", enable_cae=True).token
    assert ids(fetch(server, "/v1.0/organization", token)) == [TENANT]


@pytest.mark.parametrize("kind", ["secret", "certificate", "workload"])
def test_azure_identity_gets_its_token_asynchronously_in_one_request(server: GraphServer, kind: str) -> None:
    async def token() -> str:
        async with credential(server, kind, azure.identity.aio) as one:
            return str((await one.get_token(f"{server.graph}/.default")).token)

    assert asyncio.run(token()).count(".") == 2
    (asked,) = server.token_requests
    assert (asked.grant_type, asked.client_id, asked.status) == ("client_credentials", CLIENT_ID, 200)


def test_a_user_signs_in_by_device_code(server: GraphServer, capsys: pytest.CaptureFixture[str]) -> None:
    with azure.identity.DeviceCodeCredential(
        CLIENT_ID,
        tenant_id=TENANT,
        authority=server.authority,
        disable_instance_discovery=True,
        connection_verify=str(server.ca_file),
    ) as one:
        token = one.get_token(f"{server.graph}/Directory.Read.All").token
    assert [asked.error for asked in server.token_requests if asked.grant_type] == [70016, None]
    assert "ABCD1234E" in capsys.readouterr().out
    assert ids(fetch(server, "/v1.0/users/u1/memberOf", token)) == ["group-1"]


def test_a_machine_gets_its_token_from_the_metadata_endpoint(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.env("managed").items():
        monkeypatch.setenv(name, value)
    with azure.identity.ManagedIdentityCredential() as one:
        token = one.get_token(f"{server.graph}/.default").token

    async def asynchronously() -> str:
        async with azure.identity.aio.ManagedIdentityCredential() as other:
            return str((await other.get_token(f"{server.graph}/.default")).token)

    for held in (token, asyncio.run(asynchronously())):
        assert ids(fetch(server, "/v1.0/organization", held)) == [TENANT]


@pytest.mark.parametrize(
    ("changed", "number", "status"),
    [
        pytest.param({"client_secret": "wrong"}, 7000215, 401, id="secret"),
        pytest.param({"client_id": "99999999-0000-4000-8000-000000000000"}, 700016, 400, id="app"),
        pytest.param({"tenant_id": "99999999-0000-4000-8000-000000000000"}, 90002, 400, id="tenant"),
    ],
)
def test_a_wrong_credential_gets_its_aadsts_number(
    server: GraphServer, changed: dict[str, str], number: int, status: int
) -> None:
    async def token() -> None:
        async with credential(server, "secret", azure.identity.aio, **changed) as one:
            await one.get_token(f"{server.graph}/.default")

    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}"):
        asyncio.run(token())
    assert (server.token_requests[-1].error, server.token_requests[-1].status) == (number, status)


def test_expired_secrets_foreign_assertions_and_absent_apps_are_refused(server: GraphServer) -> None:
    url, form = (
        f"{server.authority}/{TENANT}/oauth2/v2.0/token",
        {"grant_type": "client_credentials", "client_id": CLIENT_ID},
    )

    def numbers(**more: str) -> list[int]:
        scope = {"scope": f"{server.graph}/.default"}
        answer = httpx.post(url, data={**form, **scope, **more}, verify=server.trust)
        return list(answer.json().get("error_codes", []))

    assert numbers(client_secret=CLIENT_SECRET) == []
    assert numbers(client_secret=CLIENT_SECRET, scope="https://elsewhere.example/.default") == [500011]
    assert numbers(client_assertion="rubbish") == [50027]
    assert numbers() == [7000218]
    server.client.secret_expired = True
    assert numbers(client_secret=CLIENT_SECRET) == [7000222]
    server.client.roles_in[TENANT] = None
    assert numbers(client_secret=CLIENT_SECRET) == [700016]
    server.token_fault(Status(503))
    assert numbers() == [90033]


def test_the_environment_is_all_a_client_needs(server: GraphServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.env().items():
        monkeypatch.setenv(name, value)
    with azure.identity.EnvironmentCredential(authority=server.authority, disable_instance_discovery=True) as one:
        token = one.get_token(f"{server.graph}/.default").token
    assert ids(httpx.get(f"{server.graph}/v1.0/organization", headers={"Authorization": f"Bearer {token}"})) == [TENANT]


# Distance


def test_the_proxy_counts_what_distance_costs(server: GraphServer) -> None:
    with LatencyProxy(server.port, 0.005) as proxy:
        with httpx.Client(base_url=proxy.url, verify=server.trust, headers=server.bearer()) as client:
            first = client.get("/v1.0/organization")
            assert first.elapsed.total_seconds() >= 0.01
            before = proxy.round_trips
            client.get("/v1.0/organization")
            assert proxy.round_trips == before + 1
        assert (proxy.connections, before) == (1, 3)
