"""Would consent be granted, and why: pure functions over a snapshot, in three-valued logic.

A fact that was not read is neither true nor false. The specification is Microsoft's documentation of app consent
policies, permission classifications and the consent experience (Entra: "Manage app consent policies", "Configure
permission classifications", "Application consent experience"). If it doesn't say, the decision is *likely* or
*depends*, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """True, false, or not known."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("a Truth is not a bool: compare it with Truth.TRUE, FALSE or UNKNOWN")

    def __invert__(self) -> Truth:
        return _NOT[self]


_NOT = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


def known(value: bool | None) -> Truth:
    """The truth of a value that may not have been read."""
    if value is None:
        return Truth.UNKNOWN
    return Truth.TRUE if value else Truth.FALSE


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's conjunction: one false decides."""
    result = Truth.TRUE
    for truth in truths:
        if truth is Truth.FALSE:
            return Truth.FALSE
        if truth is Truth.UNKNOWN:
            result = Truth.UNKNOWN
    return result


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's disjunction: one true decides."""
    return ~all_of(~truth for truth in truths)
