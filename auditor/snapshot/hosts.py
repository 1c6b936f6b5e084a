"""Names of hosts as they are compared, and which part of one is an organisation's name.

``Müller.DE``, ``muller.de`` and ``xn--mller-kva.de`` have one key, because texts are searched for names without
regard to letter case and accents (`auditor.snapshot.folding`), and a browser shows either form.
"""

from __future__ import annotations

import re

from auditor.snapshot.folding import folded
from auditor.snapshot.ordinary import MICROSOFT_HOSTS, TENANT_HOSTS

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
