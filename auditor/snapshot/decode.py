"""The outermost object of a snapshot file: tenant, time, sections, and what they cover."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from auditor.model.sections import SECTIONS, Sections
from auditor.model.snapshot import Provenance, Snapshot, Tenant, Unread
from auditor.snapshot.graph_json import section
from auditor.snapshot.snapshot_errors import Place, ShapeError, Wrong, root

_BY_LOWER = {name.lower(): name for name in SECTIONS}


def checked(document: dict[str, Any]) -> Snapshot:
    """The snapshot that a document of the right format holds, or a `ShapeError` with all that is wrong."""
    problems: list[ShapeError] = []
    wrong = Wrong()
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


def _tenant(raw: Any, wrong: Wrong) -> Tenant:
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


def _text(document: dict[str, Any], key: str, wrong: Wrong) -> str:
    raw = document.get(key)
    if isinstance(raw, str):
        return raw
    if raw is not None:
        wrong.unexpected(root(key), "text", raw)
    return ""


def _time(text: str, wrong: Wrong) -> str:
    """The same moment in UTC, so that nobody has to think of zones again."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        wrong.append((root("taken"), f"expected a UTC time such as 2026-11-22T02:00:00Z, found {text!r}"))
        return ""
    return text if text.endswith("Z") else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _sections(document: dict[str, Any], wrong: Wrong, problems: list[ShapeError]) -> Sections:
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
            wrong.append(((root("sections"), key), f"is there twice, as {name}"))
        try:
            values[name] = section(name, given)
        except ShapeError as error:
            problems.extend(error.problems)
    return Sections(**values)


def _section_name(key: str, place: Place, wrong: Wrong) -> str:
    """The section meant; nothing for one that this version does not know. A misspelling is noted."""
    if name := _BY_LOWER.get(key.lower()):
        return name
    if close := difflib.get_close_matches(key.lower(), _BY_LOWER, n=1, cutoff=0.85):
        wrong.append((place, f"is no section; did you mean {_BY_LOWER[close[0]]}?"))
    return ""


def _by_section(
    document: dict[str, Any], name: str, read: Callable[[Any, Place, Wrong], Any], wrong: Wrong
) -> dict[str, Any]:
    """What is said of each section, or of a part of one (``section/part``)."""
    raw = document.get(name)
    if not isinstance(raw, dict):
        if raw is not None:
            wrong.unexpected(root(name), "an object", raw)
        return {}
    said: dict[str, Any] = {}
    for key, given in raw.items():
        head, slash, part = key.partition("/")
        about = _section_name(head, (root(name), key), wrong)
        if about and given is not None:
            said[about + slash + part.lower()] = read(given, (root(name), key), wrong)
    return said


def _ids(raw: Any, place: Place, wrong: Wrong) -> tuple[str, ...]:
    if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return tuple(item.lower() for item in raw)
    wrong.unexpected(place, "a list of text", raw)
    return ()


def _unread(raw: Any, place: Place, wrong: Wrong) -> Unread | None:
    """Why a section was not read; a text alone, as people write it, is the message."""
    if isinstance(raw, str):
        return Unread(message=raw)
    if not isinstance(raw, dict):
        wrong.unexpected(place, "an object", raw)
        return None
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        return msgspec.convert(given, Unread)
    except msgspec.ValidationError as error:
        wrong.append((place, f"is not understood: {error}"))
        return None


def _provenance(raw: Any, wrong: Wrong) -> Provenance | None:
    if raw is None:
        return None
    try:
        return msgspec.convert(raw, Provenance)
    except msgspec.ValidationError as error:
        wrong.append((root("provenance"), f"is not understood: {error}"))
        return None
