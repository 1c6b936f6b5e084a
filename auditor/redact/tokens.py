"""Tokens that replace names and ids in a redacted file: the same token for the same thing, useless without the key.

Every token is made with HMAC-SHA256 from the kind of thing and its plain value, so the same key gives the same
token in every file and run, and nobody without the key can test a guess. A token has the form of what it
replaces: a GUID for a GUID (``ffffffff-…-8…``), a user principal name for a user principal name.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from auditor.facts.ids import REDACTED_GUID
from auditor.redact.hosts import host_key
from auditor.redact.text_folding import fold

KEY_BYTES = 32
"""The length of a key."""

LENGTH = 10
"""Hexadecimal digits of a token: 40 bits, enough to keep the objects of one directory distinct."""

REDACTED = "[redacted]"
"""Replaces free text, which can contain anything."""

GUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
"""With or without dashes."""

_H = rf"[0-9a-f]{{{LENGTH}}}"
_HOST_TOKEN = rf"(?:tenant|host)-{_H}\.example"
_NAME_TOKEN = rf"(?:Tenant|User|Group|App|Role|Policy|Publisher|Owner|Ticket|Subject) {_H}"
_WORD_TOKEN = rf"(?:id|policy|microsoft|scope|code|tag|user|publisher|other)-{_H}"
TOKEN = re.compile(
    "|".join(
        (
            re.escape(REDACTED),
            REDACTED_GUID,
            rf"user-{_H}@{_HOST_TOKEN}",
            _HOST_TOKEN,
            rf"https://{_HOST_TOKEN}/{_H}",
            rf"api://{_H}",
            _NAME_TOKEN,
            _WORD_TOKEN,
        )
    )
)
"""Any token, in full. Tokens stay unchanged, so that a redacted snapshot can be redacted again."""


class TokenMaker:
    """Makes tokens with one key. Pure: the same key and value give the same token."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, but this one has {len(key)}")
        self._key = key

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def short(self, kind: str, value: str) -> str:
        """The digits that identify this thing among those of its kind."""
        return self._digest(kind, value)[:LENGTH]

    def name(self, kind: str, name: str) -> str:
        """A name for a name, as in ``Tenant 0123456789``: the same for every spelling of it."""
        return f"{kind} {self.short(kind, fold(name) or name)}"

    def guid(self, value: str) -> str:
        """A GUID for a GUID: eight f, and version 8 ("custom", RFC 9562), which Microsoft doesn't use."""
        plain = value.lower().replace("-", "")
        made = self._digest("guid", plain)
        variant = "89ab"[int(made[8], 16) % 4]
        parts = ("f" * 8, made[:4], "8" + made[4:7], variant + made[9:12], made[12:24])
        return ("-" if "-" in value else "").join(parts)

    def host(self, kind: str, value: str) -> str:
        """A domain that cannot exist (``.example``, RFC 2606), the same for every spelling of the host.

        `kind` is ``tenant`` or ``host``.
        """
        return f"{kind}-{self.short('host', host_key(value))}.example"


def is_any_guid(value: str) -> bool:
    """Whether the whole value is a GUID, with or without dashes."""
    return GUID.fullmatch(value) is not None


def is_token(value: str) -> bool:
    """Whether the whole value is a token."""
    return TOKEN.fullmatch(value) is not None
