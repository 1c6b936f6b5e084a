"""Write the packed form of a snapshot: a ZIP archive with one file of rows for each large section.

The members of the archive, in this order and stored as they are, because the rows are compressed already:

- ``snapshot.json``: the document of a snapshot, as `auditor.snapshot.write` writes it. `files` names the sections that
  have a file, each with the number of its rows. Such a section is complete except as `covers` says.
- ``SECTION.jsonl.gz`` for each of them: JSON Lines, compressed with gzip, one row of the section a line, in Graph's own
  spelling. The file may consist of several gzip streams, one after the other. Two lines with the same key are the same
  row, and the later one is right: Graph may return a row on two pages.

A section with a file can also have rows in the document. They were read by themselves and have properties that the list
of all rows leaves out (a service principal's scopes): each one replaces the row with the same key in the file and keeps
the properties that only the file has, or is added to the rows.

Equal rows and documents give equal bytes.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import msgspec

from auditor.atomic import open_private, written_whole
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot
from auditor.snapshot.write import SectionFile, dumps, unwritten

ENDING = ".zip"
"""A snapshot file whose name ends in this is written in the packed form."""
DOCUMENT = "snapshot.json"
_ROWS_ENDING = ".jsonl.gz"
_LEVEL = 1
"""zlib's fastest: 5.8 times smaller for service principals and 3.8 for grants, where level 6 takes three times as long
for 6.7 and 4.2."""
_AT_ONCE = 1000
"""Rows compressed at once: about a page of Graph."""


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a snapshot with this name is written in the packed form."""
    return os.fspath(path).lower().endswith(ENDING)


def rows_file(section: str) -> str:
    """The name of the file with the rows of a section."""
    return f"{section}{_ROWS_ENDING}"


def compressed(rows: Iterable[bytes]) -> bytes:
    """Rows, each a JSON object without a line break in it, as lines in one gzip stream; nothing for no rows."""
    lines = b"\n".join(rows)
    if not lines:
        return b""
    compress = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    return b"".join((compress.compress(lines), compress.compress(b"\n"), compress.flush()))


class RowsWriter:
    """Appends rows to a file of JSON Lines, so that it can be cut after every `append`. Only its owner can read it.

    `size` is how much of an existing file to keep, in bytes. Raises what `open_private` raises.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self._file = open_private(path)
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self.size = size

    def append(self, rows: Iterable[bytes]) -> None:
        """Add rows, as `compressed` takes them, as a separate gzip stream."""
        data = memoryview(compressed(rows))
        self.size += len(data)
        while data:
            data = data[os.write(self._file, data) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def save_packed(snapshot: Snapshot, path: str | os.PathLike[str]) -> None:
    """Write a snapshot that is in memory in the packed form, whole or not at all, readable by its owner only.

    Raises `SnapshotError`.
    """
    large = {
        name: rows
        for name, section in SECTIONS.items()
        if section.grows and (rows := getattr(snapshot.sections, name)) is not None
    }
    rest = msgspec.structs.replace(snapshot.sections, **dict.fromkeys(large))
    files = {name: SectionFile(file=rows_file(name), rows=len(rows)) for name, rows in large.items()}
    document = dumps(msgspec.structs.replace(snapshot, sections=rest), files)
    pack(document, {name: _compressed_section(rows) for name, rows in large.items()}, path)


def _compressed_section(rows: Sequence[msgspec.Struct]) -> bytes:
    parts = (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
    return b"".join(compressed(msgspec.json.encode(row, order="deterministic") for row in part) for part in parts)


def pack(document: bytes, files: Mapping[str, Path | bytes], path: str | os.PathLike[str]) -> None:
    """Write a packed snapshot of its document and the files of its sections, whole or not at all.

    Only its owner can read it. Raises `SnapshotError`.
    """
    try:
        with written_whole(path) as out, ZipFile(out, "w", ZIP_STORED) as archive:
            _add(archive, DOCUMENT, document)
            for section, file in files.items():
                _add(archive, rows_file(section), file)
    except OSError as error:
        raise unwritten(os.fspath(path), Path(path).resolve(), error) from error


def _add(archive: ZipFile, name: str, content: bytes | Path) -> None:
    """Add a member that is the same whenever, wherever and by whomever it is written."""
    member = ZipInfo(name)  # dated 1980-01-01
    member.create_system = 3
    member.external_attr = 0o600 << 16
    if isinstance(content, bytes):
        archive.writestr(member, content)
        return
    member.file_size = content.stat().st_size
    with content.open("rb") as rows, archive.open(member, "w") as packed:
        shutil.copyfileobj(rows, packed, 1 << 20)
