"""Open a session with one tenant's Graph: token, connection and SDK are prepared at the same time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from auditor.facts.ids import CLOUDS, MICROSOFT_GRAPH
from auditor.graph.access_tokens import TokenProvider
from auditor.graph.credentials import Prompt, SignInSettings, open_credential, resolve_auth
from auditor.graph.graph_errors import EndpointError, GraphError, foreign_code, ignoring_failures
from auditor.graph.network import NetworkSettings, read_failure, read_network
from auditor.graph.retry import RetryPolicy
from auditor.graph.sign_in_errors import credential_error, throttling_hook
from auditor.model.host_names import InvalidAddress, https_endpoint

if TYPE_CHECKING:
    from auditor.graph.fleet_limits import TenantLimits
    from auditor.graph.preconnect import GraphConnector
    from auditor.graph.sign_in_sharing import SharedSignIn
    from auditor.graph.transport import GraphClient, GraphHttpClient


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where to sign in and where to read, without trailing slashes, and the scope of the token."""

    cloud: str
    authority: str
    graph: str
    scope: str


def endpoints(
    cloud: str = "global",
    authority_host: str = "",
    graph_endpoint: str = "",
    environ: Mapping[str, str] | None = None,
) -> Endpoints:
    """The endpoints of `cloud`, or the given ones: those of a proxy or of a test server.

    AZURE_AUTHORITY_HOST is used for the global cloud only; another cloud has its own authority. Raises `EndpointError`
    for an address that isn't one of a host.
    """
    if cloud not in CLOUDS:
        raise GraphError(f"unknown cloud {cloud}", advice=f"Choose one of {', '.join(CLOUDS)}.")
    known = CLOUDS[cloud]
    named = (environ or {}).get("AZURE_AUTHORITY_HOST", "") if cloud == "global" and not authority_host else ""
    graph = _endpoint(graph_endpoint or known.graph, "the Graph endpoint")
    # Entra ID does not know the name of a proxy; the app id of Graph is valid for every endpoint.
    resource = known.graph if graph == known.graph else MICROSOFT_GRAPH
    authority = _endpoint(
        authority_host or named or known.authority, "AZURE_AUTHORITY_HOST" if named else "the sign-in host"
    )
    return Endpoints(cloud=cloud, authority=authority, graph=graph, scope=f"{resource}/.default")


def _endpoint(address: str, what: str) -> str:
    try:
        return https_endpoint(address)
    except InvalidAddress as error:
        raise EndpointError(f"{what} {error}", advice="An endpoint is https://HOST or https://HOST:PORT.") from None


class SharedConnections(NamedTuple):
    """What the session of one tenant shares with those of other tenants, and its place among them."""

    http: GraphHttpClient
    sign_in: SharedSignIn
    limits: TenantLimits


@asynccontextmanager
async def open_http_client(
    graph: str, environ: Mapping[str, str] | None = None, *, for_many: bool = False
) -> AsyncIterator[GraphHttpClient]:
    """One HTTP client for all tenants of a cloud, to pass to `open_graph`; `for_many` is for a fleet of them."""
    from auditor.graph.preconnect import GraphConnector
    from auditor.graph.transport import GraphHttpClient

    connector = GraphConnector(graph, read_network(os.environ if environ is None else environ))
    http = GraphHttpClient(connector, for_many=for_many)
    try:
        yield http
    finally:
        await http.aclose()


@asynccontextmanager
async def open_graph(
    *,
    tenant_id: str = "",
    at: Endpoints | None = None,
    auth: str = "auto",
    environ: Mapping[str, str] | None = None,
    http: GraphHttpClient | None = None,
    retry: RetryPolicy | None = None,
    prompt: Prompt | None = None,
    scopes: tuple[str, ...] = (),
    connections: int = 1,
    shared: SharedConnections | None = None,
) -> AsyncIterator[GraphClient]:
    """A client with a token. The default of `tenant_id` is AZURE_TENANT_ID, or the credential's own tenant.

    `scopes` are for a user's sign-in; an app's permissions come with ``.default``. `connections` are opened ahead, for
    requests that are sent at the same time. `shared` takes the place of `http` if many tenants are read. Raises
    `CredentialError`, `NetworkSettingsError` or `GraphError`, each with advice.
    """
    environ = os.environ if environ is None else environ
    at = at or endpoints(environ=environ)
    network = read_network(environ)
    retry = retry or RetryPolicy()
    tokens = open_tokens(
        at,
        tenant_id=tenant_id,
        auth=auth,
        environ=environ,
        network=network,
        prompt=prompt,
        scopes=scopes,
        retry=retry,
        sign_in=shared.sign_in if shared else None,
        limits=shared.limits if shared else None,
    )
    http = shared.http if shared else http
    fetching = asyncio.create_task(tokens.get_token())
    own: GraphHttpClient | None = None
    try:
        # At the same time: fetching the token, importing the SDK, and the TCP and TLS handshakes with Graph.
        # The token starts first, because it takes longest, and its import would compete with the SDK's.
        await asyncio.sleep(0)
        with foreign_code(lambda error: read_failure(error, network, at.graph)):
            if http is None:
                http = own = await _preconnected(at.graph, network, connections)
            from auditor.graph.transport import GraphClient

            await fetching
            client = GraphClient(http, tokens, retry, shared.limits if shared else None)
        yield client
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
        await tokens.close()
        if own is not None:
            with ignoring_failures():  # what was read is complete, whether or not its connections close
                await own.aclose()


def open_tokens(
    at: Endpoints,
    *,
    tenant_id: str,
    auth: str,
    environ: Mapping[str, str],
    network: NetworkSettings,
    prompt: Prompt | None = None,
    scopes: tuple[str, ...] = (),
    retry: RetryPolicy,
    sign_in: SharedSignIn | None = None,
    limits: TenantLimits | None = None,
) -> TokenProvider:
    """A token provider for `auth`, which has fetched nothing yet. `retry` does not limit a person who enters a code.

    `sign_in` and `limits` are shared with other tenants.

    Raises `NetworkSettingsError` for a proxy that can't be used, before anything is sent.
    """
    network.require_proxies(at.authority, at.graph)
    # Microsoft's libraries log each failed request with its response, and Python prints it to standard error if nobody
    # handles it. The user gets one message about it, from us.
    logging.getLogger().addHandler(logging.NullHandler())
    auth = resolve_auth(auth, environ, tenant_id)
    is_person = auth == "device-code"
    settings = SignInSettings(
        auth=auth,
        authority=at.authority,
        tenant_id=tenant_id or environ.get("AZURE_TENANT_ID", "").strip(),
        environ=environ,
        network=network,
        prompt=prompt,
        on_response=throttling_hook(retry, keeps_waiting=is_person),
        seconds_left=retry.remaining,
        shared=sign_in,
    )
    return TokenProvider(
        lambda: open_credential(settings),
        scopes or (at.scope,),
        lambda error: credential_error(error, at.authority, network),
        retry,
        is_limited=not is_person,
        limits=limits,
    )


async def _preconnected(graph: str, network: NetworkSettings, connections: int) -> GraphHttpClient:
    """The HTTP client, with its connections being opened. Imports run in a thread, because the loop fetches tokens."""

    def explain(error: Exception) -> GraphError:
        return read_failure(error, network, graph)

    def connector() -> GraphConnector:
        with foreign_code(explain):
            from auditor.graph.preconnect import GraphConnector

            return GraphConnector(graph, network)

    def http(connector: GraphConnector) -> GraphHttpClient:
        with foreign_code(explain):
            import auditor.graph.collect  # noqa: F401 -- needed soon, and imported while the token is fetched
            from auditor.graph.transport import GraphHttpClient

            return GraphHttpClient(connector)

    opened = await asyncio.to_thread(connector)
    opened.preconnect(connections)
    return await asyncio.to_thread(http, opened)
