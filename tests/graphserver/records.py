"""What the server remembers of each request, so that a test can ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class BatchItem:
    """One item of a $batch as it was asked and as it was answered."""

    id: str
    method: str
    url: str
    path: str
    query: Mapping[str, str]
    status: int


@dataclass(frozen=True)
class Request:
    """One request to Graph. `path` is decoded and without the version; `headers` hold no token."""

    method: str
    version: str
    path: str
    query: Mapping[str, str]
    raw_path: str
    host: str
    status: int
    headers: Mapping[str, str]
    authorized: bool
    tenant_id: str | None
    items: tuple[BatchItem, ...] = ()
    fault: object | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that were read: the items' for a batch, else the request's own."""
        return tuple(item.path for item in self.items) if self.items else (self.path,)


@dataclass(frozen=True)
class TokenRequest:
    """One request to the token side; secrets and assertions are not kept."""

    method: str
    path: str
    status: int
    tenant: str
    grant_type: str | None = None
    client_id: str | None = None
    scope: str | None = None
    error: int | None = None
    """The AADSTS number of a refusal."""


@dataclass(frozen=True)
class Write:
    """Something that would have changed the tenant, refused."""

    method: str
    path: str
    in_batch: bool


@dataclass(frozen=True)
class Stray:
    """A request that reached the foreign host; `authorized` means that a token leaked."""

    method: str
    path: str
    authorized: bool
