"""Render which customers have consented as bytes: text, JSON, Markdown, HTML and CSV, each with only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.onboarding import CustomerConsent, Onboarding
from auditor.render.document_json import json_bytes, json_schema

CSV_COLUMNS = (
    *("customer", "tenant", "tags", "listed_by", "status", "says", "missing", "lost", "consented", "code", "reason"),
    *("advice", "role", "client_id", "link", "subject", "message"),
)


def as_text(found: Onboarding, *, width: int = 100, colour: bool = False, whole: bool = True) -> bytes:
    """For a terminal; without `whole`, only the customers that need something."""
    from auditor.render import documents
    from auditor.render.onboarding_view import screen

    return documents.as_text(screen(found, whole=whole), width=width, colour=colour).encode()


def as_json(found: Onboarding) -> bytes:
    """``consent-auditor/onboarding``, version 1."""
    return json_bytes(found)


def as_markdown(found: Onboarding) -> bytes:
    """For a wiki or a ticket."""
    from auditor.render import documents
    from auditor.render.onboarding_view import document

    return documents.as_markdown(document(found)).encode()


def as_html(found: Onboarding) -> bytes:
    """One page without scripts, on which each message opens in a mail program."""
    from auditor.render.html.document_page import render
    from auditor.render.onboarding_view import document, tone

    return render(document(found), tone=tone(found)).encode()


def as_csv(found: Onboarding) -> bytes:
    """One row for each customer, with its link and message, for a mail merge."""
    from auditor.render.csv import rows_as_csv

    return rows_as_csv(CSV_COLUMNS, map(_row, found.customers))


def _row(one: CustomerConsent) -> Iterator[str]:
    yield from (one.name, one.tenant, " ".join(one.tags), one.listed_by, one.status.value, one.says)
    yield from (" ".join(one.missing), " ".join(one.lost), one.consented, one.code, one.reason, one.advice)
    yield from (one.role, one.client_id, one.link)
    yield from (one.message.subject, one.message.text) if one.message else ("", "")


FORMATS: Mapping[str, Callable[[Onboarding], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def render_onboarding(found: Onboarding, form: str) -> bytes:
    """The document in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](found)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document. It requires every key that is always written, and allows further ones."""
    return json_schema(Onboarding)
