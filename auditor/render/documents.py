"""Documents about packs and rules as text for a terminal and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.document import (
    CODE,
    PLAIN,
    Block,
    Cell,
    Document,
    FactList,
    Grid,
    Heading,
    Links,
    Paragraph,
    Point,
    Points,
    Title,
    Verbatim,
)
from auditor.render.markdown_text import code_span, escaped, fenced
from auditor.render.text_layout import Palette, TableCell, TableColumn, columns, pad, table, wrap

_INDENT = 2
_MINIMUM = 6
"""Columns that every column of a table keeps."""
_PROSE = 24
"""Columns that prose keeps while other columns of a table can give up width."""
_MARKED = re.compile(f"{CODE}([^{CODE}{PLAIN}]*){PLAIN}")


def as_text(document: Document, *, width: int, colour: bool) -> str:
    """The document as text of at most `width` columns (an address can be wider), with a blank line between blocks."""
    palette = Palette(colour)
    lines: list[str] = []
    for number, block in enumerate(document):
        if number and not isinstance(document[number - 1], Heading):
            lines.append("")
        lines.extend(_text_lines(block, width, palette))
    return "\n".join(lines) + "\n"


def _text_lines(block: Block, width: int, palette: Palette) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield from (palette.paint(line, "strong") for line in wrap(_unmarked(text), width))
        case Paragraph(text):
            for part in text.split("\n"):
                yield from _hanging("", part, width)
        case Points(points):
            yield from _text_points(points, 0, width)
        case FactList(rows):
            room = max((columns(name) for name, _ in rows), default=0) + 2
            for name, cell in rows:
                yield from _hanging(pad(f"{name}:", room), cell.text, width)
        case Grid():
            yield from (" " * _INDENT + line for line in _text_table(block, width - _INDENT, palette))
        case Links(urls):
            yield from (" " * _INDENT + url for url in urls)
        case Verbatim(text):
            yield from (f"{' ' * _INDENT}{line}".rstrip() for line in _unmarked(text).split("\n"))


def _text_points(points: tuple[Point, ...], depth: int, width: int) -> Iterator[str]:
    for point in points:
        yield from _hanging(f"{' ' * _INDENT * depth}- ", point.text, width)
        yield from _text_points(point.below, depth + 1, width)


def _hanging(mark: str, text: str, width: int) -> Iterator[str]:
    """The text after a mark, its further lines below its first."""
    before = " " * _INDENT + mark
    for line in wrap(_unmarked(text), max(width - columns(before), _PROSE)):
        yield f"{before}{line}".rstrip()
        before = " " * columns(before)


def _text_table(grid: Grid, width: int, palette: Palette) -> list[str]:
    heads = [
        TableColumn(head, _MINIMUM, wish=_PROSE if number == grid.prose else 0)
        for number, head in enumerate(grid.heads)
    ]
    rows = [[TableCell(_unmarked(cell.text), below=_unmarked(cell.below)) for cell in row] for row in grid.rows]
    return table(heads, rows, width, palette)


def _unmarked(text: str) -> str:
    return text.replace(CODE, "").replace(PLAIN, "")


def as_markdown(document: Document, note: str = "") -> str:
    """The document as GitHub's Markdown, with every author's text escaped; `note` is a hidden comment at its top."""
    blocks = [f"<!-- {note} -->"] if note else []
    blocks += ["\n".join(_markdown_lines(block)) for block in document]
    return "\n\n".join(blocks) + "\n"


def _markdown_lines(block: Block) -> Iterator[str]:
    match block:
        case Title(text):
            yield f"# {_inline(text)}"
        case Heading(text):
            yield f"## {_inline(text)}"
        case Paragraph(text):
            yield "  \n".join(map(_inline, text.split("\n")))
        case Points(points):
            yield from _markdown_points(points, 0)
        case FactList(rows):
            yield "| | |"
            yield "| --- | --- |"
            yield from (f"| {_inline(name)} | {_markdown_cell(cell)} |" for name, cell in rows)
        case Grid(heads, rows):
            yield f"| {' | '.join(map(_inline, heads))} |"
            yield f"| {' | '.join('---' for _ in heads)} |"
            yield from (f"| {' | '.join(map(_markdown_cell, row))} |" for row in rows)
        case Links(urls):
            yield from (f"- <{url.replace('<', '%3C').replace('>', '%3E')}>" for url in urls)
        case Verbatim(text):
            yield fenced(_unmarked(text))


def _markdown_points(points: tuple[Point, ...], depth: int) -> Iterator[str]:
    for point in points:  # four spaces a level: Python-Markdown nests nothing below that, GitHub takes both
        yield f"{'    ' * depth}- {_inline(point.text)}"
        yield from _markdown_points(point.below, depth + 1)


def _markdown_cell(cell: Cell) -> str:
    text = _inline(_MARKED.sub(_without_bars, cell.text))
    text = f"[{text}]({cell.link})" if cell.link else text
    return f"{text}<br>{_inline(_MARKED.sub(_without_bars, cell.below))}" if cell.below else text


def _without_bars(match: re.Match[str]) -> str:
    """A name for a table. One with a bar isn't shown as code, because a bar ends the cell even in code."""
    return match[1] if "|" in match[1] else match[0]


def _inline(text: str) -> str:
    """Text with marked names as code and the rest escaped."""
    parts: list[str] = []
    end = 0
    for match in _MARKED.finditer(text):
        parts += [escaped(text[end : match.start()]), code_span(match[1])]
        end = match.end()
    return "".join([*parts, escaped(text[end:])])
