"""How to reach a live tenant: its id, its cloud and the credential."""

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
"""The values of ``--auth``. ``auto`` is the credential that the AZURE_… variables describe."""

DEFAULT_TIMEOUT = 120
"""The time limit for all requests to Microsoft together, in seconds."""
DEFAULT_WAIT = 3600
"""The time limit, in seconds, for a run that reads the tenant until a change has arrived."""


class LiveTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant to read through Microsoft Graph.

    `tenant` is an id or a domain; empty means AZURE_TENANT_ID, or the credential's own tenant. `authority_host` and
    `graph_endpoint` replace the addresses of `cloud`, for example with those of a proxy or a test server. `timeout` is
    the limit for the whole read, in seconds, or for all reads if the run waits for a change. With `waits_as_asked`, the
    pauses that Microsoft asks for (throttling) don't count.
    """

    tenant: str = ""
    cloud: str = "global"
    auth: str = "auto"
    authority_host: str = ""
    graph_endpoint: str = ""
    timeout: float = DEFAULT_TIMEOUT
    waits_as_asked: bool = False
