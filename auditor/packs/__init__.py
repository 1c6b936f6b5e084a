"""The errors and warnings of a pack, each with its position and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from auditor.model.errors import AuditorError

MOST = 100
"""The most problems that one run reports; a file that isn't a pack has thousands."""
_LONGEST = 2000
"""The most characters of a problem's message."""


class Position(NamedTuple):
    """A position in a file; lines and columns count from 1, and line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


class Problem(NamedTuple):
    """One mistake: what is wrong, what is expected, and the nearest valid value."""

    file: str
    line: int
    column: int
    message: str
    expected: str = ""
    near: str = ""

    @property
    def position(self) -> Position:
        """Where the mistake is."""
        return Position(self.file, self.line, self.column)

    def __str__(self) -> str:
        expected = f"; expected {self.expected}" if self.expected else ""
        near = f'; did you mean "{self.near}"?' if self.near else ""
        return ": ".join(filter(None, (str(self.position), f"{self.message}{expected}{near}")))


class PackError(AuditorError):
    """One or more packs can't be used. All `problems` are reported at once, in the order of the text.

    `warnings` are values that are unusual but may be intended.
    """

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.warnings = tuple(warnings)
        files: dict[str, int] = {}
        every = list(dict.fromkeys(problems))
        for problem in every:
            files.setdefault(problem.file, len(files))
        self.problems = tuple(sorted(every, key=lambda p: (files[p.file], p.line, p.column)))
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def explanation(self) -> str:
        """The problems, one on each line."""
        return f"{self.heading}: the rules can't be used:\n{self}"


def _readable(text: str) -> str:
    """The text with what can't be printed as visible escapes, for example a tab in a key that it quotes.

    The middle of a value that is too long to be read, such as a number with 200,000 digits, is left out.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"


class TooManyProblems(Exception):
    """Raised inside the loader to stop reading a file with too many problems."""


class PackProblems:
    """Collects errors and warnings, so that one run can report all of them."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.warnings: list[Problem] = []

    def warn(self, at: Position, message: str, *, near: str = "") -> None:
        """Add a warning: the value is unusual but may be intended."""
        self.warnings.append(Problem(*at, message=_readable(message), near=near))

    def add(self, at: Position, message: str, *, expected: str = "", near: str = "") -> None:
        """Add an error. Raises TooManyProblems at the limit."""
        expected = "" if near else _readable(expected)
        self.found.append(Problem(*at, message=_readable(message), expected=expected, near=near))
        if len(self.found) >= MOST:
            self.found.append(Problem(*at, message=f"more than {MOST} problems: the rest isn't shown"))
            raise TooManyProblems

    def raise_any(self) -> None:
        """Raise PackError if there is an error."""
        if self.found:
            raise PackError(self.found, self.warnings)
