"""The permissions that a request asks for: each scope resolved on its resource in this tenant."""

from __future__ import annotations

import msgspec

from auditor.consent.lookup import Absent, NotRead, SnapshotIndex, index_of
from auditor.consent.truth import Truth, known
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES
from auditor.facts.permissions import KnownScope, known_scopes
from auditor.model.resources import DelegatedScope, ServicePrincipal
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot

IMPLICIT = ("User.Read", "offline_access")
"""Entra adds these to an app's first consent ("Consent types for developers"), though a live capture shows
a grant without them: a block that only they cause is therefore never certain."""


_USER_TYPE = {"user": Truth.TRUE, "admin": Truth.FALSE}
"""Whether users may consent to a scope, by its type in lower case (Graph, ``permissionScope``)."""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """One delegated permission on one resource (app id, lower case), as this tenant knows it.

    `exists` is unknown while the resource's scopes were not read. `id`, in lower case, is missing for
    a scope that nobody knows. `from_table` is true if it comes from the published table, not from the tenant.
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
    """The permissions that `app` asks for, once each, in the order of its list."""
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
            known_scope = known_scopes(resource).get(need.value.lower())
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
        user_type=_USER_TYPE.get((scope.type or "").lower(), Truth.UNKNOWN),
    )


def _from_table(base: Permission, scope: KnownScope) -> Permission:
    return msgspec.structs.replace(
        base,
        value=scope.value,
        id=scope.id,
        exists=Truth.TRUE,
        enabled=known(scope.enabled),
        user_type=known(scope.type == "User"),
        from_table=True,
    )


def _classified(index: SnapshotIndex, permission: Permission) -> Permission:
    if permission.id is None:
        where = f"oauth2PermissionScopes of {permission.resource_name}"
        value: str | NotRead = NotRead("servicePrincipals", f"{permission.value} has no id in {where}")
    else:
        value = index.classification(permission.resource, permission.id)
    return msgspec.structs.replace(permission, classification=value)
