"""Read snapshots from files, write and redact them, and look up their tokens."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import PIPE, SILENT, Interaction, Redaction
from auditor.jobs.pack_selection import app_pack_names, apps_of, chosen_packs, texts_for
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import Snapshot
from auditor.snapshot import NotASnapshot, SnapshotError
from auditor.snapshot.read import file_bytes, loads, stream_bytes
from auditor.snapshot.samples import sample_names as sample_names

if TYPE_CHECKING:
    from auditor.redact.redactor import Redactor
    from auditor.snapshot.large_sections import Wanted


_ZIP = b"PK\x03\x04"
"""The first bytes of a zip archive."""
_LARGE = 1 << 22
"""Bytes of a JSON document of which the rows are read one by one: those of some thousand apps and grants."""
LONG_READ = 5_000_000
"""Bytes of files whose read is announced on a terminal: about a second's."""


def read_snapshot(
    paths: Sequence[str],
    tenant_id: str = "",
    interaction: Interaction = SILENT,
    wanted: Callable[[], Wanted] | None = None,
) -> Snapshot:
    """The snapshot in a file, in a bundle, or in files and folders that other tools wrote; ``-`` is standard input.

    `tenant_id` names the tenant if no file does; without either, it stays empty. Files that were not used are listed.
    `wanted` says what a question needs of a large snapshot; without it, everything is kept. Raises SnapshotError, and
    InvalidRequest for a tenant that isn't given by its id.
    """
    if interaction.on_wait and _takes_long(paths):
        interaction.on_wait(f"Reading {paths[0]}…" if len(paths) == 1 else f"Reading {len(paths)} files…")
    snapshot = _read(paths, tenant_id, interaction, wanted)
    if not snapshot.tenant.id:
        interaction.say(f"Note: the files don't name the tenant. {NAME_THE_TENANT}")
    return snapshot


def _takes_long(paths: Iterable[str]) -> bool:
    """Whether the files, and those in the folders, are so large that a person wonders what happens."""
    size = 0
    for path in paths:
        for file in (Path(path), *Path(path).rglob("*")) if path != PIPE else ():
            with contextlib.suppress(OSError):
                size += file.stat().st_size
            if size > LONG_READ:
                return True
    return False


def _read(
    paths: Sequence[str], tenant_id: str, interaction: Interaction, wanted: Callable[[], Wanted] | None = None
) -> Snapshot:
    if len(paths) == 1 and paths[0] != PIPE and (packed := _packed(paths[0], paths[0], wanted)):
        return packed
    contents = {path: _content(path) for path in dict.fromkeys(paths) if not Path(path).is_dir()}
    if len(paths) == 1 and contents:
        ((path, data),) = contents.items()
        with contextlib.suppress(NotASnapshot):
            return _archived(data, path) if data.startswith(_ZIP) else _document(data, _name(path), wanted)
    # Only files of other tools need these modules.
    from auditor.snapshot.import_files import ImportedFiles

    files = ImportedFiles()
    for path in dict.fromkeys(paths):
        if path not in contents:
            files.add_folder(path)
        elif contents[path].startswith(_ZIP):
            files.add_snapshot(_archived(contents[path], path), path)
        else:
            files.add_data(contents[path], _name(path))
    if tenant_id and not is_guid(tenant_id):
        raise InvalidRequest(
            f"files name a tenant by its ID, and {tenant_id} is none: give --tenant the ID of the tenant"
        )
    made = files.assembled(tenant_id)
    for note in made.notes:
        interaction.say(f"Note: {note}")
    if made.snapshot.sections.servicePrincipals is None:
        interaction.say(f"Note: {_NAME_THE_APPS}")
    return made.snapshot


def imported_snapshot(
    paths: Sequence[str],
    tenant_id: str = "",
    packs: Iterable[str] = (),
    redaction: Redaction | None = None,
    interaction: Interaction = SILENT,
) -> Snapshot:
    """The snapshot that files of other tools make together, to be written to a file, redacted if requested.

    The apps of the packs stay readable. Raises what `read_snapshot` raises, InvalidRequest if neither the files nor
    `tenant_id` name the tenant, and what `redactor_of_file` raises.
    """
    for path in paths:
        if path != PIPE and not os.path.lexists(path):
            raise SnapshotError(path, "there is no such file or folder", hint="Check the path, and where you are.")
    snapshot = _read(paths, tenant_id, interaction)
    if not snapshot.tenant.id:
        raise InvalidRequest(f"the files don't name the tenant, and a snapshot must. {NAME_THE_TENANT}")
    return snapshot if redaction is None else redactor_of_file(snapshot, redaction, packs, interaction).snapshot


NAME_THE_TENANT = "Add --tenant with its ID, or the answer of https://graph.microsoft.com/v1.0/organization."


_NAME_THE_APPS = (
    "the files hold no service principals, so nothing is known about any app in the tenant. To decide about an app, add"
    " its service principal and that of Microsoft Graph (docs/other-tools.md)."
)


def _content(path: str) -> bytes:
    return stream_bytes(sys.stdin.buffer, _name(path)) if path == PIPE else file_bytes(path)


def _name(path: str) -> str:
    return "standard input" if path == PIPE else path


def _document(data: bytes, origin: str, wanted: Callable[[], Wanted] | None) -> Snapshot:
    """The snapshot in a JSON document. One that is large is read row by row, if its form is that of this program."""
    if len(data) > _LARGE:
        from auditor.snapshot.packed_read import load_large

        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            return load_large(data, origin, wanted() if wanted else None)
    return loads(data, origin)


def _packed(file: str | IO[bytes], path: str, wanted: Callable[[], Wanted] | None = None) -> Snapshot | None:
    """The snapshot in a packed file; none if the file is something else."""
    if isinstance(file, str):
        try:
            if not Path(file).is_file():  # what a pipe holds can be read only once
                return None
            with open(file, "rb") as opened:
                if opened.read(len(_ZIP)) != _ZIP:
                    return None
        except (OSError, ValueError):
            return None
    from auditor.snapshot.packed_read import load_packed

    return load_packed(file, _name(path), wanted() if wanted else None)


def _archived(data: bytes, path: str) -> Snapshot:
    """The snapshot in an archive, which is a packed snapshot or a bundle."""
    return _packed(BytesIO(data), path) or _bundled(data, path)


def _bundled(data: bytes, path: str) -> Snapshot:
    """The snapshot in a bundle. Raises SnapshotError for another archive, and for a bundle that was changed."""
    from auditor.jobs.bundle_reader import damage, read_bundle
    from auditor.jobs.bundle_writer import SNAPSHOT, BundleError, NotABundle

    try:
        manifest, members = read_bundle(data)
        problem = next(damage(manifest, members), "")
    except NotABundle:
        hint = "To use the files in it, extract it and give the folder."
        raise SnapshotError(_name(path), "is a zip archive without a snapshot of this program", hint=hint) from None
    except BundleError as error:
        todo = f"{error.todo[0].upper()}{error.todo[1:]}"
        hint = f"{todo}. If another tool wrote the files in it, extract it and give the folder."
        raise SnapshotError(_name(path), f"can't be read as a bundle, because {error.why}", hint=hint) from None
    if problem:
        hint = f"Ask the sender for the file again. To see all problems: consent-auditor bundle verify {path}"
        raise SnapshotError(_name(path), f"is a bundle that was damaged or changed ({problem})", hint=hint)
    return loads(members[SNAPSHOT], f"{SNAPSHOT} in {_name(path)}")


def write_snapshot(snapshot: Snapshot, path: str) -> None:
    """Write the snapshot to a file that only its owner can read, or to standard output for ``-``.

    A file whose name ends in ``.zip`` has the packed form. Raises SnapshotError.
    """
    from auditor.snapshot.packed_files import is_packed, save_packed
    from auditor.snapshot.write import dumps, save

    if path == PIPE:
        sys.stdout.buffer.write(dumps(snapshot))
    elif is_packed(path):
        save_packed(snapshot, path)
    else:
        save(snapshot, path)


def sections_lost(snapshot: Snapshot, path: str) -> tuple[str, ...]:
    """The sections that the snapshot file at `path` has of the same tenant, and that could not be read now.

    Empty if there is no snapshot at `path`. Only a snapshot that isn't complete costs a look at the file.
    """
    lost = tuple(name for name in snapshot.unread if getattr(snapshot.sections, name, ...) is None)
    if not lost or path == PIPE or not Path(path).is_file():
        return ()
    from auditor.snapshot.large_sections import Wanted

    try:
        earlier = _read([path], "", SILENT, Wanted)
    except SnapshotError:
        return ()
    if earlier.tenant.id.lower() != snapshot.tenant.id.lower():
        return ()
    return tuple(name for name in lost if getattr(earlier.sections, name) is not None)


def redactor_of_file(
    snapshot: Snapshot, redaction: Redaction, packs: Iterable[str], interaction: Interaction = SILENT
) -> Redactor:
    """The redactor for a snapshot. The apps of the packs stay readable; without packs, those of all shipped app packs.

    Raises SnapshotError for a file that isn't a key file, PackError and OSError.
    """
    from auditor.jobs.redaction import redactor_for

    names = tuple(packs) or app_pack_names()
    chosen = chosen_packs(names)
    return redactor_for(snapshot, apps_of(chosen), redaction, texts_for(chosen, names), interaction)


def revealed(originals: dict[str, str], token: str) -> str | None:
    """The name that a token replaced (case is ignored), or None if it isn't a token of this snapshot and key."""
    known = {one.lower(): original for one, original in originals.items()}
    return known.get(token.strip().lower())


def must_be_key_file(path: str) -> None:
    """Raise InvalidRequest if there is no key file to look up a token with."""
    if not Path(path).is_file():
        raise InvalidRequest(f"the key file {path} doesn't exist: give the key file with which the token was created")
