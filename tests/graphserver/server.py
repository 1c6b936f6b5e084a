"""Graph and Entra on loopback, over real TLS, for the length of a `with` block."""

from __future__ import annotations

import random
import ssl
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import httpx
from aiohttp import web
from aiohttp.web_request import BaseRequest

from .answer import Answer
from .catalogue import AUDIT_ROLES
from .clients import ISSUER, SUBJECT, Client, Refusal, client_certificate, federated_token
from .clock import Clock
from .consent_page import session_cookie
from .entra import Entra
from .faults import Fault, Match, Script, Status
from .graph import Graph
from .graph_http import GraphSide, Rendered
from .listener import Listener
from .records import Request, Stray, TokenRequest, Write
from .tenant import Tenant
from .thread import LoopThread
from .tls import ca_file, client_context, server_context
from .token_http import TokenSide
from .tokens import Mint

CLIENT_ID = "b0a7c1de-5f0e-4c55-9d0f-6f4a3f1c2e77"
CLIENT_SECRET = "a~secret.that-only-the_tests~know"
USER = {
    "id": "5b7ed0a4-3f3c-4a5e-8d65-0c2f9d6f7a10",
    "userPrincipalName": "admin@contoso.onmicrosoft.com",
    "displayName": "An Admin",
}
Auth = Literal["secret", "certificate", "workload", "managed"]
ThrottleScope = Literal["Tenant_Application", "Tenant", "Application"]


class GraphServer:
    """Serves snapshot documents as Graph would serve the tenants they were taken from.

    `env` and `token` refer to the first tenant. Collections that a document does not hold
    are empty, single objects are 404, and what its `unread` names is refused as it was refused then.
    """

    def __init__(
        self,
        *tenants: Mapping[str, Any],
        roles: Collection[str] = AUDIT_ROLES,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        page_size: int | Mapping[str, int] | None = None,
        premium: bool = True,
        unavailable: Collection[str] = (),
        unknown_properties: Collection[str] = (),
        ignored_roles: Collection[str] = (),
        pending_polls: int = 1,
        clock_skew_seconds: float = 0.0,
        seed: int = 0,
        writable: bool = False,
    ) -> None:
        by_id = {tenant.id: tenant for tenant in map(Tenant, tenants)}
        self.tenants = by_id
        self.tenant = next(iter(by_id.values()))
        self._clock = Clock(clock_skew_seconds)
        self.mint = Mint(self._clock)
        self.client = Client(client_id, client_secret, frozenset(roles), federations=((ISSUER, SUBJECT),))
        self.clients = {client_id: self.client}
        self.entra = Entra(by_id, self.clients, self.mint, USER, self._clock, pending_polls=pending_polls)
        self._script = Script()
        self.rules = Graph(by_id, self.mint, self._script, self._clock)
        self.rules.page_size = page_size
        self.rules.premium = premium
        self.rules.writable = writable
        self.rules.unavailable = frozenset(unavailable)
        self.rules.unknown_properties = frozenset(unknown_properties)
        self.rules.ignored_roles = frozenset(ignored_roles)
        self.strays: list[Stray] = []
        self.errors: list[Exception] = []
        self._side = GraphSide(self.rules, random.Random(seed), self.errors, self._clock)
        self._thread = LoopThread(self._listening, "graphserver")
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    # Where it is

    @property
    def graph(self) -> str:
        """The Graph endpoint, without a version."""
        return f"https://localhost:{self._graph_side.port}"

    @property
    def authority(self) -> str:
        """The authority host, without a tenant."""
        return f"https://localhost:{self._entra_side.port}"

    @property
    def imds(self) -> str:
        """The metadata endpoint of the virtual machine, which is plain HTTP."""
        return f"http://127.0.0.1:{self._imds_side.port}"

    @property
    def foreign(self) -> str:
        """A host that is neither; what it hears is in `strays`."""
        return f"https://127.0.0.1:{self._foreign_side.port}"

    @property
    def ca_file(self) -> Path:
        """The certificate that makes all of them trusted."""
        return ca_file()

    @property
    def trust(self) -> ssl.SSLContext:
        """The same as a context, for httpx and others that take one."""
        return client_context()

    @property
    def port(self) -> int:
        """The TCP port of Graph, for a proxy to stand before."""
        return self._graph_side.port

    # What a client needs

    def env(self, auth: Auth = "secret") -> dict[str, str]:
        """The environment in which azure-identity finds the app, its proof and the certificate authority."""
        trust = {"SSL_CERT_FILE": str(self.ca_file), "REQUESTS_CA_BUNDLE": str(self.ca_file)}
        if auth == "managed":
            return {**trust, "AZURE_POD_IDENTITY_AUTHORITY_HOST": self.imds}
        app = {**trust, "AZURE_TENANT_ID": self.tenant.id, "AZURE_CLIENT_ID": self.client.client_id}
        if auth == "certificate":
            return {**app, "AZURE_CLIENT_CERTIFICATE_PATH": str(self.certificate_file())}
        if auth == "workload":
            token = self._file("federated-token", federated_token().encode())
            return {**app, "AZURE_FEDERATED_TOKEN_FILE": str(token), "AZURE_AUTHORITY_HOST": self.authority}
        return {**app, "AZURE_CLIENT_SECRET": str(self.client.secret)}

    def certificate_file(self) -> Path:
        """Key and certificate of the app in PEM; from now on the app may prove itself with it."""
        certificate = client_certificate()
        self.client.certificates = (certificate,)
        return self._file("client.pem", certificate.pem)

    def token(
        self,
        *,
        roles: Collection[str] | None = None,
        scopes: Collection[str] = (),
        audience: str | None = None,
        tenant_id: str | None = None,
        lifetime: int | None = None,
        foreign: bool = False,
    ) -> str:
        """A token made without asking the token side; `scopes` make it a user's instead of the app's."""
        held = self.client.roles if roles is None else roles
        return self.mint.issue(
            tenant_id=tenant_id or self.tenant.id,
            app_id=self.client.client_id,
            audience=audience or self.graph,
            roles=() if scopes else held,
            scopes=scopes,
            lifetime=lifetime,
            foreign=foreign,
        )

    def bearer(self, **options: Any) -> dict[str, str]:
        """The header that carries `token(**options)`."""
        return {"Authorization": f"Bearer {self.token(**options)}"}

    def expire_tokens(self) -> None:
        """Every token given so far is answered 401 from now on."""
        self.mint.expire()

    # Its tenants

    def add_tenant(
        self,
        document: Mapping[str, Any] | Tenant,
        *,
        tenant_id: str = "",
        name: str = "",
        domain: str = "",
        roles: Collection[str] | None = None,
        refused: Refusal | None = None,
        latency_seconds: float = 0.0,
    ) -> Tenant:
        """Serve one more tenant, also while the server runs.

        With `tenant_id`, it's the tenant of the document under another id, and under `name` and `domain`. Many tenants
        of one `Tenant` cost little, because they share its sections. `roles` are what the app has there, by default
        those of the server; `refused` is why it gets no token there.
        """
        tenant = document if isinstance(document, Tenant) else Tenant(document)
        if tenant_id:
            tenant = tenant.renamed(tenant_id, name or tenant.name, domain or f"{tenant_id[:8]}.example")
        self.tenants[tenant.id] = tenant
        if latency_seconds:
            self.rules.latencies[tenant.id] = latency_seconds
        if roles is not None or refused:
            self.set_consent(tenant.id, roles=roles, refused=refused)
        return tenant

    def remove_tenant(self, tenant_id: str) -> None:
        """Delete a tenant: Entra answers AADSTS90002 for it, and Graph refuses the tokens it has given."""
        del self.tenants[tenant_id]

    def set_consent(
        self, tenant_id: str, *, roles: Collection[str] | None = None, refused: Refusal | None = None
    ) -> None:
        """What the app has in a tenant from now on: these roles, those of the server, or no token at all."""
        self.client.refused_in.pop(tenant_id, None)
        self.client.roles_in.pop(tenant_id, None)
        if refused:
            self.client.refused_in[tenant_id] = refused
        if roles is not None:
            self.client.roles_in[tenant_id] = frozenset(roles)

    def consent_as_admin(self, link: str, tenant_id: str, *, is_admin: bool = True) -> str:
        """Open an admin consent link as an administrator of the tenant, or as a user, and accept.

        Returns the address that the page leads to. Raises ValueError with the text of the page if it's an error.
        """
        cookie = {"Cookie": session_cookie(tenant_id, is_admin=is_admin)}
        answer = httpx.get(link, headers=cookie, verify=self.trust)
        if answer.status_code != 302:
            raise ValueError(answer.text)
        return answer.headers["Location"]

    # What may be changed while it runs

    @property
    def roles(self) -> frozenset[str]:
        """The application permissions of the tokens given from now on."""
        return self.client.roles

    @roles.setter
    def roles(self, roles: Collection[str]) -> None:
        self.client.roles = frozenset(roles)

    @property
    def clock_skew_seconds(self) -> float:
        """How far the server's clock is ahead: in Date headers, errors and tokens."""
        return self._clock.skew_seconds

    @clock_skew_seconds.setter
    def clock_skew_seconds(self, seconds: float) -> None:
        self._clock.skew_seconds = seconds

    @property
    def unknown_properties(self) -> AbstractSet[str]:
        """Properties that this cloud's Graph answers 400 for when they are selected."""
        return self.rules.unknown_properties

    @unknown_properties.setter
    def unknown_properties(self, names: Collection[str]) -> None:
        self.rules.unknown_properties = frozenset(names)

    def render(self, rendered: Rendered) -> None:
        """Answer the paths for which `rendered` has a body with it: at once, without rules, faults or a record."""
        self._side.rendered = rendered

    def fault(self, match: Match, kind: Fault, *, times: int | None = 1, tenant: str = "") -> None:
        """Let `kind` befall the next `times` Graph calls that `match`: alone or, where it can, in a batch.

        With `tenant`, only calls for the tenant with this id, after the faults for every tenant.
        """
        script = self.rules.scripts.setdefault(tenant, Script()) if tenant else self._script
        script.add(match, kind, times)

    def throttle(
        self,
        retry_after: int | float | str | None,
        *,
        tenant: str,
        scope: ThrottleScope = "Tenant_Application",
        match: Match = "/",
        times: int | None = 1,
    ) -> None:
        """Answer the next calls for a tenant 429, or those for every tenant if the scope is the application's."""
        named = f"{scope}/ReadWrite/{self.client.client_id}/{tenant}"
        kind = Status(429, retry_after, throttle_scope=named)
        self.fault(match, kind, times=times, tenant="" if scope == "Application" else tenant)

    def heal(self) -> None:
        """Forget the scripted faults of Graph."""
        self._script.clear()
        self.rules.scripts.clear()

    def token_fault(self, kind: Fault, *, match: Match = "/oauth2/v2.0/token", times: int | None = 1) -> None:
        """The same for the token side."""
        self._tokens.script.add(match, kind, times)

    def serve(self, document: Mapping[str, Any], *, page_size: int | None = None) -> None:
        """From now on, serve the first tenant from this document, without the faults and records so far."""
        self.tenant = self.tenants[self.tenant.id] = Tenant(document)
        self.rules.page_size = page_size
        self._script.clear()
        self._tokens.script.clear()
        self.forget()

    def faults_left(self) -> Mapping[str, int]:
        """Scripted faults that have not struck."""
        scripts = (self._script, self._tokens.script, *self.rules.scripts.values())
        return sum((Counter(script.left()) for script in scripts), Counter())

    # What it remembers

    @property
    def requests(self) -> list[Request]:
        """Every request to Graph in the order of the answers."""
        return self._side.requests

    @property
    def peak_in_flight(self) -> int:
        """The most requests to Graph that were under way at once."""
        return self._side.peak_in_flight

    @property
    def refused_writes(self) -> list[Write]:
        """Everything that tried to change the tenant."""
        return self.rules.refused_writes

    @property
    def token_requests(self) -> list[TokenRequest]:
        """Requests to the token side, metadata endpoint included."""
        return self._tokens.requests

    @property
    def connections(self) -> int:
        """TCP connections made to Graph."""
        return self._graph_side.connections

    @property
    def token_connections(self) -> int:
        """TCP connections made to the token side."""
        return self._entra_side.connections

    def forget(self) -> None:
        """Empty every record but the counts of connections."""
        for records in (self.requests, self.strays, self.token_requests, self.refused_writes):
            records.clear()
        self._side.peak_in_flight = 0

    # How it runs

    def __enter__(self) -> GraphServer:
        self._tokens = TokenSide(self.entra, self.client, self.tenant.id, self.errors, self._clock)
        tls = server_context()
        self._graph_side = self._side.listener(tls)
        self._entra_side = self._tokens.listener(tls)
        self._imds_side = self._tokens.machine_listener()
        self._foreign_side = Listener(self._handle_stray, tls)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()
        if self._folder is not None:
            self._folder.cleanup()
        if error is None and self.errors:
            raise RuntimeError("the test server itself failed") from self.errors[0]

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for side in (self._graph_side, self._entra_side, self._imds_side, self._foreign_side):
                await stack.enter_async_context(side)
            yield

    async def _handle_stray(self, request: BaseRequest) -> web.StreamResponse:
        self.strays.append(Stray(request.method, request.raw_path, "Authorization" in request.headers))
        return await self._foreign_side.send(request, Answer(200, {"value": []}), self._clock.headers({}))

    def _file(self, name: str, content: bytes) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="graphserver-")
        path = Path(self._folder.name) / name
        path.write_bytes(content)
        return path
