"""Microsoft's national clouds: where each signs in, where its Graph is, where its admins click.

Source: "National cloud deployments" of Microsoft Graph and of the identity platform. For China the two
disagree on the sign-in host; the newer one is used.
"""

from __future__ import annotations

from types import MappingProxyType

import msgspec


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of one cloud, without trailing slashes."""

    name: str
    authority: str
    graph: str
    portal: str
    verifies_publishers: bool = True


CLOUDS = MappingProxyType(
    {
        cloud.name: cloud
        for cloud in (
            Cloud(
                name="global",
                authority="https://login.microsoftonline.com",
                graph="https://graph.microsoft.com",
                portal="https://entra.microsoft.com",
            ),
            Cloud(
                name="us-gov",
                authority="https://login.microsoftonline.us",
                graph="https://graph.microsoft.us",
                portal="https://portal.azure.us",
                verifies_publishers=False,
            ),
            Cloud(
                name="us-gov-dod",
                authority="https://login.microsoftonline.us",
                graph="https://dod-graph.microsoft.us",
                portal="https://portal.azure.us",
                verifies_publishers=False,
            ),
            Cloud(
                name="china",
                authority="https://login.partner.microsoftonline.cn",
                graph="https://microsoftgraph.chinacloudapi.cn",
                portal="https://portal.azure.cn",
                verifies_publishers=False,
            ),
        )
    }
)
"""By the name that ``--cloud`` takes."""
