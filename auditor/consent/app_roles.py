"""Application permissions: those that an app needs to act without a user, and which of them it holds in a tenant.

Only administrators grant them, so no user is ever asked, and no consent policy for users says anything about them.
Sources: Entra, "Grant tenant-wide admin consent"; Microsoft Graph, ``appRole``, ``appRoleAssignment`` and "List
appRoleAssignments granted to a service principal".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor.consent.requested_access import Client
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex
from auditor.facts.ids import is_guid
from auditor.facts.permissions import APP_ROLES
from auditor.model.decision import RoleState, RoleVerdict
from auditor.model.resources import AppRole, AppRoleAssignment, ServicePrincipal, first_incomplete, lacking
from auditor.model.rule import App, RoleNeed

HELD, PUBLISHED = "appRoleAssignments", "appRoles"
_GIVEN = "appRoleAssignedTo"
_APPLICATION = "application"

NEEDS_MAILBOXES = frozenset((role.resource, role.value.lower()) for role in APP_ROLES["mail-app-only"])
"""The application permissions, by resource and name in lower case, that reach every mailbox of a tenant."""


class PublishedRole(NamedTuple):
    """An application permission of a resource: its name and id, and what the resource says it allows."""

    value: str
    id: str
    plain: str = ""
    is_enabled: bool = True


def app_roles(index: SnapshotIndex, app: App, client: Client) -> tuple[RoleVerdict, ...]:
    """Whether `app` holds each application permission that it needs, once each, in the order of its list."""
    needs: dict[tuple[str, str], RoleNeed] = {}
    for need in app.app_roles:
        key = (index.resource_id(need.resource), need.value.lower())
        if key not in needs or (need.required and not needs[key].required):
            needs[key] = need
    label = client.name or app.label
    return tuple(_verdict(index, client, label, resource, need) for (resource, _), need in needs.items())


def _verdict(index: SnapshotIndex, client: Client, label: str, resource: str, need: RoleNeed) -> RoleVerdict:
    found = published_role(index, resource, need.value)
    role = found if isinstance(found, PublishedRole) else None
    state, detail = _state(index, client, resource, found)
    return RoleVerdict(
        resource=resource,
        resource_name=index.resource_name(resource),
        role=role.value if role else need.value,
        state=state,
        detail=detail.replace(client.app_id, label),
        role_id=role.id if role else "",
        required=need.required,
        assumed=need.assumed,
        plain=role.plain if role else "",
    )


def published_role(index: SnapshotIndex, resource: str, name: str) -> PublishedRole | Absent | NotRead:
    """The application permission of a resource with this name or id; `Absent` if there is none, or no resource.

    Microsoft's published ids replace those of a resource whose permissions were not read: they never change.
    """
    principal = index.service_principal(resource)
    if not isinstance(principal, ServicePrincipal):
        return principal
    sought = name.lower()
    if principal.appRoles is None:
        known = (role for roles in APP_ROLES.values() for role in roles if role.resource == resource)
        table = next((role for role in known if sought in (role.value.lower(), role.id)), None)
        why = f"{PUBLISHED} of {index.resource_name(resource)} was not read"
        return PublishedRole(table.value, table.id) if table else NotRead("servicePrincipals", why)
    for role in principal.appRoles:
        if sought in ((role.value or "").lower(), role.id.lower()) and _is_for_apps(role):
            plain = " ".join((role.displayName or "").split())
            return PublishedRole(role.value or role.id, role.id, plain, role.isEnabled is not False)
    gap = first_incomplete(principal.appRoles)
    what = f"{PUBLISHED} of {index.resource_name(resource)}"
    return NotRead("servicePrincipals", lacking(what, *gap)) if gap else Absent()


def _is_for_apps(role: AppRole) -> bool:
    """Whether apps can hold the role; a role that doesn't say for whom it is counts as one of apps."""
    return not role.allowedMemberTypes or _APPLICATION in {kind.lower() for kind in role.allowedMemberTypes}


def _state(
    index: SnapshotIndex, client: Client, resource: str, role: PublishedRole | Absent | NotRead
) -> tuple[RoleState, str]:
    name = index.resource_name(resource)
    if isinstance(index.service_principal(client.app_id), Absent):
        return RoleState.NOT_GRANTED, "the app is not in the tenant yet"
    match role:
        case NotRead():
            return RoleState.UNKNOWN, role.why
        case Absent():
            if isinstance(index.service_principal(resource), Absent):
                return RoleState.NOT_GRANTED, f"{name} is not in this tenant"
            return RoleState.NOT_GRANTED, f"{name} has no application permission with this name"
    if not role.is_enabled:
        return RoleState.NOT_GRANTED, f"{name} has disabled this permission"
    principal = index.service_principal(resource)
    assert isinstance(principal, ServicePrincipal), "a role was found in it"
    held = holds(index, client, principal, role.id)
    if isinstance(held, NotRead):
        return RoleState.UNKNOWN, held.why
    if held:
        return RoleState.GRANTED, "granted by an administrator"
    return RoleState.NOT_GRANTED, "no administrator has granted it"


def holds(index: SnapshotIndex, client: Client, resource: ServicePrincipal, role_id: str) -> bool | NotRead:
    """Whether the app holds the application permission with this id, by what the app or the resource lists."""
    whole: NotRead | None = None
    listed = (HELD, client.app_id, index.roles_held), (_GIVEN, resource.appId, index.assigned_to)
    for section, part, rows_of in listed:
        rows = rows_of(part)
        if isinstance(rows, NotRead):
            whole = whole or rows
            continue
        if any(_is_of(row, client, resource, role_id) for row in rows):
            return True
        gap = index.gap(section, part)
        if gap is None:
            return False
        whole = whole or gap
    return whole if whole is not None else False


def _is_of(row: AppRoleAssignment, client: Client, resource: ServicePrincipal, role_id: str) -> bool:
    same_role = (row.appRoleId or "").lower() == role_id.lower()
    to_resource = (row.resourceId or resource.id).lower() == resource.id.lower()
    by_client = not client.object_id or row.principalId.lower() == client.object_id.lower()
    return same_role and to_resource and by_client


def missing_roles(verdicts: tuple[RoleVerdict, ...]) -> Iterator[RoleVerdict]:
    """The permissions that an administrator can still grant: known to exist, and not granted."""
    for one in verdicts:
        if one.state is RoleState.NOT_GRANTED and is_guid(one.role_id):
            yield one
