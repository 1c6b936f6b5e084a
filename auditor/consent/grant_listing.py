"""What apps were granted in a tenant, by name, for people to look at; nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from auditor.consent.existing_grants import TENANT_WIDE
from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.scope_lists import APP_ROLES
from auditor.model.report import Audience, Granted, GrantKind, GrantRow
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.snapshot import Snapshot

_APP = "serviceprincipal"


def granted(snapshot: Snapshot) -> Granted | None:
    """Every grant of the snapshot, in the order of names; none if no grants were read.

    An app or resource whose service principal was not read (or is gone) goes by its object id.
    """
    sections = snapshot.sections
    delegated, assigned = sections.oauth2PermissionGrants, sections.appRoleAssignedTo
    if delegated is None and assigned is None:
        return None
    names = _Names(snapshot)
    rows = {*(names.delegated(row) for row in delegated or ()), *_application(assigned or {}, names)}
    covers = snapshot.covers.get("oauth2PermissionGrants")
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
    """Service principals by object id and by app id."""

    def __init__(self, snapshot: Snapshot) -> None:
        principals = snapshot.sections.servicePrincipals or ()
        self._by_id = {p.id.lower(): p for p in principals}
        self._by_app = {p.appId.lower(): p for p in principals}
        self._roles = {role.id: role.value for roles in APP_ROLES.values() for role in roles}
        users = snapshot.sections.users or ()
        self._users = {u.id.lower(): u.userPrincipalName or u.id for u in users}

    def role(self, resource: str, role_id: str) -> str:
        """The name of an app role, else its id."""
        found = self._by_app.get(resource.lower())
        for role in (found.appRoles or ()) if found else ():
            if role.id.lower() == role_id.lower() and role.value:
                return role.value
        return self._roles.get(role_id.lower(), role_id)

    def delegated(self, grant: OAuth2PermissionGrant) -> GrantRow:
        """A delegated grant, scopes in the order of their names."""
        found = self._by_id.get(grant.resourceId.lower())
        wide = grant.consentType.lower() == TENANT_WIDE
        principal = "" if wide else (grant.principalId or "")
        return self.row(
            grant.clientId,
            found.appId if found else grant.resourceId,
            GrantKind.DELEGATED,
            grant.scope.split(),
            Audience.TENANT if wide else Audience.USER,
            self._users.get(principal.lower(), principal),
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
        app = self._by_id.get(client.lower())
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
        found = self._by_app.get(app_id.lower())
        return RESOURCE_NAMES.get(app_id.lower()) or (_name(found) if found else "")


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
