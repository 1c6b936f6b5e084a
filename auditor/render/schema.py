"""The JSON Schema of the JSON report."""

from __future__ import annotations

import msgspec

from auditor.model.fix import GraphRequest
from auditor.model.report import FORMAT, VERSION, Report

ID = f"https://consent-auditor.invalid/schemas/report-{VERSION}.json"
"""A name, not an address: the schema travels with the program, in docs/schemas."""


_BRIEF = GraphRequest.__name__
"""The one object whose empty fields are not written."""


def render() -> bytes:
    """The schema as indented JSON with a line break at its end, the same bytes every time.

    It wants every key that this version always writes. More keys are welcome: later versions may write some.
    """
    document = msgspec.json.schema(Report)
    for name, kind in document["$defs"].items():
        if "properties" in kind and name != _BRIEF:
            kind["required"] = list(kind["properties"])
    report = document["$defs"][Report.__name__]["properties"]
    report["format"], report["version"] = {"const": FORMAT}, {"const": VERSION}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": f"{FORMAT}, version {VERSION}",
        **document,
    }
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=2) + b"\n"
