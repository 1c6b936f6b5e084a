"""An HTTP proxy that tunnels, and remembers to where."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from tests.graphserver.thread import LoopThread


class TunnelProxy:
    """Answers CONNECT on a loopback port: with a tunnel, or with `refuse`."""

    def __init__(self, refuse: str = "") -> None:
        self._refuse = refuse
        self._thread = LoopThread(self._listening, "tunnel-proxy")
        self.asked: list[str] = []
        self.signed_in: set[str] = set()
        """The name and password of each request, decoded."""
        self.port = 0

    @property
    def url(self) -> str:
        """What HTTPS_PROXY is set to."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> TunnelProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target = head.split(b" ", 2)[:2]
            assert method == b"CONNECT"
            self.asked.append(target.decode())
            if sent := re.search(rb"(?i)proxy-authorization: basic (\S+)", head):
                self.signed_in.add(base64.b64decode(sent[1]).decode())
            if self._refuse:
                writer.write(f"HTTP/1.1 {self._refuse}\r\nContent-Length: 0\r\n\r\n".encode())
                await _finish(writer)
            else:
                await _tunnel(target.decode(), reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has hung up, or nobody listens at the target
        finally:
            writer.transport.abort()


async def _tunnel(target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    host, _, port = target.rpartition(":")
    far_reader, far_writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))
    finally:
        far_writer.transport.abort()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65536):
        sink.write(chunk)
        await sink.drain()
    await _finish(sink)


async def _finish(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()
