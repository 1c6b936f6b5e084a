"""Delete old runs, so that what only they held is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, or_, select

from auditor.history.contents import remove_unused
from auditor.history.kept_customers import delete_gone
from auditor.history.tables import changes, decisions, findings, messages, parts, runs, said
from auditor.model.configuration import Keep
from auditor.model.document import utc_text
from auditor.model.history import RunState

_AT_ONCE = 500
"""How many ids one statement lists; SQLite and PostgreSQL limit the number."""


def outdated(connection: Connection, keep: Keep, now: str) -> list[int]:
    """The ids of the runs that aren't kept, the oldest first.

    A run is kept if it is young enough and among the latest of its tenant, if something changed in it, if it is in
    progress, or if it is the latest finished one of its tenant, with which the next one is compared.
    """
    oldest = _earlier(now, keep.days)
    columns = (runs.c.id, runs.c.tenant_id, runs.c.started, runs.c.state, runs.c.changes)
    seen: dict[int, int] = {}
    compared_next: set[int] = set()
    found = []
    for row in connection.execute(select(*columns).order_by(runs.c.id.desc())):
        seen[row.tenant_id] = seen.get(row.tenant_id, 0) + 1
        is_last = row.state == RunState.FINISHED.value and row.tenant_id not in compared_next
        if is_last:
            compared_next.add(row.tenant_id)
        if is_last or row.changes or row.state == RunState.RUNNING.value:
            continue
        if row.started < oldest or seen[row.tenant_id] > keep.runs:
            found.append(row.id)
    return found[::-1]


def _earlier(now: str, days: int) -> str:
    at = datetime.fromisoformat(now).astimezone(UTC)
    try:
        return utc_text(at - timedelta(days=days))
    except OverflowError:
        return ""


def delete_runs(connection: Connection, ids: Sequence[int]) -> None:
    """Delete runs, and what only they held."""
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for table in (changes, parts):
            connection.execute(delete(table).where(table.c.run_id.in_(some)))
        connection.execute(
            delete(messages).where(messages.c.run.in_([str(one) for one in some]), messages.c.sent != "")
        )
        connection.execute(delete(runs).where(runs.c.id.in_(some)))
    for table in (decisions, findings):
        connection.execute(delete(table).where(~exists().where(*_is_during(table))))
    remove_unused(connection)


def _is_during(table: Table) -> tuple[Any, ...]:
    """Whether a finished run of the same tenant belongs to an interval."""
    return (
        runs.c.tenant_id == table.c.tenant_id,
        runs.c.state == RunState.FINISHED.value,
        runs.c.id >= table.c.since_run,
        or_(table.c.until_run.is_(None), runs.c.id < table.c.until_run),
    )


def delete_old_messages(connection: Connection, keep: Keep, now: str) -> None:
    """Delete messages, what was said and is over, and customers that are gone, if older than runs are kept."""
    oldest = _earlier(now, keep.days)
    connection.execute(delete(messages).where(messages.c.created < oldest))
    connection.execute(delete(said).where(said.c.ended != "", said.c.ended < oldest))
    delete_gone(connection, oldest)
