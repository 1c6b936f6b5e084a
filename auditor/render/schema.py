"""The JSON Schema of the JSON report."""

from __future__ import annotations

import msgspec

from auditor.model.report import FORMAT, VERSION, Report

ID = f"https://consent-auditor.invalid/schemas/report-{VERSION}.json"
"""A name, not an address: the schema travels with the program, in docs/schemas."""


def render() -> bytes:
    """The schema as indented JSON with a line break at its end, the same bytes every time."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": f"{FORMAT}, version {VERSION}",
        **msgspec.json.schema(Report),
    }
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=2) + b"\n"
