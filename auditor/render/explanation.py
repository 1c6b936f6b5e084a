"""Render an explanation as bytes: text, JSON, Markdown, HTML and CSV. Each format imports only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.explanation import ExplainedCode, Explanation, Fixer
from auditor.render.document_json import json_bytes, json_schema

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
    return json_bytes(explanation)


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

    return rows_as_csv(CSV_COLUMNS, (_row(explanation, code) for code in explanation.codes))


def _row(explanation: Explanation, code: ExplainedCode) -> Iterator[str | bool | None]:
    says, app = explanation.tenant_says, explanation.app
    yield from (code.code, code.known, code.name, code.title, code.meaning, code.screen, code.fixer or "")
    yield " | ".join(cause.why for cause in code.causes)
    yield " | ".join(cause.why for cause in code.causes if cause.here)
    yield " | ".join(source.url or source.title for source in code.source)
    yield code.look_up
    yield from (app.name, app.client_id) if app else ("", "")
    if says is None:
        yield from ("", "", "", "")
    else:
        yield from (says.outcome or "", says.agrees, says.says, says.because)


FORMATS: Mapping[str, Callable[[Explanation], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def render_explanation(explanation: Explanation, form: str) -> bytes:
    """The explanation in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](explanation)


def schema() -> dict[str, Any]:
    """The JSON Schema of an explanation. It requires every key that is always written, and allows further ones."""
    return json_schema(Explanation, _OMITS_EMPTY)
