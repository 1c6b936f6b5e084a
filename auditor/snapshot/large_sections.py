"""The large sections of a snapshot: read from their rows, and of them only what a question needs.

`Wanted` names the sections that are judged as a whole. Of the service principals and the delegated grants of any other
question, only the rows are kept on which an answer can depend; the ids of the others are noted in `PartOfSnapshot`, so
that a look-up of one is noticed. A row that lacks something Graph always returns can be about anything: if there is
one, everything is kept.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from operator import attrgetter, not_
from typing import Any, Protocol, cast

import msgspec

from auditor.model.resources import PRINCIPAL, OAuth2PermissionGrant, ServicePrincipal, merged_row
from auditor.model.sections import SECTIONS, Extent
from auditor.model.snapshot import GroupedGrants, PartOfSnapshot, Snapshot, lowered
from auditor.snapshot import ShapeProblems
from auditor.snapshot.large_grants import (
    CLIENT,
    CONSENT,
    GRANTS,
    WRITTEN_ALL_PRINCIPALS,
    GrantGroups,
    Incomplete,
    OtherGrants,
    shortened,
)
from auditor.snapshot.row_decoder import Batch, BlankText, RowReader, SharedTexts

APPS = "servicePrincipals"
_OBJECT_ID, _APP_ID = map(attrgetter, ("id", "appId"))
_GUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a question needs of a snapshot.

    `whole` are the sections that are judged row by row. `names` are the app ids, object ids and identifier URIs that
    the question and the rest of the snapshot name, `clients` the app ids of the apps whose grants matter, all in lower
    case. With `without_grant_ids`, no answer shows the id of a grant of any other app.
    """

    whole: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    without_grant_ids: bool = False


class LargeRows(Protocol):
    """The rows of a section that is large."""

    @property
    def may_repeat(self) -> bool:
        """Whether two rows with one key are the same row, the later one being right."""

    def batches(self) -> Iterator[Batch]:
        """The rows in parts. Raises `SnapshotError` where they can't be read or are not complete."""


def part_of(snapshot: Snapshot, wanted: Wanted) -> Snapshot:
    """The part of a snapshot with complete rows that a question needs which is about no section as a whole."""
    apps, grants = snapshot.sections.servicePrincipals, snapshot.sections.oauth2PermissionGrants
    if GRANTS in snapshot.covers or not _are_documented(grants):
        return snapshot
    rest = msgspec.structs.replace(snapshot.sections, **dict.fromkeys((APPS, GRANTS)))
    named = named_ids(msgspec.json.encode((rest, snapshot.covers, snapshot.unread)))
    names = wanted.names | wanted.clients | named
    values: dict[str, tuple[Any, ...]] = {}
    clients: frozenset[str] | None = None
    ids = lowered(tuple(map(_OBJECT_ID, apps or ())))
    kept = set(compress(ids, (_matters(row, names) for row in apps or ())))
    if grants is not None:
        clients = _clients(compress(apps or (), map(kept.__contains__, ids)), wanted.clients)
        values[GRANTS] = _grants_of(grants, clients)
        # A grant can be on a resource that publishes nothing.
        kept |= {row.resourceId.lower() for row in values[GRANTS]}
    left_out: frozenset[str] = frozenset()
    if apps is not None:
        is_kept = list(map(kept.__contains__, ids))
        values[APPS] = tuple(compress(apps, is_kept))
        left = list(map(not_, is_kept))
        left_out = frozenset([*compress(ids, left), *lowered(tuple(map(_APP_ID, compress(apps, left))))])
    sections = msgspec.structs.replace(snapshot.sections, **values)
    return _as_part(msgspec.structs.replace(snapshot, sections=sections), names, left_out, clients)


def _are_documented(grants: Sequence[OAuth2PermissionGrant] | None) -> bool:
    """Whether every grant is for everybody or for one user."""
    if isinstance(grants, GroupedGrants):
        return True
    return {kind.lower() for kind in set(map(CONSENT, grants or ()))} <= {WRITTEN_ALL_PRINCIPALS.lower(), PRINCIPAL}


def _grants_of(grants: Sequence[OAuth2PermissionGrant], clients: frozenset[str]) -> tuple[OAuth2PermissionGrant, ...]:
    """The grants of these clients (object ids in lower case)."""
    if isinstance(grants, GroupedGrants):
        spelled = [client for client in grants.by_client if client.lower() in clients]
        return tuple(row for client in spelled for row in grants.by_client[client])
    return tuple(compress(grants, map(clients.__contains__, map(str.lower, map(CLIENT, grants)))))


def _as_part(
    snapshot: Snapshot, names: frozenset[str], left_out: frozenset[str], clients: frozenset[str] | None
) -> Snapshot:
    """The snapshot with a note of what was left out, if anything was."""
    if not left_out and clients is None:
        return snapshot
    fields = {name: getattr(snapshot, name) for name in Snapshot.__struct_fields__}
    return PartOfSnapshot(**fields, named=names, apps_left_out=left_out, grants_of=clients)


def named_ids(text: bytes) -> frozenset[str]:
    """The GUIDs in a JSON document, in lower case."""
    return frozenset(match.decode().lower() for match in _GUID.findall(text))


def with_large_sections(base: Snapshot, large: Mapping[str, LargeRows], wanted: Wanted | None) -> Snapshot:
    """`base` with the sections of which `large` has the rows; without `wanted`, with every row of them.

    A section that is in both has rows in `base` with more properties. Raises `ShapeError` that lists every value that
    Graph does not return, and `SnapshotError` and `msgspec.DecodeError` for rows that can't be read.
    """
    if wanted is not None:
        large = {name: rows for name, rows in large.items() if _is_needed(name, wanted)}
        # A report lists the grants of every app that was asked for.
        if GRANTS not in wanted.whole and GRANTS not in base.covers:
            try:
                return _Sections(base, large, wanted).part()
            except Incomplete:
                pass
    return _Sections(base, large, wanted or Wanted(whole=frozenset(SECTIONS))).whole()


def _is_needed(name: str, wanted: Wanted) -> bool:
    """Whether the section is opened at all: logs only if the question is about them."""
    return name in wanted.whole or Extent.LOG not in SECTIONS[name].extents


class _Sections:
    """Reads the sections of one snapshot."""

    def __init__(self, base: Snapshot, large: Mapping[str, LargeRows], wanted: Wanted) -> None:
        self._base = base
        self._large = large
        self._wanted = wanted
        self._shared = SharedTexts()
        self._problems = ShapeProblems()
        self._left_out: frozenset[str] = frozenset()
        self._clients: frozenset[str] | None = None

    def whole(self) -> Snapshot:
        """The snapshot with every row."""
        values: dict[str, tuple[Any, ...]] = {}
        for name in _in_order(self._large):
            if name == GRANTS and self._wanted.without_grant_ids:
                of = _clients(values.get(APPS) or self._inline(APPS), self._wanted.clients)
                values[name] = self._grouped(of) or self._all(name, ids_of=of)
            else:
                values[name] = self._all(name)
        return self._with(values)

    def _grouped(self, clients: frozenset[str]) -> tuple[OAuth2PermissionGrant, ...] | None:
        """Every grant, with those of other apps than `clients` in groups; none if the groups can't hold one."""
        rows = self._large[GRANTS]
        if self._inline(GRANTS):
            return None
        groups = GrantGroups(RowReader(GRANTS, self._shared, ShapeProblems()), clients)
        try:
            for batch in rows.batches():
                groups.add(batch)
            return cast("tuple[OAuth2PermissionGrant, ...]", groups.complete(rows.may_repeat))
        except (Incomplete, BlankText):
            return None

    def part(self) -> Snapshot:
        """The snapshot with the rows that matter. Raises `Incomplete`."""
        values: dict[str, tuple[Any, ...]] = {}
        names = self._wanted.names | self._wanted.clients
        for name in _in_order(self._large):
            if name in self._wanted.whole or name not in (APPS, GRANTS):
                values[name] = self._all(name)
            elif name == APPS:
                values[name] = self._apps(names)
            else:
                self._clients = _clients(values.get(APPS) or self._inline(APPS), self._wanted.clients)
                values[name] = self._grants(self._clients)
        # A grant can be on a resource that publishes nothing.
        if more := {row.resourceId.lower() for row in values.get(GRANTS, ())} & self._left_out:
            values[APPS] = self._apps(names | more)
        return _as_part(self._with(values), names, self._left_out, self._clients)

    def _with(self, values: Mapping[str, Any]) -> Snapshot:
        self._problems.raise_if_any()
        return msgspec.structs.replace(self._base, sections=msgspec.structs.replace(self._base.sections, **values))

    def _inline(self, name: str) -> tuple[Any, ...]:
        return getattr(self._base.sections, name) or ()

    def _all(self, name: str, ids_of: frozenset[str] | None = None) -> tuple[Any, ...]:
        """Every row of a section. If `ids_of` names apps, of the grants of others the ids are left out."""
        reader = RowReader(name, self._shared, self._problems, frozenset(() if ids_of is None else {"id"}))
        rows: list[Any] = []
        keys = _Keys(name) if self._large[name].may_repeat else None
        for batch in self._large[name].batches():
            decoded = reader.decoded(batch)
            if keys:
                keys.add(decoded)
            if ids_of is None:
                rows += reader.all_typed(decoded)
            else:
                rows += shortened(reader, decoded, ids_of)
        if keys and not self._problems and (repeated := keys.repeated()):
            rows = _latest(name, rows, self._large[name].batches(), repeated)
        return self._merged(name, rows)

    def _merged(self, name: str, rows: list[Any]) -> tuple[Any, ...]:
        """The rows with those of the document, which have more properties."""
        key = SECTIONS[name].key
        more = {key(row): row for row in self._inline(name)}
        if not more:
            return tuple(rows)
        for at, row in enumerate(rows):
            if (own := key(row)) in more:
                rows[at] = merged_row(row, more.pop(own))
        return (*rows, *more.values())

    def _apps(self, names: frozenset[str]) -> tuple[Any, ...]:
        """The service principals that are named, that publish scopes, and that have to do with agents."""
        reader = RowReader(APPS, self._shared, self._problems)
        kept: list[ServicePrincipal] = []
        left: list[str] = []
        for batch in self._large[APPS].batches():
            for row in reader.decoded(batch):
                if _matters(row, names):
                    kept.append(reader.typed(row))
                elif reader.is_complete(row):
                    left += (row.id.lower(), row.appId.lower())
                else:
                    raise Incomplete
        self._refuse_incomplete(kept)
        self._left_out = frozenset(left)
        if self._large[APPS].may_repeat:
            kept = list({row.appId.lower(): row for row in kept}.values())
        return self._merged(APPS, kept)

    def _grants(self, clients: frozenset[str]) -> tuple[Any, ...]:
        """The grants of these clients (object ids in lower case)."""
        reader = RowReader(GRANTS, self._shared, self._problems)
        others = OtherGrants(clients)
        kept: list[OAuth2PermissionGrant] = []
        for batch in self._large[GRANTS].batches():
            if others.are_all(batch):
                reader.number += batch.number
                continue
            for row in reader.decoded(batch):
                if row.clientId.lower() in clients:
                    kept.append(reader.typed(row))
                elif not others.includes(row):
                    if not reader.is_complete(row):
                        raise Incomplete
                    others.add(row)
        self._refuse_incomplete(kept)
        if self._large[GRANTS].may_repeat:
            key = SECTIONS[GRANTS].key
            kept = list({key(row): row for row in kept}.values())
        return self._merged(GRANTS, kept)

    def _refuse_incomplete(self, rows: Iterable[Any]) -> None:
        """Raise `Incomplete` for a row without something that Graph always returns, and for a problem."""
        if self._problems or any(row.lacks for row in rows):
            raise Incomplete


def _in_order(large: Mapping[str, LargeRows]) -> list[str]:
    """The sections, service principals before the grants that name them."""
    return [name for name in SECTIONS if name in large]


def _matters(row: Any, names: frozenset[str]) -> bool:
    """Whether a service principal is named, publishes scopes, or has to do with agents."""
    return bool(
        row.oauth2PermissionScopes
        or row.odataType
        or row.id.lower() in names
        or row.appId.lower() in names
        or (row.servicePrincipalNames and not names.isdisjoint(_addresses(row.servicePrincipalNames)))
    )


def _addresses(uris: Iterable[str]) -> Iterable[str]:
    """The identifier URIs as they are compared."""
    return map(str.rstrip, map(str.lower, uris), repeat("/"))


def _clients(apps: Iterable[ServicePrincipal], app_ids: frozenset[str]) -> frozenset[str]:
    """The object ids of these apps, and of those from which agents inherit."""
    return frozenset(app.id.lower() for app in apps if app.odataType or app.appId.lower() in app_ids)


class _Keys:
    """Finds rows with the same key, with eight bytes for each row."""

    def __init__(self, section: str) -> None:
        self._key = SECTIONS[section].key
        self._hashes = array("q")

    def add(self, rows: Iterable[Any]) -> None:
        """Note the keys of some rows."""
        self._hashes.extend(map(hash, map(self._key, rows)))

    def repeated(self) -> frozenset[int]:
        """The hashes of the keys that more than one row has."""
        if len(set(self._hashes)) == len(self._hashes):
            return frozenset()
        return frozenset(value for value, number in Counter(self._hashes).items() if number > 1)


def _latest(name: str, rows: list[Any], batches: Iterable[Batch], repeated: frozenset[int]) -> list[Any]:
    """The rows, and of those with one key the last one, at the place of the first."""
    reader = RowReader(name, SharedTexts(), ShapeProblems())
    key = SECTIONS[name].key
    places: dict[object, int] = {}
    gone: set[int] = set()
    at = 0
    for batch in batches:
        for row in reader.decoded(batch):
            if hash(key(row)) in repeated:
                first = places.setdefault(key(row), at)
                if first != at:
                    rows[first] = rows[at]
                    gone.add(at)
            at += 1
    return [row for at, row in enumerate(rows) if at not in gone]
