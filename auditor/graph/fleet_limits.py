"""Limits that the tenants of one run share: how much happens at once, and the pauses that Graph asks an app for.

A tenant that waits, or whose request isn't answered, gives its place to another one. Graph's limits are per app in a
tenant, per tenant, and per app in all tenants (Microsoft Graph, "Service-specific throttling limits"); the header
``x-ms-throttle-scope`` of a 429 says which one was reached.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress

from auditor.graph.retry import RetryPolicy

STALLED_SECONDS = 5.0
"""Seconds after which a request without an answer no longer takes a place. Graph answers most within one."""

LONGEST_PAUSE = 600.0
"""The longest pause of all tenants, in seconds. If Graph asks for a longer one, each tenant's deadline decides."""

_RECENTLY = 10.0
"""Seconds for which the answer to a tenant counts. Graph's limits are for ten seconds, too."""
_AT_ONCE = 3
"""The fewest tenants that are throttled at once if it isn't the tenants that are throttled, but the app."""


class Slots:
    """At most `limit` holders at once, in the order in which they came."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a free slot and take it."""
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # it was next, and found to be cancelled
                    self._waiting.remove(turn)
            else:
                self.give_back()
            raise

    def take_again(self) -> None:
        """Take a slot without waiting, also if none is free: a tenant that paused doesn't wait again."""
        self._free -= 1

    def give_back(self) -> None:
        """Give the slot to the next one that waits."""
        self._free += 1
        while self._free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)


class AppThrottle:
    """Whether Graph asks one app to wait in all tenants, and until when."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._until = 0.0
        self._answers: dict[str, tuple[float, bool]] = {}

    def remaining(self) -> float:
        """Seconds until the app may send requests again."""
        return max(0.0, self._until - self._clock())

    async def wait(self) -> None:
        """Return when the app may send requests."""
        while (left := self.remaining()) > 0:
            await self._sleep(left)

    def answered(self, tenant: str) -> None:
        """Note that Graph answers requests to this tenant."""
        self._answers[tenant] = (self._clock(), False)

    def throttled(self, tenant: str, seconds: float | None, headers: Mapping[str, str]) -> bool:
        """Note a 429, and return whether it is for all tenants of the app, which is then asked to wait for `seconds`.

        Without a scope in `headers`, it is if most of the tenants that were answered lately are throttled.
        """
        now = self._clock()
        scope = headers.get("x-ms-throttle-scope", "").partition("/")[0].strip().lower()
        if scope and scope != "application":
            self._answers[tenant] = (now, False)
            return False
        self._answers[tenant] = (now, True)
        is_known = seconds is not None and seconds <= LONGEST_PAUSE
        if not is_known or not (scope or self._most_are_throttled(now)):
            return False
        self._until = max(self._until, now + (seconds or 0.0))
        return True

    def _most_are_throttled(self, now: float) -> bool:
        self._answers = {one: answer for one, answer in self._answers.items() if now - answer[0] < _RECENTLY}
        throttled = sum(is_throttled for _, is_throttled in self._answers.values())
        return throttled >= max(_AT_ONCE, len(self._answers) / 2)


class FleetLimits:
    """The limits of one run: tenants and requests at once, and a throttle for each app."""

    def __init__(self, concurrency: int, *, stalled_seconds: float = STALLED_SECONDS) -> None:
        self.tenants = Slots(concurrency)
        self.requests = Slots(concurrency)
        self.stalled_seconds = stalled_seconds
        self._apps: dict[tuple[str, str], AppThrottle] = {}

    def app(self, graph: str, client_id: str) -> AppThrottle:
        """The throttle of the app at this Graph."""
        return self._apps.setdefault((graph, client_id.lower()), AppThrottle())


class TenantLimits:
    """The place of one tenant among the others, from the beginning of its read to the end."""

    def __init__(self, fleet: FleetLimits, app: AppThrottle, tenant: str) -> None:
        self._fleet = fleet
        self._app = app
        self._tenant = tenant
        self._away = 0

    async def __aenter__(self) -> TenantLimits:
        while True:
            # A tenant of an app that must wait isn't begun.
            await self._app.wait()
            await self._fleet.tenants.take()
            if not self._app.remaining():
                return self
            self._fleet.tenants.give_back()

    async def __aexit__(self, *_: object) -> None:
        self._fleet.tenants.give_back()

    async def sleep(self, seconds: float) -> None:
        """Pause without a place."""
        self._leave()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._come_back()

    async def may_send(self, retry: RetryPolicy) -> None:
        """Wait as long as Graph asks the app to."""
        while (left := self._app.remaining()) > 0:
            await retry.pause(left)

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """The time of a request to Graph, which takes one of the run's places for requests until it stalls."""
        requests = self._fleet.requests
        await requests.take()
        with self._until_stalled(requests.give_back):
            yield

    def sign_in(self) -> AbstractContextManager[None]:
        """The time of a request for a token, which takes no place for requests to Graph."""
        return self._until_stalled(lambda: None)

    @contextmanager
    def _until_stalled(self, give_back: Callable[[], None]) -> Iterator[None]:
        is_stalled = False

        def stall() -> None:
            nonlocal is_stalled
            is_stalled = True
            give_back()
            self._leave()

        timer = asyncio.get_running_loop().call_later(self._fleet.stalled_seconds, stall)
        try:
            yield
        finally:
            timer.cancel()
            if is_stalled:
                self._come_back()
            else:
                give_back()

    def answered(self) -> None:
        """Note that Graph answered a request to the tenant."""
        self._app.answered(self._tenant)

    def throttled(self, seconds: float | None, headers: Mapping[str, str]) -> bool:
        """Note a 429 of the tenant, and return whether it is for all tenants of the app."""
        return self._app.throttled(self._tenant, seconds, headers)

    def _leave(self) -> None:
        self._away += 1
        if self._away == 1:
            self._fleet.tenants.give_back()

    def _come_back(self) -> None:
        self._away -= 1
        if self._away == 0:
            self._fleet.tenants.take_again()
