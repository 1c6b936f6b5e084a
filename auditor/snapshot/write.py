"""Write a snapshot to a file: the same snapshot gives the same bytes, and only the owner can read the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.atomic import write_whole
from auditor.model.sections import Sections
from auditor.model.snapshot import FORMAT, VERSION, Provenance, Snapshot, Tenant, Unread
from auditor.snapshot import SnapshotError


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot with its fields in the order of the file."""

    format: str
    version: int
    tenant: Tenant
    cloud: str
    taken: str
    tool: str
    sections: Sections
    covers: Mapping[str, tuple[str, ...]]
    unread: Mapping[str, Unread]
    provenance: Provenance | msgspec.UnsetType


def dumps(snapshot: Snapshot) -> bytes:
    """The snapshot as indented JSON, without the sections that were not read."""
    document = _Document(
        format=FORMAT,
        version=VERSION,
        tenant=snapshot.tenant,
        cloud=snapshot.cloud,
        taken=snapshot.taken,
        tool=snapshot.tool,
        sections=snapshot.sections,
        covers=snapshot.covers,
        unread=snapshot.unread,
        provenance=snapshot.provenance or msgspec.UNSET,
    )
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2) + b"\n"


def save(snapshot: Snapshot, path: str | os.PathLike[str]) -> None:
    """Write the whole file or nothing, readable by its owner only. Raises `SnapshotError` if that fails.

    Follows your own links. Writes into an existing path that is not a file (a terminal, a pipe). Raises
    `InvalidRequest` for a place where another user could read or redirect it (see `auditor.atomic`).
    """
    origin = os.fspath(path)
    try:
        write_whole(path, dumps(snapshot))
    except OSError as error:
        raise _unwritten(origin, Path(path).resolve(), error) from error


def _unwritten(origin: str, target: Path, error: OSError) -> SnapshotError:
    if target.is_dir():
        what, hint = "is a directory", "Specify a file in it."
    elif isinstance(error, FileNotFoundError | NotADirectoryError):
        what, hint = "there is no such directory", f"Create it first: mkdir {target.parent}"
    elif isinstance(error, PermissionError):
        what, hint = "cannot be written by this user", "Choose another path with -o."
    else:
        what = f"cannot be written: {error.strerror or error}"
        hint = "Check the disk, or choose another path with -o."
    return SnapshotError(origin, what, hint=hint)


def schema() -> dict[str, Any]:
    """The JSON Schema of a snapshot in canonical spelling; `loads` also accepts other spellings and unknown keys."""
    document = msgspec.json.schema(Snapshot)
    snapshot = document["$defs"]["Snapshot"]
    snapshot["properties"]["format"] = {"const": FORMAT}
    snapshot["properties"]["version"] = {"const": VERSION}
    snapshot["required"] = ["format", "version", "tenant", "sections"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **document}
