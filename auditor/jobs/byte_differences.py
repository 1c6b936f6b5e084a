"""Say where bytes differ from those that the program writes: the line of a file, or the part of the zip.

Nothing here knows what the files of a bundle mean: `auditor.jobs.bundle_verifier` does, and decides what is compared.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

from auditor.jobs.bundle_writer import zipped

_SHOWN = 60
"""How many characters of a line are shown."""
_BEFORE = 20
"""How many of them are before the first difference."""

_HEADER = 30
"""The bytes in front of a member's name."""


def first_difference(given: bytes, expected: bytes) -> str:
    """A sentence about the first line of `given` that isn't the one of `expected`."""
    lines = zip_longest(given.splitlines(keepends=True), expected.splitlines(keepends=True))
    for number, (found, wanted) in enumerate(lines, start=1):
        if found == wanted:
            continue
        if found is None or wanted is None:
            what = "The file ends before" if found is None else "Nothing belongs in"
            return f"{what} line {number}: {_shown(found or wanted or b'', 0)}"
        if blanks := _only_blanks(found, wanted):
            return f"Line {number} {blanks}"
        start = next((i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), 0)
        return f"Line {number} is {_shown(found, start)} instead of {_shown(wanted, start)}"
    return "Only the ends of lines differ"


def _only_blanks(found: bytes, wanted: bytes) -> str:
    """How a line differs only in what nobody sees, as the end of a sentence; empty if it differs in more."""
    given, expected = found.rstrip(b"\r\n"), wanted.rstrip(b"\r\n")
    if given == expected:
        return "ends in another way: with another line break than the program writes, or without one"
    if given.rstrip() == expected.rstrip():
        return "has other blanks at its end than the program writes"
    return "has other blanks at its beginning than the program writes" if given.strip() == expected.strip() else ""


def _shown(line: bytes, at: int) -> str:
    """The line in quotation marks, shortened to the part around a byte of it."""
    start = max(0, at - _BEFORE)
    text = line[start : start + 4 * _SHOWN].decode("utf-8", "replace").strip()
    if not text:
        return "only blanks" if line.strip(b"\r\n") else "empty"
    cut = "…" if len(text) > _SHOWN or len(line) > start + 4 * _SHOWN else ""
    return f"“{'…' if start else ''}{text[:_SHOWN]}{cut}”"


class ZipDifference(NamedTuple):
    """Why a zip with the expected files isn't the expected zip; perhaps only another library compressed it."""

    text: str
    only_compression: bool = False


def zip_difference(data: bytes, members: Mapping[str, bytes]) -> ZipDifference | None:
    """The difference of the zip in `data` from the one with these members, which it contains; ``None`` without one."""
    if data == (packed := zipped(members)):
        return None
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(io.BytesIO(packed)) as again:
        given, expected = archive.infolist(), again.infolist()
    streams = {info.filename: _stream(data, info) for info in given}
    is_compressed_only = all(
        path in streams and _is_whole(streams[path], content) for path, content in members.items()
    ) and data == zipped(members, lambda path, _: streams[path])
    why = next(_differences(given, expected), "it has bytes that belong to none of its files")
    return ZipDifference(
        f"the zip isn't the one that this program writes: {why}. The files in it are, so another tool packed them"
        " again, or something is hidden between them",
        is_compressed_only,
    )


def _stream(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """The compressed content of a member, if its header has only a name, as in a bundle."""
    start = info.header_offset + _HEADER + len(info.filename)
    return data[start : start + info.compress_size]


def _is_whole(stream: bytes, content: bytes) -> bool:
    """Whether the stream contains this and nothing after it."""
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = decompressor.decompress(stream, len(content) + 1)
    except zlib.error:
        return False
    return found == content and decompressor.eof and not decompressor.unused_data


def _differences(given: list[zipfile.ZipInfo], expected: list[zipfile.ZipInfo]) -> Iterator[str]:
    """What differs in the directory of the zip, in words."""
    if [info.filename for info in given] != [info.filename for info in expected]:
        yield "it has other entries, or has them in another order"
        return
    for one, two in zip(given, expected, strict=True):
        name = one.filename
        if one.comment:
            yield f"{name} has a comment"
        if one.extra:
            yield f"{name} has an extra field"
        if one.date_time != two.date_time:
            yield f"{name} has a date"
        if (one.compress_type, one.flag_bits) != (two.compress_type, two.flag_bits):
            yield f"{name} is stored in another way"
        if (one.external_attr, one.internal_attr) != (two.external_attr, two.internal_attr):
            yield f"{name} has other permissions"
        if (one.create_system, one.create_version, one.extract_version) != (
            two.create_system,
            two.create_version,
            two.extract_version,
        ):
            yield f"{name} names another system or version of the zip format"
    for one, two in zip(given, expected, strict=True):
        if one.compress_size != two.compress_size:
            yield f"{one.filename} is compressed in another way"
