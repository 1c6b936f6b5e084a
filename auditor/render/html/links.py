"""Which addresses a reader may click on."""

from __future__ import annotations

from urllib.parse import urlsplit

KNOWN = frozenset(
    {
        "academy.tracker-rms.com",
        "admin.microsoft.com",
        "aka.ms",
        "entra.microsoft.com",
        "entra.microsoft.us",
        "github.com",
        "learn.microsoft.com",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "maester.dev",
        "portal.azure.cn",
        "portal.azure.com",
        "portal.azure.us",
        "www.cisa.gov",
        "www.cisecurity.org",
    }
)
"""Hosts that fixes and shipped packs send a reader to. Any other address is text to read and copy, not a link."""

_FORBIDDEN = frozenset(" \\\"'`<>")


def clickable(address: str) -> str:
    """The address if it is plain https to a known host, else nothing: a tenant may not choose where a click goes."""
    if not (address.isascii() and address.isprintable()) or set(address) & _FORBIDDEN:
        return ""
    try:
        parts = urlsplit(address)
        plain = parts.scheme == "https" and parts.netloc in KNOWN
    except ValueError:
        return ""
    return address if plain and address.startswith("https://") else ""
