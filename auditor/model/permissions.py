"""The Microsoft Graph application permissions that the sections of a snapshot need.

Source: the permission tables of the Graph v1.0 reference (each list page), and the live service principal
for the ids. ``Policy.Read.All`` is not enough for permission grant policies, and the documented permission
for delegated grants is ``Directory.Read.All``, of which ``DelegatedPermissionGrant.Read.All`` is a narrower
alternative that live tenants offer without the reference naming it.
"""

from __future__ import annotations

from types import MappingProxyType

import msgspec


class ApplicationPermission(msgspec.Struct, frozen=True):
    """An app role of Microsoft Graph, and what an audit without it cannot tell."""

    name: str
    id: str
    without: str


_ALL = (
    ApplicationPermission(
        "Policy.Read.All",
        "246dd0d5-5bd0-4def-940b-0421030a5b68",
        "the user consent setting and the admin consent workflow: no verdict on user consent",
    ),
    ApplicationPermission(
        "Policy.Read.PermissionGrant",
        "9e640839-a198-48fb-8b9a-013fd6f6cbcd",
        "what the assigned consent policies really say: Microsoft's documented text stands in, verdicts become likely",
    ),
    ApplicationPermission(
        "Application.Read.All",
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
        "the app, its publisher, its scopes, assignments and classifications: most verdicts depend",
    ),
    ApplicationPermission(
        "Directory.Read.All",
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "which scopes were granted already: whether users connect without being asked",
    ),
    ApplicationPermission(
        "DelegatedPermissionGrant.Read.All",
        "81b4724a-58aa-41c1-8a55-84ef97466587",
        "which scopes were granted already: whether users connect without being asked",
    ),
    ApplicationPermission(
        "ConsentRequest.Read.All",
        "1260ad83-98fb-4785-abbb-d6cc1806fd41",
        "requests for admin consent that wait for a reviewer",
    ),
    ApplicationPermission(
        "GroupSettings.Read.All",
        "f3c4f514-c65a-43f5-bfce-1735872258dd",
        "the directory setting that switches risk-based step-up consent",
    ),
    ApplicationPermission(
        "AuditLog.Read.All",
        "b0afded3-3588-46d8-8b3d-9842eff778da",
        "sign-ins that failed for want of consent, and who consented when",
    ),
    ApplicationPermission(
        "RoleManagement.Read.Directory",
        "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
        "custom roles that let some users consent although the default setting does not",
    ),
    ApplicationPermission(
        "Organization.Read.All",
        "498476ce-e0fe-48b0-b801-37ba7e2685c6",
        "the tenant's name",
    ),
    ApplicationPermission(
        "User.Read.All",
        "df021288-bdef-4463-88db-98f22de89214",
        "the user named with --user: whether a guest, and which groups assign the app",
    ),
)

PERMISSIONS = MappingProxyType({permission.name: permission for permission in _ALL})
"""By name."""

NEEDS = MappingProxyType(
    {
        "organization": ("Organization.Read.All", "Directory.Read.All"),
        "authorizationPolicy": ("Policy.Read.All",),
        "permissionGrantPolicies": ("Policy.Read.PermissionGrant",),
        "adminConsentRequestPolicy": ("Policy.Read.All",),
        "directorySettings": ("GroupSettings.Read.All", "Directory.Read.All"),
        "servicePrincipals": ("Application.Read.All", "Directory.Read.All"),
        "delegatedPermissionClassifications": ("Application.Read.All", "Directory.Read.All"),
        "oauth2PermissionGrants": ("DelegatedPermissionGrant.Read.All", "Directory.Read.All"),
        "appRoleAssignedTo": ("Application.Read.All", "Directory.Read.All"),
        "roleDefinitions": ("RoleManagement.Read.Directory", "Directory.Read.All"),
        "roleAssignments": ("RoleManagement.Read.Directory", "Directory.Read.All"),
        "users": ("User.Read.All", "Directory.Read.All"),
        "appConsentRequests": ("ConsentRequest.Read.All",),
        "signIns": ("AuditLog.Read.All",),
        "directoryAudits": ("AuditLog.Read.All",),
    }
)
"""For each section, any one of these permissions allows the read; the least one comes first."""

WIDER = MappingProxyType(
    {
        "Policy.Read.PermissionGrant": ("Policy.ReadWrite.PermissionGrant",),
        "Application.Read.All": ("Application.ReadWrite.All", "Directory.ReadWrite.All"),
        "Directory.Read.All": ("Directory.ReadWrite.All",),
        "DelegatedPermissionGrant.Read.All": ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
        "Organization.Read.All": ("Organization.ReadWrite.All", "Directory.ReadWrite.All"),
        "RoleManagement.Read.Directory": (
            "RoleManagement.ReadWrite.Directory",
            "RoleManagement.Read.All",
            "Directory.ReadWrite.All",
        ),
        "GroupSettings.Read.All": ("GroupSettings.ReadWrite.All", "Directory.ReadWrite.All"),
        "ConsentRequest.Read.All": ("ConsentRequest.ReadWrite.All",),
        "User.Read.All": ("User.ReadWrite.All", "Directory.ReadWrite.All"),
    }
)
"""Permissions that Graph's reference lists as higher ones for the same reads: a token that holds one can audit,
although an audit should not be given it."""
