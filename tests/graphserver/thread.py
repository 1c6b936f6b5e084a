"""An event loop in a separate thread, so that blocking tests can talk to asynchronous servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.limits import HUNG_AFTER


class LoopThread:
    """Keeps an asynchronous context open in a thread, from `start` to `stop`."""

    def __init__(self, context: Callable[[], AbstractAsyncContextManager[Any]], name: str) -> None:
        self._context = context
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._up = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._enough: asyncio.Event | None = None

    def start(self) -> None:
        """Return when the context is open, or raise what kept it from opening."""
        self._thread.start()
        self._up.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Close the context and wait until the thread is gone."""
        if self._loop is not None and self._enough is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._enough.set)
        self._thread.join(HUNG_AFTER)
        if self._thread.is_alive():
            raise RuntimeError(f"{self._thread.name} does not stop")
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - raised again by start or stop
            self._error = error
        finally:
            self._up.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_ignore)
        self._enough = asyncio.Event()
        async with self._context():
            self._up.set()
            await self._enough.wait()


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A client that hangs up, or that doesn't trust the certificate, isn't a server error."""
