"""What is wrong with a pack: every problem with its place, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from auditor.model.errors import AuditorError

MOST = 100
"""A run reports this many problems; a file that is no pack at all has thousands."""


class Place(NamedTuple):
    """Where something stands; lines and columns count from 1, and line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


class Problem(NamedTuple):
    """One mistake: what it is, what belongs there instead, and the nearest thing that exists."""

    file: str
    line: int
    column: int
    message: str
    expected: str = ""
    near: str = ""

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.file, self.line, self.column)

    def __str__(self) -> str:
        expected = f"; expected {self.expected}" if self.expected else ""
        near = f'; did you mean "{self.near}"?' if self.near else ""
        return ": ".join(filter(None, (str(self.place), f"{self.message}{expected}{near}")))


class PackError(AuditorError):
    """A pack, or several, cannot be used; all `problems` are reported at once, in the order of the text.

    `doubts` are what is odd besides, and may be meant.
    """

    def __init__(self, problems: Iterable[Problem], doubts: Iterable[Problem] = ()) -> None:
        self.doubts = tuple(doubts)
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


class TooManyProblems(Exception):
    """Raised inside the loader to stop reading a hopeless file."""


class Problems:
    """Collects what is wrong, so that one run can report all of it."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.doubts: list[Problem] = []

    def warn(self, at: Place, message: str, *, near: str = "") -> None:
        """Note something that is odd and may be meant."""
        self.doubts.append(Problem(*at, message=message, near=near))

    def add(self, at: Place, message: str, *, expected: str = "", near: str = "") -> None:
        """Note a problem and go on, unless there are too many to be worth it."""
        self.found.append(Problem(*at, message=message, expected="" if near else expected, near=near))
        if len(self.found) >= MOST:
            self.found.append(Problem(*at, message=f"more than {MOST} problems: the rest is not shown"))
            raise TooManyProblems

    def raise_any(self) -> None:
        """Raise what was found, if anything was."""
        if self.found:
            raise PackError(self.found, self.doubts)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word that `word` was probably meant to be, or nothing; case does not count.

    `cutoff` is how alike they must be, from 0 to 1.
    """
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower()[:80], by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else ""


def listed(words: Iterable[str]) -> str:
    """Words as a reader wants them: ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
