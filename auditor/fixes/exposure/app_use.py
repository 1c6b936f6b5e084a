"""Who can use this app after a change, and with which granted scopes, independently of the consent policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

import msgspec

from auditor.consent.client import Client, client_of
from auditor.consent.existing_grants import TENANT_WIDE, granted_names
from auditor.consent.lookup import NotRead, index_of
from auditor.consent.truth import Truth, all_of
from auditor.fixes.exposure.scope_risk import ScopeRef
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot


class Breadth(IntEnum):
    """Who can do more with this app than before."""

    NOBODY = 0
    NAMED = 1
    """The users and groups that the change names."""
    ASSIGNED = 2
    """Everyone who is assigned to the app."""
    EVERYBODY = 3
    """Every user in the tenant, through an administrator's grant or their own consent."""


class AppUse(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for the use of this app, independently of the consent policies.

    `granted` is newly granted to every user. `reached` was granted to every user before, but the app was switched off
    or open only to assigned users, and `switched_on` or `opened_to_all` ends that. `users` counts the users
    who get a new personal grant, `assigned` the newly assigned users and groups. `restricted` is true if only assigned
    users can use the app afterwards.
    """

    granted: tuple[ScopeRef, ...] = ()
    reached: tuple[ScopeRef, ...] = ()
    switched_on: bool = False
    users: int = 0
    assigned: int = 0
    restricted: bool = False
    opened_to_all: bool = False


_Scopes = Mapping[tuple[str, str], ScopeRef]


def app_use(before: Snapshot, after: Snapshot, app: App) -> AppUse:
    """What the change does to the grants, the assignments and the settings of `app` itself."""
    was, now = client_of(before, app), client_of(after, app)
    had, has = _tenant_wide(before, was), _tenant_wide(after, now)
    switched_on = _is_on(was) is Truth.FALSE and _is_on(now) is not Truth.FALSE
    opened_to_all = was.assignment_required is Truth.TRUE and now.assignment_required is Truth.FALSE
    return AppUse(
        granted=_sorted(ref for key, ref in has.items() if key not in had),
        reached=_sorted(ref for key, ref in has.items() if key in had) if switched_on or opened_to_all else (),
        switched_on=switched_on,
        users=_users_with_more(before, was, after, now),
        assigned=len(_assigned(after, app) - _assigned(before, app)),
        restricted=now.assignment_required is Truth.TRUE,
        opened_to_all=opened_to_all,
    )


def _is_on(client: Client) -> Truth:
    return all_of((client.enabled, ~client.deactivated, ~client.disabled_by_microsoft))


def _tenant_wide(snapshot: Snapshot, client: Client) -> _Scopes:
    rows = index_of(snapshot).grants_of(client.object_id)
    return _scopes(snapshot, (row for row in rows if row.consentType.lower() == TENANT_WIDE))


def _users_with_more(before: Snapshot, was: Client, after: Snapshot, now: Client) -> int:
    """How many users have a personally granted scope that they did not have before."""
    had, has = _own(before, was), _own(after, now)
    return sum(1 for user, scopes in has.items() if scopes - had.get(user, set()))


def _own(snapshot: Snapshot, client: Client) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for row in index_of(snapshot).grants_of(client.object_id):
        if row.consentType.lower() != TENANT_WIDE:
            found.setdefault((row.principalId or "").lower(), set()).update(_scopes(snapshot, (row,)))
    return found


def _scopes(snapshot: Snapshot, rows: Iterable[OAuth2PermissionGrant]) -> _Scopes:
    """The scopes of these grants. A resource whose service principal was not read is named by its object id."""
    index = index_of(snapshot)
    found: dict[tuple[str, str], ScopeRef] = {}
    for row in rows:
        principal = index.principal_with_id(row.resourceId)
        resource = principal.appId.lower() if principal else row.resourceId.lower()
        name = index.resource_name(resource)
        for scope in granted_names(row.scope):
            found.setdefault((resource, scope.lower()), ScopeRef(resource, scope, name))
    return found


def _assigned(snapshot: Snapshot, app: App) -> set[str]:
    entries = index_of(snapshot).assigned_to(app.client_id)
    people = () if isinstance(entries, NotRead) else entries
    return {e.principalId.lower() for e in people if (e.principalType or "User").lower() in ("user", "group")}


def _sorted(refs: Iterable[ScopeRef]) -> tuple[ScopeRef, ...]:
    return tuple(sorted(refs, key=lambda ref: (ref.resource, ref.scope.lower())))
