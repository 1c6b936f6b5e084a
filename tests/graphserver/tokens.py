"""Access tokens: made here, and only those made here are good here."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt.types import Options

from .clock import Clock
from .errors import no_token

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
_ONLY_SIGNATURE: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
_FOREIGN_KEY = secrets.token_bytes(64)


@dataclass(frozen=True)
class Caller:
    """Whom a token speaks for and what it allows."""

    tenant_id: str
    app_id: str
    allowed: frozenset[str]
    delegated: bool


@dataclass
class Mint:
    """Signs tokens, reads them back, and can declare all it has signed so far to be expired."""

    clock: Clock
    lifetime: int = 3599
    key: bytes = field(default_factory=lambda: secrets.token_bytes(64))
    audiences: frozenset[str] = frozenset({GRAPH_APP_ID})
    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1"})
    _expired: set[str] = field(default_factory=set)
    _issued: set[str] = field(default_factory=set)

    def issue(
        self,
        *,
        tenant_id: str,
        app_id: str,
        audience: str,
        roles: Collection[str] = (),
        scopes: Collection[str] = (),
        lifetime: int | None = None,
        claims: Mapping[str, Any] | None = None,
        foreign: bool = False,
    ) -> str:
        """A signed token; `foreign` signs with a key that this server does not accept."""
        now = int(self.clock.now())
        body: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "iat": now,
            "nbf": now - 300,
            "exp": now + (self.lifetime if lifetime is None else lifetime),
            "appid": app_id,
            "idtyp": "user" if scopes else "app",
            "tid": tenant_id,
            "uti": secrets.token_urlsafe(12),
            "ver": "1.0",
            **(claims or {}),
        }
        if roles:
            body["roles"] = sorted(roles)
        if scopes:
            body["scp"] = " ".join(sorted(scopes))
        token = jwt.encode(body, _FOREIGN_KEY if foreign else self.key, "HS256")
        self._issued.add(token)
        return token

    def expire(self) -> None:
        """Every token issued so far is past its time from now on."""
        self._expired |= self._issued

    def read(self, authorization: str | None) -> Caller:
        """The caller that an Authorization header names; 401 for anything but a good token for this Graph."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise no_token("Access token is empty.")
        try:
            claims = jwt.decode(token, self.key, ["HS256"], options=_ONLY_SIGNATURE)
        except jwt.InvalidTokenError:
            raise no_token("CompactToken validation failed: the signature is not this directory's.") from None
        if token in self._expired or claims["exp"] <= self.clock.now():
            raise no_token("Lifetime validation failed, the token is expired.")
        audience = str(claims["aud"])
        if audience not in self.audiences and urlsplit(audience).hostname not in self.hosts:
            raise no_token("Access token validation failure. Invalid audience.")
        scopes = str(claims.get("scp", "")).split()
        return Caller(
            str(claims["tid"]), str(claims["appid"]), frozenset(claims.get("roles", scopes)), bool(claims.get("scp"))
        )
