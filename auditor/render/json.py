"""The report as JSON, and its JSON Schema: the model's own field names and order, the same bytes every time."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.model.decision import GraphRequest
from auditor.model.report import FORMAT, VERSION, Report
from auditor.model.snapshot import Provenance
from auditor.render.labels import encoded

SCHEMA_ID = f"https://consent-auditor.invalid/schemas/report-{VERSION}.json"
"""A name, not an address: the schema ships with the program, in docs/schemas."""

_OMITS_EMPTY = GraphRequest.__name__
"""The one object whose empty fields aren't written."""


def render(report: Report) -> bytes:
    """Indented JSON with a line break at its end; decoding it into `Report` gives an equal report.

    Empty fields are written too, so that a consumer finds every key in every report. Only a Graph request omits the
    fields that it doesn't use: its body, and the ID that it returns.
    """
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
