"""The grants as the page shows them: by app, the riskiest app first, and grants of the same permissions together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice, zip_longest
from typing import NamedTuple

import msgspec

from auditor.facts.permissions import APP_ROLES, listed_scopes
from auditor.model.document import count, series
from auditor.model.report import AlikeGrants, Audience, Granted, GrantKind, GrantRow, GrantRows, KnownAbuse
from auditor.render.labels import resource_label

ON_SCREEN = 1000
"""Rows that a browser shows on a phone without delay; further rows are below them as short plain lines."""
_IN_SHORT = 1_200_000
"""Characters of such lines, about 10,000 lines. The CSV, XLSX, and JSON reports list every grant."""
_NAMED = 3
_ROOM_FOR_NAMES = 200_000
"""Characters of the users that lines only count; the filter finds these users too."""

_Breadth = tuple[bool, bool]
_AllAlike = Callable[[], Iterator[AlikeGrants]]


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
    chips: tuple[str, ...]


class AppGrants(NamedTuple):
    """The lines of one app, and what makes it risky in a few words each."""

    app: str
    app_id: str
    publisher: str
    switched_off: bool
    chips: tuple[tuple[str, str], ...]
    """Each chip with its tone."""
    lines: tuple[GrantLine, ...]

    @property
    def others(self) -> str:
        """The users whom the lines only count."""
        return "\n".join(filter(None, (line.others for line in self.lines)))


class GrantsView(NamedTuple):
    """The grants in full by app and in short form, how much of the tenant was read, and what is left out.

    `number` counts grants, `left_out` lines, `unnamed` users who are only counted.
    """

    number: str
    apps: tuple[AppGrants, ...]
    in_short: tuple[str, ...]
    left_out: int
    unnamed: int
    extent: str

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
    rows: Sequence[GrantRow] = granted.rows
    alike = rows.alike if isinstance(rows, GrantRows) else partial(iter, tuple(_together(rows)))
    choice = fair(alike(), most)
    lines, unnamed = _with_names([_line(*one.made()) for one in _in_order(alike, choice)])
    short = tuple(_short(_in_order(alike, choice, left_out=True))) if in_short else ()
    number = sum(choice.numbers.values())
    return GrantsView(
        thousands(choice.rows),
        _by_app(lines),
        short,
        number - len(lines) - len(short),
        unnamed,
        _extent(granted, choice.rows, number),
    )


def _by_app(lines: Sequence[GrantLine]) -> tuple[AppGrants, ...]:
    """The lines of each app together, the riskiest app first; equal ones in the order of their first lines."""
    apps: dict[tuple[str, str], list[GrantLine]] = {}
    for line in lines:
        apps.setdefault((line.app_id, line.app), []).append(line)
    made = (_app(tuple(found)) for found in apps.values())
    return tuple(sorted(made, key=lambda app: sum(_RISKS[word] for word, _ in app.chips), reverse=True))


def _app(lines: tuple[GrantLine, ...]) -> AppGrants:
    first = lines[0]
    words = {chip for line in lines for chip in line.chips}
    chips = tuple((word, "bad" if _RISKS[word] > _RISKS[UNUSED_CHIP] else "quiet") for word in _RISKS if word in words)
    return AppGrants(first.app, first.app_id, first.publisher, first.switched_off, chips, lines)


ABUSED_CHIP, MALICIOUS_CHIP, UNUSED_CHIP, MAIL_CHIP, FILES_CHIP, APP_CHIP, TENANT_CHIP, UNVERIFIED_CHIP = (
    "known abused",
    "malicious",
    "unused",
    "mail",
    "files",
    "without a user",
    "tenant-wide",
    "unverified publisher",
)
_RISKS = {
    ABUSED_CHIP: 32,
    MALICIOUS_CHIP: 64,
    MAIL_CHIP: 16,
    FILES_CHIP: 16,
    APP_CHIP: 8,
    UNVERIFIED_CHIP: 4,
    UNUSED_CHIP: 2,
    TENANT_CHIP: 1,
}
"""What makes an app risky, in the order of the chips.

A known abused app comes before all others. An app that reads mail or files comes before one that doesn't, whoever
granted it; then come apps that act without a user, and then those whose publisher isn't verified, and
those that nobody uses.
"""

_DATA = {
    MAIL_CHIP: (("mail", "mailbox-protocols"), "mail-app-only"),
    FILES_CHIP: (("files", "sites"), "files-app-only"),
}
"""The lists of delegated scopes, and the list of application permissions, that give access to such data."""


@cache
def _with_access(chip: str) -> Mapping[str, frozenset[str]]:
    """The permissions that give access to such data, in lower case, by resource (app id)."""
    scopes, roles = _DATA[chip]
    found = {resource: set(names) for resource, names in listed_scopes(scopes).items()}
    for role in APP_ROLES[roles]:
        found.setdefault(role.resource, set()).add(role.value.lower())
    return {resource: frozenset(names) for resource, names in found.items()}


def _chips(row: GrantRow) -> tuple[str, ...]:
    """What makes the grant risky. A publisher that wasn't read isn't called unverified."""
    found = [ABUSED_CHIP] if row.abused else []
    if row.abused is KnownAbuse.MALICIOUS:
        found.append(MALICIOUS_CHIP)
    found += [
        chip
        for chip in _DATA
        if not _with_access(chip).get(row.resource_id.lower(), frozenset()).isdisjoint(map(str.lower, row.permissions))
    ]
    if row.kind is GrantKind.APPLICATION:
        found.append(APP_CHIP)
    elif row.audience is Audience.TENANT:
        found.append(TENANT_CHIP)
    if row.verified is False:
        found.append(UNVERIFIED_CHIP)
    if row.unused:
        found.append(UNUSED_CHIP)
    return tuple(found)


def _together(rows: Iterable[GrantRow]) -> Iterator[AlikeGrants]:
    """The rows of a small tenant without their users."""
    alike: dict[GrantRow, list[str]] = {}
    for row in rows:
        alike.setdefault(msgspec.structs.replace(row, principal=""), []).append(row.principal)
    for row, users in alike.items():
        is_abused = row.abused is not None
        yield AlikeGrants(row.kind, row.audience, row.client_id, len(users), partial(_made, row, users), is_abused)


def _made(row: GrantRow, users: list[str]) -> tuple[GrantRow, list[str]]:
    return row, users


def _in_order(alike: _AllAlike, choice: Choice, *, left_out: bool = False) -> Iterator[AlikeGrants]:
    """The chosen grants, or those that are left out, the broadest first. Reads only as many as are needed."""
    for breadth, number in sorted(choice.numbers.items()):
        chosen = choice.places.get(breadth, frozenset())
        end = number if left_out else max(chosen, default=-1) + 1
        ours = (one for one in alike() if _breadth(one) == breadth)
        yield from (one for place, one in enumerate(islice(ours, end)) if (place in chosen) != left_out)


def _short(beyond: Iterable[AlikeGrants]) -> Iterator[str]:
    """Each grant as one line of text with its users, up to a limit in characters."""
    room = _IN_SHORT
    for one in beyond:
        row, users = one.made()
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


class Choice(NamedTuple):
    """The places of the chosen grants among those of each breadth, how many there are of each, and of how many rows."""

    places: Mapping[_Breadth, frozenset[int]]
    numbers: Mapping[_Breadth, int]
    rows: int


def fair(grants: Iterable[AlikeGrants], most: int) -> Choice:
    """Choose `most` grants: equally many of each breadth, and of each app in turn, known abused apps first.

    A million grants aren't kept.
    If the last ones were dropped instead, a tenant with many grants would seem to have none for single users.
    """
    turns: dict[_Breadth, _Turns] = {}
    rows = 0
    for one in grants:
        turns.setdefault(_breadth(one), _Turns(most)).add(one.client_id, first=one.is_abused)
        rows += one.number
    in_turn = zip_longest(*([(breadth, place) for place in turns[breadth].first()] for breadth in sorted(turns)))
    places: dict[_Breadth, set[int]] = {}
    for breadth, place in islice((one for each in in_turn for one in each if one is not None), most):
        places.setdefault(breadth, set()).add(place)
    return Choice(
        places={breadth: frozenset(found) for breadth, found in places.items()},
        numbers={breadth: each.number for breadth, each in turns.items()},
        rows=rows,
    )


class _Turns:
    """The places of the first grants of each app, then of the second of each app, and so on."""

    def __init__(self, most: int) -> None:
        self.number = 0
        self._most = most
        self._apps: dict[str, tuple[int, int]] = {}
        """The place of each app, and how many grants of it there were."""
        self._places: list[tuple[int, int, int]] = []

    def add(self, app: str, *, first: bool) -> None:
        """Note the next grant, which is of this app; with `first`, it comes before those of all other apps."""
        place, turn = self._apps.get(app, (len(self._apps), 0))
        self._apps[app] = place, turn + 1
        self._places.append((-1 if first else turn, place, self.number))
        self.number += 1
        if len(self._places) > 2 * self._most:
            self._places = sorted(self._places)[: self._most]

    def first(self) -> list[int]:
        """At most as many places as are wanted, in the order of the turns."""
        return [place for _, _, place in sorted(self._places)[: self._most]]


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


def _breadth(grants: AlikeGrants) -> _Breadth:
    """The sort key: grants to apps themselves, then for every user, then for single users."""
    return grants.kind is GrantKind.DELEGATED, grants.audience is Audience.USER


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
        chips=_chips(row),
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


def _extent(granted: Granted, rows: int, lines: int) -> str:
    number = thousands(rows) + (" grant" if rows == 1 else " grants")
    shared = f" Grants of the same permissions to the same app share one of {thousands(lines)} lines."
    together = shared if lines < rows else ""
    if granted.whole:
        return f"{number} in the whole directory.{together}"
    if granted.covers:
        apps = count(len(granted.covers), "app")
        return f"{number}.{together} Only the grants of {apps} were read, not those of the whole directory."
    return f"{number}.{together} Only a part of the directory was read."


def thousands(number: int) -> str:
    """The number as ``9,000``."""
    return f"{number:,}"
