"""Access tokens: fetched once for concurrent requests, renewed when Graph asks for it, never shown."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from auditor.graph.graph_errors import CredentialError, GraphError, Throttled, foreign_code, ignoring_failures
from auditor.graph.preconnect import DaemonExecutor
from auditor.graph.retry import RetryPolicy
from auditor.model.unread_messages import AnsweringService

if TYPE_CHECKING:
    from auditor.graph.fleet_limits import TenantLimits


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
    is needed that is not in its cache. `explain` converts the library's exceptions. `retry` makes the pauses that the
    sign-in service asks for and, if `is_limited`, limits how long a token may take. `limits` are those of many tenants.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        scopes: tuple[str, ...],
        explain: Callable[[Exception], GraphError],
        retry: RetryPolicy | None = None,
        *,
        is_limited: bool = True,
        limits: TenantLimits | None = None,
    ) -> None:
        self._make = make
        self._scopes = scopes
        self._explain = explain
        self._retry = retry
        self._is_limited = is_limited
        self._limits = limits
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

    async def renew(self, generation: int, claims: str = "") -> None:
        """Replace a token that Graph refused, unless that happened since `generation`; `claims` is requested JSON."""
        async with self._lock:
            if self.generation != generation:
                return
            self._token = None
            if claims:
                await self._fetch(claims)
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
        tried = 0
        while True:
            tried += 1
            try:
                self._token = await self._fetch_once(claims)
            except Throttled as asked:
                if self._retry and await self._retry.wait(tried, asked.seconds, service=AnsweringService.SIGN_IN):
                    continue
                raise CredentialError(str(asked), advice=asked.advice) from None
            self.generation += 1
            self._fetched = time.monotonic()
            return self._token

    async def _fetch_once(self, claims: str | None) -> AccessToken:
        limit = self._retry.remaining() if self._retry and self._is_limited else None
        with foreign_code(self._explain):
            if self._credential is None:
                self._credential = self._make()
            with self._limits.sign_in() if self._limits else nullcontext():
                async with asyncio.timeout(limit):
                    token = await self._request(claims)
            if not _is_token(token):
                raise TypeError("Unexpected response: not a token")
            return token

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
        # A failure to close what is not needed any more must not cost the audit.
        with ignoring_failures():
            closed = credential.close() if credential is not None else None
            if inspect.isawaitable(closed):
                await closed


def _is_token(token: AccessToken) -> bool:
    """Whether this can be sent: a text without blanks, and the time when it expires.

    The libraries check neither, and an error about a header that can't be sent would quote the token.
    """
    text: object = token.token
    expires: object = token.expires_on
    return isinstance(text, str) and _TOKEN.fullmatch(text) is not None and isinstance(expires, int | float)


_TOKEN = re.compile(r"[!-~]+")


def decode_claims(token: str) -> TokenClaims:
    """The claims of an access token; empty if it cannot be decoded."""
    try:
        middle = token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    # These claims only explain, and a token that isn't a JWT still works. Nothing is awaited that could be cancelled.
    except (Exception, asyncio.CancelledError):  # noqa: BLE001 -- a token that can't be decoded only explains less
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
