"""A snapshot file, made by this program or by hand, into a `Snapshot`; or all that is wrong with it."""

from __future__ import annotations

import codecs
import json
import os
from pathlib import Path
from typing import Any

import msgspec

from auditor.model.snapshot import Snapshot
from auditor.snapshot.decode import checked
from auditor.snapshot.snapshot_errors import ShapeError, SnapshotError
from auditor.snapshot.wrong_file_hints import AGAIN, refuse_others

MAX_BYTES = 512 * 1024 * 1024
"""More than the largest directory needs; a bigger file is something else."""

_MEND = "Mend it there, or make a new one with: consent-auditor collect -o FILE"


def load(path: str | os.PathLike[str]) -> Snapshot:
    """The snapshot in a file, or a `SnapshotError` that says what to do."""
    file, origin = Path(path), os.fspath(path)
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(origin, size)
        return loads(file.read_bytes(), origin)
    except OSError as error:
        raise _unopened(origin, error) from error


def loads(data: bytes, origin: str = "snapshot") -> Snapshot:
    """The snapshot in these bytes (UTF-8, or UTF-16 with its mark); `origin` names them in errors."""
    if len(data) > MAX_BYTES:
        raise _too_large(origin, len(data))
    document = _parsed(_text(data, origin), origin)
    refuse_others(document, origin)
    try:
        return checked(document)
    except ShapeError as error:
        count = len(error.problems)
        message = (
            f"{count} values are not what a snapshot holds" if count > 1 else "one value is not what a snapshot holds"
        )
        raise SnapshotError(origin, message, problems=map(str, error.problems), hint=_MEND) from None


def _unopened(origin: str, error: OSError) -> SnapshotError:
    if isinstance(error, FileNotFoundError):
        what, hint = "there is no such file", "Make one with: consent-auditor collect -o FILE"
    elif Path(origin).is_dir():
        what, hint = "is a directory", "Name the snapshot file in it."
    elif isinstance(error, PermissionError):
        what = "may not be read by this user"
        hint = "Only the owner may read a snapshot: run as the user who made it, or ask for a copy."
    else:
        what = f"cannot be read: {error.strerror or error}"
        hint = "Check the path and the disk, then try again."
    return SnapshotError(origin, what, hint=hint)


def _too_large(origin: str, size: int) -> SnapshotError:
    message = f"is too large for a snapshot ({size // 2**20} MiB; at most {MAX_BYTES // 2**20} MiB is read)"
    return SnapshotError(origin, message, hint="Check that this is the right file.")


def _text(data: bytes, origin: str) -> str:
    """The text, in the encodings that editors and PowerShell write."""
    if not data.strip(b"\0\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise SnapshotError(origin, "is empty", hint=f"Whatever wrote it stopped too early. {AGAIN}")
    encoding = _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason in ("unexpected end of data", "truncated data"):
            raise _cut_off(data[: error.start].decode(encoding), origin) from None
        name = "UTF-16" if "16" in encoding else "UTF-8"
        hint = "Save it again as UTF-8; in PowerShell: Set-Content -Encoding utf8."
        raise SnapshotError(origin, f"is not {name} text (byte {error.start})", hint=hint) from None


def _encoding(data: bytes) -> str:
    """By the mark at the beginning; without one, UTF-16 shows in the zero beside the first bracket."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if data[:1] == b"\0" else "utf-8-sig"


def _parsed(text: str, origin: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        message = "is nested too deeply for a snapshot"
        raise SnapshotError(origin, message, hint="Check that this is the right file.") from None
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            raise _cut_off(text, origin) from None
        raise _not_json(text, origin, str(error)) from None


def _cut_off(text: str, origin: str) -> SnapshotError:
    message = f"stops in the middle, in line {text.count(chr(10)) + 1}: the file was cut off"
    return SnapshotError(origin, message, hint=AGAIN)


def _not_json(text: str, origin: str, why: str) -> SnapshotError:
    """Where the text stops being JSON: msgspec is fast, the standard library knows lines and columns."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        why = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except (RecursionError, ValueError):
        pass
    return SnapshotError(origin, f"is not JSON ({why})", hint=_MEND)
