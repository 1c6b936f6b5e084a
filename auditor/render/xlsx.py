"""Tables as an Excel workbook: a sheet for each table, with filters, frozen headings and a print layout."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, islice
from math import ceil
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from auditor.model.document import parse_time
from auditor.model.report import GrantRows, Report
from auditor.render.labels import iso_time
from auditor.render.sheets import Sheet, SheetColumn, SheetValue, sheets
from auditor.render.text_layout import columns, safe, wrap

LONGEST = 32_767
"""Characters that a cell can hold (Microsoft, "Excel specifications and limits")."""
MOST_ROWS = 1_048_576
"""Rows of a sheet."""
_WIDEST = 60
_PRINTED = 240
"""Characters of a row that still can be read on A4 paper in landscape; the columns after them are only in the file."""
_LINE_HEIGHT = 15
"""The height of a line in points, as the default font has it."""
_HIGHEST = 409
"""The height of a row in points (Microsoft, "Excel specifications and limits")."""
_TIME = 'yyyy-mm-dd hh:mm:ss "UTC"'
_FIRST_YEAR = 1901
_UNKNOWN_TIME = datetime(1980, 1, 1, tzinfo=UTC)
_COLOURS = {
    "fail": "#F9D5D0",
    "blocked": "#F9D5D0",
    "needs admin": "#F9D5D0",
    "lacks scopes": "#F9D5D0",
    "unknown": "#FBE8B9",
    "waived": "#E3DCF3",
    "pass": "#D3EAD9",
    "granted": "#D3EAD9",
    "allowed": "#D3EAD9",
    "connects": "#D3EAD9",
}
"""The background of a word, never used instead of the word."""


def render(report: Report) -> bytes:
    """The workbook. Every text is written as text, so that no cell is ever a formula or a link.

    The same report gives the same bytes: the workbook has the date of the report.
    """
    out = io.BytesIO()
    write(report, out)
    return out.getvalue()


def write(report: Report, file: BinaryIO) -> None:
    """Write what `render` returns. The rows of a large tenant are in temporary files until the workbook is complete.

    Raises OSError.
    """
    about = Properties(f"Consent audit of {report.tenant.name or report.tenant.id}", report.tool, report.taken)
    is_large = report.granted is not None and isinstance(report.granted.rows, GrantRows)
    write_sheets(sheets(report), about, file, is_large=is_large)


class Properties(NamedTuple):
    """What the properties of a workbook say: its title, the program that made it, and the UTC time of its data."""

    title: str
    tool: str
    taken: str


def write_sheets(tables: Iterable[Sheet], about: Properties, file: BinaryIO, *, is_large: bool) -> None:
    """Write the tables that have rows, at least one, each on a sheet; the same tables give the same bytes.

    Every text is written as text. If the tables are large, their rows are in temporary files until the workbook is
    complete. Raises OSError.
    """
    if not is_large:
        _write_book(tables, about, file, {"in_memory": True})
        return
    # A ZIP file needs to go back to its headers, which a pipe can't.
    out = file if file.seekable() else io.BytesIO()
    with TemporaryDirectory(prefix="consent-auditor-") as folder:
        _write_book(tables, about, out, {"constant_memory": True, "tmpdir": folder, "use_zip64": True})
    if isinstance(out, io.BytesIO) and out is not file:
        file.write(out.getbuffer())


def _write_book(tables: Iterable[Sheet], about: Properties, out: BinaryIO, memory: dict[str, Any]) -> None:
    texts = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {**memory, **texts, "remove_timezone": True})
    book.set_properties(
        {
            "title": safe(about.title)[:255],
            "author": safe(about.tool)[:255],
            "created": parse_time(about.taken) or _UNKNOWN_TIME,
        }
    )
    forms = _cell_formats(book)
    try:
        # An empty sheet would be an empty page in print.
        for table in filter(lambda one: len(one.rows), tables):
            _write(book.add_worksheet(table.name), table, forms)
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None  # the OSError
    finally:
        # After an error, the library leaves its temporary files open, and Windows can't delete open files.
        for file in filter(None, (getattr(sheet, "row_data_fh", None) for sheet in book.worksheets())):
            file.close()


class _CellFormats(NamedTuple):
    """The formats of headings, values, long texts, numbers and times, and of the words that have a colour."""

    head: Format
    cell: Format
    first_line: Format
    number: Format
    time: Format
    marks: dict[str, Format]


def _cell_formats(book: xlsxwriter.Workbook) -> _CellFormats:
    plain = {"text_wrap": True, "valign": "top"}
    return _CellFormats(
        head=book.add_format({"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "valign": "vcenter"}),
        cell=book.add_format(plain),
        first_line=book.add_format({"valign": "top"}),
        # Below its heading, which is on the left.
        number=book.add_format(plain | {"align": "left"}),
        time=book.add_format(plain | {"num_format": _TIME, "align": "left"}),
        marks={word: book.add_format(plain | {"bg_color": colour}) for word, colour in _COLOURS.items()},
    )


def _write(sheet: Worksheet, table: Sheet, forms: _CellFormats) -> None:
    last = len(table.columns) - 1
    for number, column in enumerate(table.columns):
        sheet.set_column(number, number, min(column.width, _WIDEST))
        sheet.write_string(0, number, column.head, forms.head)
    widths = [min(column.width, _WIDEST) if column.sets_height else None for column in table.columns]
    last_line = 0
    for line, row in enumerate(islice(table.rows, MOST_ROWS - 2), start=1):
        # Without a height in the file, Excel makes the row as high as its longest text.
        if (lines := _lines(row, widths)) > 1 or None in widths:
            sheet.set_row(line, min(lines * _LINE_HEIGHT, _HIGHEST))
        for number, value in enumerate(row):
            _put(sheet, line, number, value, forms, table.columns[number])
        last_line = line
    if last_line == MOST_ROWS - 2 and last_line < len(table.rows):
        note = f"{len(table.rows) - last_line} more rows don't fit into a sheet: the JSON report has all of them."
        sheet.write_string(last_line + 1, 0, note, forms.cell)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(last_line, 1), last)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, max(last_line, 1), _last_printed(table))
    sheet.set_footer("&L&A&RPage &P of &N")


def _lines(row: Sequence[SheetValue], widths: Sequence[int | None]) -> int:
    """The lines of the row's longest cell. LibreOffice and Excel for the web show rows as high as the file says."""
    most = 1
    for value, width in zip(row, widths, strict=True):
        if width and isinstance(value, str) and (len(value) > width or "\n" in value or not value.isascii()):
            parts = (part for text in value[:LONGEST].split("\n") for part in wrap(text, width))
            most = max(most, sum(max(1, ceil(columns(part) / width)) for part in parts))
    return most


def _last_printed(table: Sheet) -> int:
    """The number of the last column that fits on the paper."""
    ends = list(accumulate(min(column.width, _WIDEST) for column in table.columns))
    return sum(end <= _PRINTED for end in ends) - 1


def _put(sheet: Worksheet, line: int, number: int, value: SheetValue, forms: _CellFormats, column: SheetColumn) -> None:
    if isinstance(value, datetime):
        _put_time(sheet, line, number, value, forms)
    elif isinstance(value, int):
        sheet.write_number(line, number, value, forms.number)
    elif value:
        plain = forms.cell if column.sets_height else forms.first_line
        sheet.write_string(line, number, cut(value), forms.marks.get(value, plain))


def _put_time(sheet: Worksheet, line: int, number: int, value: datetime, forms: _CellFormats) -> None:
    """A time to calculate with. Excel has no times before 1900, so an earlier one is text."""
    if value.year < _FIRST_YEAR:
        sheet.write_string(line, number, iso_time(value), forms.cell)
    else:
        sheet.write_datetime(line, number, value, forms.time)


def cut(value: str) -> str:
    """The text as a cell can hold it. A text that is too long is cut, and ends with its full length."""
    if len(value) <= LONGEST:
        return value
    mark = f" … [cut: {len(value)} characters in all]"
    return value[: LONGEST - len(mark)] + mark
