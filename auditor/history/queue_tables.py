"""The tables of procrastinate in a separate schema of the history's PostgreSQL database: create, upgrade and read them.

A job names a tenant, a schedule slot and the identity of a configuration, and nothing else: no secret enters the
database. The migrations of the history never touch the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.history.errors import HistoryError, explained
from auditor.history.location import ServerLocation
from auditor.model.errors import NO_AUDIT
from auditor.model.history import QUEUE_SCHEMA

if TYPE_CHECKING:
    import psycopg

SCHEMA = QUEUE_SCHEMA
CONNECT_SECONDS = 15
_MIGRATION = re.compile(r"\d\d\.\d\d\.\d\d_\d\d_\w+\.sql")


class QueueUnavailable(HistoryError):
    """The queue can't be used by this version of procrastinate."""


class QueueFailed(QueueUnavailable):
    """The database of the queue can't be reached or used."""

    exit_code = NO_AUDIT


class WaitingJob(NamedTuple):
    """A job of a tenant that isn't done: ``todo`` or ``doing``, or ``failed`` if it isn't tried again."""

    tenant: str
    slot: str
    status: str
    attempts: int


def connection_options(server: ServerLocation) -> dict[str, Any]:
    """What psycopg needs to connect, with `SCHEMA` in place of the default schema."""
    found = server.options_of_psycopg()
    given = found.get("options", "")
    return {"connect_timeout": CONNECT_SECONDS, **found, "options": f"{given} -c search_path={SCHEMA}".strip()}


@contextmanager
def explaining_queue(place: str) -> Iterator[None]:
    """Raise what the database or procrastinate reports as `QueueFailed`. Never quotes a URL or a statement."""
    import psycopg
    from procrastinate.exceptions import ConnectorException

    try:
        yield
    except (ConnectorException, psycopg.Error, OSError) as error:
        raise failed(error, place) from error


def failed(error: BaseException, place: str) -> QueueFailed:
    """The error for the database at `place`."""
    import psycopg

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, psycopg.Error):
        cause = cause.__cause__ or cause.__context__
    found = explained(cause or error, place)
    text = str(found).replace("the history ", "the queue in ", 1)
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):
        text = "this worker gave no sign of life for a while, so that another one took its number away"
        return QueueFailed(text, advice="It starts again with a new one.")
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return QueueFailed(text, advice=f"Let its owner run once: CREATE SCHEMA {SCHEMA} AUTHORIZATION the_user")
    return QueueFailed(text, advice=found.advice)


def prepare_queue(server: ServerLocation) -> None:
    """Create the tables of procrastinate, or bring those of an earlier version of it up to date, in one transaction.

    Raises QueueFailed, and QueueUnavailable if a newer version of procrastinate made them.
    """
    import psycopg

    place = server.label
    with explaining_queue(place), psycopg.connect(**connection_options(server), autocommit=True) as connection:
        if _version(connection) == newest_migration():
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (SCHEMA,))
            _bring_up_to_date(connection, place)


def newest_migration() -> str:
    """The name of the newest migration of the installed procrastinate."""
    return _migrations()[-1]


def _migrations() -> list[str]:
    names = (one.name for one in files("procrastinate.sql").joinpath("migrations").iterdir())
    return sorted(name for name in names if _MIGRATION.fullmatch(name))


def _version(connection: psycopg.Connection[Any]) -> str | None:
    """The newest migration that was applied, which a comment on the schema says; empty without tables."""
    row = connection.execute(
        "SELECT to_regclass(%s), obj_description(to_regnamespace(%s), 'pg_namespace')",
        (f"{SCHEMA}.procrastinate_jobs", SCHEMA),
    ).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[1] or "").rpartition(" ")[2]


def _bring_up_to_date(connection: psycopg.Connection[Any], place: str) -> None:
    """Apply what is missing. procrastinate has no record of its own of what was applied."""
    known, version = _migrations(), _version(connection)
    if version == known[-1]:
        return
    if version is None:
        row = connection.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone()
        if row is None or row[0] is None:
            connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        scripts = [files("procrastinate.sql").joinpath("schema.sql")]
    elif version in known:
        folder = files("procrastinate.sql").joinpath("migrations")
        scripts = [folder.joinpath(name) for name in known[known.index(version) + 1 :]]
    else:
        raise QueueUnavailable(
            f"the queue in {place} was made by another version of procrastinate ({version or 'unknown'})",
            advice="Update this program: its procrastinate must be at least that of the other machines. If no job"
            f" matters any more, stop the workers, run DROP SCHEMA {SCHEMA} CASCADE and start again.",
        )
    for script in scripts:
        connection.execute(script.read_bytes())
    connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS 'consent-auditor, procrastinate {known[-1]}'".encode())


def waiting_jobs(server: ServerLocation, task: str) -> tuple[WaitingJob, ...]:
    """The latest job of a task for each tenant, unless it's done; none without a queue. Raises QueueFailed."""
    import psycopg

    with explaining_queue(server.label), psycopg.connect(**connection_options(server), autocommit=True) as connection:
        if _version(connection) is None:
            return ()
        rows = connection.execute(
            "SELECT DISTINCT ON (args->>'tenant') args->>'tenant', args->>'slot', status::text, attempts"
            " FROM procrastinate_jobs WHERE task_name = %s ORDER BY args->>'tenant', args->>'slot' DESC, id DESC",
            (task,),
        ).fetchall()
    return tuple(WaitingJob(*row) for row in rows if row[2] in ("todo", "doing", "failed"))
