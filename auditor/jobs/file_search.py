"""Search files for words that only one tenant has, also inside archives, workbooks and compressed snapshots."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from auditor.history.traces import Words

_LARGEST = 256 * 2**20
"""The most bytes of one packed file that are searched."""
_DEPTH = 3


class FoundInFile(NamedTuple):
    """What a file has of the words; or why it could not be searched."""

    path: Path
    words: frozenset[str] = frozenset()
    error: str = ""


def search_files(place: Path, words: Words) -> Iterator[FoundInFile]:
    """The files at or below a place that have some of the words, in their names too, or that could not be searched.

    A folder that could not be listed is among these. Links are not followed. What a PDF shows is compressed and
    encoded, so only its name and its information count.
    """
    unread: list[OSError] = []
    for path in _files(place, unread.append):
        found = words.found_in(str(path.relative_to(place)) if path != place else path.name)
        if path.is_symlink():
            yield from (FoundInFile(path, found),) if found else ()
            continue
        try:
            found |= words.found_in_file(path) | _packed(path, words)
        except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            yield FoundInFile(path, found, reason)
            continue
        if found:
            yield FoundInFile(path, found)
    for one in unread:
        yield FoundInFile(Path(one.filename or place), error=one.strerror or type(one).__name__)


def _files(place: Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    if not place.is_dir():
        if os.path.lexists(place):
            yield place
        return
    for folder, folders, names in os.walk(place, onerror=on_error):
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        yield from (Path(folder) / name for name in sorted((*names, *links)))


def _packed(path: Path, words: Words) -> frozenset[str]:
    with path.open("rb") as file:
        head = file.read(2)
    if head == b"PK":
        return _in_archive(path, words, _DEPTH)
    if head == b"\x1f\x8b":
        with gzip.open(path) as packed:
            return words.found_in(_limited(packed.read(_LARGEST + 1)))
    return frozenset()


def _in_archive(file: Path | io.BytesIO, words: Words, depth: int) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size > _LARGEST:
                raise ValueError
            data = archive.read(member)
            found |= words.found_in(member.filename) | words.found_in(data)
            if data[:2] == b"\x1f\x8b":
                with gzip.open(io.BytesIO(data)) as packed:
                    found |= words.found_in(_limited(packed.read(_LARGEST + 1)))
            elif data[:2] == b"PK" and depth:
                found |= _in_archive(io.BytesIO(data), words, depth - 1)
    return found


def _limited(data: bytes) -> bytes:
    if len(data) > _LARGEST:
        raise ValueError
    return data
