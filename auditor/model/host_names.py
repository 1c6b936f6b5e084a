"""The hosts that a person names: endpoints of Microsoft, and proxies. Parsed here before any library sees them.

Libraries disagree about addresses with mistakes, and quote them in their errors, with the password that they contain.
No error of this module quotes the address.
"""

from __future__ import annotations

import ipaddress
import re

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)\.?")
"""The last label of what programs take for an IPv4 address."""
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f\u00a0\u200b-\u200f\u2028\u2029\ufeff]")


class InvalidAddress(ValueError):
    """What is wrong with an address, as the end of a sentence about it; never a part of the address itself."""


def host_and_port(text: str) -> str:
    """``host`` or ``host:port`` in lower case, an international name in its ASCII form. Raises InvalidAddress."""
    if _UNSEEN.search(text):
        raise InvalidAddress("contains a space or a control character")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise InvalidAddress("has an IPv6 address without the closing bracket")
        host = f"[{_ipv6(host)}]"
        if rest and not rest.startswith(":"):
            raise InvalidAddress("has something between the host and the port")
    else:
        name, colon, port = text.partition(":")
        if ":" in port:
            raise InvalidAddress("has several colons: an IPv6 address goes into brackets, as in [::1]:8443")
        host, rest = _host_name(name), colon + port
    return f"{host}:{_port(rest[1:])}" if rest else host


def https_endpoint(address: str) -> str:
    """``https://host`` or ``https://host:port``; in `address`, ``https://`` can be left out. Raises InvalidAddress."""
    given = address.strip()
    if "@" in given:
        raise InvalidAddress("contains a user name or a password: give only the host")
    scheme, sign, rest = given.partition("://")
    if not sign:
        scheme, rest = "https", given
    if scheme.lower() == "http":
        raise InvalidAddress("does not use https, and tokens are sent over TLS only: give an https:// address")
    if scheme.lower() != "https":
        raise InvalidAddress("does not use https: give an https:// address")
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    found = host_and_port(host)
    if rest[len(host) :].strip("/"):
        raise InvalidAddress("contains more than a host and a port: leave out what follows them")
    return f"https://{found}"


def _ipv6(text: str) -> str:
    try:
        found = ipaddress.IPv6Address(text)
    except ValueError:
        found = None
    if found is None or found.scope_id:
        raise InvalidAddress("has something in brackets that is not an IPv6 address")
    return str(found)


def _host_name(text: str) -> str:
    if not text:
        raise InvalidAddress("has no host")
    try:
        name = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise InvalidAddress("has a host with characters or a length that no host name has")
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise InvalidAddress("has a host that ends in a number and is not an IPv4 address") from None
    return name


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535:
        return int(text)
    raise InvalidAddress("has a port that is not a number from 1 to 65535")
