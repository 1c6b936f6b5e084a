"""Names of hosts as they are compared, and which part of one is an organisation's name.

``Müller.DE``, ``muller.de`` and ``xn--mller-kva.de`` have one key, because texts are searched for names without
regard to letter case and accents (`auditor.redact.text_folding`), and a browser shows either form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import msgspec

from auditor.redact.common_words import MICROSOFT_HOSTS, TENANT_HOSTS
from auditor.redact.text_folding import folded

_SECOND_LEVEL = frozenset(
    "ac co com edu gob gov go govt gv id lg ltd me mil ne net nhs nom or org plc police sch school web".split()
)
"""Labels under which a country registers names, as in ``.co.uk``."""
_DYNAMICS = re.compile(r".+\.crm\d*\.dynamics\.com")


def host_key(host: str) -> str:
    """The same for every spelling of a host."""
    return folded(".".join(map(_shown, host.strip().rstrip(".").split(".")))).text


def address_key(address: str) -> str:
    """The same for every spelling of a mail address or user principal name."""
    local, at, domain = address.rpartition("@")
    return f"{folded(local).text}@{host_key(domain)}" if at else folded(address).text


def below(host: str, domain: str) -> bool:
    """Whether the host is the domain, or a name in it."""
    return host == domain or host.endswith(f".{domain}")


def names_customer(key: str) -> bool:
    """Whether the host lies below a domain under which a service gives each customer a name."""
    return any(key.endswith(f".{known}") for known in TENANT_HOSTS) or _DYNAMICS.fullmatch(key) is not None


def is_microsofts(host: str) -> bool:
    """Whether the host belongs to Microsoft and names no customer."""
    key = host_key(host)
    services = any(below(key, known) for known in TENANT_HOSTS)
    return any(below(key, known) for known in MICROSOFT_HOSTS) and not services


def registered(host: str) -> str:
    """The domain that somebody registered, of which the host is a part: ``bluecorp.co.uk`` for ``mail.bluecorp.co.uk``.

    Where a service gives each customer a name, it is the customer's.
    """
    key = host_key(host)
    labels = key.split(".")
    for known in TENANT_HOSTS:
        if key.endswith(f".{known}"):
            return ".".join(labels[-known.count(".") - 2 :])
    by_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if by_country else -2 :])


def _shown(label: str) -> str:
    """A label as people write it, if it is the ASCII form of another script."""
    if not label.lower().startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError, ValueError):
        return label


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
