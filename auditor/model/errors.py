"""Exit codes, and the base of every error that a person can act on."""

from __future__ import annotations

from typing import ClassVar

OK = 0
"""Nothing fails at or above ``--fail-on``."""
FAILING = 1
"""Something fails."""
USAGE = 2
"""An error in the usage, a rule, a snapshot file or the configuration."""
NO_AUDIT = 3
"""The audit could not run, because of the credential, the network or the tenant."""
UNKNOWN = 4
"""Nothing fails, but a verdict is unknown."""
STOPPED = 130
"""Stopped with Ctrl+C, as shells report it."""
TERMINATED = 143
"""Asked to end (SIGTERM), as shells report it."""

EXIT_CODES = """Exit codes: 0 nothing failing, 1 something failing, 2 usage or rule error,
3 the audit could not run, 4 a verdict is unknown."""
"""The exit codes, for the help of a command."""


class AuditorError(Exception):
    """Something that the person at the keyboard can fix; `advice` says what to do next.

    Every error that the program raises for its user derives from this class, so that a command can print any of them
    without knowing it. `exit_code` is how the program ends; `heading` is printed before the message.
    """

    exit_code: ClassVar[int] = USAGE
    heading: ClassVar[str] = "Error"

    def __init__(self, message: str = "", *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    @property
    def problem(self) -> str:
        """The message without the advice, with which some messages end because they are also printed alone."""
        return str(self).removesuffix(self.advice).rstrip()

    @property
    def explanation(self) -> str:
        """The text that a command prints: the heading, the message, and on a line of its own what to do."""
        if not self.advice:
            return f"{self.heading}: {self}."
        return f"{self.heading}: {self.problem}\nWhat to do: {self.advice}"


class InUse(AuditorError):
    """Another process does the same now; later it can work."""


class InvalidRequest(AuditorError):
    """Options that exclude each other, are incomplete, or name something that doesn't exist."""
