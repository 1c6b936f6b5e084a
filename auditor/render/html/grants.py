"""The grants as the page shows them: alike ones together, the widest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from auditor.model.granted import Audience, Granted, GrantKind, GrantRow
from auditor.render.words import count, resource, series

ON_SCREEN = 1000
"""Rows that a browser shows without delay on a phone; the CSV, XLSX and JSON reports list every grant."""
_NAMED = 3


class GrantLine(NamedTuple):
    """Grants of the same permissions to the same app, for everybody or for some users."""

    app: str
    app_id: str
    publisher: str
    kind: str
    resource: str
    permissions: tuple[str, ...]
    audience: str
    switched_off: bool


class Grants(NamedTuple):
    """What was granted, how much of the tenant was looked at, and how many lines are left out."""

    lines: tuple[GrantLine, ...]
    left_out: int
    told: str


def grants(granted: Granted | None, most: int = ON_SCREEN) -> Grants | None:
    """The grants in as few lines as tell them all, at most so many; none where no grants were read."""
    if granted is None:
        return None
    alike: dict[GrantRow, list[str]] = {}
    for row in granted.rows:
        alike.setdefault(_without_user(row), []).append(row.principal)
    lines = [_line(row, users) for row, users in sorted(alike.items(), key=lambda pair: _breadth(pair[0]))]
    return Grants(tuple(lines[:most]), max(0, len(lines) - most), _told(granted))


def _without_user(row: GrantRow) -> GrantRow:
    return msgspec.structs.replace(row, principal="")


def _breadth(row: GrantRow) -> tuple[bool, bool]:
    """Apps that act on their own first, then what covers everybody, then single users; otherwise as they were."""
    return row.kind is GrantKind.DELEGATED, row.audience is Audience.USER


def _line(row: GrantRow, users: Iterable[str]) -> GrantLine:
    return GrantLine(
        app=row.client_name or row.client_id,
        app_id=row.client_id if row.client_name else "",
        publisher=_publisher(row),
        kind="application" if row.kind is GrantKind.APPLICATION else "delegated",
        resource=resource(row.resource_id, row.resource_name),
        permissions=row.permissions,
        audience=_audience(row, list(users)),
        switched_off=row.enabled is False,
    )


def _publisher(row: GrantRow) -> str:
    if row.verified:
        return f"{row.publisher or 'publisher'}, verified"
    return "publisher not verified" if row.verified is False else "publisher not known"


def _audience(row: GrantRow, users: list[str]) -> str:
    if row.kind is GrantKind.APPLICATION:
        return "The app itself, without a user"
    if row.audience is Audience.TENANT:
        return "Every user of the tenant"
    named = [user for user in users[:_NAMED] if user]
    if len(users) > len(named):
        named.append(count(len(users) - len(named), "more user" if named else "user"))
    return series(named)


def _told(granted: Granted) -> str:
    number = count(len(granted.rows), "grant")
    if granted.whole:
        return f"{number} in the whole directory."
    if granted.covers:
        return (
            f"{number}. Only the grants of {count(len(granted.covers), 'app')} were read, not those of the directory."
        )
    return f"{number}. Only a part of the directory was read."
