"""Pieces that several sections of the page share: tones, addresses, and text to copy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from auditor.facts.builtin_policies import portal_name, portal_names
from auditor.render.labels import NAME_WIDTH
from auditor.render.text_layout import clip

TONES = MappingProxyType(
    {
        "good": "#00694f",
        "bad": "#a83700",
        "unsure": "#6b3fa0",
        "quiet": "#535d6a",
        "waived": "#735100",
        "done": "#0a558c",
    }
)
"""The colours of pictures, by their names in style.css; a test keeps the two equal.

They come from the palette of Okabe and Ito, darkened until text in them is readable on white. No colour is used alone:
each has a word next to it, and a separate pattern in pictures.
"""

HOLLOW = frozenset({"unsure", "waived", "quiet"})
"""Charts draw these as an outline and the others as a solid. With the patterns, all differ even without colour."""

KNOWN_HOSTS = frozenset(
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
"""Hosts that fixes and shipped packs link to. An address of another host is text to read and copy, not a link."""

_FORBIDDEN = frozenset(" \\\"'`<>{}")
"""What no address has unencoded. Braces are a placeholder to fill in before the address can be opened."""


def tone(style: str) -> str:
    """The tone for a style of `auditor.render.labels`; plain text is quiet."""
    return style if style in TONES else "quiet"


def is_portal_setting(policy_id: str) -> bool:
    """Whether the portal offers the consent policy as a setting."""
    return bool(portal_name(policy_id))


def policy_label(policy_id: str) -> str:
    """What the portal calls a consent policy; the id, cut, if it's a policy of the tenant's own."""
    return portal_name(policy_id) or clip(policy_id, NAME_WIDTH)


def in_portal_words(text: str) -> str:
    """Replace the ids of built-in consent policies by the names in the portal, in quotation marks."""
    for policy_id, name in portal_names().items():
        text = re.sub(rf"(?<![\w-])([Pp]olicy )?{re.escape(policy_id)}(?![\w-])", f'"{name}"', text)
    return text


def clickable(address: str) -> str:
    """The address if it's plain https to a known host, else nothing: a tenant can't choose where a click leads."""
    if not (address.isascii() and address.isprintable()) or set(address) & _FORBIDDEN:
        return ""
    try:
        parts = urlsplit(address)
        plain = parts.scheme == "https" and parts.netloc in KNOWN_HOSTS
    except ValueError:
        return ""
    return address if plain and address.startswith("https://") else ""


class AddressView(NamedTuple):
    """An address. `href` is empty if it isn't a link, `label` if there is no other address next to it."""

    id: str
    text: str
    href: str
    label: str = ""


class CodeView(NamedTuple):
    """Lines to copy: commands or requests."""

    id: str
    label: str
    text: str


def address(text: str, name: str) -> AddressView | None:
    """The address with the ID `name`; none if it's empty."""
    return AddressView(name, text, clickable(text)) if text else None


def addresses(links: Sequence[tuple[str, str]], name: str) -> tuple[AddressView, ...]:
    """The addresses of pairs of a label and a link; empty links are left out."""
    made = [(label, address(link, name if n == 1 else f"{name}-{n}")) for n, (label, link) in enumerate(links, start=1)]
    return tuple(each._replace(label=label) for label, each in made if each)


def code(name: str, label: str, text: str) -> tuple[CodeView, ...]:
    """The lines to copy; nothing if there are none."""
    return (CodeView(name, label, text.strip("\r\n")),) if text.strip() else ()
