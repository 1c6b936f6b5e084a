"""Values and items of a snapshot by their paths, or why they are unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import UNSET

from auditor.consent.lookup import NotRead, index_of
from auditor.model.resources import OAuth2PermissionGrant, Resource, ServicePrincipal, VerifiedPublisher
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot

ASSIGNED_POLICIES = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"
"""The path of the consent policies that are assigned to users."""


class Missing(NamedTuple):
    """A property that Graph left out; `means` is the value that this documents, if Microsoft says so."""

    means: Any = UNSET


_NULL: Mapping[tuple[type, str], Any] = {
    (VerifiedPublisher, "verifiedPublisherId"): None,
    (VerifiedPublisher, "displayName"): None,
    (ServicePrincipal, "isDisabled"): False,
    (ServicePrincipal, "disabledByMicrosoftStatus"): None,
    (OAuth2PermissionGrant, "principalId"): None,
}
"""Properties whose null is documented, as their classes say; every other null is an unknown value."""

_NAMES = ("displayName", "name", "permissionName", "appDisplayName", "userPrincipalName", "query", "id", "appId")


class ItemRows(NamedTuple):
    """The items of a list; `partial` says why there may be more of them."""

    rows: tuple[Resource, ...]
    partial: str = ""


def value_at(snapshot: Snapshot, path: str) -> Any:
    """The value at a dotted path that starts with a section, `Missing`, or `NotRead`."""
    section, _, rest = path.partition(".")
    found = getattr(snapshot.sections, section)
    if found is None:
        return index_of(snapshot).not_read(section)
    value = property_of(found, rest)
    return NotRead(section, f"{value.why} of {section}") if isinstance(value, NotRead) else value


def property_of(item: Any, path: str) -> Any:
    """The property of an item at a dotted path, `Missing`, or `NotRead` where a property on the way is unknown."""
    steps = path.split(".") if path else []
    for number, name in enumerate(steps):
        parent, item = item, getattr(item, name)
        if item is None and number < len(steps) - 1:
            return NotRead("", f"{'.'.join(steps[: number + 1])} was not read")
        if item is None:
            return Missing(_NULL.get((type(parent), name), UNSET))
    return item


def items_at(snapshot: Snapshot, path: str) -> ItemRows | NotRead:
    """The items of the list at a dotted path, through lists and by-app tables alike."""
    section, _, rest = path.partition(".")
    found = getattr(snapshot.sections, section)
    if found is None:
        return index_of(snapshot).not_read(section)
    partial = why_partial(snapshot, section)
    rows: list[Any] = list(_flat(found))
    for name in rest.split(".") if rest else []:
        deeper: list[Any] = []
        for row in rows:
            if (value := getattr(row, name)) is None:
                partial = partial or f"{name} was not read for every entry of {section}"
            else:
                deeper += _flat(value)
        rows = deeper
    return ItemRows(tuple(rows), partial)


def why_partial(snapshot: Snapshot, section: str) -> str:
    """Why a section doesn't include everything of its kind in the tenant; empty if it does."""
    if SECTIONS[section].only_by_app:
        return f"{section} can only be read app by app"
    if section in snapshot.covers:
        return f"only part of {section} was read ({len(snapshot.covers[section])} requested)"
    part = next((name for name in sorted(snapshot.unread) if name.startswith(f"{section}/")), None)
    return index_of(snapshot).not_read(section, part.partition("/")[2]).why if part else ""


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for rows in value.values():
            yield from rows
    elif isinstance(value, tuple):
        yield from value
    else:
        yield value


def name_of(item: Any) -> str:
    """The name of an item in evidence."""
    for name in _NAMES:
        if text := getattr(item, name, None):
            return str(text)
    return " ".join(str(v) for name in ("clientId", "principalId", "appRoleId") if (v := getattr(item, name, None)))
