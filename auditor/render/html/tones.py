"""The colours of the report, where a picture needs them as numbers; style.css has the same for light and dark.

Taken from the palette of Okabe and Ito, darkened until text in them is readable on white. No colour stands alone:
each comes with a word, and in pictures with a pattern of its own.
"""

from __future__ import annotations

from types import MappingProxyType

TONES = MappingProxyType(
    {
        "good": "#00694f",
        "bad": "#b03a00",
        "unsure": "#6b3fa0",
        "quiet": "#5b6573",
        "waived": "#7a5600",
        "done": "#0a558c",
    }
)


def tone(style: str) -> str:
    """The tone of a style word of `auditor.render.words`; plain text is quiet."""
    return style if style in TONES else "quiet"
