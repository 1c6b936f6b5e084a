"""What the sign-ins to many tenants share: connections to the sign-in service, and certificates parsed once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from auditor.graph.network import NetworkSettings

_MULTITENANT_OFF = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"
"""With this variable, azure-identity fetches tokens for the tenant of the credential only, whatever it is asked for."""
Hook = Callable[[Any], None]
"""Called with each response of the sign-in service."""


class SharedSignIn:
    """The connections of all credentials of a run, and one credential for each certificate.

    A transport and a credential for each tenant would cost a TLS handshake and, for a certificate, 90 ms to check its
    key. Tokens are cached for each tenant by itself. Credentials made with these transports don't close them.
    """

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network
        self._session: Any = None
        self._sockets: Any = None
        self._transports: dict[str, Any] = {}
        self._by_certificate: dict[tuple[object, ...], Any] = {}
        self._taken: set[tuple[object, ...]] = set()

    def transport(self, authority: str) -> Any:
        """The transport of azure-core for this authority: aiohttp, or requests in threads for a proxy."""
        proxy = self._network.proxy_for(authority)
        if proxy not in self._transports:
            self._transports[proxy] = self._through(proxy)
        return self._transports[proxy]

    def _through(self, proxy: str) -> Any:
        if proxy:
            import requests
            from azure.core.pipeline.transport import AsyncioRequestsTransport

            return AsyncioRequestsTransport(
                session=requests.Session(),
                session_owner=False,
                connection_verify=self._network.trust or True,
                connection_timeout=30,
                use_env_settings=False,
            )
        import aiohttp
        from azure.core.pipeline.transport import AioHttpTransport

        from auditor.graph.collection_transport import Sockets

        self._sockets = Sockets()
        # The connector has the trusted certificates: azure-core would read them again for every request.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._network.ssl_context(), limit=0, socket_factory=self._sockets.make),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return AioHttpTransport(
            session=self._session, session_owner=False, connection_timeout=30, use_env_settings=False
        )

    def for_tenant(
        self, key: tuple[object, ...], tenant: str, make: Callable[[Hook | None], Any], on_response: Hook | None
    ) -> Any:
        """The credential of `key` for one tenant; `make` creates it with a hook, for any tenant.

        A tenant that asks twice wants a new token, which only a separate credential is sure to fetch.
        """
        if (key, tenant) in self._taken or os.environ.get(_MULTITENANT_OFF):
            return make(on_response)
        self._taken.add((key, tenant))
        if key not in self._by_certificate:
            self._by_certificate[key] = make(None)
        return _OfTenant(self._by_certificate[key], tenant, on_response)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            await self._sockets.closed()
        for transport in self._transports.values():
            if (session := getattr(transport, "session", None)) is not None and session is not self._session:
                session.close()


class _OfTenant:
    """A credential for any tenant as one for one tenant, with that tenant's hook for responses."""

    def __init__(self, credential: Any, tenant: str, on_response: Hook | None) -> None:
        self._credential = credential
        self._options: dict[str, Any] = {"tenant_id": tenant}
        if on_response is not None:
            self._options["raw_response_hook"] = on_response

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token for the tenant."""
        return await self._credential.get_token(*scopes, **self._options, **options)

    def close(self) -> None:
        """Do nothing: other tenants use the credential, too."""
