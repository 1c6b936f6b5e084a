"""A listening socket whose connections are counted, and an answer's way onto the wire."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web
from aiohttp.web_request import BaseRequest

from .answer import Answer, Wire

Handle = Callable[[BaseRequest], Awaitable[web.StreamResponse]]
_WORTH_SQUEEZING = 300
_LOOK_AGAIN = 0.02
"""Seconds between two looks at whether a held answer may be sent."""


class Listener:
    """An HTTP server on its own loopback port; the port is known before it is open.

    It accepts its connections itself, so that it still holds the socket of each one when it stops. The transports
    above them cannot be relied on then: aiohttp closes each of them, in some orders twice, and until Python 3.11.3
    ``abort`` raises AttributeError on a TLS transport that was closed twice (later versions do nothing).
    """

    def __init__(self, handle: Handle, context: ssl.SSLContext | None) -> None:
        self._handle = handle
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._socket.setblocking(False)
        self._open: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = int(self._socket.getsockname()[1])
        self.connections = 0

    async def __aenter__(self) -> Listener:
        # A handler is cancelled when its connection is lost: that is what ends a silence.
        self._server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._accepting = asyncio.create_task(self._accept())
        return self

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._socket)
            self.connections += 1
            self._open = {one for one in self._open if one.fileno() >= 0} | {connection}
            task = loop.create_task(self._greet(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _greet(self, connection: socket.socket) -> None:
        """Hand a connection to aiohttp, after the TLS handshake if there is one."""
        with contextlib.suppress(OSError):  # a client that hangs up or does not trust us isn't a server error
            await asyncio.get_running_loop().connect_accepted_socket(self._server, connection, ssl=self._context)

    async def __aexit__(self, *_: object) -> None:
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):  # closed already, by either side
                connection.shutdown(socket.SHUT_RDWR)
        # Every transport now reads the end of its connection and closes its socket. The end is there already, so
        # this takes a few turns of the loop and no time.
        while self._tasks or any(connection.fileno() >= 0 for connection in self._open):
            await asyncio.sleep(0)
        await self._server.shutdown()

    async def send(self, request: BaseRequest, answer: Answer, headers: Mapping[str, str]) -> web.StreamResponse:
        """Put `answer` on the wire, whole or as badly as it says."""
        while answer.held and not answer.held.is_set():
            await asyncio.sleep(_LOOK_AGAIN)
        if answer.wire is Wire.SILENT:
            await asyncio.get_running_loop().create_future()
        transport = request.transport
        if transport is None:
            return web.Response()
        if answer.wire is Wire.RESET:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
            return web.Response()
        body = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
        sent = {**headers, **answer.headers, "Content-Type": answer.content_type}
        if "gzip" in request.headers.get("Accept-Encoding", "") and len(body) > _WORTH_SQUEEZING:
            body = gzip.compress(body, 1, mtime=0)
            sent["Content-Encoding"] = "gzip"
        if answer.wire is Wire.WHOLE:
            return web.Response(body=body, status=answer.status, headers=sent)
        response = web.StreamResponse(status=answer.status, headers={**sent, "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        transport.close()
        return response
