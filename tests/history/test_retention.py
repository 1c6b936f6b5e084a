"""What is deleted is gone, and what must stay does."""

from __future__ import annotations

import uuid
from pathlib import Path

import msgspec
import pytest

from auditor.history import History, NoSuchRun, RunInProgress, open_history
from auditor.model.configuration import Keep
from auditor.model.difference import Weight
from auditor.model.history import RunState
from auditor.model.snapshot import Tenant
from tests.history.nights import TENANT, Night, difference_of, keep, time_of

FOREVER = Keep(days=100_000, runs=100_000)
NOW = "2026-12-31T02:00:00Z"


def named(made: Night, name: str) -> Night:
    """The night with another name of the tenant, which only this night holds."""
    tenant = msgspec.structs.replace(made.report.tenant, name=name)
    return Night(
        msgspec.structs.replace(made.report, tenant=tenant), msgspec.structs.replace(made.snapshot, tenant=tenant)
    )


def foreign(made: Night) -> Night:
    """The night as one of another tenant."""
    tenant = Tenant(id="fe014372-9313-4adf-bba3-fec76ca387b5", name="Fabrikam")
    return Night(
        msgspec.structs.replace(made.report, tenant=tenant), msgspec.structs.replace(made.snapshot, tenant=tenant)
    )


def test_runs_beyond_the_number_are_deleted(history: History, default_night: Night) -> None:
    ids = [keep(history, default_night, number).id for number in range(5)]
    pruned = history.prune(Keep(days=100_000, runs=2), NOW)
    assert [run.id for run in pruned] == ids[:3]
    assert [run.id for run in history.runs()] == ids[:2:-1]
    for run in history.runs():
        assert history.report(run.id) == default_night.report


def test_runs_older_than_the_days_are_deleted(history: History, default_night: Night) -> None:
    for number in range(4):
        keep(history, default_night, number)
    pruned = history.prune(Keep(days=10, runs=100), "2026-01-13T02:00:00Z")
    assert [run.started for run in pruned] == [time_of(0), time_of(1)]


def test_with_a_dry_run_nothing_is_deleted(history: History, default_night: Night) -> None:
    for number in range(3):
        keep(history, default_night, number)
    before = history.runs()
    assert len(history.prune(Keep(days=0, runs=0), NOW, dry_run=True)) == 2
    assert history.runs() == before


def test_runs_with_a_change_and_the_latest_finished_run_stay(history: History, default_night: Night) -> None:
    keep(history, default_night)
    changed = keep(history, default_night, 1, difference=difference_of(1))
    keep(history, default_night, 2, difference=difference_of(1, weight=Weight.MINOR))
    other = keep(history, default_night, 3, tenant="fabrikam")
    latest = keep(history, default_night, 4)
    failed = history.begin(TENANT, "contoso", time_of(5))
    history.fail(failed, error="no answer", exit_code=3, finished=time_of(5))
    running = history.begin(TENANT, "contoso", time_of(6))
    history.prune(Keep(days=0, runs=0), NOW)
    assert [run.id for run in history.runs()] == [running, latest.id, other.id, changed.id]
    assert history.runs()[0].state is RunState.RUNNING
    assert history.difference(changed.id) == difference_of(1)
    assert history.findings(changed.id)
    assert history.run(changed.id).decisions == latest.decisions


def test_a_night_after_pruning_is_compared_and_kept_as_before(
    history: History, default_night: Night, consented_night: Night
) -> None:
    keep(history, consented_night)
    keep(history, default_night, 1)
    history.prune(Keep(days=0, runs=0), NOW)
    run = keep(history, consented_night, 2)
    assert history.report(run.id) == consented_night.report
    assert {one.since for one in history.findings(run.id)} == {time_of(0), time_of(2)}


def test_what_only_deleted_runs_held_is_no_longer_in_the_file(tmp_path: Path, default_night: Night) -> None:
    place = tmp_path / "history.db"
    with open_history(str(place)) as history:
        for number, name in enumerate(("Alpha", "Beta", "Gamma")):
            keep(history, named(default_night, f"{name} Talent"), number)
        kept = history.runs()[0]
        history.prune(Keep(days=0, runs=0), NOW)
        assert history.report(kept.id).tenant.name == "Gamma Talent"
        with history._database.read() as connection:
            from sqlalchemy import select

            from auditor.history.contents import load
            from auditor.history.tables import contents

            held = b"\n".join(b"\n".join(load(connection, one)) for one in connection.scalars(select(contents.c.id)))
            bases = set(connection.scalars(select(contents.c.base_id)))
    assert b"Gamma Talent" in held
    assert b"Alpha Talent" not in held and b"Beta Talent" not in held
    assert bases == {None}


def test_pruning_makes_the_file_smaller(tmp_path: Path, default_night: Night) -> None:
    place = tmp_path / "history.db"
    with open_history(str(place)) as history:
        for number in range(3):
            absent = tuple(str(uuid.uuid4()) for _ in range(3000))
            sections = msgspec.structs.replace(default_night.snapshot.sections, absentServicePrincipals=absent)
            snapshot = msgspec.structs.replace(default_night.snapshot, sections=sections)
            keep(history, Night(default_night.report, snapshot), number)
        history._database.shrink()
        before = place.stat().st_size
        history.prune(Keep(days=0, runs=0), NOW)
        assert place.stat().st_size < before * 0.75


def test_a_tenant_is_forgotten_with_everything_about_it(history: History, default_night: Night) -> None:
    keep(history, default_night, difference=difference_of(2))
    other = keep(history, foreign(default_night), 1, tenant="fabrikam", name="fabrikam")
    assert history.forget(TENANT) == 1
    assert history.runs() == (other,)
    assert history.tenants() == (("fabrikam", "fabrikam"),)
    assert history.report(other.id) == foreign(default_night).report
    with pytest.raises(NoSuchRun, match="has no tenant"):
        history.forget(TENANT)


def test_a_tenant_with_a_run_in_progress_is_not_forgotten(history: History, default_night: Night) -> None:
    keep(history, default_night)
    for name in (TENANT, "contoso"):
        with history.lock(TENANT), pytest.raises(RunInProgress):
            history.forget(name)
    assert len(history.runs()) == 1
