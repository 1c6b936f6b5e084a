"""Text that is safe to print, measured in terminal columns and wrapped without cutting what must stay whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import wcwidth

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LINK = re.compile(r"[(<\"']?https?://", re.IGNORECASE)
_JOINTS = re.compile(r"[^-._/@]+[-._/@]*|[-._/@]+")


def safe(text: str) -> str:
    """The text with everything that could steer a terminal or reorder a line written as a visible escape.

    Names come from tenants: a line break in one must not make a line of the report, nor an escape sequence
    a colour, nor a right-to-left override another name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _is_harmful(char) else char for char in text)


def _is_harmful(char: str) -> bool:
    """Whether it steers or reorders, or is none of Unicode's characters at all: XML and HTML refuse those."""
    number = ord(char)
    no_character = number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF
    return no_character or unicodedata.category(char) in _HARMFUL


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def columns(text: str) -> int:
    """How many columns of a terminal safe text takes: two for each wide character."""
    return len(text) if text.isascii() else max(0, wcwidth.wcswidth(text))


def pad(text: str, width: int) -> str:
    """The text filled up with blanks to this many columns."""
    return text + " " * (width - columns(text))


def clip(text: str, width: int) -> str:
    """Safe text, cut to at most this many columns with dots where something is missing."""
    text = safe(text)
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for part in wcwidth.iter_graphemes(text):
        used += columns(part)
        if used > width - 3:
            break
        kept.append(part)
    return "".join(kept) + "..."


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken between words; at least one line.

    A link is never broken, even where it is wider. Any other word that is too wide is broken after a joint
    (``-._/@``) where it has one in reach, else between characters.
    """
    lines: list[str] = []
    line, used = "", 0
    for word in safe(text.strip()).split():
        for glue, piece in _pieces(word, width):
            size = columns(piece)
            if line and used + len(glue) + size > width:
                lines.append(line)
                line, used = piece, size
            else:
                gap = glue if line else ""
                line, used = line + gap + piece, used + len(gap) + size
    return [*lines, line]


def longest_piece(text: str) -> int:
    """The width of the widest part of a text that `wrap` leaves whole for as long as it can."""
    words = safe(text.strip()).split()
    return max((columns(joint) for word in words for joint in _JOINTS.findall(word)), default=0)


def _pieces(word: str, width: int) -> Iterator[tuple[str, str]]:
    """The word in parts that fit, each with what stands between it and the text before it."""
    if columns(word) <= width or _LINK.match(word):
        yield " ", word
        return
    glue = " "
    for joint in _JOINTS.findall(word):
        for piece in _slices(joint, width):
            yield glue, piece
            glue = ""


def _slices(word: str, width: int) -> Iterator[str]:
    """The word itself if it fits, else its characters: wide scripts may be broken anywhere, hostile ones must."""
    if columns(word) <= width:
        yield word
    else:
        yield from wcwidth.iter_graphemes(word)
