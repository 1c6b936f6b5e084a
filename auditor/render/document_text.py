"""A page as text for a terminal, a ticket or a pipe: never wider than it may be, but for a link."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.document import (
    CODE,
    PLAIN,
    Addresses,
    Block,
    Cell,
    Document,
    Facts,
    Grid,
    Heading,
    Paragraph,
    Point,
    Points,
    Title,
)
from auditor.render.layout import columns, pad, wrap
from auditor.render.style import Palette
from auditor.render.tables import Cell as TableCell
from auditor.render.tables import Column, table

_INDENT = 2
_NARROW = 6
"""Columns that no column of a table is squeezed below."""
_PROSE = 24


def text(document: Document, *, width: int, colour: bool) -> str:
    """The page, with an empty line between its blocks."""
    palette = Palette(colour)
    lines: list[str] = []
    for number, block in enumerate(document):
        if number and not _belongs(document[number - 1]):
            lines.append("")
        lines.extend(_lines(block, width, palette))
    return "\n".join(lines) + "\n"


def _belongs(before: Block) -> bool:
    return isinstance(before, Heading)


def _lines(block: Block, width: int, palette: Palette) -> Iterator[str]:
    match block:
        case Title(said) | Heading(said):
            yield from (palette.paint(line, "strong") for line in wrap(_bare(said), width))
        case Paragraph(said):
            for part in said.split("\n"):
                yield from _hanging("", part, width)
        case Points(points):
            yield from _points(points, 0, width)
        case Facts(rows):
            room = max((columns(name) for name, _ in rows), default=0) + 2
            for name, cell in rows:
                yield from _hanging(pad(f"{name}:", room), cell.text, width)
        case Grid():
            yield from (" " * _INDENT + line for line in _grid(block, width - _INDENT, palette))
        case Addresses(urls):
            yield from (" " * _INDENT + url for url in urls)


def _points(points: tuple[Point, ...], depth: int, width: int) -> Iterator[str]:
    for point in points:
        yield from _hanging(f"{' ' * _INDENT * depth}- ", point.text, width)
        yield from _points(point.below, depth + 1, width)


def _hanging(mark: str, said: str, width: int) -> Iterator[str]:
    """The text after a mark, its further lines below its first."""
    before = " " * _INDENT + mark
    for line in wrap(_bare(said), max(width - columns(before), _PROSE)):
        yield f"{before}{line}".rstrip()
        before = " " * columns(before)


def _grid(grid: Grid, width: int, palette: Palette) -> list[str]:
    heads = [
        Column(head, _NARROW, wish=_PROSE if number == grid.prose else 0) for number, head in enumerate(grid.heads)
    ]
    rows = [[_cell(cell) for cell in row] for row in grid.rows]
    return table(heads, rows, width=width, palette=palette)


def _cell(cell: Cell) -> TableCell:
    return TableCell(_bare(cell.text), below=_bare(cell.below))


def _bare(said: str) -> str:
    return said.replace(CODE, "").replace(PLAIN, "")
