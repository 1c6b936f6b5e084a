"""The queue of a fleet: jobs of procrastinate in a separate schema of the PostgreSQL database of the history.

A job names a tenant, a schedule slot and the identity of a configuration, and nothing else: no secret enters the
database. A slot is the UTC time at which a night was due; everything of a night in the queue carries it.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from auditor.model.errors import NO_AUDIT, AuditorError, InvalidRequest
from auditor.model.history import QUEUE_SCHEMA
from auditor.render import how_to_install

if TYPE_CHECKING:
    import procrastinate
    import psycopg

    from auditor.history.location import ServerLocation
    from auditor.jobs.secret_references import Secrets
    from auditor.model.configuration import Configuration

SCHEMA = QUEUE_SCHEMA
"""Outside the migrations of the history, whose tables are in the schema of the connection."""
AUDIT, CLOSE = "audit", "close"
"""The tasks: audit a tenant, and close a night when its tenants are done."""
TENANTS, NIGHTS, UPKEEP = "tenants", "nights", "upkeep"
"""The queues."""
ACTIVE = ("todo", "doing")
_NEEDS = ("procrastinate", "psycopg", "sqlalchemy", "alembic", "platformdirs")
_CONNECT = 15
_AT_ONCE = 5000
_MIGRATION = re.compile(r"\d\d\.\d\d\.\d\d_\d\d_\w+\.sql")

T = TypeVar("T")


class QueueUnavailable(AuditorError):
    """The queue can't be used: a package is missing, or the database isn't PostgreSQL or is of another version."""


class QueueFailed(QueueUnavailable):
    """The database of the queue can't be reached or used."""

    exit_code = NO_AUDIT


class Waiting(NamedTuple):
    """A job of a tenant that isn't done: ``todo`` or ``doing``, or ``failed`` if it isn't tried again."""

    tenant: str
    slot: str
    status: str
    attempts: int


class Enqueued(NamedTuple):
    """What was put into the queue for a slot, and how many tenants were in it already."""

    slot: str
    new: int
    known: int


def queue_place(configuration: Configuration, secrets: Secrets) -> ServerLocation:
    """The database that holds the history and the queue.

    Raises InvalidRequest for a history in a file, QueueUnavailable without the extra ``fleet``, and SecretError.
    """
    if configuration.history.url is None:
        raise InvalidRequest(
            f"a queue needs PostgreSQL, and {configuration.file} keeps the history in a file of SQLite: audit all"
            " tenants in one process with 'consent-auditor nightly run', or set history: {url: {env: NAME}}"
        )
    missing = " ".join(name for name in _NEEDS if find_spec(name) is None)
    if missing:
        raise QueueUnavailable(
            f"a queue needs {missing}, which isn't installed", advice=f"{how_to_install(missing)}.".capitalize()
        )
    from auditor.history import locate
    from auditor.history.location import ServerLocation

    found = locate(secrets.value(configuration.history.url))
    if not isinstance(found, ServerLocation):
        raise InvalidRequest(
            "history.url doesn't name a PostgreSQL database: write postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return found


def run_with_queue(main: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, with an event loop that psycopg can use: on Windows not the default one."""
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def connection_options(server: ServerLocation) -> dict[str, Any]:
    """What psycopg needs to connect, with `SCHEMA` in place of the default schema."""
    found = server.options_of_psycopg()
    given = found.get("options", "")
    return {"connect_timeout": _CONNECT, **found, "options": f"{given} -c search_path={SCHEMA}".strip()}


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

    from auditor.history.errors import explained

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


# ---- The tables of procrastinate ------------------------------------------------------------------------------------


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


# ---- Jobs -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_queue(server: ServerLocation, connections: int = 2) -> AsyncIterator[procrastinate.App]:
    """The queue as an app of procrastinate without tasks. Raises QueueFailed."""
    from procrastinate import App, PsycopgConnector

    connector = PsycopgConnector(
        conninfo="", kwargs=connection_options(server), min_size=1, max_size=connections, timeout=_CONNECT
    )
    with explaining_queue(server.label):
        async with App(connector=connector).open_async() as app:
            yield app


async def enqueue(
    app: procrastinate.App, slot: str, tenants: Sequence[tuple[str, str]], configuration: str
) -> Enqueued:
    """Put the tenants (name and key) of a slot into the queue, and the job that closes it, all or nothing.

    A tenant that is in the queue for the slot, or was, isn't put there again.
    """
    from procrastinate.psycopg_connector import PsycopgConnector

    connector = app.connector
    assert isinstance(connector, PsycopgConnector)
    async with connector.pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (SCHEMA,))
        rows = await connection.execute(
            "SELECT task_name, args->>'tenant' FROM procrastinate_jobs WHERE args->>'slot' = %s", (slot,)
        )
        known = {(row[0], row[1]) for row in await rows.fetchall()}
        new = [(name, key) for name, key in tenants if (AUDIT, name) not in known]
        jobs = [
            app.configure_task(AUDIT, queue=TENANTS, lock=f"tenant/{key}", queueing_lock=f"{slot}/{name}").job.evolve(
                task_kwargs={"tenant": name, "slot": slot, "configuration": configuration}
            )
            for name, key in new
        ]
        if (CLOSE, None) not in known and tenants:
            closing = app.configure_task(CLOSE, queue=NIGHTS, lock=f"night/{slot}", queueing_lock=slot, priority=1)
            jobs.append(closing.job.evolve(task_kwargs={"slot": slot, "configuration": configuration}))
        for start in range(0, len(jobs), _AT_ONCE):
            await app.job_manager.batch_defer_jobs_async(jobs[start : start + _AT_ONCE], connection=connection)
    return Enqueued(slot, len(new), len(tenants) - len(new))


async def last_slot(app: procrastinate.App) -> str:
    """The latest slot that was opened; empty if there is none."""
    found = await app.connector.execute_query_one_async(
        "SELECT coalesce(max(args->>'slot'), '') AS slot FROM procrastinate_jobs WHERE task_name = %(task)s", task=CLOSE
    )
    return str(found["slot"])


async def tenants_of(app: procrastinate.App, slot: str) -> frozenset[str]:
    """The tenants that were put into the queue for a slot."""
    rows = await app.connector.execute_query_all_async(
        "SELECT args->>'tenant' AS name FROM procrastinate_jobs"
        " WHERE task_name = %(task)s AND args->>'slot' = %(slot)s",
        task=AUDIT,
        slot=slot,
    )
    return frozenset(str(row["name"]) for row in rows)


async def active_tenants(app: procrastinate.App, slot: str = "") -> int:
    """How many tenants of a slot, or of all, wait or are audited."""
    found = await app.connector.execute_query_one_async(
        "SELECT count(*) AS number FROM procrastinate_jobs WHERE task_name = %(task)s AND status IN ('todo', 'doing')"
        " AND (%(slot)s = '' OR args->>'slot' = %(slot)s)",
        task=AUDIT,
        slot=slot,
    )
    return int(found["number"])


async def active_nights(app: procrastinate.App) -> int:
    """How many nights aren't closed."""
    found = await app.connector.execute_query_one_async(
        "SELECT count(*) AS number FROM procrastinate_jobs WHERE task_name = %(task)s AND status IN ('todo', 'doing')",
        task=CLOSE,
    )
    return int(found["number"])


def waiting_tenants(server: ServerLocation) -> tuple[Waiting, ...]:
    """The latest job of each tenant that isn't done, by name; none if the queue was never used. Raises QueueFailed."""
    import psycopg

    with explaining_queue(server.label), psycopg.connect(**connection_options(server), autocommit=True) as connection:
        if _version(connection) is None:
            return ()
        rows = connection.execute(
            "SELECT DISTINCT ON (args->>'tenant') args->>'tenant', args->>'slot', status::text, attempts"
            " FROM procrastinate_jobs WHERE task_name = %s ORDER BY args->>'tenant', args->>'slot' DESC, id DESC",
            (AUDIT,),
        ).fetchall()
    return tuple(Waiting(*row) for row in rows if row[2] in (*ACTIVE, "failed"))
