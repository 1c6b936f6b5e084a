"""A page as Markdown that GitHub shows as it is meant: every text of an author is escaped."""

from __future__ import annotations

import re
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
from auditor.render.markdown_text import code_span, escaped

_MARKED = re.compile(f"{CODE}([^{CODE}{PLAIN}]*){PLAIN}")


def markdown(document: Document, note: str = "") -> str:
    """The page; `note` is a comment at its top that readers do not see."""
    blocks = [f"<!-- {note} -->"] if note else []
    blocks += ["\n".join(_lines(block)) for block in document]
    return "\n\n".join(blocks) + "\n"


def inline(said: str) -> str:
    """Text with marked names as code, the rest escaped."""
    parts: list[str] = []
    end = 0
    for match in _MARKED.finditer(said):
        parts += [escaped(said[end : match.start()]), code_span(match[1])]
        end = match.end()
    return "".join([*parts, escaped(said[end:])])


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Title(said):
            yield f"# {inline(said)}"
        case Heading(said):
            yield f"## {inline(said)}"
        case Paragraph(said):
            yield "  \n".join(map(inline, said.split("\n")))
        case Points(points):
            yield from _points(points, 0)
        case Facts(rows):
            yield "| | |"
            yield "| --- | --- |"
            yield from (f"| {inline(name)} | {_cell(cell)} |" for name, cell in rows)
        case Grid(heads, rows):
            yield f"| {' | '.join(map(inline, heads))} |"
            yield f"| {' | '.join('---' for _ in heads)} |"
            yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
        case Addresses(urls):
            yield from (f"- <{url.replace('<', '%3C').replace('>', '%3E')}>" for url in urls)


def _points(points: tuple[Point, ...], depth: int) -> Iterator[str]:
    for point in points:
        yield f"{'  ' * depth}- {inline(point.text)}"
        yield from _points(point.below, depth + 1)


def _cell(cell: Cell) -> str:
    said = _MARKED.sub(_without_bars, cell.text)
    text = f"[{inline(said)}]({cell.link})" if cell.link else inline(said)
    return f"{text}<br>{inline(_MARKED.sub(_without_bars, cell.below))}" if cell.below else text


def _without_bars(match: re.Match[str]) -> str:
    """A name for a table, where a bar ends the cell even in code: with one in it, it is not shown as code."""
    return match[1] if "|" in match[1] else match[0]
