"""The named lists of permissions that rules refer to: delegated scopes by subject, and application permissions.

The lists and their sources are in ``scope_lists.json``: the scopes that read or change mailboxes, files, sites, chats
or the directory, and the list of risky permissions that CISA publishes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from auditor.facts.ids import RESOURCES as RESOURCES
from auditor.facts.scopes import known_scopes
from auditor.facts.tables import load_table

RISKY = ("mail", "mailbox-protocols", "calendars", "contacts", "files", "sites", "chats", "directory")
"""The lists that make up the list ``risky``."""

CISA = "cisa-risky"
"""CISA's own list, which covers seven resources."""

ADMIN_ONLY = "admin-only"
"""A computed list: every scope that only administrators can grant."""

SCOPE_LISTS = (*RISKY, "risky", CISA, "basic", ADMIN_ONLY)
"""The names of all lists of delegated scopes."""


class NamedRole(NamedTuple):
    """An application permission: the resource (app id), its name and its id."""

    resource: str
    value: str
    id: str


class _Table(msgspec.Struct, frozen=True):
    source: str
    delegated: dict[str, dict[str, tuple[str, ...]]]
    application: dict[str, dict[str, dict[str, str]]]


_TABLE = load_table("scope_lists", _Table)


def _roles(by_resource: Mapping[str, Mapping[str, str]]) -> Iterable[NamedRole]:
    for key, roles in by_resource.items():
        yield from (NamedRole(RESOURCES[key], value, role_id) for value, role_id in roles.items())


APP_ROLES: Mapping[str, tuple[NamedRole, ...]] = MappingProxyType(
    {name: tuple(_roles(lists)) for name, lists in _TABLE.application.items()}
)
"""Application permissions by the name of their list."""


def listed_scopes(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The scopes of these lists together, in lower case, by resource app id."""
    found: dict[str, set[str]] = {resource: set() for resource in RESOURCES.values()}
    parts = (RISKY if name == "risky" else (name,) for name in names)
    for name in dict.fromkeys(part for each in parts for part in each):
        for key, resource in RESOURCES.items():
            found[resource].update(_listed(name, key, resource))
    return {resource: frozenset(scopes) for resource, scopes in found.items() if scopes}


def _listed(name: str, key: str, resource: str) -> Iterable[str]:
    """The scopes of one list on one resource, in lower case."""
    if name == ADMIN_ONLY:
        return [scope for scope, known in known_scopes(resource).items() if known.type == "Admin"]
    return [scope.lower() for scope in _TABLE.delegated.get(name, {}).get(key, ())]


@cache
def spellings() -> Mapping[str, str]:
    """The official spelling of every scope in the lists, by its name in lower case."""
    lists = sorted(_TABLE.delegated.items(), key=lambda item: item[0] != CISA)
    names = (name for _, by_resource in lists for scopes in by_resource.values() for name in scopes)
    return MappingProxyType({name.lower(): name for name in names})
