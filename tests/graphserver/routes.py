"""The map of Graph: which address reads what of the tenant, with which permission, under which rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .errors import GraphError, no_segment
from .filters import Filter
from .readers import Reader, Show, as_it_is
from .tenant import Row

BOTH = frozenset({"v1.0", "beta"})
BETA = frozenset({"beta"})


class Workload(Enum):
    """Which service behind Graph answers; each refuses with its own message."""

    DIRECTORY = "Authorization_RequestDenied"
    POLICY = "AccessDenied"
    AUDIT = "Authentication_MSGraphPermissionMissing"

    def refusal(self, needs: tuple[str, ...]) -> GraphError:
        """The 403 for a token without any of the permissions."""
        if self is Workload.AUDIT:
            return GraphError(403, self.value, f"The caller lacks the permission {needs[0]}.")
        return GraphError(403, self.value, "The token carries no permission that allows this.")


@dataclass(frozen=True)
class Paging:
    """How many rows a page holds when nobody asks, and at most."""

    default: int = 100
    most: int = 999


@dataclass(frozen=True)
class Route:
    """One readable address. `needs` are permissions any of which will do."""

    pattern: str
    section: str
    type_name: str
    read: Reader
    needs: tuple[str, ...]
    workload: Workload = Workload.DIRECTORY
    versions: frozenset[str] = BOTH
    delegated: tuple[str, ...] = ()
    own: bool = False
    filters: Filter = field(default_factory=lambda: Filter({}))
    show: Show = as_it_is
    paging: Paging = field(default_factory=Paging)
    counted: bool = False
    unasked: frozenset[str] = frozenset()
    """Properties that come only when $select names them."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The pattern in parts; `{}` means a key."""
        return tuple(self.pattern.split("/"))


@dataclass(frozen=True)
class Key:
    """A key in an address: the object's own id, or a named alternate key."""

    name: str
    value: str


def segments_of(path: str) -> list[str | Key]:
    """The parts of a decoded path: `things(appId='x')` and `things/x` both become a name and a key."""
    parts: list[str | Key] = []
    for segment in path.strip("/").split("/"):
        named = re.fullmatch(r"(\w+)\((?:(\w+)=)?'?([^']*)'?\)", segment)
        if named is None:
            parts.append(segment)
        else:
            parts += [named[1], Key(named[2] or "id", named[3])]
    return parts


def find(routes: tuple[Route, ...], version: str, path: str) -> tuple[Route, list[Key]]:
    """The route of an address and the keys in it; 400 for a segment Graph does not know."""
    parts = segments_of(path)
    deepest = 0
    for route in routes:
        keys, matched = _match(route.segments, parts)
        if version not in route.versions:
            continue
        if matched == len(parts) == len(route.segments):
            return route, keys
        deepest = max(deepest, matched)
    wrong = parts[min(deepest, len(parts) - 1)]
    raise no_segment(wrong.value if isinstance(wrong, Key) else wrong)


def _match(pattern: tuple[str, ...], parts: list[str | Key]) -> tuple[list[Key], int]:
    """The keys found, and how many leading parts agree with the pattern."""
    keys: list[Key] = []
    for count, (wanted, part) in enumerate(zip(pattern, parts, strict=False)):
        if wanted == "{}":
            keys.append(part if isinstance(part, Key) else Key("id", part))
        elif isinstance(part, Key) or part.lower() != wanted.lower():
            return keys, count
    return keys, min(len(pattern), len(parts))


def eq(*properties: str) -> Mapping[str, frozenset[str]]:
    """Properties that can be compared by `eq` only."""
    return dict.fromkeys(properties, frozenset({"eq"}))


def unselected(row: Row, route: Route) -> Row:
    """A row as it comes when no $select was given."""
    return {name: value for name, value in row.items() if name not in route.unasked} if route.unasked else row
