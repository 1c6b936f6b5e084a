"""How to reach a live tenant: which one, in which cloud, and with which credential."""

from __future__ import annotations

import msgspec

AUTH_METHODS = (
    "auto",
    "secret",
    "certificate",
    "workload-identity",
    "managed-identity",
    "az-cli",
    "device-code",
)
"""The ways to sign in that ``--auth`` takes. ``auto`` is what the AZURE_… variables describe."""

DEFAULT_TIMEOUT = 120
"""Seconds that all of Microsoft's answers together may take."""


class LiveTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant to read through Microsoft Graph.

    `tenant` is an id or a domain; empty means AZURE_TENANT_ID, or the credential's own tenant. `authority_host` and
    `graph_endpoint` replace the addresses of `cloud`: those of a proxy, or of a test server. `timeout` is in seconds,
    for the whole read.
    """

    tenant: str = ""
    cloud: str = "global"
    auth: str = "auto"
    authority_host: str = ""
    graph_endpoint: str = ""
    timeout: float = DEFAULT_TIMEOUT
