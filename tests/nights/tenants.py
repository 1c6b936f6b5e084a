"""The three tenants before the first night, and what can be done to them, as changes of snapshot documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

ALPINE, BALTIC, CORAL = "alpine", "baltic", "coral"
TENANTS = {
    ALPINE: "a1000000-0000-4000-8000-000000000001",
    BALTIC: "b2000000-0000-4000-8000-000000000002",
    CORAL: "c3000000-0000-4000-8000-000000000003",
}

GRAPH = "00000003-0000-0000-c000-000000000000"
APP = "d4000000-0000-4000-8000-00000000000d"
APP_NAME = "Recruiting"
SCOPE = "Mail.Read"
MAIL_READ = "570282fd-fa5c-430d-a7fd-fc8dc98a9dca"
SIGN_IN = {
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
}
ADMIN = {"id": "e5000000-0000-4000-8000-00000000000e", "userPrincipalName": "ada@alpine.example"}
RECOMMENDED, LOW = "microsoft-user-default-recommended", "microsoft-user-default-low"
PUBLISHER = {"displayName": "Recruiting Ltd", "verifiedPublisherId": "1234567", "addedDateTime": "2025-01-01T00:00:00Z"}
NO_PUBLISHER = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
REVIEWER = {"query": "/users/e5000000-0000-4000-8000-00000000000e", "queryType": "MicrosoftGraph", "queryRoot": None}
BO = "e6000000-0000-4000-8000-00000000000e"
OTHER_REVIEWER = {**REVIEWER, "query": f"/users/{BO}"}


def tenant(name: str) -> Json:
    """A tenant before the first night, as a snapshot document. `CORAL` doesn't have the app yet."""
    resource = {
        "id": "sp-graph",
        "appId": GRAPH,
        "displayName": "Microsoft Graph",
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "servicePrincipalType": "Application",
        "verifiedPublisher": NO_PUBLISHER,
        "oauth2PermissionScopes": [
            {"id": MAIL_READ, "value": SCOPE, "type": "User", "isEnabled": True},
            *({"id": id_, "value": name, "type": "User", "isEnabled": True} for name, id_ in SIGN_IN.items()),
        ],
    }
    return {
        "format": "consent-auditor/snapshot",
        "version": 1,
        "tenant": {"id": TENANTS[name], "name": name.capitalize()},
        "sections": {
            "organization": [
                {
                    "id": TENANTS[name],
                    "displayName": name.capitalize(),
                    "tenantType": "AAD",
                    "verifiedDomains": [{"name": f"{name}.example", "isDefault": True, "isInitial": True}],
                }
            ],
            "authorizationPolicy": {
                "id": "authorizationPolicy",
                "allowUserConsentForRiskyApps": False,
                "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [_for_users(RECOMMENDED)]},
            },
            "permissionGrantPolicies": [
                {"id": LOW, "includes": [_conditions("low-1", permissionClassification="low")], "excludes": []},
                {"id": RECOMMENDED, "includes": [_conditions("all-1")], "excludes": []},
            ],
            "adminConsentRequestPolicy": {
                "isEnabled": True,
                "notifyReviewers": True,
                "remindersEnabled": True,
                "requestDurationInDays": 30,
                "reviewers": [REVIEWER],
            },
            "conditionalAccessPolicies": [],
            "directorySettings": [],
            "servicePrincipals": [resource, *([] if name == CORAL else [_app()])],
            "delegatedPermissionClassifications": {GRAPH: []},
            "appRoleAssignedTo": {},
            "oauth2PermissionGrants": [],
            "directoryAudits": [],
            "users": [
                {**ADMIN, "displayName": "Ada", "userType": "Member", "accountEnabled": True},
                {"id": BO, "displayName": "Bo", "userType": "Member", "accountEnabled": True},
            ],
        },
    }


def _for_users(policy: str) -> str:
    return f"ManagePermissionGrantsForSelf.{policy}"


def _conditions(name: str, **conditions: Any) -> Json:
    return {
        "id": name,
        "permissionType": "delegated",
        "permissionClassification": "all",
        "permissions": ["all"],
        "resourceApplication": "any",
        "clientApplicationIds": ["all"],
        "clientApplicationTenantIds": ["all"],
        "clientApplicationPublisherIds": ["all"],
        "clientApplicationsFromVerifiedPublisherOnly": False,
        **conditions,
    }


def _app() -> Json:
    return {
        "id": "sp-app",
        "appId": APP,
        "displayName": APP_NAME,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "appOwnerOrganizationId": "f6000000-0000-4000-8000-00000000000f",
        "servicePrincipalType": "Application",
        "replyUrls": ["https://recruiting.example/callback"],
        "verifiedPublisher": PUBLISHER,
    }


def nothing(_: Json) -> None:
    """Nothing was done: what is found that night is that Graph answers, or that it doesn't."""


def _section(document: Json, name: str) -> Any:
    return document["sections"][name]


def _own_app(document: Json) -> Json:
    return next(one for one in _section(document, "servicePrincipals") if one["appId"] == APP)


def exclude_mail(document: Json) -> None:
    policy = next(one for one in _section(document, "permissionGrantPolicies") if one["id"] == RECOMMENDED)
    policy["excludes"] = [_conditions("no-mail", permissions=[MAIL_READ], resourceApplication=GRAPH)]


def include_mail_again(document: Json) -> None:
    policy = next(one for one in _section(document, "permissionGrantPolicies") if one["id"] == RECOMMENDED)
    policy["excludes"] = []


def assign(*policies: str) -> Callable[[Json], None]:
    def do(document: Json) -> None:
        role = _section(document, "authorizationPolicy")["defaultUserRolePermissions"]
        role["permissionGrantPoliciesAssigned"] = list(map(_for_users, policies))

    return do


def classify(level: str) -> Callable[[Json], None]:
    def do(document: Json) -> None:
        row = {"id": "c1", "permissionId": MAIL_READ, "permissionName": SCOPE, "classification": level}
        _section(document, "delegatedPermissionClassifications")[GRAPH] = [row] if level else []

    return do


def workflow(**values: Any) -> Callable[[Json], None]:
    return lambda document: _section(document, "adminConsentRequestPolicy").update(values)


def set_app(**values: Any) -> Callable[[Json], None]:
    return lambda document: _own_app(document).update(values)


def add_app(document: Json) -> None:
    _section(document, "servicePrincipals").append(_app())


def grant(user: str = "") -> Callable[[Json], None]:
    """Grant the scope of the app for one user, or for all users."""

    def do(document: Json) -> None:
        _section(document, "oauth2PermissionGrants").append(
            {
                "id": f"grant-{user or 'all'}",
                "clientId": "sp-app",
                "consentType": "Principal" if user else "AllPrincipals",
                "principalId": user or None,
                "resourceId": "sp-graph",
                "scope": SCOPE,
            }
        )

    return do


def granted_by_ada(document: Json) -> None:
    grant()(document)
    _section(document, "directoryAudits").append(
        {
            "id": "consent-1",
            "activityDisplayName": "Consent to application",
            "activityDateTime": "2026-06-06T09:30:00Z",
            "category": "ApplicationManagement",
            "result": "success",
            "initiatedBy": {"user": {**ADMIN, "displayName": None}, "app": None},
            "targetResources": [{"id": "sp-app", "type": "ServicePrincipal", "displayName": APP_NAME}],
        }
    )


def revoke(user: str = "") -> Callable[[Json], None]:
    def do(document: Json) -> None:
        rows = _section(document, "oauth2PermissionGrants")
        document["sections"]["oauth2PermissionGrants"] = [one for one in rows if one["id"] != f"grant-{user or 'all'}"]

    return do
