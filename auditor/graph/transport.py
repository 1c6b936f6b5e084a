"""Send reads to Microsoft Graph with the SDK's HTTP stack, limited to JSON, one host and reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx
import msgspec
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware import ParametersNameDecodingHandler, UserAgentHandler
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import AzureIdentityAuthenticationProvider, GraphClientFactory  # type: ignore[import-untyped]  # ships no types

from auditor.graph.access_tokens import TokenProvider
from auditor.graph.graph_errors import (
    BatchRefused,
    BrokenJson,
    ConnectionFailed,
    CredentialError,
    GraphError,
    NotJson,
    Throttled,
    TokenRefused,
    Unreachable,
    UntrustedCertificate,
    WriteRefused,
    foreign_code,
)
from auditor.graph.guard import ReadOnlyGuard
from auditor.graph.network import NOT_MICROSOFT, host_of, read_failure
from auditor.graph.pages import read_page
from auditor.graph.preconnect import CONNECT_SECONDS, GraphConnector
from auditor.graph.response import GraphResponse, batch_responses, read_response
from auditor.graph.retry import RetryPolicy
from auditor.model.snapshot import Unread
from auditor.model.unread_messages import BATCH_REFUSED, NOT_A_BATCH, AnsweringService

if TYPE_CHECKING:
    from auditor.graph.fleet_limits import TenantLimits

BATCH_LIMIT = 20
_READ_SECONDS = 60.0
_MAX_CONNECT_ATTEMPTS = 3
"""Attempts to connect to a Graph that has never answered, so that a mistyped host or proxy fails quickly."""
_TOO_MANY = 429
_MAX_CONCURRENT_REQUESTS = 8
"""Concurrent requests of one tenant: enough to hide latency, too few to be throttled."""


class GraphHttpClient:
    """One HTTP client for the Graph of one cloud, whose connections all tenants share."""

    def __init__(
        self, connector: GraphConnector, *, read_seconds: float = _READ_SECONDS, for_many: bool = False
    ) -> None:
        self.connector = connector
        self._read_seconds = read_seconds
        self._guards: list[ReadOnlyGuard] = []
        # The transport for large collections takes half the processor time, and longer to import.
        self.client = self.collection_client if for_many else self._client_over(_transport(connector))

    @cached_property
    def collection_client(self) -> httpx.AsyncClient:
        """The same client over the transport for large collections. Only a read of a lot of data imports it."""
        from auditor.graph.collection_transport import CollectionTransport

        return self._client_over(CollectionTransport(self.connector))

    @cached_property
    def builders(self) -> GraphServiceClient:
        """The SDK's request builders, for addresses only: they have no token and belong to no tenant."""
        adapter = _Adapter(AnonymousAuthenticationProvider(), client=self.client)
        adapter.base_url = f"{self.connector.graph}/v1.0"
        return GraphServiceClient(request_adapter=adapter)

    def _client_over(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
        guard = ReadOnlyGuard(transport, self.connector.graph)
        self._guards.append(guard)
        client = httpx.AsyncClient(
            transport=guard,
            timeout=httpx.Timeout(self._read_seconds, connect=CONNECT_SECONDS),
            headers={"User-Agent": "consent-auditor"},
            trust_env=False,
        )
        # Graph's answers need no cookies, and tenants that share the client must not share any.
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        # Without the SDK's retry handler, which would multiply our retries, and without its redirect handler:
        # Graph's reads do not redirect, so a redirect does not come from Graph.
        handlers = [ParametersNameDecodingHandler(), UserAgentHandler()]
        return cast(httpx.AsyncClient, GraphClientFactory.create_with_custom_middleware(handlers, client=client))

    async def aclose(self) -> None:
        """Close every connection."""
        await self.connector.backend.aclose()
        await self.client.aclose()
        # The SDK's transport does not close the one that it wraps (msgraph-core 1.5).
        for guard in self._guards:
            await guard.aclose()


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


class _Adapter(GraphRequestAdapter):
    """The SDK's adapter without its own answer to a claims challenge, which `GraphClient` gives.

    The SDK's fails for a challenge that isn't base64, and sends the request again even if its body was consumed.
    """

    async def retry_cae_response_if_required(
        self, resp: httpx.Response, request_info: RequestInformation, claims: str
    ) -> httpx.Response:
        """The response as it is."""
        return resp


class GetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One GET request: an address below the version, and its headers."""

    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


_REPORTS = re.compile(r"(?:https://[^/]+/[^/]+)?/(?:auditLogs|reports)/", re.IGNORECASE)


def is_report(url: str) -> bool:
    """Whether the address, below the version or whole, is one of a log or report, which Graph limits more."""
    return _REPORTS.match(url) is not None


def _batch_item(key: str, request: GetRequest) -> dict[str, Any]:
    """The request as JSON batching takes it: without an empty ``headers``."""
    headers = {"headers": dict(request.headers)} if request.headers else {}
    return {"id": key, "method": "GET", "url": request.url, **headers}


def _batch_refused(host: str, response: GraphResponse) -> BatchRefused:
    """The error for a batch that Graph refused with `response`. A snapshot gets neither its status nor its code.

    They are about the batch: a 404 must not mean that an object of the tenant doesn't exist.
    """
    said = ": ".join(filter(None, (f"{response.status} {response.code}".strip(), response.message)))
    request = f" (request id {response.request_id})" if response.request_id else ""
    return BatchRefused(
        f"Microsoft Graph answered none of the requests: {said}{request}",
        Unread(message=BATCH_REFUSED.format(host=host, status=response.status), request_id=response.request_id),
        advice=_advice_for_refusal(response, host),
    )


def _advice_for_refusal(response: GraphResponse, host: str) -> str:
    """What to do about a refusal of everything; a message without Graph's code comes from somebody else."""
    if response.may_be_retried:
        return "Microsoft Graph is busy or out of order: try again later."
    return _ADVICE.get(response.status, _REPORT_REQUEST).format(host=host) if response.code else NOT_MICROSOFT


_REPORT_REQUEST = "Give Microsoft's support the request id, and say what you read with."
_OTHER_CLOUD = "Is {host} the Microsoft Graph of this tenant's cloud? Check --cloud and --graph-endpoint."
_ADVICE = {
    400: f"{_OTHER_CLOUD} If it is, report the message with the command and what “consent-auditor -V” prints.",
    401: f"{_OTHER_CLOUD} Sign in again, and check this machine's clock.",
    403: "Does the app have the permissions that “consent-auditor doctor” lists, with admin consent, and is it enabled?"
    " If it does, a Conditional Access policy for workload identities may block this machine: exclude the app, or add"
    " the machine's address to the allowed locations.",
    404: _OTHER_CLOUD,
    405: _OTHER_CLOUD,
    410: _OTHER_CLOUD,
}
"""What to do about a refusal, by its status. Trying again doesn't help against any of them."""


class GraphClient:
    """Reads one tenant. Every method retries as `retry` allows and returns Graph's last response."""

    def __init__(
        self, http: GraphHttpClient, tokens: TokenProvider, retry: RetryPolicy, limits: TenantLimits | None = None
    ) -> None:
        self.tokens = tokens
        self.retry = retry
        self._limits = limits
        self.graph = http.connector.graph
        self._network = http.connector.network
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)
        self._was_answered = False
        host = httpx.URL(self.graph).host
        # Without allowed hosts the provider would add the token to requests to any host.
        self._http = http
        self._provider = AzureIdentityAuthenticationProvider(cast(Any, tokens), allowed_hosts=[host])
        self._adapter = self._adapter_over(http.client)
        self.builders = http.builders

    @cached_property
    def _collection_adapter(self) -> GraphRequestAdapter:
        return self._adapter_over(self._http.collection_client)

    def _adapter_over(self, client: httpx.AsyncClient) -> GraphRequestAdapter:
        adapter = _Adapter(self._provider, client=client)
        adapter.base_url = f"{self.graph}/v1.0"
        return adapter

    def address(self, version: str, url: str) -> str:
        """The whole address of a request: `url` is below the version."""
        return f"{self.graph}/{version}{url}"

    async def get(self, version: str, request: GetRequest) -> GraphResponse:
        """The response to one request."""
        return await self._with_retries(Method.GET, self.address(version, request.url), request.headers)

    async def follow(self, link: str, headers: Mapping[str, str]) -> GraphResponse:
        """The response to a next link, which is absolute; the guard refuses one to another host."""
        return await self._with_retries(Method.GET, link, headers)

    async def page(self, address: str, headers: Mapping[str, str]) -> GraphResponse:
        """A page of a large collection: as `follow`, but over the transport for them, and read with `read_page`."""
        return await self._with_retries(Method.GET, address, headers, is_page=True)

    async def batch(self, version: str, requests: Sequence[GetRequest]) -> list[GraphResponse | GraphError]:
        """The responses to at most twenty requests, in their order. Only those that may succeed are retried.

        If a batch as a whole fails, its requests were not answered: each has the error in place of a response.
        """
        responses: list[GraphResponse] = [GraphResponse(status=0)] * len(requests)
        waiting = list(range(len(requests)))
        tried, renewed = 0, False
        while waiting:
            generation = self.tokens.generation
            try:
                got = await self._post(version, [requests[i] for i in waiting])
            except (CredentialError, WriteRefused):
                raise
            except GraphError as error:
                return [error if i in waiting else response for i, response in enumerate(responses)]
            for i, response in zip(waiting, got, strict=True):
                self._note_throttling(response)
                responses[i] = self._with_error(response)
            refused = [i for i in waiting if responses[i].status == 401]
            waiting = [i for i in waiting if responses[i].may_be_retried and not responses[i].error]
            if refused and not renewed:
                renewed = True
                await self.tokens.renew(generation, responses[refused[0]].claims)
                waiting = sorted(waiting + refused)
            tried += 1
            if waiting and not await self._may_try_again(tried, [responses[i] for i in waiting]):
                break
        return [*responses]

    async def _may_try_again(self, tried: int, responses: Sequence[GraphResponse]) -> bool:
        """Wait for the longest Retry-After of these responses."""
        if all(response.status == 401 for response in responses):
            return True
        asked = [seconds for response in responses if (seconds := self.retry.retry_after(response.headers))]
        return await self.retry.wait(tried, max(asked, default=None))

    def _note_throttling(self, response: GraphResponse) -> None:
        """Let the other tenants of the app wait, too, if Graph asks the app to. No deadline counts that wait."""
        if self._limits is None:
            return
        if response.status != _TOO_MANY:
            self._limits.answered()
            return
        asked = self.retry.retry_after(response.headers)
        if self._limits.throttled(asked, response.headers) and asked:
            self.retry.leave_out(asked)

    def _with_error(self, response: GraphResponse) -> GraphResponse:
        """The response with an error if Graph asks to wait longer than the run can, so that the person reads it."""
        asked = self.retry.retry_after(response.headers) if response.may_be_retried else None
        if asked is None or self.retry.allows(asked):
            return response
        error = Throttled(AnsweringService.GRAPH, host_of(self.graph), asked, self.retry.remaining())
        return msgspec.structs.replace(response, error=error)

    async def _post(self, version: str, requests: Sequence[GetRequest]) -> list[GraphResponse]:
        """The responses in one batch, in the order of the requests. Raises GraphError for a batch that failed whole."""
        with foreign_code(self._explain):
            items = [_batch_item(str(i), request) for i, request in enumerate(requests)]
            body = msgspec.json.encode({"requests": items})
        reports = sum(is_report(request.url) for request in requests)
        whole = await self._with_retries(Method.POST, f"{self.graph}/{version}/$batch", {}, body, reports=reports)
        host = host_of(self.graph)
        if not whole.ok:
            raise whole.error or _batch_refused(host, whole)
        with foreign_code(self._explain):
            responses = batch_responses(whole.body or {}, len(requests), host)
        if responses is None:
            raise NotJson(NOT_A_BATCH.format(host=host), advice=NOT_MICROSOFT)
        return responses

    def _explain(self, error: Exception) -> GraphError:
        return read_failure(error, self._network, self.graph)

    async def _with_retries(
        self,
        method: Method,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        is_page: bool = False,
        reports: int | None = None,
    ) -> GraphResponse:
        """The last response. `reports` is how many requests for logs and reports are in a batch."""
        tried, renewed = 0, False
        reports = int(is_report(url)) if reports is None else reports
        while True:
            tried += 1
            if reports:
                await self.retry.wait_for_reports(reports)
            if self._limits:
                await self._limits.may_send(self.retry)
            generation = self.tokens.generation
            try:
                response = await self._send_once(method, url, headers, body, is_page=is_page)
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
            self._note_throttling(response)
            response = self._with_error(response)
            again = response.may_be_retried and response.error is None
            if not again or not await self.retry.wait(tried, self.retry.retry_after(response.headers)):
                return response

    async def _send_once(
        self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None, *, is_page: bool
    ) -> GraphResponse:
        """Send one request with the SDK's adapter, whose authentication provider adds the token."""
        limit = asyncio.timeout(self.retry.remaining())
        with foreign_code(lambda error: read_failure(error, self._network, self.graph, is_over=limit.expired())):
            info = RequestInformation()
            info.http_method = method
            info.url = url
            info.headers.try_add("Accept", "application/json")
            for name, value in headers.items():
                info.headers.try_add(name, value)
            if body is not None:
                info.set_stream_content(body, "application/json")
            info.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
            async with self._slots, self._limits.request() if self._limits else nullcontext(), limit:
                adapter = self._collection_adapter if is_page else self._adapter
                response = cast(httpx.Response, await adapter.send_primitive_async(info, "bytes", {}))
            self._was_answered = True
            if not is_page:
                return read_response(response, is_batch=body is not None)
            # The response and its stream refer to each other, and would keep the page in memory.
            response.stream = httpx.ByteStream(b"")
            return read_page(response)
