"""The metadata endpoint of a virtual machine: tokens for the identity that Azure manages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .clients import Client, Refused
from .entra import Entra

PATH = "/metadata/identity/oauth2/token"


def imds_reply(
    entra: Entra, machine: Client, tenant_id: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    """A token for `machine`, the app whose identity the machine has, as IMDS words it."""
    if path != PATH:
        return 404, {"error": "not_found"}
    if headers.get("metadata") != "true" or "api-version" not in query or "resource" not in query:
        return 400, {"error": "invalid_request", "error_description": "Metadata header, api-version or resource lacks."}
    if query.get("client_id", machine.client_id) != machine.client_id:
        return 400, {"error": "invalid_request", "error_description": "Identity not found"}
    try:
        made = entra.app_token(machine, tenant_id, query["resource"].rstrip("/"), machine.roles_for(tenant_id))
    except Refused as refused:
        return 400, {"error": refused.error, "error_description": str(refused)}
    now, life = int(entra.clock.now()), entra.mint.lifetime
    return 200, {
        "access_token": made["access_token"],
        "client_id": machine.client_id,
        "expires_in": str(life),
        "expires_on": str(now + life),
        "not_before": str(now),
        "resource": query["resource"],
        "token_type": "Bearer",
    }
