"""What the earlier side couldn't read, from the last read that had it, so that a change in the meantime isn't lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from auditor.consent.snapshot_index import index_of
from auditor.model.sections import SECTIONS, SectionForm
from auditor.model.snapshot import Snapshot

_APPS, _ABSENT, _GRANTS = "servicePrincipals", "absentServicePrincipals", "oauth2PermissionGrants"
_LOG = "directoryAudits"


class Completed(NamedTuple):
    """A snapshot with what earlier ones had read, and when the oldest of them was taken; empty if nothing was added."""

    snapshot: Snapshot
    taken: str


def not_read_then(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """The sections, and the parts of sections (``section/part``), that failed in the earlier read and not in the later.

    The log isn't compared, so it isn't one of them.
    """
    names = (key for key in before.unread if key.partition("/")[0] in SECTIONS and key.partition("/")[0] != _LOG)
    return tuple(key for key in names if was_read(after, key))


def completed(before: Snapshot, after: Snapshot, earlier: Iterable[Snapshot]) -> Completed:
    """The earlier read with what it couldn't read, as far as the `earlier` ones, the latest first, had read it."""
    wanted, taken = list(not_read_then(before, after)), ""
    for snapshot in earlier:
        for key in [one for one in wanted if was_read(snapshot, one)]:
            before, taken = _with(before, key, snapshot), snapshot.taken
            wanted.remove(key)
        if not wanted:
            break
    return Completed(before, taken)


def was_read(snapshot: Snapshot, key: str) -> bool:
    """Whether the section, or this part of it, was read."""
    section, _, part = key.partition("/")
    value = getattr(snapshot.sections, section)
    if value is None or key.lower() in (one.lower() for one in snapshot.unread):
        return False
    if not part:
        return True
    if SECTIONS[section].form is SectionForm.BY_APP:
        return part.lower() in (app.lower() for app in value)
    return section in (_APPS, _GRANTS) and index_of(snapshot).covers(section, part)


def _with(snapshot: Snapshot, key: str, donor: Snapshot) -> Snapshot:
    """The snapshot with a section, or a part of one, of an earlier one."""
    section, _, part = key.partition("/")
    mine, theirs = getattr(snapshot.sections, section), getattr(donor.sections, section)
    covers = dict(snapshot.covers)
    changed: dict[str, Any] = {section: theirs}
    if not part or mine is None:
        covers.pop(section, None)
        if section in donor.covers:
            covers[section] = donor.covers[section]
    else:
        changed[section] = _joined(section, part, mine, theirs, donor)
        if section in covers:
            covers[section] = (*(one for one in covers[section] if one.lower() != part.lower()), part)
    if section == _APPS:
        absent = (snapshot.sections.absentServicePrincipals or (), donor.sections.absentServicePrincipals or ())
        changed[_ABSENT] = tuple(dict.fromkeys((*absent[0], *(one for one in absent[1] if part in ("", one)))))
    return msgspec.structs.replace(
        snapshot,
        sections=msgspec.structs.replace(snapshot.sections, **changed),
        covers=covers,
        unread={name: why for name, why in snapshot.unread.items() if name != key},
    )


def _joined(section: str, part: str, mine: Any, theirs: Any, donor: Snapshot) -> Any:
    """The rows of one side with those of one app from the other."""
    wanted = part.lower()
    if isinstance(mine, Mapping):
        kept = {app: rows for app, rows in mine.items() if app.lower() != wanted}
        return kept | {app: rows for app, rows in theirs.items() if app.lower() == wanted}
    if section == _APPS:
        return (
            *(one for one in mine if one.appId.lower() != wanted),
            *(one for one in theirs if one.appId.lower() == wanted),
        )
    ids = {one.id.lower() for one in donor.sections.servicePrincipals or () if one.appId.lower() == wanted}
    return (
        *(one for one in mine if one.clientId.lower() not in ids),
        *(one for one in theirs if one.clientId.lower() in ids),
    )
