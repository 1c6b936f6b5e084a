"""A tenant to read, and the means to read it in a test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from auditor.graph.collect import collect
from auditor.graph.retry import RetryPolicy
from auditor.graph.session import Endpoints, endpoints, open_graph
from auditor.graph.transport import GraphClient
from auditor.model.snapshot import Plan, Snapshot
from tests.graphserver import GraphServer
from tests.oracle.pool import publisher

TENANT = "0f6f6c4b-7a0e-4a8c-9d6c-2b1d5f3e4a10"
TAKEN = "2026-11-22T02:00:00Z"
GRAPH = "00000003-0000-0000-c000-000000000000"
CLIENT = "c1000000-0000-4000-8000-000000000001"
ABSENT = "c1000000-0000-4000-8000-00000000dead"
CUSTOM_ROLE = "d0000000-0000-4000-8000-000000000001"
USER = "e0000000-0000-4000-8000-000000000001"
MAIL_READ = "570282fd-fa5c-430d-a7fd-fc8dc98a9dca"
MAIL_READ_ROLE = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"
POLICY = "microsoft-user-default-low"

SECTIONS: dict[str, Any] = {
    "organization": [
        {
            "id": TENANT,
            "displayName": "Fabrikam",
            "tenantType": "AAD",
            "verifiedDomains": [{"name": "fabrikam.example", "isDefault": True, "isInitial": False}],
        }
    ],
    "authorizationPolicy": {
        "id": "authorizationPolicy",
        "allowUserConsentForRiskyApps": None,
        "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [f"ManagePermissionGrantsForSelf.{POLICY}"]},
    },
    "permissionGrantPolicies": [
        {
            "id": POLICY,
            "includes": [
                {
                    "id": "set-1",
                    "permissionType": "delegated",
                    "permissionClassification": "low",
                    "certifiedClientApplicationsOnly": True,
                }
            ],
            "excludes": [],
        }
    ],
    "adminConsentRequestPolicy": {"isEnabled": True, "notifyReviewers": True, "reviewers": []},
    "conditionalAccessPolicies": [
        {
            "id": "ca000000-0000-4000-8000-000000000001",
            "displayName": "Managed devices only",
            "state": "enabled",
            "conditions": {
                "applications": {"includeApplications": ["All"], "excludeApplications": [], "includeUserActions": []},
                "users": {"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [], "excludeGroups": []},
                "clientAppTypes": ["all"],
                "platforms": None,
                "locations": None,
                "signInRiskLevels": [],
                "userRiskLevels": [],
            },
            "grantControls": {"operator": "OR", "builtInControls": ["compliantDevice"], "termsOfUse": []},
            "sessionControls": None,
        }
    ],
    "directorySettings": [
        {"id": "s1", "templateId": "t1", "values": [{"name": "BlockUserConsentForRiskyApps", "value": "true"}]}
    ],
    "servicePrincipals": [
        {
            "id": "sp-client",
            "appId": CLIENT,
            "displayName": "Recruiting",
            "accountEnabled": True,
            "replyUrls": ["https://recruiting.example/callback"],
            "verifiedPublisher": publisher(None),
        },
        {
            "id": "sp-graph",
            "appId": GRAPH,
            "displayName": "Microsoft Graph",
            "accountEnabled": True,
            "oauth2PermissionScopes": [{"id": MAIL_READ, "value": "Mail.Read", "type": "User", "isEnabled": True}],
            "appRoles": [{"id": MAIL_READ_ROLE, "value": "Mail.Read", "isEnabled": True}],
        },
    ],
    "delegatedPermissionClassifications": {
        GRAPH: [{"id": "c1", "permissionId": MAIL_READ, "permissionName": "Mail.Read", "classification": "low"}]
    },
    "oauth2PermissionGrants": [
        {
            "id": f"g{number}",
            "clientId": "sp-client",
            "consentType": "Principal",
            "principalId": f"user-{number}",
            "resourceId": "sp-graph",
            "scope": "Mail.Read",
        }
        for number in range(5)
    ],
    "appRoleAssignedTo": {
        CLIENT: [{"id": "a1", "principalId": USER, "principalType": "User", "resourceId": "sp-client"}]
    },
    "appRoleAssignments": {
        CLIENT: [
            {
                "id": "h1",
                "principalId": "sp-client",
                "principalType": "ServicePrincipal",
                "resourceId": "sp-graph",
                "appRoleId": MAIL_READ_ROLE,
            }
        ]
    },
    "roleDefinitions": [
        {"id": "builtin", "displayName": "Global Administrator", "isBuiltIn": True, "rolePermissions": []},
        {"id": CUSTOM_ROLE, "displayName": "Consenters", "isBuiltIn": False, "rolePermissions": []},
    ],
    "roleAssignments": [
        {"id": "ra1", "roleDefinitionId": CUSTOM_ROLE, "principalId": USER, "directoryScopeId": "/"},
        {"id": "ra2", "roleDefinitionId": "builtin", "principalId": "someone-else", "directoryScopeId": "/"},
    ],
    "users": [
        {
            "id": USER,
            "userPrincipalName": "ada#EXT#@fabrikam.example",
            "displayName": "Ada",
            "userType": "Guest",
            "memberOf": [{"id": "group-1", "displayName": "Recruiters"}],
            "assignedPlans": [
                {
                    "service": "exchange",
                    "servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
                    "capabilityStatus": "Enabled",
                }
            ],
        }
    ],
    "appConsentRequests": [
        {
            "id": "q1",
            "appId": CLIENT,
            "appDisplayName": "Recruiting",
            "userConsentRequests": [{"id": "w1", "status": "InProgress", "reason": "please"}],
        }
    ],
    "signIns": [
        {"id": "n1", "appId": CLIENT, "createdDateTime": "2026-11-20T09:00:00Z", "status": {"errorCode": 90094}},
        {"id": "n2", "appId": CLIENT, "createdDateTime": "2026-11-20T09:00:00Z", "status": {"errorCode": 50076}},
        {"id": "n3", "appId": CLIENT, "createdDateTime": "2026-10-01T09:00:00Z", "status": {"errorCode": 90094}},
        {"id": "n4", "appId": GRAPH, "createdDateTime": "2026-11-20T09:00:00Z", "status": {"errorCode": 90094}},
    ],
    "servicePrincipalSignInActivities": [
        {"id": "l1", "appId": CLIENT, "lastSignInActivity": {"lastSignInDateTime": "2026-11-20T09:00:00Z"}},
        {"id": "l2", "appId": GRAPH, "delegatedResourceSignInActivity": {"lastSignInDateTime": "2026-11-21T09:00:00Z"}},
    ],
    "directoryAudits": [
        {"id": "d1", "activityDisplayName": "Consent to application", "activityDateTime": "2026-11-21T09:00:00Z"},
        {"id": "d2", "activityDisplayName": "Add user", "activityDateTime": "2026-11-21T09:00:00Z"},
    ],
    "configurationDrifts": [
        {
            "id": "f1",
            "resourceType": "microsoft.entra.authorizationpolicy",
            "baselineResourceDisplayName": "Authorization policy",
            "firstReportedDateTime": "2026-11-21T12:00:09.2072475Z",
            "status": "active",
            "resourceInstanceIdentifier": {"IsSingleInstance": "Yes"},
            "driftedProperties": [{"propertyName": "GuestUserRole", "currentValue": "User", "desiredValue": "Guest"}],
        },
        {
            "id": "f2",
            "resourceType": "microsoft.exchange.accepteddomain",
            "firstReportedDateTime": "2026-11-21T12:00:09Z",
            "status": "active",
        },
        {
            "id": "f3",
            "resourceType": "microsoft.entra.group",
            "firstReportedDateTime": "2026-11-21T12:00:09Z",
            "status": "active",
        },
    ],
}

PREFLIGHT = Plan(
    sections=(
        "organization",
        "authorizationPolicy",
        "permissionGrantPolicies",
        "adminConsentRequestPolicy",
        "conditionalAccessPolicies",
        "roleDefinitions",
    ),
    clients=(CLIENT,),
    resources=(GRAPH,),
)
"""What a vendor's pack asks: one app, one resource, the tenant's policies."""


def tenant(tenant_id: str = TENANT, /, **sections: Any) -> dict[str, Any]:
    """The tenant as a snapshot document, with these sections in place of the usual ones."""
    return {
        "format": "consent-auditor/snapshot",
        "version": 1,
        "tenant": {"id": tenant_id, "name": "Fabrikam"},
        "sections": {**SECTIONS, **sections},
    }


class Sleeps:
    """A clock that only sleeping moves, and a record of how long was slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Take no time at all."""
        self.slept.append(seconds)
        self.now += seconds

    def retry(self, seconds: float = 300.0, **options: Any) -> RetryPolicy:
        """RetryPolicy by this clock, without chance."""
        return RetryPolicy(
            seconds, clock=lambda: self.now, sleep=self.sleep, jitter=lambda: 1.0, wall=lambda: 0.0, **options
        )


def where(server: GraphServer, *, graph: str = "") -> Endpoints:
    """The server's addresses."""
    return endpoints(authority_host=server.authority, graph_endpoint=graph or server.graph)


T = TypeVar("T")


def with_client(
    server: GraphServer,
    use: Callable[[GraphClient], Awaitable[T]],
    *,
    environ: Mapping[str, str] | None = None,
    retry: RetryPolicy | None = None,
    **options: Any,
) -> T:
    """What `use` makes of a client for the server's first tenant."""

    async def run() -> T:
        async with open_graph(
            at=options.pop("at", None) or where(server),
            environ=server.env() if environ is None else environ,
            retry=retry or Sleeps().retry(),
            **options,
        ) as client:
            return await use(client)

    return asyncio.run(run())


def read(
    server: GraphServer,
    plan: Plan,
    *,
    onto: Snapshot | None = None,
    progress: Callable[[str, int, int | None], None] | None = None,
    cloud: str = "global",
    **options: Any,
) -> Snapshot:
    """The snapshot that `plan` gives of the server's first tenant."""

    async def use(client: GraphClient) -> Snapshot:
        return await collect(
            client,
            plan,
            tenant_id=server.tenant.id,
            cloud=cloud,
            taken=TAKEN,
            tool="test",
            onto=onto,
            progress=progress,
        )

    return with_client(server, use, **options)
