"""What a finding rests on, in words: the value that was found, and the one that it should have."""

from __future__ import annotations

from typing import Any

from auditor.model.finding import Evidence
from auditor.render.encoded import encoded
from auditor.render.layout import clip

ROOM = 160
"""Columns of a value in the evidence; the JSON report holds all of it."""


def said(one: Evidence, room: int = ROOM) -> str:
    """``PATH is VALUE, should be VALUE``, each value as JSON and cut to `room` columns."""
    expected = "" if one.expected is None else f", should be {value(one.expected, room)}"
    return f"{one.path} is {value(one.actual, room)}{expected}"


def value(found: Any, room: int = ROOM) -> str:
    """A value of the snapshot as JSON, on one line, safe to print."""
    return clip(encoded(found, str).decode(), room)
