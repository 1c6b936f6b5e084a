"""A page of text being written: paragraphs, fields, steps and verbatim lines within one width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.render.layout import columns, pad, safe, wrap
from auditor.render.style import Palette

LABEL = 12
"""Columns of the label in front of a field."""


class Page:
    """Collects lines. Whatever is written through it is made safe to print and kept within the width."""

    def __init__(self, width: int, palette: Palette) -> None:
        self.width = width
        self.palette = palette
        self._lines: list[str] = []
        self._heading = 0

    def __str__(self) -> str:
        return "\n".join(self._lines).rstrip("\n") + "\n"

    def blank(self) -> None:
        """One empty line; never two, none at the top, and none under a heading."""
        if self._lines and self._lines[-1] and not self._under_heading():
            self._lines.append("")

    def _under_heading(self) -> bool:
        return len(self._lines) == self._heading

    def heading(self, text: str) -> None:
        """The start of a section, marked by a line beneath it."""
        self.blank()
        lines = wrap(text, self.width)
        self._put(lines, "", style="strong")
        self._lines.append(self.palette.paint("-" * max(map(columns, lines)), "quiet"))
        self._heading = len(self._lines)

    def say(self, text: str, *, indent: int = 2, style: str = "") -> None:
        """A paragraph."""
        self._put(wrap(text, self.width - indent), " " * indent, style=style)

    def lead(self, lead: str, text: str, *, indent: int = 2, style: str = "") -> None:
        """A paragraph behind a mark or number; its further lines stand under the first word."""
        start = indent + columns(lead)
        lines = wrap(text, self.width - start)
        self._lines.append(" " * indent + lead + self.palette.paint(lines[0], style))
        self._put(lines[1:], " " * start, style=style)

    def field(self, label: str, text: str, *, indent: int = 2, style: str = "") -> None:
        """A value behind its label. A value that cannot stand beside the label begins on a line of its own."""
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
        """An address alone on its line, whole, so that it can be clicked and copied."""
        if address:
            self._put([safe(address)], " " * indent, style="link")

    def verbatim(self, text: str, *, indent: int = 4) -> None:
        """Lines as they are, to be copied: a command, a request, a body."""
        for line in text.strip("\r\n").split("\n"):
            self._lines.append((" " * indent + safe(line.rstrip())).rstrip())

    def lines(self, lines: Iterable[str], *, indent: int = 2) -> None:
        """Lines that were made safe and laid out elsewhere, such as a table's."""
        self._lines.extend(f"{' ' * indent}{line}".rstrip() for line in lines)

    def _put(self, lines: Iterable[str], margin: str, *, style: str) -> None:
        self._lines.extend(margin + self.palette.paint(line, style) for line in lines)
