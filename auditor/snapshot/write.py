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


class SectionFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where a packed snapshot has the rows of a section: the name of the file, and how many rows are in it."""

    file: str
    rows: int


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot with its fields in the order of the file."""

    format: str
    version: int
    tenant: Tenant
    cloud: str
    taken: str
    tool: str
    sections: Sections
    files: Mapping[str, SectionFile] | msgspec.UnsetType
    covers: Mapping[str, tuple[str, ...]]
    unread: Mapping[str, Unread]
    provenance: Provenance | msgspec.UnsetType


def dumps(snapshot: Snapshot, files: Mapping[str, SectionFile] | None = None) -> bytes:
    """The snapshot as indented JSON, without the sections that were not read.

    `files` are those of a packed snapshot, with the rows of the sections that they name.
    """
    document = _Document(
        format=FORMAT,
        version=VERSION,
        tenant=snapshot.tenant,
        cloud=snapshot.cloud,
        taken=snapshot.taken,
        tool=snapshot.tool,
        sections=snapshot.sections,
        files=msgspec.UNSET if files is None else files,
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
        raise unwritten(origin, Path(path).resolve(), error) from error


def unwritten(origin: str, target: Path, error: OSError) -> SnapshotError:
    """What to do after the file `target`, named as `origin`, could not be written."""
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
    document["$defs"] |= msgspec.json.schema(SectionFile)["$defs"]
    snapshot["properties"]["files"] = {
        "type": "object",
        "description": "In the document of a packed snapshot: the files with the rows of sections, by section.",
        "additionalProperties": {"$ref": "#/$defs/SectionFile"},
    }
    snapshot["required"] = ["format", "version", "tenant", "sections"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **document}
