"""Access tokens: fetched once for all requests that begin together, renewed when Graph asks, never shown."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from auditor.graph.daemon_threads import Daemons
from auditor.graph.graph_errors import GraphError


class AccessToken(Protocol):
    """azure-core's token."""

    @property
    def token(self) -> str:
        """The token itself."""

    @property
    def expires_on(self) -> int:
        """When it ends, as a time of the epoch."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says of itself, decoded without being validated: good for explaining, not for trusting."""

    tenant_id: str = ""
    app_id: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    user: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Application permissions, or the delegated ones of a user's token."""
        return self.roles or self.scopes


class Tokens:
    """The credential that the SDK is given.

    Wraps one of azure-identity, asynchronous or not; `make` opens it, and opens it again when a token must be
    had that its cache does not hold. `translate` turns the library's exceptions into ours. `left` are the seconds
    that a token may take; the library itself would wait for as long as a Retry-After says.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        scopes: tuple[str, ...],
        translate: Callable[[Exception], GraphError],
        left: Callable[[], float] | None = None,
    ) -> None:
        self._make = make
        self._scopes = scopes
        self._translate = translate
        self._left = left
        self._credential: Any = None
        self._token: AccessToken | None = None
        self._fetched = 0.0
        self._lock = asyncio.Lock()
        self.generation = 0
        """Counts the tokens that were fetched: tells whether a refused one was replaced meanwhile."""

    def __repr__(self) -> str:
        return f"<Tokens, {self.generation} fetched>"

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        """The token to use now; the caller's `scopes` do not matter, as these tokens are for one Graph."""
        async with self._lock:
            if claims is None and self._token is not None and self._is_good(self._token):
                return self._token
            return await self._fetch(claims)

    async def renew(self, generation: int, challenge: str = "") -> None:
        """Replace a token that Graph refused, unless that was done since `generation`."""
        async with self._lock:
            if self.generation != generation:
                return
            self._token = None
            if challenge:
                await self._fetch(base64.b64decode(challenge + "==").decode())
                return
            # The library would hand out the refused token from its cache: a new credential has an empty one.
            await self._close()
            await self._fetch(None)

    async def claims(self) -> Claims:
        """What the current token says of itself."""
        return token_claims((await self.get_token()).token)

    async def close(self) -> None:
        """Let go of the credential's connections."""
        async with self._lock:
            await self._close()

    async def _fetch(self, claims: str | None) -> AccessToken:
        try:
            if self._credential is None:
                self._credential = self._make()
            async with asyncio.timeout(self._left() if self._left else None):
                self._token = await self._ask(claims)
        except GraphError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever azure-identity raises, the audit cannot go on
            # Without the cause: the library's exception keeps the request, and with it the secret.
            raise self._translate(error) from None
        self.generation += 1
        self._fetched = time.monotonic()
        return self._token

    async def _ask(self, claims: str | None) -> AccessToken:
        options: dict[str, Any] = {"enable_cae": True} | ({"claims": claims} if claims else {})
        get_token = self._credential.get_token
        if inspect.iscoroutinefunction(inspect.unwrap(get_token)):
            asked: Awaitable[AccessToken] = get_token(*self._scopes, **options)
        else:
            # Its thread is a daemon: who gives up waiting for a person, may leave.
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(Daemons(), lambda: get_token(*self._scopes, **options))
        return await asked

    def _is_good(self, token: AccessToken) -> bool:
        """Whether there is no need to ask again; right after asking there is none, whatever the clocks say."""
        return token.expires_on - time.time() > 300 or time.monotonic() - self._fetched < 30

    async def _close(self) -> None:
        credential, self._credential = self._credential, None
        if credential is not None:
            closed = credential.close()
            if inspect.isawaitable(closed):
                await closed


def token_claims(token: str) -> Claims:
    """What an access token says of itself; nothing for one that cannot be decoded."""
    try:
        middle = token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return Claims()
    if not isinstance(body, dict):
        return Claims()
    roles = body.get("roles")
    return Claims(
        tenant_id=str(body.get("tid", "")),
        app_id=str(body.get("appid") or body.get("azp") or ""),
        roles=tuple(sorted(map(str, roles))) if isinstance(roles, list) else (),
        scopes=tuple(sorted(str(body.get("scp", "")).split())),
        user=str(body.get("upn") or body.get("preferred_username") or ""),
    )
