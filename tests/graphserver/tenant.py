"""The state of one tenant: the snapshot document it is served from, with the look-ups that make it quick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
_Index = dict[str, list[Row]]
_DOMAIN = "contoso.onmicrosoft.com"


class Tenant:
    """One tenant as a snapshot document describes it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document: dict[str, Any] = {**document, "sections": {}}
        self._index: dict[tuple[str, str], tuple[list[Row], _Index]] = {}
        for name, value in document.get("sections", {}).items():
            self.put(name, value)

    def renamed(self, tenant_id: str, name: str, domain: str) -> Tenant:
        """Another tenant with the same settings. It shares their sections until one of the two replaces a section."""
        other = Tenant({**self.document, "tenant": {"id": tenant_id, "name": name}, "sections": {}})
        domains = [{"name": domain, "isDefault": True, "isInitial": True, "type": "Managed"}]
        (own,) = self.rows("organization")[:1] or [{"tenantType": "AAD"}]
        row = {**own, "id": tenant_id, "displayName": name, "verifiedDomains": domains}
        other.document["sections"] = {**self.document["sections"], "organization": [row]}
        other._index = self._index
        return other

    @property
    def id(self) -> str:
        """The tenant's id, as tokens carry it."""
        return str(self.document["tenant"]["id"])

    @property
    def name(self) -> str:
        """The tenant's display name."""
        return str(self.document["tenant"].get("name", "A tenant"))

    @property
    def organization(self) -> list[Row]:
        """The section of that name, or else what the head of the snapshot says."""
        domains = [{"name": _DOMAIN, "isDefault": True, "isInitial": True, "type": "Managed"}]
        row = {"id": self.id, "displayName": self.name, "tenantType": "AAD", "verifiedDomains": domains}
        return self.rows("organization") or [row]

    def is_named(self, name: str) -> bool:
        """Whether an authority with this id or domain means the tenant."""
        folded = name.casefold()
        return folded == self.id.casefold() or any(
            folded == str(domain["name"]).casefold()
            for row in self.organization
            for domain in row.get("verifiedDomains", ())
        )

    def put(self, section: str, value: Any) -> None:
        """Replace a section; an iterator of rows is settled into a list, once."""
        settled = value if isinstance(value, (dict, list)) else list(value)
        self.document["sections"][section] = settled
        self._index = dict(self._index)

    def drop(self, section: str) -> None:
        """Forget a section, as if the snapshot had never held it."""
        self.document["sections"].pop(section, None)

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
        rows = self.rows(section)
        indexed, index = self._index.get((section, name), (None, {}))
        if indexed is not rows:
            index = defaultdict(list)
            for row in rows:
                index[str(row.get(name)).casefold()].append(row)
            self._index[section, name] = rows, index
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
