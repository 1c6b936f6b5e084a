"""OData's $filter, as far as the audited endpoints take it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import bad_query

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda seen, asked: bool(seen == asked),
    "ne": lambda seen, asked: bool(seen != asked),
    "ge": lambda seen, asked: isinstance(seen, type(asked)) and bool(seen >= asked),
    "gt": lambda seen, asked: isinstance(seen, type(asked)) and bool(seen > asked),
    "le": lambda seen, asked: isinstance(seen, type(asked)) and bool(seen <= asked),
    "lt": lambda seen, asked: isinstance(seen, type(asked)) and bool(seen < asked),
    "in": lambda seen, asked: seen in asked,
    "startswith": lambda seen, asked: isinstance(seen, str) and seen.startswith(asked),
}


@dataclass(frozen=True)
class Filter:
    """What one endpoint may be filtered by: operators per property path, the words that join them, and how many."""

    properties: Mapping[str, frozenset[str]]
    joins: frozenset[str] = frozenset({"and", "or"})
    most_alternatives: int | None = None

    def check(self, text: str, type_name: str) -> Callable[[Mapping[str, Any]], bool]:
        """The test that `text` states, or the 400 that Graph answers for what it cannot filter by."""
        node = _Parser(text).whole()
        for leaf in node.leaves():
            if leaf.op not in self.properties.get(leaf.path, frozenset()):
                raise bad_query(f"Property '{leaf.path}' of resource '{type_name}' cannot be filtered by '{leaf.op}'.")
        if missing := node.joins() - self.joins:
            raise bad_query(f"Resource '{type_name}' takes no '{min(missing)}' in a filter.")
        if self.most_alternatives is not None and node.alternatives() > self.most_alternatives:
            raise bad_query(f"Too many child clauses containing 'OR' operators: {node.alternatives()}.")
        return node.holds


@dataclass(frozen=True)
class _Leaf:
    path: str
    op: str
    value: Any

    def leaves(self) -> Iterator[_Leaf]:
        yield self

    def joins(self) -> set[str]:
        return set()

    def alternatives(self) -> int:
        return 1

    def holds(self, row: Mapping[str, Any]) -> bool:
        return any(_COMPARE[self.op](_comparable(seen), self.value) for seen in _values(row, self.path.split("/")))


@dataclass(frozen=True)
class _Join:
    word: str
    parts: tuple[_Leaf | _Join, ...]

    def leaves(self) -> Iterator[_Leaf]:
        for part in self.parts:
            yield from part.leaves()

    def joins(self) -> set[str]:
        return {self.word}.union(*(part.joins() for part in self.parts))

    def alternatives(self) -> int:
        """The most parts that one ``or`` of the filter joins."""
        return max(len(self.parts) if self.word == "or" else 1, *(part.alternatives() for part in self.parts))

    def holds(self, row: Mapping[str, Any]) -> bool:
        return (all if self.word == "and" else any)(part.holds(row) for part in self.parts)


def _values(row: Any, path: list[str]) -> Iterator[Any]:
    """Every value at a path; a `*` step walks into each element of a list."""
    if not path:
        yield row
    elif path[0] == "*":
        for item in row if isinstance(row, list) else ():
            yield from _values(item, path[1:])
    else:
        yield from _values(row.get(path[0]) if isinstance(row, Mapping) else None, path[1:])


def _comparable(value: Any) -> Any:
    """Texts compare whatever their case, and times whatever their fraction of a second."""
    if not isinstance(value, str):
        return value
    return value.removesuffix("Z") if re.match(r"\d{4}-\d\d-\d\dT", value) else value.casefold()


class _Parser:
    """Recursive descent: or < and < (…) | function | comparison."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
            raise self._wrong()

    def whole(self) -> _Leaf | _Join:
        node = self._either("")
        if self._tokens:
            raise self._wrong()
        return node

    def _wrong(self) -> Exception:
        return bad_query(f"Invalid filter clause: {self._text}")

    def _take(self, wanted: str | None = None) -> str:
        if not self._tokens or (wanted is not None and self._tokens[0].lower() != wanted):
            raise self._wrong()
        return str(self._tokens.pop(0))

    def _next(self) -> str:
        return self._tokens[0].lower() if self._tokens else ""

    def _either(self, variable: str) -> _Leaf | _Join:
        return self._joined("or", lambda: self._joined("and", lambda: self._term(variable)))

    def _joined(self, word: str, part: Callable[[], _Leaf | _Join]) -> _Leaf | _Join:
        parts = [part()]
        while self._next() == word:
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else _Join(word, tuple(parts))

    def _term(self, variable: str) -> _Leaf | _Join:
        if self._next() == "(":
            self._take()
            node = self._either(variable)
            self._take(")")
            return node
        name = self._take()
        if self._next() == "(":
            return self._called(name, variable)
        op = self._take().lower()
        if op == "in":
            return _Leaf(_path(name, variable), op, tuple(self._listed()))
        if op not in _COMPARE or op == "startswith":
            raise self._wrong()
        return _Leaf(_path(name, variable), op, self._literal())

    def _called(self, name: str, variable: str) -> _Leaf | _Join:
        self._take("(")
        if name.lower() == "startswith":
            path = _path(self._take(), variable)
            self._take(",")
            leaf = _Leaf(path, "startswith", self._literal())
            self._take(")")
            return leaf
        if not name.lower().endswith("/any"):
            raise self._wrong()
        inner, _, rest = self._take().partition(":")
        if rest:
            self._tokens.insert(0, rest)
        node = self._either(inner)
        self._take(")")
        return _moved(node, _path(name[:-4], variable) + "/*/")

    def _listed(self) -> Iterator[Any]:
        self._take("(")
        yield self._literal()
        while self._next() == ",":
            self._take()
            yield self._literal()
        self._take(")")

    def _literal(self) -> Any:
        token = self._take()
        if token.startswith("'"):
            return _comparable(token[1:-1].replace("''", "'"))
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        return int(token) if re.fullmatch(r"-?\d+", token) else _comparable(token)


def _path(name: str, variable: str) -> str:
    return name.removeprefix(f"{variable}/") if variable else name


def _moved(node: _Leaf | _Join, prefix: str) -> _Leaf | _Join:
    if isinstance(node, _Leaf):
        return _Leaf(prefix + node.path, node.op, node.value)
    return _Join(node.word, tuple(_moved(part, prefix) for part in node.parts))
