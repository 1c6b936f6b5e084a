"""Delegated scopes that Microsoft's resources publish in every tenant: names, ids, and who may consent.

The table (``scopes.json``, with its source and date) gives the names of the ids in policies, finds misspelled scopes in
a pack, and is used for a resource that could not be read, though never as certain. If the tenant's own service
principal was read, it takes precedence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

import msgspec

from auditor.facts.tables import load_table


class KnownScope(msgspec.Struct, frozen=True):
    """A delegated scope. `type` says who may consent, as the resource's publisher set it: users, or admins only."""

    value: str
    id: str
    type: Literal["User", "Admin"]
    enabled: bool = True


class _Resource(msgspec.Struct, frozen=True):
    complete: bool
    scopes: tuple[KnownScope, ...]


class _Table(msgspec.Struct, frozen=True):
    source: str
    read: str
    resources: dict[str, _Resource]


@cache
def _resources() -> Mapping[str, _Resource]:
    return load_table("scopes", _Table).resources


@cache
def is_complete(resource: str) -> bool:
    """Whether the table lists every scope of the resource (app id), so that an unlisted name is a mistake."""
    found = _resources().get(resource.lower())
    return found is not None and found.complete


@cache
def known_scopes(resource: str) -> Mapping[str, KnownScope]:
    """The scopes of the resource with this app id, by lower-case name; empty for an unknown resource."""
    found = _resources().get(resource.lower())
    return MappingProxyType({scope.value.lower(): scope for scope in found.scopes} if found else {})


@cache
def known_scope_ids() -> Mapping[str, tuple[str, KnownScope]]:
    """Resource app id and scope of every known permission id (lower case)."""
    return MappingProxyType({scope.id: (app_id, scope) for app_id, one in _resources().items() for scope in one.scopes})
