"""The report as one CSV file, for a spreadsheet or a script: every table below the other, the first column tells which.

The columns are those of all tables together, so that a script finds each by its head; a row fills those of its table.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime

from auditor.model.report import Report
from auditor.render.moment import stamp
from auditor.render.sheets import Row, Sheet, Value, sheets

BOM = "\ufeff"
"""Without it Excel reads UTF-8 as the code page of the machine."""

STARTS_A_FORMULA = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
"""What makes a spreadsheet calculate with a cell instead of showing it (OWASP, "CSV injection")."""

_NEXT_CELL = re.compile(rf"""([;\t\r\n][\s"]*)(?=[{re.escape("".join(STARTS_A_FORMULA))}])""")
"""Where a cell would begin for a spreadsheet whose lists are separated by ``;`` (half of Europe) or by tabs: it takes
the commas for text and the quotes for no quotes, and what stands behind such a mark for a cell of its own."""


def render(report: Report) -> bytes:
    """UTF-8 with a byte order mark, lines that end in CR LF, every cell in quotes.

    A cell that a spreadsheet could take for a formula begins with an apostrophe, and so does one that began with an
    apostrophe already: without its first apostrophe, every cell is what it was.
    """
    tables = sheets(report)
    heads = tuple(dict.fromkeys(column.head for table in tables for column in table.columns))
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("Table", *heads))
    for table in tables:
        writer.writerows(_lines(table, heads))
    return (BOM + out.getvalue()).encode()


def _lines(table: Sheet, heads: tuple[str, ...]) -> list[Row]:
    own = [column.head for column in table.columns]
    place = {head: own.index(head) for head in heads if head in own}
    return [
        (table.name, *(harmless(row[place[head]]) if head in place else "" for head in heads)) for row in table.rows
    ]


def harmless(value: Value) -> Value:
    """The value such that a spreadsheet shows it and does not calculate with it, nor with any part of it."""
    if isinstance(value, datetime):
        return stamp(value)
    if not isinstance(value, str):
        return value
    tame = _NEXT_CELL.sub(r"\1'", value)
    return f"'{tame}" if tame.lstrip().startswith((*STARTS_A_FORMULA, "'")) else tame
