"""The report as CSV, for a spreadsheet or a script: all tables in one file, or each table in its own file.

In one file, the first column names the table, and the columns are those of all tables together, so that a script finds
each by its heading; a row fills those of its table.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO

from auditor.model.report import Report
from auditor.render.labels import iso_time
from auditor.render.sheets import Sheet, SheetRow, SheetValue, sheets

BOM = "\ufeff"
"""The byte order mark, without which Excel reads UTF-8 in the code page of the machine."""

STARTS_A_FORMULA = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
"""The characters that make a spreadsheet evaluate a cell instead of showing it (OWASP, "CSV injection")."""

_NEXT_CELL = re.compile(rf"""([;\t\r\n][\s"]*)(?=[{re.escape("".join(STARTS_A_FORMULA))}])""")
"""Where a cell begins for a spreadsheet whose system separates lists with ``;`` (much of Europe) or with tabs: it reads
commas and quotes as text, and the text after such a separator as another cell."""


def render(report: Report) -> bytes:
    """UTF-8 with a byte order mark, lines that end in CR LF, every cell in quotes.

    A cell that a spreadsheet could interpret as a formula starts with an apostrophe, and so does a cell that already
    started with an apostrophe: remove the first apostrophe to restore the cell.
    """
    out = io.BytesIO()
    write(report, out)
    return out.getvalue()


def write(report: Report, file: BinaryIO, *, table: str = "") -> None:
    """Write what `render` returns, row by row; or only the `table` whose file has this name."""
    write_tables(sheets(report), file, table=table)


def write_tables(tables: Sequence[Sheet], file: BinaryIO, *, table: str = "") -> None:
    """Write the tables of any document in the same form."""
    out = io.TextIOWrapper(file, encoding="utf-8", newline="")
    out.write(BOM)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if table:
        (only,) = (one for one in tables if one.file == table)
        writer.writerow([column.head for column in only.columns])
        writer.writerows(tuple(map(without_formula, row)) for row in only.rows)
    else:
        heads = tuple(dict.fromkeys(column.head for one in tables for column in one.columns))
        writer.writerow(("Table", *heads))
        for one in tables:
            writer.writerows(_lines(one, heads))
    out.detach()


def _lines(table: Sheet, heads: tuple[str, ...]) -> Iterator[SheetRow]:
    place = {column.head: number for number, column in enumerate(table.columns)}
    cells = tuple(place.get(head) for head in heads)
    for row in table.rows:
        made = tuple(map(without_formula, row))
        yield (table.name, *("" if at is None else made[at] for at in cells))


def rows_as_csv(heads: Sequence[str], rows: Iterable[Iterable[SheetValue | None]]) -> bytes:
    """One table of another document than a report, with the same promises as `render`.

    A cell whose value isn't known (``None``) is empty, and a truth value is ``yes`` or ``no``.
    """
    out = io.StringIO(newline="")
    out.write(BOM)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows(tuple(without_formula(_cell(value)) for value in row) for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def _cell(value: SheetValue | None) -> SheetValue:
    if value is None:
        return ""
    return ("no", "yes")[value] if isinstance(value, bool) else value


def without_formula(value: SheetValue) -> SheetValue:
    """The value, changed so that a spreadsheet shows it and evaluates no part of it."""
    if isinstance(value, datetime):
        return iso_time(value)
    return _tame(value) if isinstance(value, str) else value


@lru_cache(maxsize=2000)
def _tame(value: str) -> str:
    """The same text in most rows of an app, which is why some are kept."""
    tame = _NEXT_CELL.sub(r"\1'", value)
    return f"'{tame}" if tame.lstrip().startswith((*STARTS_A_FORMULA, "'")) else tame
