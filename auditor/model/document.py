"""A page about something, before it is known whether it becomes text for a terminal or Markdown for a file.

Between `CODE` and `PLAIN` stands a name that is to be shown as it is written: a path, a scope, an id. The two are
control characters, which neither a pack nor a name that was made safe can hold, so that no text can forge them.
"""

from __future__ import annotations

from typing import NamedTuple

CODE, PLAIN = "\x0e", "\x0f"
"""Shift out and shift in."""


def code(text: str) -> str:
    """The text, marked as a name."""
    return f"{CODE}{text.replace(CODE, '').replace(PLAIN, '')}{PLAIN}"


class Title(NamedTuple):
    """What the page is about."""

    text: str


class Heading(NamedTuple):
    """What the blocks that follow are about."""

    text: str


class Paragraph(NamedTuple):
    """Running text."""

    text: str


class Point(NamedTuple):
    """One point of a list, and the points that belong to it."""

    text: str
    below: tuple[Point, ...] = ()


class Points(NamedTuple):
    """A list."""

    points: tuple[Point, ...]


class Cell(NamedTuple):
    """A piece of text that may lead to another page of the documentation, and what is said below it."""

    text: str
    link: str = ""
    below: str = ""


class Facts(NamedTuple):
    """Names and their values, one each line."""

    rows: tuple[tuple[str, Cell], ...]


class Grid(NamedTuple):
    """A table; the column of number `prose` gives way where there is no room."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    prose: int


class Addresses(NamedTuple):
    """Addresses on the web."""

    urls: tuple[str, ...]


Block = Title | Heading | Paragraph | Points | Facts | Grid | Addresses
Document = tuple[Block, ...]
