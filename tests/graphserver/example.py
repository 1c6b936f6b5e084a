"""A small tenant for the tests of the server itself, and how they ask it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.graphserver import CLIENT_ID, GraphServer
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
    "servicePrincipalSignInActivities": [
        {"id": "l1", "appId": VENDOR, "lastSignInActivity": {"lastSignInDateTime": "2026-11-19T09:00:00Z"}}
    ],
    "directoryAudits": [
        {"id": "d1", "activityDisplayName": "Consent to application", "activityDateTime": "2026-11-19T09:02:11.12Z"},
        {"id": "d2", "activityDisplayName": "Add user", "activityDateTime": "2026-11-20T09:02:11Z"},
    ],
    "configurationDrifts": [
        {
            "id": "f1",
            "resourceType": "microsoft.entra.authorizationpolicy",
            "firstReportedDateTime": "2026-11-20T12:00:09Z",
            "status": "active",
            "driftedProperties": [{"propertyName": "GuestUserRole"}],
        },
    ],
    "users": [
        {"id": "u1", "userPrincipalName": "amy@x.example", "userType": "Member", "memberOf": [{"id": "group-1"}]}
    ],
}
DOCUMENT = {"tenant": {"id": TENANT, "name": "Example"}, "sections": SECTIONS}


def connected(server: GraphServer) -> httpx.Client:
    """A client whose requests carry a token with every role."""
    return httpx.Client(base_url=server.graph, verify=server.trust, headers=server.bearer(), timeout=HUNG_AFTER)


def fetch(server: GraphServer, path: str, token: str | None = None, **options: Any) -> httpx.Response:
    """The answer to a request with `token`, or with a new token of these options; see `GraphServer.token`."""
    headers = {"Authorization": f"Bearer {token}"} if token else server.bearer(**options)
    return httpx.get(server.graph + path, verify=server.trust, headers=headers, timeout=HUNG_AFTER)


def code(response: httpx.Response) -> tuple[int, str]:
    """The status and the error code of a refusal."""
    return response.status_code, response.json()["error"]["code"]


def ids(response: httpx.Response) -> list[str]:
    """The ids of the rows of one page."""
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["value"]]


def batch(client: httpx.Client, *urls: str, version: str = "v1.0", **extra: Any) -> dict[str, Any]:
    """The answers to one batch of requests, by the number of the request."""
    items = [{"id": str(number), "method": "GET", "url": url, **extra} for number, url in enumerate(urls)]
    response = client.post(f"/{version}/$batch", json={"requests": items})
    assert response.status_code == 200, response.text
    return {one["id"]: one for one in response.json()["responses"]}
