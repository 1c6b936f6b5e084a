"""What is wrong with a snapshot: where, what was expected, what stands there, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.model.errors import AuditorError

MOST = 20
"""How many problems of one file are told; more would bury the first."""


class SnapshotError(AuditorError):
    """A snapshot that cannot be read or written. The text ends with what to do next."""

    def __init__(self, origin: str, message: str, *, problems: Iterable[str] = (), hint: str = "") -> None:
        self.origin = origin
        self.message = message
        self.problems = tuple(problems)
        self.hint = hint
        told = [f"  {problem}" for problem in self.problems[:MOST]]
        if len(self.problems) > MOST:
            told.append(f"  and {len(self.problems) - MOST} more")
        super().__init__("\n".join((f"{origin}: {message}", *told, *([hint] if hint else []))), advice=hint)


class ShapeError(ValueError):
    """A value that is not what Graph would have said there; `problems` lists every one that was found."""

    def __init__(self, path: str, message: str, problems: tuple[ShapeError, ...] = ()) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message
        self.problems = problems or (self,)


Place = tuple[Any, Any]
"""Where a value stands: the place of what holds it, and its key or index there."""


def root(name: str) -> Place:
    """The place that a path begins with."""
    return name, None


class Wrong(list[tuple[Place, str]]):
    """Everything found wrong so far."""

    def unexpected(self, place: Place, expected: str, raw: object) -> None:
        """Note that something else stands at `place`."""
        message = f"expected {expected}, found {found(raw)}"
        if isinstance(raw, str) and raw.startswith(_CUT_OFF):
            message += " that ConvertTo-Json shortened; export again with -Depth 10"
        self.append((place, message))

    def errors(self) -> tuple[ShapeError, ...]:
        """The same with paths written out."""
        return tuple(ShapeError(_path(place), message) for place, message in self)

    def complain(self) -> None:
        """Raise all of it as one error, if there is any."""
        if self:
            first, *rest = self.errors()
            raise ShapeError(first.path, first.message, (first, *rest))


_CUT_OFF = ("Microsoft.Graph.PowerShell.", "System.", "@{")
"""How the texts begin that ``ConvertTo-Json`` prints for what lies deeper than its ``-Depth``."""


def found(raw: object) -> str:
    """What kind of JSON value this is, in words."""
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


def _path(place: Place) -> str:
    """The place as JSON path, such as ``sections.permissionGrantPolicies[2].includes[0]``."""
    holder, key = place
    if key is None:
        return str(holder)
    return f"{_path(holder)}[{key}]" if isinstance(key, int) else f"{_path(holder)}.{key}"
