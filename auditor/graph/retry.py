"""Retries: which failures to retry, how long to wait, and the deadline of a run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed later."""


class RetryPolicy:
    """One deadline for a whole run, shared by all its requests.

    The time starts with the first request. If Graph says how long to wait, that time is used, as long as the
    deadline allows it. Otherwise waits double from half a second, for at most `attempts` attempts.
    """

    def __init__(
        self,
        seconds: float = 300.0,
        *,
        attempts: int = 6,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._seconds = seconds
        self._attempts = attempts
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._wall = wall
        self._started: float | None = None

    def remaining(self) -> float:
        """Seconds left until the deadline, never below zero."""
        if self._started is None:
            self._started = self._clock()
        return max(0.0, self._started + self._seconds - self._clock())

    async def wait(self, tried: int, retry_after: float | None = None, *, most: int | None = None) -> bool:
        """Wait for the next attempt. False, without a wait, if `tried` attempts (or `most`) are enough."""
        if retry_after is None and tried >= min(self._attempts, most or self._attempts):
            return False
        delay = self._backoff(tried) if retry_after is None else retry_after
        if delay >= self.remaining():
            return False
        await self._sleep(delay)
        return True

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
    except ValueError:
        return None
