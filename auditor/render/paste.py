"""A short text to paste into a ticket: the first screen, what could not be read, and what it rests on."""

from __future__ import annotations

from auditor.model.report import Report
from auditor.render.ending import provenance
from auditor.render.headline import headline
from auditor.render.page import Page
from auditor.render.style import Palette
from auditor.render.words import count, series

WIDTH = 76
"""Columns that a mail client does not break."""
_NAMED = 4


def render(report: Report) -> str:
    """The text, without colour, ending with a line break. The same report gives the same text."""
    page = Page(WIDTH, Palette(colour=False))
    headline(page, report)
    if report.unread:
        page.blank()
        named = [part.section for part in report.unread[:_NAMED]]
        more = len(report.unread) - len(named)
        page.field("Not read", f"{series([*named, count(more, 'more part')] if more else named)}.")
    provenance(page, report)
    return str(page)
