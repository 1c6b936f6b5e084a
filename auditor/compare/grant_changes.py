"""Permissions that apps gained and lost, by app, resource and kind of grant.

From two snapshots, or from the grants that two reports list. Only apps of which both reads have the grants are
compared. Rows that are equal on both sides cost next to nothing, so that a large tenant takes a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from auditor.compare.both_reads import BothReads
from auditor.compare.found_change import FoundChange, Move, with_section
from auditor.consent.granted_permissions import role_name
from auditor.consent.snapshot_index import SnapshotIndex, assigned_by_app, grants_as_spelled, index_of
from auditor.facts.ids import RESOURCE_NAMES
from auditor.model.difference import Change, ChangeKind, Transition, Weight
from auditor.model.document import first_of, series
from auditor.model.report import Audience, Granted, GrantKind
from auditor.model.resources import PRINCIPAL, AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.snapshot import Snapshot

_DELEGATED, _ROLES = "oauth2PermissionGrants", "appRoleAssignedTo"
_APP = "serviceprincipal"
_LISTED = 20
"""How many users a value lists."""
_NAMED = 6
"""How many permissions a sentence names."""


class _Held(NamedTuple):
    """What an app holds on a resource: the permissions for all users, and those of each user, in lower case.

    `names` has the spelling of each permission, and `rows` what else a row says, to find noise.
    """

    everyone: set[str]
    users: dict[str, set[str]]
    names: dict[str, str]
    rows: list[Any]


_Key = tuple[str, str]
"""The app id of the client and of the resource, in lower case; the object id where the principal isn't known."""


def grant_changes(both: BothReads) -> Iterator[FoundChange]:
    """The changes of all grants that both snapshots cover."""
    if pair := both.values(_DELEGATED):
        yield from _delegated(both, *pair)
    # The section is noted by the changes of apps, which compare the users and groups in it.
    sections = [getattr(index.snapshot.sections, _ROLES) for _, index in both.sides]
    if None not in sections:
        yield from _application(both, *sections)


def _delegated(
    both: BothReads, old: tuple[OAuth2PermissionGrant, ...], new: tuple[OAuth2PermissionGrant, ...]
) -> Iterator[FoundChange]:
    if old is new:
        return
    before, after = grants_as_spelled(old), grants_as_spelled(new)
    names = _Names(both)
    changed = [one for one in dict.fromkeys((*before, *after)) if before.get(one) != after.get(one)]
    held: tuple[dict[_Key, _Held], dict[_Key, _Held]] = ({}, {})
    for client in changed:
        for side, grants in zip(held, (before, after), strict=True):
            for row in grants.get(client, ()):
                _add(side, (names.app_id(client), names.app_id(row.resourceId)), row)
    for key in sorted(held[0].keys() | held[1].keys()):
        if not both.covers(_DELEGATED, key[0]):
            continue
        sides = [side.get(key) or _Held(set(), {}, {}, []) for side in held]
        if any("" in side.users for side in sides):
            both.note(_DELEGATED, "the users of grants for one user are not in the data")
            for one in sides:
                one.users.clear()
        if found := _change(names.name, key, GrantKind.DELEGATED, *sides):
            move = _move_delegated(names, *key) if found.weight is Weight.MAJOR else None
            yield FoundChange(found, move, frozenset(key[:1]))


def _add(held: dict[_Key, _Held], key: _Key, row: OAuth2PermissionGrant) -> None:
    mine = held.setdefault(key, _Held(set(), {}, {}, []))
    names = _split(row.scope)
    mine.names.update(names)
    mine.rows.append((row.id, row.scope, row.consentType, row.clientId, row.resourceId, row.principalId))
    if row.consentType.lower() == PRINCIPAL:
        mine.users.setdefault((row.principalId or "").lower(), set()).update(names)
    else:
        mine.everyone.update(names)


@lru_cache(maxsize=10_000)
def _split(scope: str) -> Mapping[str, str]:
    """The permissions of a text by their name in lower case. A tenant has few different texts."""
    return {name.lower(): name for name in scope.split()}


_Assigned = Mapping[str, tuple[AppRoleAssignment, ...]]


def _application(both: BothReads, old: _Assigned, new: _Assigned) -> Iterator[FoundChange]:
    before, after = assigned_by_app(old), assigned_by_app(new)
    names = _Names(both)
    for resource in sorted(before.keys() & after.keys()):
        if before[resource] == after[resource] or both.lacks(_ROLES, resource):
            continue
        held: tuple[dict[_Key, _Held], dict[_Key, _Held]] = ({}, {})
        for side, rows in zip(held, (before[resource], after[resource]), strict=True):
            for row in rows:
                if (row.principalType or "").lower() == _APP:
                    mine = side.setdefault((names.app_id(row.principalId), resource), _Held(set(), {}, {}, []))
                    role = (row.appRoleId or "").lower()
                    mine.everyone.add(role)
                    mine.names[role] = names.role(resource, role)
                    mine.rows.append((row.id, row.principalId, role))
        for key in sorted(held[0].keys() | held[1].keys()):
            sides = [side.get(key) or _Held(set(), {}, {}, []) for side in held]
            if found := _change(names.name, key, GrantKind.APPLICATION, *sides):
                yield FoundChange(found)


def _change(name: Callable[[str], str], key: _Key, kind: GrantKind, old: _Held, new: _Held) -> Change | None:
    """The change of what an app holds on a resource; a minor one if only rows, order or spelling differ.

    `name` is what to call an app or resource, by its app id.
    """
    client, resource = key
    values = [_value(side, other) for side, other in ((old, new), (new, old))]
    is_same = old.everyone == new.everyone and old.users == new.users
    if is_same and sorted(old.rows, key=repr) == sorted(new.rows, key=repr):
        return None
    app, api = name(client), name(resource)
    transition = Transition.CHANGED
    if not is_same and (values[0] is None or values[1] is None):
        transition = Transition.APPEARED if values[0] is None else Transition.FIXED
    word = "delegated" if kind is GrantKind.DELEGATED else "application"
    return Change(
        kind=ChangeKind.GRANT,
        key=f"grant/{client}/{resource}/{kind.value}",
        what=f"{app}: {word} permissions on {api}{': spelling, order or ids of the grants' if is_same else ''}",
        transition=transition,
        before=values[0],
        after=values[1],
        means="" if is_same else _means(app, api, kind, old, new),
        weight=Weight.MINOR if is_same else Weight.MAJOR,
        client_id=client,
    )


def _value(side: _Held, other: _Held) -> Any:
    """What the app holds, with the grants of the users who differ, as far as a value lists them; none for nothing."""
    if not side.everyone and not side.users:
        return None
    value: dict[str, Any] = {"permissions": _spelled(side, side.everyone)}
    if side.users:
        value["users"] = len(side.users)
        value["user_permissions"] = _spelled(side, set().union(*side.users.values()))
        differing = sorted(user for user, held in side.users.items() if other.users.get(user) != held)
        if differing:
            value["users_that_differ"] = {user: _spelled(side, side.users[user]) for user in differing[:_LISTED]}
    return value


def _spelled(side: _Held, names: Iterable[str]) -> list[str]:
    return [side.names[name] for name in sorted(names)]


def _means(app: str, api: str, kind: GrantKind, old: _Held, new: _Held) -> str:
    whose = " for all users" if kind is GrantKind.DELEGATED else " without a signed-in user"
    parts = []
    if gained := new.everyone - old.everyone:
        parts.append(f"{app} gained {_named(new, gained)} on {api}{whose}")
    if lost := old.everyone - new.everyone:
        parts.append(f"{app} lost {_named(old, lost)} on {api}{whose}")
    more = [user for user, held in new.users.items() if held - old.users.get(user, set())]
    fewer = [user for user, held in old.users.items() if held - new.users.get(user, set())]
    for users, verb, one, other in ((more, "granted", new, old), (fewer, "lost the grant of", old, new)):
        if users:
            scopes = set().union(*(one.users[user] - other.users.get(user, set()) for user in users))
            who = "one user" if len(users) == 1 else f"{len(users)} users"
            parts.append(f"{who} {verb} {_named(one, scopes)} on {api} {'to' if verb == 'granted' else 'for'} {app}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _named(side: _Held, names: set[str]) -> str:
    return series(first_of(_spelled(side, names), _NAMED, "more permissions"))


class _Names:
    """App ids, names and app roles, from whichever side knows them."""

    def __init__(self, both: BothReads) -> None:
        self._indexes: tuple[SnapshotIndex, ...] = (both.after, both.before)
        self._ids: dict[str, str] = {}

    def app_id(self, object_id: str) -> str:
        """The app id, in lower case, of the app with this object id; the object id if no side knows it."""
        if object_id not in self._ids:
            found = next((one for index in self._indexes if (one := index.principal_with_id(object_id))), None)
            self._ids[object_id] = (found.appId if found and found.appId else object_id).lower()
        return self._ids[object_id]

    def name(self, app_id: str) -> str:
        """What to call an app or resource."""
        if app_id in RESOURCE_NAMES:
            return RESOURCE_NAMES[app_id]
        for index in self._indexes:
            found = index.service_principal(app_id)
            if isinstance(found, ServicePrincipal) and (name := found.own_name):
                return name
        return _published(app_id)

    def role(self, resource: str, role_id: str) -> str:
        """The name of an app role, else its id."""
        return role_name(resource, role_id, *self._indexes)


def _move_delegated(names: _Names, client: str, resource: str) -> Move:
    def concerns(row: OAuth2PermissionGrant) -> bool:
        return names.app_id(row.clientId) == client and names.app_id(row.resourceId) == resource

    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        # An app that was added again has another object id there.
        ids = {}
        for app in (client, resource):
            found = index_of(to).service_principal(app)
            if isinstance(found, ServicePrincipal):
                ids[app] = found.id
        kept = [row for row in to.sections.oauth2PermissionGrants or () if not concerns(row)]
        given = [
            msgspec.structs.replace(
                row, clientId=ids.get(client, row.clientId), resourceId=ids.get(resource, row.resourceId)
            )
            for row in donor.sections.oauth2PermissionGrants or ()
            if concerns(row)
        ]
        return with_section(to, _DELEGATED, (*kept, *given))

    return move


def listed_grant_changes(old: Granted, new: Granted) -> Iterator[Change]:
    """The changes between the grants that two reports list, of the apps that both cover."""
    held = _listed(old), _listed(new)
    extents = [None if one.whole else frozenset(app.lower() for app in one.covers) for one in (old, new)]
    listed = {**held[0][1], **held[1][1]}

    def name(app_id: str) -> str:
        return listed.get(app_id) or _published(app_id)

    for key, kind in sorted(held[0][0].keys() | held[1][0].keys()):
        if kind == GrantKind.DELEGATED and not all(extent is None or key[0] in extent for extent in extents):
            continue
        sides = [side[0].get((key, kind)) or _Held(set(), {}, {}, []) for side in held]
        if kind == GrantKind.APPLICATION and not all(side.everyone for side in sides):
            # A report doesn't say of which resources it read the app roles.
            continue
        if found := _change(name, key, GrantKind(kind), *sides):
            yield found


def _published(app_id: str) -> str:
    """What to call an app of which the tenant has no name."""
    from auditor.facts.app_names import published_name

    return published_name(app_id) or f"app {app_id}"


def _listed(granted: Granted) -> tuple[dict[tuple[_Key, str], _Held], dict[str, str]]:
    held: dict[tuple[_Key, str], _Held] = {}
    names: dict[str, str] = {}
    for row in granted.rows:
        client, resource = row.client_id.lower(), row.resource_id.lower()
        names[client], names[resource] = row.client_name, row.resource_name
        mine = held.setdefault(((client, resource), row.kind.value), _Held(set(), {}, {}, []))
        scopes = {name.lower(): name for name in row.permissions}
        mine.names.update(scopes)
        if row.audience is Audience.USER:
            mine.users.setdefault(row.principal.lower(), set()).update(scopes)
        else:
            mine.everyone.update(scopes)
    return held, names
