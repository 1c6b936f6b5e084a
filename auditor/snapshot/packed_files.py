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
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import msgspec

from auditor.atomic import open_private, written_whole
from auditor.model.resources import merged_row
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot
from auditor.snapshot.graph_json import decode_section
from auditor.snapshot.write import SectionFile, dumps, unwritten

try:
    # Four times as fast as zlib at its fastest, and files are a tenth smaller.
    from isal import isal_zlib as zlib
except ImportError:  # on a processor for which Intel's library isn't built
    import zlib  # type: ignore[no-redef]

ENDING = ".zip"
"""A snapshot file whose name ends in this is written in the packed form."""
DOCUMENT = "snapshot.json"
_ROWS_ENDING = ".jsonl.gz"
_LEVEL = 1
"""Service principals become 6.2 times smaller and grants 4.2 times (with zlib 5.8 and 3.8 times). Level 6 of zlib takes
three times as long as its level 1, for 6.7 and 4.2 times."""
DAMAGE = (OSError, EOFError, cast(type[Exception], zlib.error))
"""What `line_batches` raises for a file that is shorter than it was, or damaged."""
_GZIP = 31
"""zlib's number for the format of gzip."""
_AT_ONCE = 1000
"""Rows compressed at once: about a page of Graph."""
_BYTES_AT_ONCE = 1 << 20
_PARTS = 64


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a snapshot with this name is written in the packed form."""
    return os.fspath(path).lower().endswith(ENDING)


def rows_file(section: str) -> str:
    """The name of the file with the rows of a section."""
    return f"{section}{_ROWS_ENDING}"


def compressed(lines: bytes) -> bytes:
    """Whole lines, each a row, as one gzip stream; nothing for no lines."""
    if not lines:
        return b""
    compress = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return compress.compress(lines) + compress.flush()


class RowsWriter:
    """Appends rows to a file of JSON Lines, so that it can be cut after every `append`. Only its owner can read it.

    `size` is how much of an existing file to keep, in bytes. Raises what `open_private` raises.
    """

    size: int

    def __init__(self, path: Path, size: int = 0) -> None:
        self._file = open_private(path)
        self.cut(size)

    def append(self, lines: bytes) -> None:
        """Add whole lines, each a row, as a separate gzip stream."""
        data = memoryview(compressed(lines))
        self.size += len(data)
        while data:
            data = data[os.write(self._file, data) :]

    def cut(self, size: int) -> None:
        """Delete everything after `size` bytes."""
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self.size = size

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def line_batches(path: Path, size: int) -> Iterator[bytes]:
    """The lines in the first `size` bytes of a file of rows, about a megabyte at a time.

    Raises one of `DAMAGE` for a file that is shorter, or damaged.
    """
    rest = b""
    with path.open("rb") as file:
        for text in _unpacked(file, size):
            end = text.rfind(b"\n") + 1
            if end:
                yield rest + text[:end]
            rest = text[end:] if end else rest + text
    if rest:
        raise EOFError


def _unpacked(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The content of the gzip streams in the first `size` bytes of a file, about a megabyte at a time."""
    stream = zlib.decompressobj(_GZIP)
    is_inside = False
    while size and (data := file.read(min(size, _BYTES_AT_ONCE))):
        size -= len(data)
        while data:
            is_inside = True
            yield stream.decompress(data, _BYTES_AT_ONCE)
            if stream.eof:
                data, stream, is_inside = stream.unused_data, zlib.decompressobj(_GZIP), False
            else:
                data = stream.unconsumed_tail
    if size or is_inside:
        raise EOFError


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
    encode = msgspec.json.Encoder(order="deterministic").encode_lines
    return b"".join(compressed(encode(part)) for part in parts)


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


def save_unpacked(snapshot: Snapshot, files: Mapping[str, Path], path: str | os.PathLike[str]) -> None:
    """Write a snapshot as one JSON document, with the rows of sections from files of rows; as `write.save` otherwise.

    Raises `SnapshotError`.
    """
    frame = dumps(
        msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **_empty(files)))
    )
    try:
        with written_whole(path) as out:
            for name in (name for name in SECTIONS if name in files):
                before, empty, frame = frame.partition(f'\n    "{name}": []'.encode())
                out.write(before + empty[:-1])
                out.writelines(_indented(_merged_rows(name, files[name], getattr(snapshot.sections, name) or ())))
                out.write(b"]")
            out.write(frame)
    except OSError as error:
        raise unwritten(os.fspath(path), Path(path).resolve(), error) from error


def _empty(names: Iterable[str]) -> dict[str, tuple[()]]:
    return dict.fromkeys(names, ())


def _indented(rows: Iterable[Any]) -> Iterator[bytes]:
    """The rows as items of a list of the document, up to the bracket that closes it."""
    end = b""
    for row in rows:
        text = msgspec.json.format(msgspec.json.encode(row, order="deterministic"), indent=2)
        yield end + b"\n      " + text.replace(b"\n", b"\n      ")
        end = b","
    if end:
        yield b"\n    "


def _merged_rows(section: str, file: Path, more: Sequence[Any]) -> Iterator[Any]:
    """The rows of a file, each once, with the properties of those in `more`, and the others of `more`."""
    key = SECTIONS[section].key
    repeated = _repeated(section, file)
    latest = {key(row): row for row in _typed_rows(section, file) if hash(key(row)) in repeated} if repeated else {}
    others = {key(row): row for row in more}
    written: set[object] = set()
    for row in _typed_rows(section, file):
        own = key(row)
        if own in latest:
            if own in written:
                continue
            written.add(own)
            row = latest[own]
        yield merged_row(row, others.pop(own)) if own in others else row
    yield from others.values()


def _typed_rows(section: str, file: Path) -> Iterator[Any]:
    for lines in line_batches(file, file.stat().st_size):
        yield from decode_section(section, msgspec.json.Decoder().decode_lines(lines))


def _repeated(section: str, file: Path) -> frozenset[int]:
    """The hashes of the keys that several rows have, found with eight bytes for each row."""
    key = SECTIONS[section].key
    parts = [array("q") for _ in range(_PARTS)]
    for row in _typed_rows(section, file):
        own = hash(key(row))
        parts[own % _PARTS].append(own)
    return frozenset(
        own for part in parts if len(set(part)) < len(part) for own, many in Counter(part).items() if many > 1
    )


def rows_in(path: str | os.PathLike[str]) -> dict[str, int]:
    """The numbers of rows of the sections in files of a packed snapshot; nothing for any other file, or none."""
    try:
        with ZipFile(path) as archive:
            files = msgspec.json.decode(archive.read(DOCUMENT), type=_Files).files
    except (OSError, KeyError, ValueError, BadZipFile):
        return {}
    return {name: file.rows for name, file in files.items()}


class _Files(msgspec.Struct):
    files: dict[str, SectionFile] = {}


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
