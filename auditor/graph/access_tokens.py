"""Access tokens: fetched once for concurrent requests, renewed when Graph asks for it, never shown."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from auditor.graph.graph_errors import GraphError
from auditor.graph.preconnect import DaemonExecutor


class AccessToken(Protocol):
    """The token type of azure-core."""

    @property
    def token(self) -> str:
        """The token itself."""

    @property
    def expires_on(self) -> int:
        """When it expires, in seconds since the epoch."""


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of a token, decoded but not validated: for explanations only."""

    tenant_id: str = ""
    app_id: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    user: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Application permissions, or the delegated ones of a user's token."""
        return self.roles or self.scopes


class TokenProvider:
    """The credential that the SDK uses.

    Wraps a credential of azure-identity, asynchronous or not. `make` creates it, and creates it again when a token
    is needed that is not in its cache. `translate` converts the library's exceptions. `left` returns the seconds
    that a token may take; the library itself waits for as long as Retry-After says.
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
        """The number of tokens fetched so far, which shows whether a refused one was already replaced."""

    def __repr__(self) -> str:
        return f"<TokenProvider, {self.generation} fetched>"

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        """The current token. The caller's `scopes` are ignored, because these tokens are for one Graph."""
        async with self._lock:
            if claims is None and self._token is not None and self._is_good(self._token):
                return self._token
            return await self._fetch(claims)

    async def renew(self, generation: int, challenge: str = "") -> None:
        """Replace a token that Graph refused, unless that happened since `generation`."""
        async with self._lock:
            if self.generation != generation:
                return
            self._token = None
            if challenge:
                await self._fetch(base64.b64decode(challenge + "==").decode())
                return
            # The library would return the refused token from its cache; a new credential has an empty cache.
            await self._close()
            await self._fetch(None)

    async def claims(self) -> TokenClaims:
        """The claims of the current token."""
        return decode_claims((await self.get_token()).token)

    async def close(self) -> None:
        """Close the credential's connections."""
        async with self._lock:
            await self._close()

    async def _fetch(self, claims: str | None) -> AccessToken:
        try:
            if self._credential is None:
                self._credential = self._make()
            async with asyncio.timeout(self._left() if self._left else None):
                self._token = await self._request(claims)
        except GraphError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever azure-identity raises, the audit cannot go on
            # Without the cause, because the library's exception contains the request, and with it the secret.
            raise self._translate(error) from None
        self.generation += 1
        self._fetched = time.monotonic()
        return self._token

    async def _request(self, claims: str | None) -> AccessToken:
        options: dict[str, Any] = {"enable_cae": True} | ({"claims": claims} if claims else {})
        get_token = self._credential.get_token
        if inspect.iscoroutinefunction(inspect.unwrap(get_token)):
            requested: Awaitable[AccessToken] = get_token(*self._scopes, **options)
        else:
            # In a daemon thread, so that the program can end while it still waits for a person.
            loop = asyncio.get_running_loop()
            requested = loop.run_in_executor(DaemonExecutor(), lambda: get_token(*self._scopes, **options))
        return await requested

    def _is_good(self, token: AccessToken) -> bool:
        """Whether the token can still be used. A token fetched just now can, whatever the clocks say."""
        return token.expires_on - time.time() > 300 or time.monotonic() - self._fetched < 30

    async def _close(self) -> None:
        credential, self._credential = self._credential, None
        if credential is not None:
            closed = credential.close()
            if inspect.isawaitable(closed):
                await closed


def decode_claims(token: str) -> TokenClaims:
    """The claims of an access token; empty if it cannot be decoded."""
    try:
        middle = token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return TokenClaims()
    if not isinstance(body, dict):
        return TokenClaims()
    roles = body.get("roles")
    return TokenClaims(
        tenant_id=str(body.get("tid", "")),
        app_id=str(body.get("appid") or body.get("azp") or ""),
        roles=tuple(sorted(map(str, roles))) if isinstance(roles, list) else (),
        scopes=tuple(sorted(str(body.get("scp", "")).split())),
        user=str(body.get("upn") or body.get("preferred_username") or ""),
    )
