"""A small fleet of snapshot tenants in a folder: its nights in one process, and from the queue with workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from auditor.history import History, open_history
from auditor.history.queue_tables import connection_options, prepare_queue
from auditor.jobs.fleet_queue import Enqueued, queue_place, run_with_queue
from auditor.jobs.fleet_slots import FleetConfiguration, enqueue_present
from auditor.jobs.fleet_worker import FleetWorker, WorkerParts, WorkerTimes
from auditor.jobs.night_log import NightLog
from auditor.jobs.night_setup import Clock
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.secret_references import Secrets
from auditor.model.history import ExportedRun, OutboxMessage, was_stopped
from auditor.model.night import TenantNight
from auditor.notify.delivery import Sent, TargetAnswer
from tests.jobs.nights import write_tenant

FAST = WorkerTimes(sign_of_life=0.2, stalled=1.5, poll=0.05, closing=0.05, retry=0.05, upkeep="* * * * * *")
CANARY = "canary-4f1c"
"""A secret: it must not get into the queue."""
SAMPLES = ("managed-default", "admin-consented", "unreadable-policies")
NOW = "2026-06-01T02:00:00Z"

_CONFIGURATION = """\
version: 1
history: {{url: {{env: HISTORY}}}}
schedule: {schedule}
defaults:
  packs: [trackerrms-uk]
  credential: {{client-id: 00000000-0000-0000-0000-000000000001, secret: {{env: SECRET}}}}
tenants:
{tenants}
notify:
  - {{name: team, url: {{env: TEAM}}, on: [change, failure, recovery, always], remind-after: never}}
"""


class Fleet:
    """Tenants ``c0``, ``c1`` … in a folder, with a history and a queue at an address of PostgreSQL.

    `sent` are the messages that arrived, `log` the lines of the workers' logs (`on_event` is called
    for each), `shown` the tenants that were audited.
    """

    def __init__(self, folder: Path, address: str, number: int = 4, schedule: str = "{every: 24h}") -> None:
        self.folder, self.address = folder, address
        self.file = folder / "fleet.yaml"
        self.environ = {"HISTORY": address, "SECRET": CANARY, "TEAM": f"json://127.0.0.1/{CANARY}"}
        self.schedule = schedule
        self.sent: list[OutboxMessage] = []
        self.log: list[dict[str, Any]] = []
        self.shown: list[TenantNight] = []
        self.on_event: Callable[[str], object] = lambda _: None
        self.now = NOW
        for name in self.names(number):
            write_tenant(folder / f"{name}.json", SAMPLES[int(name[1:]) % len(SAMPLES)])
        self.configure(self.names(number))
        self.server = queue_place(load_configuration(str(self.file)), self.secrets)
        self.history = open_history(address)
        prepare_queue(self.server)

    @staticmethod
    def names(number: int) -> tuple[str, ...]:
        return tuple(f"c{one}" for one in range(number))

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.environ)

    def configure(self, names: Sequence[str]) -> None:
        """Write the configuration with these tenants."""
        tenants = "\n".join(f"  - {{name: {name}, snapshot: {name}.json, tags: [t{name[1:]}]}}" for name in names)
        self.file.write_text(_CONFIGURATION.format(schedule=self.schedule, tenants=tenants))

    def enqueue(self, names: Sequence[str] = (), *, is_new: bool = False) -> Enqueued:
        """What ``fleet enqueue`` does."""
        source = FleetConfiguration(str(self.file), self.secrets, self.history)
        return run_with_queue(enqueue_present(self.server, source, self.now, names, is_new=is_new))[0]

    def worker(self, *, drain: bool = True, concurrency: int = 2, times: WorkerTimes = FAST) -> FleetWorker:
        """A worker that doesn't run yet."""
        clock = Clock(lambda: self.now, lambda: 0.0)

        def log_of(night: str) -> NightLog:
            return NightLog(self._logged, clock.now, as_json=True, night=night)

        parts = WorkerParts(
            self.server,
            self.history,
            self.secrets,
            log_of,
            self.shown.append,
            clock,
            times,
            lambda _, one: self._send(one),
        )
        return FleetWorker(str(self.file), parts, concurrency=concurrency, drain=drain)

    def work(self, workers: int = 1, **options: Any) -> None:
        """Let workers work until nothing waits."""

        async def all_of_them() -> None:
            await asyncio.gather(*(self.worker(**options).run() for _ in range(workers)))

        run_with_queue(all_of_them())

    def _logged(self, line: str) -> None:
        self.log.append(json.loads(line))
        self.on_event(self.log[-1]["event"])

    def _send(self, message: OutboxMessage) -> Sent:
        self.sent.append(message)
        return Sent(TargetAnswer.ACCEPTED)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the log about this event."""
        return [line for line in self.log if line["event"] == name]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the queue's tables."""
        with psycopg.connect(**connection_options(self.server), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def statuses(self) -> dict[str, str]:
        """How the job of each tenant ended, by tenant."""
        return dict(
            self.query(
                "SELECT args->>'tenant', status::text FROM procrastinate_jobs WHERE task_name = 'audit' ORDER BY id"
            )
        )


@contextmanager
def fleet(folder: Path, address: str, number: int = 4, schedule: str = "{every: 24h}") -> Iterator[Fleet]:
    """A fleet whose history is closed at the end."""
    folder.mkdir(exist_ok=True)
    made = Fleet(folder, address, number, schedule)
    with made.history:
        yield made


def results(history: History) -> list[ExportedRun]:
    """Everything about each run that ended by itself, by tenant and start, without what numbers it."""
    runs = [msgspec.structs.replace(run, id="", seconds=None) for run in history.export() if not was_stopped(run)]
    return sorted(runs, key=lambda run: (run.name, run.started))


def said(messages: Sequence[OutboxMessage]) -> list[tuple[str, str, str]]:
    """What messages say, without their ids, which count runs."""
    return sorted((one.target, one.title, one.body.rpartition("Message ")[0]) for one in messages)
