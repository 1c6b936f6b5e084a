"""Which parts of a tenant two reads both have, so that nothing is said about the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.model.difference import NotCompared
from auditor.model.document import first_of, series
from auditor.model.sections import SECTIONS, SectionForm
from auditor.model.snapshot import Snapshot

_NAMED_PARTS = 3


class BothReads:
    """Two snapshots of one tenant, and what only one of them read, which is kept for `not_compared`."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self.before = index_of(before)
        self.after = index_of(after)
        self._notes: dict[str, str] = {}

    @property
    def sides(self) -> tuple[tuple[str, SnapshotIndex], ...]:
        """The two reads, with the word for each."""
        return ("earlier", self.before), ("later", self.after)

    def values(self, section: str) -> tuple[Any, Any] | None:
        """The section as each side read it; none, with a note, if a side has not read it."""
        pair = tuple(getattr(index.snapshot.sections, section) for _, index in self.sides)
        missing = [(word, index) for (word, index), value in zip(self.sides, pair, strict=True) if value is None]
        if missing:
            asked = any(section in index.snapshot.unread for _, index in missing)
            if len(missing) == 1 or asked:
                whys = dict.fromkeys(index.not_read(section).why for _, index in missing)
                which = "neither read has it" if len(missing) == 2 else f"the {missing[0][0]} read doesn't have it"
                self.note(section, f"{which}: {'; '.join(whys)}")
            return None
        self._note_extent(section)
        return pair[0], pair[1]

    def covers(self, section: str, part: str) -> bool:
        """Whether both sides read this part of the section, and neither failed."""
        return all(index.covers(section, part) for _, index in self.sides)

    def lacks(self, section: str, part: str) -> bool:
        """Whether a side failed to read this part, or read a row of it without what identifies it; this is noted."""
        if any(index.was_refused(section, part) for _, index in self.sides):
            return True
        gap = next((gap for _, index in self.sides if (gap := index.gap(section, part))), None)
        if gap:
            self.note(section, gap.why)
        return gap is not None

    def note(self, section: str, why: str) -> None:
        """Keep why something in a section isn't compared; a second reason for the section is added to the first."""
        known = self._notes.get(section)
        if known is None:
            self._notes[section] = why
        elif why not in known.split("; "):
            self._notes[section] = f"{known}; {why}"

    @property
    def notes(self) -> Iterator[NotCompared]:
        """What isn't compared, once for each section."""
        order = {name: number for number, name in enumerate(SECTIONS)}
        for section in sorted(self._notes, key=lambda name: (order.get(name, len(order)), name)):
            yield NotCompared(section=section, why=self._notes[section])

    def _note_extent(self, section: str) -> None:
        """Say it if the two sides read different parts of the section."""
        if SECTIONS[section].form is SectionForm.BY_APP:
            extents = [_lower(getattr(index.snapshot.sections, section)) for _, index in self.sides]
            if extents[0] != extents[1]:
                self.note(section, _only_shared("apps", extents[0] & extents[1]))
        else:
            covered = [index.snapshot.covers.get(section) for _, index in self.sides]
            extents = [_lower(one) for one in covered if one is not None]
            if extents and (len(extents) == 1 or extents[0] != extents[1]):
                shared = frozenset.intersection(*extents)
                self.note(section, _only_shared("entries", shared))
        failed = sorted(
            {
                name.partition("/")[2]
                for _, index in self.sides
                for name in index.snapshot.unread
                if name.startswith(f"{section}/")
            }
        )
        if failed:
            self.note(section, f"a read of {series(first_of(failed, _NAMED_PARTS))} failed")


def _only_shared(what: str, shared: frozenset[str]) -> str:
    """A clause on the parts that are compared, where the two reads cover different ones."""
    if not shared:
        return f"the two reads cover different {what}, and have none in common"
    which = "the one" if len(shared) == 1 else f"the {len(shared)}"
    return f"the two reads cover different {what}: only {which} in both can be compared"


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def as_both_read(before: Snapshot, after: Snapshot) -> tuple[Snapshot, Snapshot]:
    """The two snapshots without what only one of them read, so that a decision on each rests on the same reads."""
    first, second = before.sections, after.sections
    changes: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name in SECTIONS:
        old, new = getattr(first, name), getattr(second, name)
        if (old is None) != (new is None):
            changes[0][name] = changes[1][name] = None
        elif SECTIONS[name].form is SectionForm.BY_APP and old is not None:
            shared = _lower(old) & _lower(new)
            changes[0][name], changes[1][name] = _only(old, shared), _only(new, shared)
    unread = {**after.unread, **before.unread}
    covers = dict(before.covers)
    for section, parts in after.covers.items():
        mine = before.covers.get(section)
        covers[section] = parts if mine is None else tuple(one for one in mine if one.lower() in _lower(parts))
    return (
        _with(before, msgspec.structs.replace(first, **changes[0]), covers, unread),
        _with(after, msgspec.structs.replace(second, **changes[1]), covers, unread),
    )


def _with(snapshot: Snapshot, sections: Any, covers: Mapping[str, Any], unread: Mapping[str, Any]) -> Snapshot:
    return msgspec.structs.replace(snapshot, sections=sections, covers=covers, unread=unread)


def _only(section: Mapping[str, Any], apps: frozenset[str]) -> dict[str, Any]:
    return {app: rows for app, rows in section.items() if app.lower() in apps}
