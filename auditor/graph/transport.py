"""The Microsoft Graph SDK's stack, held to JSON, to one host and to reads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpcore
import httpx
import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware import ParametersNameDecodingHandler, UserAgentHandler
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import AzureIdentityAuthenticationProvider, GraphClientFactory  # type: ignore[import-untyped]

from auditor.graph.access_tokens import Tokens
from auditor.graph.answer import Answer, item_answer, read_answer
from auditor.graph.graph_errors import BrokenJson, TokenRefused, Unconnected, Unreachable, Untrusted
from auditor.graph.guard import ReadOnlyGuard
from auditor.graph.network import OVER, advice_for, host_of, in_words
from auditor.graph.preconnect import CONNECT_SECONDS, Line
from auditor.graph.retry import Patience

BATCH_LIMIT = 20
_READ_SECONDS = 60.0
_KNOCKS = 3
"""Tries to connect to a Graph that never answered: whoever mistyped an address or a proxy is sitting there."""
_AT_ONCE = 8
"""Requests of one tenant under way together: enough to hide latency, too few to be throttled for."""


class GraphHttp:
    """One HTTP client for one cloud's Graph; tenants share it, and with it the connections."""

    def __init__(self, line: Line, *, read_seconds: float = _READ_SECONDS) -> None:
        self.line = line
        self._wire = ReadOnlyGuard(_transport(line), line.graph)
        client = httpx.AsyncClient(
            transport=self._wire,
            timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
            headers={"User-Agent": "consent-auditor"},
            trust_env=False,
        )
        # Neither the SDK's retry handler, which would multiply with ours, nor its redirect handler: Graph's
        # reads do not redirect, and whoever does is not Graph.
        handlers = [ParametersNameDecodingHandler(), UserAgentHandler()]
        self.client = GraphClientFactory.create_with_custom_middleware(handlers, client=client)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.line.backend.aclose()
        await self.client.aclose()
        # The SDK's transport does not pass closing on to the one it wraps (msgraph-core 1.5).
        await self._wire.aclose()


def _transport(line: Line) -> httpx.AsyncHTTPTransport:
    """What sends, over HTTP/1.1: twice as fast as HTTP/2 through this stack."""
    if line.proxy:
        proxy = httpx.Proxy(line.proxy, ssl_context=line.context if line.proxy.startswith("https") else None)
        return httpx.AsyncHTTPTransport(verify=line.context, proxy=proxy, trust_env=False)
    transport = httpx.AsyncHTTPTransport(verify=line.context, trust_env=False)
    # httpx has no setting for the network below; its pool is replaced by the same one with ours.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=line.context,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=60.0,
        network_backend=line.backend,
    )
    return transport


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One read: an address below the version, and the headers it needs."""

    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class GraphClient:
    """Reads one tenant. Every method retries with `patience` and returns what Graph said in the end."""

    def __init__(self, http: GraphHttp, tokens: Tokens, patience: Patience) -> None:
        self.tokens = tokens
        self.patience = patience
        self.graph = http.line.graph
        self._network = http.line.network
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._was_answered = False
        host = httpx.URL(self.graph).host
        # Without allowed hosts the provider would add the token to a request to anybody.
        provider = AzureIdentityAuthenticationProvider(cast(Any, tokens), allowed_hosts=[host])
        self._adapter = GraphRequestAdapter(provider, client=http.client)
        self._adapter.base_url = f"{self.graph}/v1.0"
        self.builders = GraphServiceClient(request_adapter=self._adapter)
        """The SDK's request builders, for addresses only."""

    async def get(self, version: str, item: Item) -> Answer:
        """The answer to one read."""
        return await self._patiently(Method.GET, f"{self.graph}/{version}{item.url}", item.headers)

    async def follow(self, link: str, headers: Mapping[str, str]) -> Answer:
        """The answer to a next link, which is absolute; the guard refuses one that leads elsewhere."""
        return await self._patiently(Method.GET, link, headers)

    async def batch(self, version: str, items: Sequence[Item]) -> list[Answer]:
        """The answers to at most twenty reads, in their order; only what may fare better is sent again."""
        answers = [Answer(status=0)] * len(items)
        waiting = list(range(len(items)))
        tried, renewed = 0, False
        while waiting:
            generation = self.tokens.generation
            got = await self._post(version, [items[i] for i in waiting])
            if isinstance(got, Answer):
                # The document itself was refused, after retries of its own: that is every item's answer.
                return [got if i in waiting else answer for i, answer in enumerate(answers)]
            for i, answer in zip(waiting, got, strict=True):
                answers[i] = answer
            refused = [i for i in waiting if answers[i].status == 401]
            waiting = [i for i in waiting if answers[i].worth_retrying]
            if refused and not renewed:
                renewed = True
                await self.tokens.renew(generation, answers[refused[0]].claims)
                waiting = sorted(waiting + refused)
            tried += 1
            if waiting and not await self._may_try_again(tried, [answers[i] for i in waiting]):
                break
        return answers

    async def _may_try_again(self, tried: int, answers: Sequence[Answer]) -> bool:
        """Wait as long as the most throttled of these answers asks for."""
        if all(answer.status == 401 for answer in answers):
            return True
        asked = [seconds for answer in answers if (seconds := self.patience.retry_after(answer.headers))]
        return await self.patience.wait(tried, max(asked, default=None))

    async def _post(self, version: str, items: Sequence[Item]) -> list[Answer] | Answer:
        """The answers to one $batch document in the order asked, or the one answer that refuses it."""
        requests = [
            {"id": str(i), "method": "GET", "url": item.url} | ({"headers": dict(item.headers)} if item.headers else {})
            for i, item in enumerate(items)
        ]
        body = msgspec.json.encode({"requests": requests})
        whole = await self._patiently(Method.POST, f"{self.graph}/{version}/$batch", {}, body)
        if not whole.ok:
            return whole
        responses = whole.body.get("responses") if whole.body is not None else None
        rows = [row for row in responses if isinstance(row, dict)] if isinstance(responses, list) else []
        by_id = {str(row.get("id")): item_answer(row) for row in rows}
        nothing = Answer(status=0, note="Graph's answer to the batch leaves this item out")
        return [by_id.get(str(i), nothing) for i in range(len(items))]

    async def _patiently(
        self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        tried, renewed = 0, False
        while True:
            tried += 1
            generation = self.tokens.generation
            try:
                answer = await self._once(method, url, headers, body)
            except Untrusted:
                raise
            except (Unreachable, BrokenJson) as error:
                most = _KNOCKS if isinstance(error, Unconnected) and not self._was_answered else None
                if not await self.patience.wait(tried, most=most):
                    raise
                continue
            if answer.status == 401:
                if renewed:
                    raise TokenRefused(
                        f"Graph refused the access token twice: {answer.code} {answer.message}"
                        + (f" (request id {answer.request_id})" if answer.request_id else ""),
                        advice="Is the token meant for this cloud's Graph, and is this machine's clock right?",
                    )
                renewed = True
                await self.tokens.renew(generation, answer.claims)
                continue
            again = answer.worth_retrying
            if not again or not await self.patience.wait(tried, self.patience.retry_after(answer.headers)):
                return answer

    async def _once(self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request through the SDK's adapter; its authentication provider adds the token."""
        info = RequestInformation()
        info.http_method = method
        info.url = url
        info.headers.try_add("Accept", "application/json")
        for name, value in headers.items():
            info.headers.try_add(name, value)
        if body is not None:
            info.set_stream_content(body, "application/json")
        info.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        try:
            async with self._slots, asyncio.timeout(self.patience.remaining()):
                response = await self._adapter.send_primitive_async(info, "bytes", {})
        except TimeoutError:
            raise self._unreachable(OVER) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise self._unreachable(str(error) or type(error).__name__, Unconnected) from None
        except httpx.RequestError as error:
            raise self._unreachable(str(error) or type(error).__name__) from None
        self._was_answered = True
        return read_answer(cast(httpx.Response, response))

    def _unreachable(self, problem: str, kind: type[Unreachable] = Unreachable) -> Unreachable:
        if "CERTIFICATE_VERIFY_FAILED" in problem:
            kind = Untrusted
        advice = advice_for(problem, self._network, self.graph)
        return kind(f"no answer from {host_of(self.graph)}: {in_words(problem)}", advice=advice)
