"""The doctor's questions: can both hosts be reached, is the clock right, and what does the token allow?"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from auditor.graph.access_tokens import Claims
from auditor.graph.credentials import Prompt, chosen
from auditor.graph.graph_errors import GraphError
from auditor.graph.network import Network, advice_for, host_of, in_words, read_network
from auditor.graph.retry import Patience
from auditor.graph.session import Endpoints, endpoints, open_tokens

SECONDS = 15.0
SKEW_ALLOWED = 300.0
"""Entra ID forgives five minutes; beyond that, signed assertions and fresh tokens are refused."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a host answers as itself; `skew` is by how many seconds its clock is ahead of this one."""

    name: str
    url: str
    ok: bool
    seconds: float = 0.0
    skew: float | None = None
    problem: str = ""
    advice: str = ""

    @property
    def clock_is_right(self) -> bool | None:
        """Whether this machine's clock is close enough to the host's; none when the host told no time."""
        return None if self.skew is None else abs(self.skew) < SKEW_ALLOWED


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `claims` are of the token, if there is one; `problem` says why there is none."""

    auth: str
    endpoints: Endpoints
    hosts: tuple[Reach, ...] = ()
    claims: Claims | None = None
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
    seconds: float = 4 * SECONDS,
) -> Probe:
    """Ask both hosts for what they tell anybody, then fetch a token. Nothing of the tenant is read.

    `seconds` is how long a token may take.

    Raises `GraphError` only for settings that make no sense; every failure on the way is part of the answer.
    """
    environ = os.environ if environ is None else environ
    at = at or endpoints(environ=environ)
    network = read_network(environ)
    tenant = tenant_id or environ.get("AZURE_TENANT_ID", "").strip() or "organizations"
    hosts = await asyncio.gather(
        _reach("Entra ID", f"{at.authority}/{tenant}/v2.0/.well-known/openid-configuration", network),
        _reach("Microsoft Graph", f"{at.graph}/v1.0/", network),
    )
    found = Probe(auth=auth, endpoints=at, hosts=tuple(hosts))
    try:
        found = msgspec.structs.replace(found, auth=chosen(auth, environ))
        tokens = open_tokens(
            at,
            tenant_id=tenant_id,
            auth=auth,
            environ=environ,
            network=network,
            prompt=prompt,
            scopes=scopes,
            left=Patience(seconds).remaining,
        )
        try:
            claims = await tokens.claims()
        finally:
            await tokens.close()
    except GraphError as error:
        code = getattr(error, "code", "")
        return msgspec.structs.replace(found, problem=str(error), advice=error.advice, code=code)
    return msgspec.structs.replace(found, claims=claims)


async def _reach(name: str, url: str, network: Network) -> Reach:
    """One unauthenticated GET: any JSON is the host speaking, whatever the status."""
    import httpx

    from auditor.graph.answer import read_answer
    from auditor.graph.guard import ReadOnlyGuard

    proxy = network.proxy_for(url)
    transport = httpx.AsyncHTTPTransport(verify=network.ssl_context(), proxy=proxy or None, trust_env=False)
    began, clock = time.time(), time.monotonic()
    try:
        async with httpx.AsyncClient(transport=ReadOnlyGuard(transport, url), timeout=SECONDS) as client:
            response = await client.get(url)
            seconds = time.monotonic() - clock
            read_answer(response)
    except httpx.RequestError as error:
        said = str(error) or type(error).__name__
        problem, advice = f"no answer from {host_of(url)}: {in_words(said)}", advice_for(said, network, url)
        return Reach(name=name, url=url, ok=False, problem=problem, advice=advice)
    except GraphError as error:
        return Reach(name=name, url=url, ok=False, problem=str(error), advice=error.advice)
    return Reach(name=name, url=url, ok=True, seconds=seconds, skew=_skew(response.headers.get("date", ""), began))


def _skew(date: str, began: float) -> float | None:
    """Seconds that a host's clock is ahead; its header has whole seconds only."""
    try:
        return round(parsedate_to_datetime(date).timestamp() - began, 1)
    except ValueError:
        return None
