"""Queries that find runs, their tenants and their parts in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from auditor.history.run_rows import at_runs, decision_of, run_of, storable
from auditor.history.tables import decisions, parts, runs, tenants
from auditor.model.history import Run, RunDecision, RunFinding, RunState


def in_order(found: Iterable[RunFinding]) -> tuple[RunFinding, ...]:
    """Findings in the order of a report: what needs attention first, the worst first."""
    return tuple(sorted(found, key=lambda one: (one.outcome.rank, one.severity.rank, one.pack, one.rule)))


def all_runs() -> Select[Any]:
    """The rows of all runs, with the key, the read ID and the name of their tenants."""
    columns = (tenants.c.key.label("tenant_key"), tenants.c.tenant.label("tenant_read"), tenants.c.name)
    return select(runs, *columns).join(tenants, tenants.c.id == runs.c.tenant_id)


def with_decisions(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Run, ...]:
    """The runs of these rows, each with its decisions."""
    finished: dict[int, list[int]] = {}
    for row in rows:
        if row.state == RunState.FINISHED.value:
            finished.setdefault(row.tenant_id, []).append(row.id)
    made: dict[int, list[RunDecision]] = {}
    seen: dict[int, RunDecision] = {}
    for run, found in at_runs(connection, decisions, finished).items():
        for one in sorted(found, key=lambda one: one.position):
            made.setdefault(run, []).append(seen.get(one.id) or seen.setdefault(one.id, decision_of(one)))
    return tuple(run_of(row, made.get(row.id, ())) for row in rows)


def tenant_number(connection: Connection, tenant: str, *, by_name: bool = True) -> int | None:
    """The number of a tenant, by its key, its id or its name. An id or name that two tenants have isn't used."""
    wanted = storable(tenant)
    names = ((tenants.c.name, wanted),) if by_name else ()
    for column, value in ((tenants.c.key, wanted), (tenants.c.tenant, wanted.lower()), *names):
        found = connection.scalars(select(tenants.c.id).where(column == value)).all()
        if len(found) == 1 and value:
            number: int = found[0]
            return number
    return None


def last_finished(connection: Connection, tenant_id: int, before: int | None) -> int | None:
    """The number of a tenant's latest finished run; with `before`, of the latest one before that run."""
    query = select(runs.c.id).where(runs.c.tenant_id == tenant_id, runs.c.state == RunState.FINISHED.value)
    if before is not None:
        query = query.where(runs.c.id < before)
    found: int | None = connection.scalar(query.order_by(runs.c.id.desc()).limit(1))
    return found


def parts_of(connection: Connection, run: int | None) -> dict[str, int]:
    """The content of each part of a run's report and snapshot; none without a run."""
    if run is None:
        return {}
    query = select(parts.c.part, parts.c.content_id).where(parts.c.run_id == run).order_by(parts.c.part)
    return {row.part: row.content_id for row in connection.execute(query)}


def run_number(run_id: str) -> int | None:
    """The number that a run's id stands for; none if it isn't one."""
    return int(run_id) if run_id.isascii() and run_id.isdigit() and len(run_id) < 18 else None
