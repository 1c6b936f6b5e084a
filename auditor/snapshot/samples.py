"""Sample tenants: one for each way in which connecting an app can end.

Each is a small file in ``samples/`` that contains only its difference from the file that it names with ``on`` (by
default ``base``): ``set`` is a JSON merge patch of the sections, and each item of ``put`` is merged into the item
with the same id of that list, or added to it. ``covers`` and ``unread`` are patched, too; ``provenance`` is replaced.
The tenants, their ids and the app's publisher are invented; Microsoft's ids are real.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.model.snapshot import Snapshot
from auditor.snapshot import ShapeError, SnapshotError
from auditor.snapshot.graph_json import decode_section
from auditor.snapshot.read import decode_snapshot

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
    "conditional-access",
    "stopped-users",
    "unreadable-policies",
)


def sample_names() -> tuple[str, ...]:
    """The names of all samples, the most usual tenant first."""
    return _NAMES


def about(name: str) -> str:
    """What is special about a sample, and what follows from it, in one line."""
    return str(_overlay(name)["about"])


def sample(name: str) -> Snapshot:
    """The sample tenant of this name. Raises a `SnapshotError` that lists the samples if there is none."""
    overlay = _overlay(name)
    text = (_FOLDER / "base.json").read_text(encoding="utf-8")
    for key, value in overlay["tenant"].items():
        mark = "{domain}" if key == "domain" else f"{{tenant-{key}}}"
        text = text.replace(mark, json.dumps(value)[1:-1])
    document = msgspec.json.decode(text)
    if "on" in overlay:
        _lay(_file(overlay["on"]), document)
    _lay(overlay, document)
    return decode_snapshot(document)


def _overlay(name: str) -> dict[str, Any]:
    if name not in _NAMES:
        import difflib

        close = difflib.get_close_matches(name, _NAMES, n=1)
        meant = f"Did you mean {close[0]}? " if close else ""
        raise SnapshotError(name, "there is no such sample", hint=f"{meant}The samples are: {', '.join(_NAMES)}.")
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
    """`target` with a JSON merge patch (RFC 7396): objects are merged, null removes, anything else replaces."""
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
    """The snapshot with a merge patch of its sections; a section that becomes null was not read.

    Raises `ShapeError` if a section no longer has Graph's documented form, and for an unknown section.
    """
    values: dict[str, Any] = {}
    for name, change in changes.items():
        if name not in snapshot.sections.__struct_fields__:
            raise ShapeError(f"sections.{name}", "isn't a section")
        before = getattr(snapshot.sections, name)
        values[name] = decode_section(name, merge_patch(msgspec.to_builtins(before), change))
    return msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **values))
