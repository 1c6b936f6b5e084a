"""The colours of the report, where a picture needs them as numbers: those that style.css has for light.

Taken from the palette of Okabe and Ito, darkened until text in them is readable on white. No colour stands alone:
each comes with a word, and in pictures with a pattern of its own.
"""

from __future__ import annotations

from types import MappingProxyType

TONES = MappingProxyType(
    {
        "good": "#00694f",
        "bad": "#a83700",
        "unsure": "#6b3fa0",
        "quiet": "#535d6a",
        "waived": "#735100",
        "done": "#0a558c",
    }
)
"""By their names in style.css; a test holds the two together."""

HOLLOW = frozenset({"unsure", "waived", "quiet"})
"""Drawn in charts as an outline, the others as a solid: with the patterns, no two look alike without colour."""


def tone(style: str) -> str:
    """The tone of a style word of `auditor.render.words`; plain text is quiet."""
    return style if style in TONES else "quiet"
