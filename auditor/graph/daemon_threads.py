"""Threads for blocking calls that nobody has to wait for when the program ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Daemons(ThreadPoolExecutor):
    """Gives each call a thread of its own, which ends with the program at the latest.

    A request of azure-identity cannot be called off. From the pool that asyncio makes by itself, it would hold
    up Ctrl+C, and a run whose time is over, until the network gives up.
    """

    def submit(self, call: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        """Begin `call` at once."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call(*args, **options))
            except BaseException as error:  # noqa: BLE001 -- raised again where the result is awaited
                future.set_exception(error)

        threading.Thread(target=run, name="beside", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave alone what still runs."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, ending when `main` does, whatever its threads still wait for."""

    results: list[T] = []

    async def with_daemons() -> None:
        asyncio.get_running_loop().set_default_executor(Daemons())
        # Not returned: letting go of its signal handler, asyncio.run makes the signal module write out the
        # task with its result, which takes 0.2 s for a large directory.
        results.append(await main)

    asyncio.run(with_daemons())
    return results[0]
