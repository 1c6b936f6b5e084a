"""The activities of the directory's audit log that say who changed what decides about consent."""

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


@cache
def activities_by_kind() -> Mapping[str, tuple[str, ...]]:
    """The names of activities (``activityDisplayName``), by the kind of change that they record."""
    return MappingProxyType(load_table("audit_activities", _Table).activities)


@cache
def all_activities() -> tuple[str, ...]:
    """Every activity to read, once each."""
    return tuple(dict.fromkeys(name for names in activities_by_kind().values() for name in names))
