"""A line of known length: a TCP proxy that delays every byte as distance would."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from .thread import LoopThread

_CHUNK = 64 * 1024
_Queue = asyncio.Queue[tuple[float, bytes]]


class LatencyProxy:
    """Stands before a loopback port; each direction takes `one_way_seconds`, and so does connecting, there and back.

    `flights` counts how often a client spoke after it had listened (or spoke first): one for every round trip
    that the client's own waiting made. `round_trips` adds the one that connecting costs.
    """

    def __init__(self, target_port: int, one_way_seconds: float) -> None:
        self._target_port = target_port
        self.one_way_seconds = one_way_seconds
        self.connections = 0
        self.flights = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.connected = threading.Event()
        """Set from the first connection on."""
        self._thread = LoopThread(self._listening, "latency-proxy")
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where a TLS client goes instead of straight to the server."""
        return f"https://localhost:{self.port}"

    @property
    def round_trips(self) -> int:
        """Flights and connects: what the distance was paid for."""
        return self.connections + self.flights

    def forget(self) -> None:
        """Count from nothing again."""
        self.connections = self.flights = self.bytes_up = self.bytes_down = 0

    def __enter__(self) -> LatencyProxy:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._socket.getsockname()[1])
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._accept, sock=self._socket, limit=_CHUNK)
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.connected.set()
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions of one connection, until either side is done."""
        line = _Line(self)
        far: asyncio.StreamWriter | None = None
        try:
            await asyncio.sleep(2 * self.one_way_seconds)
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target_port, limit=_CHUNK)
            async with asyncio.TaskGroup() as group:
                group.create_task(line.carry(reader, far, up=True))
                group.create_task(line.carry(far_reader, writer, up=False))
        except* (OSError, EOFError):
            pass
        finally:
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()
            await asyncio.sleep(0)


class _Line:
    """One connection: who spoke last, and the bytes that are on their way."""

    def __init__(self, proxy: LatencyProxy) -> None:
        self._proxy = proxy
        self._client_listened = True

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        """Deliver every chunk of one direction `one_way_seconds` after it came, in order."""
        under_way: _Queue = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(under_way, writer, up=up))
        loop = asyncio.get_running_loop()
        try:
            while True:
                chunk = await reader.read(_CHUNK)
                if up and chunk:
                    self._spoke(len(chunk))
                under_way.put_nowait((loop.time() + self._proxy.one_way_seconds, chunk))
                if not chunk:
                    break
            await delivery
        finally:
            delivery.cancel()

    def _spoke(self, size: int) -> None:
        self._proxy.bytes_up += size
        if self._client_listened:
            self._proxy.flights += 1
            self._client_listened = False

    async def _deliver(self, under_way: _Queue, writer: asyncio.StreamWriter, *, up: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not chunk:
                raise EOFError
            writer.write(chunk)
            if not up:
                self._client_listened = True
                self._proxy.bytes_down += len(chunk)
            await writer.drain()
