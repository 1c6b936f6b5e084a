"""What a comparison of predictions with the logs needs: the users of the events, and the policies of earlier reads.

Earlier reads are snapshot files, and the runs of the history that ``nightly`` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from auditor.apps.past_states import policies_of
from auditor.apps.predictions import concerned
from auditor.consent.subject import ADMIN_ROLES
from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import SILENT, Interaction
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import Plan, Snapshot

MOST_RUNS = 60
"""The runs of a history that are looked at, the latest first: more than the days of a log."""
MOST_COMPARED = 100
"""Users that are read for a comparison, those of the latest events first. Of the others, nothing can be said."""


def people_to_compare(snapshot: Snapshot) -> Plan:
    """The people whose consents and failed sign-ins are compared with what is decided for them."""
    return users_to_read(snapshot, concerned(snapshot).users[:MOST_COMPARED])


def users_to_read(snapshot: Snapshot, named: Iterable[str]) -> Plan:
    """The users with these ids and their roles, as far as they aren't read, or tried, yet."""
    ids = dict.fromkeys(filter(is_guid, named))
    known = {user.id.lower() for user in snapshot.sections.users or ()}
    unread = tuple(one for one in ids if one.lower() not in known and f"users/{one}" not in snapshot.unread)
    return Plan(users=unread, assignments_of=tuple(ADMIN_ROLES)) if unread else Plan()


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
