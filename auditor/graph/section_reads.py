"""Turn a plan into reads of Microsoft Graph: one function for each section, and those for single apps and users.

The SDK's request builders make the addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple, Protocol

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware import ParametersNameDecodingHandler
from msgraph.graph_service_client import GraphServiceClient

from auditor.facts.audit_activities import all_activities, drift_types
from auditor.facts.sign_in_codes import logged_codes
from auditor.graph.graph_errors import REPORT_IT, GraphError, LibraryFailed, class_name, foreign_code
from auditor.model.sections import SECTIONS, Extent, permissions_to_read
from auditor.model.snapshot import Plan

CLIENT_PROPERTIES = (
    "id",
    "appId",
    "displayName",
    "appDisplayName",
    "accountEnabled",
    "appRoleAssignmentRequired",
    "appOwnerOrganizationId",
    "disabledByMicrosoftStatus",
    "isDisabled",
    "servicePrincipalType",
    "signInAudience",
    "verifiedPublisher",
    "replyUrls",
    "tags",
    "servicePrincipalNames",
    "createdDateTime",
)
RESOURCE_PROPERTIES = ("id", "appId", "displayName", "accountEnabled", "oauth2PermissionScopes")
_WITH_APP_ROLES = (*RESOURCE_PROPERTIES, "appRoles")
NOT_IN_EVERY_CLOUD = ("isDisabled", "createdDateTime", "verifiedPublisher")
"""Properties of a service principal that a cloud may refuse with 400, so that the read is repeated without them.

The v1.0 metadata of the global cloud (August 2026) declares no createdDateTime, although Graph returns it, and that of
the US Government and China clouds no verifiedPublisher; isDisabled is the newest.
"""
BLUEPRINT_OF_AGENT = "agentIdentityBlueprintId"
"""A property of agent identities only (Graph v1.0, ``agentIdentity``).

Graph takes the properties of derived types in the ``$select`` of a list of their base type; that it does so here is
likely, because scripts use it and the reference doesn't say so.
"""
_USERS_PROPERTIES = ("id", "userPrincipalName", "displayName", "userType", "accountEnabled")
_USER_PROPERTIES = (*_USERS_PROPERTIES, "assignedPlans")
"""``assignedPlans`` needs no further permission: the reference lists it among the properties of a user."""
_DRIFT_PROPERTIES = (
    *("id", "resourceType", "resourceInstanceIdentifier", "firstReportedDateTime", "status"),
    "driftedProperties",
)
_ENTRA = "microsoft.entra."

OWN_APPLICATION = "applications"
"""The section, in the list of reads only, of the audit's own app registration: a snapshot has no such section."""
PAGE = "999"
"""The largest page that Graph's directory lists allow."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One read of Graph: its address, and the part of a section that its answer becomes.

    `url` is relative to the version. `absent_ok`: a 404 is an answer if the app of `part` has no service principal.
    `optional` are selected properties to leave out, and `fallback` the address to use, where Graph answers 400.
    `aspect` distinguishes reads that make up one part.
    `whole`: a directory-wide list, read page by page. `covers` is what the section is then complete for; empty means
    that the whole section is complete.
    """

    section: str
    url: str
    part: str = ""
    version: str = "v1.0"
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    is_list: bool = False
    absent_ok: bool = False
    whole: bool = False
    optional: tuple[str, ...] = ()
    fallback: str = ""
    aspect: str = ""
    covers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The key of this read in `unread` if it fails."""
        return f"{self.section}/{self.part}" if self.part else self.section

    @property
    def permissions(self) -> tuple[str, ...]:
        """The permissions that allow the read, any one of them."""
        if self.section == OWN_APPLICATION:
            return ()
        if self.aspect == "memberOf":
            # A user's groups and roles need more than the user: User.Read.All is not enough for an app.
            return ("Directory.Read.All",)
        return permissions_to_read(self.section)

    def after_refusal(self, message: str) -> Read | None:
        """The read to send after Graph answered 400 with this message; ``None`` where nothing can be left out.

        Leaves out the optional properties that the message names, or all of them if it names none.
        """
        if self.optional:
            named = tuple(name for name in self.optional if f"'{name}'" in message)
            # The property of a derived type is the likeliest to be refused, and the only one that few tenants need.
            named = named or tuple(name for name in self.optional if name == BLUEPRINT_OF_AGENT) or self.optional
            left = tuple(name for name in self.optional if name not in named)
            return msgspec.structs.replace(self, url=_without_selected(self.url, named), optional=left)
        return msgspec.structs.replace(self, url=self.fallback, fallback="") if self.fallback else None


def _without_selected(url: str, names: Sequence[str]) -> str:
    """The address without these properties in its ``$select``."""
    head, mark, rest = url.partition("$select=")
    selected, more, options = rest.partition("&")
    comma = "%2C" if "%2C" in selected else ","
    return head + mark + comma.join(name for name in selected.split(comma) if name not in names) + more + options


Reads = Iterator[Read]


class _Wanted(NamedTuple):
    """What is asked of a section: all of it (`whole`), or a small part; of a log what happened `since`.

    `clients` limits logs to these apps; empty means all apps.
    """

    graph: GraphServiceClient
    whole: bool
    since: str
    clients: tuple[str, ...]


def reads_for(plan: Plan, graph: GraphServiceClient, taken: str) -> tuple[Read, ...]:
    """Every read that `plan` asks for; logs are read from `plan.log_days` before `taken` on.

    Raises `ValueError` for a section that cannot be read in the way the plan asks.
    """
    since = (datetime.fromisoformat(taken) - timedelta(days=plan.log_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    reads: list[Read] = []
    for section in dict.fromkeys((*plan.whole, *plan.sections)):
        whole = section in plan.whole
        clients = () if whole else tuple(dict.fromkeys(plan.clients))
        reads += _section(section, _Wanted(graph, whole, since, clients))
    reads += _apps(plan, graph)
    for user in dict.fromkeys(plan.users):
        reads += _user(graph, user)
    for policy in dict.fromkeys(plan.beta_policies):
        reads.append(_beta_policy(graph, policy))
    for role in dict.fromkeys(plan.assignments_of):
        reads.append(_holders_of_role(graph, role))
    return tuple(reads)


def _section(section: str, wanted: _Wanted) -> Reads:
    row = SECTIONS.get(section)
    extents = row.extents if row else ()
    possible = {Extent.TENANT, Extent.LOG, Extent.DIRECTORY} if wanted.whole else {Extent.TENANT, Extent.LOG}
    if not possible.intersection(extents):
        how = "all at once" if wanted.whole else "in one small request"
        raise ValueError(f"{section} cannot be read {how}")
    for read in _READERS[section](wanted):
        yield msgspec.structs.replace(read, whole=wanted.whole and read.is_list)


def _organization(wanted: _Wanted) -> Reads:
    select = ("id", "displayName", "tenantType", "verifiedDomains")
    yield Read(section="organization", url=_url(wanted.graph.organization, select=select))


def _authorization_policy(wanted: _Wanted) -> Reads:
    yield Read(section="authorizationPolicy", url=_url(wanted.graph.policies.authorization_policy))


def _permission_grant_policies(wanted: _Wanted) -> Reads:
    url = _url(wanted.graph.policies.permission_grant_policies)
    yield Read(section="permissionGrantPolicies", url=url, is_list=True)


def _beta_policy(graph: GraphServiceClient, policy: str) -> Read:
    """One consent policy with the properties that exist only in beta."""
    url = _url(graph.policies.permission_grant_policies.by_permission_grant_policy_id(policy))
    return Read(section="permissionGrantPolicies", part=policy, version="beta", url=url, aspect="beta")


def _admin_consent_request_policy(wanted: _Wanted) -> Reads:
    yield Read(section="adminConsentRequestPolicy", url=_url(wanted.graph.policies.admin_consent_request_policy))


def _conditional_access_policies(wanted: _Wanted) -> Reads:
    url = _url(wanted.graph.identity.conditional_access.policies)
    yield Read(section="conditionalAccessPolicies", url=url, is_list=True)


def _directory_settings(wanted: _Wanted) -> Reads:
    # These settings exist only in beta, for which the SDK of v1.0 has no builder.
    version = "beta" if SECTIONS["directorySettings"].is_beta else "v1.0"
    yield Read(section="directorySettings", url=_url_without_builder("/settings"), version=version, is_list=True)


def _service_principals(wanted: _Wanted) -> Reads:
    principals = wanted.graph.service_principals
    yield Read(
        section="servicePrincipals",
        url=_url(principals, select=(*CLIENT_PROPERTIES, BLUEPRINT_OF_AGENT), top=PAGE),
        optional=(*NOT_IN_EVERY_CLOUD, BLUEPRINT_OF_AGENT),
        is_list=True,
    )


def _grants(wanted: _Wanted) -> Reads:
    url = _url(wanted.graph.oauth2_permission_grants, top=PAGE)
    yield Read(section="oauth2PermissionGrants", url=url, is_list=True)


def _role_definitions(wanted: _Wanted) -> Reads:
    roles = wanted.graph.role_management.directory.role_definitions
    if wanted.whole:
        yield Read(section="roleDefinitions", url=_url(roles), is_list=True)
    else:
        url = _url(roles, filter="isBuiltIn eq false")
        yield Read(section="roleDefinitions", url=url, is_list=True, covers=("custom",))


def _role_assignments(wanted: _Wanted) -> Reads:
    url = _url(wanted.graph.role_management.directory.role_assignments)
    yield Read(section="roleAssignments", url=url, is_list=True)


def _holders_of_role(graph: GraphServiceClient, role: str) -> Read:
    url = _url(graph.role_management.directory.role_assignments, filter=f"roleDefinitionId eq {quoted(role)}")
    return Read(section="roleAssignments", part=role, url=url, is_list=True, covers=(role,))


def _users(wanted: _Wanted) -> Reads:
    yield Read(section="users", url=_url(wanted.graph.users, select=_USERS_PROPERTIES, top=PAGE), is_list=True)


def _user(graph: GraphServiceClient, name: str) -> Reads:
    """One user by object id or user principal name, and the groups and roles of which the user is a direct member."""
    user = graph.users.by_user_id(name)
    yield Read(section="users", part=name, url=_url(user, select=_USER_PROPERTIES), covers=(name,))
    url = _url(user.member_of, select=("id", "displayName"))
    yield Read(section="users", part=name, url=url, is_list=True, aspect="memberOf")


def _consent_requests(wanted: _Wanted) -> Reads:
    """Requests for admin consent to each of the clients, or to any app."""
    requests = wanted.graph.identity_governance.app_consent.app_consent_requests
    for app in wanted.clients or ("",):
        url = _url(requests, filter=f"appId eq {quoted(app)}") if app else _url(requests)
        yield Read(section="appConsentRequests", url=url, is_list=True, covers=(app,) if app else ())


def consent_requesters(graph: GraphServiceClient, request_id: str) -> Read:
    """Who asked for admin consent to one app. Graph's list of requests leaves this out, so it is read afterwards."""
    requests = graph.identity_governance.app_consent.app_consent_requests
    url = _url(requests.by_app_consent_request_id(request_id).user_consent_requests)
    return Read(section="appConsentRequests", part=request_id, url=url, is_list=True, aspect="userConsentRequests")


def _sign_ins(wanted: _Wanted) -> Reads:
    """Sign-ins to each of the clients, or to any app, that ended in a code of `logged_codes`."""
    codes = " or ".join(f"status/errorCode eq {code}" for code in logged_codes())
    sign_ins = wanted.graph.audit_logs.sign_ins
    for app in wanted.clients or ("",):
        which = f"createdDateTime ge {wanted.since}" + (f" and appId eq {quoted(app)}" if app else "")
        yield Read(
            section="signIns",
            url=_url(sign_ins, filter=f"{which} and ({codes})"),
            fallback=_url(sign_ins, filter=which),
            is_list=True,
            covers=(app,) if app else (),
        )


def _last_use(wanted: _Wanted) -> Reads:
    """When each of the clients, or any app, was last used. It exists only in beta."""
    path = "/reports/servicePrincipalSignInActivities"
    for app in wanted.clients or ("",):
        options = {"filter": f"appId eq {quoted(app)}"} if app else {}
        yield Read(
            section="servicePrincipalSignInActivities",
            url=_url_without_builder(path, options),
            version="beta",
            is_list=True,
            covers=(app,) if app else (),
        )


def _directory_audits(wanted: _Wanted) -> Reads:
    """Who changed what decides about consent. For all apps, because Graph cannot filter the log by app."""
    named = " or ".join(f"activityDisplayName eq {quoted(name)}" for name in all_activities())
    when = f"activityDateTime ge {wanted.since}"
    audits = wanted.graph.audit_logs.directory_audits
    url = _url(audits, filter=f"{when} and ({named})")
    # If Graph refuses so many alternatives, everything of that time is read.
    yield Read(section="directoryAudits", url=url, fallback=_url(audits, filter=when), is_list=True)


def _configuration_drifts(wanted: _Wanted) -> Reads:
    """The drifts of what decides about consent. Graph returns what drifted, and where, only where it is selected."""
    # The oldest supported SDK has no builder for it.
    path = "/admin/configurationManagement/configurationDrifts"
    types = " or ".join(f"resourceType eq {quoted(name)}" for name in drift_types())
    filters = types, f"startswith(resourceType,{quoted(_ENTRA)})"
    url, fallback = (_url_without_builder(path, {"filter": one, "select": _DRIFT_PROPERTIES}) for one in filters)
    yield Read(section="configurationDrifts", url=url, fallback=fallback, is_list=True)


_READERS: Mapping[str, Callable[[_Wanted], Reads]] = {
    "organization": _organization,
    "authorizationPolicy": _authorization_policy,
    "permissionGrantPolicies": _permission_grant_policies,
    "adminConsentRequestPolicy": _admin_consent_request_policy,
    "conditionalAccessPolicies": _conditional_access_policies,
    "directorySettings": _directory_settings,
    "servicePrincipals": _service_principals,
    "oauth2PermissionGrants": _grants,
    "roleDefinitions": _role_definitions,
    "roleAssignments": _role_assignments,
    "users": _users,
    "appConsentRequests": _consent_requests,
    "signIns": _sign_ins,
    "servicePrincipalSignInActivities": _last_use,
    "directoryAudits": _directory_audits,
    "configurationDrifts": _configuration_drifts,
}
"""The sections that can be read without naming apps."""


def _apps(plan: Plan, graph: GraphServiceClient) -> Reads:
    """Clients and resources; an app that is both is read once, with the properties of both."""
    clients, resources = dict.fromkeys(plan.clients), dict.fromkeys(plan.resources)
    with_roles = dict.fromkeys(plan.app_roles_on)
    for app in clients | resources | with_roles:
        of_client = CLIENT_PROPERTIES if app in clients else ()
        of_resource = _WITH_APP_ROLES if app in with_roles else RESOURCE_PROPERTIES if app in resources else ()
        yield _app(graph, app, tuple(dict.fromkeys((*of_client, *of_resource))), is_client=app in clients)
    for app in clients:
        yield _of_app(app, "oauth2PermissionGrants", covers=(app,))
        yield _of_app(app, "appRoleAssignedTo")
    for app in dict.fromkeys(plan.app_roles_of):
        yield _of_app(app, "appRoleAssignments")
    for app in resources:
        yield _of_app(app, "delegatedPermissionClassifications")


def _app(graph: GraphServiceClient, app: str, properties: Sequence[str], *, is_client: bool) -> Read:
    return Read(
        section="servicePrincipals",
        part=app,
        url=_url(graph.service_principals_with_app_id(app), select=properties),
        optional=NOT_IN_EVERY_CLOUD if is_client else (),
        absent_ok=True,
        covers=(app,),
    )


def blueprint_of_agent(app: str, object_id: str) -> Read:
    """Which blueprint an agent identity has, which a read of one service principal doesn't say.

    Source: Graph v1.0, "Get agentIdentity" (Application.Read.All is enough).
    """
    url = _url_without_builder("/servicePrincipals/{id}/microsoft.graph.agentIdentity", id=object_id)
    url += f"?$select=id,{BLUEPRINT_OF_AGENT}"
    return Read(section="servicePrincipals", part=app, url=url, aspect="agentIdentity")


def blueprint_of_client(graph: GraphServiceClient, blueprint: str) -> Reads:
    """The principal of an agent's blueprint by its app id, and the grants that the agent may inherit."""
    yield _app(graph, blueprint, CLIENT_PROPERTIES, is_client=True)
    yield _of_app(blueprint, "oauth2PermissionGrants", covers=(blueprint,))


def inheritable_permissions(blueprint: str) -> Read:
    """What the agent identities of a blueprint of this tenant inherit, by the blueprint's app id.

    Source: Graph v1.0, "List inheritablePermission objects" (Application.Read.All is enough), which names the
    application by its object id; that the app id as alternate key works here as for every application is likely.
    """
    path = "/applications(appId='{appId}')/microsoft.graph.agentIdentityBlueprint/inheritablePermissions"
    url = _url_without_builder(path, appId=blueprint)
    return Read(section="servicePrincipals", part=blueprint, url=url, is_list=True, aspect="inheritablePermissions")


def own_application(app: str, credentials: str) -> Read:
    """The audit's own app registration by its app id, with its ``passwordCredentials`` or its ``keyCredentials``.

    It needs no permission: "A service principal can retrieve its own application and service principal details without
    being granted any application permissions" (Graph v1.0, "Get application").
    """
    url = _url_without_builder("/applications(appId='{appId}')", appId=app) + f"?$select=appId,{credentials}"
    return Read(section=OWN_APPLICATION, part=app, url=url, absent_ok=True)


def _of_app(app: str, section: str, covers: tuple[str, ...] = ()) -> Read:
    """A collection of an app's service principal. The SDK has no builder below the alternate key."""
    url = _url_without_builder(f"/servicePrincipals(appId='{{appId}}')/{section}", appId=app)
    return Read(section=section, part=app, url=url, is_list=True, absent_ok=True, covers=covers)


_NONE: Mapping[str, str] = MappingProxyType({})


class _Builder(Protocol):
    """A request builder of the SDK."""

    def to_get_request_information(self) -> RequestInformation:
        """The request that the builder makes."""


def _url(builder: _Builder, **options: str | Sequence[str]) -> str:
    """The address of a builder's request below the version. `options` are query options without the dollar sign."""
    with foreign_code(_explain):
        return _relative(builder.to_get_request_information(), options)


def _url_without_builder(path: str, options: Mapping[str, str | Sequence[str]] = _NONE, **parameters: str) -> str:
    """The address of a path for which the SDK has no builder. `options` are as those of `_url`."""
    query = f"{{?{','.join(f'%24{name}' for name in options)}}}" if options else ""
    with foreign_code(_explain):
        return _relative(RequestInformation(Method.GET, f"{{+baseurl}}{path}{query}", dict(parameters)), options)


def _explain(error: Exception) -> GraphError:
    return LibraryFailed(f"the Graph SDK could not make a request ({class_name(error)})", advice=REPORT_IT)


def _relative(info: RequestInformation, options: Mapping[str, str | Sequence[str]]) -> str:
    for name, value in options.items():
        info.query_parameters[f"%24{name}"] = value if isinstance(value, str) else list(value)
    path, mark, query = info.url.partition("?")
    # The SDK's builders encode the dollar signs, and one of its middlewares decodes them before sending.
    return path + mark + ParametersNameDecodingHandler().decode_uri_encoded_string(query, ["$"])


def quoted(text: str) -> str:
    """`text` as a literal of a filter."""
    return "'" + text.replace("'", "''") + "'"
