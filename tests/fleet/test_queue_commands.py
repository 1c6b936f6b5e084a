"""The commands of a fleet's queue as a person runs them, and what they print when something is missing."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from auditor.cli.program import explained, program
from auditor.history import open_history
from auditor.history.queue_tables import SCHEMA, connection_options, newest_migration, prepare_queue
from auditor.jobs import fleet_queue
from tests.fleet.queued_fleets import CANARY, FAST, NOW, Fleet, fleet

GONE = f"postgresql://auditor:{CANARY}@127.0.0.1:1/history"


@pytest.fixture
def small(tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with fleet(tmp_path / "fleet", postgresql) as made:
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CONSENT_AUDITOR_CONFIG", str(made.file))
        monkeypatch.setenv("_CONSENT_AUDITOR_TEST_NOW", NOW)
        monkeypatch.setenv("_CONSENT_AUDITOR_TEST_TIMES", json.dumps(FAST))
        yield made


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and everything that a command prints, with a known error as the program prints it."""
    done: Result = CliRunner().invoke(program, arguments, standalone_mode=False)
    if done.exception is None:
        return int(done.return_value or 0), done.output
    found = explained(done.exception) if isinstance(done.exception, Exception) else None
    if found is None:
        return 2, f"{done.output}{done.exception}"
    return found.exit_code, done.output + found.text


def test_the_tenants_are_enqueued_audited_and_listed(small: Fleet) -> None:
    assert run("fleet", "enqueue") == (0, "The night of 2026-06-01 02:00 UTC has 4 new tenants.\n")
    code, text = run("fleet", "tenants")
    assert code == 0 and text.count("waiting") == 4 and "4 were never audited. 4 tenants in the queue." in text
    small.environ.pop("TEAM")  # nobody is notified in this test
    small.file.write_text(small.file.read_text().partition("notify:")[0])
    code, text = run("fleet", "worker", "--drain")
    assert code == 0 and "c1: An ordinary user connects TrackerRMS" in text
    code, text = run("fleet", "tenants")
    assert code == 0 and "4 tenants: 3 fail, 1 passes." in text and "in 24 h" in text and "waiting" not in text
    code, text = run("fleet", "enqueue")
    assert code == 0 and "fleet enqueue --now" in text
    found = json.loads(run("fleet", "tenants", "-f", "json", "--failing")[1])
    assert [one["name"] for one in found["tenants"]] == ["c0", "c2", "c3"] and found["left_out"] == 1
    assert {one["next"] for one in found["tenants"]} == {"2026-06-02T02:00:00Z"}
    rows = run("fleet", "tenants", "-f", "csv", "--tag", "t1", "--tag", "t2")[1].splitlines()
    assert len(rows) == 3 and '"TrackerRMS: connects-silently"' in rows[1]
    redacted = run("fleet", "tenants", "--redact", "-f", "json")[1]
    assert '"c0"' not in redacted and '"t0"' not in redacted and str(small.folder) not in redacted
    assert CANARY not in redacted


def test_tenants_of_a_history_in_a_file_are_listed_without_a_queue(small: Fleet) -> None:
    with open_history(str(small.folder / "history.db")) as history:
        history.fail(history.begin("c0", "c0", NOW), error="no token", exit_code=3, finished=NOW)
        history.begin("c1", "c1", NOW)
    text = small.file.read_text()
    small.file.write_text(text.replace("{url: {env: HISTORY}}", "{file: history.db}"))
    found = json.loads(run("fleet", "tenants", "-f", "json")[1])
    assert found["queue"] == "" and found["answer"].startswith("4 tenants: 1 could not be audited, 1 has not ended,")
    states = [(one["state"], one["exit_code"], one["error"], one["queue"]) for one in found["tenants"]]
    assert states == [("failed", 3, "no token", None), ("running", None, "", None), *[(None, None, "", None)] * 2]
    code, text = run("fleet", "tenants", "--history", str(small.folder / "missing.db"), "-f", "json")
    assert code == 3 and "isn't known" in json.loads(text)["answer"]


@pytest.mark.parametrize("command", [pytest.param("worker", id="worker"), pytest.param("enqueue", id="enqueue")])
def test_a_history_in_a_file_needs_no_queue(small: Fleet, command: str) -> None:
    small.file.write_text(small.file.read_text().replace("{url: {env: HISTORY}}", "{file: history.db}"))
    code, text = run("fleet", command)
    assert code == 2 and "nightly run" in text and "history: {url: {env: NAME}}" in text
    assert not (small.folder / "history.db").exists()


def test_a_missing_extra_is_named_with_its_command(small: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> object:
        return None if name == "procrastinate" else importlib.util.find_spec(name)

    monkeypatch.setattr(fleet_queue, "find_spec", find)
    code, text = run("fleet", "worker")
    assert code == 2 and "needs procrastinate, which isn't installed" in text
    assert "Install the extra fleet: run 'pipx inject consent-auditor procrastinate psycopg[binary]'" in text


@pytest.mark.parametrize("command", [pytest.param("worker", id="worker"), pytest.param("enqueue", id="enqueue")])
def test_a_database_that_is_gone_is_one_sentence_without_the_password(
    small: Fleet, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY", GONE)
    code, text = run("fleet", command)
    assert code in (2, 3) and "postgresql://127.0.0.1:1/history can't be used" in text and "What to do:" in text
    assert CANARY not in text and "Traceback" not in text
    code, text = run("fleet", "tenants", "-f", "json")
    assert code == 3 and CANARY not in text and "isn't known" in text


def test_a_malformed_configuration_ends_before_anything_is_opened(small: Fleet) -> None:
    small.file.write_text(small.file.read_text().replace("schedule: {every: 24h}", "schedule: {at: 2 o'clock}"))
    code, text = run("fleet", "worker")
    assert code == 2 and "isn't a time of day" in text and '"02:00"' in text


# ---- The tables of procrastinate -------------------------------------------------------------------------------------


def _tables(address: str) -> dict[str, str]:
    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT table_name, table_schema FROM information_schema.tables WHERE table_schema IN ('public', %s)",
            (SCHEMA,),
        ).fetchall()
    return dict(rows)


def test_the_queue_has_a_schema_of_its_own_outside_the_migrations_of_the_history(small: Fleet, postgresql: str) -> None:
    tables = _tables(postgresql)
    assert {schema for name, schema in tables.items() if name.startswith("procrastinate")} == {SCHEMA}
    assert {schema for name, schema in tables.items() if name.startswith("history")} == {"public"}
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE".encode())
    with open_history(postgresql) as history:
        assert history.runs() == (), "the history needs no queue"
    prepare_queue(small.server)
    assert small.enqueue().new == 4


def test_tables_of_an_earlier_procrastinate_are_brought_up_to_date(small: Fleet) -> None:
    migrations = files("procrastinate.sql").joinpath("migrations")
    names = sorted(one.name for one in migrations.iterdir() if one.name.endswith(".sql"))
    earlier = [name for name in names if name < "03.03"]
    with psycopg.connect(**connection_options(small.server), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE".encode())
        connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        for name in earlier:
            connection.execute(migrations.joinpath(name).read_bytes())
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS 'consent-auditor, procrastinate {earlier[-1]}'".encode())
    prepare_queue(small.server)
    prepare_queue(small.server)
    ((comment,),) = small.query(f"SELECT obj_description('{SCHEMA}'::regnamespace, 'pg_namespace')")
    assert comment == f"consent-auditor, procrastinate {newest_migration()}"
    small.enqueue(("c0",))
    small.work()
    assert small.statuses() == {"c0": "succeeded"}


def test_tables_of_a_newer_procrastinate_are_refused(small: Fleet) -> None:
    small.query(f"COMMENT ON SCHEMA {SCHEMA} IS 'consent-auditor, procrastinate 09.00.00_01_new.sql'")
    for command in ("worker", "enqueue"):
        code, text = run("fleet", command)
        assert code == 2 and "another version of procrastinate" in text and "Update this program" in text


def test_a_user_who_may_not_create_the_schema_is_told_what_its_owner_runs(
    small: Fleet, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE".encode())
        connection.execute(b"DROP ROLE IF EXISTS limited")
        connection.execute(b"CREATE ROLE limited LOGIN")
        connection.execute(b"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO limited")
    monkeypatch.setenv("HISTORY", postgresql.replace("//postgres:@", "//limited:@"))
    code, text = run("fleet", "worker")
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(b"DROP OWNED BY limited")
        connection.execute(b"DROP ROLE limited")
    assert code == 3 and f"CREATE SCHEMA {SCHEMA} AUTHORIZATION" in text
