"""Errors of snapshots: where the problem is, what was expected and found, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.model.errors import AuditorError

MOST = 20
"""How many problems of one file are listed; more would hide the first."""


class SnapshotError(AuditorError):
    """A snapshot cannot be read or written. The text ends with what to do."""

    def __init__(self, origin: str, message: str, *, problems: Iterable[str] = (), hint: str = "") -> None:
        self.origin = origin
        self.message = message
        self.problems = tuple(problems)
        self.hint = hint
        lines = [f"  {problem}" for problem in self.problems[:MOST]]
        if len(self.problems) > MOST:
            lines.append(f"  and {len(self.problems) - MOST} more")
        super().__init__("\n".join((f"{origin}: {message}", *lines, *([hint] if hint else []))), advice=hint)


class NotASnapshot(SnapshotError):
    """A file is something else than a snapshot; another reader may understand it."""


class ShapeError(ValueError):
    """A value that Graph does not return in this position; `problems` lists all that were found."""

    def __init__(self, path: str, message: str, problems: tuple[ShapeError, ...] = ()) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message
        self.problems = problems or (self,)


Location = tuple[Any, Any]
"""Where a value is: the location of its container, and its key or index in it."""


def root(name: str) -> Location:
    """The location at which a path begins."""
    return name, None


class ShapeProblems(list[tuple[Location, str]]):
    """The problems found so far."""

    def unexpected(self, location: Location, expected: str, raw: object) -> None:
        """Add that the value at `location` has another type."""
        from auditor.model.unread_messages import UNEXPECTED_VALUE  # few files need it

        message = UNEXPECTED_VALUE.format(expected=expected, found=json_kind(raw))
        if isinstance(raw, str) and raw.startswith(_CUT_OFF):
            message += " that ConvertTo-Json shortened; export again with -Depth 10"
        self.append((location, message))

    def errors(self) -> tuple[ShapeError, ...]:
        """The problems as errors with paths."""
        return tuple(ShapeError(_path(location), message) for location, message in self)

    def raise_if_any(self) -> None:
        """Raise all problems as one error, if there are any."""
        if self:
            first, *rest = self.errors()
            raise ShapeError(first.path, first.message, (first, *rest))


_CUT_OFF = ("Microsoft.Graph.PowerShell.", "System.", "@{")
"""Beginnings of the texts that ``ConvertTo-Json`` prints for values below its ``-Depth``."""


def json_kind(raw: object) -> str:
    """The kind of a JSON value in words."""
    match raw:
        case None:
            return "null"
        case bool():
            return str(raw).lower()
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return f"a list of {len(raw)}"
        case dict():
            return "an object"
    return f"a {type(raw).__name__}"


def _path(location: Location) -> str:
    """The location as JSON path, such as ``sections.permissionGrantPolicies[2].includes[0]``."""
    holder, key = location
    if key is None:
        return str(holder)
    return f"{_path(holder)}[{key}]" if isinstance(key, int) else f"{_path(holder)}.{key}"
