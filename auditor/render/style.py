"""Colour for a terminal. Colour repeats what the words say already; it never says anything alone."""

from __future__ import annotations

from types import MappingProxyType

_CODES = MappingProxyType({"good": "32", "bad": "1;31", "unsure": "33", "quiet": "2", "strong": "1", "link": "36"})


class Palette:
    """Paints text in named styles, or leaves it as it is when colour is off."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def paint(self, text: str, style: str) -> str:
        """The text in a style of the palette; an empty style, an empty text or no colour changes nothing."""
        if not (self._colour and style and text):
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"
