"""A process that is killed at any point leaves a whole history, and each night is recorded once."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from auditor.history import open_history
from auditor.model.history import RunState
from tests.history.killed_nights import night_with, number_of, packed, run_nights
from tests.history.nights import TENANT, Night
from tests.limits import HUNG_AFTER

KILLS = {"SQLite": 50, "PostgreSQL": 25}
"""A kill takes longer with a server, which starts a process for each connection."""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_after_many_kills_every_night_is_recorded_once(
    place: str, default_night: Night, consented_night: Night
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.history.killed_nights", "alembic.runtime.environment"])
    nights = [default_night, consented_night]
    given = [packed(night) for night in nights]
    chance = random.Random(14)
    database = "PostgreSQL" if "://" in place else "SQLite"
    for _ in range(KILLS[database]):
        process = context.Process(target=run_nights, args=(place, given, chance.randint(1, 400)))
        process.start()
        process.join(HUNG_AFTER)
        assert process.exitcode == -signal.SIGKILL
    process = context.Process(target=run_nights, args=(place, given, 0))
    process.start()
    process.join(HUNG_AFTER)
    assert process.exitcode == 0

    with open_history(place) as history:
        count = number_of(history)
        assert count > 5
        finished = [run for run in reversed(history.runs()) if run.state is RunState.FINISHED]
        numbers = [int(history.report(run.id).summary.answer) for run in finished]
        # Every night in which something changed, each once and in order; the latest one is always there.
        assert numbers == sorted(set(numbers))
        assert set(range(1, count, 2)) | {count - 1} <= set(numbers)
        for run, number in zip(finished, numbers, strict=True):
            expected = night_with(nights[number % 2], number)
            report, snapshot = history.comparable_parts(run.id)
            assert report == expected.report
            assert snapshot.sections.absentServicePrincipals == expected.snapshot.sections.absentServicePrincipals
            assert [one.outcome for one in run.decisions] == [one.outcome for one in expected.report.decisions]
            assert {one.fingerprint: one.outcome for one in history.findings(run.id)} == {
                one.fingerprint: one.outcome for one in expected.report.findings
            }
            difference = history.difference(run.id)
            assert difference is not None
            assert [one.key for one in difference.changes] == ([f"setting/{number}"] if number % 2 else [])
        assert [message.id for message in history.pending("")] == [f"night-{number}" for number in range(count)]
        assert {one.key for one in history.said("teams", TENANT)} == {f"night/{number}" for number in range(count)}
        others = {run.state for run in history.runs()} - {RunState.FINISHED}
        assert others <= {RunState.INTERRUPTED}
    if database == "SQLite":
        with closing(sqlite3.connect(place)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
