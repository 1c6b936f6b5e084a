"""Graph on the wire: each request is answered, mistreated if a fault says so, and remembered."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable

from aiohttp import web
from aiohttp.web_request import BaseRequest

from .answer import Answer
from .batch import answer_batch
from .call import VERSIONS, Call, read_call
from .clock import Clock
from .errors import GraphError
from .faults import Fault, Script
from .graph import Graph
from .listener import Listener
from .records import BatchItem, Request

Rendered = Callable[[str], bytes | None]
"""The body of the answer to a path, or nothing for the paths that Graph's rules answer."""


class GraphSide:
    """Hears requests to Graph and remembers them before the client has its answer."""

    def __init__(
        self,
        rules: Graph,
        script: Script,
        order: random.Random,
        errors: list[Exception],
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._script = script
        self._order = order
        self._errors = errors
        self._clock = clock
        self._in_flight = 0
        self.peak_in_flight = 0
        self.requests: list[Request] = []
        self.rendered: Rendered = lambda _: None

    def listener(self, tls: ssl.SSLContext) -> Listener:
        """Graph's listener."""
        self._listener = Listener(self._handle, tls)
        return self._listener

    async def _handle(self, request: BaseRequest) -> web.StreamResponse:
        self._in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        try:
            if (page := self.rendered(request.raw_path)) is not None:
                return web.Response(body=page, content_type="application/json")
            raw = await request.read()
            headers = {name.lower(): value for name, value in request.headers.items()}
            call = read_call(request.method, f"https://{request.host}{request.raw_path}", headers)
            answer = self._answer(call, raw, request.raw_path)
            return await self._listener.send(request, answer, self._clock.headers(call.headers))
        finally:
            self._in_flight -= 1

    def _answer(self, call: Call, raw: bytes, raw_path: str) -> Answer:
        items: tuple[BatchItem, ...] = ()

        def proper() -> Answer:
            nonlocal items
            if (call.method, call.path) != ("POST", "/$batch") or call.version not in VERSIONS:
                if self._rules.writable and call.method != "GET":
                    return self._rules.written(call, raw)
                return self._rules.answer(call)
            answer, items = answer_batch(self._rules, call, raw, self._order)
            return answer

        def fail(error: GraphError) -> Answer:
            return self._rules.failed(call, error)

        fault = self._script.take(call)
        try:
            answer = proper() if fault is None else fault.answer(call, proper, fail)
        except Exception as error:  # noqa: BLE001 - kept, and raised when the server stops
            self._errors.append(error)
            answer = fail(GraphError(500, "InternalServerError", f"The test server failed: {error!r}"))
        self.requests.append(self._record(call, raw_path, answer.status, items, fault))
        return answer

    def _record(
        self, call: Call, raw_path: str, status: int, items: tuple[BatchItem, ...], fault: Fault | None
    ) -> Request:
        try:
            tenant_id = self._rules.caller(call).tenant_id
        except GraphError:
            tenant_id = None
        return Request(
            method=call.method,
            version=call.version,
            path=call.path,
            query=call.query,
            raw_path=raw_path,
            host=call.headers.get("host", ""),
            status=status,
            headers={name: value for name, value in call.headers.items() if name != "authorization"},
            authorized="authorization" in call.headers,
            tenant_id=tenant_id,
            items=items,
            fault=fault,
        )
