"""The report as a workbook: a sheet for each table, with filters, frozen heads and a page set up for printing."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from auditor.model.report import Report
from auditor.render.layout import safe
from auditor.render.moment import moment
from auditor.render.sheets import Sheet, Value, sheets

LONGEST = 32_767
"""Characters that a cell can hold (Excel, "specifications and limits")."""
MOST_ROWS = 1_048_576
"""Rows of a sheet."""
_WIDEST = 60
_UNKNOWN_TIME = datetime(1980, 1, 1, tzinfo=UTC)
_COLOURS = {
    "fail": "#F9D5D0",
    "blocked": "#F9D5D0",
    "unknown": "#FBE8B9",
    "waived": "#E3DCF3",
    "pass": "#D3EAD9",
    "granted": "#D3EAD9",
    "allowed": "#D3EAD9",
}
"""Behind the word, never instead of it."""


def render(report: Report) -> bytes:
    """The workbook. Every text is written as text, so that no cell is ever a formula or a link.

    The same report gives the same bytes: the workbook's date is the one of the report.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties(
        {
            "title": safe(f"Consent audit of {report.tenant.name or report.tenant.id}")[:255],
            "author": safe(report.tool)[:255],
            "created": moment(report.taken) or _UNKNOWN_TIME,
        }
    )
    head = book.add_format({"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "valign": "vcenter"})
    cell = book.add_format({"text_wrap": True, "valign": "top"})
    marks = {word: book.add_format({"text_wrap": True, "valign": "top", "bg_color": c}) for word, c in _COLOURS.items()}
    for table in sheets(report):
        _write(book.add_worksheet(table.name), table, head, cell, marks)
    book.close()
    return out.getvalue()


def _write(sheet: Worksheet, table: Sheet, head: Format, cell: Format, marks: dict[str, Format]) -> None:
    last = len(table.columns) - 1
    kept = table.rows[: MOST_ROWS - 2]
    for number, column in enumerate(table.columns):
        sheet.set_column(number, number, min(column.width, _WIDEST))
        sheet.write_string(0, number, column.head, head)
    for line, row in enumerate(kept, start=1):
        for number, value in enumerate(row):
            _put(sheet, line, number, value, marks.get(value, cell) if isinstance(value, str) else cell)
    if len(kept) < len(table.rows):
        told = f"{len(table.rows) - len(kept)} more rows do not fit into a sheet: the JSON report holds them all."
        sheet.write_string(len(kept) + 1, 0, told, cell)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(kept), 1), last)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _put(sheet: Worksheet, line: int, number: int, value: Value, form: Format) -> None:
    if isinstance(value, int):
        sheet.write_number(line, number, value, form)
    elif value:
        sheet.write_string(line, number, cut(value), form)


def cut(value: str) -> str:
    """The text as a cell can hold it; one that is too long ends with how long it was."""
    if len(value) <= LONGEST:
        return value
    mark = f" … [cut: {len(value)} characters in all]"
    return value[: LONGEST - len(mark)] + mark
