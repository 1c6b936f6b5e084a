"""The sections of a snapshot: their types, and one table with everything else that depends on the section.

To add a section, add a field to `Sections` with its type in `auditor.model.resources` or `access_resources`, a row to
the table below, and the function that reads it in `auditor.graph.section_reads`. Checks of the section are
about a setting named after its label, unless ``auditor/facts/settings.json`` says otherwise. The tests fail where a
part is missing.
"""

# Without postponed annotations, as in `auditor.model.resources`.

import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.model.access_resources import (
    AppConsentRequest,
    ConditionalAccessPolicy,
    ConfigurationDrift,
    DirectoryAudit,
    RoleAssignment,
    RoleDefinition,
    SignIn,
    SignInActivity,
)
from auditor.model.field_types import Id
from auditor.model.resources import (
    AdminConsentRequestPolicy,
    AppRoleAssignment,
    AuthorizationPolicy,
    DelegatedPermissionClassification,
    DirectorySetting,
    OAuth2PermissionGrant,
    Organization,
    PermissionGrantPolicy,
    ServicePrincipal,
    User,
)


class Sections(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parts of the tenant. ``None`` was not read; anything else is complete except as `Snapshot.covers` says."""

    organization: Organization | None = None
    authorizationPolicy: AuthorizationPolicy | None = None
    permissionGrantPolicies: tuple[PermissionGrantPolicy, ...] | None = None
    adminConsentRequestPolicy: AdminConsentRequestPolicy | None = None
    conditionalAccessPolicies: tuple[ConditionalAccessPolicy, ...] | None = None
    directorySettings: tuple[DirectorySetting, ...] | None = None
    servicePrincipals: tuple[ServicePrincipal, ...] | None = None
    absentServicePrincipals: tuple[Id, ...] | None = None
    delegatedPermissionClassifications: Mapping[Id, tuple[DelegatedPermissionClassification, ...]] | None = None
    oauth2PermissionGrants: tuple[OAuth2PermissionGrant, ...] | None = None
    appRoleAssignedTo: Mapping[Id, tuple[AppRoleAssignment, ...]] | None = None
    appRoleAssignments: Mapping[Id, tuple[AppRoleAssignment, ...]] | None = None
    roleDefinitions: tuple[RoleDefinition, ...] | None = None
    roleAssignments: tuple[RoleAssignment, ...] | None = None
    users: tuple[User, ...] | None = None
    appConsentRequests: tuple[AppConsentRequest, ...] | None = None
    signIns: tuple[SignIn, ...] | None = None
    servicePrincipalSignInActivities: tuple[SignInActivity, ...] | None = None
    directoryAudits: tuple[DirectoryAudit, ...] | None = None
    configurationDrifts: tuple[ConfigurationDrift, ...] | None = None


class SectionForm(Enum):
    """The JSON form of a section."""

    OBJECT = "one object"
    LIST = "a list of rows"
    BY_APP = "for each app id a list of rows"


class Extent(Enum):
    """How much of a section one read brings."""

    TENANT = "all of it, in one request whose size does not grow with the directory"
    CLIENT = "what belongs to one client app"
    HOLDER = "the application permissions of one client app"
    RESOURCE = "what belongs to one resource app"
    ROLE = "what belongs to one directory role"
    USER = "one user"
    LOG = "events, limited by time or to the client apps of the plan"
    DIRECTORY = "all of it, page by page"


def _no_key(row: Any) -> object:
    raise TypeError("the rows of this section have no key")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a snapshot.

    `name` is the field of `Sections`, `path` where Graph has it (below the version), `label` what people call it, and
    `row` what they call one row of a list that `grows`. With `is_beta`, only Graph's beta version has it, and it can't
    travel in one batch with the others. `clouds` are those whose Graph has it; empty means every cloud. Any one of
    `permissions` allows the read; the least one comes first. `extents` are the ways to read it; a section without any
    is a by-product of other reads. Two rows with the same `key` are the same row; with `merges_rows`, two reads may
    each bring some properties of one row. `marks` are
    properties (lower case) that identify a raw Graph response as this section; a list of the same resource type as
    another section has none. ``collect --full`` reads a section with `in_full` as a whole, and a section that `streams`
    into a file page by page, because its rows need no further reads and no other read needs them. A section that
    `dates_changes` says when something changed, and nothing about how it is: nightly runs and ``collect --full`` also
    read it, if the credential may.
    """

    name: str
    form: SectionForm
    path: str = ""
    is_beta: bool = False
    clouds: tuple[str, ...] = ()
    label: str = ""
    row: str = ""
    permissions: tuple[str, ...] = ()
    extents: tuple[Extent, ...] = ()
    key: Callable[[Any], object] = _no_key
    merges_rows: bool = False
    marks: tuple[str, ...] = ()
    in_full: bool = False
    streams: bool = False
    dates_changes: bool = False

    @property
    def words(self) -> str:
        """The label inside a sentence: ``the enterprise applications``; the name if nobody calls it otherwise."""
        return f"{self.label[:1].lower()}{self.label[1:]}" or self.name

    @property
    def only_by_app(self) -> bool:
        """Whether Graph lists the rows of one app at a time, so that nobody can read all of them."""
        return self.form is SectionForm.BY_APP

    @property
    def grows(self) -> bool:
        """Whether the section can be as large as the directory or its logs."""
        return Extent.DIRECTORY in self.extents or Extent.LOG in self.extents


_POLICIES = ("Policy.Read.All",)
_APPS = ("Application.Read.All", "Directory.Read.All")
_ROLES = ("RoleManagement.Read.Directory", "Directory.Read.All")
_LOGS = ("AuditLog.Read.All",)

_TABLE = (
    Section(
        name="organization",
        form=SectionForm.OBJECT,
        path="/organization",
        label="The tenant's own record",
        permissions=("Organization.Read.All", "Directory.Read.All"),
        extents=(Extent.TENANT,),
        marks=("verifieddomains",),
    ),
    Section(
        name="authorizationPolicy",
        form=SectionForm.OBJECT,
        path="/policies/authorizationPolicy",
        label="The user consent setting",
        permissions=_POLICIES,
        extents=(Extent.TENANT,),
        marks=("defaultuserrolepermissions", "permissiongrantpolicyidsassignedtodefaultuserrole"),
    ),
    Section(
        name="permissionGrantPolicies",
        form=SectionForm.LIST,
        path="/policies/permissionGrantPolicies",
        label="The consent policies",
        # Policy.Read.All does not allow this read.
        permissions=("Policy.Read.PermissionGrant",),
        extents=(Extent.TENANT,),
        key=lambda row: row.id,
        marks=("includes",),
    ),
    Section(
        name="adminConsentRequestPolicy",
        form=SectionForm.OBJECT,
        path="/policies/adminConsentRequestPolicy",
        label="The admin consent workflow",
        permissions=_POLICIES,
        extents=(Extent.TENANT,),
        marks=("remindersenabled",),
    ),
    Section(
        name="conditionalAccessPolicies",
        form=SectionForm.LIST,
        path="/identity/conditionalAccess/policies",
        label="The Conditional Access policies",
        permissions=_POLICIES,
        extents=(Extent.TENANT,),
        key=lambda row: row.id,
        marks=("grantcontrols", "sessioncontrols"),
    ),
    Section(
        name="directorySettings",
        form=SectionForm.LIST,
        path="/settings",
        is_beta=True,
        label="The directory settings",
        permissions=("GroupSettings.Read.All", "Directory.Read.All"),
        extents=(Extent.TENANT,),
        key=lambda row: row.id or row.templateId or row.displayName,
        marks=("templateid",),
        in_full=True,
    ),
    Section(
        name="servicePrincipals",
        form=SectionForm.LIST,
        path="/servicePrincipals",
        label="The enterprise applications",
        row="enterprise application",
        permissions=_APPS,
        extents=(Extent.CLIENT, Extent.RESOURCE, Extent.DIRECTORY),
        key=lambda row: row.appId.lower(),
        merges_rows=True,
        marks=("appid",),
        in_full=True,
        streams=True,
    ),
    Section(
        # The app ids for which Graph answered that there is no service principal.
        name="absentServicePrincipals",
        form=SectionForm.LIST,
        key=lambda app_id: app_id,
    ),
    Section(
        name="delegatedPermissionClassifications",
        form=SectionForm.BY_APP,
        path="/servicePrincipals/{id}/delegatedPermissionClassifications",
        label="The permission classifications",
        permissions=_APPS,
        extents=(Extent.RESOURCE,),
        marks=("permissionid",),
    ),
    Section(
        name="oauth2PermissionGrants",
        form=SectionForm.LIST,
        path="/oauth2PermissionGrants",
        label="The permissions granted so far",
        row="permission grant",
        permissions=("DelegatedPermissionGrant.Read.All", "Directory.Read.All"),
        extents=(Extent.CLIENT, Extent.DIRECTORY),
        key=lambda row: row.id or (row.clientId, row.resourceId, row.principalId),
        marks=("consenttype",),
        in_full=True,
        streams=True,
    ),
    Section(
        name="appRoleAssignedTo",
        form=SectionForm.BY_APP,
        path="/servicePrincipals/{id}/appRoleAssignedTo",
        label="Who is assigned to an app, and which apps hold its application permissions",
        permissions=_APPS,
        extents=(Extent.CLIENT,),
        marks=("approleid",),
    ),
    Section(
        name="appRoleAssignments",
        form=SectionForm.BY_APP,
        path="/servicePrincipals/{id}/appRoleAssignments",
        label="The application permissions that an app holds",
        permissions=_APPS,
        extents=(Extent.HOLDER,),
    ),
    Section(
        name="roleDefinitions",
        form=SectionForm.LIST,
        path="/roleManagement/directory/roleDefinitions",
        label="The directory roles",
        row="directory role",
        permissions=_ROLES,
        # For the whole tenant only the custom roles, because the built-in ones are known.
        extents=(Extent.TENANT, Extent.DIRECTORY),
        key=lambda row: row.id,
        marks=("rolepermissions",),
        in_full=True,
    ),
    Section(
        name="roleAssignments",
        form=SectionForm.LIST,
        path="/roleManagement/directory/roleAssignments",
        label="The holders of directory roles",
        row="role assignment",
        permissions=_ROLES,
        extents=(Extent.ROLE, Extent.DIRECTORY),
        key=lambda row: row.id or (row.principalId, row.roleDefinitionId, row.directoryScopeId),
        marks=("roledefinitionid",),
        in_full=True,
        streams=True,
    ),
    Section(
        name="users",
        form=SectionForm.LIST,
        path="/users",
        label="The user",
        row="user",
        permissions=("User.Read.All", "Directory.Read.All"),
        extents=(Extent.USER, Extent.DIRECTORY),
        key=lambda row: row.id,
        merges_rows=True,
        marks=("userprincipalname",),
        streams=True,
    ),
    Section(
        name="appConsentRequests",
        form=SectionForm.LIST,
        path="/identityGovernance/appConsent/appConsentRequests",
        label="The requests for admin consent",
        row="admin consent request",
        permissions=("ConsentRequest.Read.All",),
        extents=(Extent.LOG,),
        key=lambda row: row.id or row.appId,
        marks=("pendingscopes",),
        in_full=True,
    ),
    Section(
        name="signIns",
        form=SectionForm.LIST,
        path="/auditLogs/signIns",
        label="The sign-in log",
        row="sign-in",
        permissions=_LOGS,
        extents=(Extent.LOG,),
        key=lambda row: row.id or (row.createdDateTime, row.correlationId),
        marks=("correlationid",),
        in_full=True,
        streams=True,
    ),
    Section(
        # Source: "List servicePrincipalSignInActivities" of the beta reference, also for the clouds.
        name="servicePrincipalSignInActivities",
        form=SectionForm.LIST,
        path="/reports/servicePrincipalSignInActivities",
        is_beta=True,
        clouds=("global",),
        label="When each app was last used",
        row="last-use date",
        permissions=(*_LOGS, "Directory.Read.All"),
        extents=(Extent.LOG,),
        key=lambda row: row.appId.lower(),
        marks=("lastsigninactivity", "delegatedclientsigninactivity", "applicationauthenticationclientsigninactivity"),
        in_full=True,
        streams=True,
    ),
    Section(
        name="directoryAudits",
        form=SectionForm.LIST,
        path="/auditLogs/directoryAudits",
        label="The directory's audit log",
        row="audit log record",
        permissions=_LOGS,
        extents=(Extent.LOG,),
        key=lambda row: row.id or (row.activityDateTime, row.correlationId),
        marks=("activitydisplayname",),
        in_full=True,
        streams=True,
        dates_changes=True,
    ),
    Section(
        # At most as many as there are monitored resources: 800 a day in a tenant.
        name="configurationDrifts",
        form=SectionForm.LIST,
        path="/admin/configurationManagement/configurationDrifts",
        label="The configuration drifts",
        permissions=("ConfigurationMonitoring.Read.All",),
        extents=(Extent.TENANT,),
        key=lambda row: row.id or (row.firstReportedDateTime, row.resourceType),
        marks=("driftedproperties", "firstreporteddatetime"),
        dates_changes=True,
    ),
)

SECTIONS: Mapping[str, Section] = MappingProxyType({section.name: section for section in _TABLE})
"""Every section by its name, in the order in which a snapshot file lists them."""

FULL_SECTIONS = tuple(section.name for section in _TABLE if section.in_full)
"""The sections that ``collect --full`` reads as a whole."""

STREAMED_SECTIONS = tuple(section.name for section in _TABLE if section.streams)
"""The sections whose whole lists are written to files page by page."""

DATING_SECTIONS = tuple(section.name for section in _TABLE if section.dates_changes)
"""The sections that only say when something changed, and that no verdict needs."""

TENANT_SECTIONS = tuple(section.name for section in _TABLE if section.extents)
"""The sections that can be read; the others record only what was looked for."""


def permissions_to_read(section: str) -> tuple[str, ...]:
    """The application permissions that allow a read of the section, any one of them; the least one comes first.

    Empty for a section that this version does not know, and for one that is not read by itself.
    """
    row = SECTIONS.get(section)
    return row.permissions if row else ()


def sections_read(extent: Extent) -> tuple[str, ...]:
    """The sections that a read of this extent fills, in the order of the table."""
    return tuple(section.name for section in _TABLE if extent in section.extents)


def section_of_response(properties: frozenset[str]) -> str:
    """The section whose rows have these properties (lower case), or an empty string.

    Later rows of the table are compared first, because log entries repeat properties of the objects they are about.
    """
    return next((section.name for section in reversed(_TABLE) if properties & set(section.marks)), "")


_MISSING = re.compile(
    rf"\b({'|'.join(TENANT_SECTIONS)})\b(?: of ([^;()]+?)|\.[\w.]+)?"
    r" (?:was not read|wasn't read|was read in part only|was only read in part|could not be read|couldn't be read)"
)


def missing_parts(reason: str) -> tuple[tuple[str, str], ...]:
    """The data that a reason says is missing: sections, each with the name of the app that it's about, if it names one.

    ``appRoleAssignedTo of Microsoft Graph was not read`` is the section ``appRoleAssignedTo`` of ``Microsoft Graph``.
    """
    return tuple(dict.fromkeys((found[1], found[2] or "") for found in _MISSING.finditer(reason)))
