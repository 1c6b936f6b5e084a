"""Decode the outermost object of a snapshot file: tenant, time, sections, and what they cover."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from auditor.model.sections import SECTIONS, Sections
from auditor.model.snapshot import Provenance, Snapshot, Tenant, Unread
from auditor.snapshot.graph_json import decode_section
from auditor.snapshot.snapshot_errors import Location, Problems, ShapeError, root

_BY_LOWER = {name.lower(): name for name in SECTIONS}


def decode_snapshot(document: dict[str, Any]) -> Snapshot:
    """The snapshot in a document of the right format. Raises a `ShapeError` that lists every problem."""
    problems: list[ShapeError] = []
    wrong = Problems()
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


def _tenant(raw: Any, wrong: Problems) -> Tenant:
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


def _text(document: dict[str, Any], key: str, wrong: Problems) -> str:
    raw = document.get(key)
    if isinstance(raw, str):
        return raw
    if raw is not None:
        wrong.unexpected(root(key), "text", raw)
    return ""


def _time(text: str, wrong: Problems) -> str:
    """The same time in UTC."""
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


def _sections(document: dict[str, Any], wrong: Problems, problems: list[ShapeError]) -> Sections:
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


def _section_name(key: str, location: Location, wrong: Problems) -> str:
    """The section that `key` names, or nothing if this version does not know it. A probable typo is a problem."""
    if name := _BY_LOWER.get(key.lower()):
        return name
    if close := difflib.get_close_matches(key.lower(), _BY_LOWER, n=1, cutoff=0.85):
        wrong.append((location, f"isn't a section; did you mean {_BY_LOWER[close[0]]}?"))
    return ""


def _by_section(
    document: dict[str, Any], name: str, read: Callable[[Any, Location, Problems], Any], wrong: Problems
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


def _ids(raw: Any, location: Location, wrong: Problems) -> tuple[str, ...]:
    if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return tuple(item.lower() for item in raw)
    wrong.unexpected(location, "a list of text", raw)
    return ()


def _unread(raw: Any, location: Location, wrong: Problems) -> Unread | None:
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


def _provenance(raw: Any, wrong: Problems) -> Provenance | None:
    if raw is None:
        return None
    try:
        return msgspec.convert(raw, Provenance)
    except msgspec.ValidationError as error:
        wrong.append((root("provenance"), f"is not valid: {error}"))
        return None
