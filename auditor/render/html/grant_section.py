"""The grants as the page shows them: grants of the same permissions together, the broadest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

import msgspec

from auditor.model.document import series
from auditor.model.report import Audience, Granted, GrantKind, GrantRow
from auditor.render.labels import count, resource_label

ON_SCREEN = 1000
"""Rows that a browser shows on a phone without delay; further rows are below them as short plain lines."""
_IN_SHORT = 1_200_000
"""Characters of such lines, about 10,000 lines. The CSV, XLSX, and JSON reports list every grant."""
_NAMED = 3
_ROOM_FOR_NAMES = 200_000
"""Characters of the users that lines only count; the filter finds these users too."""

_Alike = tuple[GrantRow, list[str]]
"""A grant without its user, and all users who have it."""


class GrantLine(NamedTuple):
    """Grants of the same permissions to the same app, for everybody or for some users.

    `others` are the users whom `audience` only counts, for the filter to find.
    """

    app: str
    app_id: str
    publisher: str
    kind: str
    resource: str
    permissions: tuple[str, ...]
    audience: str
    others: str
    switched_off: bool


class GrantsView(NamedTuple):
    """The grants in full and in short form, how much of the tenant was read, and what is left out.

    `left_out` counts lines, `unnamed` users who are only counted.
    """

    lines: tuple[GrantLine, ...]
    in_short: tuple[str, ...]
    left_out: int
    unnamed: int
    extent: str

    @property
    def number(self) -> str:
        """How many lines there are."""
        return thousands(len(self.lines) + len(self.in_short) + self.left_out)

    @property
    def missing(self) -> str:
        """What a search in the page can't find, as a noun phrase; empty if there is nothing."""
        users = f"{thousands(self.unnamed)} users" if self.unnamed else ""
        lines = f"{thousands(self.left_out)} more lines" if self.left_out else ""
        return " and ".join(filter(None, (lines, users)))


def grants_view(granted: Granted | None, most: int = ON_SCREEN, *, in_short: bool = True) -> GrantsView | None:
    """The grants in as few lines as possible; none if no grants were read.

    At most `most` lines are in full, and with `in_short` the others are plain text.
    """
    if granted is None:
        return None
    alike: dict[GrantRow, list[str]] = {}
    for row in granted.rows:
        alike.setdefault(_without_user(row), []).append(row.principal)
    ordered = sorted(alike.items(), key=lambda pair: _breadth(pair[0]))
    chosen = fair([row for row, _ in ordered], most)
    lines, unnamed = _with_names([_line(*ordered[place]) for place in sorted(chosen)])
    beyond = [pair for place, pair in enumerate(ordered) if place not in chosen]
    short = tuple(_short(beyond)) if in_short else ()
    return GrantsView(lines, short, len(beyond) - len(short), unnamed, _extent(granted, len(ordered)))


def _short(beyond: Sequence[_Alike]) -> Iterator[str]:
    """Each grant as one line of text with its users, up to a limit in characters."""
    room = _IN_SHORT
    for row, users in beyond:
        line = _line(row, users)
        whom = ", ".join(filter(None, users)) if line.others else line.audience
        app = f"{line.app} ({row.client_kind})" if row.client_kind else line.app
        text = " | ".join(map(_part, (app, whom, f"{line.resource}: {', '.join(line.permissions)}")))
        room -= len(text)
        if room < 0:
            return
        yield text


def _part(text: str) -> str:
    """A part of a short line: a name in the tenant must not end the line or look like two parts."""
    return " ".join(text.split()).replace("|", "¦")


def fair(ordered: Sequence[GrantRow], most: int) -> frozenset[int]:
    """The positions of `most` grants: equally many of each breadth, and of each app in turn.

    If the last ones were dropped instead, a tenant with many grants would seem to have none for single users.
    """
    places: dict[tuple[bool, bool], dict[str, list[int]]] = {}
    for place, row in enumerate(ordered):
        places.setdefault(_breadth(row), {}).setdefault(row.client_id, []).append(place)
    return frozenset(islice(_in_turn([list(_in_turn(list(apps.values()))) for apps in places.values()]), most))


def _in_turn(several: Sequence[Sequence[int]]) -> Iterator[int]:
    """The first of each, then the second of each, and so on."""
    for each in zip_longest(*several):
        yield from (place for place in each if place is not None)


def _with_names(lines: Sequence[GrantLine]) -> tuple[tuple[GrantLine, ...], int]:
    """The lines with the counted users, up to a limit in characters, and the number of users left out."""
    made, room, unnamed = [], _ROOM_FOR_NAMES, 0
    for line in lines:
        if len(line.others) > room:
            unnamed += len(line.others.split("\n"))
            line = line._replace(others="")
        room -= len(line.others)
        made.append(line)
    return tuple(made), unnamed


def _without_user(row: GrantRow) -> GrantRow:
    return msgspec.structs.replace(row, principal="")


def _breadth(row: GrantRow) -> tuple[bool, bool]:
    """The sort key: grants to apps themselves, then for every user, then for single users."""
    return row.kind is GrantKind.DELEGATED, row.audience is Audience.USER


def _line(row: GrantRow, users: list[str]) -> GrantLine:
    return GrantLine(
        app=row.client_name or row.client_id,
        app_id=row.client_id if row.client_name else "",
        publisher=", ".join(filter(None, (row.client_kind, _publisher(row)))),
        kind="application" if row.kind is GrantKind.APPLICATION else "delegated",
        resource=resource_label(row.resource_id, row.resource_name),
        permissions=row.permissions,
        audience=_audience(row, users),
        others="\n".join(filter(None, users[_NAMED:])) if row.audience is Audience.USER else "",
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
        return "Every user in the tenant"
    named = [user for user in users[:_NAMED] if user]
    if len(users) > len(named):
        rest = len(users) - len(named)
        named.append(f"{thousands(rest)} {'more ' * bool(named)}{'user' if rest == 1 else 'users'}")
    return series(named)


def _extent(granted: Granted, lines: int) -> str:
    number = thousands(len(granted.rows)) + (" grant" if len(granted.rows) == 1 else " grants")
    shared = f" Grants of the same permissions to the same app share one of {thousands(lines)} lines."
    together = shared if lines < len(granted.rows) else ""
    if granted.whole:
        return f"{number} in the whole directory.{together}"
    if granted.covers:
        apps = count(len(granted.covers), "app")
        return f"{number}.{together} Only the grants of {apps} were read, not those of the whole directory."
    return f"{number}.{together} Only a part of the directory was read."


def thousands(number: int) -> str:
    """The number as ``9,000``."""
    return f"{number:,}"
