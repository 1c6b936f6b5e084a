"""Checks before an audit: are both hosts reachable, is the clock right, and what does the token allow?"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from auditor.graph.access_tokens import TokenClaims, TokenProvider
from auditor.graph.credential_end import LocalCredential, credential_end, local_credential, read_credential_end
from auditor.graph.credentials import Prompt, resolve_auth
from auditor.graph.graph_errors import GraphError, foreign_code
from auditor.graph.network import NetworkSettings, read_failure, read_network
from auditor.graph.retry import RetryPolicy
from auditor.graph.session import Endpoints, endpoints, open_http_client, open_tokens
from auditor.model.snapshot import CredentialEnd

SECONDS = 15.0
SKEW_ALLOWED = 300.0
"""Seconds that Entra ID tolerates; beyond that, it refuses signed assertions and new tokens."""


class HostCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a host answers; `skew` is how many seconds its clock is ahead of this machine's."""

    name: str
    url: str
    ok: bool
    seconds: float = 0.0
    skew: float | None = None
    problem: str = ""
    advice: str = ""

    @property
    def clock_is_right(self) -> bool | None:
        """Whether this machine's clock is close enough to the host's; none if the host sent no time."""
        return None if self.skew is None else abs(self.skew) < SKEW_ALLOWED


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """The results of the checks. `claims` are those of the token; `problem` says why there is none.

    `credential` says when the credential ends.
    """

    auth: str
    hosts: tuple[HostCheck, ...] = ()
    claims: TokenClaims | None = None
    credential: CredentialEnd | None = None
    problem: str = ""
    advice: str = ""
    code: str = ""


async def probe(
    *,
    tenant_id: str = "",
    at: Endpoints | None = None,
    auth: str = "auto",
    environ: Mapping[str, str] | None = None,
    prompt: Prompt | None = None,
    scopes: tuple[str, ...] = (),
    retry: RetryPolicy | None = None,
) -> Probe:
    """Request public data of both hosts, fetch a token, and read when the app's own credential ends.

    Reads nothing else of the tenant.
    `retry` limits how long the token may take (by default a minute). Raises `GraphError` only for invalid settings;
    every other failure is part of the result.
    """
    environ = os.environ if environ is None else environ
    at = at or endpoints(environ=environ)
    network = read_network(environ)
    network.require_proxies(at.authority, at.graph)
    tenant = tenant_id or environ.get("AZURE_TENANT_ID", "").strip() or "organizations"
    hosts = await asyncio.gather(
        _check_host("Entra ID", f"{at.authority}/{tenant}/v2.0/.well-known/openid-configuration", network),
        _check_host("Microsoft Graph", f"{at.graph}/v1.0/", network),
    )
    found = Probe(auth=auth, hosts=tuple(hosts))
    try:
        found = msgspec.structs.replace(found, auth=resolve_auth(auth, environ, tenant_id))
        retry = retry or RetryPolicy(4 * SECONDS)
        tokens = open_tokens(
            at,
            tenant_id=tenant_id,
            auth=auth,
            environ=environ,
            network=network,
            prompt=prompt,
            scopes=scopes,
            retry=retry,
        )
        try:
            claims = await tokens.claims()
            local = local_credential(auth, environ, claims, tenant_id)
            credential = await _credential_end(local, tokens, at, environ, retry)
        finally:
            await tokens.close()
    except GraphError as error:
        code = getattr(error, "code", "")
        return msgspec.structs.replace(found, problem=str(error), advice=error.advice, code=code)
    return msgspec.structs.replace(found, claims=claims, credential=credential)


async def _credential_end(
    local: LocalCredential, tokens: TokenProvider, at: Endpoints, environ: Mapping[str, str], retry: RetryPolicy
) -> CredentialEnd:
    """When the credential ends, with the token that was fetched with it."""
    now = datetime.now(UTC)
    if not local.credentials:
        return credential_end(local, None, now)
    async with open_http_client(at.graph, environ) as http:
        from auditor.graph.transport import GraphClient

        return await read_credential_end(GraphClient(http, tokens, retry), local, now)


async def _check_host(name: str, url: str, network: NetworkSettings) -> HostCheck:
    """One unauthenticated GET. Any JSON shows that the host answers, whatever the status."""
    import httpx

    from auditor.graph.guard import ReadOnlyGuard
    from auditor.graph.response import read_response

    proxy = network.proxy_for(url)
    began, clock = time.time(), time.monotonic()
    try:
        with foreign_code(lambda error: read_failure(error, network, url)):
            transport = httpx.AsyncHTTPTransport(verify=network.ssl_context(), proxy=proxy or None, trust_env=False)
            async with httpx.AsyncClient(transport=ReadOnlyGuard(transport, url), timeout=SECONDS) as client:
                response = await client.get(url)
                seconds = time.monotonic() - clock
                read_response(response)
    except GraphError as error:
        return HostCheck(name=name, url=url, ok=False, problem=str(error), advice=error.advice)
    return HostCheck(name=name, url=url, ok=True, seconds=seconds, skew=_skew(response.headers.get("date", ""), began))


def _skew(date: str, began: float) -> float | None:
    """Seconds by which a host's clock is ahead; the header has whole seconds only."""
    try:
        return round(parsedate_to_datetime(date).timestamp() - began, 1)
    except (ValueError, OverflowError):
        return None
