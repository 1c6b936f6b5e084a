"""Take the users of grants out of what is kept, where the configuration says so.

A grant stays, with its app and its permissions. Its user gets a number instead of an id: the first user of an app and
resource is ``00000000-0000-0000-0000-000000000001``. So two nights can still be compared, and counts are the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from auditor.model.difference import Actor, ActorKind, Change, ChangeKind, Difference
from auditor.model.report import Audience, Report
from auditor.model.resources import PRINCIPAL, AppRoleAssignment, OAuth2PermissionGrant
from auditor.model.snapshot import Snapshot

DROPPED = "(a user)"
"""What texts contain instead of the id or name of a user."""

_USER = "user"
_ID = re.compile(r"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})")
_WORD = re.compile(r"([\w.+'&*!#$%=?^`{|}~@-]*\w)")
"""A user principal name, or the id of a grant."""
_NAME_PART = re.compile(r"\w[\w.'-]*")
_NAMES = tuple(re.compile(rf"\w[\w.'-]*(?: \w[\w.'-]*){{{more}}}(?<=\w)") for more in (3, 2, 1))
"""Names of people, of four, three or two words."""
_Kept = TypeVar("_Kept", Report, Change)


def without_users(
    report: Report, snapshot: Snapshot, difference: Difference | None
) -> tuple[Report, Snapshot, Difference | None]:
    """The three without an id or a name of a user who has a grant or is assigned to an app."""
    users = _users(report, snapshot)
    sections = snapshot.sections
    numbers: Counter[tuple[str, str]] = Counter()
    grants = sections.oauth2PermissionGrants
    assigned = sections.appRoleAssignedTo
    kept = msgspec.structs.replace(
        sections,
        oauth2PermissionGrants=None if grants is None else tuple(_grant(row, numbers) for row in grants),
        appRoleAssignedTo=None
        if assigned is None
        else {app: tuple(_assignment(row, numbers) for row in rows) for app, rows in assigned.items()},
        users=None,
        # Who made a change is often the user who consented.
        directoryAudits=None,
    )
    if report.granted is not None:
        rows = tuple(
            msgspec.structs.replace(row, principal="") if row.audience is Audience.USER else row
            for row in report.granted.rows
        )
        report = msgspec.structs.replace(report, granted=msgspec.structs.replace(report.granted, rows=rows))
    granted = report.granted
    scrubbed = _scrubbed(msgspec.structs.replace(report, granted=None), users)
    return (
        msgspec.structs.replace(scrubbed, granted=granted),
        msgspec.structs.replace(snapshot, sections=kept),
        difference and _difference(difference, users),
    )


def _users(report: Report, snapshot: Snapshot) -> frozenset[str]:
    """Ids and names of the users of grants and assignments, and ids that contain one, in lower case."""
    rows: list[OAuth2PermissionGrant | AppRoleAssignment] = []
    rows += (row for row in snapshot.sections.oauth2PermissionGrants or () if _is_for_user(row))
    for assigned in (snapshot.sections.appRoleAssignedTo or {}).values():
        rows += (row for row in assigned if _is_user(row))
    ids = {row.principalId.lower() for row in rows if row.principalId}
    found = ids | {row.id.lower() for row in rows if row.id}
    found |= {
        row.principalDisplayName.lower()
        for row in rows
        if isinstance(row, AppRoleAssignment) and row.principalDisplayName
    }
    for user in snapshot.sections.users or ():
        if user.id.lower() in ids:
            found |= {name.lower() for name in (user.userPrincipalName, user.displayName) if name}
    if report.granted is not None:
        found |= {row.principal.lower() for row in report.granted.rows if row.principal}
    return frozenset(found)


def _is_for_user(row: OAuth2PermissionGrant) -> bool:
    return row.consentType.lower() == PRINCIPAL


def _is_user(row: AppRoleAssignment) -> bool:
    """Whether an assignment is one of a user; one of an unknown kind may be."""
    return (row.principalType or _USER).lower() == _USER


def _grant(row: OAuth2PermissionGrant, numbers: Counter[tuple[str, str]]) -> OAuth2PermissionGrant:
    if not _is_for_user(row):
        return row
    # The id of a grant for a user encodes the user's id.
    return msgspec.structs.replace(row, principalId=_number(row.clientId, row.resourceId, numbers), id=None)


def _assignment(row: AppRoleAssignment, numbers: Counter[tuple[str, str]]) -> AppRoleAssignment:
    if not _is_user(row):
        return row
    number = _number(row.resourceId or "", row.appRoleId or "", numbers)
    # The id of an assignment encodes the user's id, too.
    return msgspec.structs.replace(row, principalId=number, principalDisplayName=None, id=None)


def _number(one: str, other: str, numbers: Counter[tuple[str, str]]) -> str:
    numbers[one, other] += 1
    return f"00000000-0000-0000-0000-{numbers[one, other]:012x}"


def _difference(difference: Difference, users: frozenset[str]) -> Difference:
    return msgspec.structs.replace(difference, changes=tuple(_changes(difference.changes, users)))


def _changes(changes: Iterable[Change], users: frozenset[str]) -> Iterable[Change]:
    for change in changes:
        by = change.by
        is_user = by is not None and by.kind is ActorKind.USER
        if by is not None and is_user and (change.kind is ChangeKind.GRANT or by.id.lower() in users):
            users_and_actor = users | {one.lower() for one in (by.id, by.name) if one}
            without = msgspec.structs.replace(change, by=Actor(kind=by.kind, inferred=by.inferred))
            yield _scrubbed(without, users_and_actor)
        else:
            yield _scrubbed(change, users)


def _scrubbed(value: _Kept, users: frozenset[str]) -> _Kept:
    if not users:
        return value
    return msgspec.convert(_without(msgspec.to_builtins(value, enc_hook=_plain), users), type(value))


def _without(value: Any, users: frozenset[str]) -> Any:
    match value:
        case str():
            return _text_without(value, users)
        case dict():
            return {_without(key, users): _without(each, users) for key, each in value.items()}
        case list() | tuple():
            return [_without(each, users) for each in value]
        case _:
            return value


def _text_without(text: str, users: frozenset[str]) -> str:
    if text.lower() in users:
        return DROPPED
    for pattern in (_ID, _WORD):
        text = pattern.sub(lambda match: DROPPED if match[1].lower() in users else match[0], text)
    return _without_names(text, users)


def _without_names(text: str, users: frozenset[str]) -> str:
    made, end = "", 0
    for part in _NAME_PART.finditer(text):
        start = part.start()
        found = (match for pattern in _NAMES if (match := pattern.match(text, start)))
        name = next((match for match in found if match[0].lower() in users), None)
        if start >= end and name is not None:
            made += text[end:start] + DROPPED
            end = name.end()
    return made + text[end:]


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else list(value)
