"""A listening socket whose connections are counted, and an answer's way onto the wire."""

from __future__ import annotations

import asyncio
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


class Listener:
    """An HTTP server on a loopback port of its own; the port is known before it is open."""

    def __init__(self, handle: Handle, context: ssl.SSLContext | None) -> None:
        self._handle = handle
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._going = asyncio.Event()
        self.port = int(self._socket.getsockname()[1])
        self.connections = 0

    async def __aenter__(self) -> Listener:
        self._server = web.Server(self._handle, access_log=None)
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._accept, sock=self._socket, ssl=self._context)
        return self

    def _accept(self) -> asyncio.Protocol:
        self.connections += 1
        return self._server()

    async def __aexit__(self, *_: object) -> None:
        self._going.set()
        self._listening.close()
        transports = [connection.transport for connection in self._server.connections]
        self._server.pre_shutdown()
        await self._server.shutdown(0.2)
        for transport in transports:
            if transport is not None:
                transport.abort()
        for _turn in range(5):
            await asyncio.sleep(0)

    async def send(self, request: BaseRequest, answer: Answer, headers: Mapping[str, str]) -> web.StreamResponse:
        """Put `answer` on the wire, whole or as badly as it says."""
        transport = request.transport
        if transport is None:
            return web.Response()
        if answer.wire is Wire.SILENT:
            await self._hung_up(transport)
        if answer.wire is Wire.SILENT and transport.is_closing():
            return web.Response()
        if answer.wire in (Wire.SILENT, Wire.RESET):
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

    async def _hung_up(self, transport: asyncio.Transport) -> None:
        """Wait until the client is gone or the server goes."""
        while not (transport.is_closing() or self._going.is_set()):
            try:
                await asyncio.wait_for(self._going.wait(), 0.05)
            except TimeoutError:
                continue
