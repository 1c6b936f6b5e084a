"""Microsoft's national clouds, with the addresses of their sign-in, Microsoft Graph and admin center.

The table and its sources are in ``clouds.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
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
