"""The statements that read and write runs, over the tables that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select

from auditor.history.run_rows import (
    at_runs,
    decision_of,
    finding_of,
    json_text,
    run_of,
    scoped_decision_of,
    storable,
)
from auditor.history.tables import changes, decisions, findings, parts, runs, tenants
from auditor.model.decision import ORDINARY_SUBJECT
from auditor.model.difference import Change, Difference
from auditor.model.history import ExportedRun, NewestRuns, Run, RunDecision, RunFinding, RunState


def in_order(found: Iterable[RunFinding]) -> tuple[RunFinding, ...]:
    """Findings in the order of a report: what needs attention first, the worst first."""
    return tuple(sorted(found, key=lambda one: (one.outcome.rank, one.severity.rank, one.pack, one.rule)))


def all_runs() -> Select[Any]:
    """All runs with their tenants, as `run_of` needs them."""
    columns = (tenants.c.key.label("tenant_key"), tenants.c.tenant.label("tenant_read"), tenants.c.name)
    return select(runs, *columns).join(tenants, tenants.c.id == runs.c.tenant_id)


def with_decisions(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Run, ...]:
    """The runs in rows of `all_runs`, with their decisions."""
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


def tenant_id_of(connection: Connection, tenant: str, *, by_name: bool = True) -> int | None:
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
    """The id of the latest finished run of a tenant, before the run `before` if that is given."""
    query = select(runs.c.id).where(runs.c.tenant_id == tenant_id, runs.c.state == RunState.FINISHED.value)
    if before is not None:
        query = query.where(runs.c.id < before)
    found: int | None = connection.scalar(query.order_by(runs.c.id.desc()).limit(1))
    return found


_AT_ONCE = 10_000
"""Runs that one statement selects: SQLite and PostgreSQL take at least 32,000 parameters."""


def newest_runs(connection: Connection, since: str) -> tuple[NewestRuns, ...]:
    """The newest runs of each tenant, by name; `before` is the last audit that started before `since`.

    Without `since`, it's the audit before the latest one.
    """
    finished = runs.c.state == RunState.FINISHED.value
    last = _newest(connection, runs.c.state != RunState.RUNNING.value)
    audits = _newest(connection, finished)
    if since:
        before = _newest(connection, finished, runs.c.started < since)
    else:
        newest = select(func.max(runs.c.id)).where(finished).group_by(runs.c.tenant_id)
        before = _newest(connection, finished, runs.c.id.not_in(newest))
    wanted = sorted({*last.values(), *audits.values(), *before.values()})
    found: dict[str, Run] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = all_runs().where(runs.c.id.in_(wanted[start : start + _AT_ONCE]))
        found |= {run.id: run for run in with_decisions(connection, connection.execute(query).all())}
    since_when = _since_when(connection)
    rows = connection.execute(select(tenants).order_by(tenants.c.name, tenants.c.id))
    return tuple(
        NewestRuns(
            key=row.key,
            tenant=row.tenant or row.key,
            name=row.name,
            last=found.get(str(last.get(row.id))),
            audit=found.get(str(audits.get(row.id))),
            before=found.get(str(before.get(row.id))) if before.get(row.id) != audits.get(row.id) else None,
            since=since_when.get(row.id, {}),
        )
        for row in rows
    )


def _since_when(connection: Connection) -> dict[int, dict[str, str]]:
    """For each tenant and client id, the start of the first run in a row with the outcome of the latest audit."""
    columns = (decisions.c.tenant_id, decisions.c.client_id, decisions.c.outcome, decisions.c.since_run)
    query: Select[Any] = (
        select(*columns, decisions.c.until_run, runs.c.started)
        .outerjoin(runs, runs.c.id == decisions.c.since_run)
        .where(decisions.c.subject == ORDINARY_SUBJECT)
        .order_by(decisions.c.since_run.desc(), decisions.c.id.desc())
    )
    chains: dict[tuple[int, str], Row[Any]] = {}
    several: set[tuple[int, str]] = set()
    for row in connection.execute(query):
        key = (row.tenant_id, row.client_id.lower())
        later = chains.get(key)
        if row.until_run is None:
            if later is not None:
                several.add(key)
            chains[key] = row
        elif later is not None and (row.until_run, row.outcome) == (later.since_run, later.outcome):
            chains[key] = row
    found: dict[int, dict[str, str]] = {}
    for (tenant, client_id), row in chains.items():
        if (tenant, client_id) not in several and row.started:
            found.setdefault(tenant, {})[client_id] = row.started
    return found


def _newest(connection: Connection, *conditions: ColumnElement[bool]) -> dict[int, int]:
    """The number of the latest run of each tenant that meets the conditions."""
    query = select(runs.c.tenant_id, func.max(runs.c.id).label("newest")).where(*conditions).group_by(runs.c.tenant_id)
    return {row.tenant_id: row.newest for row in connection.execute(query)}


def changes_between(connection: Connection, before: int, until: int) -> tuple[Change, ...]:
    """What changed in the runs of a tenant after the one numbered `before`, until the one numbered `until`."""
    tenant = select(runs.c.tenant_id).where(runs.c.id == until).scalar_subquery()
    query = (
        select(changes.c.change)
        .join(runs, runs.c.id == changes.c.run_id)
        .where(runs.c.tenant_id == tenant, runs.c.id > before, runs.c.id <= until)
        .order_by(changes.c.run_id, changes.c.position)
    )
    return tuple(msgspec.json.decode(one, type=Change) for one in connection.scalars(query))


def parts_of(connection: Connection, run: int | None) -> dict[str, int]:
    """The contents of a run, by part; none of no run."""
    if run is None:
        return {}
    query = select(parts.c.part, parts.c.content_id).where(parts.c.run_id == run).order_by(parts.c.part)
    return {row.part: row.content_id for row in connection.execute(query)}


def write_difference(connection: Connection, run: int, difference: Difference | None) -> dict[str, Any]:
    """Record what changed in a run, and return the columns of the run that say so."""
    if difference is None:
        return {"difference": None, "changes": None, "minor_changes": None}
    rows = [
        {
            "run_id": run,
            "position": position,
            "kind": change.kind.value,
            "key": storable(change.key),
            "what": storable(change.what),
            "transition": change.transition.value,
            "weight": change.weight.value,
            "client_id": storable(change.client_id),
            "change": json_text(change),
        }
        for position, change in enumerate(difference.changes)
    ]
    if rows:
        connection.execute(insert(changes), rows)
    major = len(difference.major)
    skeleton = json_text(msgspec.structs.replace(difference, changes=()))
    return {"difference": skeleton, "changes": major, "minor_changes": len(rows) - major}


def difference_of(connection: Connection, row: Row[Any]) -> Difference | None:
    """What changed in a run; none for a first one."""
    if row.difference is None:
        return None
    difference = msgspec.json.decode(row.difference, type=Difference)
    query = select(changes.c.change).where(changes.c.run_id == row.id).order_by(changes.c.position)
    found = tuple(msgspec.json.decode(one, type=Change) for one in connection.scalars(query))
    return msgspec.structs.replace(difference, changes=found)


def exported_run(connection: Connection, row: Row[Any], run: Run) -> ExportedRun:
    """Everything about a run except its report and its snapshot."""
    found = msgspec.structs.asdict(run) | {"decisions": ()}
    if run.state is RunState.FINISHED:
        at = {row.tenant_id: [row.id]}
        made = at_runs(connection, decisions, at).get(row.id, [])
        found["decisions"] = tuple(map(scoped_decision_of, sorted(made, key=lambda one: one.position)))
        found["findings"] = in_order(map(finding_of, at_runs(connection, findings, at).get(row.id, [])))
    difference = difference_of(connection, row)
    if difference is not None:
        found |= {"differences": difference.changes, "not_compared": difference.not_compared}
    return ExportedRun(**found)
