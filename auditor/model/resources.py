"""The resources of Microsoft Graph that a snapshot contains, with Graph's own names.

Every property that Graph may leave out is optional here, and ``None`` means *not known*, never a default: a property
that was not selected, or that a cloud does not have, must not become a verdict. A class documents the properties for
which a missing value has a meaning. The type of a text says what it holds (`auditor.model.field_types`).
Source of names and meanings: the Microsoft Graph v1.0 reference, resource pages of the same names.
"""

# Without postponed annotations, which msgspec would compile one by one: 6 % of a check of a snapshot.

from collections.abc import Iterable, Mapping
from itertools import compress
from operator import attrgetter, not_
from typing import Any, ClassVar

import msgspec

from auditor.model.document import series
from auditor.model.field_types import (
    AppName,
    AppUri,
    AssignedPolicy,
    DomainName,
    FreeText,
    GraphPath,
    GroupName,
    Id,
    Json,
    Keyword,
    PermissionNames,
    PersonName,
    PolicyId,
    PolicyName,
    PrincipalName,
    PublisherId,
    PublisherName,
    PublisherText,
    ReplyUrl,
    SettingData,
    Tag,
    TemplateId,
    TenantName,
    Timestamp,
    UserPrincipalName,
)

PRINCIPAL = "principal"
"""The kind of consent, in lower case, of a delegated grant for one user."""


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of all resources; without cycles, so that the garbage collector can pass over a million of them.

    `needed` are the properties that Graph always returns, and without which nothing follows from the object. One that
    the data doesn't have is an empty text or ``None``; an object without any replaces a null in a list. Those in
    `needed_where` are needed if another property has a value (in lower case).
    """

    needed: ClassVar[tuple[str, ...]] = ()
    needed_where: ClassVar[Mapping[str, tuple[str, str]]] = {}

    @property
    def lacks(self) -> tuple[str, ...]:
        """The needed properties that the data doesn't have."""
        where = [name for name, (other, value) in self.needed_where.items() if getattr(self, other).lower() == value]
        return tuple([name for name in (*self.needed, *where) if not getattr(self, name)])  # faster than generators


def first_incomplete(rows: Iterable[Resource]) -> tuple[int, Resource] | None:
    """The first row that lacks a needed property, with its number from 0."""
    every = tuple(rows)
    kind = type(every[0]) if every else Resource
    if not kind.needed or _are_complete(kind, every):
        return None
    values = map(attrgetter(*kind.needed, *kind.needed_where, kind.needed[0]), every)
    doubtful = compress(enumerate(every), map(not_, map(all, values)))
    return next(((number, row) for number, row in doubtful if row.lacks), None)


def _are_complete(kind: type[Resource], rows: tuple[Resource, ...]) -> bool:
    """Whether no row lacks anything: C code looks at a million rows while a loop looks at some thousands."""
    complete = all(map(all, map(attrgetter(*kind.needed, kind.needed[0]), rows)))  # of a single name, there is no tuple
    for name, (other, value) in kind.needed_where.items():
        without = set(compress(map(attrgetter(other), rows), map(not_, map(attrgetter(name), rows))))
        complete = complete and value not in map(str.lower, without)
    return complete


def lacking(what: str, number: int | None, row: Resource) -> str:
    """A clause that names a row and what it lacks: ``oauth2PermissionGrants[2] (id g1) has no scope``.

    `number` is ``None`` for a section that is one object.
    """
    own_id = getattr(row, "id", None)
    place = what if number is None else f"{what}[{number}]{f' (id {own_id})' if own_id else ''}"
    return f"{place} has no {series(row.lacks, 'or')}"


class VerifiedDomain(Resource, frozen=True):
    """One domain name of the tenant."""

    name: DomainName
    isDefault: bool = False
    isInitial: bool = False


class Organization(Resource, frozen=True):
    """The tenant."""

    needed: ClassVar[tuple[str, ...]] = ("id",)

    id: Id
    displayName: TenantName = ""
    tenantType: Keyword | None = None
    verifiedDomains: tuple[VerifiedDomain, ...] = ()


class DefaultUserRolePermissions(Resource, frozen=True):
    """What members of the tenant may do by default."""

    permissionGrantPoliciesAssigned: tuple[AssignedPolicy, ...] | None = None
    allowedToCreateApps: bool | None = None
    allowedToCreateSecurityGroups: bool | None = None
    allowedToCreateTenants: bool | None = None
    allowedToReadBitlockerKeysForOwnedDevice: bool | None = None
    allowedToReadOtherUsers: bool | None = None


class AuthorizationPolicy(Resource, frozen=True):
    """The tenant's authorization policy: which consent policies govern ordinary users."""

    needed: ClassVar[tuple[str, ...]] = ("defaultUserRolePermissions",)

    id: Keyword = "authorizationPolicy"
    displayName: FreeText | None = None
    description: FreeText | None = None
    defaultUserRolePermissions: DefaultUserRolePermissions | None = None
    allowUserConsentForRiskyApps: bool | None = None
    guestUserRoleId: TemplateId | None = None
    allowInvitesFrom: Keyword | None = None
    allowedToSignUpEmailBasedSubscriptions: bool | None = None
    allowedToUseSSPR: bool | None = None
    allowEmailVerifiedUsersToJoinOrganization: bool | None = None
    blockMsolPowerShell: bool | None = None
    enabledPreviewFeatures: tuple[Keyword, ...] | None = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """The needed properties, and the list of assigned policies, which can be empty but never left out."""
        role = self.defaultUserRolePermissions
        assigned = "defaultUserRolePermissions.permissionGrantPoliciesAssigned"
        return (assigned,) if role and role.permissionGrantPoliciesAssigned is None else super().lacks


class ConditionSet(Resource, frozen=True, omit_defaults=False):
    """One include or exclude of a consent policy. It matches if all of its conditions match.

    An omitted condition does not restrict (``permissionGrantConditionSet``, column "if omitted"), but Graph requires
    ``permissionType``: in a set without it, it was lost.
    ``certifiedClientApplicationsOnly`` exists only in beta: ``None`` means that v1.0 was read, which leaves it out.
    ``unknownConditions``, which Graph doesn't have, names the conditions of which the content is not known: those that
    are new to this program, lists that were not complete, and a type that was lost. `WHOLE_SET` is the name of a set
    that was null.
    """

    id: Id | None = None
    permissionType: Keyword = "delegated"
    permissionClassification: Keyword = "all"
    permissions: tuple[Id, ...] = ("all",)
    resourceApplication: Id = "any"
    clientApplicationIds: tuple[Id, ...] = ("all",)
    clientApplicationTenantIds: tuple[Id, ...] = ("all",)
    clientApplicationPublisherIds: tuple[PublisherId, ...] = ("all",)
    clientApplicationsFromVerifiedPublisherOnly: bool = False
    certifiedClientApplicationsOnly: bool | None = None
    scopeSensitivityLabels: Json | None = None
    unknownConditions: tuple[Keyword, ...] = ()


WHOLE_SET = "null"
"""In `ConditionSet.unknownConditions`: all conditions of a set that was null or had no property at all."""

BETA_CONDITION = "certifiedClientApplicationsOnly"
"""The condition that restricts what apps users consent to, and that Graph v1.0 leaves out.

In `ConditionSet.unknownConditions`: the beta version was asked for the set, and could not be read.
"""


class PermissionGrantPolicy(Resource, frozen=True):
    """A consent policy. It approves a permission if an include matches and no exclude does."""

    needed: ClassVar[tuple[str, ...]] = ("id",)

    id: PolicyId
    displayName: PolicyName | None = None
    description: PublisherText | None = None
    includes: tuple[ConditionSet, ...] | None = None
    excludes: tuple[ConditionSet, ...] | None = None
    includeAllPreApprovedApplications: bool | None = None
    resourceScopeType: Keyword | None = None


class ConsentReviewer(Resource, frozen=True):
    """Who reviews requests for admin consent: a query of Graph that returns users."""

    needed: ClassVar[tuple[str, ...]] = ("query",)

    query: GraphPath
    queryType: Keyword | None = None
    queryRoot: GraphPath | None = None


class AdminConsentRequestPolicy(Resource, frozen=True):
    """The admin consent workflow."""

    isEnabled: bool | None = None
    notifyReviewers: bool | None = None
    remindersEnabled: bool | None = None
    requestDurationInDays: int | None = None
    version: int | None = None
    reviewers: tuple[ConsentReviewer, ...] | None = None


class SettingValue(Resource, frozen=True):
    """A name and its value. In directory settings, every value is a text."""

    needed: ClassVar[tuple[str, ...]] = ("name",)

    name: Keyword
    value: SettingData | None = None


class DirectorySetting(Resource, frozen=True):
    """A tenant-wide settings object (beta ``/settings``)."""

    needed: ClassVar[tuple[str, ...]] = ("templateId", "values")

    id: Id | None = None
    displayName: FreeText | None = None
    templateId: TemplateId | None = None
    values: tuple[SettingValue, ...] | None = None


class VerifiedPublisher(Resource, frozen=True):
    """The publisher that Microsoft verified; all properties are null if there is none.

    ``is_verified`` is ``None`` for a publisher of which only the id is missing.
    """

    displayName: PublisherName | None = None
    verifiedPublisherId: PublisherId | None = None
    addedDateTime: Timestamp | None = None

    @property
    def is_verified(self) -> bool | None:
        """Whether there is a verified publisher; ``None`` where its id is missing from what Graph returned."""
        if self.verifiedPublisherId:
            return True
        return None if self.displayName or self.addedDateTime else False


class DelegatedScope(Resource, frozen=True):
    """A delegated permission that a resource publishes (``oauth2PermissionScopes``)."""

    needed: ClassVar[tuple[str, ...]] = ("id", "value")

    id: Id
    value: PermissionNames = ""
    type: Keyword | None = None
    isEnabled: bool | None = None
    adminConsentDisplayName: PublisherText | None = None
    userConsentDisplayName: PublisherText | None = None


class AppRole(Resource, frozen=True):
    """An application permission, or a role that users can be assigned to."""

    needed: ClassVar[tuple[str, ...]] = ("id",)

    id: Id
    value: PermissionNames | None = None
    displayName: PublisherText | None = None
    isEnabled: bool | None = None
    allowedMemberTypes: tuple[Keyword, ...] = ()


AGENT_IDENTITY, BLUEPRINT_PRINCIPAL = "agentIdentity", "agentIdentityBlueprintPrincipal"
"""The kinds of service principal of Microsoft Entra Agent ID: an agent, and the app from which agents are made."""


class InheritableScopes(Resource, frozen=True):
    """Which delegated permissions of a resource agents inherit: ``kind`` is allAllowed, enumerated or none."""

    needed: ClassVar[tuple[str, ...]] = ("kind",)

    kind: Keyword = ""
    scopes: tuple[PermissionNames, ...] | None = None


class InheritablePermission(Resource, frozen=True):
    """What of one resource the agent identities of a blueprint inherit, if it is granted to the blueprint."""

    needed: ClassVar[tuple[str, ...]] = ("resourceAppId",)

    resourceAppId: Id = ""
    inheritableScopes: InheritableScopes | None = None


class ServicePrincipal(Resource, frozen=True):
    """An application as it is present in this tenant ("enterprise application").

    ``odataType`` is the last part of Graph's ``@odata.type`` for agent identities and for the principals of their
    blueprints, and ``None`` for every other kind. ``agentIdentityBlueprintId`` is the app id of an agent's blueprint.
    ``inheritablePermissions`` are those of the application (``agentIdentityBlueprint``) of a blueprint's principal,
    which can be read in the tenant that registered it only; a resource that isn't among them is not inheritable.
    """

    needed: ClassVar[tuple[str, ...]] = ("id", "appId")

    id: Id
    appId: Id
    displayName: AppName | None = None
    appDisplayName: AppName | None = None
    accountEnabled: bool | None = None
    appRoleAssignmentRequired: bool | None = None
    appOwnerOrganizationId: Id | None = None
    disabledByMicrosoftStatus: Keyword | None = None
    isDisabled: bool | None = None
    servicePrincipalType: Keyword | None = None
    signInAudience: Keyword | None = None
    verifiedPublisher: VerifiedPublisher | None = None
    replyUrls: tuple[ReplyUrl, ...] | None = None
    tags: tuple[Tag, ...] | None = None
    servicePrincipalNames: tuple[AppUri, ...] | None = None
    createdDateTime: Timestamp | None = None
    odataType: Keyword | None = None
    agentIdentityBlueprintId: Id | None = None
    inheritablePermissions: tuple[InheritablePermission, ...] | None = None
    oauth2PermissionScopes: tuple[DelegatedScope, ...] | None = None
    appRoles: tuple[AppRole, ...] | None = None

    @property
    def own_name(self) -> str:
        """What the tenant calls the app, else what its vendor does; empty if neither is known."""
        return self.displayName or self.appDisplayName or ""

    @property
    def name(self) -> str:
        """The app's own name, else the one in the table of names; empty if it has neither."""
        if name := self.own_name:
            return name
        from auditor.facts.app_names import published_name

        return published_name(self.appId)


class DelegatedPermissionClassification(Resource, frozen=True):
    """The classification (low, medium, high) that an admin gave one delegated permission of a resource."""

    needed: ClassVar[tuple[str, ...]] = ("permissionId", "classification")

    permissionId: Id
    classification: Keyword
    id: Id | None = None
    permissionName: PermissionNames | None = None


class OAuth2PermissionGrant(Resource, frozen=True):
    """Scopes of a resource that a client was granted, for all users or for one user.

    ``clientId``, ``resourceId`` and ``principalId`` are object ids of this tenant, not app ids.
    """

    needed: ClassVar[tuple[str, ...]] = ("clientId", "resourceId", "consentType", "scope")
    needed_where: ClassVar[Mapping[str, tuple[str, str]]] = {"principalId": ("consentType", PRINCIPAL)}

    clientId: Id
    resourceId: Id
    consentType: Keyword
    scope: PermissionNames = ""
    principalId: Id | None = None
    id: Id | None = None


class AppRoleAssignment(Resource, frozen=True):
    """The assignment of a user, group or service principal to an application."""

    needed: ClassVar[tuple[str, ...]] = ("principalId", "principalType", "appRoleId")

    principalId: Id
    appRoleId: Id | None = None
    principalType: Keyword | None = None
    principalDisplayName: PrincipalName | None = None
    resourceId: Id | None = None
    resourceDisplayName: AppName | None = None
    createdDateTime: Timestamp | None = None
    id: Id | None = None


class MemberOf(Resource, frozen=True):
    """A group or role that a user is a direct member of."""

    needed: ClassVar[tuple[str, ...]] = ("id",)

    id: Id
    displayName: GroupName | None = None


class AssignedPlan(Resource, frozen=True):
    """A service plan that a user has by a license; `service` is ``exchange`` for those of Exchange Online."""

    servicePlanId: TemplateId | None = None
    service: Keyword | None = None
    capabilityStatus: Keyword | None = None
    """``Enabled``, ``Warning``, ``Suspended``, ``Deleted`` or ``LockedOut``."""


class User(Resource, frozen=True):
    """A user for whom the audit was made (``--user``)."""

    needed: ClassVar[tuple[str, ...]] = ("id",)

    id: Id
    userPrincipalName: UserPrincipalName | None = None
    displayName: PersonName | None = None
    userType: Keyword | None = None
    accountEnabled: bool | None = None
    memberOf: tuple[MemberOf, ...] | None = None
    assignedPlans: tuple[AssignedPlan, ...] | None = None


def merged_row(old: Any, new: Any) -> Any:
    """`new`, with the properties that it does not set taken from `old`, another read of the same row."""
    unset = {
        field.name: getattr(old, field.name)
        for field in msgspec.structs.fields(new)
        if not field.required and getattr(new, field.name) == field.default
    }
    return msgspec.structs.replace(new, **unset)
