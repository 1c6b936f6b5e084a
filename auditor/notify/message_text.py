"""The lines of a message as Markdown and as plain text, and cut to the length that a service takes.

Names of apps come from whoever registered the app. In a message they can't format anything, open a link or mention a
channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from urllib.parse import quote

import msgspec

NAME_WIDTH = 80
"""Characters of a tenant's or an app's name."""
TITLE_WIDTH = 200
"""Characters of a title. Services that limit titles take at least this many."""

_URL_SAFE = "%/:=&?~#+!$,;'@-._"
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_MENTION = re.compile(r"(?<![\w.+-])@(?=\w)")
_MARKUP = re.compile(r"[\\`*]|(?<!\w)_|_(?!\w)|\](?=[(\[:])")
_LINE_START = re.compile(r"^([#+-]|\d+[.)])(?=\s|#|$)")


class LineKind(StrEnum):
    """How a line looks."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    SUMMARY = "summary"
    """The state as a whole, after the changes."""
    FOOTER = "footer"
    """At the end, and never cut."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a label in bold, a text, and an address to open with the words that link to it."""

    kind: LineKind = LineKind.PARAGRAPH
    label: str = ""
    text: str = ""
    link: str = ""
    link_text: str = "Open"


def heading(text: str) -> Line:
    """A line above items."""
    return Line(kind=LineKind.HEADING, label=text)


def item(text: str, label: str = "", link: str = "") -> Line:
    """A line of a list."""
    return Line(kind=LineKind.ITEM, label=label, text=text, link=link)


def plain(text: str) -> str:
    """The text on one line, without control characters and without a working mention (``@channel``)."""
    return _MENTION.sub("@\u200b", " ".join(_INVISIBLE.sub(" ", text).split()))


def clip(text: str, width: int = NAME_WIDTH) -> str:
    """The text on one line, shortened at a word if it's longer than `width`."""
    text = " ".join(_INVISIBLE.sub(" ", text).split())
    if len(text) <= width:
        return text
    cut = text[: width - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > width // 2 else cut).rstrip(" ,;:.") + "…"


def as_text(lines: Iterable[Line]) -> str:
    """Plain text: a blank line before each list and before the footer."""
    return _join(lines, _text_line, between_paragraphs="\n")


def as_markdown(lines: Iterable[Line]) -> str:
    """CommonMark without HTML, from which every service's own markup can be derived."""
    return _join(lines, _markdown_line, between_paragraphs="\n\n")


def cut(written: str, limit: int) -> str:
    """The message with whole lines left out before its footer, so that it's at most `limit` characters long.

    The line that replaces them says how many are missing, headings not counted. Only a footer or a first line that is
    too long alone is cut within the line.
    """
    if limit <= 0 or len(written) <= limit:
        return written
    main, _, footer = written.rpartition("\n\n")
    if not main or len(footer) > limit // 2:
        return clip_lines(written, limit)
    lines = main.split("\n")
    for kept in range(len(lines) - 1, 0, -1):
        shorter = "\n\n".join((_without_tail(lines[:kept], lines[kept:]), footer))
        if len(shorter) <= limit:
            return shorter
    return "\n\n".join((clip_lines(lines[0], max(limit - len(footer) - 2, 1)), footer))


def clip_lines(written: str, limit: int) -> str:
    """The beginning of the text, at most `limit` characters, with its line breaks."""
    return written if len(written) <= limit else written[: limit - 1].rstrip() + "…"


def _without_tail(kept: Sequence[str], dropped: Sequence[str]) -> str:
    """The kept lines, without a heading that lost its items, and how much more there is."""
    kept = list(kept)
    while len(kept) > 1 and (not kept[-1].strip() or _is_heading(kept[-1])):
        kept.pop()
    left = sum(bool(line.strip()) and not _is_heading(line) for line in dropped)
    more = f"…and {left} more line{'' if left == 1 else 's'}. The report has everything."
    return "\n".join((*kept, "", more))


def _is_heading(line: str) -> bool:
    return line.rstrip("* ").endswith(":")


def _join(lines: Iterable[Line], written: Callable[[Line], str], *, between_paragraphs: str) -> str:
    text = ""
    before: LineKind | None = None
    for line in lines:
        if before is not None:
            text += _between(before, line.kind, between_paragraphs)
        text += written(line)
        before = line.kind
    return text


def _between(before: LineKind, kind: LineKind, paragraphs: str) -> str:
    if kind is LineKind.FOOTER and before is LineKind.FOOTER:
        return "\n" if paragraphs == "\n" else "  \n"
    if kind is LineKind.ITEM and before is LineKind.ITEM:
        return "\n"
    if kind is LineKind.ITEM and before is LineKind.HEADING:
        return paragraphs
    if kind is before and kind in (LineKind.PARAGRAPH, LineKind.SUMMARY):
        return paragraphs
    return "\n\n"


def _text_line(line: Line) -> str:
    bullet = "- " if line.kind is LineKind.ITEM else ""
    label = f"{plain(line.label)}:" if line.label else ""
    return bullet + " ".join(filter(None, (label, plain(line.text), address(line.link))))


def _markdown_line(line: Line) -> str:
    bullet = "- " if line.kind is LineKind.ITEM else ""
    label = f"**{escaped(line.label)}:**" if line.label else ""
    link = f"[{escaped(line.link_text)}]({address(line.link)})" if address(line.link) else ""
    text = escaped(line.text)
    if not label and not bullet:
        text = _LINE_START.sub(r"\\\1", text)
    return bullet + " ".join(filter(None, (label, text, link)))


def escaped(text: str) -> str:
    """The text with nothing that Markdown, HTML or a service's own markup would act on."""
    text = plain(text).replace("<", "‹").replace(">", "›")
    return _MARKUP.sub(lambda found: "\\" + found[0], text)


def address(link: str) -> str:
    """The address, with characters quoted that would end it in Markdown; empty if it isn't an http address."""
    link = link.strip()
    return quote(link, safe=_URL_SAFE) if link.startswith(("https://", "http://")) else ""
