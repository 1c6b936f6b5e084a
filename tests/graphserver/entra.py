"""The token side: discovery, client credentials, device code and refresh, with Entra's refusals."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .clients import Client, Refused, unknown_client
from .clock import Clock
from .tenant import Tenant
from .tokens import GRAPH_APP_ID, Mint

ANY_TENANT = frozenset({"common", "organizations"})
_GRAPH_HOSTS = frozenset(
    {"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"}
)
_OIDC = frozenset({"openid", "profile", "email", "offline_access"})
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
Reply = tuple[int, dict[str, Any]]


@dataclass
class _Flow:
    """A device code that waits for its user."""

    client_id: str
    scope: str
    tenant_id: str
    polls_left: int


@dataclass
class Entra:
    """Gives tokens to the clients it knows. `pending_polls` is how often a device flow says "not yet"."""

    tenants: dict[str, Tenant]
    clients: dict[str, Client]
    mint: Mint
    user: Mapping[str, str]
    clock: Clock
    pending_polls: int = 1
    poll_interval: int = 0
    _flows: dict[str, _Flow] = field(default_factory=dict)
    _refreshes: dict[str, _Flow] = field(default_factory=dict)

    def reply(self, method: str, base: str, path: str, form: Mapping[str, str]) -> Reply:
        """The JSON answer to one request of the token side; `form` are the fields or the query."""
        try:
            return self._reply(method, base, path.strip("/"), form)
        except Refused as refused:
            return refused.status, refusal(refused, self.clock)

    def _reply(self, method: str, base: str, path: str, form: Mapping[str, str]) -> Reply:
        tenant, _, rest = path.partition("/")
        match method, rest:
            case "GET", "discovery/instance":
                return 200, _instance(base)
            case "GET", "v2.0/.well-known/openid-configuration":
                return 200, _configuration(base, self.tenant_id(tenant))
            case "POST", "oauth2/v2.0/devicecode":
                return 200, self._begin_device(self.tenant_id(tenant), form)
            case "POST", "oauth2/v2.0/token":
                return 200, self._token(self.tenant_id(tenant), form, f"{base}/{path}")
            case _:
                return 404, {"error": "not_found", "error_description": f"There is no {method} {path} here."}

    def tenant_id(self, name: str) -> str:
        """The id of the tenant that an authority names, by id or by domain."""
        if name in self.tenants:
            return name
        for tenant in self.tenants.values():
            if tenant.is_named(name):
                return tenant.id
        if name in ANY_TENANT:
            return next(iter(self.tenants))
        raise Refused(400, "invalid_request", 90002, f"Tenant '{name}' not found.")

    def client(self, form: Mapping[str, str]) -> Client:
        """The app that a form or a query names; refused if there is none."""
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            raise unknown_client(form.get("client_id", ""))
        return client

    def _token(self, tenant_id: str, form: Mapping[str, str], url: str) -> dict[str, Any]:
        client = self.client(form)
        roles = client.roles_for(tenant_id)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            client.prove(form, url, self.clock.now())
            scope = form.get("scope", "")
            if not scope.endswith("/.default"):
                raise Refused(400, "invalid_scope", 1002012, f"The scope '{scope}' must end in /.default here.")
            return self.app_token(client, tenant_id, scope.removesuffix("/.default"), roles)
        if grant == _DEVICE_GRANT:
            return self._poll(client, form)
        if grant == "refresh_token":
            if (flow := self._refreshes.get(form.get("refresh_token", ""))) is None:
                raise Refused(400, "invalid_grant", 700082, "The refresh token is not known, or expired.")
            return self._user_token(client, flow)
        raise Refused(400, "unsupported_grant_type", 70003, f"The grant type '{grant}' is not supported.")

    def app_token(self, client: Client, tenant_id: str, resource: str, roles: frozenset[str]) -> dict[str, Any]:
        """An app-only token for a resource this directory knows."""
        host = urlsplit(resource).hostname
        if resource != GRAPH_APP_ID and host not in self.mint.hosts | _GRAPH_HOSTS:
            raise Refused(400, "invalid_resource", 500011, f"The resource '{resource}' was not found in the tenant.")
        extra = {"oid": client.object_id, "sub": client.object_id, "app_displayname": "consent-auditor"}
        token = self.mint.issue(
            tenant_id=tenant_id, app_id=client.client_id, audience=resource, roles=roles, claims=extra
        )
        life = self.mint.lifetime
        return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}

    def _begin_device(self, tenant_id: str, form: Mapping[str, str]) -> dict[str, Any]:
        client = self.client(form)
        code = secrets.token_urlsafe(24)
        self._flows[code] = _Flow(client.client_id, form.get("scope", ""), tenant_id, self.pending_polls)
        return {
            "device_code": code,
            "user_code": "ABCD1234E",
            "verification_uri": "https://localhost/devicelogin",
            "expires_in": 900,
            "interval": self.poll_interval,
            "message": "Open https://localhost/devicelogin and enter the code ABCD1234E.",
        }

    def _poll(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        flow = self._flows.get(form.get("device_code", ""))
        if flow is None or flow.client_id != client.client_id:
            raise Refused(400, "invalid_grant", 7000014, "The device code is not known.")
        if flow.polls_left:
            flow.polls_left -= 1
            raise Refused(400, "authorization_pending", 70016, "The user has not finished signing in.")
        return self._user_token(client, flow)

    def _user_token(self, client: Client, flow: _Flow) -> dict[str, Any]:
        asked = [scope for scope in flow.scope.split() if scope not in _OIDC]
        resource = asked[0].rpartition("/")[0] if asked else GRAPH_APP_ID
        granted = client.roles_for(flow.tenant_id)
        claims = {"oid": self.user["id"], "upn": self.user["userPrincipalName"], "sub": self.user["id"]}
        access = self.mint.issue(
            tenant_id=flow.tenant_id, app_id=client.client_id, audience=resource, scopes=granted, claims=claims
        )
        about = {"name": self.user["displayName"], "preferred_username": self.user["userPrincipalName"]}
        identity = self.mint.issue(
            tenant_id=flow.tenant_id, app_id=client.client_id, audience=client.client_id, claims={**claims, **about}
        )
        refresh = secrets.token_urlsafe(32)
        self._refreshes[refresh] = flow
        who = {"uid": self.user["id"], "utid": flow.tenant_id}
        return {
            "token_type": "Bearer",
            "scope": flow.scope,
            "expires_in": self.mint.lifetime,
            "access_token": access,
            "id_token": identity,
            "refresh_token": refresh,
            "client_info": base64.urlsafe_b64encode(json.dumps(who).encode()).decode().rstrip("="),
        }


def refusal(refused: Refused, clock: Clock) -> dict[str, Any]:
    """The JSON that carries an AADSTS number."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = clock.stamp("%Y-%m-%d %H:%M:%SZ")
    return {
        "error": refused.error,
        "error_description": f"{refused} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
        "error_codes": [refused.number],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refused.number}",
    }


def _configuration(base: str, tenant_id: str) -> dict[str, Any]:
    root = f"{base}/{tenant_id}"
    return {
        "issuer": f"{root}/v2.0",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "tenant_region_scope": "EU",
    }


def _instance(base: str) -> dict[str, Any]:
    host = urlsplit(base).netloc
    return {
        "tenant_discovery_endpoint": f"{base}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
