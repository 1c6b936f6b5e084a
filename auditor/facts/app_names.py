"""Names of apps by client ID, for reports about apps of which the tenant has no name.

The table is ``app_names.json``: Microsoft's own apps as Microsoft publishes them, and vendors' apps of which only the
client ID is known. Each row names where it comes from and when that was read. ``catalog_names.json`` is generated from
the packs about apps, so that a new pack is enough to name its app. The tables say what an app is called, not that it is
safe, and an ID that they lack isn't suspicious for that reason: Microsoft doesn't publish all of its app IDs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from auditor.facts import load_table
from auditor.model.rule import VendorAdvice

MICROSOFT = "Microsoft"
"""The vendor of Microsoft's own apps."""


class NameSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a claim comes from, and the date on which that was read.

    `address` is empty where there is none, and `read` for a pack that doesn't say when its sources were read.
    """

    what: str
    read: str
    address: str = ""


class AppName(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is called; `vendor` is empty where it isn't known, and `client_id` is in lower case."""

    client_id: str
    name: str
    vendor: str
    source: NameSource

    @property
    def is_microsoft(self) -> bool:
        """Whether the app is one of Microsoft's own."""
        return self.vendor == MICROSOFT


class AppWithoutId(msgspec.Struct, frozen=True, kw_only=True):
    """An app whose vendor publishes the scopes on Microsoft Graph but not the client ID.

    `complete` says whether the list has every scope that the app requests. `vendor_advice` is what the vendor advises
    administrators to do, where that does harm.
    """

    name: str
    vendor: str
    category: str
    scopes: tuple[str, ...]
    complete: bool
    source: NameSource
    vendor_advice: tuple[VendorAdvice, ...] = ()


class _Row(msgspec.Struct, frozen=True):
    client_id: str
    name: str
    vendor: str
    source: str


class _Table(msgspec.Struct, frozen=True):
    source: str
    sources: Mapping[str, NameSource]
    apps: tuple[_Row, ...]
    without_client_id: tuple[AppWithoutId, ...]


class _PackRow(msgspec.Struct, frozen=True):
    client_id: str
    name: str
    vendor: str
    pack: str
    read: str


class _PackTable(msgspec.Struct, frozen=True):
    source: str
    apps: tuple[_PackRow, ...]


@cache
def _table() -> _Table:
    return load_table("app_names", _Table)


@cache
def _names() -> Mapping[str, AppName]:
    table = _table()
    found = {row.client_id: _app(row, table.sources[row.source]) for row in table.apps}
    for one in load_table("catalog_names", _PackTable).apps:
        found[one.client_id] = _app(one, NameSource(what=f"the pack {one.pack}", read=one.read))
    return MappingProxyType(found)


def _app(row: _Row | _PackRow, source: NameSource) -> AppName:
    return AppName(client_id=row.client_id, name=row.name, vendor=row.vendor, source=source)


def app_name(client_id: str) -> AppName | None:
    """What the app with this client ID is called, in any letter case; ``None`` if it isn't known."""
    return _names().get(client_id.lower())


def is_microsofts(client_id: str) -> bool:
    """Whether the table says that the app is one of Microsoft's own."""
    found = app_name(client_id)
    return found is not None and found.is_microsoft


def published_name(client_id: str) -> str:
    """The name in the table; empty if it isn't there."""
    found = app_name(client_id)
    return found.name if found else ""


def named_apps() -> tuple[AppName, ...]:
    """Every app with a name: Microsoft's own first, then vendors', then those that have a pack."""
    return tuple(_names().values())


def apps_without_id() -> tuple[AppWithoutId, ...]:
    """The apps whose client ID isn't published. The address of the app's consent page has it, as ``client_id``."""
    return _table().without_client_id
