"""Read files and folders that other tools wrote, and make one snapshot of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from auditor.model.document import series
from auditor.model.snapshot import Snapshot
from auditor.snapshot import SnapshotError, json_kind
from auditor.snapshot.assemble import Assembled, assembled
from auditor.snapshot.graph_answers import (
    AnswerExtent,
    Place,
    Reading,
    SavedAnswer,
    holds_microsoft_graph,
    joined,
    recognized,
    rows_at,
)
from auditor.snapshot.read import MAX_BYTES, decoded, file_bytes, parsed, snapshot_in
from auditor.snapshot.tool_exports import (
    OtherFile,
    is_exported_row,
    other_bytes,
    other_file,
    other_text,
    place_of,
    scubagear,
)

MOST_FILES = 100_000
"""More than the service principals of a large tenant with their lists."""

_FILES_THAT_HELP = (
    "Give a snapshot (consent-auditor collect), saved answers of Microsoft Graph, a folder of EntraExporter, or"
    " ScubaGear's ProviderSettingsExport.json. docs/other-tools.md lists what can be read."
)
_SAVE_AGAIN = "Save or export it again, as JSON."
_NAMED = 3
"""How many files an error or a note names."""


class ImportedFiles:
    """What was read of files, one after the other, until `snapshot` puts it together."""

    def __init__(self) -> None:
        self._readings: list[Reading] = []
        self._notes: list[str] = []

    def add_snapshot(self, snapshot: Snapshot, origin: str) -> None:
        """Add a snapshot that was read elsewhere, such as that of a bundle."""
        self._readings.append(Reading(snapshots=((snapshot, origin),)))

    def add_data(self, data: bytes, origin: str) -> None:
        """Add the content of one file. Raises `SnapshotError` if it holds nothing that can be audited."""
        reading = _reading_of(data, origin)
        if reading.unused:
            self._notes.append(f"{origin}: not used, because it is {reading.unused}.")
        self._readings.append(reading)

    def assembled(self, tenant_id: str = "") -> Assembled:
        """The snapshot of all files, and what could not be used. Raises `SnapshotError`."""
        reading = joined(self._readings)
        if not (reading.answers or reading.snapshots or reading.failed):
            what = " ".join(self._notes) or "The files name a tenant, but hold nothing of it."
            raise SnapshotError("the files", f"hold nothing that an audit needs. {what}", hint=_FILES_THAT_HELP)
        made = assembled(reading, tenant_id=tenant_id)
        return made._replace(notes=(*self._notes, *made.notes))

    def add_folder(self, path: str) -> None:
        """Add the JSON files of a folder. Raises `SnapshotError` if they hold nothing that can be audited."""
        folder = _Folder(path)
        found = folder.readings()
        if not any(one.answers or one.snapshots or one.failed for one in found):
            other = "" if folder.other is None else f"; {folder.other}"
            message = f"holds nothing that an audit needs ({folder.files} JSON files were read{other})"
            raise SnapshotError(path, message, hint=_FILES_THAT_HELP)
        self._readings += found
        if folder.unused:
            named = series(folder.unused[:_NAMED])
            more = len(folder.unused) - _NAMED
            self._notes.append(f"{path}: not used: {named}{f' and {more} more' if more > 0 else ''}.")


def _reading_of(data: bytes, origin: str) -> Reading:
    """What a file holds. Raises `SnapshotError` for a file of no known kind, and for one that is damaged."""
    if (other := other_bytes(data)) is not None:
        raise SnapshotError(origin, other.what, hint=other.instead)
    document = _document(data, origin)
    found = _recognized(document, origin)
    if isinstance(found, OtherFile):
        raise SnapshotError(origin, found.what, hint=found.instead)
    if found is not None:
        return found
    message = f"is neither a snapshot nor a file of a known tool (found {json_kind(document)})"
    raise SnapshotError(origin, message, hint=_FILES_THAT_HELP)


def _document(data: bytes, origin: str) -> Any:
    """The JSON document in a file. Raises `SnapshotError` for a file that is cut off, or not JSON."""
    text = ""
    try:
        text = decoded(data, origin)
        return parsed(text, origin)
    except SnapshotError as error:
        other = other_text(text, origin)
        if other is not None:
            raise SnapshotError(origin, other.what, hint=other.instead) from None
        raise SnapshotError(origin, error.message, hint=_SAVE_AGAIN) from None


def _recognized(document: Any, origin: str) -> Reading | OtherFile | None:
    if isinstance(document, dict) and (document.get("format") is not None or "sections" in document):
        return Reading(snapshots=((snapshot_in(document, origin), origin),))
    # The results of tools come first: CIPP's rows look like Graph's, but are of several tenants.
    return scubagear(document, origin) or other_file(document) or recognized(document, origin)


class _Folder:
    """One walk through a folder."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.files = 0
        self.unused: list[str] = []
        self.other: str | None = None
        self._bytes = 0
        # A folder can be a part of an export: the names above it count too.
        self._above = self.path.resolve().parts
        self._lists: dict[Place, list[dict[str, Any]]] = {}

    def readings(self) -> list[Reading]:
        """Everything recognized in the folder's JSON files. Raises `SnapshotError`."""
        found = [reading for file in self._json_files() if (reading := self._read(file)) is not None]
        answers = tuple(self._whole_list(place, rows) for place, rows in sorted(self._lists.items()))
        return [*found, Reading(answers=answers, tool="EntraExporter" if answers else "")]

    def _json_files(self) -> Iterator[Path]:
        """The JSON files, in the order of their paths. Links to folders are not followed."""
        for folder, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if name.lower().endswith(".json"):
                    yield Path(folder, name)

    def _read(self, file: Path) -> Reading | None:
        parts = self._parts(file)
        place = place_of(parts) if is_exported_row(parts) else None
        if place is None and is_exported_row(parts) and parts[-2].lower() != "organization":
            return None
        origin = str(file)
        data = file_bytes(origin)
        self._count(len(data))
        if not data.strip():
            return None
        document = _document(data, origin)
        if place is not None:
            return self._exported(place, document, origin)
        found = _recognized(document, origin)
        if isinstance(found, OtherFile):
            self.other = self.other or f"{file.name} {found.what}"
        if not isinstance(found, Reading) or found.unused:
            self.unused.append(file.name)
        return found if isinstance(found, Reading) else None

    def _parts(self, file: Path) -> Sequence[str]:
        return (*self._above, *file.relative_to(self.path).parts)

    def _exported(self, place: Place, document: Any, origin: str) -> Reading | None:
        answer = rows_at(place, document, origin)
        if answer is None:
            self.unused.append(Path(origin).name)
            return None
        self._lists.setdefault(place, []).extend(answer.rows)
        noticed = recognized(document, origin)
        return noticed._replace(answers=(), unused="") if noticed else None

    def _whole_list(self, place: Place, rows: list[dict[str, Any]]) -> SavedAnswer:
        """The rows of one of EntraExporter's folders. It writes every object that Graph lists, or none.

        It can leave out users, and people copy the folders of single apps: then the rows are all that is known.
        """
        is_whole = place.section != "users" and (place.section != "servicePrincipals" or holds_microsoft_graph(rows))
        extent = AnswerExtent.LIST if place.of else AnswerExtent.SECTION if is_whole else AnswerExtent.ROWS
        return SavedAnswer(place.section, tuple(rows), str(self.path), extent, place.of)

    def _count(self, size: int) -> None:
        self.files += 1
        self._bytes += size
        if self.files > MOST_FILES or self._bytes > MAX_BYTES:
            message = f"holds too much ({self.files} files, {self._bytes // 2**20} MiB)"
            raise SnapshotError(str(self.path), message, hint="Give the subfolders that are needed.")
