"""The only state of the server: the snapshot document it serves, with the look-ups that make it quick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]


class Tenant:
    """One tenant as a snapshot document describes it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document: dict[str, Any] = {**document, "sections": {}}
        self._index: dict[tuple[str, str], dict[str, list[Row]]] = {}
        for name, value in document.get("sections", {}).items():
            self.put(name, value)

    @property
    def id(self) -> str:
        """The tenant's id, as tokens carry it."""
        return str(self.document["tenant"]["id"])

    @property
    def name(self) -> str:
        """The tenant's display name."""
        return str(self.document["tenant"].get("name", "A tenant"))

    def put(self, section: str, value: Any) -> None:
        """Replace a section; an iterator of rows is settled into a list, once."""
        settled = value if isinstance(value, (dict, list)) else list(value)
        self.document["sections"][section] = settled
        self._index = {key: rows for key, rows in self._index.items() if key[0] != section}

    def drop(self, section: str) -> None:
        """Forget a section, as if the snapshot had never held it."""
        self.document["sections"].pop(section, None)
        self._index = {key: rows for key, rows in self._index.items() if key[0] != section}

    def unread(self, section: str) -> Mapping[str, Any] | None:
        """How Graph refused this section when the snapshot was taken, if it did."""
        found: Mapping[str, Any] | None = self.document.get("unread", {}).get(section)
        return found

    def one(self, section: str) -> Row | None:
        """A section that is a single object."""
        found = self.document["sections"].get(section)
        return found if isinstance(found, dict) else None

    def rows(self, section: str) -> list[Row]:
        """A section that is a list; empty when the snapshot does not hold it."""
        found = self.document["sections"].get(section, [])
        return found if isinstance(found, list) else []

    def where(self, section: str, name: str, value: str) -> list[Row]:
        """The rows of a section whose property `name` is `value`, whatever the case."""
        index = self._index.get((section, name))
        if index is None:
            index = defaultdict(list)
            for row in self.rows(section):
                index[str(row.get(name)).casefold()].append(row)
            self._index[section, name] = index
        return index.get(value.casefold(), [])

    def first(self, section: str, name: str, value: str) -> Row | None:
        """The first row of a section whose property `name` is `value`."""
        found = self.where(section, name, value)
        return found[0] if found else None

    def under(self, section: str, key: str) -> list[Row] | None:
        """The list that a section keeps under `key` (an app id), or none when it keeps none."""
        kept = self.document["sections"].get(section, {})
        for name, rows in kept.items() if isinstance(kept, dict) else ():
            if name.casefold() == key.casefold():
                return list(rows)
        return None
