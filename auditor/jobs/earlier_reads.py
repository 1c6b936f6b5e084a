"""The policies of earlier reads of a tenant, from snapshot files and from the history that ``nightly`` writes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from auditor.apps.past_states import policies_of
from auditor.jobs.audit_request import SILENT, Interaction
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import Snapshot

MOST_RUNS = 60
"""The runs of a history that are looked at, the latest first: more than the days of a log."""


class EarlierReads(msgspec.Struct, frozen=True, kw_only=True):
    """Where earlier reads are: snapshot files, and the history that `history` or `config` names, if one of them does.

    The two are as the options of ``diff`` with these names.
    """

    files: tuple[str, ...] = ()
    history: str = ""
    config: str = ""


def earlier_policies(
    where: EarlierReads, snapshot: Snapshot, interaction: Interaction = SILENT
) -> tuple[Snapshot, ...]:
    """The policies of the other reads of the snapshot's tenant.

    Raises SnapshotError, OSError, InvalidRequest for a snapshot of another tenant, and what `NamedHistory.open` raises.
    """
    found = [*_of_files(where.files, snapshot, interaction)]
    if where.history or where.config:
        found += _of_history(where, snapshot, interaction)
    return tuple({one.taken: one for one in found if one.taken != snapshot.taken}.values())


def _of_files(files: tuple[str, ...], snapshot: Snapshot, interaction: Interaction) -> Iterator[Snapshot]:
    from auditor.jobs.snapshot_files import read_snapshot

    for file in files:
        read = read_snapshot((file,), snapshot.tenant.id, interaction)
        if read.tenant.id.lower() != snapshot.tenant.id.lower():
            raise InvalidRequest(f"--earlier: {file} is a snapshot of another tenant ({read.tenant.id})")
        if not read.taken:
            raise InvalidRequest(f"--earlier: {file} doesn't say when it was read, so it can't be compared")
        yield policies_of(read)


def _of_history(where: EarlierReads, snapshot: Snapshot, interaction: Interaction) -> Iterator[Snapshot]:
    from auditor.jobs.kept_runs import named_history

    with named_history(where.history, where.config).open() as history:
        runs = [run for run in history.runs(snapshot.tenant.id, limit=MOST_RUNS) if run.taken]
        if not runs:
            interaction.say("Note: the history has no finished run of this tenant, so it shows no earlier policies.")
        for run in runs:
            _, read = history.comparable_parts(run.id)
            yield policies_of(read)
