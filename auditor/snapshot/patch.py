"""A snapshot with something changed: JSON merge patch (RFC 7396) over its sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.model.snapshot import Snapshot
from auditor.snapshot.errors import ShapeError
from auditor.snapshot.shape import section


def merge_patch(target: Any, changes: Any) -> Any:
    """`target` with `changes` laid over it: objects are merged, null removes, all else replaces."""
    if not isinstance(changes, Mapping):
        return changes
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def patched(snapshot: Snapshot, changes: Mapping[str, Any]) -> Snapshot:
    """The snapshot with `changes` laid over its sections; a section changed to null is one not read.

    Raises `ShapeError` where a section no longer has Graph's shape, and for a name that is no section.
    """
    values: dict[str, Any] = {}
    for name, change in changes.items():
        if name not in snapshot.sections.__struct_fields__:
            raise ShapeError(f"sections.{name}", "is no section")
        before = getattr(snapshot.sections, name)
        values[name] = section(name, merge_patch(msgspec.to_builtins(before), change))
    return msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **values))
