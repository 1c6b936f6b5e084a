"""Render a difference as bytes: text, JSON, Markdown, HTML and CSV. Each format imports only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.difference import Actor, Change, Difference, Since
from auditor.render.document_json import json_bytes, json_schema
from auditor.render.labels import encoded

_OMITS_EMPTY = (Since.__name__, Actor.__name__)
"""The objects whose empty fields aren't written."""

CSV_COLUMNS = (
    *("weight", "kind", "transition", "severity", "what", "before", "after", "means"),
    *("since", "since_source", "since_after", "since_before", "by", "by_inferred", "client_id", "because_of", "key"),
)


def as_text(difference: Difference, *, width: int = 100, colour: bool = False) -> bytes:
    """For a terminal."""
    from auditor.render import documents
    from auditor.render.difference_view import document

    return documents.as_text(document(difference), width=width, colour=colour).encode()


def as_json(difference: Difference) -> bytes:
    """``consent-auditor/diff``, version 1."""
    return json_bytes(difference)


def as_markdown(difference: Difference) -> bytes:
    """For an issue, a wiki or a message."""
    from auditor.render import documents
    from auditor.render.difference_view import document

    return documents.as_markdown(document(difference)).encode()


def as_html(difference: Difference) -> bytes:
    """One page without scripts."""
    from auditor.render.html.difference_page import render

    return render(difference).encode()


def as_csv(difference: Difference) -> bytes:
    """One row for each change, for a spreadsheet; UTF-8 with a byte order mark, as Excel expects."""
    from auditor.render.csv import rows_as_csv

    return rows_as_csv(CSV_COLUMNS, map(_row, difference.changes))


def _row(change: Change) -> Iterator[str]:
    since, by = change.since, change.by
    yield from (change.weight.value, change.kind.value, change.transition.value)
    yield change.severity.value if change.severity else ""
    yield from (change.what, _plain(change.before), _plain(change.after), change.means)
    yield from (since.at, since.source, since.after, since.before) if since else ("", "", "", "")
    yield (by.name or by.id or by.kind.value) if by else ""
    yield ("yes" if by.inferred else "no") if by else ""
    yield from (change.client_id, " ".join(change.because_of), change.key)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else encoded(value).decode()


FORMATS: Mapping[str, Callable[[Difference], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def schema() -> dict[str, Any]:
    """The JSON Schema of a difference. It requires every key that is always written, and allows further ones."""
    return json_schema(Difference, _OMITS_EMPTY)


def render_difference(difference: Difference, form: str) -> bytes:
    """The difference in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](difference)
