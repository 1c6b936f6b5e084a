"""How long the dashboard of many tenants takes: to read the history, to write it first, and to write the next night."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, create_engine, insert, select

from auditor.history import History, open_history
from auditor.history.tables import changes, decisions, findings, runs, tenants
from auditor.jobs.history_site import site_data, write_site
from auditor.model.difference import Difference
from auditor.model.history import Run, RunState
from auditor.model.report import Report
from auditor.model.site import SiteData, SiteTenant
from auditor.model.snapshot import Snapshot, Tenant
from benchmarks.result import Result
from tests.history.nights import night
from tests.render.nightly_runs import AT, Nights, nights

_TENANT = "{:08x}-0000-4000-8000-000000000000"


def dashboard(folder: Path, number_of_tenants: int, number_of_nights: int, tell: Callable[[str], None]) -> Result:
    """The dashboard of so many tenants and nights, from a history in SQLite."""
    tell(f"dashboard: a history of {number_of_tenants} tenants and {number_of_nights} nights")
    place = folder / "history.db"
    made = nights(1, number_of_nights)
    with open_history(str(place)) as history:
        _keep(history, made)
    _copy(place, number_of_tenants)
    tell("dashboard: read and write")
    site = folder / "site"
    with open_history(str(place)) as history:
        data, read = _timed(lambda: site_data(history, now=AT, schedule_hours=24))
        earlier = _without_last_run(data)
        steps = {"read the history": read}
        for name, each in (("first time", earlier), ("the next night", data), ("the same again", data)):
            result, steps[name] = _timed(partial(write_site, each, str(site), history.difference))
            steps[name]["written"], steps[name]["unchanged"] = result.written, result.unchanged
    index, everything = (site / "index.html").stat().st_size, _size(site)
    rows = [
        [name, f"{one['wall']:.2f}", f"{one['cpu']:.2f}", str(one.get("written", "")), str(one.get("unchanged", ""))]
        for name, one in steps.items()
    ]
    notes = [f"index.html: {index:,} bytes; all files: {everything:,} bytes"]
    numbers = {**steps, "bytes": {"index": index, "all": everything}}
    title = f"Dashboard: {number_of_tenants} tenants, {number_of_nights} nights, one process"
    return Result("dashboard", title, ("step", "wall s", "cpu s", "written", "unchanged"), rows, numbers, notes)


def _timed(step: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = step()
    return result, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _without_last_run(data: SiteData) -> SiteData:
    def earlier(tenant: SiteTenant) -> SiteTenant:
        return msgspec.structs.replace(tenant, runs=tenant.runs[:-1], changes=None)

    return msgspec.structs.replace(data, tenants=tuple(map(earlier, data.tenants)))


def _keep(history: History, made: Nights) -> None:
    """Keep the nights of a tenant, with the findings of a sample tenant."""
    base = night("managed-default")
    for tenant in made.data.tenants:
        for run in tenant.runs:
            number = history.begin(tenant.key, tenant.name, run.started, tenant.tags)
            if run.state is RunState.FAILED:
                history.fail(number, error=run.error, exit_code=3, finished=run.started)
            else:
                _finish(history, number, run, base.report, base.snapshot, made.differences.get(run.id))


def _finish(
    history: History, number: str, run: Run, base: Report, snapshot: Snapshot, difference: Difference | None
) -> None:
    (sample,) = base.decisions
    made = tuple(
        msgspec.structs.replace(
            sample,
            app=msgspec.structs.replace(sample.app, name=one.app, client_id=one.client_id),
            outcome=one.outcome,
            because=one.because,
        )
        for one in run.decisions
    )
    report = msgspec.structs.replace(
        base, decisions=made, tenant=Tenant(id=run.tenant, name=run.name), taken=run.started
    )
    history.finish(number, report=report, snapshot=snapshot, difference=difference, exit_code=1, finished=run.started)


def _copy(place: Path, number: int) -> None:
    """Copy the rows of the first tenant for the others: to keep each run would take a quarter of an hour."""
    engine = create_engine(f"sqlite:///{place}")
    with engine.begin() as connection:
        most = max(connection.scalars(select(runs.c.id)))
        for copy in range(1, number):
            _copy_tenant(connection, copy, most)
    engine.dispose()


def _copy_tenant(connection: Connection, copy: int, most: int) -> None:
    key = _TENANT.format(copy)
    connection.execute(insert(tenants), [{"id": copy + 1, "key": key, "tenant": key, "name": f"Tenant {copy + 1}"}])
    for table in (runs, decisions, findings, changes):
        is_one = table.c.run_id <= most if table is changes else table.c.tenant_id == 1
        copied = []
        for row in connection.execute(select(table).where(is_one)).mappings():
            values = dict(row)
            if table is not runs:
                values.pop("id", None)
            for name in ("id", "since_run", "until_run", "run_id"):
                if values.get(name) is not None:
                    values[name] += copy * most
            if "tenant_id" in values:
                values["tenant_id"] = copy + 1
            copied.append(values)
        if copied:
            connection.execute(insert(table), copied)
