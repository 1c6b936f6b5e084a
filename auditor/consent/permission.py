"""The permissions that a request asks for: each scope resolved on its resource in this tenant."""

from __future__ import annotations

import msgspec

from auditor.consent.lookup import Absent, NotRead, classifications, resource_id, resource_name, service_principal
from auditor.consent.truth import Truth, known
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES
from auditor.facts.scopes import KnownScope, known_scopes
from auditor.model.app import App, ScopeNeed
from auditor.model.resources import DelegatedScope, ServicePrincipal
from auditor.model.snapshot import Snapshot

IMPLICIT = ("User.Read", "offline_access")
"""Entra adds these to an app's first consent ("Consent types for developers"), though a live capture shows
a grant without them: a block that only they cause is therefore never certain."""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """One delegated permission on one resource (app id, lower case), as this tenant knows it.

    `exists` is unknown while the resource's scopes were not read. `id`, in lower case, is missing for
    a scope that nobody knows. `from_table` is true where the published table stood in for the tenant.
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


def requested(snapshot: Snapshot, app: App) -> tuple[Permission, ...]:
    """The permissions that `app` asks for, once each, in the order of its list."""
    seen: dict[tuple[str, str], ScopeNeed] = {}
    for need in app.scopes:
        key = (resource_id(snapshot, need.resource), need.value.lower())
        if key not in seen or (need.required and not seen[key].required):
            seen[key] = need
    return tuple(_resolve(snapshot, need, resource) for (resource, _), need in seen.items())


def implicit(snapshot: Snapshot, asked: tuple[Permission, ...]) -> tuple[Permission, ...]:
    """The permissions that Entra adds to a first consent without being asked."""
    named = {p.value.lower() for p in asked if p.resource == MICROSOFT_GRAPH and p.required}
    needs = (ScopeNeed(resource=MICROSOFT_GRAPH, value=v) for v in IMPLICIT if v.lower() not in named)
    return tuple(msgspec.structs.replace(_resolve(snapshot, need, MICROSOFT_GRAPH), implicit=True) for need in needs)


def _resolve(snapshot: Snapshot, need: ScopeNeed, resource: str) -> Permission:
    base = Permission(
        resource=resource,
        resource_name=resource_name(snapshot, resource),
        value=need.value,
        exists=Truth.UNKNOWN,
        required=need.required,
        assumed=need.assumed,
    )
    principal = service_principal(snapshot, resource)
    published = principal.oauth2PermissionScopes if isinstance(principal, ServicePrincipal) else None
    if published is None:
        found = None if isinstance(principal, Absent) else known_scopes(resource).get(need.value.lower())
        return _classified(snapshot, _from_table(base, found)) if found else base
    for scope in published:
        if scope.value.lower() == need.value.lower():
            return _classified(snapshot, _from_tenant(base, scope))
    return msgspec.structs.replace(base, exists=Truth.FALSE)


def _from_tenant(base: Permission, scope: DelegatedScope) -> Permission:
    return msgspec.structs.replace(
        base,
        value=scope.value,
        id=scope.id.lower(),
        exists=Truth.TRUE,
        enabled=known(scope.isEnabled is not False),
        user_type=known(None if scope.type is None else scope.type.lower() == "user"),
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


def _classified(snapshot: Snapshot, permission: Permission) -> Permission:
    found = classifications(snapshot, permission.resource)
    value = found if isinstance(found, NotRead) else found.get(permission.id or "", "")
    return msgspec.structs.replace(permission, classification=value)
