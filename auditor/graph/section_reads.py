"""Turn a plan into reads of Microsoft Graph: one function for each section, and those for single apps and users.

The SDK's request builders make the addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgraph.graph_service_client import GraphServiceClient

from auditor.facts.audit_activities import all_activities, drift_types
from auditor.facts.ids import is_guid
from auditor.facts.sign_in_codes import logged_codes
from auditor.graph.reads import (
    BLUEPRINT_OF_AGENT,
    OWN_APPLICATION,
    Read,
    RequestBuilder,
    address_of,
    address_without_builder,
    quoted,
)
from auditor.model.document import utc_text
from auditor.model.sections import SECTIONS, Extent
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
_USERS_PROPERTIES = ("id", "userPrincipalName", "displayName", "userType", "accountEnabled")
_USER_PROPERTIES = (*_USERS_PROPERTIES, "assignedPlans")
"""``assignedPlans`` needs no further permission: the reference lists it among the properties of a user."""
_DRIFT_PROPERTIES = (
    *("id", "resourceType", "resourceInstanceIdentifier", "firstReportedDateTime", "status"),
    "driftedProperties",
)
_ENTRA = "microsoft.entra."

_ALTERNATIVES = 15
"""How many error codes one filter names. The directory takes 15 alternatives; the limit of the log isn't documented.

Source: the answer of Graph, "Too many child clauses specified in search filter expression containing 'OR' operators:
16. Max allowed: 15."
"""
PAGE = "999"
"""The largest page that Graph's directory lists allow."""


Reads = Iterator[Read]


class _Wanted(NamedTuple):
    """What is asked of a section: all of it (`whole`), or a small part; of a log what happened `since`.

    `clients` limits logs to these apps; empty means all apps. `plan` says which events of the logs.
    """

    graph: GraphServiceClient
    whole: bool
    since: str
    clients: tuple[str, ...]
    plan: Plan


def reads_for(plan: Plan, graph: GraphServiceClient, taken: str) -> tuple[Read, ...]:
    """Every read that `plan` asks for; logs are read from `plan.log_days` before `taken` on.

    Raises `ValueError` for a section that cannot be read in the way the plan asks.
    """
    since = utc_text(datetime.fromisoformat(taken) - timedelta(days=plan.log_days))
    return _reads(plan, since if _LOGS.intersection((*plan.whole, *plan.sections)) else "", graph)


_LOGS = frozenset(name for name, section in SECTIONS.items() if Extent.LOG in section.extents)


@lru_cache(maxsize=32)
def _reads(plan: Plan, since: str, graph: GraphServiceClient) -> tuple[Read, ...]:
    """The reads of a plan, made once for all tenants that share the builders: a millisecond or more for each."""
    reads: list[Read] = []
    for section in dict.fromkeys((*plan.whole, *plan.sections)):
        whole = section in plan.whole
        clients = () if whole else tuple(dict.fromkeys(plan.clients))
        reads += _section(section, _Wanted(graph, whole, since, clients, plan))
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
    yield Read(section="organization", url=address_of(wanted.graph.organization, select=select))


def _authorization_policy(wanted: _Wanted) -> Reads:
    yield Read(section="authorizationPolicy", url=address_of(wanted.graph.policies.authorization_policy))


def _permission_grant_policies(wanted: _Wanted) -> Reads:
    url = address_of(wanted.graph.policies.permission_grant_policies)
    yield Read(section="permissionGrantPolicies", url=url, is_list=True)


def _beta_policy(graph: GraphServiceClient, policy: str) -> Read:
    """One consent policy with the properties that exist only in beta."""
    url = address_of(graph.policies.permission_grant_policies.by_permission_grant_policy_id(policy))
    return Read(section="permissionGrantPolicies", part=policy, version="beta", url=url, aspect="beta")


def _admin_consent_request_policy(wanted: _Wanted) -> Reads:
    yield Read(section="adminConsentRequestPolicy", url=address_of(wanted.graph.policies.admin_consent_request_policy))


def _conditional_access_policies(wanted: _Wanted) -> Reads:
    url = address_of(wanted.graph.identity.conditional_access.policies)
    yield Read(section="conditionalAccessPolicies", url=url, is_list=True)


def _directory_settings(wanted: _Wanted) -> Reads:
    # These settings exist only in beta, for which the SDK of v1.0 has no builder.
    version = "beta" if SECTIONS["directorySettings"].is_beta else "v1.0"
    yield Read(section="directorySettings", url=address_without_builder("/settings"), version=version, is_list=True)


def _service_principals(wanted: _Wanted) -> Reads:
    principals = wanted.graph.service_principals
    yield Read(
        section="servicePrincipals",
        url=address_of(principals, select=(*CLIENT_PROPERTIES, BLUEPRINT_OF_AGENT), top=PAGE),
        optional=(*NOT_IN_EVERY_CLOUD, BLUEPRINT_OF_AGENT),
        is_list=True,
    )


def _grants(wanted: _Wanted) -> Reads:
    url = address_of(wanted.graph.oauth2_permission_grants, top=PAGE)
    yield Read(section="oauth2PermissionGrants", url=url, is_list=True)


def _role_definitions(wanted: _Wanted) -> Reads:
    roles = wanted.graph.role_management.directory.role_definitions
    if wanted.whole:
        yield Read(section="roleDefinitions", url=address_of(roles), is_list=True)
    else:
        url = address_of(roles, filter="isBuiltIn eq false")
        yield Read(section="roleDefinitions", url=url, is_list=True, covers=("custom",))


def _role_assignments(wanted: _Wanted) -> Reads:
    url = address_of(wanted.graph.role_management.directory.role_assignments)
    yield Read(section="roleAssignments", url=url, is_list=True)


def _holders_of_role(graph: GraphServiceClient, role: str) -> Read:
    url = address_of(graph.role_management.directory.role_assignments, filter=f"roleDefinitionId eq {quoted(role)}")
    return Read(section="roleAssignments", part=role, url=url, is_list=True, covers=(role,))


def _users(wanted: _Wanted) -> Reads:
    yield Read(section="users", url=address_of(wanted.graph.users, select=_USERS_PROPERTIES, top=PAGE), is_list=True)


def _user(graph: GraphServiceClient, name: str) -> Reads:
    """One user by object id or user principal name, and the groups and roles of which the user is a direct member."""
    user = graph.users.by_user_id(name)
    yield Read(section="users", part=name, url=address_of(user, select=_USER_PROPERTIES), covers=(name,))
    url = address_of(user.member_of, select=("id", "displayName"))
    yield Read(section="users", part=name, url=url, is_list=True, aspect="memberOf")


def _consent_requests(wanted: _Wanted) -> Reads:
    """Requests for admin consent to each of the clients, or to any app."""
    requests = wanted.graph.identity_governance.app_consent.app_consent_requests
    for app in wanted.clients or ("",):
        url = address_of(requests, filter=f"appId eq {quoted(app)}") if app else address_of(requests)
        yield Read(section="appConsentRequests", url=url, is_list=True, covers=(app,) if app else ())


def consent_requesters(graph: GraphServiceClient, request_id: str) -> Read:
    """Who asked for admin consent to one app. Graph's list of requests leaves this out, so it is read afterwards."""
    requests = graph.identity_governance.app_consent.app_consent_requests
    url = address_of(requests.by_app_consent_request_id(request_id).user_consent_requests)
    return Read(section="appConsentRequests", part=request_id, url=url, is_list=True, aspect="userConsentRequests")


def _sign_ins(wanted: _Wanted) -> Reads:
    """Sign-ins to each of the clients, or to any app, that ended in one of the plan's errors.

    Those with the plan's correlation id are read whatever their outcome: they are few.
    """
    plan = wanted.plan
    codes = tuple(f"status/errorCode eq {code}" for code in dict.fromkeys(plan.log_codes or logged_codes()))
    for app in wanted.clients or ("",):
        which = [f"createdDateTime ge {wanted.since}"]
        which += [f"appId eq {quoted(app)}"] if app else []
        which += [_of_user(plan.log_user)] if plan.log_user else []
        if plan.log_correlation:
            which.append(f"correlationId eq {quoted(plan.log_correlation)}")
        read = Read(section="signIns", url="", is_list=True, covers=(app,) if app else ())
        alternatives = () if plan.log_correlation else codes
        yield _filtered(read, wanted.graph.audit_logs.sign_ins, which, alternatives, _ALTERNATIVES)


def _of_user(user: str) -> str:
    """The filter for sign-ins of a user. The log has user principal names in lower case."""
    return f"userId eq {quoted(user)}" if is_guid(user) else f"userPrincipalName eq {quoted(user.lower())}"


def _filtered(read: Read, log: RequestBuilder, which: Sequence[str], alternatives: Sequence[str], at_most: int) -> Read:
    """The read of the entries of a log to which all of `which` and one of the alternatives apply.

    One address names `at_most` alternatives, and a third of them where Graph refuses these. If it refuses the shorter
    filters, too, the log is unread: without them, every entry of a large tenant would have to be read.
    """

    def addresses(size: int) -> tuple[str, ...]:
        parts = [alternatives[i : i + size] for i in range(0, len(alternatives), size)] or [()]
        joined = ((*which, f"({' or '.join(part)})" if part else "") for part in parts)
        return tuple(address_of(log, filter=" and ".join(filter(None, conditions))) for conditions in joined)

    first, *more = addresses(at_most)
    smaller = addresses(max(1, at_most // 3)) if len(alternatives) > at_most // 3 else ()
    return msgspec.structs.replace(read, url=first, more=tuple(more), smaller=smaller)


def _last_use(wanted: _Wanted) -> Reads:
    """When each of the clients, or any app, was last used. It exists only in beta."""
    path = "/reports/servicePrincipalSignInActivities"
    for app in wanted.clients or ("",):
        options = {"filter": f"appId eq {quoted(app)}"} if app else {}
        yield Read(
            section="servicePrincipalSignInActivities",
            url=address_without_builder(path, options),
            version="beta",
            is_list=True,
            covers=(app,) if app else (),
        )


def _directory_audits(wanted: _Wanted) -> Reads:
    """Who changed what decides about consent. For all apps, because Graph cannot filter the log by app."""
    named = tuple(f"activityDisplayName eq {quoted(name)}" for name in all_activities())
    read = Read(section="directoryAudits", url="", is_list=True)
    log = wanted.graph.audit_logs.directory_audits
    yield _filtered(read, log, [f"activityDateTime ge {wanted.since}"], named, len(named))


def _configuration_drifts(wanted: _Wanted) -> Reads:
    """The drifts of what decides about consent. Graph returns what drifted, and where, only where it is selected."""
    # The oldest supported SDK has no builder for it.
    path = "/admin/configurationManagement/configurationDrifts"
    types = " or ".join(f"resourceType eq {quoted(name)}" for name in drift_types())
    filters = types, f"startswith(resourceType,{quoted(_ENTRA)})"
    url, fallback = (address_without_builder(path, {"filter": one, "select": _DRIFT_PROPERTIES}) for one in filters)
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
        url=address_of(graph.service_principals_with_app_id(app), select=properties),
        optional=NOT_IN_EVERY_CLOUD if is_client else (),
        absent_ok=True,
        covers=(app,),
    )


def blueprint_of_agent(app: str, object_id: str) -> Read:
    """Which blueprint an agent identity has, which a read of one service principal doesn't say.

    Source: Graph v1.0, "Get agentIdentity" (Application.Read.All is enough).
    """
    url = address_without_builder("/servicePrincipals/{id}/microsoft.graph.agentIdentity", id=object_id)
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
    url = address_without_builder(path, appId=blueprint)
    return Read(section="servicePrincipals", part=blueprint, url=url, is_list=True, aspect="inheritablePermissions")


def own_application(app: str, credentials: str) -> Read:
    """The audit's own app registration by its app id, with its ``passwordCredentials`` or its ``keyCredentials``.

    It needs no permission: "A service principal can retrieve its own application and service principal details without
    being granted any application permissions" (Graph v1.0, "Get application").
    """
    url = address_without_builder("/applications(appId='{appId}')", appId=app) + f"?$select=appId,{credentials}"
    return Read(section=OWN_APPLICATION, part=app, url=url, absent_ok=True)


def _of_app(app: str, section: str, covers: tuple[str, ...] = ()) -> Read:
    """A collection of an app's service principal. The SDK has no builder below the alternate key."""
    url = address_without_builder(f"/servicePrincipals(appId='{{appId}}')/{section}", appId=app)
    return Read(section=section, part=app, url=url, is_list=True, absent_ok=True, covers=covers)
