"""Search a history for words that only one tenant has: in every column of every table, and in what is compressed."""

from __future__ import annotations

import html
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect, select, text

from auditor.history.contents import unpacked
from auditor.history.tables import contents, parts, runs, tenants
from auditor.model.history import QUEUE_SCHEMA

OUR_TABLES = "history_"

_GUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_AT_ONCE = 200


class Words:
    """Words to search for, without regard to letter case, also as JSON and HTML write them.

    A word counts if no letter, digit or hyphen is next to it: the name Contoso isn't in Contosotravel. With `anywhere`,
    it counts in any place, as in the pages of a database, which have nothing between two columns.
    """

    def __init__(self, words: Iterable[str], *, anywhere: bool = False) -> None:
        self.words = frozenset(filter(None, words))
        self._guids = {word.lower().encode(): word for word in self.words if _GUID.fullmatch(word.encode())}
        others: dict[bytes, str] = {}
        for word in sorted(self.words - set(self._guids.values()), key=len, reverse=True):
            for form in (word, word.lower(), json.dumps(word)[1:-1], html.escape(word), repr(word)[1:-1]):
                others.setdefault(form.encode("utf-8", "backslashreplace").lower(), word)
        self._others = others
        each = b"|".join(re.escape(form) for form in others)
        bounded = each if anywhere else rb"(?<![\w-])(?:" + each + rb")(?![\w-])"
        self._pattern = re.compile(bounded, re.IGNORECASE) if others else None

    def found_in(self, data: bytes | str | mmap) -> frozenset[str]:
        """Those of the words that a text or a file has."""
        given = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
        found = {self._guids[one] for match in _GUID.finditer(given) if (one := match[0].lower()) in self._guids}
        if self._pattern is not None:
            found |= {self._others[match[0].lower()] for match in self._pattern.finditer(given)}
        return frozenset(found)

    def found_in_file(self, path: Path) -> frozenset[str]:
        """Those of the words that the bytes of a file have. Raises OSError."""
        with path.open("rb") as file:
            if not path.stat().st_size:
                return frozenset()
            with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                return self.found_in(data)


class Trace(NamedTuple):
    """Rows of a table that have some of the words. `owners` are the names of the tenants that the rows are about."""

    table: str
    rows: int
    words: frozenset[str]
    owners: tuple[str, ...] = ()


def traces(connection: Connection, words: Words) -> tuple[Trace, ...]:
    """The rows that have some of the words, by table and by the tenants that they belong to."""
    rows: Counter[tuple[str, tuple[str, ...]]] = Counter()
    found: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}
    owners = _Owners(connection)
    for table, row in _rows(connection):
        if hits := words.found_in(_as_bytes(row)):
            at = (table, owners.of(table, row))
            rows[at] += 1
            found[at] = found.get(at, frozenset()) | hits
    return tuple(Trace(table, rows[table, who], found[table, who], who) for table, who in sorted(rows))


def _rows(connection: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of the history's tables, and of those of a queue in the same database."""
    inspector = inspect(connection)
    names = [name for name in inspector.get_table_names() if name.startswith(OUR_TABLES)]
    if QUEUE_SCHEMA in inspector.get_schema_names():
        names += [f"{QUEUE_SCHEMA}.{name}" for name in inspector.get_table_names(QUEUE_SCHEMA)]
    streaming = connection.execution_options(yield_per=_AT_ONCE)
    for name in sorted(names):
        # The names come from the database's own catalogue, and ours begin with a constant.
        quoted = ".".join(f'"{part}"' for part in name.split("."))
        for row in streaming.execute(text(f"SELECT * FROM {quoted}")):  # noqa: S608 - see above
            yield name, dict(row._mapping)


def _as_bytes(row: Mapping[str, Any]) -> bytes:
    """The values of a row, one on each line; what is compressed as what it says."""
    return b"\n".join(map(_value_as_bytes, row.values()))


def _value_as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview | bytearray):
        data = bytes(value)
        try:
            return b"\n".join(unpacked(data))
        except zlib.error:
            return data
    shown = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return shown.encode("utf-8", "backslashreplace")


class _Owners:
    """Which tenants a row belongs to, by its columns."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(tenants.c.id, tenants.c.key, tenants.c.tenant, tenants.c.name)).all()
        self._names: dict[int, str] = {row.id: row.name for row in rows}
        self._by_text: dict[str, str] = {text: row.name for row in rows for text in (row.key, row.tenant, row.name)}
        self._by_run: dict[int, str] = {
            row.id: self._names[row.tenant_id] for row in connection.execute(select(runs.c.id, runs.c.tenant_id))
        }
        self._by_content = self._of_contents(connection)

    def of(self, table: str, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the tenants, in the order of the alphabet; none for what belongs to nobody."""
        if table == contents.name:
            return tuple(sorted(self._by_content.get(row["id"], ())))
        if table == tenants.name:
            return (row["name"],)
        if (number := row.get("tenant_id")) is not None:
            return (self._names[number],) if number in self._names else ()
        if (run := row.get("run_id")) is not None:
            return (self._by_run[run],) if run in self._by_run else ()
        arguments = row.get("args")
        named = arguments.get("tenant") if isinstance(arguments, dict) else row.get("tenant")
        name = self._by_text.get(str(named or ""))
        return (name,) if name else ()

    def _of_contents(self, connection: Connection) -> dict[int, set[str]]:
        """The tenants whose runs hold a content, or one that is kept as a delta to it."""
        found: dict[int, set[str]] = {}
        for row in connection.execute(select(parts.c.content_id, parts.c.run_id)):
            found.setdefault(row.content_id, set()).add(self._by_run[row.run_id])
        # A delta refers to an older content, so the newest goes first.
        newest_first = connection.execute(select(contents.c.id, contents.c.base_id).order_by(contents.c.id.desc()))
        for row in newest_first:
            if row.base_id is not None and row.id in found:
                found.setdefault(row.base_id, set()).update(found[row.id])
        return found
