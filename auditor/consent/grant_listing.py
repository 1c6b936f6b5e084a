"""What apps were granted in a tenant, by name, for people to look at; nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from auditor.consent.existing_grants import TENANT_WIDE
from auditor.consent.lookup import SnapshotIndex, index_of
from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.scope_lists import APP_ROLES
from auditor.model.report import Audience, Granted, GrantKind, GrantRow
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.snapshot import Snapshot

_APP = "serviceprincipal"


def granted(snapshot: Snapshot | SnapshotIndex) -> Granted | None:
    """Every grant of the snapshot, in the order of names; none if no grants were read.

    An app or resource whose service principal was not read (or is gone) goes by its object id.
    """
    index = index_of(snapshot)
    sections = index.snapshot.sections
    delegated, assigned = sections.oauth2PermissionGrants, sections.appRoleAssignedTo
    if delegated is None and assigned is None:
        return None
    names = _Names(index)
    rows = {*(names.delegated(row) for row in delegated or ()), *_application(assigned or {}, names)}
    covers = index.snapshot.covers.get("oauth2PermissionGrants")
    return Granted(
        rows=tuple(sorted(rows, key=_order)),
        whole=delegated is not None and covers is None,
        covers=covers or (),
    )


def _application(assigned: Mapping[str, tuple[AppRoleAssignment, ...]], names: _Names) -> Iterator[GrantRow]:
    """App roles that apps hold, one row for each app and resource; users and groups hold none of these."""
    roles: dict[tuple[str, str], set[str]] = {}
    for resource, rows in assigned.items():
        for row in rows:
            if (row.principalType or "").lower() == _APP:
                pair = (row.principalId.lower(), resource.lower())
                roles.setdefault(pair, set()).add(names.role(resource, row.appRoleId or ""))
    for (client, resource), held in roles.items():
        yield names.row(client, resource, GrantKind.APPLICATION, held)


class _Names:
    """What to call the apps, app roles and users that grants name by id."""

    def __init__(self, index: SnapshotIndex) -> None:
        self._index = index
        self._known_roles = {role.id: role.value for roles in APP_ROLES.values() for role in roles}
        self._roles: dict[str, dict[str, str]] = {}
        self._resources: dict[str, str] = {}

    def role(self, resource: str, role_id: str) -> str:
        """The name of an app role, else its id."""
        if resource not in self._roles:
            found = self._index.service_principal(resource)
            published = (found.appRoles or ()) if isinstance(found, ServicePrincipal) else ()
            self._roles[resource] = {role.id.lower(): role.value for role in published if role.value}
        return self._roles[resource].get(role_id.lower()) or self._known_roles.get(role_id.lower(), role_id)

    def delegated(self, grant: OAuth2PermissionGrant) -> GrantRow:
        """A delegated grant, scopes in the order of their names."""
        found = self._index.principal_with_id(grant.resourceId)
        wide = grant.consentType.lower() == TENANT_WIDE
        principal = "" if wide else (grant.principalId or "")
        return self.row(
            grant.clientId,
            found.appId if found else grant.resourceId,
            GrantKind.DELEGATED,
            grant.scope.split(),
            Audience.TENANT if wide else Audience.USER,
            self._index.user_name(principal),
        )

    def row(
        self,
        client: str,
        resource: str,
        kind: GrantKind,
        permissions: Iterable[str],
        audience: Audience = Audience.TENANT,
        principal: str = "",
    ) -> GrantRow:
        """A row about the app with the object id `client` and the resource with the app id `resource`."""
        app = self._index.principal_with_id(client)
        publisher = app.verifiedPublisher if app else None
        return GrantRow(
            client_id=app.appId if app else client,
            client_name=_name(app) if app else "",
            kind=kind,
            resource_id=resource,
            resource_name=self._resource_name(resource),
            permissions=tuple(sorted(set(permissions), key=lambda name: (name.lower(), name))),
            audience=audience,
            principal=principal,
            publisher=(publisher.displayName or "") if publisher and publisher.verifiedPublisherId else "",
            verified=bool(publisher.verifiedPublisherId) if publisher else None,
            owner=(app.appOwnerOrganizationId or "") if app else "",
            enabled=app.accountEnabled if app else None,
        )

    def _resource_name(self, app_id: str) -> str:
        if app_id not in self._resources:
            found = self._index.service_principal(app_id)
            own = _name(found) if isinstance(found, ServicePrincipal) else ""
            self._resources[app_id] = RESOURCE_NAMES.get(app_id.lower()) or own
        return self._resources[app_id]


def _name(principal: ServicePrincipal) -> str:
    return principal.displayName or principal.appDisplayName or ""


def _order(row: GrantRow) -> tuple[str, ...]:
    """By app, what covers everybody first, then by resource."""
    name = row.client_name.lower()
    return (
        name,
        row.client_id,
        row.kind.value,
        row.audience.value,
        row.resource_name.lower(),
        row.resource_id,
        row.principal.lower(),
        *row.permissions,
    )
