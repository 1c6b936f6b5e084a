"""Compare names of hosts, find the part that names an organization, and replace names in URLs.

``Müller.DE``, ``muller.de`` and ``xn--mller-kva.de`` have one key, because texts are searched for names without
regard to letter case and accents (`auditor.redact.text_folding`), and a browser shows either form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import msgspec

from auditor.redact.text_folding import folded
from auditor.redact.word_lists import word_lists

_DYNAMICS = re.compile(r".+\.crm\d*\.dynamics\.com")


def host_key(host: str) -> str:
    """A key that is the same for every spelling of a host."""
    return folded(".".join(map(_shown, host.strip().rstrip(".").split(".")))).text


def address_key(address: str) -> str:
    """A key that is the same for every spelling of a mail address or user principal name."""
    local, at, domain = address.rpartition("@")
    return f"{folded(local).text}@{host_key(domain)}" if at else folded(address).text


def _is_in(host: str, domain: str) -> bool:
    """Whether the host is the domain or below it."""
    return host == domain or host.endswith(f".{domain}")


def names_customer(key: str) -> bool:
    """Whether the host is below a domain in which a service gives each customer a name."""
    hosts = word_lists().customer_hosts
    return any(key.endswith(f".{known}") for known in hosts) or _DYNAMICS.fullmatch(key) is not None


def is_microsofts(host: str) -> bool:
    """Whether the host belongs to Microsoft and names no customer."""
    key = host_key(host)
    services = any(_is_in(key, known) for known in word_lists().customer_hosts)
    return any(_is_in(key, known) for known in word_lists().microsoft_hosts) and not services


def registered(host: str) -> str:
    """The registered domain that the host is part of: ``bluecorp.co.uk`` for ``mail.bluecorp.co.uk``.

    If a service gives each customer a name, it is the customer's domain.
    """
    key = host_key(host)
    labels = key.split(".")
    for known in word_lists().customer_hosts:
        if key.endswith(f".{known}"):
            return ".".join(labels[-known.count(".") - 2 :])
    by_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in word_lists().second_level_labels
    return ".".join(labels[-3 if by_country else -2 :])


def _shown(label: str) -> str:
    """A label in its own script where it is the ASCII form of another one (IDNA)."""
    if not label.lower().startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError, ValueError):
        return label


class UrlRedactor(msgspec.Struct, frozen=True, kw_only=True):
    """Replaces the names in URLs.

    The `published` ones (in lower case) stay unchanged. `scrub` replaces names in a text, and `host` a whole host.
    """

    published: Collection[str]
    scrub: Callable[[str], str]
    host: Callable[[str], str]

    def redacted(self, value: str) -> str:
        """The URL without names; the result is still a URL."""
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
    """The host of a URL, without the asterisk of a legacy wildcard; empty for a text that is not a URL."""
    try:
        return (urlsplit(value).hostname or "").removeprefix("*.")
    except ValueError:
        return ""


def allows(registered: str, address: str) -> bool:
    """Whether a URL matches a registered one, which may contain ``*``; the decision compares them in the same way."""
    pattern = ".*".join(re.escape(piece) for piece in registered.lower().split("*"))
    return re.fullmatch(pattern, address.lower()) is not None


def _one_word(text: str) -> str:
    """The text with dashes for the blanks in tokens, because a URL has no blanks."""
    return re.sub(r"(?<=[A-Za-z]) (?=[0-9a-f]{10})", "-", text)
