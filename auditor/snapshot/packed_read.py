"""Open a packed snapshot, and JSON documents of the same size, without holding their rows in memory.

`auditor.snapshot.packed_files` describes the archive. `auditor.snapshot.large_sections` decides which rows are kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import msgspec

from auditor.model.sections import SECTIONS, Extent, SectionForm
from auditor.model.snapshot import Snapshot
from auditor.snapshot import ShapeError, SnapshotError
from auditor.snapshot.large_sections import LargeRows, Wanted, named_ids, with_large_sections
from auditor.snapshot.read import (
    COLLECT_AGAIN,
    MAX_BYTES,
    decode_snapshot,
    decoded,
    invalid_values,
    parsed,
    refuse_other_documents,
    too_large,
)
from auditor.snapshot.row_decoder import Batch, JsonItems, JsonLines

try:
    from isal import isal_zlib as zlib  # three times as fast
except ImportError:  # on a processor for which Intel's library isn't built
    import zlib  # type: ignore[no-redef]

DOCUMENT = "snapshot.json"
"""The member of a packed snapshot with everything but the rows of large sections."""
_AT_ONCE = 1 << 20
_PACKED_AT_ONCE = 1 << 16
_LONGEST_LINE = 64 << 20
"""More than the largest row: Microsoft Graph's own service principal has less than a megabyte."""
_ITEMS_AT_ONCE = 2000
_MOST_DENSE = 100
"""How many times smaller a document can become if an archive is packed again; JSON becomes about ten times smaller."""
_LARGE = 1 << 20
"""A list of a JSON document that is longer than this many bytes is read row by row."""
_DAMAGE: tuple[type[Exception], ...] = (
    *(BadZipFile, struct.error, EOFError, ValueError, cast(type[Exception], zlib.error)),
    RuntimeError,  # an encrypted member, or a method of compression that Python doesn't have
)
_GZIP = 31
"""zlib's window for a gzip stream."""


def load_packed(file: str | IO[bytes], origin: str, wanted: Wanted | None = None) -> Snapshot | None:
    """The snapshot in an archive; none if the archive is something else. With `wanted`, only what a question needs.

    Raises `SnapshotError` for an archive that is damaged or not complete.
    """
    try:
        with ZipFile(file) as archive:
            members = {member.filename for member in archive.infolist()}
            if DOCUMENT not in members or "manifest.json" in members:
                return None
            return _in_archive(archive, origin, wanted)
    except _DAMAGE as error:
        raise _damaged(origin, str(error)) from None
    except OSError as error:
        raise SnapshotError(origin, f"cannot be read: {error.strerror or error}", hint="Check the disk.") from error


def _in_archive(archive: ZipFile, origin: str, wanted: Wanted | None) -> Snapshot:
    member = archive.getinfo(DOCUMENT)
    if member.file_size > min(MAX_BYTES, _MOST_DENSE * member.compress_size + _AT_ONCE):
        raise too_large(origin, member.file_size)
    if any(one.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for one in archive.infolist()):
        raise _damaged(origin, "it is compressed in another way")
    with archive.open(member) as packed:
        # Not ZipFile.read, which unpacks everything, also if the entry says that the member is small. One byte more
        # reaches the end, where the checksum is compared.
        text = packed.read(member.file_size + 1)
    document = parsed(decoded(text, origin), f"{DOCUMENT} in {origin}")
    files = (document.pop("files", None) if isinstance(document, dict) else None) or {}
    refuse_other_documents(document, origin)
    large = {name: _Member(archive, origin, file) for name, file in _files(files, archive, origin)}
    return _snapshot(document, text, large, origin, wanted)


def _files(raw: Any, archive: ZipFile, origin: str) -> Iterator[tuple[str, _File]]:
    """The sections that have a file of rows."""
    try:
        files = msgspec.convert(raw, dict[str, _File])
    except msgspec.ValidationError as error:
        raise _damaged(origin, f"files in {DOCUMENT}: {error}") from None
    for name, file in files.items():
        section = SECTIONS.get(name)
        if section is None or section.form is not SectionForm.LIST or not section.extents:
            message = f"has rows of {name}, which this version of the program doesn't know"
            raise SnapshotError(origin, message, hint="Update the program: pip install -U consent-auditor")
        if file.file not in archive.NameToInfo:
            raise _damaged(origin, f"it has no {file.file}")
        yield name, file


class _File(msgspec.Struct, frozen=True):
    file: str
    rows: int


class _Member(NamedTuple):
    """The rows of a section in an archive."""

    archive: ZipFile
    origin: str
    file: _File

    @property
    def may_repeat(self) -> bool:
        """Graph may return a row on two pages."""
        return True

    def batches(self) -> Iterator[Batch]:
        """The rows, about a megabyte at a time. Raises `SnapshotError` unless there are as many as there should be."""
        count = 0
        with self.archive.open(self.file.file) as packed:
            for text in _whole_lines(_unpacked(packed, self.origin), self.origin):
                lines = JsonLines(text)
                count += lines.number
                yield lines
        if count != self.file.rows:
            message = f"is not complete: {self.file.file} has {count} rows of {self.file.rows}"
            raise SnapshotError(self.origin, message, hint=COLLECT_AGAIN)


def _unpacked(packed: IO[bytes], origin: str) -> Iterator[bytes]:
    """The content of one gzip stream or several, one after the other."""
    stream = zlib.decompressobj(_GZIP)
    is_inside = False
    while data := packed.read(_PACKED_AT_ONCE):
        while data:
            is_inside = True
            if text := stream.decompress(data, _AT_ONCE):
                yield text
            if stream.eof:
                data, stream, is_inside = stream.unused_data, zlib.decompressobj(_GZIP), False
            else:
                data = stream.unconsumed_tail
    if is_inside:
        raise _damaged(origin, "a file in it was cut off")


def _whole_lines(texts: Iterator[bytes], origin: str) -> Iterator[bytes]:
    """The same text, in parts that end with a line."""
    rest: list[bytes] = []
    size = 0
    for text in texts:
        end = text.rfind(b"\n") + 1
        if not end:
            rest.append(text)
            size += len(text)
            if size > _LONGEST_LINE:
                raise _damaged(origin, "a line in it is too long")
            continue
        yield b"".join((*rest, text[:end])) if rest else text[:end]
        rest, size = ([text[end:]], len(text) - end) if end < len(text) else ([], 0)
    if rest:
        raise _damaged(origin, "the last line of a file in it was cut off")


def load_large(data: bytes, origin: str, wanted: Wanted | None = None) -> Snapshot:
    """The snapshot in a large JSON document. With `wanted`, only what a question needs. Raises `SnapshotError`.

    Raises `msgspec.DecodeError` for a document in another form than this program writes, or that is not JSON.
    """
    shell = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    given = msgspec.json.decode(shell.pop("sections"), type=dict[str, msgspec.Raw]) if "sections" in shell else {}
    lists = {name: raw for name, raw in given.items() if len(raw) > _LARGE and _is_list(name, raw)}
    document = {key: msgspec.json.decode(raw) for key, raw in shell.items()}
    document["sections"] = {key: msgspec.json.decode(raw) for key, raw in given.items() if key not in lists}
    refuse_other_documents(document, origin)
    large = {name: _List(msgspec.json.decode(raw, type=list[msgspec.Raw])) for name, raw in lists.items()}
    rest = msgspec.json.encode(document)
    return _snapshot(document, rest, large, origin, wanted)


def _is_list(name: str, raw: msgspec.Raw) -> bool:
    section = SECTIONS.get(name)
    grows = section is not None and section.form is SectionForm.LIST and Extent.DIRECTORY in section.extents
    return grows and bytes(memoryview(raw)[:1]) == b"["


class _List(NamedTuple):
    """The rows of a section in a JSON document."""

    items: list[msgspec.Raw]

    @property
    def may_repeat(self) -> bool:
        """A document lists every row once."""
        return False

    def batches(self) -> Iterator[Batch]:
        """The rows, some at a time."""
        for at in range(0, len(self.items), _ITEMS_AT_ONCE):
            yield JsonItems(self.items[at : at + _ITEMS_AT_ONCE])


def _snapshot(
    document: dict[str, Any], text: bytes, large: Mapping[str, LargeRows], origin: str, wanted: Wanted | None
) -> Snapshot:
    if wanted is not None:
        wanted = msgspec.structs.replace(wanted, names=wanted.names | named_ids(text))
    try:
        return with_large_sections(decode_snapshot(document), large, wanted)
    except ShapeError as error:
        raise invalid_values(origin, error) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _damaged(origin, f"a row in it is not JSON: {error}") from None


def _damaged(origin: str, why: str) -> SnapshotError:
    return SnapshotError(origin, f"is a snapshot that was damaged or cut off ({why})", hint=COLLECT_AGAIN)
