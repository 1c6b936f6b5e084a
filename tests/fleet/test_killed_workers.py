"""Three workers on a real PostgreSQL, of which one is killed again and again: the results of one process on SQLite.

No clock decides: a worker is killed at an event of its log, while it audits several tenants, or between the record of a
run and the end of its job. `make soak` does it with all two hundred tenants.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from auditor.history import History, open_history
from auditor.jobs.fleet_queue import prepare_queue, queue_place, run_with_queue
from auditor.jobs.fleet_slots import FleetConfiguration, enqueue_present
from auditor.jobs.night_log import NightLog
from auditor.jobs.night_setup import Clock, NightParts
from auditor.jobs.nightly import run_night
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.secret_references import Secrets
from auditor.model.history import ExportedRun, was_stopped
from tests.fleet.killed_workers import Ended, run_workers
from tests.fleet.world import NUMBER, World, expected, state_of, world
from tests.notify.servers import WebServer
from tests.systems import needs_signals

pytestmark = needs_signals

NOW = "2026-11-22T02:00:00Z"
IS_SOAK = settings().max_examples >= 1000
FEW = 40
"""The tenants of `make test`: each trouble meets one of them."""
KILLS = (("run-started", 8), ("run-finished", 5), ("run-started", 6), ("run-finished", 4))
_MORE = """\
notify:
  - {name: team, url: {env: TEAM}, on: [change, failure, recovery], remind-after: never}
"""


def test_three_workers_of_which_one_is_killed_have_the_results_of_one_process(
    tmp_path: Path, postgresql: str, capfd: pytest.CaptureFixture[str]
) -> None:
    number, kills = (NUMBER, KILLS * 4) if IS_SOAK else (FEW, KILLS)
    with world(tmp_path, number) as made:
        alone, sent_alone = _in_one_process(made)
        with open_history(postgresql) as history:
            ended, sent = _from_the_queue(made, postgresql, history, kills)
            recorded = [run for run in history.export() if not was_stopped(run)]
            interrupted = len(history.runs()) - len(recorded)
        assert ended.killed == tuple(event for event, _ in kills) and interrupted > 0
        assert set(ended.codes) == {-9, 0}, capfd.readouterr().err[-2000:]
        assert Counter(run.tenant for run in recorded) == Counter(one.key for one in made.customers)
        got = {run.tenant: (state_of(run), run.exit_code) for run in recorded}
        assert got == {one.key: expected(one)[:2] for one in made.customers}
        assert sorted(map(_told, recorded), key=str) == sorted(map(_told, alone), key=str)
        assert sent == sent_alone
        assert Counter(line["event"] for line in ended.log if line)["night-finished"] == 1
    assert capfd.readouterr().err == ""


def _in_one_process(made: World) -> tuple[list[ExportedRun], Counter[str]]:
    with WebServer().running() as team, open_history(str(made.folder / "history.db")) as history:
        environ = {**made.environ, "TEAM": f"json://127.0.0.1:{team.port}/"}
        made.configure(more=_MORE)
        run_night(load_configuration(str(made.file)), _parts(history, environ), night="night")
        return list(history.export()), _titles(team)


def _parts(history: History, environ: dict[str, str]) -> NightParts:
    clock = Clock(now=lambda: NOW, seconds=lambda: 0.0)
    return NightParts(history, NightLog(lambda _: None, clock.now, as_json=True), Secrets(environ), clock)


def _from_the_queue(
    made: World, address: str, history: History, kills: tuple[tuple[str, int], ...]
) -> tuple[Ended, Counter[str]]:
    with WebServer().running() as team:
        environ = {**made.environ, "TEAM": f"json://127.0.0.1:{team.port}/", "HISTORY": address}
        file = str(made.configure("{url: {env: HISTORY}}", _MORE))
        secrets = Secrets(environ)
        server = queue_place(load_configuration(file), secrets)
        prepare_queue(server)
        source = FleetConfiguration(file, secrets, history)
        enqueued, _ = run_with_queue(enqueue_present(server, source, NOW))
        assert enqueued.new == len(made.customers)
        arguments = ("fleet", "worker", "--drain", "--concurrency", "5", "--log-format", "json", "--config", file)
        ended = run_workers(3, arguments, {**environ, "_CONSENT_AUDITOR_TEST_NOW": NOW}, kills)
        return ended, _titles(team)


def _titles(team: WebServer) -> Counter[str]:
    return Counter(_timeless(one["title"]) for one in team.received)


def _timeless(text: str) -> str:
    """A text without the seconds that a tenant had left, and without which of two silent servers it was waiting for."""
    return re.sub(r"localhost:\d+", "localhost", re.sub(r"only \d+ left", "only some left", text))


def _told(run: ExportedRun) -> tuple[Any, ...]:
    """What a history says of a run, without what numbers it and how long it took."""
    unread = tuple((part.section, part.status) for part in run.unread)
    counts = (run.passed, run.failed, run.unknown, run.waived, run.not_applicable)
    findings = tuple((one.fingerprint, one.outcome, one.severity) for one in run.findings)
    return (
        run.name,
        run.tenant,
        run.state,
        run.exit_code,
        _timeless(run.error),
        run.tags,
        unread,
        counts,
        run.decisions,
        findings,
    )
