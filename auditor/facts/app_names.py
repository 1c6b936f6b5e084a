"""Names of apps by client ID, for reports about apps of which the tenant has no name.

The table is ``app_names.json``: Microsoft's own apps as Microsoft publishes them, and vendors' apps of which only the
client ID is known. Each row names where it comes from and when that was read. The table says what an app is called,
not that it is safe, and an ID that it lacks isn't suspicious for that reason: Microsoft doesn't publish all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from auditor.facts import load_table

MICROSOFT = "Microsoft"
"""The vendor of Microsoft's own apps."""


class NameSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a claim comes from, and the date on which that was read; `address` is empty where there is none."""

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

    `complete` says whether the list has every scope that the app requests.
    """

    name: str
    vendor: str
    category: str
    scopes: tuple[str, ...]
    complete: bool
    source: NameSource


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


@cache
def _table() -> _Table:
    return load_table("app_names", _Table)


@cache
def _names() -> Mapping[str, AppName]:
    table = _table()
    return MappingProxyType(
        {
            row.client_id: AppName(
                client_id=row.client_id, name=row.name, vendor=row.vendor, source=table.sources[row.source]
            )
            for row in table.apps
        }
    )


def app_name(client_id: str) -> AppName | None:
    """What the app with this client ID is called, in any letter case; ``None`` if it isn't known."""
    return _names().get(client_id.lower())


def published_name(client_id: str) -> str:
    """The name in the table; empty if it isn't there."""
    found = app_name(client_id)
    return found.name if found else ""


def named_apps() -> tuple[AppName, ...]:
    """Every app of the table, Microsoft's own first, then by vendor and name."""
    return tuple(_names().values())


def apps_without_id() -> tuple[AppWithoutId, ...]:
    """The apps whose client ID isn't published. The address of the app's consent page has it, as ``client_id``."""
    return _table().without_client_id
