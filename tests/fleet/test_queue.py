"""A fleet's queue on a real PostgreSQL: each tenant once a night, whoever is killed, stopped or late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from auditor.history import open_history
from auditor.history.queue_tables import SCHEMA
from auditor.jobs import fleet_slots
from auditor.jobs.fleet_queue import AUDIT, run_with_queue
from auditor.jobs.fleet_worker import MOST_ATTEMPTS, FleetWorker
from auditor.jobs.tenant_runs import TenantRuns
from auditor.model.configuration import TenantEntry
from auditor.model.history import RunState
from auditor.model.night import TenantNight
from tests.fleet.queued_fleets import CANARY, NOW, Fleet, fleet, results, said
from tests.jobs.nights import Nights

DAY_LATER = "2026-06-02T02:00:00Z"


def stop_at_the_end(event: str, *workers: FleetWorker) -> None:
    """Stop workers when a night is finished."""
    if event == "night-finished":
        for one in workers:
            one.stop()


@pytest.fixture
def small(tmp_path: Path, postgresql: str) -> Iterator[Fleet]:
    with fleet(tmp_path / "fleet", postgresql) as made:
        yield made


def test_workers_have_the_results_of_one_process(small: Fleet) -> None:
    alone = Nights(small.folder, small.file.read_text().replace("{url: {env: HISTORY}}", "{file: history.db}"))
    alone.environ.update(small.environ)
    alone.run(NOW)
    small.configure(small.names(4))
    small.enqueue()
    small.work(2)
    with open_history(str(small.folder / "history.db")) as history:
        assert results(small.history) == results(history)
    assert said(small.sent) == said(alone.sent) and len(small.sent) == 4
    assert sorted(one.name for one in small.shown) == ["c0", "c1", "c2", "c3"]


def test_a_night_is_opened_and_closed_once_and_a_new_one_runs_again(small: Fleet) -> None:
    assert small.enqueue() == (NOW, 4, 0)
    assert small.enqueue() == (NOW, 0, 4)
    small.work()
    small.now = "2026-06-01T09:00:00Z"
    assert small.enqueue() == (NOW, 0, 4), "less than half of the interval later, it's the same night"
    small.work()
    assert len(small.history.runs()) == 4 and len(small.events("night-finished")) == 1
    assert small.enqueue(("c0", "c1"), is_new=True) == (small.now, 2, 0)
    small.work()
    small.now = DAY_LATER
    assert small.enqueue(("c0",)) == (DAY_LATER, 1, 0)
    small.work()
    assert len(small.history.runs()) == 7
    assert [line["exit_code"] for line in small.events("night-finished")] == [1, 1, 1]


def test_some_tenants_of_a_night_are_all_that_it_reports(small: Fleet) -> None:
    assert small.enqueue(("c1",)).new == 1
    small.work()
    assert [run.name for run in small.history.runs()] == ["c1"]
    (finished,) = small.events("night-finished")
    assert finished["message"].startswith("1 tenant: 1 passes.")


def test_a_tenant_that_was_recorded_is_not_audited_again(small: Fleet) -> None:
    """The worker was killed between the record of the run and the end of its job."""
    small.enqueue(("c0",))
    small.work()
    small.query("UPDATE procrastinate_jobs SET status = 'todo' WHERE task_name = 'audit'")
    small.work()
    assert len(small.history.runs()) == 1
    assert [line["tenant"] for line in small.events("already-audited")] == ["c0"]


def test_the_job_of_a_killed_worker_goes_to_another_one_and_nobody_is_notified_of_it(small: Fleet) -> None:
    small.enqueue(("c0",))
    run = small.history.begin("c0", "c0", NOW)
    killed = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id"
    ((worker,),) = small.query(killed)
    small.query(f"UPDATE procrastinate_jobs SET status = 'doing', worker_id = {worker} WHERE task_name = 'audit'")
    small.work()
    assert small.statuses() == {"c0": "succeeded"}
    assert [line["tenant"] for line in small.events("requeued")] == ["c0"]
    assert [one.state for one in small.history.runs()] == [RunState.FINISHED, RunState.INTERRUPTED]
    assert small.history.run(run).state is RunState.INTERRUPTED
    (message,) = small.sent
    assert "interrupted" not in message.body + message.title


def test_a_tenant_that_ends_each_worker_is_given_up(small: Fleet) -> None:
    small.enqueue()
    small.query(
        f"UPDATE procrastinate_jobs SET status = 'doing', attempts = {MOST_ATTEMPTS - 1} WHERE args->>'tenant' = 'c2'"
    )
    small.work()
    assert small.statuses() == {"c0": "succeeded", "c1": "succeeded", "c2": "failed", "c3": "succeeded"}
    assert [line["tenant"] for line in small.events("given-up")] == ["c2"]
    (finished,) = small.events("night-finished")
    assert "1 could not be audited" in finished["message"]


def test_each_start_of_a_worker_has_a_new_number(small: Fleet) -> None:
    for name in ("c0", "c1"):
        small.enqueue((name,), is_new=True)
        small.work()
    numbers = [row[0] for row in small.query("SELECT last_value FROM procrastinate_workers_id_seq")]
    assert numbers == [2]


def test_a_tenant_that_another_process_audits_is_tried_again_until_it_ends(
    small: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.enqueue(("c0",))
    held = small.history.lock("c0")
    held.__enter__()
    tried = []

    async def audit(runs: TenantRuns, entry: TenantEntry) -> TenantNight | None:
        tried.append(1)
        if len(tried) == 3:
            held.__exit__(None, None, None)
        return await real(runs, entry)

    real = fleet_slots.audit_in_slot
    monkeypatch.setattr("auditor.jobs.fleet_worker.audit_in_slot", audit)
    small.work()
    assert len(tried) == 3 and len(small.history.runs()) == 1 and small.statuses() == {"c0": "succeeded"}
    assert "in progress" in small.events("run-not-recorded")[0]["message"]


def test_a_worker_that_is_asked_to_end_marks_its_tenants_and_gives_them_back(
    small: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    worker = small.worker(drain=False)

    def hang(*_: object) -> None:
        worker.stop()
        never.wait(60)

    with monkeypatch.context() as patched:
        patched.setattr("auditor.jobs.tenant_runs.audit", hang)
        small.enqueue(("c0",))
        run_with_queue(worker.run())
    never.set()
    assert worker.is_stopping
    (run,) = small.history.runs()
    assert run.state is RunState.FAILED and "stopped" in run.error
    assert small.statuses() == {"c0": "todo"} and small.sent == []
    assert small.query("SELECT count(*) FROM procrastinate_workers") == [(0,)]
    small.work()
    assert [one.state for one in small.history.runs()] == [RunState.FINISHED, RunState.FAILED]
    assert small.statuses() == {"c0": "succeeded"}
    (message,) = small.sent
    assert "stopped" not in message.body and "again" not in message.title


def test_a_tenant_that_left_the_configuration_ends_with_one_line_and_no_second_attempt(small: Fleet) -> None:
    small.enqueue()
    small.configure(("c0", "c1", "c2"))
    small.work()
    (line,) = small.events("tenant-not-configured")
    assert line["tenant"] == "c3" and "isn't in" in line["message"] and "isn't the one" in line["message"]
    assert small.query("SELECT attempts FROM procrastinate_jobs WHERE args->>'tenant' = 'c3'") == [(1,)]
    assert sorted(run.name for run in small.history.runs()) == ["c0", "c1", "c2"]


def test_a_broken_configuration_is_tried_again_until_it_is_repaired(small: Fleet) -> None:
    small.enqueue(("c0",))
    worker = small.worker()
    whole = small.file.read_text()
    small.file.write_text(whole.replace("packs:", "pakcs:"))
    small.on_event = lambda event: event == "run-not-recorded" and small.file.write_text(whole)
    run_with_queue(worker.run())
    assert [run.state for run in small.history.runs()] == [RunState.FINISHED]


def test_the_queue_holds_no_secret_and_only_names_slots_and_identities(small: Fleet) -> None:
    small.enqueue()
    small.work()
    jobs = small.query("SELECT args FROM procrastinate_jobs WHERE queue_name <> 'upkeep'")
    assert {tuple(sorted(args)) for (args,) in jobs} == {
        ("configuration", "slot", "tenant"),
        ("configuration", "slot"),
    }
    rows = [
        row
        for table in ("jobs", "events", "periodic_defers", "workers")
        for row in small.query(f"SELECT * FROM procrastinate_{table}")
    ]
    assert rows and CANARY not in str(rows)


def test_two_workers_open_a_night_once_when_it_is_due(tmp_path: Path, postgresql: str) -> None:
    with fleet(tmp_path / "fleet", postgresql, 2, '{every: 24h, at: "02:00"}') as small:
        small.now = "2026-06-01T02:00:30Z"
        workers = (small.worker(drain=False), small.worker(drain=False))
        small.on_event = lambda event: stop_at_the_end(event, *workers)

        async def both() -> None:
            await asyncio.gather(*(one.run() for one in workers))

        run_with_queue(both())
        assert sorted(run.name for run in small.history.runs()) == ["c0", "c1"]
        slots = small.query("SELECT DISTINCT args->>'slot' FROM procrastinate_jobs WHERE queue_name <> 'upkeep'")
        assert slots == [("2026-06-01T02:00:00Z",)]


def test_a_night_is_closed_without_tenants_that_wait_for_half_of_the_interval(small: Fleet) -> None:
    small.enqueue()
    small.query("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' WHERE args->>'tenant' = 'c3'")
    small.now = "2026-06-01T14:00:00Z"
    worker = small.worker(drain=False)
    small.on_event = lambda event: stop_at_the_end(event, worker)
    run_with_queue(worker.run())
    (early,) = small.events("closed-early")
    assert small.statuses()["c3"] == "todo" and "still wait" in early["message"]


def test_a_lost_connection_is_opened_again(small: Fleet) -> None:
    small.enqueue()
    worker = small.worker()
    once: list[int] = []

    def lose(_: object) -> None:
        if not once:
            once.append(1)
            small.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                f" AND pid <> pg_backend_pid() AND query LIKE '%procrastinate%' AND '{SCHEMA}' <> ''"
            )

    worker._parts = worker._parts._replace(show=lose)
    run_with_queue(worker.run())
    # A run whose recording the loss broke is in the history too, and was tried again.
    made = [run.name for run in small.history.runs() if run.state is RunState.FINISHED]
    assert once and sorted(made) == ["c0", "c1", "c2", "c3"]
    assert set(small.statuses().values()) == {"succeeded"}


def test_an_audit_whose_end_the_queue_did_not_record_is_tried_again_and_found_done(
    small: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else fails: the worker's sign of life would keep the job from being returned for ever."""
    small.enqueue()
    record, failed = JobManager.finish_job, list[str]()

    async def lose_one(self: JobManager, job: Job, *arguments: Any, **named: Any) -> None:
        if not failed and job.task_name == AUDIT:
            failed.append(str(job.task_kwargs["tenant"]))
            raise ConnectorException
        await record(self, job, *arguments, **named)

    monkeypatch.setattr(JobManager, "finish_job", lose_one)
    small.work()
    assert len(failed) == 1
    assert set(small.statuses().values()) == {"succeeded"}
    made = [run.name for run in small.history.runs() if run.state is RunState.FINISHED]
    assert sorted(made) == ["c0", "c1", "c2", "c3"]
    assert failed[0] in [line["tenant"] for line in small.events("requeued")]
