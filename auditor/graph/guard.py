"""The promise to the admin: this program sends only reads, and only to the tenant's Graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec

from auditor.graph.graph_errors import AnswerTooLarge, ForeignHost, WriteRefused
from auditor.graph.network import NOT_MICROSOFT, host_of
from auditor.model.unread_messages import TOO_LARGE

LARGEST_ANSWER = 64 << 20
"""Bytes of an answer that are read at most. A page of Graph has a few MB, and a batch at most twenty pages."""

_BATCHES = frozenset({"/v1.0/$batch", "/beta/$batch"})


class ReadOnlyGuard(httpx.AsyncBaseTransport):
    """The transport through which every request goes, below all middleware of the SDK.

    Passes GET, and POST to ``$batch`` when every item of the batch is a GET with a relative address.
    Raises for everything else before anything is sent.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, origin: str) -> None:
        self._inner = inner
        self._origin = _origin(httpx.URL(origin))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` if it is a read of this Graph."""
        if _origin(request.url) != self._origin:
            raise ForeignHost(
                f"a request to {request.url.host} was refused: this audit reads {self._origin[1]} only",
                advice="A link in Graph's answer leads to another host. Does a proxy rewrite answers?",
            )
        if any(name.lower().startswith("x-http-method") for name in request.headers):
            raise WriteRefused("a request that overrides its method was refused")
        if request.method != "GET":
            _check_batch(request.method, request.url.path, await request.aread())
        response = await self._inner.handle_async_request(request)
        return _LimitedResponse(
            response.status_code,
            headers=response.headers,
            stream=response.stream,
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the transport that sends."""
        await self._inner.aclose()


class _LimitedResponse(httpx.Response):
    """A response whose body, unpacked, is read up to a limit, so that no answer fills the memory."""

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The body in chunks. Raises `AnswerTooLarge`."""
        size = 0
        async for chunk in super().aiter_bytes(chunk_size):
            size += len(chunk)
            if size > LARGEST_ANSWER:
                host = host_of(str(self.url))
                raise AnswerTooLarge(TOO_LARGE.format(host=host, size=LARGEST_ANSWER >> 20), advice=NOT_MICROSOFT)
            yield chunk


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _check_batch(method: str, path: str, body: bytes) -> None:
    """Raise unless this is a batch of reads."""
    if method != "POST" or path not in _BATCHES:
        raise WriteRefused(f"{method} {path} was refused: this program only reads")
    try:
        document = msgspec.json.decode(body)
        items = document["requests"]
        # The body must be equal to its own re-encoding: parsers disagree about a name that occurs twice.
        sound = isinstance(items, list) and all(map(_is_read, items)) and msgspec.json.encode(document) == body
    except (msgspec.DecodeError, KeyError, TypeError):
        sound = False
    if not sound:
        raise WriteRefused("a batch was refused: it holds more than reads with relative addresses")


def _is_read(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("method") != "GET" or "body" in item:
        return False
    url, headers = item.get("url"), item.get("headers") or {}
    if not isinstance(url, str) or not url.startswith("/") or url.startswith("//") or "\\" in url:
        return False
    return isinstance(headers, dict) and not any(str(name).lower().startswith("x-http-method") for name in headers)
