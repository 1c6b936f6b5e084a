"""A connection that is opened before it is needed, so that the first request does not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore

from auditor.graph.network import Network

Address = tuple[str, int]
CONNECT_SECONDS = 15.0
FRESH_SECONDS = 20.0
"""Servers keep idle connections for longer than this; a person with a device code takes longer, too."""


class Line:
    """The way to one Graph: whom to trust, through which proxy, and a connection that may be ready.

    Needs little to be imported, so that the connection can open while the SDK is.
    """

    def __init__(self, graph: str, network: Network) -> None:
        self.graph = graph.rstrip("/")
        self.network = network
        self.context = network.ssl_context()
        self.proxy = network.proxy_for(self.graph)
        self.backend = WarmBackend()

    def open(self) -> None:
        """Begin to open the connection that the first request will use; through a proxy, do nothing."""
        if not self.proxy:
            parts = urlsplit(self.graph)
            self.backend.open(parts.hostname or "", parts.port or 443, self.context, CONNECT_SECONDS)


class WarmBackend(httpcore.AsyncNetworkBackend):
    """httpcore's network, with connections on stock; one that failed or grew old meanwhile is replaced."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()
        self._stock: dict[Address, asyncio.Task[_Opened]] = {}

    def open(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> None:
        """Begin to connect and shake hands; the next connection to this address is the one begun here."""
        if (host, port) not in self._stock:
            self._stock[host, port] = asyncio.create_task(self._connect(host, port, context, timeout))

    async def _connect(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> _Opened:
        plain = await self._network.connect_tcp(host, port, timeout=timeout)
        try:
            return _Opened(await plain.start_tls(context, server_hostname=host, timeout=timeout), context)
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
        """The stocked connection to this address if it is still good, else a new one."""
        if begun := self._stock.pop((host, port), None):
            with contextlib.suppress(httpcore.NetworkError, httpcore.TimeoutException, OSError):
                opened = await begun
                # Age has to tell: the tickets that TLS 1.3 sends after the handshake make a good connection
                # look as readable as one that the other side has closed.
                if asyncio.get_running_loop().time() - opened.since < FRESH_SECONDS:
                    return opened
                await opened.aclose()
        return await self._network.connect_tcp(host, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never stocked."""
        return await self._network.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)

    async def aclose(self) -> None:
        """Close what was never used."""
        for begun in self._stock.values():
            begun.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await (await begun).aclose()
        self._stock.clear()


class _Opened(httpcore.AsyncNetworkStream):
    """A stream whose handshake is done already: asked for TLS, it hands over what is there."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext) -> None:
        self._stream = stream
        self._context = context
        self.since = asyncio.get_running_loop().time()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        if ssl_context is not self._context:
            raise httpcore.ConnectError("the connection was opened with another idea of whom to trust")
        return self._stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
