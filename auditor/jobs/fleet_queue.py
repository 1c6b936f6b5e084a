"""The queue of a fleet: jobs of procrastinate in a separate schema of the PostgreSQL database of the history.

A job names a tenant, a schedule slot and the identity of a configuration, and nothing else: no secret enters the
database. A slot is the UTC time at which a night was due; everything of a night in the queue carries it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from auditor.jobs.kept_runs import HistoryUnavailable
from auditor.model.errors import InvalidRequest
from auditor.model.history import QUEUE_SCHEMA
from auditor.render import how_to_install_extras, not_installed

if TYPE_CHECKING:
    import procrastinate

    from auditor.history.location import ServerLocation
    from auditor.jobs.secret_references import Secrets
    from auditor.model.configuration import Configuration

AUDIT, CLOSE = "audit", "close"
"""The tasks: audit a tenant, and close a night when its tenants are done."""
TENANTS, NIGHTS, UPKEEP = "tenants", "nights", "upkeep"
"""The queues."""
_NEEDS = ("procrastinate", "psycopg", "sqlalchemy", "alembic", "platformdirs")
_AT_ONCE = 5000

T = TypeVar("T")


class Enqueued(NamedTuple):
    """What was put into the queue for a slot, and how many tenants were in it already."""

    slot: str
    new: int
    known: int


def queue_place(configuration: Configuration, secrets: Secrets) -> ServerLocation:
    """The database that holds the history and the queue.

    Raises InvalidRequest for a history in a file, HistoryUnavailable without the extra ``fleet``, and SecretError.
    """
    if configuration.history.url is None:
        raise InvalidRequest(
            f"a queue needs PostgreSQL, and {configuration.file} keeps the history in a file of SQLite: audit all"
            " tenants in one process with 'consent-auditor nightly run', or set history: {url: {env: NAME}}"
        )
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        extras = ("fleet",) if set(missing) <= set(_NEEDS[:2]) else ("nightly", "fleet")
        raise HistoryUnavailable(f"a queue needs {not_installed(missing)}", advice=how_to_install_extras(*extras))
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


def prepare_queue(server: ServerLocation) -> None:
    """Create the tables of the queue, or bring them up to date; see `auditor.history.queue_tables`."""
    from auditor.history.queue_tables import prepare_queue as prepare

    prepare(server)


# ---- Jobs -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_queue(server: ServerLocation, connections: int = 2) -> AsyncIterator[procrastinate.App]:
    """The queue as an app of procrastinate without tasks. Raises QueueFailed."""
    from procrastinate import App, PsycopgConnector

    from auditor.history.queue_tables import CONNECT_SECONDS, connection_options, explaining_queue

    connector = PsycopgConnector(
        conninfo="", kwargs=connection_options(server), min_size=1, max_size=connections, timeout=CONNECT_SECONDS
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
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (QUEUE_SCHEMA,))
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
