"""``collect --full``: read a whole directory into a snapshot file, with no more in memory than a few pages."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from auditor.graph.checkpoint import PartialRead, ReadRequest, partial_read
from auditor.graph.directory_lists import DirectoryLists
from auditor.graph.fetch import Progress
from auditor.graph.preconnect import run
from auditor.jobs import now
from auditor.jobs.audit_request import SILENT, TOOL, AuditRequest, Interaction
from auditor.jobs.snapshot_files import sections_lost
from auditor.jobs.tenant_reader import further_reads, plan_with_allowed, plan_with_user, tenant_session, to_collect
from auditor.model.sections import DATING_SECTIONS, SECTIONS, STREAMED_SECTIONS
from auditor.model.snapshot import LiveTenant, Snapshot
from auditor.snapshot.packed_files import is_packed, pack, rows_in, save_unpacked
from auditor.snapshot.write import dumps


class CollectedFile(msgspec.Struct, frozen=True):
    """What was written: the snapshot without the rows in files, and how many rows each list has.

    `unfinished` are the lists that the same command can continue, `lost` the sections that the file had before.
    """

    snapshot: Snapshot
    rows: Mapping[str, int]
    unfinished: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def collect_into_file(request: AuditRequest, output: str, interaction: Interaction = SILENT) -> CollectedFile:
    """Read the live tenant of a full request into the file `output`, and continue such a read that was stopped.

    Raises PackError, SnapshotError, InvalidRequest if another read is in progress there, and GraphError if no audit is
    possible.
    """
    assert isinstance(request.source, LiveTenant), "only a live tenant can be collected"
    # Microsoft's libraries log each refused request with its response. The user gets one message about it, from us.
    logging.getLogger().addHandler(logging.NullHandler())
    return run(_collect(request, request.source, output, interaction))


async def _collect(request: AuditRequest, tenant: LiveTenant, output: str, interaction: Interaction) -> CollectedFile:
    wanted = to_collect(request, interaction)
    plan = plan_with_user(wanted.plan, request.user)
    async with tenant_session(tenant, plan, interaction) as session:
        plan = plan_with_allowed(plan, DATING_SECTIONS, session.claims.allowed)
        asked = ReadRequest(
            tool=TOOL,
            tenant=session.tenant_id,
            cloud=session.at.cloud,
            lists=tuple(name for name in STREAMED_SECTIONS if name in plan.whole),
        )
        with partial_read(output, asked, now(), interaction.say) as partial:
            lists = DirectoryLists(session.client, partial, _estimated(output, interaction.progress), interaction.say)
            snapshot = await session.read(plan, taken=partial.taken, lists=lists)
            of_rules = _for_rules(snapshot, lists)
            # Everything that only explains a finding is part of the first read.
            more = further_reads(snapshot, of_rules, wanted.apps, wanted.packs, request.user, allowed=())
            if not more.is_empty:
                snapshot = await session.read(more, taken=partial.taken, onto=snapshot)
            from auditor.graph.collect import refuse_empty

            if all(SECTIONS[name].is_beta for name in lists.files):
                refuse_empty(snapshot)
            written = _write(snapshot, lists, partial, output)
            if not written.unfinished:
                partial.remove()
    return written


def _estimated(output: str, progress: Progress | None) -> Progress | None:
    """The progress with the numbers of rows of the file that is replaced, where Graph doesn't count the rows.

    Graph would have to be asked for a count, which makes it answer from an index that is not up to date.
    """
    earlier = rows_in(output) if progress else {}
    if progress is None or not earlier:
        return progress

    def show(section: str, done: int, total: int | None) -> None:
        expected = earlier.get(section, 0)
        progress(section, done, total or (expected if expected >= done else None))

    return show


def _write(snapshot: Snapshot, lists: DirectoryLists, partial: PartialRead, output: str) -> CollectedFile:
    """Write the snapshot and the files of its lists in the form that the name of `output` asks for."""
    files = lists.files
    # Only rows of service principals were read by themselves with properties that their list doesn't have.
    other = dict.fromkeys(name for name in files if not SECTIONS[name].merges_rows)
    snapshot = msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **other))
    lost = sections_lost(snapshot, output)
    if is_packed(output):
        pack(dumps(snapshot, files), {name: partial.rows(name) for name in files}, output)
    else:
        save_unpacked(snapshot, {name: partial.rows(name) for name in files}, output)
    return CollectedFile(snapshot, {name: file.rows for name, file in files.items()}, lists.unfinished, lost)


def _for_rules(snapshot: Snapshot, lists: DirectoryLists) -> Snapshot:
    """The snapshot with one grant of every kind, and with the service principals of the resources that they are on."""
    grants = lists.kinds_of_grants
    if not grants:
        return snapshot
    known = snapshot.sections.servicePrincipals or ()
    wanted = {grant.resourceId.lower() for grant in grants} - {row.id.lower() for row in known}
    if wanted and "servicePrincipals" in lists.files:
        known = (*known, *lists.principals(wanted))
    sections = msgspec.structs.replace(
        snapshot.sections, oauth2PermissionGrants=grants, servicePrincipals=known or snapshot.sections.servicePrincipals
    )
    return msgspec.structs.replace(snapshot, sections=sections)
