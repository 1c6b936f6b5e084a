"""Open a connection before it is needed, so that the first request does not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpcore

from auditor.graph.graph_errors import ignoring_failures
from auditor.graph.network import NetworkSettings

Address = tuple[str, int]
CONNECT_SECONDS = 15.0
FRESH_SECONDS = 20.0
"""The age up to which an unused connection is used. Servers keep idle connections for longer than this."""


class GraphConnector:
    """How to connect to one Graph: trusted certificates, proxy, and a connection that may already be open.

    This module imports little, so that the connection can open while the SDK is imported.
    """

    def __init__(self, graph: str, network: NetworkSettings) -> None:
        self.graph = graph.rstrip("/")
        self.network = network
        self.context = network.ssl_context()
        self.proxy = network.proxy_for(self.graph)
        self.backend = PreconnectBackend()

    def preconnect(self, connections: int = 1) -> None:
        """Start to open connections for the first requests. Does nothing if there is a proxy."""
        if not self.proxy:
            parts = urlsplit(self.graph)
            for _ in range(connections):
                self.backend.open(parts.hostname or "", parts.port or 443, self.context, CONNECT_SECONDS)


class PreconnectBackend(httpcore.AsyncNetworkBackend):
    """httpcore's network backend with connections opened ahead; one that failed or is too old is replaced."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()
        self._opening: dict[Address, list[asyncio.Task[_OpenStream]]] = {}

    def open(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> None:
        """Start a connection and its TLS handshake; a later connection to this address is this one."""
        begun = asyncio.create_task(self._connect(host, port, context, timeout))
        self._opening.setdefault((host, port), []).append(begun)

    async def _connect(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> _OpenStream:
        plain = await self._network.connect_tcp(host, port, timeout=timeout)
        try:
            return _OpenStream(await plain.start_tls(context, server_hostname=host, timeout=timeout), context)
        except BaseException:  # a cancelled handshake leaves the socket open otherwise
            await plain.aclose()
            raise

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The connection opened ahead if it can still be used, otherwise a new one."""
        if waiting := self._opening.get((host, port)):
            begun = waiting.pop(0)
            with ignoring_failures():  # whatever failed, a new connection is tried
                opened = await begun
                # Only the age shows whether it is usable: after the session tickets of TLS 1.3, an open connection
                # is as readable as one that the server has closed.
                if asyncio.get_running_loop().time() - opened.since < FRESH_SECONDS:
                    return opened
                await opened.aclose()
        return await self._network.connect_tcp(host, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """A new connection; none is opened ahead."""
        return await self._network.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)

    async def aclose(self) -> None:
        """Close connections that were never used."""
        for begun in (one for waiting in self._opening.values() for one in waiting):
            begun.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await (await begun).aclose()
        self._opening.clear()


class _OpenStream(httpcore.AsyncNetworkStream):
    """A stream after its TLS handshake: `start_tls` returns the stream that is already encrypted."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext) -> None:
        self._stream = stream
        self._context = context
        self.since = asyncio.get_running_loop().time()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        if ssl_context is not self._context:
            raise httpcore.ConnectError("the connection was opened with a different SSL context")
        return self._stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


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
            except StopIteration as error:
                # A coroutine can't receive it, and would wait for ever (PEP 479).
                future.set_exception(RuntimeError(f"a call ended with StopIteration({error})"))
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
