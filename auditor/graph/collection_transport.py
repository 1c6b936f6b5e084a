"""The transport for large collections: aiohttp below httpx, which takes about half the processor time of httpcore.

httpx-aiohttp does the same, but rewrites a next link on the way (``%2F`` becomes ``/``), and next links are opaque; it
also has no name for a connection that the server closed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import aiohttp
import httpx
from yarl import URL

from auditor.graph.preconnect import GraphConnector

_BUFFER = 256 * 1024
"""Bytes that are read ahead of the decoder."""
_CLOSING = 0.25
"""The most seconds to wait for sockets to close (aiohttp, "Graceful shutdown")."""


class Sockets:
    """The sockets of a session of aiohttp, to wait for their end.

    A request that is cancelled at the moment at which its TLS handshake ends leaves a connection that asyncio
    closes by itself a moment later, and that nobody else knows; without the wait, the loop could end before.
    """

    def __init__(self) -> None:
        self._made: WeakSet[socket.socket] = WeakSet()

    def make(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket, for ``socket_factory`` of a connector."""
        made = socket.socket(*address[:3])
        self._made.add(made)
        return made

    async def closed(self) -> None:
        """Wait until they are closed, but not long."""
        end = asyncio.get_running_loop().time() + _CLOSING
        while any(one.fileno() >= 0 for one in self._made) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.001)


class CollectionTransport(httpx.AsyncBaseTransport):
    """Sends requests as they are: without cookies, redirects, retries, or variables of the environment."""

    def __init__(self, connector: GraphConnector) -> None:
        self._connector = connector
        self._proxy = httpx.Proxy(connector.proxy) if connector.proxy else None
        self._session: aiohttp.ClientSession | None = None
        self._sockets = Sockets()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response to `request`, whose body is read and decompressed by httpx. Raises httpx's errors."""
        session = self._session = self._session or self._opened()
        timeout = request.extensions.get("timeout", {})
        with _httpx_errors(request):
            response = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=timeout.get("connect"), sock_read=timeout.get("read")),
                proxy=str(self._proxy.url) if self._proxy else None,
                proxy_auth=aiohttp.BasicAuth(*self._proxy.auth) if self._proxy and self._proxy.auth else None,
            )
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response, request),
            request=request,
            extensions={"http_version": b"HTTP/1.1"},
        )

    def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._connector.context, socket_factory=self._sockets.make),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=_BUFFER,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            await self._sockets.closed()


class _Body(httpx.AsyncByteStream):
    """The body of a response, in pieces as they arrive."""

    def __init__(self, response: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors(self._request):
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        """Release the connection; one whose response was not read to its end is closed."""
        self._response.release()


@contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """Raise aiohttp's errors as httpx's for the same problem, with the texts that `network.cause_of` knows."""
    try:
        yield
    except aiohttp.ClientHttpProxyError as error:
        raise httpx.ProxyError(f"Tunnel connection failed: {error.status}", request=request) from None
    except aiohttp.ClientProxyConnectionError:
        raise httpx.ProxyError("Unable to connect to proxy", request=request) from None
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout(str(error), request=request) from error
    except aiohttp.ClientConnectionResetError as error:
        raise httpx.WriteError(f"Connection reset: {error}", request=request) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error), request=request) from error
    except TimeoutError as error:  # also aiohttp's
        raise httpx.ReadTimeout(str(error) or "Timeout", request=request) from error
    except aiohttp.ServerDisconnectedError as error:
        raise httpx.RemoteProtocolError("Server disconnected", request=request) from error
    except aiohttp.ClientPayloadError as error:
        message = "peer closed the connection without sending complete message body"
        raise httpx.RemoteProtocolError(message, request=request) from error
    except aiohttp.ClientError as error:
        raise httpx.ReadError(f"ReadError: {error}", request=request) from error
