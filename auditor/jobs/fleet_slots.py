"""One night of a fleet that several processes share: a tenant is audited once, and the night is closed once.

A slot is the UTC time at which the night was due. Whether a tenant was audited in it is in the history, so that a job
that comes twice does nothing the second time.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.jobs.customer_lists import ListedConfiguration, with_customers
from auditor.jobs.fleet_queue import Enqueued, enqueue, last_slot, open_queue
from auditor.jobs.night_setup import Clock, NightParts, chosen_tenants, prepared_audit, tenant_key
from auditor.jobs.nightly import OpenNight
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.tenant_runs import TenantRuns
from auditor.model.configuration import Configuration, TenantEntry
from auditor.model.customers import CustomerList
from auditor.model.errors import NO_AUDIT, AuditorError
from auditor.model.history import Run, RunState, was_stopped
from auditor.model.night import Night, TenantNight, is_present, slot_at

if TYPE_CHECKING:
    from procrastinate import App

    from auditor.history import History
    from auditor.history.location import ServerLocation
    from auditor.jobs.secret_references import Secrets
    from auditor.notify.delivery import Send

KEPT_LIST_HOURS = 36
"""How old a kept list of customers may be that a worker uses: the list was read when the night was opened."""
_NIGHTS = uuid.UUID("6f1b8c0e-8a55-4c39-9a0e-5d7c1d2f4b61")


class NotRecorded(AuditorError):
    """The history has no result of a tenant in the slot: another process audits it, or the database failed."""

    exit_code = NO_AUDIT


def configuration_identity(path: str) -> str:
    """What distinguishes two configurations on different machines: a digest of the file's bytes."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError:
        return ""  # loading it says why


def night_of(slot: str) -> str:
    """The id of the night of a slot, which all processes share: a UUID."""
    return str(uuid.uuid5(_NIGHTS, slot))


def run_in_slot(history: History, entry: TenantEntry, slot: str) -> Run | None:
    """The recorded run of a tenant since a slot; none if it wasn't audited, or only begun."""
    return _recorded(history.runs(tenant_key(entry), since=slot))


def _recorded(runs: Iterable[Run]) -> Run | None:
    return next((run for run in runs if run.state is not RunState.RUNNING and not was_stopped(run)), None)


def runs_of_slot(configuration: Configuration, parts: NightParts, slot: str) -> TenantRuns:
    """What makes the runs of a slot in this process."""
    # A machine whose clock is behind must not record a run before its slot, where nobody would find it.
    clock = Clock(lambda: max(parts.clock.now(), slot), parts.clock.seconds)
    return TenantRuns(configuration, parts._replace(clock=clock), night_of(slot), slot)


async def audit_in_slot(runs: TenantRuns, entry: TenantEntry) -> TenantNight | None:
    """Audit a tenant and record the run; none if it was audited in the slot before.

    Raises NotRecorded, which another attempt can change. A tenant that can't be audited has a recorded run that says
    so, as in a night of one process. If it's cancelled, the run is marked as stopped first.
    """
    if run_in_slot(runs.history, entry, runs.slot) is not None:
        return None
    result = await runs.run(entry, prepared_audit(entry))
    if result.run is None:
        raise NotRecorded(result.error, advice=result.advice)
    return result


def close_slot(
    configuration: Configuration, parts: NightParts, slot: str, names: Collection[str], *, send: Send | None = None
) -> Night:
    """Do what follows the tenants of a night, with the runs that the history has of it; see `run_night`.

    `names` are the tenants that were put into the queue for it.
    """
    night = OpenNight(configuration, parts, night_of(slot), slot)
    by_name: dict[str, list[Run]] = {}
    for run in parts.history.runs(since=slot):
        by_name.setdefault(run.name, []).append(run)
    tenants = (entry for entry in configuration.tenants if entry.name in names)
    return night.close(
        tuple(_night_of(parts.history, entry, by_name.get(entry.name, ())) for entry in tenants), send=send
    )


def _night_of(history: History, entry: TenantEntry, runs: Iterable[Run]) -> TenantNight:
    run = _recorded(runs)
    if run is None:
        return TenantNight(
            name=entry.name,
            tenant=tenant_key(entry),
            exit_code=NO_AUDIT,
            error="no worker audited it in time",
            advice="See the log of the workers, and consent-auditor fleet tenants.",
        )
    difference = history.difference(run.id)
    return TenantNight(
        name=entry.name,
        tenant=tenant_key(entry),
        exit_code=NO_AUDIT if run.exit_code is None else run.exit_code,
        run=run,
        error=run.error,
        difference=difference.summary if difference else None,
        changes=difference.major if difference else (),
    )


def keys_of(tenants: Iterable[TenantEntry]) -> tuple[tuple[str, str], ...]:
    """The name and the key of each tenant."""
    return tuple((entry.name, tenant_key(entry)) for entry in tenants)


def present_slot(configuration: Configuration, last: str, now: str) -> str:
    """The slot to which a run that is asked for at `now` belongs; `last` is the latest one that was opened.

    Up to half of the interval after a slot was due or opened, it's that one; else it's a new one, now.
    """
    hours, minute = configuration.schedule_hours, configuration.schedule_minute
    due = "" if minute is None else slot_at(now, hours, minute)
    present = max(due, last)
    return present if present and is_present(present, now, hours) else now


async def enqueue_present(
    server: ServerLocation,
    source: FleetConfiguration,
    now: str,
    names: Sequence[str] = (),
    tags: Sequence[str] = (),
    *,
    is_new: bool = False,
) -> tuple[Enqueued, tuple[CustomerList, ...]]:
    """Put the tenants with these names and tags into the queue, in the present night or in a new one if `is_new`.

    Returns the lists of customers, too: one that can't be read has an error.

    Raises QueueFailed, and InvalidRequest for a name or tag that no tenant has.
    """
    async with open_queue(server) as app:
        configuration, _ = source.read()
        slot = now if is_new else present_slot(configuration, await last_slot(app), now)
        return await open_slot(app, source, slot, names, tags)


async def open_slot(
    app: App,
    source: FleetConfiguration,
    slot: str,
    names: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> tuple[Enqueued, tuple[CustomerList, ...]]:
    """Read the lists of customers, and put the tenants of a slot into the queue; see `enqueue_present`."""
    listed, identity = await asyncio.to_thread(source.with_new_lists, slot)
    chosen = chosen_tenants(listed.configuration, names, tags)
    return await enqueue(app, slot, keys_of(chosen), identity), listed.lists


class FleetConfiguration:
    """The configuration file, read again when its bytes change or a new slot begins."""

    def __init__(self, path: str, secrets: Secrets, history: History) -> None:
        self._path, self._secrets, self._history = path, secrets, history
        self._read: tuple[Configuration, str] | None = None
        self._slot = ""
        self._of_slot: tuple[ListedConfiguration, str] | None = None

    def read(self) -> tuple[Configuration, str]:
        """The configuration as it is written, and its identity. Raises ConfigurationError."""
        identity = configuration_identity(self._path)
        if self._read is None or self._read[1] != identity:
            self._read = (load_configuration(self._path), identity)
        return self._read

    def of_slot(self, slot: str) -> tuple[Configuration, str]:
        """The configuration for the jobs of a slot, with the customers that its lists had when it was opened."""
        found, identity = self.read()
        if self._of_slot is None or (slot, identity) != (self._slot, self._of_slot[1]):
            listed = with_customers(found, self._secrets, self._history, now=slot, at_most_hours_old=KEPT_LIST_HOURS)
            self._slot, self._of_slot = slot, (listed, identity)
        return self._of_slot[0].configuration, self._of_slot[1]

    def with_new_lists(self, slot: str) -> tuple[ListedConfiguration, str]:
        """The configuration with the lists of customers read again, for a slot that is opened."""
        found, identity = self.read()
        listed = with_customers(found, self._secrets, self._history, now=slot, record=True)
        self._slot, self._of_slot = slot, (listed, identity)
        return self._of_slot
