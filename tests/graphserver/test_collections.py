"""The server answers with what Graph has, where Graph has it, and refuses what Graph refuses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.graphserver import GraphServer
from tests.graphserver.example import DOCUMENT, GRAPH_APP, TENANT, VENDOR, code, connected, fetch, ids


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
            "/v1.0/admin/configurationManagement/configurationDrifts"
            "?$filter=firstReportedDateTime ge 2026-11-01T00:00:00Z and startswith(resourceType,'microsoft.entra.')",
            ["f1"],
            id="configuration drifts by time and type",
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


def test_an_unknown_property_a_missing_segment_and_a_missing_license_have_their_own_errors() -> None:
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
