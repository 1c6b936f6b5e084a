"""Send reads to Microsoft Graph with the SDK's HTTP stack, limited to JSON, one host and reads."""

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
from msgraph_core import AzureIdentityAuthenticationProvider, GraphClientFactory  # type: ignore[import-untyped]  # ships no types

from auditor.graph.access_tokens import TokenProvider
from auditor.graph.graph_errors import BrokenJson, ConnectionFailed, TokenRefused, Unreachable, UntrustedCertificate
from auditor.graph.guard import ReadOnlyGuard
from auditor.graph.network import advice_for, cause_of, host_of
from auditor.graph.preconnect import CONNECT_SECONDS, GraphConnector
from auditor.graph.response import GraphResponse, batch_item_response, read_response
from auditor.graph.retry import RetryPolicy
from auditor.model.snapshot import MISSING_IN_BATCH, NO_ANSWER, NoAnswerCause

BATCH_LIMIT = 20
_READ_SECONDS = 60.0
_MAX_CONNECT_ATTEMPTS = 3
"""Attempts to connect to a Graph that has never answered, so that a mistyped host or proxy fails quickly."""
_MAX_CONCURRENT_REQUESTS = 8
"""Concurrent requests of one tenant: enough to hide latency, too few to be throttled."""


class GraphHttpClient:
    """One HTTP client for the Graph of one cloud, whose connections all tenants share."""

    def __init__(self, connector: GraphConnector, *, read_seconds: float = _READ_SECONDS) -> None:
        self.connector = connector
        self._guard = ReadOnlyGuard(_transport(connector), connector.graph)
        client = httpx.AsyncClient(
            transport=self._guard,
            timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
            headers={"User-Agent": "consent-auditor"},
            trust_env=False,
        )
        # Without the SDK's retry handler, which would multiply our retries, and without its redirect handler:
        # Graph's reads do not redirect, so a redirect does not come from Graph.
        handlers = [ParametersNameDecodingHandler(), UserAgentHandler()]
        self.client = GraphClientFactory.create_with_custom_middleware(handlers, client=client)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.connector.backend.aclose()
        await self.client.aclose()
        # The SDK's transport does not close the one that it wraps (msgraph-core 1.5).
        await self._guard.aclose()


def _transport(connector: GraphConnector) -> httpx.AsyncHTTPTransport:
    """The transport that sends, with HTTP/1.1, which is twice as fast as HTTP/2 in this stack."""
    if connector.proxy:
        proxy = httpx.Proxy(
            connector.proxy, ssl_context=connector.context if connector.proxy.startswith("https") else None
        )
        return httpx.AsyncHTTPTransport(verify=connector.context, proxy=proxy, trust_env=False)
    transport = httpx.AsyncHTTPTransport(verify=connector.context, trust_env=False)
    # httpx has no setting for the network backend, so its pool is replaced by the same one with ours.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=connector.context,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=60.0,
        network_backend=connector.backend,
    )
    return transport


class GetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One GET request: an address below the version, and its headers."""

    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


def _batch_item(key: str, request: GetRequest) -> dict[str, Any]:
    """The request as JSON batching takes it: without an empty ``headers``."""
    headers = {"headers": dict(request.headers)} if request.headers else {}
    return {"id": key, "method": "GET", "url": request.url, **headers}


class GraphClient:
    """Reads one tenant. Every method retries as `retry` allows and returns Graph's last response."""

    def __init__(self, http: GraphHttpClient, tokens: TokenProvider, retry: RetryPolicy) -> None:
        self.tokens = tokens
        self.retry = retry
        self.graph = http.connector.graph
        self._network = http.connector.network
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)
        self._was_answered = False
        host = httpx.URL(self.graph).host
        # Without allowed hosts the provider would add the token to requests to any host.
        provider = AzureIdentityAuthenticationProvider(cast(Any, tokens), allowed_hosts=[host])
        self._adapter = GraphRequestAdapter(provider, client=http.client)
        self._adapter.base_url = f"{self.graph}/v1.0"
        self.builders = GraphServiceClient(request_adapter=self._adapter)
        """The SDK's request builders, for addresses only."""

    async def get(self, version: str, request: GetRequest) -> GraphResponse:
        """The response to one request."""
        return await self._with_retries(Method.GET, f"{self.graph}/{version}{request.url}", request.headers)

    async def follow(self, link: str, headers: Mapping[str, str]) -> GraphResponse:
        """The response to a next link, which is absolute; the guard refuses one to another host."""
        return await self._with_retries(Method.GET, link, headers)

    async def batch(self, version: str, requests: Sequence[GetRequest]) -> list[GraphResponse]:
        """The responses to at most twenty requests, in their order. Only those that may succeed are retried."""
        responses = [GraphResponse(status=0)] * len(requests)
        waiting = list(range(len(requests)))
        tried, renewed = 0, False
        while waiting:
            generation = self.tokens.generation
            got = await self._post(version, [requests[i] for i in waiting])
            if isinstance(got, GraphResponse):
                # Graph refused the batch itself, after retries: that is the response to every request in it.
                return [got if i in waiting else response for i, response in enumerate(responses)]
            for i, response in zip(waiting, got, strict=True):
                responses[i] = response
            refused = [i for i in waiting if responses[i].status == 401]
            waiting = [i for i in waiting if responses[i].may_be_retried]
            if refused and not renewed:
                renewed = True
                await self.tokens.renew(generation, responses[refused[0]].claims)
                waiting = sorted(waiting + refused)
            tried += 1
            if waiting and not await self._may_try_again(tried, [responses[i] for i in waiting]):
                break
        return responses

    async def _may_try_again(self, tried: int, responses: Sequence[GraphResponse]) -> bool:
        """Wait for the longest Retry-After of these responses."""
        if all(response.status == 401 for response in responses):
            return True
        asked = [seconds for response in responses if (seconds := self.retry.retry_after(response.headers))]
        return await self.retry.wait(tried, max(asked, default=None))

    async def _post(self, version: str, requests: Sequence[GetRequest]) -> list[GraphResponse] | GraphResponse:
        """The responses in one batch, in the order of the requests, or the one response that refuses the batch."""
        body = msgspec.json.encode({"requests": [_batch_item(str(i), request) for i, request in enumerate(requests)]})
        whole = await self._with_retries(Method.POST, f"{self.graph}/{version}/$batch", {}, body)
        if not whole.ok:
            return whole
        responses = whole.body.get("responses") if whole.body is not None else None
        rows = [row for row in responses if isinstance(row, dict)] if isinstance(responses, list) else []
        by_id = {str(row.get("id")): batch_item_response(row) for row in rows}
        nothing = GraphResponse(status=0, note=MISSING_IN_BATCH)
        return [by_id.get(str(i), nothing) for i in range(len(requests))]

    async def _with_retries(
        self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> GraphResponse:
        tried, renewed = 0, False
        while True:
            tried += 1
            generation = self.tokens.generation
            try:
                response = await self._send_once(method, url, headers, body)
            except UntrustedCertificate:
                raise
            except (Unreachable, BrokenJson) as error:
                most = _MAX_CONNECT_ATTEMPTS if isinstance(error, ConnectionFailed) and not self._was_answered else None
                if not await self.retry.wait(tried, most=most):
                    raise
                continue
            if response.status == 401:
                if renewed:
                    raise TokenRefused(
                        f"Graph refused the access token twice: {response.code} {response.message}"
                        + (f" (request id {response.request_id})" if response.request_id else ""),
                        advice="Is the token meant for this cloud's Graph, and is this machine's clock right?",
                    )
                renewed = True
                await self.tokens.renew(generation, response.claims)
                continue
            again = response.may_be_retried
            if not again or not await self.retry.wait(tried, self.retry.retry_after(response.headers)):
                return response

    async def _send_once(
        self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> GraphResponse:
        """Send one request with the SDK's adapter, whose authentication provider adds the token."""
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
            async with self._slots, asyncio.timeout(self.retry.remaining()):
                response = await self._adapter.send_primitive_async(info, "bytes", {})
        except TimeoutError:
            raise self._unreachable(NoAnswerCause.OUT_OF_TIME) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise self._unreachable(str(error) or type(error).__name__, ConnectionFailed) from None
        except httpx.RequestError as error:
            raise self._unreachable(str(error) or type(error).__name__) from None
        self._was_answered = True
        return read_response(cast(httpx.Response, response))

    def _unreachable(self, problem: str, kind: type[Unreachable] = Unreachable) -> Unreachable:
        problem = self._network.without_passwords(problem)
        if "CERTIFICATE_VERIFY_FAILED" in problem:
            kind = UntrustedCertificate
        advice = advice_for(problem, self._network, self.graph)
        return kind(NO_ANSWER.format(host=host_of(self.graph), cause=cause_of(problem)), advice=advice)
