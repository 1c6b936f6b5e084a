"""What in a tenant says who changed what decides about consent, and when: activities of its log, and drifts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from auditor.facts import load_table


class _Table(msgspec.Struct, frozen=True):
    source: str
    read: str
    activities: dict[str, tuple[str, ...]]
    properties: tuple[str, ...]
    words: tuple[str, ...]
    drifts_source: str
    drifts: dict[str, dict[str, dict[str, tuple[str, ...]]]]


@cache
def _table() -> _Table:
    return load_table("audit_activities", _Table)


@cache
def activities_by_kind() -> Mapping[str, tuple[str, ...]]:
    """The names of activities (``activityDisplayName``), by the kind of change that they record."""
    return MappingProxyType(_table().activities)


@cache
def all_activities() -> tuple[str, ...]:
    """Every activity to read, once each."""
    return tuple(dict.fromkeys(name for names in activities_by_kind().values() for name in names))


def logged_properties() -> tuple[str, ...]:
    """The names of the properties that an entry about consent can change."""
    return _table().properties


def logged_words() -> tuple[str, ...]:
    """Microsoft's words in the values of these properties, and in the details of an entry."""
    return _table().words


@cache
def drift_types() -> tuple[str, ...]:
    """The types of resources (``resourceType``) whose drifts are read, in both of Microsoft's spellings."""
    names = [name for types in _table().drifts.values() for name in types]
    return tuple(dict.fromkeys(spelled for name in names for spelled in (name, name.lower())))


@cache
def drifts_by_property() -> Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]:
    """The kind of change, and the ends of the keys of changes, by type and property in lower case.

    An empty end means that the object itself appeared or is gone.
    """
    return MappingProxyType(
        {
            (type_name.lower(), name.lower()): (kind, ends)
            for kind, types in _table().drifts.items()
            for type_name, properties in types.items()
            for name, ends in properties.items()
        }
    )
