"""A session with one tenant's Graph: settings, token and connection brought together at the same time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from auditor.facts.clouds import CLOUDS
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.graph.access_tokens import Tokens
from auditor.graph.credentials import Prompt, SignIn, chosen, open_credential
from auditor.graph.graph_errors import GraphError
from auditor.graph.network import Network, read_network
from auditor.graph.retry import Patience
from auditor.graph.sign_in_errors import credential_error

if TYPE_CHECKING:
    from auditor.graph.preconnect import Line
    from auditor.graph.transport import GraphClient, GraphHttp


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where to sign in and where to read, without trailing slashes, and what a token is asked for."""

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
    """The addresses of `cloud`, or the ones given instead: a proxy's, or a test server's.

    AZURE_AUTHORITY_HOST counts for the global cloud only: whoever names another cloud means its authority.
    """
    if cloud not in CLOUDS:
        raise GraphError(f"there is no cloud {cloud}", advice=f"Choose one of {', '.join(CLOUDS)}.")
    known = CLOUDS[cloud]
    named = (environ or {}).get("AZURE_AUTHORITY_HOST", "") if cloud == "global" else ""
    graph = _https(graph_endpoint or known.graph)
    # Entra ID does not know a proxy's name; Graph's app id is the same resource under any.
    resource = known.graph if graph == known.graph else MICROSOFT_GRAPH
    authority = _https(authority_host or named or known.authority)
    return Endpoints(cloud=cloud, authority=authority, graph=graph, scope=f"{resource}/.default")


def _https(address: str) -> str:
    address = address.strip().rstrip("/")
    if "://" not in address:
        return f"https://{address}"
    if not address.startswith("https://"):
        raise GraphError(f"{address} is not https", advice="Tokens are sent over TLS only.")
    return address


@asynccontextmanager
async def open_http(graph: str, environ: Mapping[str, str] | None = None) -> AsyncIterator[GraphHttp]:
    """One HTTP client for all the tenants of one cloud, for `open_graph` to share."""
    from auditor.graph.preconnect import Line
    from auditor.graph.transport import GraphHttp

    http = GraphHttp(Line(graph, read_network(os.environ if environ is None else environ)))
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
    http: GraphHttp | None = None,
    patience: Patience | None = None,
    prompt: Prompt | None = None,
    scopes: tuple[str, ...] = (),
) -> AsyncIterator[GraphClient]:
    """A client that has its token. Without `tenant_id` it is AZURE_TENANT_ID, or the credential's own tenant.

    `scopes` are for a user's sign-in; an app's permissions come with ``.default``. Raises `CredentialError`,
    `NetworkSettingsError` or `GraphError`, each with advice.
    """
    environ = os.environ if environ is None else environ
    at = at or endpoints(environ=environ)
    network = read_network(environ)
    patience = patience or Patience()
    tokens = open_tokens(
        at,
        tenant_id=tenant_id,
        auth=auth,
        environ=environ,
        network=network,
        prompt=prompt,
        scopes=scopes,
        left=patience.remaining,
    )
    fetching = asyncio.create_task(tokens.get_token())
    own: GraphHttp | None = None
    try:
        # Three things at once: the token's round trip, the import of the SDK, and Graph's TCP and TLS.
        # The token is first on its way: it takes longest, and its own import would vie with the SDK's.
        await asyncio.sleep(0)
        if http is None:
            http = own = await _started(at.graph, network)
        from auditor.graph.transport import GraphClient

        await fetching
        yield GraphClient(http, tokens, patience)
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
        await tokens.close()
        if own is not None:
            await own.aclose()


def open_tokens(
    at: Endpoints,
    *,
    tenant_id: str,
    auth: str,
    environ: Mapping[str, str],
    network: Network,
    prompt: Prompt | None = None,
    scopes: tuple[str, ...] = (),
    left: Callable[[], float] | None = None,
) -> Tokens:
    """The tokens that `auth` gives; none is fetched yet. `left` does not count for a person who enters a code."""
    sign_in = SignIn(
        auth=chosen(auth, environ),
        authority=at.authority,
        tenant_id=tenant_id or environ.get("AZURE_TENANT_ID", "").strip(),
        environ=environ,
        network=network,
        prompt=prompt,
    )
    return Tokens(
        lambda: open_credential(sign_in),
        scopes or (at.scope,),
        lambda error: credential_error(error, at.authority, network),
        None if sign_in.auth == "device-code" else left,
    )


async def _started(graph: str, network: Network) -> GraphHttp:
    """The HTTP client, its connection under way; imports run beside the loop, which has tokens to fetch."""

    def line() -> Line:
        from auditor.graph.preconnect import Line

        return Line(graph, network)

    def http(line: Line) -> GraphHttp:
        import auditor.graph.collect  # noqa: F401 -- it will be needed, and now nobody waits for it
        from auditor.graph.transport import GraphHttp

        return GraphHttp(line)

    way = await asyncio.to_thread(line)
    way.open()
    return await asyncio.to_thread(http, way)
