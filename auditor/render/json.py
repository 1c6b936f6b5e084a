"""The report as JSON, and its JSON Schema: the model's own field names and order, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from auditor.model.decision import GraphRequest
from auditor.model.report import FORMAT, VERSION, Report
from auditor.model.snapshot import Provenance

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


def encoded(value: Any, hook: Callable[[Any], Any] = dict) -> bytes:
    """The value as JSON on one line; `hook` converts what JSON has no form for (a read-only mapping: ``dict``).

    A lone surrogate, which results from a badly encoded command-line argument and which UTF-8 can't hold, is written
    as a visible escape.
    """
    try:
        return msgspec.json.encode(value, enc_hook=hook)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value, enc_hook=hook)))


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
