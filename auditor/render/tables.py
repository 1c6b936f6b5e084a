"""Tables that fit: cells are wrapped to computed widths before tabulate aligns them.

tabulate's own ``maxcolwidths`` breaks ids and scope names at any character, so the wrapping is ours; so is
the line under the header, because tabulate makes columns wider than the headers that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tabulate import tabulate

from auditor.render.layout import columns, longest_piece, wrap
from auditor.render.style import Palette

_GAP = 2
_NEVER = 10**9
"""Wider than anything: a column with this floor gives nothing."""

_PIECE = 20
"""Columns of the longest part of a name that other columns make room for."""


class Cell(NamedTuple):
    """One cell: its text, a style for it, and a second paragraph that may stand below."""

    text: str
    style: str = ""
    below: str = ""


class Column(NamedTuple):
    """A column's header and the width under which it is not squeezed.

    A column of prose gives way first, but only down to its `wish` while others have room to give.
    """

    header: str
    floor: int
    wish: int = 0


def table(heads: Sequence[Column], rows: Sequence[Sequence[Cell]], *, width: int, palette: Palette) -> list[str]:
    """The lines of a table no wider than `width`, its rows in the given order."""
    widths = _widths(heads, rows, width)
    header = ["\n".join(wrap(head.header, room)) for head, room in zip(heads, widths, strict=True)]
    body = [[_fill(cell, room, palette) for cell, room in zip(row, widths, strict=True)] for row in rows]
    text = tabulate([header, ["-" * room for room in widths], *body], tablefmt="plain", disable_numparse=True)
    return [line.rstrip() for line in text.splitlines()]


def _fill(cell: Cell, width: int, palette: Palette) -> str:
    lines = [palette.paint(line, cell.style) for line in wrap(cell.text, width)]
    if cell.below:
        lines += wrap(cell.below, width)
    return "\n".join(lines)


def _widths(heads: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[int]:
    """Natural widths, squeezed to fit: prose down to its wish, then the other columns, then all."""
    cells = [[Cell(head.header), *(row[place] for row in rows)] for place, head in enumerate(heads)]
    widths = [max(map(_natural, column)) for column in cells]
    room = width - _GAP * (len(heads) - 1)
    pieces = [min(_PIECE, max(map(_longest_piece, column))) for column in cells]
    whole = [max(head.floor, piece) for head, piece in zip(heads, pieces, strict=True)]
    _squeeze(widths, [head.wish or _NEVER for head in heads], room)
    _squeeze(widths, [_NEVER if head.wish else floor for head, floor in zip(heads, whole, strict=True)], room)
    _squeeze(widths, [head.floor for head in heads], room)
    return widths


def _squeeze(widths: list[int], floors: Sequence[int], room: int) -> None:
    """Take from the widest column that has any to spare, until all fit or nobody has."""
    while (excess := sum(widths) - room) > 0:
        spare = [place for place, floor in enumerate(floors) if widths[place] > floor]
        if not spare:
            return
        *_, widest = sorted(spare, key=widths.__getitem__)
        next_widest = max((widths[place] for place in spare if widths[place] < widths[widest]), default=0)
        widths[widest] -= min(excess, widths[widest] - max(floors[widest], next_widest))


def _natural(cell: Cell) -> int:
    """The width at which nothing in the cell needs wrapping."""
    return max(columns(wrap(text, _NEVER)[0]) for text in (cell.text, cell.below))


def _longest_piece(cell: Cell) -> int:
    return max(longest_piece(cell.text), longest_piece(cell.below))
