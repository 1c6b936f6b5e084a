"""What every text field of a snapshot holds, which decides what becomes of it in a redacted one.

A field that is not listed here is free text, and free text goes. ``tests/redact/test_redact.py`` walks the
classes, so that nobody adds a field without saying what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from auditor.model.resources import (
    AdminConsentRequestPolicy,
    AppConsentRequest,
    AppRole,
    AppRoleAssignment,
    AuthorizationPolicy,
    ConditionSet,
    ConsentReviewer,
    DefaultUserRolePermissions,
    DelegatedPermissionClassification,
    DelegatedScope,
    DirectoryAudit,
    DirectorySetting,
    MemberOf,
    OAuth2PermissionGrant,
    Organization,
    PermissionGrantPolicy,
    RoleAssignment,
    RoleDefinition,
    RolePermission,
    ServicePrincipal,
    SettingValue,
    SignIn,
    SignInStatus,
    User,
    VerifiedDomain,
    VerifiedPublisher,
)
from auditor.model.sections import Sections
from auditor.model.snapshot import Call, Provenance, Snapshot, Tenant, Unread


class Holds(StrEnum):
    """What a field holds, and what is done with it (`auditor.redact.redactor`)."""

    CODE = "one word of a list of Microsoft's"
    ID = "an id: a token, unless it is Microsoft's, a vendor's or asked about"
    TEMPLATE = "an id that is the same in every tenant"
    PUBLISHER = "a verified publisher's number"
    POLICY = "the id of a consent policy"
    ENTRY = "a consent policy as it is assigned"
    ACTION = "what a directory role allows"
    SCOPES = "names of permissions"
    TENANT = "the tenant's name"
    DOMAIN = "a domain of the tenant"
    ADDRESS = "a user principal name"
    PERSON = "a person's name"
    GROUP = "a group's name"
    PRINCIPAL = "the name of a user, group or app, which the kind of principal tells"
    APP = "an app's name"
    ROLE = "a directory role's name"
    POLICY_NAME = "a consent policy's name"
    VENDOR_NAME = "a verified publisher's name"
    VENDOR_TEXT = "what a vendor wrote about its own permissions"
    REPLY = "an address that an app answers at"
    URI = "a name under which an app is addressed"
    PATH = "the path of a query to Graph"
    PART = "the name or id of what was asked for"
    TAG = "a mark on an app"
    VALUE = "the value of a setting"
    TIME = "a moment"
    TOOL = "the name of a program"
    MESSAGE = "what Graph said of a failure"
    TEXT = "free text"
    FREE = "any JSON"


_FIELDS: dict[type[msgspec.Struct], dict[str, Holds]] = {
    Snapshot: {
        "format": Holds.TOOL,
        "cloud": Holds.CODE,
        "taken": Holds.TIME,
        "tool": Holds.TOOL,
        "covers": Holds.PART,
    },
    Tenant: {"id": Holds.ID, "name": Holds.TENANT},
    Unread: {
        "code": Holds.CODE,
        "message": Holds.MESSAGE,
        "needs": Holds.SCOPES,
        "request_id": Holds.ID,
    },
    Provenance: {"reader": Holds.ID, "permissions": Holds.SCOPES},
    Call: {"section": Holds.CODE, "address": Holds.PATH, "at": Holds.TIME, "permissions": Holds.SCOPES},
    Sections: {"absentServicePrincipals": Holds.ID},
    Organization: {"id": Holds.ID, "displayName": Holds.TENANT, "tenantType": Holds.CODE},
    VerifiedDomain: {"name": Holds.DOMAIN},
    AuthorizationPolicy: {
        "id": Holds.CODE,
        "displayName": Holds.TEXT,
        "description": Holds.TEXT,
        "guestUserRoleId": Holds.TEMPLATE,
        "allowInvitesFrom": Holds.CODE,
        "enabledPreviewFeatures": Holds.CODE,
    },
    DefaultUserRolePermissions: {"permissionGrantPoliciesAssigned": Holds.ENTRY},
    PermissionGrantPolicy: {
        "id": Holds.POLICY,
        "displayName": Holds.POLICY_NAME,
        "description": Holds.VENDOR_TEXT,
        "resourceScopeType": Holds.CODE,
    },
    ConditionSet: {
        "id": Holds.ID,
        "permissionType": Holds.CODE,
        "permissionClassification": Holds.CODE,
        "permissions": Holds.ID,
        "resourceApplication": Holds.ID,
        "clientApplicationIds": Holds.ID,
        "clientApplicationTenantIds": Holds.ID,
        "clientApplicationPublisherIds": Holds.PUBLISHER,
        "scopeSensitivityLabels": Holds.FREE,
    },
    AdminConsentRequestPolicy: {},
    ConsentReviewer: {"query": Holds.PATH, "queryType": Holds.CODE, "queryRoot": Holds.PATH},
    DirectorySetting: {"id": Holds.ID, "displayName": Holds.TEXT, "templateId": Holds.TEMPLATE},
    SettingValue: {"name": Holds.CODE, "value": Holds.VALUE},
    ServicePrincipal: {
        "id": Holds.ID,
        "appId": Holds.ID,
        "displayName": Holds.APP,
        "appDisplayName": Holds.APP,
        "appOwnerOrganizationId": Holds.ID,
        "disabledByMicrosoftStatus": Holds.CODE,
        "servicePrincipalType": Holds.CODE,
        "signInAudience": Holds.CODE,
        "replyUrls": Holds.REPLY,
        "tags": Holds.TAG,
        "servicePrincipalNames": Holds.URI,
        "createdDateTime": Holds.TIME,
    },
    VerifiedPublisher: {
        "displayName": Holds.VENDOR_NAME,
        "verifiedPublisherId": Holds.PUBLISHER,
        "addedDateTime": Holds.TIME,
    },
    DelegatedScope: {
        "id": Holds.ID,
        "value": Holds.SCOPES,
        "type": Holds.CODE,
        "adminConsentDisplayName": Holds.VENDOR_TEXT,
        "userConsentDisplayName": Holds.VENDOR_TEXT,
    },
    AppRole: {
        "id": Holds.ID,
        "value": Holds.SCOPES,
        "displayName": Holds.VENDOR_TEXT,
        "allowedMemberTypes": Holds.CODE,
    },
    DelegatedPermissionClassification: {
        "permissionId": Holds.ID,
        "classification": Holds.CODE,
        "id": Holds.ID,
        "permissionName": Holds.SCOPES,
    },
    OAuth2PermissionGrant: {
        "clientId": Holds.ID,
        "resourceId": Holds.ID,
        "consentType": Holds.CODE,
        "scope": Holds.SCOPES,
        "principalId": Holds.ID,
        "id": Holds.ID,
    },
    AppRoleAssignment: {
        "principalId": Holds.ID,
        "appRoleId": Holds.ID,
        "principalType": Holds.CODE,
        "principalDisplayName": Holds.PRINCIPAL,
        "resourceId": Holds.ID,
        "resourceDisplayName": Holds.APP,
        "createdDateTime": Holds.TIME,
        "id": Holds.ID,
    },
    RoleDefinition: {"id": Holds.ID, "displayName": Holds.ROLE, "templateId": Holds.ID},
    RolePermission: {"allowedResourceActions": Holds.ACTION, "condition": Holds.TEXT},
    RoleAssignment: {
        "principalId": Holds.ID,
        "roleDefinitionId": Holds.ID,
        "directoryScopeId": Holds.PATH,
        "id": Holds.ID,
    },
    User: {
        "id": Holds.ID,
        "userPrincipalName": Holds.ADDRESS,
        "displayName": Holds.PERSON,
        "userType": Holds.CODE,
    },
    MemberOf: {"id": Holds.ID, "displayName": Holds.GROUP},
    AppConsentRequest: {
        "appId": Holds.ID,
        "id": Holds.ID,
        "appDisplayName": Holds.APP,
        "pendingScopes": Holds.FREE,
        "userConsentRequests": Holds.FREE,
    },
    SignIn: {
        "id": Holds.ID,
        "createdDateTime": Holds.TIME,
        "appId": Holds.ID,
        "appDisplayName": Holds.APP,
        "userId": Holds.ID,
        "userPrincipalName": Holds.ADDRESS,
        "userDisplayName": Holds.PERSON,
        "resourceId": Holds.ID,
        "resourceDisplayName": Holds.APP,
        "correlationId": Holds.ID,
    },
    SignInStatus: {"failureReason": Holds.TEXT, "additionalDetails": Holds.TEXT},
    DirectoryAudit: {
        "id": Holds.ID,
        "activityDateTime": Holds.TIME,
        "activityDisplayName": Holds.TEXT,
        "category": Holds.CODE,
        "result": Holds.CODE,
        "resultReason": Holds.TEXT,
        "correlationId": Holds.ID,
        "initiatedBy": Holds.FREE,
        "targetResources": Holds.FREE,
        "additionalDetails": Holds.FREE,
    },
}
FIELDS: Mapping[type[msgspec.Struct], Mapping[str, Holds]] = MappingProxyType(_FIELDS)
"""By class and field. Fields that are other classes, numbers or yes and no are not listed."""
