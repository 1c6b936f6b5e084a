"""Sample tenants: one for each way in which connecting an app turns out.

Each is a small file in ``samples/`` that says only what makes it special. It is laid over the file that it
names with ``on`` (else ``base``): ``set`` is a JSON merge patch of the sections, and each item of ``put`` is
laid over the item with the same id in that list, or added to it. ``covers`` and ``unread`` are patched too,
and ``provenance`` is taken as it is.
The tenants, their ids and the app's publisher are invented; Microsoft's ids are the real ones.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.model.snapshot import Snapshot
from auditor.snapshot.decode import checked
from auditor.snapshot.graph_json import section
from auditor.snapshot.snapshot_errors import ShapeError, SnapshotError

_FOLDER = Path(__file__).with_name("samples")

_NAMES = (
    "managed-default",
    "legacy-open",
    "low-unclassified",
    "low-classified",
    "consent-off",
    "consent-off-workflow",
    "admin-consented",
    "admin-consented-partly",
    "app-disabled",
    "assignment-required",
    "custom-policy",
    "classified-on-exchange-only",
    "unreadable-policies",
)


def sample_names() -> tuple[str, ...]:
    """All samples, the most usual tenant first."""
    return _NAMES


def about(name: str) -> str:
    """What is special about a sample and what follows from it, in one line."""
    return str(_overlay(name)["about"])


def sample(name: str) -> Snapshot:
    """The sample tenant of this name, or a `SnapshotError` that says which there are."""
    overlay = _overlay(name)
    text = (_FOLDER / "base.json").read_text(encoding="utf-8")
    for key, value in overlay["tenant"].items():
        mark = "{domain}" if key == "domain" else f"{{tenant-{key}}}"
        text = text.replace(mark, json.dumps(value)[1:-1])
    document = msgspec.json.decode(text)
    if "on" in overlay:
        _lay(_file(overlay["on"]), document)
    _lay(overlay, document)
    return checked(document)


def _overlay(name: str) -> dict[str, Any]:
    if name not in _NAMES:
        close = difflib.get_close_matches(name, _NAMES, n=1)
        meant = f"Did you mean {close[0]}? " if close else ""
        raise SnapshotError(name, "there is no such sample", hint=f"{meant}There are: {', '.join(_NAMES)}.")
    return _file(name)


def _file(name: str) -> dict[str, Any]:
    overlay: dict[str, Any] = msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes())
    return overlay


def _lay(overlay: dict[str, Any], document: dict[str, Any]) -> None:
    sections = document["sections"] = merge_patch(document["sections"], overlay.get("set", {}))
    for name, items in overlay.get("put", {}).items():
        sections[name] = _put(sections[name], items)
    for name in ("covers", "unread"):
        document[name] = merge_patch(document[name], overlay.get(name, {}))
    if "provenance" in overlay:
        document["provenance"] = overlay["provenance"]


def _put(there: list[dict[str, Any]], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {item["id"]: item for item in there}
    for item in items:
        key = item["id"]
        by_id[key] = merge_patch(by_id[key], item) if key in by_id else item
    return list(by_id.values())


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
