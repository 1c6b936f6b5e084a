"""Text for a terminal: safe to print, measured in columns, wrapped without cutting what must stay whole, coloured.

wcwidth is imported only for text that isn't ASCII, and regular expressions are compiled when they are first needed,
because every command that prints loads this module.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from types import MappingProxyType

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, formats, surrogates, and separators of lines and paragraphs."""
_JOINTS = r"[^-._/@]+[-._/@]*|[-._/@]+"
"""The parts of a name, each with the punctuation after it."""
_STYLES = MappingProxyType({"good": "32", "bad": "1;31", "unsure": "33", "quiet": "2", "strong": "1", "link": "36"})


class Palette:
    """Paints text in named styles for a terminal, or returns it unchanged if colour is off.

    Colour repeats what the words say; it never carries information alone.
    """

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def paint(self, text: str, style: str) -> str:
        """The text in a style. An empty style, an empty text or no colour changes nothing."""
        if not (self._colour and style and text):
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def safe(text: str) -> str:
    """The text with everything that could control a terminal or reorder a line written as a visible escape.

    Names come from tenants. A line break in a name must not make a line of the report, an escape sequence must not
    set a colour, and a right-to-left override must not show a different name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _is_harmful(char) else char for char in text)


def _is_harmful(char: str) -> bool:
    """Whether it controls or reorders, or is a noncharacter of Unicode, which XML and HTML refuse."""
    number = ord(char)
    noncharacter = number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF
    return noncharacter or unicodedata.category(char) in _HARMFUL


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def for_encoding(text: str, encoding: str | None) -> str:
    """The text as a console with this encoding can show it; other characters become visible escapes."""
    name = encoding or "utf-8"
    return text.encode(name, errors="backslashreplace").decode(name)


def columns(text: str) -> int:
    """How many columns of a terminal safe text takes: two for each wide character."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def _graphemes(text: str) -> Iterator[str]:
    """The characters as a reader sees them: a letter together with its accents."""
    from wcwidth import iter_graphemes

    return iter_graphemes(text)


def pad(text: str, width: int) -> str:
    """The text filled up with blanks to this many columns."""
    return text + " " * (width - columns(text))


def clip(text: str, width: int) -> str:
    """Safe text, cut to at most this many columns; dots mark the cut."""
    text = safe(text)
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for part in _graphemes(text):
        used += columns(part)
        if used > width - 3:
            break
        kept.append(part)
    return "".join(kept) + "..."


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken between words; at least one line.

    A link is never broken, even if it's wider. Any other word that is too wide is broken after a joint (``-._/@``) if
    it has one in reach, else between characters.
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
    """The width of the widest part of a text that `wrap` keeps whole as long as it can."""
    words = safe(text.strip()).split()
    return max((columns(joint) for word in words for joint in re.findall(_JOINTS, word)), default=0)


def _pieces(word: str, width: int) -> Iterator[tuple[str, str]]:
    """The word in parts that fit, each with the blank or nothing that separates it from the text before it."""
    if columns(word) <= width or _is_link(word):
        yield " ", word
        return
    glue = " "
    for joint in re.findall(_JOINTS, word):
        for piece in [joint] if columns(joint) <= width else _graphemes(joint):
            yield glue, piece
            glue = ""


def _is_link(word: str) -> bool:
    """Whether the word is an address of the web, possibly after an opening bracket or quotation mark."""
    start = word[1:] if word[:1] in "(<\"'" else word
    return start[:8].lower().startswith(("http://", "https://"))
