"""Read snapshots from files and samples, write and redact them, and look up their tokens."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.jobs.audit_request import SILENT, Interaction, Redaction
from auditor.jobs.outputs import PIPE
from auditor.jobs.pack_selection import app_pack_names, apps_of, chosen_packs, texts_for
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import Snapshot
from auditor.snapshot.read import load, loads
from auditor.snapshot.samples import sample
from auditor.snapshot.samples import sample_names as sample_names
from auditor.snapshot.snapshot_errors import SnapshotError

if TYPE_CHECKING:
    from auditor.redact.redactor import Redactor


def read_snapshot(path: str) -> Snapshot:
    """The snapshot in a file, or on standard input for ``-``. Raises SnapshotError."""
    return loads(sys.stdin.buffer.read(), "standard input") if path == PIPE else load(path)


def write_snapshot(snapshot: Snapshot, path: str) -> None:
    """Write the snapshot to a file that only its owner can read, or to standard output for ``-``.

    Raises SnapshotError.
    """
    from auditor.snapshot.write import dumps, save

    if path == PIPE:
        sys.stdout.buffer.write(dumps(snapshot))
    else:
        save(snapshot, path)


def sample_tenant(name: str) -> Snapshot:
    """The sample tenant with this name. Raises InvalidRequest for an unknown name, with the most similar one."""
    try:
        return sample(name)
    except SnapshotError as error:
        raise InvalidRequest(f'{error.message}: "{name}". {error.hint}') from None


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
