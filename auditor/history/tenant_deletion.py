"""Delete everything that a history holds about one tenant, and rewrite the file so that nothing of it stays there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, inspect, or_, select, text

from auditor.history.database import Database
from auditor.history.errors import explaining
from auditor.history.kept_customers import customers_called, delete_customers
from auditor.history.retention import delete_runs
from auditor.history.tables import decisions, findings, messages, runs, said, tenants
from auditor.history.traces import Trace, Words, traces
from auditor.model.errors import InvalidRequest
from auditor.model.history import QUEUE_SCHEMA

_JOBS = f"{QUEUE_SCHEMA}.procrastinate_jobs"


class KeptOfTenant(NamedTuple):
    """What a history holds about a tenant: counts, and how it calls the tenant.

    `keys` are what its runs were started for, `ids` the tenant ids that were read, and `names` what the configuration
    called it. `sent` counts the messages that were sent, by target. `said` counts what targets were notified of and
    what was seen of the tenant's consent, `jobs` the tenant's jobs in a queue, and `listed` the lists of customers that
    have it; `aliases` are its names and domains in them.
    """

    keys: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    runs: int = 0
    waiting: int = 0
    sent: tuple[tuple[str, int], ...] = ()
    said: int = 0
    jobs: int = 0
    listed: int = 0
    aliases: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the history holds nothing."""
        return not (self.names or self.waiting or self.sent or self.said or self.jobs or self.listed)


def holdings(database: Database, tenant: str, also: Collection[str] = ()) -> KeptOfTenant:
    """What the history holds about the tenant with this key, id or name, and with the keys and names in `also`.

    Raises HistoryError, and InvalidRequest if two tenants have the name.
    """
    with database.read() as connection:
        return _holdings(connection, tenant, also)


def _holdings(connection: Connection, tenant: str, also: Collection[str]) -> KeptOfTenant:
    listed = customers_called(connection, {tenant, *also})
    named = {tenant, *also, *(one.tenant for one in listed if one.tenant)}
    meant = connection.execute(select(tenants).where(_is_one_of(named)).order_by(tenants.c.id)).all()
    ids = tuple(dict.fromkeys(row.tenant for row in meant if row.tenant))
    if len(ids) > 1:
        raise InvalidRequest(
            f"{len(ids)} tenants are called {tenant}: name the one to forget by its ID ({' or '.join(ids)})"
        )
    if ids:
        # A run that failed before the id was known has another row.
        meant = connection.execute(select(tenants).where(_is_one_of({*named, *ids})).order_by(tenants.c.id)).all()
        listed = customers_called(connection, {*named, *ids})
    keys = tuple(dict.fromkeys((*(row.key for row in meant), *sorted(named))))
    numbers = [row.id for row in meant]
    about = messages.c.tenant.in_({*keys, *ids})
    sent = Counter(connection.scalars(select(messages.c.target).where(about, messages.c.sent != "")))
    names = tuple(dict.fromkeys((*(row.name for row in meant), *(one.label for one in listed if one.label))))
    return KeptOfTenant(
        keys=keys,
        ids=ids,
        names=names,
        runs=_count(connection, runs, runs.c.tenant_id.in_(numbers)),
        waiting=_count(connection, messages, about, messages.c.sent == ""),
        sent=tuple(sorted(sent.items())),
        said=_count(connection, said, said.c.tenant.in_({*keys, *ids})),
        jobs=_jobs(connection, {*keys, *names}),
        listed=len(listed),
        aliases=tuple(dict.fromkeys(text for one in listed for text in (one.name, one.domain) if text)),
    )


def _is_one_of(named: Collection[str]) -> Any:
    ids = {name.lower() for name in named}
    return or_(tenants.c.key.in_(named), tenants.c.tenant.in_(ids), tenants.c.name.in_(named))


def _count(connection: Connection, table: Any, *where: Any) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*where)) or 0


def forget(database: Database, tenant: str, also: Collection[str] = ()) -> KeptOfTenant:
    """Delete what `holdings` finds, also the tenant's lock, and return it.

    Raises HistoryError, RunInProgress if a run of the tenant is in progress, and InvalidRequest as `holdings` does.
    """
    with ExitStack() as held:
        for key in holdings(database, tenant, also).keys:
            held.enter_context(_locked(database, key))
            held.callback(database.locks.remove, key)
        with database.write() as connection:
            found = _holdings(connection, tenant, also)
            _delete(connection, found)
    if not found.is_empty:
        database.rewrite()
    return found


@contextmanager
def _locked(database: Database, key: str) -> Iterator[None]:
    with explaining(database.place), database.locks.hold(key):
        yield


def _delete(connection: Connection, found: KeptOfTenant) -> None:
    keys = {*found.keys, *found.ids}
    numbers = list(connection.scalars(select(tenants.c.id).where(tenants.c.key.in_(found.keys))))
    ids = list(connection.scalars(select(runs.c.id).where(runs.c.tenant_id.in_(numbers))))
    for table in (decisions, findings):
        connection.execute(delete(table).where(table.c.tenant_id.in_(numbers)))
    for table in (messages, said):
        connection.execute(delete(table).where(table.c.tenant.in_(keys)))
    delete_customers(connection, keys)
    delete_runs(connection, ids)
    connection.execute(delete(tenants).where(tenants.c.id.in_(numbers)))
    if found.jobs:
        _delete_jobs(connection, {*found.keys, *found.names})


def _delete_jobs(connection: Connection, names: Collection[str]) -> None:
    # The triggers of procrastinate find their tables in the search path only.
    connection.execute(text(f"SET LOCAL search_path TO {QUEUE_SCHEMA}"))
    connection.execute(text("DELETE FROM procrastinate_jobs WHERE args->>'tenant' = ANY(:names)"), {"names": [*names]})
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))


def _jobs(connection: Connection, names: Collection[str]) -> int:
    """How many jobs of the queue name the tenant; none without a queue."""
    if connection.dialect.name != "postgresql" or QUEUE_SCHEMA not in inspect(connection).get_schema_names():
        return 0
    if not inspect(connection).has_table("procrastinate_jobs", QUEUE_SCHEMA):
        return 0
    query = text(f"SELECT count(*) FROM {_JOBS} WHERE args->>'tenant' = ANY(:names)")  # noqa: S608 - a constant
    return connection.scalar(query, {"names": list(names)}) or 0


def remaining(database: Database, words: Words) -> tuple[Trace, ...]:
    """What the tables of the history still have of the words. Raises HistoryError."""
    with database.read() as connection:
        return traces(connection, words)


def remaining_in_files(database: Database, words: Words) -> frozenset[str]:
    """Those of the words that are in the bytes of SQLite's files and in no row; nothing of a server.

    Raises HistoryError and OSError.
    """
    if database.engine.dialect.name != "sqlite":
        return frozenset()
    files = [Path(f"{database.place}{end}") for end in ("", "-wal", "-shm")]
    anywhere = Words(words.words, anywhere=True)
    found = frozenset[str]().union(*(anywhere.found_in_file(file) for file in files if file.exists()))
    if not found:
        return found
    return found - {word for trace in remaining(database, Words(found, anywhere=True)) for word in trace.words}
