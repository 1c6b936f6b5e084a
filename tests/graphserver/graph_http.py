"""Graph on the wire: each request is answered, mistreated if a fault says so, and remembered."""

from __future__ import annotations

import asyncio
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
from .graph import Graph
from .listener import Listener
from .records import BatchItem, Request
from .tokens import Caller

Rendered = Callable[[str], bytes | None]
"""The body of the answer to a path, or nothing for the paths that Graph's rules answer."""


class GraphSide:
    """Hears requests to Graph and remembers them before the client has its answer."""

    def __init__(
        self,
        rules: Graph,
        order: random.Random,
        errors: list[Exception],
        clock: Clock,
    ) -> None:
        self._rules = rules
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
            caller = self._caller(call)
            if caller and (seconds := self._rules.latencies.get(caller.tenant_id)):
                await asyncio.sleep(seconds)
            answer = self._answer(call, raw, request.raw_path, caller)
            return await self._listener.send(request, answer, self._clock.headers(call.headers))
        finally:
            self._in_flight -= 1

    def _caller(self, call: Call) -> Caller | None:
        try:
            return self._rules.caller(call)
        except GraphError:
            return None

    def _answer(self, call: Call, raw: bytes, raw_path: str, caller: Caller | None) -> Answer:
        items: tuple[BatchItem, ...] = ()

        def proper() -> Answer:
            nonlocal items
            if (call.method, call.path) != ("POST", "/$batch") or call.version not in VERSIONS:
                if self._rules.writable and call.method != "GET":
                    return self._rules.written(call, raw)
                return self._rules.answer(call, caller)
            answer, items = answer_batch(self._rules, call, raw, self._order)
            return answer

        def fail(error: GraphError) -> Answer:
            return self._rules.failed(call, error)

        fault = self._rules.fault(call, caller)
        try:
            answer = proper() if fault is None else fault.answer(call, proper, fail)
        except Exception as error:  # noqa: BLE001 - kept, and raised when the server stops
            self._errors.append(error)
            answer = fail(GraphError(500, "InternalServerError", f"The test server failed: {error!r}"))
        self.requests.append(
            Request(
                method=call.method,
                version=call.version,
                path=call.path,
                query=call.query,
                raw_path=raw_path,
                host=call.headers.get("host", ""),
                status=answer.status,
                headers={name: value for name, value in call.headers.items() if name != "authorization"},
                authorized="authorization" in call.headers,
                tenant_id=caller.tenant_id if caller else None,
                items=items,
                fault=fault,
            )
        )
        return answer
