"""What Microsoft Graph returns, in Graph's own names: the parts of a tenant that a snapshot holds.

Every property that Graph may leave out is optional here, and ``None`` means *not known*, never a default:
a property that was not selected, or that a cloud does not have, must not turn into a verdict. Where
Graph documents what a missing value stands for, the property that says so is on the class.
Property names and meanings: the Microsoft Graph v1.0 reference, resource pages of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that Graph returns."""


class VerifiedDomain(Resource, frozen=True):
    """One domain name of the tenant."""

    name: str
    isDefault: bool = False
    isInitial: bool = False


class Organization(Resource, frozen=True):
    """The tenant itself."""

    id: str
    displayName: str = ""
    tenantType: str | None = None
    verifiedDomains: tuple[VerifiedDomain, ...] = ()


class DefaultUserRolePermissions(Resource, frozen=True):
    """What members of the tenant may do by default."""

    permissionGrantPoliciesAssigned: tuple[str, ...] | None = None
    allowedToCreateApps: bool | None = None
    allowedToCreateSecurityGroups: bool | None = None
    allowedToCreateTenants: bool | None = None
    allowedToReadBitlockerKeysForOwnedDevice: bool | None = None
    allowedToReadOtherUsers: bool | None = None


class AuthorizationPolicy(Resource, frozen=True):
    """The tenant's authorization policy: which consent policies govern ordinary users."""

    id: str = "authorizationPolicy"
    displayName: str | None = None
    description: str | None = None
    defaultUserRolePermissions: DefaultUserRolePermissions | None = None
    allowUserConsentForRiskyApps: bool | None = None
    guestUserRoleId: str | None = None
    allowInvitesFrom: str | None = None
    allowedToSignUpEmailBasedSubscriptions: bool | None = None
    allowedToUseSSPR: bool | None = None
    allowEmailVerifiedUsersToJoinOrganization: bool | None = None
    blockMsolPowerShell: bool | None = None
    enabledPreviewFeatures: tuple[str, ...] | None = None


class ConditionSet(Resource, frozen=True):
    """One include or exclude of a consent policy; it matches when all its conditions match.

    An omitted condition does not restrict (``permissionGrantConditionSet``, column "if omitted").
    ``certifiedClientApplicationsOnly`` exists in beta only: ``None`` means that a v1.0 read hid it.
    """

    id: str | None = None
    permissionType: str = "delegated"
    permissionClassification: str = "all"
    permissions: tuple[str, ...] = ("all",)
    resourceApplication: str = "any"
    clientApplicationIds: tuple[str, ...] = ("all",)
    clientApplicationTenantIds: tuple[str, ...] = ("all",)
    clientApplicationPublisherIds: tuple[str, ...] = ("all",)
    clientApplicationsFromVerifiedPublisherOnly: bool = False
    certifiedClientApplicationsOnly: bool | None = None
    scopeSensitivityLabels: Mapping[str, Any] | None = None


class PermissionGrantPolicy(Resource, frozen=True):
    """A consent policy: approves a permission when an include matches and no exclude does."""

    id: str
    displayName: str | None = None
    description: str | None = None
    includes: tuple[ConditionSet, ...] | None = None
    excludes: tuple[ConditionSet, ...] | None = None
    includeAllPreApprovedApplications: bool | None = None
    resourceScopeType: str | None = None


class ConsentReviewer(Resource, frozen=True):
    """Who is asked to review requests for admin consent: a Graph query that answers with users."""

    query: str
    queryType: str | None = None
    queryRoot: str | None = None


class AdminConsentRequestPolicy(Resource, frozen=True):
    """The admin consent workflow."""

    isEnabled: bool | None = None
    notifyReviewers: bool | None = None
    remindersEnabled: bool | None = None
    requestDurationInDays: int | None = None
    version: int | None = None
    reviewers: tuple[ConsentReviewer, ...] | None = None


class SettingValue(Resource, frozen=True):
    """A name and its value; directory settings keep every value as text."""

    name: str
    value: str | None = None


class DirectorySetting(Resource, frozen=True):
    """A tenant-wide settings object (beta ``/settings``)."""

    id: str | None = None
    displayName: str | None = None
    templateId: str | None = None
    values: tuple[SettingValue, ...] = ()


class VerifiedPublisher(Resource, frozen=True):
    """The publisher that Microsoft verified, three nulls when there is none."""

    displayName: str | None = None
    verifiedPublisherId: str | None = None
    addedDateTime: str | None = None


class DelegatedScope(Resource, frozen=True):
    """A delegated permission that a resource publishes (``oauth2PermissionScopes``)."""

    id: str
    value: str = ""
    type: str | None = None
    isEnabled: bool | None = None
    adminConsentDisplayName: str | None = None
    userConsentDisplayName: str | None = None


class AppRole(Resource, frozen=True):
    """An application permission, or a role that users can be assigned to."""

    id: str
    value: str | None = None
    displayName: str | None = None
    isEnabled: bool | None = None
    allowedMemberTypes: tuple[str, ...] = ()


class ServicePrincipal(Resource, frozen=True):
    """An application as it is present in this tenant ("enterprise application")."""

    id: str
    appId: str
    displayName: str | None = None
    appDisplayName: str | None = None
    accountEnabled: bool | None = None
    appRoleAssignmentRequired: bool | None = None
    appOwnerOrganizationId: str | None = None
    disabledByMicrosoftStatus: str | None = None
    isDisabled: bool | None = None
    servicePrincipalType: str | None = None
    signInAudience: str | None = None
    verifiedPublisher: VerifiedPublisher | None = None
    replyUrls: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    servicePrincipalNames: tuple[str, ...] = ()
    createdDateTime: str | None = None
    oauth2PermissionScopes: tuple[DelegatedScope, ...] | None = None
    appRoles: tuple[AppRole, ...] | None = None


class DelegatedPermissionClassification(Resource, frozen=True):
    """One delegated permission of a resource, put into a bucket (low, medium, high) by an admin."""

    permissionId: str
    classification: str
    id: str | None = None
    permissionName: str | None = None


class OAuth2PermissionGrant(Resource, frozen=True):
    """Scopes of a resource that a client was granted, for everybody or for one user.

    ``clientId``, ``resourceId`` and ``principalId`` are object ids of this tenant, not app ids.
    """

    clientId: str
    resourceId: str
    consentType: str
    scope: str = ""
    principalId: str | None = None
    id: str | None = None


class AppRoleAssignment(Resource, frozen=True):
    """A user, group or service principal that is assigned to an application."""

    principalId: str
    appRoleId: str | None = None
    principalType: str | None = None
    principalDisplayName: str | None = None
    resourceId: str | None = None
    resourceDisplayName: str | None = None
    createdDateTime: str | None = None
    id: str | None = None


class RolePermission(Resource, frozen=True):
    """Actions that a directory role allows."""

    allowedResourceActions: tuple[str, ...] = ()
    condition: str | None = None


class RoleDefinition(Resource, frozen=True):
    """A directory role, built in or custom."""

    id: str
    displayName: str | None = None
    isBuiltIn: bool | None = None
    isEnabled: bool | None = None
    templateId: str | None = None
    rolePermissions: tuple[RolePermission, ...] = ()


class RoleAssignment(Resource, frozen=True):
    """Who holds a directory role, and over what."""

    principalId: str
    roleDefinitionId: str
    directoryScopeId: str | None = None
    id: str | None = None


class MemberOf(Resource, frozen=True):
    """A group or role that a user is a direct member of."""

    id: str
    displayName: str | None = None


class User(Resource, frozen=True):
    """A user whom the audit was asked about (``--user``)."""

    id: str
    userPrincipalName: str | None = None
    displayName: str | None = None
    userType: str | None = None
    memberOf: tuple[MemberOf, ...] | None = None


class AppConsentRequest(Resource, frozen=True):
    """Requests of users for admin consent to one app."""

    appId: str
    id: str | None = None
    appDisplayName: str | None = None
    pendingScopes: tuple[Mapping[str, Any], ...] = ()
    userConsentRequests: tuple[Mapping[str, Any], ...] = ()


class SignInStatus(Resource, frozen=True):
    """How a sign-in ended: 0, or the number of an AADSTS code."""

    errorCode: int | None = None
    failureReason: str | None = None
    additionalDetails: str | None = None


class SignIn(Resource, frozen=True):
    """One entry of the sign-in log."""

    id: str | None = None
    createdDateTime: str | None = None
    appId: str | None = None
    appDisplayName: str | None = None
    userId: str | None = None
    userPrincipalName: str | None = None
    userDisplayName: str | None = None
    resourceId: str | None = None
    resourceDisplayName: str | None = None
    correlationId: str | None = None
    status: SignInStatus | None = None


class DirectoryAudit(Resource, frozen=True):
    """One entry of the directory's audit log."""

    id: str | None = None
    activityDateTime: str | None = None
    activityDisplayName: str | None = None
    category: str | None = None
    result: str | None = None
    resultReason: str | None = None
    correlationId: str | None = None
    initiatedBy: Mapping[str, Any] | None = None
    targetResources: tuple[Mapping[str, Any], ...] = ()
    additionalDetails: tuple[Mapping[str, Any], ...] = ()
