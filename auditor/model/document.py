"""A document about packs and rules, before it becomes text for a terminal or Markdown for a file.

A name that is shown as it is written (a path, a scope, an ID) is enclosed in `CODE` and `PLAIN`. These are control
characters, which neither a pack nor a name that was made safe can contain, so that no text can forge them. Also here:
the counts, lists, sentences and times that reports and messages write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from auditor.facts.ids import OPENID_SCOPES

CODE, PLAIN = "\x0e", "\x0f"
"""Shift out and shift in."""
_NOT_SET = "0001-01-01"
ENDS_SOON_DAYS = 30
"""Days before its end at which a credential, a relationship or a waiver is listed, if nobody chose another number."""
_SENTENCE_ENDS = frozenset(".!?…。！？")  # the last three end sentences in Chinese and Japanese


def code(text: str) -> str:
    """The text, marked as a name."""
    return f"{CODE}{text.replace(CODE, '').replace(PLAIN, '')}{PLAIN}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 rule``, ``2 rules``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def parse_time(taken: str) -> datetime | None:
    """The time in UTC, or none if it wasn't recorded or isn't a time. A time without an offset is UTC already."""
    try:
        at = datetime.fromisoformat(stated_time(taken))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stated_time(text: str) -> str:
    """The text of a time; empty for 1 January of the year 1, which Microsoft Graph writes for a time that isn't set."""
    return "" if text.startswith(_NOT_SET) else text


def utc_text(at: datetime) -> str:
    """A UTC time to the second, as Microsoft Graph writes it: ``2026-11-22T02:00:00Z``."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def days_left(ends: str, now: datetime | None) -> int | None:
    """Whole days from `now` until the UTC day or time `ends`: rounded down, so negative as soon as it has ended.

    None if one of them isn't known. What ends on a day lasts until that day is over.
    """
    end = parse_time(ends)
    if end is None or now is None:
        return None
    if len(ends) <= len("2026-11-22"):
        return (end.date() - now.astimezone(UTC).date()).days
    return (end - now) // timedelta(days=1)


def time_left(days: int) -> str:
    """``in 12 days``, ``within a day``: for so many whole days, which aren't negative."""
    return f"in {count(days, 'day')}" if days else "within a day"


def series(texts: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def first_of(texts: Sequence[str], most: int, more: str = "more") -> list[str]:
    """The first `most` of the texts, then how many `more` there are: ``a``, ``b``, ``3 more``."""
    left = len(texts) - most
    return [*texts[:most], f"{left} {more}"] if left > 0 else list(texts)


def sentence(text: str) -> str:
    """The text with a capital letter at its start and a full stop at its end.

    A first word that might be a name (a scope, a policy, a command) keeps its letters.
    """
    text = text.strip()
    first = text.split(maxsplit=1)[0] if text else ""
    if first.isalpha() and first.islower() and first not in OPENID_SCOPES:
        text = text[0].upper() + text[1:]
    return text if not text or text[-1] in _SENTENCE_ENDS else text + "."


class Title(NamedTuple):
    """The title of the document."""

    text: str


class Heading(NamedTuple):
    """The heading of the blocks that follow."""

    text: str


class Paragraph(NamedTuple):
    """Running text."""

    text: str


class Point(NamedTuple):
    """An item of a list, with its sub-items."""

    text: str
    below: tuple[Point, ...] = ()


class Points(NamedTuple):
    """A list."""

    points: tuple[Point, ...]


class Cell(NamedTuple):
    """A text that can link to another page of the documentation, and a second paragraph below it."""

    text: str
    link: str = ""
    below: str = ""


class FactList(NamedTuple):
    """Names and their values, one on each line."""

    rows: tuple[tuple[str, Cell], ...]


class Grid(NamedTuple):
    """A table. The column with the number `prose` gives up width first."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    prose: int


class Links(NamedTuple):
    """Web addresses."""

    urls: tuple[str, ...]


class Verbatim(NamedTuple):
    """A text to copy as it is, such as a message, with its line breaks."""

    text: str


Block = Title | Heading | Paragraph | Points | FactList | Grid | Links | Verbatim
Document = tuple[Block, ...]
