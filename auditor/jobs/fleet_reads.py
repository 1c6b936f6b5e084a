"""Read many tenants at the same time, so that what one tenant does never delays or hides another.

All tenants of a cloud share one HTTP client and what signing in needs, and each has its own deadline. Nothing of a
tenant is kept when its result is known.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from auditor.graph.fleet_limits import FleetLimits, TenantLimits
from auditor.graph.network import read_network
from auditor.graph.preconnect import run as run_loop
from auditor.graph.session import SharedConnections, open_http_client, open_tokens
from auditor.graph.sign_in_sharing import SharedSignIn
from auditor.jobs.audit import PreparedAudit
from auditor.jobs.audit_request import SILENT, Interaction, SnapshotFiles
from auditor.jobs.night_setup import Clock, Stopped, Stopping
from auditor.jobs.pack_selection import apps_of
from auditor.jobs.secret_references import Secrets, live_tenant_of
from auditor.jobs.tenant_reader import addresses_of, read_for, retry_policy
from auditor.model.configuration import DEFAULT_CONCURRENCY, TenantEntry
from auditor.model.errors import NO_AUDIT, AuditorError
from auditor.model.rule import Pack
from auditor.model.snapshot import CredentialEnd, LiveTenant, Plan, Snapshot

if TYPE_CHECKING:
    from auditor.graph.access_tokens import TokenClaims
    from auditor.graph.transport import GraphHttpClient

T = TypeVar("T")
J = TypeVar("J")
_CLOCK = Clock()


class Failure(NamedTuple):
    """Why there is no audit, as a sentence, and what to do. `code` is that of the sign-in (AADSTS…), if it said one."""

    error: str
    advice: str
    code: str = ""


class TenantRead(NamedTuple):
    """What reading one tenant gave: its snapshot or the failure. `credential` says when that of a live one ends."""

    entry: TenantEntry
    prepared: PreparedAudit
    snapshot: Snapshot | None = None
    failure: Failure | None = None
    credential: CredentialEnd | None = None


class TenantToken(NamedTuple):
    """What the sign-in to one tenant gave: the claims of the token or the failure."""

    entry: TenantEntry
    claims: TokenClaims | None = None
    failure: Failure | None = None


class NotInTime(AuditorError):
    """What a tenant needs was not there before its deadline."""

    exit_code = NO_AUDIT
    heading = "No audit was made"


Job = tuple[TenantEntry, PreparedAudit]


def read_fleet(
    jobs: Sequence[Job],
    secrets: Secrets,
    use: Callable[[TenantRead], T],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    clock: Clock = _CLOCK,
    interaction: Interaction = SILENT,
    if_allowed: Sequence[str] = (),
    stopping: Stopping | None = None,
    limits: FleetLimits | None = None,
) -> tuple[T, ...]:
    """What `use` makes of each tenant, in the order of the jobs; `limits` takes the place of `concurrency`.

    `use` is called as soon as a tenant was read, for one tenant at a time and perhaps in a thread. What it returns is
    kept, so that it should not hold the snapshot. `if_allowed` are sections to read in addition, as far as the
    credential may. Raises what `use` raises, and `Stopped` or KeyboardInterrupt if the process is asked to end.
    """

    async def one(fleet: FleetConnections, job: Job) -> tuple[T, bool]:
        used: list[Awaitable[T]] = []

        def use_small(read: TenantRead) -> None:
            if _rows(read.snapshot) <= _SMALL:
                used.append(_settled(lambda: use(read)))

        async with fleet.place_of(job[0]) as place:
            read = await fleet.read(*job, place, taken=clock.now(), if_allowed=if_allowed, at_end=use_small)
            if used:
                return await used[0], False
            return await fleet.evaluated(read.snapshot, lambda: use(read)), read.failure is not None

    return _of_each(jobs, one, secrets, limits or FleetLimits(concurrency), interaction, stopping)


def ask_fleet(
    entries: Sequence[TenantEntry],
    secrets: Secrets,
    use: Callable[[TenantToken], T],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    interaction: Interaction = SILENT,
    stopping: Stopping | None = None,
) -> tuple[T, ...]:
    """What `use` makes of the token for each tenant, in the order of the entries. Nothing is read from Graph.

    Raises what `read_fleet` raises.
    """

    async def one(fleet: FleetConnections, entry: TenantEntry) -> tuple[T, bool]:
        async with fleet.place_of(entry) as place:
            token = await fleet.token(entry, place)
            return use(token), token.failure is not None

    return _of_each(entries, one, secrets, FleetLimits(concurrency), interaction, stopping)


def _of_each(
    jobs: Sequence[J],
    one: Callable[[FleetConnections, J], Awaitable[tuple[T, bool]]],
    secrets: Secrets,
    limits: FleetLimits,
    interaction: Interaction,
    stopping: Stopping | None,
) -> tuple[T, ...]:
    async def every() -> tuple[T, ...]:
        async with FleetConnections(secrets, limits) as fleet:
            return await fleet.each(jobs, lambda job: one(fleet, job), interaction)

    return run_until_stopped(every, stopping or Stopping())


def run_until_stopped(main: Callable[[], Awaitable[T]], stopping: Stopping) -> T:
    """The result of `main` in a new event loop. Raises `Stopped` if the process is asked to end, which cancels it."""

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        stopping.cancels(lambda: loop.call_soon_threadsafe(task.cancel))
        return await main()

    try:
        return run_loop(cancellable())
    except asyncio.CancelledError:
        raise Stopped from None
    finally:
        stopping.cancels(None)


_FILES_AT_ONCE = 4
_SMALL = 2_000
"""The most rows of a tenant that is evaluated between two answers: in milliseconds, and sooner than a thread starts."""


class FleetConnections:
    """What the tenants of one run share: the HTTP client of each cloud, the sign-in, and how much happens at once."""

    def __init__(self, secrets: Secrets, limits: FleetLimits) -> None:
        self._secrets = secrets
        self._limits = limits
        self._files = asyncio.Semaphore(_FILES_AT_ONCE)
        self._clients: dict[str, GraphHttpClient] = {}
        self._plans: dict[int, tuple[Sequence[Pack], Plan]] = {}
        self._sign_in: SharedSignIn | None = None
        self._stack = AsyncExitStack()
        self._own_environ = dict(os.environ)
        self._evaluating = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._stack.aclose()

    def place_of(self, entry: TenantEntry) -> TenantLimits:
        """The place of a tenant among the others, to be entered for as long as it takes one."""
        graph = entry.graph_endpoint or entry.cloud
        client = (entry.credential and entry.credential.client_id) or ""
        return TenantLimits(self._limits, self._limits.app(graph, client), entry.tenant or entry.name)

    async def each(
        self,
        jobs: Sequence[J],
        result_of: Callable[[J], Awaitable[tuple[T, bool]]],
        interaction: Interaction = SILENT,
    ) -> tuple[T, ...]:
        """The results of all jobs in their order; `result_of` also says whether one is a failure. Progress counts them.

        An error or a cancellation ends the other jobs first.
        """
        done = failed = 0

        async def one(job: J) -> T:
            nonlocal done, failed
            result, is_failure = await result_of(job)
            done, failed = done + 1, failed + is_failure
            if interaction.on_tenant:
                interaction.on_tenant(done, failed, len(jobs))
            return result

        if interaction.on_tenant:
            interaction.on_tenant(0, 0, len(jobs))
        tasks = [asyncio.create_task(one(job)) for job in jobs]
        try:
            return tuple(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def evaluated(self, snapshot: Snapshot | None, evaluation: Callable[[], T]) -> T:
        """The result of an evaluation: of a large tenant in a thread, so that the others are read meanwhile.

        One evaluation at a time: more of them would only take memory, and delay the reads.
        """
        if _rows(snapshot) <= _SMALL:
            return evaluation()
        async with self._evaluating:
            return await asyncio.to_thread(evaluation)

    async def token(self, entry: TenantEntry, place: TenantLimits) -> TenantToken:
        """The claims of a token for the tenant, or why there is none; it raises nothing."""
        try:
            tenant = live_tenant_of(entry)
            environ = await self._environment(entry)
            at, retry = addresses_of(tenant, environ), retry_policy(tenant, SILENT, place)
            sign_in = self._shared_sign_in(environ)
            tokens = open_tokens(
                at,
                tenant_id=tenant.tenant,
                auth=tenant.auth,
                environ=environ,
                network=read_network(environ),
                retry=retry,
                sign_in=sign_in,
                limits=place,
            )
            try:
                return TenantToken(entry, await tokens.claims())
            finally:
                await tokens.close()
        except Exception as error:  # noqa: BLE001 - a bug is one tenant's trouble, too
            return TenantToken(entry, failure=failure_of(error))

    async def read(
        self, entry: TenantEntry, prepared: PreparedAudit, place: TenantLimits, **options: Any
    ) -> TenantRead:
        """The tenant's snapshot, or why there is none; it raises nothing. `options` are those of `live_snapshot`."""
        try:
            snapshot, credential = await self._snapshot(entry, prepared, place, **options)
        except Exception as error:  # noqa: BLE001 - a bug that one tenant's data trigger is that tenant's trouble, too
            return TenantRead(entry, prepared, failure=failure_of(error))
        return TenantRead(entry, prepared, snapshot, credential=credential)

    async def _snapshot(
        self, entry: TenantEntry, prepared: PreparedAudit, place: TenantLimits, **options: Any
    ) -> tuple[Snapshot, CredentialEnd | None]:
        files = prepared.request.source
        if isinstance(files, SnapshotFiles):
            from auditor.jobs.snapshot_files import read_snapshot

            return await self.of_file(entry, lambda: read_snapshot(files.paths, files.tenant_id)), None
        return await self.live_snapshot(entry, prepared, place, **options)

    async def of_file(self, entry: TenantEntry, read: Callable[[], T]) -> T:
        """What `read` makes of the tenant's file, in a thread. Raises `NotInTime` for a file that hangs."""
        from auditor.snapshot.assemble import build_decoders

        build_decoders()
        async with self._files:
            with _within(entry.timeout, entry.snapshot) as limit:
                async with limit:
                    return await asyncio.to_thread(read)

    async def live_snapshot(
        self,
        entry: TenantEntry,
        prepared: PreparedAudit,
        place: TenantLimits,
        *,
        taken: str,
        interaction: Interaction = SILENT,
        if_allowed: Sequence[str] = (),
        at_end: Callable[[TenantRead], None] | None = None,
    ) -> tuple[Snapshot, CredentialEnd | None]:
        """The snapshot of a live tenant, and when its credential ends. Raises `NotInTime`, and what `read_for` does.

        `at_end` is called with both before the session closes.
        """
        source = prepared.request.source
        assert isinstance(source, LiveTenant), "the source is a live tenant"
        ends: list[CredentialEnd] = []

        def complete(snapshot: Snapshot) -> None:
            if at_end:
                at_end(TenantRead(entry, prepared, snapshot, credential=ends[0] if ends else None))

        environ = await self._environment(entry)
        snapshot = await read_for(
            source,
            self._plan_for(prepared.packs),
            apps=apps_of(prepared.packs),
            packs=prepared.packs,
            interaction=interaction._replace(on_credential=ends.append),
            environ=environ,
            shared=SharedConnections(await self._client(source, environ), self._shared_sign_in(environ), place),
            taken=taken,
            if_allowed=if_allowed,
            at_end=complete,
        )
        return snapshot, ends[0] if ends else None

    def _plan_for(self, packs: Sequence[Pack]) -> Plan:
        """What the packs need, worked out once for all tenants that have the same ones."""
        from auditor.checks.kind import plan_for

        if id(packs) not in self._plans:
            # The packs are kept, so that no others get their identity.
            self._plans[id(packs)] = packs, plan_for(packs)
        return self._plans[id(packs)][1]

    async def _environment(self, entry: TenantEntry) -> Mapping[str, str]:
        """The variables of the tenant's credential, whose secrets can be in a file or a vault that doesn't answer."""
        if self._secrets.has_read(entry):
            found = self._secrets.environment_of(entry)
            # The variables of the process are encoded, and decoded each time that they are looked at.
            return self._own_environ if found is os.environ else found
        with _within(entry.timeout, "the tenant's secret") as limit:
            async with limit:
                return await asyncio.to_thread(self._secrets.environment_of, entry)

    async def _client(self, tenant: LiveTenant, environ: Mapping[str, str]) -> GraphHttpClient:
        """One HTTP client for all tenants of a cloud: a client for each costs three times the processor time."""
        graph = addresses_of(tenant, environ).graph
        if graph not in self._clients:
            opening = open_http_client(graph, environ, for_many=True)
            self._clients[graph] = await self._stack.enter_async_context(opening)
        return self._clients[graph]

    def _shared_sign_in(self, environ: Mapping[str, str]) -> SharedSignIn:
        if self._sign_in is None:
            self._sign_in = SharedSignIn(read_network(environ))
            self._stack.push_async_callback(self._sign_in.aclose)
        return self._sign_in


def _settled(call: Callable[[], T]) -> asyncio.Future[T]:
    """What the call returned or raised, to be awaited later."""
    settled: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    try:
        settled.set_result(call())
    except Exception as error:  # noqa: BLE001 - raised where the result is awaited
        settled.set_exception(error)
    return settled


def _rows(snapshot: Snapshot | None) -> int:
    if snapshot is None:
        return 0
    sections = snapshot.sections
    return len(sections.oauth2PermissionGrants or ()) + len(sections.servicePrincipals or ())


@contextmanager
def _within(seconds: float, what: str) -> Iterator[asyncio.Timeout]:
    """A time limit. Raises `NotInTime` with what was waited for."""
    limit = asyncio.timeout(seconds)
    try:
        yield limit
    except TimeoutError:
        if not limit.expired():
            raise
        raise NotInTime(
            f"{what} could not be read within {seconds:.0f} seconds",
            advice="Check the place where it is kept, or allow more seconds with timeout in the configuration.",
        ) from None


def failure_of(error: Exception) -> Failure:
    """Why there is no audit, for people. A bug is named by its type: its text may quote anything."""
    if isinstance(error, AuditorError):
        text = error.problem
        return Failure(text, error.advice, str(getattr(error, "code", "")))
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Failure(
            f"{place}{error.strerror or type(error).__name__}", "Check the path, its permissions and the disk."
        )
    return Failure(
        f"an error in consent-auditor ({type(error).__name__})",
        "Please report it, with the log of --log-format json and what consent-auditor -V prints.",
    )
