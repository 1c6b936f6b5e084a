"""Text in terminal columns: safe to print, measured, wrapped, and written as paragraphs, fields and tables.

wcwidth is imported only for text that isn't ASCII, and regular expressions are compiled when they are first needed,
because every command that prints loads this module.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import NamedTuple

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
    one fits, else between characters.
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
