"""The report as plain text: first screen, scopes, findings, what to do, what could not be read, provenance."""

from __future__ import annotations

from auditor.model.report import Report
from auditor.render.disagreements import disagreements
from auditor.render.ending import provenance, unread
from auditor.render.findings import findings_table
from auditor.render.headline import headline
from auditor.render.page import Page
from auditor.render.remedies import what_to_do
from auditor.render.scopes import calibrations, more_about, scope_tables
from auditor.render.style import Palette
from auditor.render.what_if import what_if

NARROWEST = 60
_PARTS = (
    headline,
    what_if,
    more_about,
    scope_tables,
    findings_table,
    disagreements,
    what_to_do,
    calibrations,
    unread,
    provenance,
)


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The report in lines of at most `width` columns (never under 60), ending with a line break.

    Links, commands and request bodies are never broken, so only they may be wider.
    Colour adds nothing that the words do not say. The same report gives the same text.
    """
    page = Page(max(width, NARROWEST), Palette(colour))
    for part in _PARTS:
        part(page, report)
    return str(page)


def for_encoding(text: str, encoding: str | None) -> str:
    """The text as a console of this encoding can show it; other characters become visible escapes."""
    name = encoding or "utf-8"
    return text.encode(name, errors="backslashreplace").decode(name)
