"""Permissions of Microsoft's resources: delegated scopes, named lists for rules, and application permissions.

Four tables, each with its source: ``scopes.json`` gives the names of the ids in policies, finds misspelled scopes in a
pack, and is used for a resource that could not be read, though never as certain (what the tenant's own service
principal says comes first). ``scope_lists.json`` holds the scopes that read or change mailboxes, files, sites, chats or
the directory, and the risky permissions that CISA publishes. ``permissions.json`` holds the application permissions of
the audit; which of them allow which read is in `auditor.model.sections`. ``plain_words.json`` says what a scope allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from auditor.facts import load_table
from auditor.facts.ids import RESOURCES


class KnownScope(msgspec.Struct, frozen=True):
    """A delegated scope. `type` says who may consent, as the resource's publisher set it: users, or admins only."""

    value: str
    id: str
    type: Literal["User", "Admin"]
    enabled: bool = True


class _Resource(msgspec.Struct, frozen=True):
    complete: bool
    scopes: tuple[KnownScope, ...]


class _ScopeTable(msgspec.Struct, frozen=True):
    source: str
    read: str
    resources: dict[str, _Resource]


@cache
def _resources() -> Mapping[str, _Resource]:
    return load_table("scopes", _ScopeTable).resources


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


class _ListTable(msgspec.Struct, frozen=True):
    source: str
    delegated: dict[str, dict[str, tuple[str, ...]]]
    application: dict[str, dict[str, dict[str, str]]]


_LISTS = load_table("scope_lists", _ListTable)


def _roles(by_resource: Mapping[str, Mapping[str, str]]) -> Iterable[NamedRole]:
    for key, roles in by_resource.items():
        yield from (NamedRole(RESOURCES[key], value, role_id) for value, role_id in roles.items())


APP_ROLES: Mapping[str, tuple[NamedRole, ...]] = MappingProxyType(
    {name: tuple(_roles(lists)) for name, lists in _LISTS.application.items()}
)
"""Application permissions by the name of their list."""

ROLE_NAMES: Mapping[str, str] = MappingProxyType({one.id: one.value for roles in APP_ROLES.values() for one in roles})
"""The names of these application permissions by id in lower case."""


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
    return [scope.lower() for scope in _LISTS.delegated.get(name, {}).get(key, ())]


@cache
def spellings() -> Mapping[str, str]:
    """The official spelling of every scope in the lists, by its name in lower case."""
    lists = sorted(_LISTS.delegated.items(), key=lambda item: item[0] != CISA)
    names = (name for _, by_resource in lists for scopes in by_resource.values() for name in scopes)
    return MappingProxyType({name.lower(): name for name in names})


class _WordTable(msgspec.Struct, frozen=True):
    source: str
    resources: dict[str, dict[str, str]]


_SHARED_WORDS = ("microsoft-graph", "exchange-online", "sharepoint-online")
"""The resources that name their scopes alike: Exchange Online's Mail.Read allows what Microsoft Graph's does."""


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    table = load_table("plain_words", _WordTable).resources
    graph = table[_SHARED_WORDS[0]]
    return MappingProxyType(
        {
            RESOURCES[key]: {
                name.lower(): said for name, said in {**(graph if key in _SHARED_WORDS else {}), **own}.items()
            }
            for key, own in table.items()
        }
    )


def plain_words(resource: str, scope: str) -> str:
    """What the app can do with a delegated scope of the resource (app id), as a clause; empty for one not in the table.

    ``read mail in the user's own mailbox``: for a resource that doesn't say it itself (`userConsentDisplayName`).
    """
    return _words().get(resource.lower(), {}).get(scope.lower(), "")


class ApplicationPermission(msgspec.Struct, frozen=True, kw_only=True):
    """An app role of Microsoft Graph.

    `allows` is what an app can read with it, in plain words for an administrator who is asked for it. `without` says
    what an audit without the permission can't determine. `wider` are the permissions that Graph's reference lists as
    higher privileged ones for the same reads: a token with one of them can audit, but an audit shouldn't get it.
    """

    name: str
    id: str
    without: str
    allows: str = ""
    wider: tuple[str, ...] = ()


class _PermissionTable(msgspec.Struct, frozen=True):
    source: str
    permissions: tuple[ApplicationPermission, ...]
    listing: Mapping[str, ApplicationPermission]


_PERMISSIONS = load_table("permissions", _PermissionTable)

PERMISSIONS: Mapping[str, ApplicationPermission] = MappingProxyType(
    {permission.name: permission for permission in _PERMISSIONS.permissions}
)
"""The permissions by name, in the order in which the documentation lists them."""

LISTING_PERMISSIONS: Mapping[str, ApplicationPermission] = MappingProxyType(dict(_PERMISSIONS.listing))
"""What lists a partner's customers, by where they are kept: ``gdap`` or ``contracts``. Only in the partner's tenant."""
