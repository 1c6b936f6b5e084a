"""A report and a snapshot as lines of JSON that runs can share, and back.

A list is one line for each of its rows, so that a night in which one row changed adds one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.model.history import KEPT_SECTIONS
from auditor.model.report import GrantRow, Report
from auditor.model.sections import SECTIONS, SectionForm
from auditor.model.snapshot import Call, Snapshot

REPORT = "report"
GRANTS = "report/granted"
SNAPSHOT = "snapshot"

_LISTS = frozenset(field.name for field in msgspec.structs.fields(Report) if field.default == ())
_CALLS = "provenance/calls"
_ANY_ROW = msgspec.json.Decoder(tuple[str, msgspec.Raw])


def encoded(value: Any) -> bytes:
    """The value as JSON on one line. A lone surrogate, which UTF-8 can't hold, is written as a visible escape."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value, enc_hook=_plain)))


def report_parts(report: Report) -> dict[str, list[bytes]]:
    """The lines of a report, by part. Its grants are a separate part, because they can be a million rows."""
    granted, provenance = report.granted, report.provenance
    head = msgspec.structs.replace(
        report,
        granted=granted and msgspec.structs.replace(granted, rows=()),
        provenance=provenance and msgspec.structs.replace(provenance, calls=()),
    )
    lines = list(_fields(head))
    if provenance is not None:
        lines += [encoded((_CALLS, call)) for call in provenance.calls]
    found = {REPORT: lines}
    if granted is not None:
        found[GRANTS] = [encoded(row) for row in granted.rows]
    return found


def _fields(report: Report) -> Iterator[bytes]:
    for field in msgspec.structs.fields(Report):
        value = getattr(report, field.name)
        if field.name in _LISTS:
            yield from (encoded((field.encode_name, row)) for row in value)
        else:
            yield encoded((field.encode_name, value))


def report_of(parts: Mapping[str, list[bytes]]) -> Report:
    """The report whose parts these are."""
    single: dict[str, bytes] = {}
    rows: dict[str, list[bytes]] = {}
    for line in parts[REPORT]:
        name, value = _ANY_ROW.decode(line)
        if name in _LISTS or name == _CALLS:
            rows.setdefault(name, []).append(bytes(value))
        else:
            single[name] = bytes(value)
    calls = rows.pop(_CALLS, [])
    single |= {name: _array(values) for name, values in rows.items()}
    report = msgspec.json.decode(_object(single), type=Report)
    if report.granted is not None:
        rows_granted = msgspec.json.decode(_array(parts.get(GRANTS, ())), type=tuple[GrantRow, ...])
        report = msgspec.structs.replace(report, granted=msgspec.structs.replace(report.granted, rows=rows_granted))
    if report.provenance is not None:
        made = msgspec.json.decode(_array(calls), type=tuple[Call, ...])
        report = msgspec.structs.replace(report, provenance=msgspec.structs.replace(report.provenance, calls=made))
    return report


def snapshot_parts(snapshot: Snapshot) -> dict[str, list[bytes]]:
    """The lines of a snapshot, by part: one part for each section that is kept and was read, and one for the rest.

    The calls of the provenance aren't kept here: the report has them.
    """
    provenance = snapshot.provenance
    head = {
        "tenant": snapshot.tenant,
        "cloud": snapshot.cloud,
        "taken": snapshot.taken,
        "tool": snapshot.tool,
        "covers": {name: rows for name, rows in snapshot.covers.items() if _section(name) in KEPT_SECTIONS},
        "unread": {name: why for name, why in snapshot.unread.items() if _section(name) in KEPT_SECTIONS},
        "provenance": provenance and msgspec.structs.replace(provenance, calls=()),
    }
    found = {SNAPSHOT: [encoded(item) for item in head.items()]}
    for name in KEPT_SECTIONS:
        value = getattr(snapshot.sections, name)
        if value is not None:
            found[f"{SNAPSHOT}/{name}"] = list(_section_lines(name, value))
    return found


def _section(name: str) -> str:
    return name.partition("/")[0]


def _section_lines(name: str, value: Any) -> Iterator[bytes]:
    form = SECTIONS[name].form
    if form is SectionForm.LIST:
        yield from (encoded(row) for row in value)
    elif form is SectionForm.BY_APP:
        for app, rows in value.items():
            yield encoded((app, None))
            yield from (encoded((app, row)) for row in rows)
    else:
        yield encoded(value)


def snapshot_of(parts: Mapping[str, list[bytes]]) -> Snapshot:
    """The snapshot whose parts these are."""
    fields = {name: bytes(value) for name, value in map(_ANY_ROW.decode, parts[SNAPSHOT])}
    sections: dict[str, bytes] = {}
    for part, lines in parts.items():
        if part.startswith(f"{SNAPSHOT}/"):
            name = part.removeprefix(f"{SNAPSHOT}/")
            sections[name] = _section_json(name, lines)
    fields["sections"] = _object(sections)
    return msgspec.json.decode(_object(fields), type=Snapshot)


def _section_json(name: str, lines: list[bytes]) -> bytes:
    form = SECTIONS[name].form
    if form is SectionForm.LIST:
        return _array(lines)
    if form is SectionForm.BY_APP:
        by_app: dict[str, list[bytes]] = {}
        for app, row in map(_ANY_ROW.decode, lines):
            rows = by_app.setdefault(app, [])
            if bytes(row) != b"null":
                rows.append(bytes(row))
        return _object({app: _array(rows) for app, rows in by_app.items()})
    return lines[0]


def _array(lines: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(lines) + b"]"


def _object(fields: Mapping[str, bytes]) -> bytes:
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + value for name, value in fields.items()) + b"}"


def _plain(value: Any) -> Any:
    """What msgspec has no form for: a read-only mapping, or a sequence of a large tenant."""
    return dict(value) if isinstance(value, Mapping) else list(value)


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
        case list() | tuple():
            return [_without_surrogates(each) for each in value]
        case _:
            return value
