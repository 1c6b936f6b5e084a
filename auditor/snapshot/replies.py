"""Addresses that an app answers at: the same for the pack that names one and for the registration that lists it.

Whether users can connect depends on the two being alike, so neither is replaced without the other. Addresses that a
vendor publishes stay; in any other the host goes where it is the tenant's or holds its name, and the path stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import msgspec


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """How addresses are told.

    `published` (in lower case) stay to the letter. `scrub` and `host` replace names in a text and a whole host.
    """

    published: Collection[str]
    scrub: Callable[[str], str]
    host: Callable[[str], str]

    def told(self, value: str) -> str:
        """The address, without names; still an address."""
        if value.lower() in self.published:
            return value
        scheme, mark, rest = value.partition("://")
        host = host_of(value)
        if not mark or not host:
            return _one_word(self.scrub(value))
        authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
        path = _one_word(self.scrub(rest[len(authority) :]))
        if self.scrub(host) == host and "@" not in authority:
            return f"{scheme}://{authority}{path}"
        port = re.search(r":\d{1,5}$", authority)
        return f"{scheme}://{self.host(host)}{port[0] if port else ''}{path}"


def host_of(value: str) -> str:
    """The host of an address, without the star of a legacy wildcard; empty where it is none."""
    try:
        return (urlsplit(value).hostname or "").removeprefix("*.")
    except ValueError:
        return ""


def allows(registered: str, address: str) -> bool:
    """Whether an address is the registered one, which may hold ``*``: as the decision compares them."""
    pattern = ".*".join(re.escape(piece) for piece in registered.lower().split("*"))
    return re.fullmatch(pattern, address.lower()) is not None


def _one_word(text: str) -> str:
    """Tokens of names hold a blank, and an address must not."""
    return re.sub(r"(?<=[A-Za-z]) (?=[0-9a-f]{10})", "-", text)
