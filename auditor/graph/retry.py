"""Retries: which failures to retry, how long to wait, the deadline of a run, and the pace that Graph's logs allow."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

from auditor.model.unread_messages import AnsweringService

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed later."""


OnPause = Callable[[str, float, bool], None]
"""Called before a pause with who didn't answer, the seconds, and whether they were asked for (``Retry-After``)."""

REPORTS_AT_ONCE, REPORT_SECONDS = 5, 10.0
"""How many requests for logs and reports Graph answers in how many seconds, to one app in one tenant.

Source: Microsoft Graph, "Service-specific throttling limits", identity and access reports.
"""

_LONGEST_PAUSE = 86_400.0
"""The longest pause, in seconds, that is made if a service asks for it: ``--timeout`` allows as much."""


class RetryPolicy:
    """One deadline for a whole run, shared by all its requests.

    The time starts with the first request. If a service says how long to wait, that time is used, as long as the
    deadline allows it. Otherwise waits double from half a second, for at most `attempts` attempts. With
    `waits_as_asked`, a pause that a service asks for doesn't count, so that the deadline moves by it.
    """

    def __init__(
        self,
        seconds: float = 300.0,
        *,
        attempts: int = 6,
        waits_as_asked: bool = False,
        on_pause: OnPause | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._seconds = seconds
        self._attempts = attempts
        self._waits_as_asked = waits_as_asked
        self._on_pause = on_pause
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._wall = wall
        self._started: float | None = None
        self._paused_until = 0.0
        self._reports: deque[float] = deque(maxlen=REPORTS_AT_ONCE)

    def remaining(self) -> float:
        """Seconds left until the deadline, never below zero."""
        if self._started is None:
            self._started = self._clock()
        return max(0.0, self._started + self._seconds - self._clock())

    def allows(self, seconds: float) -> bool:
        """Whether the run can make a pause that a service asks for."""
        return seconds < self.remaining() or (self._waits_as_asked and seconds <= _LONGEST_PAUSE)

    async def wait(
        self,
        tried: int,
        retry_after: float | None = None,
        *,
        most: int | None = None,
        service: AnsweringService = AnsweringService.GRAPH,
    ) -> bool:
        """Wait for the next attempt. False, without a wait, if `tried` attempts (or `most`) are enough."""
        if retry_after is None and tried >= min(self._attempts, most or self._attempts):
            return False
        delay = self._backoff(tried) if retry_after is None else retry_after
        if delay >= self.remaining() if retry_after is None else not self.allows(delay):
            return False
        if retry_after is not None and self._waits_as_asked:
            self._move_deadline(delay)
        if self._on_pause:
            self._on_pause(service, delay, retry_after is not None)
        await self._sleep(delay)
        return True

    async def wait_for_reports(self, requests: int) -> None:
        """Wait until Graph may be asked for logs or reports again, `requests` times; at most until the deadline.

        Call it before each request, and before a batch with the number of such requests in it.
        """
        requests = min(requests, REPORTS_AT_ONCE)
        now = at = self._clock()
        if (over := len(self._reports) + requests - REPORTS_AT_ONCE) > 0:
            at = max(now, self._reports[over - 1] + REPORT_SECONDS)
        self._reports.extend([at] * requests)
        if (delay := at - now) > 0:
            if self._waits_as_asked:
                self._move_deadline(delay)
            await self._sleep(min(delay, self.remaining()))

    async def pause(self, seconds: float) -> None:
        """Pause because Graph asks all tenants of the app to wait. It doesn't count, because no tenant caused it."""
        self._move_deadline(seconds)
        if self._on_pause:
            self._on_pause(AnsweringService.GRAPH, seconds, True)
        await self._sleep(seconds)

    def leave_out(self, seconds: float) -> None:
        """Don't count a pause that begins now, and that is made because Graph asks all tenants of the app to wait."""
        self._move_deadline(seconds)

    def _move_deadline(self, seconds: float) -> None:
        """Leave out a pause that begins now. Of pauses at the same time, the time that they share counts once."""
        now = self._clock()
        end = now + seconds
        self._seconds += max(0.0, end - max(now, self._paused_until))
        self._paused_until = max(self._paused_until, end)

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        """The seconds to wait according to the lower-case `headers` of a response, or none.

        Seconds may have a fraction. A date is compared with the response's own date, so that a wrong clock here
        does no harm. Zero and times in the past count as no time.
        """
        text = headers.get("retry-after", "").strip()
        if not text:
            return None
        try:
            seconds = float(text)
        except ValueError:
            then = _date(text)
            if then is None:
                return None
            now = _date(headers.get("date", ""))
            seconds = then - (self._wall() if now is None else now)
        return seconds if 0 < seconds < float("inf") else None

    def _backoff(self, tried: int) -> float:
        longest = min(30.0, 0.5 * 2.0 ** (tried - 1))
        # Half fixed, half random, so that clients that failed together do not retry together.
        return longest / 2 + longest / 2 * self._jitter()


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):  # the latter for years that this machine's clock cannot hold
        return None
