"""A page of text being written: paragraphs, fields, steps, tables and verbatim lines within one width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from auditor.render.layout import Palette, columns, longest_piece, pad, safe, wrap

LABEL = 12
"""Columns of the label in front of a field."""

_GAP = 2
"""Columns between two columns of a table, as tabulate's format ``simple`` has them."""
_UNLIMITED = 10**9
"""Wider than any text: a column with this minimum keeps its width."""
_PIECE = 20
"""Columns of the longest part of a name that other columns of a table give up width for."""


class TextPage:
    """Collects lines. Everything written through it is made safe to print and kept within the width."""

    def __init__(self, width: int, palette: Palette) -> None:
        self.width = width
        self.palette = palette
        self._lines: list[str] = []
        self._heading = 0

    def __str__(self) -> str:
        return "\n".join(self._lines).rstrip("\n") + "\n"

    def blank(self) -> None:
        """One empty line; never two in a row, none at the top, and none below a heading."""
        if self._lines and self._lines[-1] and len(self._lines) != self._heading:
            self._lines.append("")

    def heading(self, text: str) -> None:
        """The start of a section, underlined."""
        self.blank()
        lines = wrap(text, self.width)
        self._put(lines, "", style="strong")
        self._lines.append(self.palette.paint("-" * max(map(columns, lines)), "quiet"))
        self._heading = len(self._lines)

    def say(self, text: str, *, indent: int = 2, style: str = "") -> None:
        """A paragraph."""
        self._put(wrap(text, self.width - indent), " " * indent, style=style)

    def lead(self, lead: str, text: str, *, indent: int = 2, style: str = "") -> None:
        """A paragraph after a mark or number; its further lines start below its first word."""
        start = indent + columns(lead)
        lines = wrap(text, self.width - start)
        self._lines.append(" " * indent + lead + self.palette.paint(lines[0], style))
        self._put(lines[1:], " " * start, style=style)

    def field(self, label: str, text: str, *, indent: int = 2, style: str = "") -> None:
        """A value next to its label; nothing if the value is empty."""
        if text:
            self.lead(pad(label, LABEL), text, indent=indent, style=style)

    def items(self, label: str, texts: Sequence[str], *, indent: int = 2) -> None:
        """Several values of one field, one paragraph each."""
        for number, text in enumerate(texts):
            self.field(label if number == 0 else "", text, indent=indent)

    def steps(self, texts: Iterable[str], *, indent: int = 4) -> None:
        """Numbered steps."""
        for number, text in enumerate(texts, start=1):
            self.lead(f"{number}. ", text, indent=indent)

    def link(self, address: str, *, indent: int = 2) -> None:
        """An address alone on its line and never broken, so that it can be clicked and copied."""
        if address:
            self._put([safe(address)], " " * indent, style="link")

    def verbatim(self, text: str, *, indent: int = 4) -> None:
        """Lines to copy, unchanged: a command, a request, a body."""
        for line in text.strip("\r\n").split("\n"):
            self._lines.append((" " * indent + safe(line.rstrip())).rstrip())

    def table(self, heads: Sequence[TableColumn], rows: Sequence[Sequence[TableCell]]) -> None:
        """A table within the width."""
        self._lines.extend(f"  {line}".rstrip() for line in table(heads, rows, self.width - 2, self.palette))

    def _put(self, lines: Iterable[str], margin: str, *, style: str) -> None:
        self._lines.extend(margin + self.palette.paint(line, style) for line in lines)


class TableCell(NamedTuple):
    """One cell: its text, a style for it, and a second paragraph below the first."""

    text: str
    style: str = ""
    below: str = ""


class TableColumn(NamedTuple):
    """A column's header, the width that it always keeps, and its alignment (``left`` or ``right``).

    A column of prose has a `wish`: it is the first to give up width, but only down to its wish while others can.
    """

    header: str
    minimum: int
    wish: int = 0
    align: str = "left"


def table(heads: Sequence[TableColumn], rows: Sequence[Sequence[TableCell]], width: int, palette: Palette) -> list[str]:
    """The lines of a table no wider than `width`, its rows in the given order.

    tabulate wraps, aligns and draws. Two things it can't do are done here. It limits columns, not the table, so the
    widths are computed first. And it breaks long words after any character or not at all, so a name that is wider
    than its column gets blanks at its joints, where tabulate then breaks it; a link gets none and stays whole.
    """
    # Imported here because it loads importlib.metadata and wcwidth, which a command without a table doesn't need.
    from tabulate import SEPARATING_LINE, tabulate

    widths = _widths(heads, rows, width)
    header = [_Text(_with_breaks(head.header, room)) for head, room in zip(heads, widths, strict=True)]
    body = [[_filled(cell, room, palette) for cell, room in zip(row, widths, strict=True)] for row in rows]
    # The header is a row, because tabulate makes a column two wider than its header. Without headers, the format
    # draws a line at the top and at the bottom, which are dropped.
    text = tabulate(
        [header, [SEPARATING_LINE] * len(heads), *body],
        tablefmt="simple",
        maxcolwidths=widths,
        colalign=[head.align for head in heads],
        break_long_words=False,
        break_on_hyphens=False,
        disable_numparse=True,
    )
    return [line.rstrip() for line in text.splitlines()[1:-1]]


class _Text:
    """Text that tabulate leaves as it is. It wraps the string "False" as "True", and fails on the string "1,000"."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def _filled(cell: TableCell, width: int, palette: Palette) -> _Text:
    """The cell's paragraphs, ready to be wrapped; tabulate repeats the colour on every line."""
    first = palette.paint(_with_breaks(cell.text, width), cell.style)
    return _Text(f"{first}\n{_with_breaks(cell.below, width)}" if cell.below else first)


def _with_breaks(text: str, width: int) -> str:
    """Safe text on one line, with a blank wherever a word that is wider than `width` can be broken."""
    return " ".join(part for word in safe(text.strip()).split() for part in wrap(word, width))


def _widths(heads: Sequence[TableColumn], rows: Sequence[Sequence[TableCell]], width: int) -> list[int]:
    """Natural widths, reduced until they fit: prose down to its wish, then the other columns, then all."""
    cells = [[TableCell(head.header), *(row[place] for row in rows)] for place, head in enumerate(heads)]
    widths = [max(map(_natural_width, column)) for column in cells]
    room = width - _GAP * (len(heads) - 1)
    pieces = [min(_PIECE, max(map(_longest_piece, column))) for column in cells]
    whole = [max(head.minimum, piece) for head, piece in zip(heads, pieces, strict=True)]
    _reduce(widths, [head.wish or _UNLIMITED for head in heads], room)
    _reduce(widths, [_UNLIMITED if head.wish else least for head, least in zip(heads, whole, strict=True)], room)
    _reduce(widths, [head.minimum for head in heads], room)
    return widths


def _reduce(widths: list[int], minimums: Sequence[int], room: int) -> None:
    """Take from the widest column that is above its minimum, until all fit or none is left."""
    while (excess := sum(widths) - room) > 0:
        spare = [place for place, least in enumerate(minimums) if widths[place] > least]
        if not spare:
            return
        *_, widest = sorted(spare, key=widths.__getitem__)
        next_widest = max((widths[place] for place in spare if widths[place] < widths[widest]), default=0)
        widths[widest] -= min(excess, widths[widest] - max(minimums[widest], next_widest))


def _natural_width(cell: TableCell) -> int:
    """The width at which nothing in the cell needs wrapping; tabulate needs at least one column."""
    return max(1, *(columns(wrap(text, _UNLIMITED)[0]) for text in (cell.text, cell.below)))


def _longest_piece(cell: TableCell) -> int:
    return max(longest_piece(cell.text), longest_piece(cell.below))
