"""A worker of a fleet: takes tenants from the queue, audits them, opens nights by the schedule and closes them.

Any number of workers can run on any number of machines; each of them does everything. procrastinate hands out the jobs
and keeps two of one tenant apart. It doesn't notice that a worker was killed: a periodic task without a lock returns
such jobs to the queue. Each start of a worker has its own number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from auditor.graph.preconnect import DaemonExecutor
from auditor.history.queue_tables import QueueFailed, explaining_queue
from auditor.jobs.fleet_queue import (
    AUDIT,
    CLOSE,
    NIGHTS,
    TENANTS,
    UPKEEP,
    active_nights,
    active_tenants,
    last_slot,
    open_queue,
    tenants_of,
)
from auditor.jobs.fleet_reads import failure_of
from auditor.jobs.fleet_slots import (
    FleetConfiguration,
    NotRecorded,
    audit_in_slot,
    close_slot,
    night_of,
    open_slot,
    runs_of_slot,
)
from auditor.jobs.night_setup import Clock, NightParts
from auditor.jobs.nightly import OpenNight
from auditor.model.night import TenantNight, is_present, slot_at

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.connector import BaseConnector

    from auditor.history import History
    from auditor.history.location import ServerLocation
    from auditor.jobs.night_log import NightLog
    from auditor.jobs.secret_references import Secrets
    from auditor.jobs.tenant_runs import TenantRuns
    from auditor.model.configuration import Configuration
    from auditor.notify.delivery import Send

T = TypeVar("T")

MOST_ATTEMPTS = 12
"""How often a tenant is tried in one slot. One that kills its worker each time would otherwise stop the whole fleet."""
_LONGEST_PAUSE = 300
_PAUSES = (1, 2, 4, 8, 15, 30, 30, 30, 60, 60, 60)
"""Seconds between attempts to reach a database that was lost, five minutes in all: it may move to another host."""
_KEEP_HOURS = {UPKEEP: 2, TENANTS: 48, NIGHTS: 24 * 90}
"""How long ended jobs stay in the queue's tables. `fleet enqueue` finds the last slot in those of nights."""


class WorkerTimes(NamedTuple):
    """How often a worker does what, in seconds. Tests use shorter ones.

    A worker is taken for ended if its last sign of life is older than `stalled`. `upkeep` is in the syntax of cron.
    """

    sign_of_life: float = 10
    stalled: float = 30
    poll: float = 5
    closing: float = 15
    retry: float = 5
    upkeep: str = "* * * * *"


class WorkerParts(NamedTuple):
    """What a worker needs from outside. `log_of` makes the log of a night, and `show` shows an audited tenant."""

    server: ServerLocation
    history: History
    secrets: Secrets
    log_of: Callable[[str], NightLog]
    show: Callable[[TenantNight], object] = lambda _: None
    clock: Clock = Clock()
    times: WorkerTimes = WorkerTimes()
    send: Send | None = None


class _TenantsWait(Exception):
    """A night can't be closed yet."""


class _Backoff(BaseRetryStrategy):
    """When a job is tried again, by what ended it."""

    def __init__(self, times: WorkerTimes) -> None:
        self._times = times

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            pause = 0.0
        elif isinstance(exception, _TenantsWait):
            pause = self._times.closing
        elif job.attempts + 1 < MOST_ATTEMPTS:
            pause = min(_LONGEST_PAUSE, self._times.retry * 2**job.attempts)
        else:
            return None
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=pause))


class _Jobs(JobManager):
    """The jobs of a worker. `on_lost` is called if the end of one can't be recorded.

    procrastinate then goes on, and its sign of life keeps the job from being returned to the queue: nobody would ever
    audit the tenant again.
    """

    def __init__(self, connector: BaseConnector, on_lost: Callable[[BaseException], object]) -> None:
        super().__init__(connector)
        self._on_lost = on_lost

    async def finish_job(self, *arguments: Any, **named: Any) -> None:
        """Record that a job ended for good."""
        with self._noticing():
            await super().finish_job(*arguments, **named)

    async def retry_job(self, *arguments: Any, **named: Any) -> None:
        """Record that a job ended and is tried again."""
        with self._noticing():
            await super().retry_job(*arguments, **named)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._on_lost(error)
            raise


class FleetWorker:
    """One worker. `stop` ends it from a signal handler; with `drain` it ends when nothing waits any more."""

    def __init__(self, path: str, parts: WorkerParts, *, concurrency: int = 0, drain: bool = False) -> None:
        self._parts = parts
        self._configuration = FleetConfiguration(path, parts.secrets, parts.history)
        self._concurrency = concurrency or self._configuration.read()[0].concurrency
        self._drain = drain
        self._threads = DaemonExecutor()
        self._runs: dict[tuple[str, str], TenantRuns] = {}
        self._loading = asyncio.Lock()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pauses: Iterator[int] = iter(())
        self._log = parts.log_of("")
        self.is_stopping = False

    def stop(self) -> None:
        """End the worker: the tenants in progress are marked as stopped, and their jobs go back into the queue."""
        self.is_stopping = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def run(self) -> None:
        """Work until `stop`, or until nothing waits. Raises QueueFailed if the database is gone for minutes."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._of_lost_task)
        # The default one waits for a file that hangs, however long that takes.
        self._loop.set_default_executor(self._threads)
        with _quiet():
            while not self.is_stopping:
                try:
                    if await self._serve():
                        return
                except QueueFailed as error:
                    pause = next(self._pauses, None)
                    if pause is None:
                        raise
                    self._log.warning("queue-lost", f"{error}; trying again in {pause} s")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stop.wait(), pause)

    async def _serve(self) -> bool:
        """Work with one connection to the queue. True if it's over, false if the connection was lost."""
        times = self._parts.times
        async with open_queue(self._parts.server, connections=4) as app:
            lost = asyncio.Event()
            app.job_manager = _Jobs(app.connector, lambda error: self._of_lost_job(lost, error))
            self._add_tasks(app)
            self._pauses = iter(_PAUSES)
            serving = asyncio.create_task(
                app.run_worker_async(
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=times.poll,
                    update_heartbeat_interval=times.sign_of_life,
                    stalled_worker_timeout=times.stalled,
                    shutdown_graceful_timeout=0,
                )
            )
            ends: list[asyncio.Task[Any]] = [asyncio.create_task(self._stop.wait())]
            if self._drain:
                ends.append(asyncio.create_task(self._drained(app)))
            losing = asyncio.create_task(lost.wait())
            with explaining_queue(self._parts.server.label):
                await asyncio.wait({serving, losing, *ends}, return_when=asyncio.FIRST_COMPLETED)
                is_over = not serving.done() and not lost.is_set()
                await self._end(serving, [losing, *ends])
            return is_over

    async def _end(self, serving: asyncio.Task[None], ends: list[asyncio.Task[Any]]) -> None:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        for one in ends:
            one.cancel()
        for result in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _drained(self, app: App) -> None:
        while await active_tenants(app) or await active_nights(app):
            await asyncio.sleep(self._parts.times.poll)

    def _of_lost_job(self, lost: asyncio.Event, error: BaseException) -> None:
        """The end of a job could not be recorded: it becomes one of an ended worker, and this one begins again."""
        self._say_lost(type(error).__name__)
        lost.set()

    def _of_lost_task(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Leave out what asyncio says of a task that nobody waits for: `_of_lost_job` said why a job's ended so."""
        if not isinstance(error := context.get("exception"), ConnectorException):
            self._say_lost(type(error).__name__ if error else "unknown")

    def _say_lost(self, name: str) -> None:
        self._log.warning("queue-lost", f"the queue did not record the end of a job ({name}); it is tried again")

    def _add_tasks(self, app: App) -> None:
        retry, upkeep = _Backoff(self._parts.times), self._parts.times.upkeep
        app.task(name=AUDIT, queue=TENANTS, retry=retry)(self._audit)
        app.task(name=CLOSE, queue=NIGHTS, retry=retry, pass_context=True)(self._close)
        for name, task in (("requeue", self._requeue), ("open", self._open_due), ("forget", self._forget_jobs)):
            cron = "17 * * * *" if name == "forget" else upkeep
            app.periodic(cron=cron)(app.task(name=name, queue=UPKEEP, priority=2, pass_context=True)(task))

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *arguments))

    def _night_parts(self, slot: str) -> NightParts:
        parts = self._parts
        return NightParts(parts.history, parts.log_of(night_of(slot)), parts.secrets, parts.clock)

    async def _loaded(self, slot: str) -> tuple[Configuration, str]:
        async with self._loading:
            return await self._in_thread(self._configuration.of_slot, slot)

    @asynccontextmanager
    async def _connections(self) -> AsyncIterator[None]:
        """Close what the runs of this worker had open."""
        try:
            yield
        finally:
            runs, self._runs = self._runs, {}
            for one in runs.values():
                await one.__aexit__()

    # ---- Tenants ----------------------------------------------------------------------------------------------------

    async def _audit(self, tenant: str, slot: str, configuration: str) -> None:
        """Audit a tenant for a slot, unless that is done or the configuration doesn't have the tenant any more."""
        parts = self._night_parts(slot)
        try:
            loaded, identity = await self._loaded(slot)
            entry = next((one for one in loaded.tenants if one.name == tenant), None)
            if entry is None:
                which = "" if identity == configuration else ", which isn't the one of the machine that enqueued it"
                message = f"{tenant} isn't in {loaded.file}{which}: it's not audited"
                parts.log.error("tenant-not-configured", message, tenant=tenant, slot=slot)
                return
            if (slot, identity) not in self._runs:
                self._runs[slot, identity] = runs_of_slot(loaded, parts, slot)
            result = await audit_in_slot(self._runs[slot, identity], entry)
        except NotRecorded:
            raise  # logged where it happened
        except Exception as error:
            failure = failure_of(error)
            parts.log.error("run-not-recorded", failure.error, tenant=tenant, slot=slot, advice=failure.advice)
            raise
        if result is None:
            parts.log.info("already-audited", f"{tenant} was audited in this slot before", tenant=tenant, slot=slot)
        else:
            self._parts.show(result)

    # ---- Nights -----------------------------------------------------------------------------------------------------

    async def _close(self, context: JobContext, slot: str, configuration: str) -> None:
        """Accompany a night: say that it starts, wait for its tenants, at most half of the interval, and close it."""
        parts, app = self._night_parts(slot), context.app
        loaded, identity = await self._loaded(slot)
        if identity != configuration:
            message = f"{loaded.file} isn't the configuration of the machine that enqueued this night"
            parts.log.warning("other-configuration", message, slot=slot)
        names = await tenants_of(app, slot)
        if context.job.attempts == 0:
            await self._in_thread(OpenNight(loaded, parts, night_of(slot), slot).begin, len(names))
        waiting = await active_tenants(app, slot)
        if waiting and is_present(slot, self._parts.clock.now(), loaded.schedule_hours):
            raise _TenantsWait
        if waiting:
            parts.log.warning(
                "closed-early", f"{waiting} tenants still wait: the night is closed without them", slot=slot
            )
        closing = asyncio.create_task(
            self._in_thread(partial(close_slot, loaded, parts, slot, names, send=self._parts.send))
        )
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing  # a worker that is asked to end finishes what it sends
        if (done := self._runs.pop((slot, identity), None)) is not None and not waiting:
            await done.__aexit__()

    async def _open_due(self, context: JobContext, timestamp: int) -> None:
        """Put the tenants into the queue when a night is due by the schedule."""
        now = self._parts.clock.now()
        configuration, _ = await self._in_thread(self._configuration.read)
        if configuration.schedule_minute is None:
            return
        slot = slot_at(now, configuration.schedule_hours, configuration.schedule_minute)
        if not is_present(slot, now, configuration.schedule_hours) or await last_slot(context.app) >= slot:
            return
        async with self._loading:
            made, _ = await open_slot(context.app, self._configuration, slot)
        self._night_parts(slot).log.info("enqueued", f"{made.new} tenants are due", slot=slot)

    # ---- Upkeep -----------------------------------------------------------------------------------------------------

    async def _requeue(self, context: JobContext, timestamp: int) -> None:
        """Return the jobs of workers that ended without a word to the queue. Two workers can do it at the same time."""
        manager = JobManager(context.app.connector)
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._parts.times.stalled):
            fields = {"tenant": job.task_kwargs.get("tenant"), "slot": job.task_kwargs.get("slot")}
            # Another worker was faster if it fails.
            with suppress(ConnectorException):
                if job.task_name not in (AUDIT, CLOSE):
                    await manager.finish_job(job, Status.FAILED, delete_job=True)
                elif job.attempts + 1 < MOST_ATTEMPTS or job.task_name == CLOSE:
                    await manager.retry_job(job, retry_at=datetime.now(UTC))
                    self._log.warning("requeued", "the worker of a job ended: it is tried again", **fields)
                else:
                    await manager.finish_job(job, Status.FAILED, delete_job=False)
                    message = f"each of {MOST_ATTEMPTS} workers ended while it audited the tenant: not tried again"
                    self._log.error("given-up", message, **fields)

    async def _forget_jobs(self, context: JobContext, timestamp: int) -> None:
        """Delete ended jobs after a while."""
        for queue, hours in _KEEP_HOURS.items():
            await context.app.job_manager.delete_old_jobs(
                nb_hours=hours, queue=queue, include_failed=True, include_cancelled=True, include_aborted=True
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the logs of the libraries: they print tracebacks of what this module explains."""
    loggers = [logging.getLogger(name) for name in ("procrastinate", "psycopg.pool")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
