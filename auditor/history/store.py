"""The runs of all tenants in one database: begin a run, finish it in one transaction, and read runs again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from auditor.history import outbox, retention, tenant_deletion
from auditor.history.contents import keep, load
from auditor.history.database import Database, open_database
from auditor.history.dropped_users import without_users
from auditor.history.errors import HistoryError, NoSuchRun, explaining
from auditor.history.kept_customers import keep_list, kept_list
from auditor.history.kept_parts import GRANTS, REPORT, report_of, report_parts, snapshot_of, snapshot_parts
from auditor.history.location import locate
from auditor.history.run_queries import (
    all_runs,
    changes_between,
    difference_of,
    exported_run,
    in_order,
    last_finished,
    newest_runs,
    parts_of,
    tenant_id_of,
    with_decisions,
    write_difference,
)
from auditor.history.run_rows import (
    at_runs,
    finding_of,
    inserted,
    json_text,
    report_columns,
    storable,
    write_decisions,
    write_findings,
)
from auditor.history.tables import findings, parts, runs, tenants
from auditor.model.configuration import Keep
from auditor.model.customers import CustomerList
from auditor.model.difference import Change, Difference
from auditor.model.history import ExportedRun, NewestRuns, OutboxMessage, Run, RunFinding, RunState, Said
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot


def open_history(place: str = "", *, keeps_users: bool = True, must_exist: bool = False) -> History:
    """Open a history: a file of SQLite, ``postgresql://…``, or the default file in the platform's state folder.

    Creates it if it's missing, unless it `must_exist`, and upgrades an older one after a backup. Without `keeps_users`,
    runs are kept without the users of grants. Raises HistoryError, which says what to do.
    """
    return History(open_database(locate(place), must_exist=must_exist), keeps_users=keeps_users)


class History:
    """Every run of every tenant. A context manager, which closes the database.

    A tenant is what `begin` was called for: the tenant's id or the name in the configuration. A method that takes a
    tenant understands its key, its id and its name. The latest run is the one that began last, whatever the clock
    said. Every method raises HistoryError if the database fails.
    """

    def __init__(self, database: Database, *, keeps_users: bool = True) -> None:
        self._database = database
        self.keeps_users = keeps_users

    @property
    def place(self) -> str:
        """The file, or the server and database, without a user or a password."""
        return self._database.place

    @property
    def database(self) -> Database:
        """The open database, for the functions of `auditor.history.tenant_deletion`."""
        return self._database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def lock(self, tenant: str) -> Iterator[None]:
        """Hold the lock of a tenant, which also the end of the process releases.

        Raises RunInProgress if another process, or another run in this one, holds it.
        """
        held: AbstractContextManager[None] = self._database.locks.hold(tenant)
        with explaining(self.place):
            held.__enter__()
        try:
            yield
        finally:
            with explaining(self.place):
                held.__exit__(None, None, None)

    # ---- Writing ----------------------------------------------------------------------------

    def begin(self, tenant: str, name: str, started: str, tags: Sequence[str] = ()) -> str:
        """Record that a run begins, and return its id. Hold the lock of the tenant.

        Runs of the tenant that never ended are marked as interrupted.
        """
        with self._database.write() as connection:
            tenant_id = tenant_id_of(connection, tenant, by_name=False)
            if tenant_id is None:
                values = {"key": storable(tenant), "tenant": "", "name": storable(name)}
                tenant_id = inserted(connection, tenants, values)
            else:
                connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(name=storable(name)))
            running = (runs.c.tenant_id == tenant_id, runs.c.state == RunState.RUNNING.value)
            connection.execute(update(runs).where(*running).values(state=RunState.INTERRUPTED.value))
            new = {"tenant_id": tenant_id, "state": RunState.RUNNING.value, "started": started, "tags": json_text(tags)}
            return str(inserted(connection, runs, new))

    def finish(
        self,
        run_id: str,
        *,
        report: Report,
        snapshot: Snapshot,
        difference: Difference | None,
        exit_code: int,
        finished: str,
        messages: Sequence[OutboxMessage] = (),
        said: Sequence[Said] = (),
        seconds: float | None = None,
        credential_expires: str = "",
    ) -> Run:
        """Record everything about a run, with the messages about it, in one transaction.

        Raises HistoryError, too, if the run isn't in progress: it has ended, or a later run took over.
        """
        if not self.keeps_users:
            report, snapshot, difference = without_users(report, snapshot, difference)
        made = report_parts(report) | snapshot_parts(snapshot)
        with self._database.write() as connection:
            row = self._running(connection, run_id)
            if report.tenant.id:
                read = storable(report.tenant.id.lower())
                connection.execute(update(tenants).where(tenants.c.id == row.tenant_id).values(tenant=read))
            before = parts_of(connection, last_finished(connection, row.tenant_id, row.id))
            for part, lines in made.items():
                content = keep(connection, lines, before.get(part))
                connection.execute(insert(parts).values(run_id=row.id, part=part, content_id=content))
            write_decisions(connection, row.tenant_id, row.id, report.decisions)
            write_findings(connection, row.tenant_id, row.id, row.started, report.findings)
            columns = report_columns(report) | write_difference(connection, row.id, difference)
            columns["credential_expires"] = storable(credential_expires)
            self._end(connection, row, RunState.FINISHED, exit_code, finished, seconds, columns, messages, said)
            return self._run(connection, row.id)

    def fail(
        self,
        run_id: str,
        *,
        error: str,
        exit_code: int,
        finished: str,
        messages: Sequence[OutboxMessage] = (),
        said: Sequence[Said] = (),
        seconds: float | None = None,
        credential_expires: str = "",
    ) -> Run:
        """Record that no audit could be made, and why, with the messages about it, in one transaction.

        Raises HistoryError, too, if the run isn't in progress.
        """
        with self._database.write() as connection:
            row = self._running(connection, run_id)
            columns = {"error": storable(error), "credential_expires": storable(credential_expires)}
            self._end(connection, row, RunState.FAILED, exit_code, finished, seconds, columns, messages, said)
            return self._run(connection, row.id)

    def _running(self, connection: Connection, run_id: str) -> Row[Any]:
        row = self._row(connection, run_id)
        if row.state != RunState.RUNNING.value:
            raise HistoryError(
                f"the run {run_id} of {row.name} isn't in progress: it is {row.state}",
                advice="Another run of the tenant took over, or the run was recorded already. Nothing was changed.",
            )
        return row

    def _end(
        self,
        connection: Connection,
        row: Row[Any],
        state: RunState,
        exit_code: int,
        finished: str,
        seconds: float | None,
        columns: dict[str, Any],
        messages: Sequence[OutboxMessage],
        said: Sequence[Said],
    ) -> None:
        if seconds is None:
            seconds = _seconds_between(row.started, finished)
        values = {"state": state.value, "exit_code": exit_code, "finished": finished, "seconds": seconds, **columns}
        connection.execute(update(runs).where(runs.c.id == row.id).values(**values))
        outbox.add_messages(connection, messages)
        outbox.write_said(connection, said)

    # ---- Customers --------------------------------------------------------------------------

    def keep_customers(self, found: CustomerList) -> None:
        """Keep a list of customers that was read, with those that are gone, in place of the one of its source."""
        with self._database.write() as connection:
            keep_list(connection, found)

    def kept_customers(self, source: str) -> CustomerList | None:
        """The list of customers of a source as it was kept last, or none."""
        with self._database.read() as connection:
            return kept_list(connection, source)

    # ---- Deleting ---------------------------------------------------------------------------

    def prune(self, keep: Keep, now: str, dry_run: bool = False) -> tuple[Run, ...]:
        """Delete the runs that are too old or too many, and return them, the oldest first; see `Keep`.

        The latest finished run of each tenant and the runs with a change that can matter stay. With `dry_run`, nothing
        is deleted.
        """
        with self._database.read() as connection:
            found = [self._run(connection, number) for number in retention.outdated(connection, keep, now)]
        if dry_run:
            return tuple(found)
        with self._database.write() as connection:
            # What another process recorded in between counts, too.
            still = set(retention.outdated(connection, keep, now))
            found = [run for run in found if int(run.id) in still]
            if found:
                retention.delete_runs(connection, [int(run.id) for run in found])
            retention.delete_old_messages(connection, keep, now)
        if found:
            self._database.shrink()
        return tuple(found)

    def forget(self, tenant: str) -> int:
        """Delete everything about a tenant, and return how many runs that were.

        Raises NoSuchRun for an unknown one, and RunInProgress.
        """
        found = tenant_deletion.forget(self._database, storable(tenant))
        if found.is_empty:
            raise NoSuchRun(
                f"the history {self.place} has no tenant {tenant}", advice="List the runs: consent-auditor history list"
            )
        return found.runs

    # ---- Reading ----------------------------------------------------------------------------

    def tenants(self) -> tuple[tuple[str, str], ...]:
        """The key and the name of each tenant, by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(tenants.c.key, tenants.c.name).order_by(tenants.c.name, tenants.c.id))
            return tuple((row.key, row.name) for row in rows)

    def runs(self, tenant: str = "", since: str = "", limit: int | None = None) -> tuple[Run, ...]:
        """The runs, the latest first: of one tenant or of all, started at or after `since`, at most `limit`."""
        with self._database.read() as connection:
            query = all_runs().order_by(runs.c.id.desc())
            if tenant:
                query = query.where(runs.c.tenant_id == (tenant_id_of(connection, tenant) or 0))
            if since:
                query = query.where(runs.c.started >= since)
            if limit is not None:
                query = query.limit(limit)
            return with_decisions(connection, connection.execute(query).all())

    def unended(self) -> tuple[Run, ...]:
        """The runs in progress, and those whose process ended without a word and which no later run found yet."""
        with self._database.read() as connection:
            query = all_runs().where(runs.c.state == RunState.RUNNING.value)
            return with_decisions(connection, connection.execute(query).all())

    def run_ids(self) -> frozenset[str]:
        """The ids of all runs. They count up, so that one in between that isn't there was deleted."""
        with self._database.read() as connection:
            return frozenset(map(str, connection.scalars(select(runs.c.id))))

    def run(self, run_id: str) -> Run:
        """The run with this id. Raises NoSuchRun."""
        with self._database.read() as connection:
            return self._run(connection, self._row(connection, run_id).id)

    def last_finished(self, tenant: str, before: str = "") -> Run | None:
        """The latest finished run of a tenant; with `before`, the latest before the run with this id."""
        with self._database.read() as connection:
            tenant_id = tenant_id_of(connection, tenant)
            found = None if tenant_id is None else last_finished(connection, tenant_id, _number(before))
            return None if found is None else self._run(connection, found)

    def findings(self, run_id: str) -> tuple[RunFinding, ...]:
        """The findings of a finished run, what needs attention first; none of another run. Raises NoSuchRun."""
        with self._database.read() as connection:
            row = self._row(connection, run_id)
            if row.state != RunState.FINISHED.value:
                return ()
            found = at_runs(connection, findings, {row.tenant_id: [row.id]}).get(row.id, [])
            return in_order(map(finding_of, found))

    def difference(self, run_id: str) -> Difference | None:
        """What changed since the finished run before; none for a first run. Raises NoSuchRun."""
        with self._database.read() as connection:
            return difference_of(connection, self._row(connection, run_id))

    def newest_runs(self, since: str = "") -> tuple[NewestRuns, ...]:
        """The newest runs of every tenant, by name; to compare with, the last audit that started before `since`.

        Without `since`, that is the audit before the latest one.
        """
        with self._database.read() as connection:
            return newest_runs(connection, since)

    def changes_between(self, before: str, until: str) -> tuple[Change, ...]:
        """What changed in the runs of a tenant after the run `before`, until the run `until`, the oldest first."""
        with self._database.read() as connection:
            return changes_between(connection, _number(before) or 0, _number(until) or 0)

    def export(self, tenant: str = "", since: str = "") -> Iterator[ExportedRun]:
        """Everything about each run except reports and snapshots, the oldest run first, some at a time."""
        for run in reversed(self.runs(tenant, since)):
            with self._database.read() as connection:
                yield exported_run(connection, self._row(connection, run.id), run)

    def report(self, run_id: str, *, with_grants: bool = True) -> Report:
        """The report of a finished run, as it was made. Raises NoSuchRun, also if the run has no report.

        Without the rows of grants, of which a large tenant has a million, it is read much faster.
        """
        wanted = (REPORT, GRANTS) if with_grants else (REPORT,)
        with self._database.read() as connection:
            return report_of(self._parts(connection, run_id, wanted))

    def comparable_parts(self, run_id: str) -> tuple[Report, Snapshot]:
        """The report of a finished run, and its snapshot with `KEPT_SECTIONS`. Raises NoSuchRun as `report` does."""
        with self._database.read() as connection:
            found = self._parts(connection, run_id, ())
            return report_of(found), snapshot_of(found)

    def as_kept(self, report: Report, snapshot: Snapshot) -> tuple[Report, Snapshot]:
        """The two as they would be kept, so that they can be compared with an earlier run.

        Without `keeps_users`, that is without the users of grants; else they are returned as they are.
        """
        if self.keeps_users:
            return report, snapshot
        kept_report, kept_snapshot, _ = without_users(report, snapshot, None)
        # Kept in memory only: it says since when something changed.
        audits = snapshot.sections.directoryAudits
        sections = msgspec.structs.replace(kept_snapshot.sections, directoryAudits=audits)
        return kept_report, msgspec.structs.replace(kept_snapshot, sections=sections)

    def _parts(self, connection: Connection, run_id: str, wanted: Iterable[str]) -> dict[str, list[bytes]]:
        row = self._row(connection, run_id)
        found = parts_of(connection, row.id)
        if not found:
            raise NoSuchRun(
                f"the run {run_id} of {row.name} has no report: it is {row.state}",
                advice="List the runs: consent-auditor history list",
            )
        names = set(wanted) or set(found)
        return {part: load(connection, content) for part, content in found.items() if part in names}

    def _row(self, connection: Connection, run_id: str) -> Row[Any]:
        row = connection.execute(all_runs().where(runs.c.id == (_number(run_id) or 0))).one_or_none()
        if row is None:
            raise NoSuchRun(
                f"the history {self.place} has no run {run_id}",
                advice="List the runs: consent-auditor history list",
            )
        return row

    def _run(self, connection: Connection, number: int) -> Run:
        (run,) = with_decisions(connection, connection.execute(all_runs().where(runs.c.id == number)).all())
        return run

    # ---- Notifications ----------------------------------------------------------------------

    def pending(self, now: str) -> tuple[OutboxMessage, ...]:
        """The messages that weren't accepted and weren't given up at the time `now`, the oldest first."""
        with self._database.read() as connection:
            return outbox.pending_messages(connection)

    def mark_sent(self, message_id: str, at: str) -> None:
        """Record that a message was sent."""
        with self._database.write() as connection:
            outbox.mark_sent(connection, message_id, at)

    def mark_undelivered(self, message_id: str, at: str, error: str) -> None:
        """Record that sending a message failed, and why; it stays in the outbox. `error` must hold no secret."""
        with self._database.write() as connection:
            outbox.mark_undelivered(connection, message_id, at, error)

    def give_up(self, message_id: str, at: str, error: str) -> None:
        """Record that a message isn't tried again, and why. It stays in the history."""
        with self._database.write() as connection:
            outbox.give_up(connection, message_id, at, error)

    def keep_said(self, said: Sequence[Said], messages: Sequence[OutboxMessage] = ()) -> None:
        """Record what was said outside a run, with its messages, or seen; an earlier record of it is replaced."""
        with self._database.write() as connection:
            outbox.add_messages(connection, messages)
            outbox.write_said(connection, said)

    def said(self, target: str, tenant: str) -> tuple[Said, ...]:
        """What a target was notified of, about one tenant."""
        with self._database.read() as connection:
            return outbox.said_to(connection, target, tenant)


def _number(run_id: str) -> int | None:
    return int(run_id) if run_id.isascii() and run_id.isdigit() and len(run_id) < 18 else None


def _seconds_between(started: str, finished: str) -> float | None:
    """The seconds between two times; none if the clock jumped backwards in between, or a time isn't one."""
    try:
        seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    except (ValueError, TypeError):
        return None
    return seconds if seconds >= 0 else None
