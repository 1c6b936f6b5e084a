"""Read a snapshot file, made by this program or by hand, or say what it is instead and how to make a snapshot."""

from __future__ import annotations

import codecs
import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from auditor.model.report import FORMAT as REPORT_FORMAT
from auditor.model.sections import SECTIONS, Sections, section_of_response
from auditor.model.snapshot import FORMAT, VERSION, Provenance, Snapshot, Tenant, Unread
from auditor.snapshot import Location, NotASnapshot, ShapeError, ShapeProblems, SnapshotError, json_kind, root
from auditor.snapshot.graph_json import decode_section

MAX_BYTES = 512 * 1024 * 1024
"""More than the largest directory needs."""
_AT_ONCE = 2**20

COLLECT_AGAIN = "Create it again with: consent-auditor collect -o FILE"
_FIX = "Fix it there, or create a new one with: consent-auditor collect -o FILE"


def load(path: str | os.PathLike[str]) -> Snapshot:
    """The snapshot in a file. Raises a `SnapshotError` that says what to do."""
    return loads(file_bytes(path), os.fspath(path))


def file_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file that is not too large for a snapshot. Raises a `SnapshotError` that says what to do."""
    file, origin = Path(path), os.fspath(path)
    try:
        now = file.stat()
        if now.st_size > MAX_BYTES:
            raise too_large(origin, now.st_size)
        if stat.S_ISREG(now.st_mode):
            return file.read_bytes()
        from auditor.input_files import input_bytes

        data = input_bytes(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise _unopened(origin, error) from error
    if len(data) > MAX_BYTES:
        raise too_large(origin, len(data))
    return data


def stream_bytes(stream: BinaryIO, origin: str) -> bytes:
    """What a stream holds, if that is not too large for a snapshot: a pipe or a device can be endless.

    Raises a `SnapshotError`, and OSError.
    """
    data = bytearray()
    while part := stream.read(_AT_ONCE):
        data += part
        if len(data) > MAX_BYTES:
            raise too_large(origin, len(data))
    return bytes(data)


def loads(data: bytes, origin: str = "snapshot") -> Snapshot:
    """The snapshot in `data` (UTF-8, or UTF-16 with a byte order mark); `origin` names it in errors."""
    if len(data) > MAX_BYTES:
        raise too_large(origin, len(data))
    return snapshot_in(parsed(decoded(data, origin), origin), origin)


def snapshot_in(document: Any, origin: str) -> Snapshot:
    """The snapshot in a JSON document. Raises a `SnapshotError` for any other document."""
    refuse_other_documents(document, origin)
    try:
        return decode_snapshot(document)
    except ShapeError as error:
        raise invalid_values(origin, error) from None


def invalid_values(origin: str, error: ShapeError) -> SnapshotError:
    """The error for a document with values that Graph does not return."""
    count = len(error.problems)
    message = f"{count} values are not valid in a snapshot" if count > 1 else "one value is not valid in a snapshot"
    return SnapshotError(origin, message, problems=map(str, error.problems), hint=_FIX)


def _unopened(origin: str, error: OSError | ValueError) -> SnapshotError:
    from auditor.input_files import NoWriter

    if isinstance(error, FileNotFoundError):
        what, hint = "there is no such file", "Create one with: consent-auditor collect -o FILE"
    elif Path(origin).is_dir():
        what, hint = "is a directory", "Specify the snapshot file in it."
    elif isinstance(error, PermissionError):
        what = "cannot be read by this user"
        hint = "Only its owner can read a snapshot: run as the user who created it, or ask for a copy."
    elif isinstance(error, NoWriter):
        what, hint = "is a pipe that no program writes to", "Start that program first, or specify a file."
    else:
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        hint = "Check the path and the disk, then try again."
    return SnapshotError(origin, what, hint=hint)


def too_large(origin: str, size: int) -> SnapshotError:
    """The error for a file that is larger than `MAX_BYTES`."""
    message = f"is too large for a snapshot ({size // 2**20} MiB; the limit is {MAX_BYTES // 2**20} MiB)"
    return SnapshotError(origin, message, hint="Check that this is the right file.")


def decoded(data: bytes, origin: str) -> str:
    """The text, in the encodings that editors and PowerShell write."""
    if not data.strip(b"\0\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise SnapshotError(origin, "is empty", hint=f"The program that wrote it stopped too early. {COLLECT_AGAIN}")
    encoding = _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason in ("unexpected end of data", "truncated data"):
            raise _cut_off(data[: error.start].decode(encoding), origin) from None
        name = "UTF-16" if "16" in encoding else "UTF-8"
        hint = "Save it again as UTF-8; in PowerShell: Set-Content -Encoding utf8."
        raise NotASnapshot(origin, f"is not {name} text (byte {error.start})", hint=hint) from None


def _encoding(data: bytes) -> str:
    """The encoding by the byte order mark; without one, UTF-16 has a zero byte next to the first bracket."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if data[:1] == b"\0" else "utf-8-sig"


def parsed(text: str, origin: str) -> Any:
    """The JSON document in a text. Raises a `SnapshotError` that says where it is cut off or not JSON."""
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
    message = f"ends in the middle, in line {text.count(chr(10)) + 1}: the file was cut off"
    return SnapshotError(origin, message, hint=COLLECT_AGAIN)


def _not_json(text: str, origin: str, why: str) -> SnapshotError:
    """Where the text is not JSON, with line and column from the standard library, which msgspec does not give."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        why = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except (RecursionError, ValueError):
        pass
    return NotASnapshot(origin, f"is not JSON ({why})", hint=_FIX)


def refuse_other_documents(document: Any, origin: str) -> None:
    """Raise for a document that is not a snapshot, or has a version that this program does not know."""
    if not isinstance(document, dict):
        raise _other_thing(document, origin)
    name, version = document.get("format"), document.get("version")
    if name == REPORT_FORMAT:
        hint = "Use the snapshot of this report, or create one with: consent-auditor collect -o FILE"
        raise SnapshotError(origin, "is a report, not a snapshot", hint=hint)
    if name is None and "sections" not in document:
        raise _other_thing(document, origin)
    if name != FORMAT:
        problem = "has no format" if name is None else f"has the format {json.dumps(name)}"
        raise SnapshotError(origin, problem, hint=f'A snapshot has "format": "{FORMAT}", "version": {VERSION}.')
    if type(version) is int and version > VERSION:
        message = f"is a snapshot of version {version}; this program reads version {VERSION}"
        raise SnapshotError(origin, message, hint="Update the program: pip install -U consent-auditor")
    if type(version) is not int or version != VERSION:
        problem = "has no version" if version is None else f"has the version {json.dumps(version)}"
        raise SnapshotError(origin, problem, hint=f'Add "version": {VERSION} next to the format.')
    if document.get("files"):
        hint = "Give the .zip file that it comes from, or pack the files into one again, without a folder around them."
        raise SnapshotError(origin, "is a part of a packed snapshot, without the rows of its large sections", hint=hint)


def _other_thing(document: Any, origin: str) -> SnapshotError:
    if isinstance(document, dict) and isinstance(error := document.get("error"), dict):
        message = f"is an error that Graph answered ({error.get('code', 'no code')}), not a snapshot"
        return NotASnapshot(origin, message, hint=COLLECT_AGAIN)
    name = _section_of(document)
    if not name:
        hint = f'A snapshot is an object with "format": "{FORMAT}". {COLLECT_AGAIN}'
        return NotASnapshot(origin, f"is not a snapshot (found {json_kind(document)})", hint=hint)
    response = '{"<app id>": <this response>}' if name in SECTIONS and SECTIONS[name].only_by_app else "<this response>"
    skeleton = (
        f'{{"format": "{FORMAT}", "version": {VERSION}, "tenant": {{"id": "<tenant id>"}}, '
        f'"sections": {{"{name}": {response}}}}}'
    )
    hint = f"Put it, with any others that you have, into a file like this:\n  {skeleton}"
    return NotASnapshot(origin, "is a single response of Graph, not a snapshot", hint=hint)


def _section_of(document: Any) -> str:
    """The section of a response of Graph, or nothing for another document."""
    is_answer, items = False, document
    if isinstance(document, dict):
        is_answer = "value" in document or any(key.startswith("@odata.") for key in document)
        items = document.get("value", document)
    item = items[0] if isinstance(items, list) and items else items
    properties = frozenset(key.lower() for key in item) if isinstance(item, dict) else frozenset()
    return section_of_response(properties) or ("<section>" if is_answer else "")


_BY_LOWER = {name.lower(): name for name in SECTIONS}


def decode_snapshot(document: dict[str, Any]) -> Snapshot:
    """The snapshot in a document of the right format. Raises a `ShapeError` that lists every problem."""
    problems: list[ShapeError] = []
    wrong = ShapeProblems()
    snapshot = Snapshot(
        tenant=_tenant(document.get("tenant"), wrong),
        cloud=_text(document, "cloud", wrong) or "global",
        taken=_time(_text(document, "taken", wrong), wrong),
        tool=_text(document, "tool", wrong),
        sections=_sections(document, wrong, problems),
        covers=_by_section(document, "covers", _ids, wrong),
        unread=_by_section(document, "unread", _unread, wrong),
        provenance=_provenance(document.get("provenance"), wrong),
    )
    problems = [*wrong.errors(), *problems]
    if problems:
        raise ShapeError(problems[0].path, problems[0].message, tuple(problems))
    return snapshot


def _tenant(raw: Any, wrong: ShapeProblems) -> Tenant:
    if not isinstance(raw, dict):
        wrong.unexpected(root("tenant"), 'an object such as {"id": "<tenant id>"}', raw)
        return Tenant(id="")
    given = {key.lower(): value for key, value in raw.items()}
    name = given.get("name") or ""
    if not isinstance(name, str):
        wrong.unexpected((root("tenant"), "name"), "text", name)
    match given.get("id"):
        case str(tenant_id) if tenant_id.strip():
            return Tenant(id=tenant_id.strip(), name=name)
        case None | str():
            why = "is missing; the Entra admin center shows it under Overview"
            wrong.append(((root("tenant"), "id"), why))
        case other:
            wrong.unexpected((root("tenant"), "id"), "text", other)
    return Tenant(id="")


def _text(document: dict[str, Any], key: str, wrong: ShapeProblems) -> str:
    raw = document.get(key)
    if isinstance(raw, str):
        return raw
    if raw is not None:
        wrong.unexpected(root(key), "text", raw)
    return ""


def _time(text: str, wrong: ShapeProblems) -> str:
    """The same time in UTC."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):  # the second for the first and the last hours that a date can have
        utc = None
    if utc is None:
        wrong.append((root("taken"), f"expected a UTC time such as 2026-11-22T02:00:00Z, found {text[:80]!r}"))
        return ""
    return text if text.endswith("Z") else utc.isoformat().replace("+00:00", "Z")


def _sections(document: dict[str, Any], wrong: ShapeProblems, problems: list[ShapeError]) -> Sections:
    outside = (key for key in document if key.lower() in _BY_LOWER)
    wrong.extend((root(key), "belongs inside sections") for key in outside)
    raw = document.get("sections")
    if not isinstance(raw, dict):
        wrong.unexpected(root("sections"), "an object", raw)
        return Sections()
    values: dict[str, Any] = {}
    for key, given in raw.items():
        name = _section_name(key, (root("sections"), key), wrong)
        if not name:
            continue
        if name in values:
            wrong.append(((root("sections"), key), f"occurs twice, as {name}"))
        try:
            values[name] = decode_section(name, given)
        except ShapeError as error:
            problems.extend(error.problems)
    return Sections(**values)


def _section_name(key: str, location: Location, wrong: ShapeProblems) -> str:
    """The section that `key` names, or nothing if this version does not know it. A probable typo is a problem."""
    if name := _BY_LOWER.get(key.lower()):
        return name
    from difflib import get_close_matches

    if close := get_close_matches(key.lower(), _BY_LOWER, n=1, cutoff=0.85):
        wrong.append((location, f"isn't a section; did you mean {_BY_LOWER[close[0]]}?"))
    return ""


def _by_section(
    document: dict[str, Any], name: str, read: Callable[[Any, Location, ShapeProblems], Any], wrong: ShapeProblems
) -> dict[str, Any]:
    """Values by section, or by part of a section (``section/part``)."""
    raw = document.get(name)
    if not isinstance(raw, dict):
        if raw is not None:
            wrong.unexpected(root(name), "an object", raw)
        return {}
    values: dict[str, Any] = {}
    for key, given in raw.items():
        head, slash, part = key.partition("/")
        about = _section_name(head, (root(name), key), wrong)
        if about and given is not None:
            values[about + slash + part.lower()] = read(given, (root(name), key), wrong)
    return values


def _ids(raw: Any, location: Location, wrong: ShapeProblems) -> tuple[str, ...]:
    if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return tuple(item.lower() for item in raw)
    wrong.unexpected(location, "a list of text", raw)
    return ()


def _unread(raw: Any, location: Location, wrong: ShapeProblems) -> Unread | None:
    """Why a section was not read; a text alone, as people write it, is the message."""
    if isinstance(raw, str):
        return Unread(message=raw)
    if not isinstance(raw, dict):
        wrong.unexpected(location, "an object", raw)
        return None
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        return msgspec.convert(given, Unread)
    except msgspec.ValidationError as error:
        wrong.append((location, f"is not valid: {error}"))
        return None


def _provenance(raw: Any, wrong: ShapeProblems) -> Provenance | None:
    if raw is None:
        return None
    try:
        return msgspec.convert(raw, Provenance)
    except msgspec.ValidationError as error:
        wrong.append((root("provenance"), f"is not valid: {error}"))
        return None
