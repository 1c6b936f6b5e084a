"""Put what several files say about one tenant into one snapshot, or say where they contradict each other.

Pieces about different rows add up. Two pieces about the same row must agree; a property that only one of them has
is taken from it. A section is complete only if one piece is, and no other knows a row that it lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from auditor.facts.ids import RESOURCE_NAMES, is_guid
from auditor.facts.permissions import known_scope_ids
from auditor.model.document import series
from auditor.model.sections import SECTIONS, SectionForm, Sections
from auditor.model.snapshot import Snapshot, Tenant, Unread
from auditor.model.unread_messages import CUT_BY_POWERSHELL, MISSING_PROPERTY, TOOL_COULD_NOT_READ
from auditor.snapshot import ShapeError, SnapshotError
from auditor.snapshot.graph_answers import OWNER, AnswerExtent, Reading, SavedAnswer, TenantInFile, property_of
from auditor.snapshot.graph_json import bare_type, decode_section
from auditor.snapshot.shortened_values import without_cut_values

_EXPORT_AGAIN = "Export it again, as JSON and with -Depth 10 in PowerShell."
_ONE_TENANT = "Give the files of one tenant at a time."
_SAME_TIME = "Leave out one of them, or export both again at the same time."


class Assembled(NamedTuple):
    """The snapshot, and what of the files could not be used."""

    snapshot: Snapshot
    notes: tuple[str, ...] = ()


def assembled(reading: Reading, *, tenant_id: str = "") -> Assembled:
    """The snapshot of everything that was recognized. `tenant_id` names the tenant if no file does.

    Without either, the tenant's id is empty. Raises `SnapshotError` for files of different tenants or clouds, and for
    files that contradict each other.
    """
    tenant = _tenant(reading, tenant_id)
    made = _Assembly(reading)
    for snapshot, origin in reading.snapshots:
        made.add_snapshot(snapshot, origin)
    pages = [one for one in reading.answers if one.why_not_all]
    for answer in reading.answers:
        made.add(made.as_page(answer, pages))
    for section in reading.failed:
        made.unread.setdefault(section, Unread(message=TOOL_COULD_NOT_READ))
    snapshots = [snapshot for snapshot, _ in reading.snapshots]
    times = [one for one in (reading.taken, *(snapshot.taken for snapshot in snapshots)) if one]
    tools = dict.fromkeys(one for one in (*(snapshot.tool for snapshot in snapshots), reading.tool) if one)
    return Assembled(
        Snapshot(
            tenant=tenant,
            cloud=_cloud(reading),
            taken=min(times, default=""),
            tool=", ".join(tools),
            sections=Sections(**{name: piece.value for name, piece in made.pieces.items()}),
            covers=dict(sorted(made.covers().items())),
            unread=dict(sorted(made.still_unread().items())),
        ),
        tuple(made.notes),
    )


def _tenant(reading: Reading, given: str) -> Tenant:
    named = [*reading.tenants]
    named += [TenantInFile(one.tenant.id.lower(), one.tenant.name, origin) for one, origin in reading.snapshots]
    if given:
        named.append(TenantInFile(given.lower(), "", "--tenant"))
    if not named:
        return Tenant(id="")
    first = named[0]
    other = next((one for one in named if one.id != first.id), None)
    if other is not None:
        message = f"is about the tenant {other.id}, but {first.origin} is about {first.id}"
        raise SnapshotError(other.origin, message, hint=_ONE_TENANT)
    return Tenant(id=first.id, name=next((one.name for one in named if one.name), ""))


def _cloud(reading: Reading) -> str:
    found = dict.fromkeys((*reading.clouds, *(snapshot.cloud for snapshot, _ in reading.snapshots)))
    if len(found) > 1:
        raise SnapshotError("the files", f"come from different clouds ({series(tuple(found))})", hint=_ONE_TENANT)
    return next(iter(found), "global")


class _Piece(NamedTuple):
    """The value of a section, what it covers (``None`` for all), and the files that it comes from."""

    value: Any
    covers: tuple[str, ...] | None
    origins: tuple[str, ...]

    @property
    def origin(self) -> str:
        return self.origins[0]


class _Assembly:
    """The pieces so far, by section."""

    def __init__(self, reading: Reading) -> None:
        self.pieces: dict[str, _Piece] = {}
        self.unread: dict[str, Unread] = {}
        self.notes: list[str] = []
        self._app_ids = dict(_app_ids(reading))

    def add_snapshot(self, snapshot: Snapshot, origin: str) -> None:
        """Add every section of a snapshot."""
        for name in Sections.__struct_fields__:
            value = getattr(snapshot.sections, name)
            if value is not None:
                covers = snapshot.covers.get(name)
                self._put(name, _Piece(value, covers, (origin,)))
        self.unread |= snapshot.unread

    def as_page(self, answer: SavedAnswer, pages: Iterable[SavedAnswer]) -> SavedAnswer:
        """The answer, as rows only if it lacks what another page of its list has: it is the last page, not the list.

        `pages` are the answers that more pages follow, or may follow. No file says which pages are missing between them
        and the last one.
        """
        if answer.extent is AnswerExtent.ROWS or answer.why_not_all:
            return answer
        own = set(map(_raw_key, answer.rows))
        for page in pages:
            listed = {_raw_key(row) for row in self._rows_of_list(answer, page)}
            # A whole section with only some rows of a page contradicts it.
            if listed - own and (answer.extent is AnswerExtent.LIST or not listed & own):
                return answer._replace(extent=AnswerExtent.ROWS)
        return answer

    def _rows_of_list(self, answer: SavedAnswer, page: SavedAnswer) -> Iterable[dict[str, Any]]:
        """The rows of a page that belong to the list of an answer."""
        if page.section != answer.section:
            return ()
        if answer.section == "delegatedPermissionClassifications":
            return page.rows if self._owner(page) == self._owner(answer) else ()
        name = OWNER.get(answer.section)
        if not name or not answer.of:
            return page.rows
        owners = {str(property_of(row, name)).lower() for row in answer.rows} or {answer.of.lower()}
        return [row for row in page.rows if str(property_of(row, name)).lower() in owners]

    def add(self, answer: SavedAnswer) -> None:
        """Add an answer. One that says nothing usable leaves its section as it is."""
        if answer.why_not_all:
            self.unread[answer.section] = Unread(message=answer.why_not_all)
        rows, was_cut = self._uncut(answer)
        if was_cut:
            self.unread[answer.section] = Unread(message=CUT_BY_POWERSHELL)
        rows = self._complete(answer.section, rows)
        extent = answer.extent if len(rows) == len(answer.rows) else AnswerExtent.ROWS
        answer = answer._replace(rows=rows, extent=extent)
        form = SECTIONS[answer.section].form
        if form is SectionForm.BY_APP:
            self._add_by_app(answer)
        elif form is SectionForm.OBJECT:
            for row in answer.rows:
                self._put(answer.section, _Piece(_decoded(answer, row), None, (answer.origin,)))
        else:
            value = _decoded(answer, list(answer.rows))
            self._put(answer.section, _Piece(value, self._covers(answer, value), (answer.origin,)))

    def covers(self) -> dict[str, tuple[str, ...]]:
        """What the sections cover that are not complete."""
        return {
            name: piece.covers
            for name, piece in self.pieces.items()
            if piece.covers is not None and SECTIONS[name].form is SectionForm.LIST
        }

    def still_unread(self) -> dict[str, Unread]:
        """Why data is missing, without what another file has."""
        return {key: why for key, why in self.unread.items() if not self._is_complete(key) or _is_cut(why)}

    def _is_complete(self, key: str) -> bool:
        name, _, part = key.partition("/")
        piece = self.pieces.get(name)
        if piece is None:
            return False
        if SECTIONS[name].form is SectionForm.BY_APP:
            return part in piece.value
        return piece.covers is None

    def _uncut(self, answer: SavedAnswer) -> tuple[tuple[dict[str, Any], ...], bool]:
        kind = row_type(answer.section)
        found = [without_cut_values(kind, row) for row in answer.rows]
        return tuple(one.row for one in found if one.row is not None), any(one.was_cut for one in found)

    def _complete(self, section: str, rows: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        """The rows that have what identifies a row; the others are noted as unread."""
        required = tuple(field.name for field in msgspec.structs.fields(row_type(section)) if field.required)
        kept: list[dict[str, Any]] = []
        for number, row in enumerate(rows):
            present = {key.lower(): value for key, value in row.items() if value is not None}
            name = present.get("displayname")
            if section in _NAMED_BY_DISPLAY_NAME and "id" not in present and isinstance(name, str):
                row = {**row, "id": name}
                present["id"] = name
            missing = next((one for one in required if one.lower() not in present), None)
            if missing is None:
                kept.append(row)
            else:
                message = f"{section}[{number}]: {MISSING_PROPERTY.format(name=missing)}"
                self.unread[section] = Unread(message=message)
        return tuple(kept)

    def _add_by_app(self, answer: SavedAnswer) -> None:
        app_id = self._owner(answer)
        if answer.extent is AnswerExtent.ROWS or not app_id:
            why = "it isn't known to be the whole list" if app_id else "it doesn't say whose list it is"
            self.notes.append(f"{answer.origin}: {answer.section} was not used, because {why}.")
            self.pieces.setdefault(answer.section, _Piece({}, None, (answer.origin,)))
            return
        value = _decoded(answer, {app_id: list(answer.rows)})
        self._put(answer.section, _Piece(value, None, (answer.origin,)))

    def _owner(self, answer: SavedAnswer) -> str:
        """The app id of the app whose list this is; empty if that is not known."""
        of = answer.of.lower()
        if of in self._app_ids:
            return self._app_ids[of]
        if of in self._app_ids.values() or of in RESOURCE_NAMES:
            return of
        if answer.section == "delegatedPermissionClassifications":
            return _resource_with_scopes(answer.rows)
        if of and answer.section == "oauth2PermissionGrants":
            self.notes.append(
                f"{answer.origin}: the grants name their client by object ID. Also give its service principal"
                f" (az ad sp show --id {of})."
            )
        return ""

    def _covers(self, answer: SavedAnswer, rows: tuple[Any, ...]) -> tuple[str, ...] | None:
        """The items that the section now covers because of this answer."""
        if answer.extent is AnswerExtent.SECTION:
            return None
        if answer.section == "oauth2PermissionGrants":
            if answer.extent is not AnswerExtent.LIST:
                return ()
            clients = (answer.of,) if answer.of else dict.fromkeys(row.clientId for row in rows)
            owners = (self._owner(answer._replace(of=client)) for client in clients)
            return tuple(owner for owner in owners if owner)
        names = _COVERED_BY.get(answer.section, ())
        found = (getattr(row, name) for row in rows for name in names)
        return tuple(dict.fromkeys(name.lower() for name in found if name))

    def _put(self, name: str, new: _Piece) -> None:
        old = self.pieces.get(name)
        if old is None:
            self.pieces[name] = new
            return
        origins = tuple(dict.fromkeys((*old.origins, *new.origins)))
        form = SECTIONS[name].form
        if form is SectionForm.OBJECT:
            value = _agreed(old.value, new.value, _Where(name, old.origin, new.origin))
            self.pieces[name] = _Piece(value, None, origins)
        elif form is SectionForm.BY_APP:
            self.pieces[name] = _Piece(_joined_by_app(name, old, new), None, origins)
        else:
            covers = None
            if old.covers is not None and new.covers is not None:
                covers = tuple(dict.fromkeys((*old.covers, *new.covers)))
            self.pieces[name] = _Piece(_joined_rows(name, old, new), covers, origins)


_NAMED_BY_DISPLAY_NAME = frozenset({"conditionalAccessPolicies"})
"""Sections whose rows IntuneCD saves without their ids (its module remove_keys)."""

_COVERED_BY = {
    "servicePrincipals": ("appId",),
    "permissionGrantPolicies": ("id",),
    "directorySettings": ("id", "templateId"),
    "roleDefinitions": ("id",),
    "users": ("id", "userPrincipalName"),
}
"""The properties by which a row that was read is named in `Snapshot.covers`. Rows of other sections cover nothing."""


@cache
def row_type(section: str) -> type[msgspec.Struct]:
    """The class of the rows of a section."""
    field = next(field for field in msgspec.structs.fields(Sections) if field.name == section)
    kind = bare_type(field.type)
    while not isinstance(kind, type) or get_origin(kind) is not None:
        arguments = get_args(kind)
        kind = bare_type(arguments[1] if get_origin(kind) is not tuple else arguments[0])
    assert issubclass(kind, msgspec.Struct)
    return kind


@cache
def build_decoders() -> None:
    """Make msgspec look at every type that a snapshot consists of, before several threads read snapshots.

    Two threads that make it look at one type for the first time at the same time can crash the process (msgspec 0.22).
    A snapshot's type leads to those of all of its parts.
    """
    msgspec.json.Decoder(Snapshot)


def _is_cut(why: Unread) -> bool:
    return why.message == CUT_BY_POWERSHELL


def _decoded(answer: SavedAnswer, raw: Any) -> Any:
    """The typed value. Raises a `SnapshotError` that names the file and every value that Graph does not return."""
    try:
        return decode_section(answer.section, raw)
    except ShapeError as error:
        count = len(error.problems)
        message = f"{count} values are not what Graph returns" if count > 1 else "one value is not what Graph returns"
        raise SnapshotError(answer.origin, message, problems=map(str, error.problems), hint=_EXPORT_AGAIN) from None


def _resource_with_scopes(rows: Iterable[Mapping[str, Any]]) -> str:
    """The resource that publishes all of the classified scopes, by their documented ids; empty if none does."""
    ids = (value for row in rows for key, value in row.items() if key.lower() == "permissionid")
    resources = {known_scope_ids().get(str(one).lower(), ("", None))[0] for one in ids}
    return resources.pop() if len(resources) == 1 else ""


def _app_ids(reading: Reading) -> Iterator[tuple[str, str]]:
    """The app ids of the service principals in all files, by object id (both lower case)."""
    for snapshot, _ in reading.snapshots:
        for principal in snapshot.sections.servicePrincipals or ():
            yield principal.id.lower(), principal.appId.lower()
    for answer in reading.answers:
        if answer.section == "servicePrincipals":
            for row in answer.rows:
                object_id, app_id = property_of(row, "id"), property_of(row, "appid")
                if isinstance(object_id, str) and isinstance(app_id, str):
                    yield object_id.lower(), app_id.lower()


def _raw_key(row: Mapping[str, Any]) -> object:
    """What identifies a row before it is decoded: its id, or else all of it."""
    found = property_of(row, "id")
    return found.lower() if isinstance(found, str) and found else _sortable(row)


# ---- Rows that two files have ---------------------------------------------------------------------------------------


class _Where(NamedTuple):
    """A value that two files have, for the message if they disagree."""

    path: str
    first: str
    second: str

    def at(self, name: object) -> _Where:
        path = f"{self.path}[{name}]" if isinstance(name, int) else f"{self.path}.{name}"
        return self._replace(path=path)

    def contradiction(self) -> SnapshotError:
        return SnapshotError(self.second, f"{self.path} differs from that in {self.first}", hint=_SAME_TIME)


def _joined_rows(name: str, old: _Piece, new: _Piece) -> tuple[Any, ...]:
    """The rows of both pieces. Raises `SnapshotError` where they contradict each other."""
    row = SECTIONS[name]
    known = {_key(name, one): (at, one) for at, one in enumerate(old.value)}
    joined = list(old.value)
    new_keys = set()
    for one in new.value:
        key = _key(name, one)
        new_keys.add(key)
        if key in known:
            at, before = known[key]
            joined[at] = _agreed(before, one, _Where(f"{name}[{_shown(key)}]", old.origin, new.origin))
        elif old.covers is None and row.extents:
            raise _lacks(name, key, new.origin, old.origin)
        else:
            joined.append(one)
    if new.covers is None and row.extents and (missing := [key for key in known if key not in new_keys]):
        raise _lacks(name, missing[0], old.origin, new.origin)
    return tuple(joined)


def _lacks(name: str, key: object, has: str, lacks: str) -> SnapshotError:
    return SnapshotError(has, f"{name} has {_shown(key)}, which is not in {lacks}", hint=_SAME_TIME)


def _key(name: str, row: Any) -> object:
    return SECTIONS[name].key(row)


def _shown(key: object) -> str:
    return " ".join(str(part) for part in key if part) if isinstance(key, tuple) else str(key)


def _joined_by_app(name: str, old: _Piece, new: _Piece) -> dict[str, tuple[Any, ...]]:
    joined = dict(old.value)
    for app_id, rows in new.value.items():
        if app_id in joined and not _same(joined[app_id], rows):
            raise _Where(f"{name}.{app_id}", old.origin, new.origin).contradiction()
        joined[app_id] = rows
    return joined


def _agreed(one: Any, other: Any, where: _Where) -> Any:
    """The value that both have, with what only one of them knows. Raises `SnapshotError` if they differ."""
    if not isinstance(one, msgspec.Struct):
        return _agreed_value(one, other, where)
    changes: dict[str, Any] = {}
    for field in msgspec.structs.fields(one):
        mine, yours = getattr(one, field.name), getattr(other, field.name)
        if yours == field.default:
            continue
        changes[field.name] = yours if mine == field.default else _agreed(mine, yours, where.at(field.name))
    return msgspec.structs.replace(one, **changes)


def _agreed_value(one: Any, other: Any, where: _Where) -> Any:
    if isinstance(one, tuple) and isinstance(other, tuple):
        by_id = {item.id: item for item in other if getattr(item, "id", None)}
        if len(one) == len(other) == len(by_id) and all(getattr(item, "id", None) in by_id for item in one):
            return tuple(_agreed(item, by_id[item.id], where.at(number)) for number, item in enumerate(one))
    if isinstance(one, str) and isinstance(other, str) and is_guid(one) and one.lower() == other.lower():
        return one
    if not _same(one, other):
        raise where.contradiction()
    return one


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal, apart from the order of a list, which Graph does not promise."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return sorted(map(_sortable, one)) == sorted(map(_sortable, other))
    return bool(one == other)


def _sortable(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")
