"""Exit codes, and the base of every error that a person can act on."""

from __future__ import annotations

from typing import ClassVar

OK = 0
"""Nothing fails at or above ``--fail-on``."""
FAILING = 1
"""Something fails."""
USAGE = 2
"""Usage, rule, snapshot file or configuration error."""
NO_AUDIT = 3
"""The audit could not be made: credential, network, tenant."""
UNKNOWN = 4
"""The audit was made and nothing fails, but a verdict is unknown."""
STOPPED = 130
"""Stopped with Ctrl+C, as shells report it."""


class AuditorError(Exception):
    """Something that the person at the keyboard can fix; `advice` says what to do next.

    `exit_code` is how the program ends. `heading` starts the message where the message alone does not say what failed.
    """

    exit_code: ClassVar[int] = USAGE
    heading: ClassVar[str] = "Error"

    def __init__(self, message: str = "", *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class InvalidRequest(AuditorError):
    """Options that exclude each other, lack something, or name what does not exist."""
