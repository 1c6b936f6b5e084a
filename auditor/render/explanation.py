"""Render an explanation as bytes: text, JSON, Markdown, HTML and CSV. Each format imports only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.model.explanation import FORMAT, VERSION, ExplainedCode, Explanation, Fixer
from auditor.render.labels import encoded

SCHEMA_ID = f"https://consent-auditor.invalid/schemas/explanation-{VERSION}.json"
"""A name, not an address: the schema ships with the program, in docs/schemas."""

FIXERS: Mapping[Fixer, str] = MappingProxyType(
    {
        Fixer.USER: "the user",
        Fixer.ADMIN: "an administrator",
        Fixer.VENDOR: "the app's vendor",
        Fixer.MICROSOFT: "Microsoft",
    }
)
"""Who can fix a code, in words."""

CSV_COLUMNS = (
    *("code", "known", "name", "title", "meaning", "screen", "fixer", "causes", "cause_here", "source", "look_up"),
    *("app", "client_id", "outcome", "agrees", "says", "because"),
)
_OMITS_EMPTY = ("GraphRequest",)
"""The objects whose empty fields aren't written."""


def as_text(explanation: Explanation, *, width: int = 100, colour: bool = False, whole: bool = True) -> bytes:
    """For a terminal; without `whole`, one screen of it."""
    from auditor.render import documents
    from auditor.render.explanation_view import document, screen

    shown = document(explanation) if whole else screen(explanation)
    return documents.as_text(shown, width=width, colour=colour).encode()


def as_json(explanation: Explanation) -> bytes:
    """``consent-auditor/explanation``, version 1."""
    return msgspec.json.format(encoded(explanation), indent=2) + b"\n"


def as_markdown(explanation: Explanation) -> bytes:
    """For an issue, a wiki or a message."""
    from auditor.render import documents
    from auditor.render.explanation_view import document

    return documents.as_markdown(document(explanation)).encode()


def as_html(explanation: Explanation) -> bytes:
    """One page without scripts."""
    from auditor.render.explanation_view import document, tone
    from auditor.render.html.document_page import render

    return render(document(explanation), tone=tone(explanation)).encode()


def as_csv(explanation: Explanation) -> bytes:
    """One row for each code, for a spreadsheet."""
    from auditor.render.csv import rows_as_csv

    return rows_as_csv(CSV_COLUMNS, (tuple(_row(explanation, code)) for code in explanation.codes))


def _row(explanation: Explanation, code: ExplainedCode) -> Iterator[str]:
    says, app = explanation.tenant_says, explanation.app
    yield from (code.code, _truth(code.known), code.name, code.title, code.meaning, code.screen, code.fixer or "")
    yield " | ".join(cause.why for cause in code.causes)
    yield " | ".join(cause.why for cause in code.causes if cause.here)
    yield " | ".join(source.url or source.title for source in code.source)
    yield code.look_up
    yield from (app.name, app.client_id) if app else ("", "")
    if says is None:
        yield from ("", "", "", "")
    else:
        yield from (says.outcome or "", _truth(says.agrees), says.says, says.because)


def _truth(value: bool | None) -> str:
    return "" if value is None else ("no", "yes")[value]


FORMATS: Mapping[str, Callable[[Explanation], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def render_explanation(explanation: Explanation, form: str) -> bytes:
    """The explanation in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](explanation)


def schema() -> dict[str, Any]:
    """The JSON Schema of an explanation. It requires every key that is always written, and allows further ones."""
    document = msgspec.json.schema(Explanation)
    for name, kind in document["$defs"].items():
        if "properties" in kind and name not in _OMITS_EMPTY:
            kind["required"] = list(kind["properties"])
    properties = document["$defs"][Explanation.__name__]["properties"]
    properties["format"], properties["version"] = {"const": FORMAT}, {"const": VERSION}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    return {**head, "title": f"{FORMAT}, version {VERSION}", **document}
