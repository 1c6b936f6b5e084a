"""Daemon threads for blocking calls, so that the program can end without waiting for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonExecutor(ThreadPoolExecutor):
    """Runs each call in its own daemon thread.

    A request of azure-identity cannot be cancelled. In asyncio's default pool it would delay Ctrl+C, and the end of
    a run after its deadline, until the network times out.
    """

    def submit(self, call: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        """Start `call` immediately."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call(*args, **options))
            except BaseException as error:  # noqa: BLE001 -- raised again where the result is awaited
                future.set_exception(error)

        threading.Thread(target=run, name="blocking-call", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: threads that still run end with the program."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, but without waiting for threads when `main` has ended."""

    results: list[T] = []

    async def with_daemons() -> None:
        asyncio.get_running_loop().set_default_executor(DaemonExecutor())
        # Not returned: when asyncio.run restores its signal handler, the signal module formats the task with its
        # result, which takes 0.2 s for a large directory.
        results.append(await main)

    asyncio.run(with_daemons())
    return results[0]
