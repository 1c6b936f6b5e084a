"""The report as JSON, and its JSON Schema: the model's own field names and order, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

import msgspec

from auditor.model.decision import GraphRequest
from auditor.model.report import FORMAT, VERSION, GrantRow, GrantRows, Report
from auditor.model.snapshot import Provenance
from auditor.render.labels import encoded

SCHEMA_ID = f"https://consent-auditor.invalid/schemas/report-{VERSION}.json"
"""A name, not an address: the schema ships with the program, in docs/schemas."""

_OMITS_EMPTY = GraphRequest.__name__
"""The one object whose empty fields aren't written."""
_NO_ROWS = b'\n  "granted": {\n    "rows": []'
"""Only the report's own field is indented like this: a line break in a text is escaped."""
_AT_ONCE = 1000
"""Rows of a large tenant that are written at once."""


def render(report: Report) -> bytes:
    """Indented JSON with a line break at its end; decoding it into `Report` gives an equal report.

    Empty fields are written too, so that a consumer finds every key in every report. Only a Graph request omits the
    fields that it doesn't use: its body, and the ID that it returns.
    """
    out = io.BytesIO()
    write(report, out)
    return out.getvalue()


def write(report: Report, file: BinaryIO) -> None:
    """Write what `render` returns; of a large tenant, some rows at a time."""
    rows: Sequence[GrantRow] = report.granted.rows if report.granted else ()
    if report.granted is None or not isinstance(rows, GrantRows):
        file.write(_indented(report))
        return
    without = msgspec.structs.replace(report.granted, rows=())
    before, after = _indented(msgspec.structs.replace(report, granted=without)).split(_NO_ROWS)
    file.write(before + _NO_ROWS[:-1])
    file.writelines(_row_lines(rows))
    file.write(b"]" + after)


def _row_lines(rows: Sequence[GrantRow]) -> Iterator[bytes]:
    """The items of the array of rows, indented as in the report."""
    ahead, separator = iter(rows), b""
    while some := list(islice(ahead, _AT_ONCE)):
        items = msgspec.json.format(encoded(some), indent=2).removeprefix(b"[").removesuffix(b"\n]")
        yield separator + items.replace(b"\n", b"\n    ")
        separator = b","
    if separator:
        yield b"\n    "


def _indented(report: Report) -> bytes:
    # The model omits empty fields of these because snapshots are written by hand; reports aren't.
    whole = msgspec.structs.asdict(report) | {
        "unread": [msgspec.structs.asdict(part) for part in report.unread],
        "provenance": _provenance(report.provenance),
    }
    return msgspec.json.format(encoded(whole), indent=2) + b"\n"


def _provenance(one: Provenance | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return msgspec.structs.asdict(one) | {"calls": [msgspec.structs.asdict(call) for call in one.calls]}


def schema() -> bytes:
    """The JSON Schema as indented JSON with a line break at its end, the same bytes every time.

    It requires every key that this version always writes. Further keys are allowed, because later versions may add
    some.
    """
    document = msgspec.json.schema(Report)
    for name, kind in document["$defs"].items():
        if "properties" in kind and name != _OMITS_EMPTY:
            kind["required"] = list(kind["properties"])
    report = document["$defs"][Report.__name__]["properties"]
    report["format"], report["version"] = {"const": FORMAT}, {"const": VERSION}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": f"{FORMAT}, version {VERSION}",
        **document,
    }
    return msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2) + b"\n"
