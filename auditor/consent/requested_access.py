"""What a request asks for, as this tenant knows it: the client app, each permission, and the resources it leads to.

Conditional Access policies apply to the resources of a request, not to its client. Microsoft Graph isn't evaluated
itself: each of its scopes leads to the service behind it, and scopes for the sign-in and the user's profile count as
access to the directory if a request has nothing else. Source: Entra, "Conditional Access: Target resources".
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from auditor.consent import Truth, known
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex, index_of
from auditor.facts.access_requirements import BASELINE_SCOPES, DIRECTORY, SERVICES
from auditor.facts.ids import (
    APPS_OF_THIS_TENANT,
    MICROSOFT_GRAPH,
    MICROSOFT_TENANTS,
    NO_ID,
    OPENID_SCOPES,
    RESOURCE_NAMES,
    cloud_named,
)
from auditor.facts.permissions import KnownScope, known_scopes
from auditor.model.decision import AppOwner
from auditor.model.resources import DelegatedScope, ServicePrincipal
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the client that consent depends on.

    `name` is the name under which this tenant lists the app. `publisher_id` is the verified publisher's partner id,
    empty when unverified, ``None`` when not known. `audience` is whose accounts the registration takes, in lower case,
    and `created` when the tenant got the app (UTC); both are empty when not known.
    """

    app_id: str
    presence: Truth
    object_id: str | None = None
    name: str = ""
    enabled: Truth = Truth.UNKNOWN
    deactivated: Truth = Truth.UNKNOWN
    disabled_by_microsoft: Truth = Truth.UNKNOWN
    assignment_required: Truth = Truth.UNKNOWN
    owner_tenant: str | None = None
    of_other_tenant: Truth = Truth.UNKNOWN
    audience: str = ""
    created: str = ""
    publisher_verified: Truth = Truth.UNKNOWN
    publisher_id: str | None = None
    reply_urls: tuple[str, ...] | None = None
    unread: str = ""
    """Why the service principal's facts are not known."""

    @property
    def publisher_need(self) -> str:
        """What to ask for when the publisher is not known."""
        return f"whether the app's publisher is verified ({self.unread})"


_DISABLED = {
    "": Truth.FALSE,
    "notdisabled": Truth.FALSE,
    "disabledduetoviolationofservicesagreement": Truth.TRUE,
}
"""Whether Microsoft has disabled the app, by its status in lower case (Graph, ``servicePrincipal``)."""


def is_disabled_by_microsoft(principal: ServicePrincipal) -> Truth:
    """Whether Microsoft has disabled the app; unknown for a status that is new to this program."""
    return _DISABLED.get((principal.disabledByMicrosoftStatus or "").lower(), Truth.UNKNOWN)


def owner_of(tenant: str, client_id: str, principal: ServicePrincipal | None) -> AppOwner:
    """Who registered the app; `tenant` is the id of the tenant that was read.

    Graph names no owner of apps without a registration, which work in their own tenant only. If the owner of another
    app wasn't read, its client id may be one that Microsoft publishes as its own.
    """
    if principal and (principal.servicePrincipalType or "").lower() in APPS_OF_THIS_TENANT:
        return AppOwner.OWN
    if owner := (principal.appOwnerOrganizationId or "").lower() if principal else "":
        if owner in MICROSOFT_TENANTS:
            return AppOwner.MICROSOFT
        own = AppOwner.OWN if owner == tenant.lower() else AppOwner.THIRD_PARTY
        return own if tenant else AppOwner.UNKNOWN
    from auditor.facts.app_names import is_microsofts

    return AppOwner.MICROSOFT if is_microsofts(client_id) else AppOwner.UNKNOWN


NOT_CONNECTED = "the app is not in the tenant yet"


def client_of(snapshot: Snapshot | SnapshotIndex, app: App) -> Client:
    """The facts about `app` in this tenant.

    An absent service principal is normal before the first consent: the one that consent creates starts
    enabled and without assignment requirement.
    """
    index = index_of(snapshot)
    match index.service_principal(app.client_id):
        case ServicePrincipal() as principal:
            return _present(index.snapshot, principal)
        case Absent():
            return _absent(index.snapshot.cloud, app)
        case NotRead() as why:
            return Client(app_id=app.client_id, presence=Truth.UNKNOWN, unread=why.why)


def _present(snapshot: Snapshot, principal: ServicePrincipal) -> Client:
    publisher = principal.verifiedPublisher
    verified = publisher.is_verified if publisher else None
    publisher_id = publisher.verifiedPublisherId or "" if publisher and verified is not None else None
    if not cloud_named(snapshot.cloud).verifies_publishers:
        publisher_id = ""
    owner, tenant = principal.appOwnerOrganizationId, snapshot.tenant.id
    return Client(
        app_id=principal.appId,
        presence=Truth.TRUE,
        object_id=principal.id or None,
        name=principal.own_name,
        enabled=known(principal.accountEnabled),
        # Graph returns null for both while nothing is wrong, so a missing value reads as "not disabled".
        deactivated=known(bool(principal.isDisabled)),
        disabled_by_microsoft=is_disabled_by_microsoft(principal),
        assignment_required=known(principal.appRoleAssignmentRequired),
        owner_tenant=owner,
        of_other_tenant=known(owner.lower() != tenant.lower() if owner and tenant not in ("", NO_ID) else None),
        audience=(principal.signInAudience or "").lower(),
        created=principal.createdDateTime or "",
        publisher_verified=Truth.UNKNOWN if publisher_id is None else known(publisher_id != ""),
        publisher_id=publisher_id,
        reply_urls=principal.replyUrls,
        unread="the property of the app's service principal was not read",
    )


def _absent(cloud: str, app: App) -> Client:
    verified = app.publisher_verified if cloud_named(cloud).verifies_publishers else False
    return Client(
        app_id=app.client_id,
        presence=Truth.FALSE,
        enabled=Truth.TRUE,
        deactivated=Truth.FALSE,
        disabled_by_microsoft=Truth.FALSE,
        assignment_required=Truth.FALSE,
        owner_tenant=app.owner_tenant,
        publisher_verified=known(verified),
        publisher_id="" if verified is False else app.verified_publisher_id or None,
        unread=NOT_CONNECTED,
    )


IMPLICIT = ("User.Read", "offline_access")
"""Entra adds these to an app's first consent ("Consent types for developers"), though a live capture shows
a grant without them: a block that only they cause is therefore never certain."""


_USER_TYPE = {"user": Truth.TRUE, "admin": Truth.FALSE}


def users_may_consent(scope_type: str | None) -> Truth:
    """Whether users may consent to a scope of this type (Graph, ``permissionScope``), if a policy lets them."""
    return _USER_TYPE.get((scope_type or "").lower(), Truth.UNKNOWN)


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """One delegated permission on one resource (app id, lower case), as this tenant knows it.

    `exists` is unknown while the resource's scopes were not read. `id`, in lower case, is missing for
    a scope that nobody knows.
    """

    resource: str
    resource_name: str
    value: str
    exists: Truth
    enabled: Truth = Truth.TRUE
    id: str | None = None
    user_type: Truth = Truth.UNKNOWN
    classification: str | NotRead = ""
    required: bool = True
    assumed: bool = False
    implicit: bool = False
    from_table: bool = False
    """Whether it comes from Microsoft's published list, not from the tenant."""

    @property
    def is_openid(self) -> bool:
        """Whether this is one of OpenID Connect's scopes."""
        return self.resource == MICROSOFT_GRAPH and self.value.lower() in OPENID_SCOPES


class ResourceApp(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that permissions are asked on, as the tenant has it; `unread` says why a fact is unknown."""

    app_id: str
    name: str
    missing: Truth
    disabled: Truth
    unread: str


def resource_app(index: SnapshotIndex, app_id: str) -> ResourceApp:
    """Whether the resource with this app id is in the tenant, and switched on there."""
    found = index.service_principal(app_id)
    enabled = found.accountEnabled if isinstance(found, ServicePrincipal) else None
    return ResourceApp(
        app_id=app_id,
        name=index.resource_name(app_id),
        missing=known(None if isinstance(found, NotRead) else isinstance(found, Absent)),
        disabled=Truth.FALSE if isinstance(found, Absent) else ~known(enabled),
        unread=found.why if isinstance(found, NotRead) else "accountEnabled was not read",
    )


def requested(snapshot: Snapshot | SnapshotIndex, app: App) -> tuple[Permission, ...]:
    """The permissions that `app` asks for, once each, in the order of its list.

    Microsoft's published list of scopes replaces those of a resource only if the data has the resource without any, as
    files made by hand may. It doesn't replace a resource that was not read: a scope may be disabled or missing there.
    """
    index = index_of(snapshot)
    seen: dict[tuple[str, str], ScopeNeed] = {}
    for need in app.scopes:
        key = (index.resource_id(need.resource), need.value.lower())
        if key not in seen or (need.required and not seen[key].required):
            seen[key] = need
    return tuple(_resolve(index, need, resource) for (resource, _), need in seen.items())


def implicit(index: SnapshotIndex, asked: tuple[Permission, ...]) -> tuple[Permission, ...]:
    """The permissions that Entra adds to a first consent without being asked."""
    named = {p.value.lower() for p in asked if p.resource == MICROSOFT_GRAPH and p.required}
    needs = (ScopeNeed(resource=MICROSOFT_GRAPH, value=v) for v in IMPLICIT if v.lower() not in named)
    return tuple(msgspec.structs.replace(_resolve(index, need, MICROSOFT_GRAPH), implicit=True) for need in needs)


def _resolve(index: SnapshotIndex, need: ScopeNeed, resource: str) -> Permission:
    base = Permission(
        resource=resource,
        resource_name=index.resource_name(resource),
        value=need.value,
        exists=Truth.UNKNOWN,
        required=need.required,
        assumed=need.assumed,
    )
    match index.published_scopes(resource):
        case Absent():
            return base
        case NotRead():
            is_there = isinstance(index.service_principal(resource), ServicePrincipal)
            known_scope = known_scopes(resource).get(need.value.lower()) if is_there else None
            return _classified(index, _from_table(base, known_scope)) if known_scope else base
        case published:
            scope = published.get(need.value.lower())
            if scope is None and index.nameless_scope(resource):
                return base
            if scope is None:
                return msgspec.structs.replace(base, exists=Truth.FALSE)
            return _classified(index, _from_tenant(base, scope))


def _from_tenant(base: Permission, scope: DelegatedScope) -> Permission:
    return msgspec.structs.replace(
        base,
        value=scope.value,
        id=scope.id.lower() or None,
        exists=Truth.TRUE,
        enabled=known(scope.isEnabled),
        user_type=users_may_consent(scope.type),
    )


def _from_table(base: Permission, scope: KnownScope) -> Permission:
    return msgspec.structs.replace(
        base,
        value=scope.value,
        id=scope.id,
        exists=Truth.TRUE,
        enabled=known(scope.enabled),
        user_type=users_may_consent(scope.type),
        from_table=True,
    )


def _classified(index: SnapshotIndex, permission: Permission) -> Permission:
    if permission.id is None:
        where = f"oauth2PermissionScopes of {permission.resource_name}"
        value: str | NotRead = NotRead("servicePrincipals", f"{permission.value} has no id in {where}")
    else:
        value = index.classification(permission.resource, permission.id)
    return msgspec.structs.replace(permission, classification=value)


class Target(NamedTuple):
    """A resource that Conditional Access evaluates. `in_office_365` is unknown for a service that isn't in the table.

    `service_unknown`: a scope of Microsoft Graph leads to a service that Microsoft doesn't name.
    """

    app_id: str
    name: str
    in_office_365: Truth = Truth.UNKNOWN
    service_unknown: bool = False


class Targets(NamedTuple):
    """What Conditional Access evaluates for an app. `is_baseline`: it asks only for sign-in and the user's profile."""

    client_id: str
    resources: tuple[Target, ...]
    is_baseline: bool

    def includes(self, app_id: str) -> bool:
        """Whether the app reaches this resource."""
        return any(one.app_id == app_id for one in self.resources)


_BY_ID = {service.app_id: Target(service.app_id, service.name, known(service.in_office_365)) for service in SERVICES}
_BY_SCOPE = {word.lower(): _BY_ID[service.app_id] for service in SERVICES for word in service.scopes}
_GRAPH = Target(MICROSOFT_GRAPH, RESOURCE_NAMES[MICROSOFT_GRAPH], service_unknown=True)


def targets_of(app: App) -> Targets:
    """What Conditional Access evaluates for the scopes that `app` requires, or for all its scopes if it requires none.

    Nothing, if the app's scopes aren't known.
    """
    scopes = app.required_scopes or app.scopes
    pairs = [(scope.resource.lower(), scope.value.lower()) for scope in scopes]
    beyond = [pair for pair in pairs if pair[0] != MICROSOFT_GRAPH or pair[1] not in BASELINE_SCOPES]
    resources = tuple(dict.fromkeys(_target(*pair) for pair in beyond))
    return Targets(
        client_id=app.client_id.lower(),
        resources=resources or ((_BY_ID[DIRECTORY.app_id],) if pairs else ()),
        is_baseline=bool(pairs) and not resources,
    )


def _target(resource: str, scope: str) -> Target:
    if resource == MICROSOFT_GRAPH:
        return _BY_SCOPE.get(scope.partition(".")[0], _GRAPH)
    return _BY_ID.get(resource) or Target(resource, RESOURCE_NAMES.get(resource, f"the resource {resource}"))
