"""Directory roles, requests for consent, Conditional Access, the logs of sign-ins and the directory, use and drifts.

They supplement `auditor.model.resources`, with Graph's own names. ``None`` means *not known*, except in conditions that
a policy may leave out (``platforms``, ``locations``, ``devices``, the risk levels and the flows): there it means that
the policy doesn't have the condition, because Graph returns null or an empty list for it. ``unknownConditions``, which
Graph doesn't have, names the conditions that are new to this program: a policy with one applies in fewer cases than the
rest of it says, and nobody knows in which.

Source of names and meanings: the Microsoft Graph v1.0 reference, resources ``unifiedRoleDefinition``,
``unifiedRoleAssignment``, ``appConsentRequest``, ``conditionalAccessPolicy``, ``signIn``, ``directoryAudit`` and
``configurationDrift``, and the resources that their pages list; beta, resource ``servicePrincipalSignInActivity``.
"""

# Without postponed annotations, as in `auditor.model.resources`.

from typing import ClassVar

from auditor.model.document import parse_time, stated_time
from auditor.model.field_types import (
    AppName,
    FreeText,
    GraphPath,
    Id,
    Json,
    Keyword,
    PersonName,
    PolicyName,
    RoleAction,
    RoleName,
    TemplateId,
    Timestamp,
    UserPrincipalName,
)
from auditor.model.resources import Resource


class RolePermission(Resource, frozen=True):
    """Actions that a directory role allows."""

    allowedResourceActions: tuple[RoleAction, ...] | None = None
    condition: FreeText | None = None


class RoleDefinition(Resource, frozen=True):
    """A directory role, built in or custom."""

    needed: ClassVar[tuple[str, ...]] = ("id",)

    id: Id
    displayName: RoleName | None = None
    isBuiltIn: bool | None = None
    isEnabled: bool | None = None
    templateId: Id | None = None
    rolePermissions: tuple[RolePermission, ...] | None = None


class RoleAssignment(Resource, frozen=True):
    """Who has a directory role, and in which scope."""

    needed: ClassVar[tuple[str, ...]] = ("principalId", "roleDefinitionId")

    principalId: Id
    roleDefinitionId: Id
    directoryScopeId: GraphPath | None = None
    id: Id | None = None


class AccessFilter(Resource, frozen=True):
    """A filter on the properties of devices or apps (``conditionalAccessFilter``)."""

    mode: Keyword | None = None
    """``include`` or ``exclude``."""
    rule: FreeText | None = None


class AccessApplications(Resource, frozen=True):
    """The resources that a policy is about: app ids, ``All``, ``None``, ``Office365`` or ``MicrosoftAdminPortals``."""

    includeApplications: tuple[Id, ...] | None = None
    excludeApplications: tuple[Id, ...] | None = None
    includeUserActions: tuple[Keyword, ...] = ()
    includeAuthenticationContextClassReferences: tuple[Keyword, ...] = ()
    applicationFilter: AccessFilter | None = None
    unknownConditions: tuple[Keyword, ...] = ()


class AccessGuests(Resource, frozen=True):
    """Kinds of guests and external users, as names separated by commas."""

    guestOrExternalUserTypes: Keyword | None = None


class AccessUsers(Resource, frozen=True):
    """The people that a policy is about: object ids, ``All``, ``None`` or ``GuestsOrExternalUsers``; groups; roles."""

    includeUsers: tuple[Id, ...] | None = None
    excludeUsers: tuple[Id, ...] | None = None
    includeGroups: tuple[Id, ...] | None = None
    excludeGroups: tuple[Id, ...] | None = None
    includeRoles: tuple[TemplateId, ...] | None = None
    excludeRoles: tuple[TemplateId, ...] | None = None
    includeGuestsOrExternalUsers: AccessGuests | None = None
    excludeGuestsOrExternalUsers: AccessGuests | None = None
    unknownConditions: tuple[Keyword, ...] = ()


class AccessClients(Resource, frozen=True):
    """The service principals that a policy for workload identities is about."""

    includeServicePrincipals: tuple[Id, ...] | None = None
    excludeServicePrincipals: tuple[Id, ...] | None = None


class AccessPlatforms(Resource, frozen=True):
    """Platforms of devices, or ``all``."""

    includePlatforms: tuple[Keyword, ...] | None = None
    excludePlatforms: tuple[Keyword, ...] | None = None


class AccessLocations(Resource, frozen=True):
    """Ids of named locations, ``All`` or ``AllTrusted``."""

    includeLocations: tuple[Id, ...] | None = None
    excludeLocations: tuple[Id, ...] | None = None


class AccessDevices(Resource, frozen=True):
    """A condition on the device that signs in."""

    deviceFilter: AccessFilter | None = None
    unknownConditions: tuple[Keyword, ...] = ()


class AccessFlows(Resource, frozen=True):
    """The authentication flows that a policy is about, as names separated by commas."""

    transferMethods: Keyword | None = None


class AccessConditions(Resource, frozen=True):
    """When a policy applies: all of its conditions must hold. ``users`` or ``clientApplications`` is always there."""

    applications: AccessApplications | None = None
    users: AccessUsers | None = None
    clientApplications: AccessClients | None = None
    clientAppTypes: tuple[Keyword, ...] | None = None
    platforms: AccessPlatforms | None = None
    locations: AccessLocations | None = None
    devices: AccessDevices | None = None
    authenticationFlows: AccessFlows | None = None
    signInRiskLevels: tuple[Keyword, ...] = ()
    userRiskLevels: tuple[Keyword, ...] = ()
    servicePrincipalRiskLevels: tuple[Keyword, ...] = ()
    insiderRiskLevels: Keyword | None = None
    unknownConditions: tuple[Keyword, ...] = ()


class AuthenticationStrength(Resource, frozen=True):
    """The methods that satisfy a policy. ``requirementsSatisfied`` is ``mfa`` for every built-in strength."""

    id: Id | None = None
    displayName: PolicyName | None = None
    policyType: Keyword | None = None
    requirementsSatisfied: Keyword | None = None
    allowedCombinations: tuple[Keyword, ...] | None = None
    """Each is one method, or several that belong together, separated by commas (``password,sms``)."""


class AccessGrantControls(Resource, frozen=True):
    """What a policy demands, all of it or any one of it (``operator``)."""

    operator: Keyword | None = None
    builtInControls: tuple[Keyword, ...] = ()
    customAuthenticationFactors: tuple[Id, ...] = ()
    termsOfUse: tuple[Id, ...] = ()
    authenticationStrength: AuthenticationStrength | None = None
    unknownConditions: tuple[Keyword, ...] = ()


class SecureSignInSession(Resource, frozen=True):
    """Whether the token must be bound to the device (token protection)."""

    isEnabled: bool | None = None


class AccessSessionControls(Resource, frozen=True):
    """The session controls that can refuse a sign-in. The others only limit a session that a user already has."""

    secureSignInSession: SecureSignInSession | None = None


class ConditionalAccessPolicy(Resource, frozen=True):
    """A Conditional Access policy. `state` is ``enabled``, ``disabled`` or ``enabledForReportingButNotEnforced``."""

    id: Id
    displayName: PolicyName | None = None
    state: Keyword | None = None
    conditions: AccessConditions | None = None
    grantControls: AccessGrantControls | None = None
    sessionControls: AccessSessionControls | None = None


class SignInStatus(Resource, frozen=True):
    """How a sign-in ended: error code 0 (success), or the number of an AADSTS code."""

    errorCode: int | None = None
    failureReason: FreeText | None = None
    additionalDetails: FreeText | None = None


class SignIn(Resource, frozen=True):
    """One entry of the sign-in log."""

    id: Id | None = None
    createdDateTime: Timestamp | None = None
    appId: Id | None = None
    appDisplayName: AppName | None = None
    userId: Id | None = None
    userPrincipalName: UserPrincipalName | None = None
    userDisplayName: PersonName | None = None
    resourceId: Id | None = None
    resourceDisplayName: AppName | None = None
    correlationId: Id | None = None
    status: SignInStatus | None = None


class LastSignIn(Resource, frozen=True):
    """When something was last used to sign in; without a time, never since Microsoft began to record it."""

    lastSignInDateTime: Timestamp | None = None


class SignInActivity(Resource, frozen=True):
    """When an app was last used: by people (delegated) or by itself, as the client or as the resource.

    Graph has no entry of an app that was never used. `lastSignInActivity` is the latest of the others.
    """

    needed: ClassVar[tuple[str, ...]] = ("appId",)

    appId: Id
    id: Id | None = None
    lastSignInActivity: LastSignIn | None = None
    delegatedClientSignInActivity: LastSignIn | None = None
    delegatedResourceSignInActivity: LastSignIn | None = None
    applicationAuthenticationClientSignInActivity: LastSignIn | None = None
    applicationAuthenticationResourceSignInActivity: LastSignIn | None = None

    @property
    def last(self) -> str:
        """The time of the latest use; empty if none is recorded."""
        kinds = (
            self.lastSignInActivity,
            self.delegatedClientSignInActivity,
            self.delegatedResourceSignInActivity,
            self.applicationAuthenticationClientSignInActivity,
            self.applicationAuthenticationResourceSignInActivity,
        )
        times = [time for one in kinds if one and (time := stated_time(one.lastSignInDateTime or ""))]
        return max(times, key=lambda text: at.timestamp() if (at := parse_time(text)) else 0.0, default="")


class DirectoryAudit(Resource, frozen=True):
    """One entry of the directory's audit log."""

    id: Id | None = None
    activityDateTime: Timestamp | None = None
    activityDisplayName: FreeText | None = None
    category: Keyword | None = None
    result: Keyword | None = None
    resultReason: FreeText | None = None
    correlationId: Id | None = None
    initiatedBy: Json | None = None
    targetResources: tuple[Json, ...] = ()
    additionalDetails: tuple[Json, ...] = ()


class DriftedProperty(Resource, frozen=True):
    """A property that differs from a baseline; its values aren't taken over, because they can name people."""

    propertyName: Keyword | None = None


class ConfigurationDrift(Resource, frozen=True):
    """A difference from a baseline that the tenant's administrators monitor (Tenant Configuration Management).

    `resourceInstanceIdentifier` has the key properties of the object, ``AppId`` for an enterprise application.
    Monitors run every six hours, so that `firstReportedDateTime` is up to six hours after the change. A drift is
    ``active`` while the property differs, and is kept for 30 days after it was ``fixed``.
    """

    id: Id | None = None
    resourceType: Keyword | None = None
    resourceInstanceIdentifier: Json | None = None
    firstReportedDateTime: Timestamp | None = None
    status: Keyword | None = None
    driftedProperties: tuple[DriftedProperty, ...] = ()


class AppConsentRequest(Resource, frozen=True):
    """The requests of users for admin consent to one app."""

    needed: ClassVar[tuple[str, ...]] = ("appId",)

    appId: Id
    id: Id | None = None
    appDisplayName: AppName | None = None
    pendingScopes: tuple[Json, ...] = ()
    userConsentRequests: tuple[Json, ...] = ()
