"""An HTTP proxy that tunnels, and remembers to where."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType

from tests.graphserver.thread import LoopThread


class TunnelProxy:
    """Answers CONNECT on a loopback port: with a tunnel, or with `refuse`."""

    def __init__(self, refuse: str = "") -> None:
        self._refuse = refuse
        self._thread = LoopThread(self._listening, "tunnel-proxy")
        self.asked: list[str] = []
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

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._open: set[asyncio.StreamWriter] = set()
        try:
            yield
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()
            await asyncio.sleep(0.01)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target = head.split(b" ", 2)[:2]
            assert method == b"CONNECT"
            self.asked.append(target.decode())
            if self._refuse:
                writer.write(f"HTTP/1.1 {self._refuse}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
            else:
                await self._tunnel(target.decode(), reader, writer)
        writer.close()
        self._open.discard(writer)

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._open.add(far_writer)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while chunk := await source.read(65536):
                sink.write(chunk)
                await sink.drain()
            sink.close()

        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer), return_exceptions=True)
        self._open.discard(far_writer)
