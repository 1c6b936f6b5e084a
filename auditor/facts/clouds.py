"""Microsoft's national clouds and APIs, with their addresses.

``clouds.json`` has the addresses of each cloud's sign-in, Microsoft Graph and admin center.
``resource_addresses.json`` has the addresses by which requests name Microsoft's own APIs, in every cloud. A tenant
lists them as ``servicePrincipalNames`` of the API's service principal; the table is for tenants whose snapshot lacks
them. Both files name their sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from auditor.facts import load_table


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of one cloud, without trailing slashes, and its names in tools.

    `exchange` is the host by which scopes name Exchange Online. `mg_environment` is the cloud's name in Microsoft Graph
    PowerShell and `az_cloud` the one in the Azure CLI; both are empty for the cloud that these tools use by default.
    """

    name: str
    authority: str
    graph: str
    portal: str
    exchange: str
    mg_environment: str = ""
    az_cloud: str = ""
    verifies_publishers: bool = True

    @property
    def is_national(self) -> bool:
        """Whether it is apart from Microsoft's global cloud, with separate app registrations."""
        return bool(self.az_cloud)


class _CloudTable(msgspec.Struct, frozen=True):
    source: str
    clouds: tuple[Cloud, ...]


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {cloud.name: cloud for cloud in load_table("clouds", _CloudTable).clouds}
)
"""The clouds by the name that ``--cloud`` accepts."""


def cloud_named(name: str) -> Cloud:
    """The cloud with this name; Microsoft's global cloud for a name that this version doesn't know."""
    return CLOUDS.get(name, CLOUDS["global"])


class _Resource(msgspec.Struct, frozen=True):
    """One API. `hosts` are hosts of the tenant's own: ``*`` is its name, ``N`` the number of a region."""

    app_id: str
    name: str
    addresses: tuple[str, ...]
    hosts: tuple[str, ...] = ()


class _ResourceTable(msgspec.Struct, frozen=True):
    source: str
    resources: tuple[_Resource, ...]


@cache
def _resources() -> tuple[_Resource, ...]:
    return load_table("resource_addresses", _ResourceTable).resources


@cache
def known_resource_names() -> Mapping[str, str]:
    """The names of Microsoft's APIs in Entra, by app id."""
    return MappingProxyType({one.app_id: one.name for one in _resources()})


def resource_at(address: str) -> str:
    """The app id of the API with this identifier URI; empty if it isn't one of Microsoft's.

    Letter case, a slash at the end and the port 443 don't matter: Exchange Online lists
    ``https://outlook.office365.com:443/`` separately.
    """
    sought = re.sub(r"^(https://[^/]+):443(?=/|$)", r"\1", address.lower().rstrip("/"))
    if found := _app_ids().get(sought):
        return found
    scheme, _, host = sought.partition("//")
    if scheme != "https:":
        return ""
    return next((app_id for pattern, app_id in _host_patterns() if pattern.fullmatch(host)), "")


@cache
def _app_ids() -> Mapping[str, str]:
    return {address: one.app_id for one in _resources() for address in one.addresses}


@cache
def _host_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_host_pattern(host), one.app_id) for one in _resources() for host in one.hosts)


def _host_pattern(host: str) -> re.Pattern[str]:
    """``*`` is one or two labels: Dataverse also answers at ``ORG.api.crm4.dynamics.com``."""
    named = re.escape(host).replace(r"\*", r"[a-z0-9-]+(\.[a-z0-9-]+)?").replace("N", r"[0-9]+")
    return re.compile(named)
