"""Open the database of a history: create it, or bring it to the newest version after a backup, or refuse it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

from auditor.atomic import open_private
from auditor.history.errors import HistoryError, NoHistory, explaining
from auditor.history.location import FileLocation, Location, ServerLocation, prepare
from auditor.history.locks import FileLocks, ServerLocks, number_of
from auditor.history.tables import VERSION_TABLE, metadata, tenants

WAIT = 60
"""How long a write waits for another process's write, in seconds; a write takes about one."""
_CONNECT = 15
"""The time limit to connect to a server, in seconds."""
_WRITES = "writes"
_MIGRATION = re.compile(r"v(\d{4})_\w+\.py")
_WRITE_LOCK = number_of("write")


class Database(NamedTuple):
    """An open database. `place` is its name for people, and `locks` are those of the tenants."""

    engine: Engine
    place: str
    locks: FileLocks | ServerLocks

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database. Raises HistoryError."""
        with explaining(self.place), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed as a whole at the end of the block, or not at all. Raises HistoryError.

        One process writes at a time, in SQLite as in PostgreSQL.
        """
        with explaining(self.place), self.engine.connect() as connection:
            writing = connection.execution_options(**{_WRITES: True})
            with writing.begin():
                if self.engine.dialect.name == "postgresql":
                    writing.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})
                yield writing

    def shrink(self) -> None:
        """Give the space of what was deleted back to the disk, and clear the log that still holds it.

        A server does that by itself (autovacuum). Nothing happens while another process reads.
        """
        if self.engine.dialect.name == "postgresql":
            return
        with explaining(self.place), self.engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            # As a script: SQLite frees a page at each step, and a statement without columns takes one step only.
            raw.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")

    def rewrite(self) -> None:
        """Write the database again without what was deleted, so that its bytes are in no page and in no log.

        SQLite overwrites what is deleted, but can leave copies of it in pages that it reorganized. A server keeps its
        log and its backups for as long as its administrator says.
        """
        with explaining(self.place), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                vacuum = connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in metadata.sorted_tables:
                    vacuum.execute(text(f'VACUUM "{table.name}"'))
                return
            raw: Any = connection.connection.dbapi_connection
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(location: Location, *, must_exist: bool = False, migrations: Path | None = None) -> Database:
    """Open the database, in the newest version. Raises HistoryError; with `must_exist`, NoHistory if there is none.

    `migrations` replaces the program's own, for tests.
    """
    with explaining(location.label):
        if isinstance(location, ServerLocation):
            engine = _server(location)
            database = Database(engine, location.label, ServerLocks(engine))
        else:
            database = _file(location, must_exist)
        try:
            _bring_up_to_date(database, location, must_exist, migrations)
        except BaseException:
            database.close()
            raise
    return database


def open_copy(path: Path) -> Database:
    """Open a copy of a history in SQLite to read it, in whatever version it is."""
    engine = create_engine("sqlite+pysqlite://", creator=lambda: _connected(path, is_writable=False))
    return Database(engine, str(path), FileLocks(path))


def _server(location: ServerLocation) -> Engine:
    options: dict[str, Any] = {} if "connect_timeout" in location.url.query else {"connect_timeout": _CONNECT}
    try:
        return create_engine(location.url, connect_args=options, hide_parameters=True, pool_pre_ping=True)
    except ImportError:
        raise HistoryError(
            "a history in PostgreSQL needs psycopg, which isn't installed",
            advice="Run 'pipx inject consent-auditor psycopg[binary]' if you installed the program with pipx,"
            " or 'pip install psycopg[binary]' in its virtual environment.",
        ) from None


def _file(location: FileLocation, must_exist: bool) -> Database:
    path = location.path
    if must_exist and not path.exists():
        raise NoHistory(
            f"there is no history at {path}", advice="Make a first run: consent-auditor nightly run --config FILE"
        )
    # SQLite also writes its log next to the file.
    is_writable = not path.exists() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    if is_writable:
        prepare(location)
        # SQLite gives its files -wal and -shm the permissions of the database.
        os.close(open_private(path))
    engine = create_engine(
        "sqlite+pysqlite://", creator=lambda: _connected(path, is_writable), hide_parameters=True, pool_size=5
    )
    event.listen(engine, "begin", _begin)
    return Database(engine, location.label, FileLocks(path))


def _connected(path: Path, is_writable: bool) -> sqlite3.Connection:
    address = path.as_uri()
    if not is_writable:
        # Without write permission SQLite can't create the shared memory of WAL. If nobody writes, none is needed.
        has_log = path.with_name(f"{path.name}-wal").exists()
        address += "?mode=ro" if has_log else "?immutable=1"
    connection = sqlite3.connect(
        address, uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        # Before the first table exists, or it has no effect. It lets pruning shrink the file.
        if is_writable:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _begin(connection: Connection) -> None:
    """Begin a transaction: one that writes takes the write lock now, so that it never fails in its middle."""
    is_write = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _bring_up_to_date(database: Database, location: Location, must_exist: bool, migrations: Path | None) -> None:
    with _folder(migrations) as folder:
        script = _Migrations(folder)
        with database.read() as connection:
            version = _version(connection, database.place, must_exist)
        if version == script.newest:
            return
        if version and version not in script.known:
            raise HistoryError(
                f"the history {database.place} was written by a newer version of consent-auditor",
                advice="Update the program: its version must be at least the one that wrote the history.",
            )
        if isinstance(location, FileLocation):
            if not (os.access(location.path, os.W_OK) and os.access(location.path.parent, os.W_OK)):
                raise HistoryError(
                    f"the history {database.place} must be upgraded, and this user can't write it",
                    advice="Run 'consent-auditor history list' once as the user who owns it.",
                )
            if version:
                _back_up(location.path, version)
        with database.write() as connection:
            # Another process can have done it since.
            if _version(connection, database.place, must_exist=False) != script.newest:
                script.upgrade(connection)


def _version(connection: Connection, place: str, must_exist: bool) -> str:
    """The version of the database, or nothing for an empty one. Raises HistoryError for another program's file."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        return connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) or ""  # noqa: S608 - a constant
    if tenants.name in tables or (tables and connection.dialect.name == "sqlite"):
        raise HistoryError(
            f"the database {place} isn't a history of consent-auditor",
            advice="Check its path, or name a file that doesn't exist yet.",
        )
    if must_exist:
        raise NoHistory(
            f"there is no history in {place}", advice="Make a first run: consent-auditor nightly run --config FILE"
        )
    return ""


def _back_up(path: Path, version: str) -> None:
    """Copy the database to a file in the same folder, with what its log still holds. Raises sqlite3.Error."""
    target = path.with_name(f"{path.name}.backup-{version}")
    os.close(open_private(target))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error:
        with suppress(OSError):
            target.unlink()
        raise


@contextmanager
def _folder(migrations: Path | None) -> Iterator[Path]:
    if migrations is not None:
        yield migrations
        return
    with as_file(files("auditor.history") / "migrations") as folder:
        yield folder


class _Migrations:
    """The migrations in a folder: ``v0001_first.py`` and so on, by their revisions.

    Alembic is imported for an upgrade only; it takes longer than a list of runs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.known = {found[1] for path in folder.iterdir() if (found := _MIGRATION.fullmatch(path.name))}
        self.newest = max(self.known)

    def upgrade(self, connection: Connection) -> None:
        """Run what is missing, inside the transaction of the connection."""
        from alembic.config import Config
        from alembic.runtime.environment import EnvironmentContext
        from alembic.script import ScriptDirectory

        script = ScriptDirectory(str(self._folder), version_locations=[str(self._folder)])

        def steps(revision: Any, context: Any) -> Any:
            return script._upgrade_revs("head", revision)

        with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
            environment.configure(connection=connection, version_table=VERSION_TABLE, transactional_ddl=True)
            with environment.begin_transaction():
                environment.run_migrations()
