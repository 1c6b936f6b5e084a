"""The web addresses in a pasted text and what they say, with what mails and tickets did to them undone.

Sources: "OAuth 2.0 authorization code flow" and "Admin consent on the Microsoft identity platform" (the parameters of a
response, in the query or in the fragment), "Safe Links in Microsoft Defender for Office 365", and Proofpoint's
"URL Defense" (the forms of wrapped addresses).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from auditor.consent.sign_in_address import INVISIBLE, SIGN_IN_HOSTS, on_one_line, without_quoted_printable

_MAX_WRAPPERS = 5
_MAX_ADDRESSES = 50
_MAX_LINES = 60
"""The lines into which a mail may have broken one address."""
_MAX_FIELDS = 100
_NOT_FOLLOWED = ("redirect_uri", "post_logout_redirect_uri", "error_uri")
"""Parameters that hold an address of another kind than a wrapped one."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A web address. `values` are the parameters of its query and of its fragment, by their names in lower case."""

    text: str
    host: str
    path: str
    values: Mapping[str, str]

    @property
    def is_sign_in(self) -> bool:
        """Whether the address is on Microsoft's sign-in host, of any cloud."""
        return self.host in SIGN_IN_HOSTS

    @property
    def is_request(self) -> bool:
        """Whether it's an authorize or admin consent address."""
        return self.is_sign_in and self.path.lower().rstrip("/").endswith(("/authorize", "/adminconsent"))

    @property
    def is_error_page(self) -> bool:
        """Whether it's Microsoft's page about a code, ``…/error?code=90094``."""
        return self.is_sign_in and self.path.lower().rstrip("/") == "/error" and bool(self.explained_code)

    @property
    def explained_code(self) -> str:
        """The code in the address of that page."""
        return (
            self.values.get("code", "").upper().removeprefix("AADSTS")
            if self.values.get("code", "")[-1:].isdigit()
            else ""
        )

    @property
    def is_callback(self) -> bool:
        """Whether Entra sent a user there: with an error, an answer to an admin consent, or a code or token."""
        if self.is_request or self.is_error_page:
            return False
        names = self.values.keys()
        answers = {"error", "error_description", "admin_consent", "id_token", "access_token"}
        return bool(answers & names) or ("code" in names and bool({"state", "session_state"} & names))


def plain(text: str) -> str:
    """The pasted text as it was before a mail, a ticket or a program encoded it."""
    from html import unescape

    text = text.translate(INVISIBLE).replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n")
    text = without_quoted_printable(_in_ascii(text))
    for _ in range(_MAX_WRAPPERS):
        if (once := unescape(text)) == text:
            break
        text = once
    text = re.sub(r"\\(?:u00([0-7][0-9a-fA-F])|([nrt/\"']))", _unescaped, text)
    text = _BLOCK_TAGS.sub("\n", _INLINE_TAG.sub("", text))
    return _BROKEN_ID.sub("-", _QUOTE_MARKS.sub("\n", text))


_BLOCK_TAGS = re.compile(
    r"(?:</?(?:td|th|tr|p|div|br|li|ul|ol|dt|dd|dl|h[1-6]|table|tbody|pre)\b[^<>]{0,500}>\s{0,50}){1,50}", re.IGNORECASE
)
_INLINE_TAG = re.compile(r"</?(?:b|i|u|em|strong|span|font|code|small|mark)\b[^<>]{0,500}>", re.IGNORECASE)
_QUOTE_MARKS = re.compile(r"\n[ \t]{0,20}(?:>[ \t]{0,5}){1,10}")
_BROKEN_ID = re.compile(r"(?<=[0-9a-fA-F]{4})-\n[ \t|]{0,20}(?=[0-9a-fA-F]{4})")
"""An id that a mail broke after a hyphen."""


def _in_ascii(text: str) -> str:
    """The text with the digits of other scripts, and full-width letters and signs, as ASCII has them."""
    return re.sub(r"[^\W\x00-\x7f]|[\uff01-\uff5e\u3000]", _ascii_sign, text)


def _ascii_sign(found: re.Match[str]) -> str:
    from unicodedata import decimal

    sign = found[0]
    if "\uff01" <= sign <= "\uff5e":
        return chr(ord(sign) - 0xFEE0)
    digit = decimal(sign, -1)
    return " " if sign == "\u3000" else sign if digit < 0 else str(digit)


_ESCAPED = {"n": "\n", "r": "\n", "t": " ", "/": "/", '"': '"', "'": "'"}


def _unescaped(found: re.Match[str]) -> str:
    """A character that JSON or a log wrote as an escape; control characters become spaces."""
    if found[2]:
        return _ESCAPED[found[2]]
    sign = chr(int(found[1], 16))
    return sign if sign.isprintable() else " "


def addresses_in(text: str) -> tuple[Address, ...]:
    """Every address in a text that `plain` returned, those that are wrapped in another one, too."""
    found: dict[str, Address] = {}
    for whole in islice(_written(text), _MAX_ADDRESSES):
        for one in _unwrapped(whole):
            found.setdefault(one.text, one)
    return tuple(found.values())


_SCHEME = r"(?<![\w.+-])[a-z][a-z0-9.+-]{2,60}:/{1,3}(?=[\w\[?#-])"
"""Of the web, and of a program on a phone or desktop that is sent its answer: ``msauth.com.vendor.app://auth``."""
_HOSTS = rf"(?<![\w./-])(?:{'|'.join(map(re.escape, sorted(SIGN_IN_HOSTS)))})/"
_START = re.compile(rf"{_SCHEME}|{_HOSTS}", re.IGNORECASE)
_END = re.compile(r"[\s<>\"'`|\u201c\u201d\u2018\u2019\u00ab\u00bb]")
_CONTINUES = re.compile(r"[\w.~:/?#\[\]@!$&()*+,;=%-]+")
_QUOTED = " \t>|"


def _written(text: str) -> Iterator[str]:
    """The addresses as they are written. A text that is one address has it whole, also if it shows spaces."""
    stripped = text.strip(" \t\n<>\"'`([{")
    if _START.match(stripped) and len(_START.findall(stripped)) == 1 and "](" not in stripped:
        yield on_one_line(stripped.partition("\n\n")[0]).rstrip(" \t<>\"'`)]}.,;")
        return
    lines = [line.strip(_QUOTED) for line in text.split("\n")]
    for number, line in enumerate(lines):
        for start in _START.finditer(line):
            rest = line[start.start() :]
            end = _END.search(rest)
            yield _trimmed(
                rest[: end.start()] if end else rest + _continued(rest, lines[number + 1 : number + _MAX_LINES])
            )


def _continued(before: str, lines: list[str]) -> str:
    """The rest of an address that a mail broke into lines."""
    rest = ""
    for line in lines:
        is_long = len(before) >= 60 or bool(re.search("[%&=?]", line))
        if not line or not is_long or _START.match(line) or not _CONTINUES.fullmatch(line):
            break
        rest += line
        before = line
    return rest


def _trimmed(address: str) -> str:
    address = address.partition("](")[0].rstrip(".,;:!")
    while address.endswith((")", "]", "}")) and address.count(address[-1]) > address.count(
        {")": "(", "]": "[", "}": "{"}[address[-1]]
    ):
        address = address[:-1]
    return address


def _unwrapped(text: str) -> Iterator[Address]:
    """The address, and those that are wrapped in it."""
    waiting = [text]
    for _ in range(_MAX_WRAPPERS):
        parsed = [one for one in map(_parsed, waiting) if one]
        yield from parsed
        waiting = [inner for one in parsed for inner in _inner(one)]


def _parsed(text: str) -> Address | None:
    """The parts of an address; none where `urlsplit` refuses it, as it does an open bracket."""
    text = text if re.match(_SCHEME, text, re.IGNORECASE) else f"https://{text}"
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return None
    values = _values(parts.query)
    values.update(_values(parts.fragment.rpartition("?")[2]))
    return Address(text=text, host=host.lower(), path=parts.path, values=values)


def _values(query: str) -> dict[str, str]:
    """The first value of each parameter; of the first parameters, if somebody pasted something else."""
    query = "&".join(query.replace(";", "%3B").split("&")[:_MAX_FIELDS])
    return {name.lower(): values[0] for name, values in parse_qs(query, keep_blank_values=False).items()}


def _inner(one: Address) -> Iterator[str]:
    """The addresses in an address: of Safe Links, of Proofpoint, and of other programs that pass one on."""
    if one.host.startswith("urldefense.") and (v3 := re.search(r"/v3/__(.+?)__;", one.text)):
        yield v3[1]
    if one.host.startswith("urldefense.") and "/v2/" in one.path and (v2 := one.values.get("u")):
        yield unquote(v2.replace("-", "%").replace("_", "/"))
    for name, value in one.values.items():
        if name not in _NOT_FOLLOWED and re.match("https?://", value, re.IGNORECASE):
            yield value


def described(address: Address) -> str:
    """What the address says about an error, decoded as often as it was encoded."""
    text = address.values.get("error_description", "")
    for _ in range(2):
        if not re.search(r"%[0-9A-Fa-f]{2}", text):
            break
        text = unquote(text.replace("+", " "))
    return text
