"""Small tenants with apps, grants, requests and logs, for surveys of apps."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.apps.held_permissions import APIS
from auditor.model.access_resources import AppConsentRequest, LastSignIn, SignIn, SignInActivity, SignInStatus
from auditor.model.resources import (
    AppRoleAssignment,
    OAuth2PermissionGrant,
    ServicePrincipal,
    VerifiedPublisher,
)
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample

GRAPH = "00000003-0000-0000-c000-000000000000"
VENDOR = "7d0c9f52-1111-4222-8333-444455556666"
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


def client_id(number: int) -> str:
    """The client id of the app with this number."""
    return f"a0000000-0000-4000-8000-{number:012d}"


def object_id(number: int) -> str:
    """The object id of the app with this number."""
    return f"b0000000-0000-4000-8000-{number:012d}"


def app(number: int, name: str, **properties: Any) -> ServicePrincipal:
    """A vendor's app of a verified publisher."""
    verified: VerifiedPublisher = properties.pop(
        "publisher", VerifiedPublisher(displayName="Vendor", verifiedPublisherId="1")
    )
    return ServicePrincipal(
        id=object_id(number),
        appId=client_id(number),
        displayName=name,
        accountEnabled=properties.pop("enabled", True),
        appRoleAssignmentRequired=False,
        appOwnerOrganizationId=properties.pop("owner", VENDOR),
        verifiedPublisher=verified,
        **properties,
    )


UNVERIFIED = VerifiedPublisher()


def request(number: int, name: str, scopes: str, *people: str) -> AppConsentRequest:
    """A request for approval by these users, which waits."""
    return AppConsentRequest(
        appId=client_id(number),
        id=f"request-{number}",
        appDisplayName=name,
        pendingScopes=tuple({"displayName": scope} for scope in scopes.split()),
        userConsentRequests=tuple(
            {"id": f"{number}-{who}", "status": "InProgress", "createdBy": {"user": {"id": who}}} for who in people
        ),
    )


def failed(number: int, user: str, at: str = "2026-11-20T10:00:00Z", code: int = 90094, name: str = "") -> SignIn:
    """A failed sign-in."""
    return SignIn(
        id=f"{number}-{user}-{at}",
        createdDateTime=at,
        appId=client_id(number),
        appDisplayName=name or None,
        userId=user,
        status=SignInStatus(errorCode=code),
    )


def last_used(number: int, at: str) -> SignInActivity:
    """When an app was last used."""
    return SignInActivity(appId=client_id(number), lastSignInActivity=LastSignIn(lastSignInDateTime=at))


class Directory:
    """A tenant of which the whole directory was read, with the consent setting of a sample tenant."""

    def __init__(self, setting: str = "managed-default") -> None:
        self._sample = sample(setting)
        self.principals = list(self._sample.sections.servicePrincipals or ())
        self.graph = next(one for one in self.principals if one.appId == GRAPH)
        self.tenant_id = self._sample.tenant.id
        self.grants: list[OAuth2PermissionGrant] = []
        self.roles: list[AppRoleAssignment] = []
        self.sections: dict[str, Any] = {
            "appConsentRequests": (),
            "signIns": (),
            "servicePrincipalSignInActivities": (),
        }

    def with_app(self, principal: ServicePrincipal, tenant_wide: str = "", **by_user: str) -> Directory:
        """The same with this app and its grants: for everybody, and by users."""
        self.principals.append(principal)
        rows: list[tuple[str, str | None, str]] = [("AllPrincipals", None, tenant_wide)] if tenant_wide else []
        rows += [("Principal", user, scopes) for user, scopes in by_user.items()]
        for kind, user, scopes in rows:
            self.grants.append(
                OAuth2PermissionGrant(
                    id=f"{principal.id}-{user}",
                    clientId=principal.id,
                    resourceId=self.graph.id,
                    consentType=kind,
                    principalId=user,
                    scope=scopes,
                )
            )
        return self

    def with_role(self, number: int, role: str) -> Directory:
        """The same, with an application permission (by id) of Microsoft Graph for the app."""
        self.roles.append(
            AppRoleAssignment(principalId=object_id(number), principalType="ServicePrincipal", appRoleId=role)
        )
        return self

    def snapshot(self, **sections: Any) -> Snapshot:
        """The snapshot; `sections` replace others, and none of them is one that wasn't read."""
        found: dict[str, Any] = {
            "servicePrincipals": tuple(self.principals),
            "oauth2PermissionGrants": tuple(self.grants),
            "appRoleAssignedTo": {**dict.fromkeys(APIS, ()), GRAPH: tuple(self.roles)},
            **self.sections,
            **sections,
        }
        return msgspec.structs.replace(
            self._sample, covers={}, sections=msgspec.structs.replace(self._sample.sections, **found)
        )
