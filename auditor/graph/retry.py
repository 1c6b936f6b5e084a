"""Patience: which failures are worth another try, how long to wait, and when a run has taken long enough."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

RETRIED = frozenset({429, 500, 502, 503, 504})
"""Statuses that may be another answer a moment later."""


class Patience:
    """One deadline for a whole run, shared by all its requests.

    It starts with the first request. Where Graph names a time to wait, that time is kept, for as long as the
    deadline allows; where it does not, waits double from half a second and at most `attempts` tries are made.
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
        """Wait until another try may be made; false, at once, when none should be after `tried` tries (or `most`)."""
        if retry_after is None and tried >= min(self._attempts, most or self._attempts):
            return False
        delay = self._backoff(tried) if retry_after is None else retry_after
        if delay >= self.remaining():
            return False
        await self._sleep(delay)
        return True

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        """The seconds that an answer with these lower-case `headers` asks to wait, if it asks.

        Seconds may have a fraction. A date is held against the answer's own date, so that a wrong clock here
        does no harm. Zero and the past are no time that could be waited for, and count as none.
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
        # Half fixed, half random: clients that failed together do not come back together.
        return longest / 2 + longest / 2 * self._jitter()


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
