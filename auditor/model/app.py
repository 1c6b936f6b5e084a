"""The app whose connection is judged: what it asks for, and what its vendor says of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class RequestMode(StrEnum):
    """How the app asks for permissions (Microsoft identity platform, "scopes and permissions")."""

    DYNAMIC = "dynamic"
    """Names its scopes in each request (v2.0 endpoint)."""
    DEFAULT = "default"
    """Asks for ``.default``: whatever its registration lists."""
    REGISTERED = "registered"
    """Uses the v1.0 endpoint, which also takes the list from the registration."""

    @property
    def is_static(self) -> bool:
        """Whether the request means the registered permissions rather than named scopes."""
        return self is not RequestMode.DYNAMIC


class ScopeNeed(msgspec.Struct, frozen=True, kw_only=True):
    """One delegated permission that the app asks of one resource (app id)."""

    resource: str
    value: str
    required: bool = True
    assumed: bool = False
    source: str = ""


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app as its vendor, or whoever pasted its link, describes it.

    `publisher_verified`, `owner_tenant` and `registered_before_2020_11_08` are used while the app has no service
    principal in the tenant; ``None`` means not known. `redirect_uris` are the ones this connection may use, and
    the first of them goes into an admin consent link.
    """

    client_id: str
    name: str = ""
    redirect_uris: tuple[str, ...] = ()
    mode: RequestMode = RequestMode.DYNAMIC
    prompt_consent: bool = False
    authority: str = ""
    scopes: tuple[ScopeNeed, ...] = ()
    publisher_verified: bool | None = None
    owner_tenant: str | None = None
    registered_before_2020_11_08: bool | None = None

    @property
    def label(self) -> str:
        """What to call the app in a sentence."""
        return self.name or f"app {self.client_id}"
