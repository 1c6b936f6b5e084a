"""A folder of snapshots as a list of customers: each file or folder in it is what was read of one tenant."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import msgspec

from auditor.model.customers import Customer
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import FORMAT
from auditor.snapshot import SnapshotError
from auditor.snapshot.packed_files import DOCUMENT
from auditor.snapshot.read import file_bytes

ENDINGS = (".json", ".json.gz", ".zip")
"""Of the names of snapshots, bundles and reports."""
_OWN = "consent-auditor/"
_LARGEST_HEAD = 256 << 20
"""Bytes of the document in an archive; the rows of large sections aren't in it."""


class _Tenant(msgspec.Struct):
    id: str = ""


class _Head(msgspec.Struct):
    """What distinguishes snapshots; the sections aren't decoded."""

    format: str = ""
    taken: str = ""
    tenant: _Tenant | None = None


class FolderList(msgspec.Struct, frozen=True):
    """The customers in the folder, and sentences on what was left out."""

    customers: tuple[Customer, ...]
    notes: tuple[str, ...] = ()


def snapshots_in(folder: str, source: str, reports: str = "") -> FolderList:
    """The latest snapshot of each tenant in the folder, named after its file.

    A file that can't be read is in the list as well: its audit says why. Other documents of this program, unfinished
    reads, hidden files and the folder of `reports` are not. Raises InvalidRequest if the folder can't be read.
    """
    notes: list[str] = []
    latest: dict[str, tuple[str, Customer]] = {}
    for path in paths_in(folder, reports):
        head = _head(path)
        if head.format.startswith(_OWN) and head.format != FORMAT:
            notes.append(f"{path.name} is left out: it is a {head.format.removeprefix(_OWN)}, not a snapshot")
            continue
        tenant = head.tenant.id.lower() if head.tenant else ""
        customer = Customer(tenant=tenant, name=stem(path), source=source, snapshot=str(path))
        key = tenant or path.name
        if key in latest:
            older, newer = sorted(((head.taken, customer), latest[key]), key=lambda one: (one[0], one[1].snapshot))
            latest[key] = newer
            left, used = Path(older[1].snapshot).name, Path(newer[1].snapshot).name
            notes.append(f"{left} is left out: {used} is a later snapshot of the same tenant")
        else:
            latest[key] = (head.taken, customer)
    return FolderList(tuple(customer for _, customer in latest.values()), tuple(notes))


def tenant_of(snapshot: str) -> str:
    """The tenant's id in a snapshot file, in lower case; empty if the file doesn't say it, or can't be read."""
    tenant = _head(Path(snapshot)).tenant if snapshot else None
    return tenant.id.lower() if tenant else ""


def paths_in(folder: str, reports: str = "") -> Iterator[Path]:
    """The files and the folders of exports in a folder that can be a snapshot, by name.

    Hidden files, unfinished reads and the folder of `reports` are left out. Raises InvalidRequest if the folder can't
    be read.
    """
    from auditor.graph.checkpoint import ENDING as UNFINISHED

    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidRequest(
            f"the folder {folder} can't be read: {error.strerror}", advice="Correct its path, or its permissions."
        ) from None
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith(UNFINISHED):
            continue
        path = Path(folder, entry.name)
        if entry.name.lower().endswith(ENDINGS) or (entry.is_dir() and _has_exports(path, reports)):
            yield path


def _has_exports(path: Path, reports: str) -> bool:
    """Whether the folder can hold the files of another tool, which make a snapshot together."""
    if reports and Path(reports).resolve() in (path.resolve(), *path.resolve().parents):
        return False
    return next(path.rglob("*.json"), None) is not None


def stem(path: Path) -> str:
    """The file's name without the ending of a snapshot, a bundle or a report."""
    name = path.name
    return next((name[: -len(end)] for end in reversed(ENDINGS) if name.lower().endswith(end)), name)


def _head(path: Path) -> _Head:
    """What the file says about itself; nothing if that can't be read."""
    with contextlib.suppress(
        OSError, SnapshotError, msgspec.DecodeError, UnicodeDecodeError, BadZipFile, KeyError, RuntimeError
    ):
        if path.suffix.lower() == ".zip":
            with ZipFile(path) as archive:
                member = archive.getinfo(DOCUMENT)
                data = archive.read(member) if member.file_size <= _LARGEST_HEAD else b""
        else:
            data = file_bytes(path) if path.is_file() else b""
        return msgspec.json.decode(data, type=_Head)
    return _Head()
