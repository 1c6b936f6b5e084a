"""The sample tenants by name, for every command that takes ``--sample``."""

from __future__ import annotations

import click

from auditor.model.snapshot import Snapshot


def bundled(name: str) -> Snapshot:
    """The sample tenant; raises click.UsageError for a name that none has, with the nearest one."""
    from auditor.snapshot.samples import sample
    from auditor.snapshot.snapshot_errors import SnapshotError

    try:
        return sample(name)
    except SnapshotError as error:
        raise click.UsageError(f'{error.message}: "{name}". {error.hint}') from None
