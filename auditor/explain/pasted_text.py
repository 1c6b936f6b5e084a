"""The codes in a pasted text, and what the text says about the sign-in: from pages, messages, logs and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from auditor.consent.sign_in_address import SECRETS, TOKEN
from auditor.explain.addresses import Address, addresses_in, described, plain
from auditor.explain.messages import ids_in, said_in, time_in
from auditor.facts.ids import is_guid
from auditor.facts.sign_in_codes import error_names, label_words, screens, sign_in_codes
from auditor.model.explanation import TextFacts, TextKind

MAX_LENGTH = 200_000
"""The characters of a text that are read; an error is in the first of them."""


class FoundCode(msgspec.Struct, frozen=True):
    """A code of the text, by its number or, for an error without a number, by its name.

    `inferred` says that the text has only the words of the page that belongs to it, or the name of the error.
    """

    code: str
    inferred: bool = False


class PastedText(msgspec.Struct, frozen=True, kw_only=True):
    """A text that was understood. `request` is the authorize or admin consent address in it, if there is one."""

    codes: tuple[FoundCode, ...]
    facts: TextFacts
    request: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the text says anything about a sign-in."""
        kind, ids = self.facts.kind, self.facts.correlation_ids
        return not (self.codes or self.request or ids or kind is TextKind.CONNECTED)


def parse(text: str) -> PastedText:
    """What is in the text. Never fails: a text that says nothing about a sign-in is empty."""
    text = _with_repaired_codes(plain(text[:MAX_LENGTH]))
    addresses = addresses_in(text)
    body = "\n".join((_without_parameters(text, addresses), *filter(None, map(described, addresses))))
    codes = _codes(text, body, addresses)
    request = next((one for one in addresses if one.is_request), None)
    kind = _kind(text, codes, addresses)
    errors = tuple(dict.fromkeys(_error_names(body, addresses)))
    if not codes:
        codes = _inferred(body, errors)
    return PastedText(
        codes=codes, facts=_facts(text, body, addresses, kind, errors), request=request.text if request else ""
    )


def _without_parameters(text: str, addresses: Iterable[Address]) -> str:
    """The text without the parameters of its addresses, which are read by their names."""
    for address in sorted((one.text for one in addresses), key=len, reverse=True):
        text = text.replace(address, re.split("[?#]", address)[0])
    return re.sub(r"(\w://?/?[^\s?#]+)[?#]\S*", r"\1", text)


# ---- Codes ----------------------------------------------------------------------------------------------------------

_AADSTS = re.compile(
    r"\b(?:AA[DO][S5]?TS{1,2}|ADS?TS{1,2}|AADST)[\s:_#.*\\–-]{0,3}(?:(?:error|code)\W{0,3}){0,2}(\d{4,8})(?!\d)",
    re.IGNORECASE,
)
"""The prefix in any letter case, with a typo or two, and with what people put between it and the number."""
_MISREAD = re.compile(
    r"\b(AA[DO][S5]?TS{1,2}[\s:_#.–-]{0,3})((?:[\dOoQIl|SsB]\s{0,2}){4,7}[\dOoQIl|SsB])(?!\w)", re.IGNORECASE
)
"""A code with letters in place of digits, as text recognition reads a screenshot, or broken by a line or by spaces."""
_DIGITS = str.maketrans("OoQIil|SsBb", "00011115588")
_LIST = re.compile(r"error_codes[\"']?\s{0,3}[:=]\s{0,3}\[([\d,\s]{1,200})\]")
_MSAL_JS = re.compile(r"\b[a-z_]{5,40}: (?:Error\(s\): )?((?:\d{5,8}(?:, ?)?){1,5}) - ")
"""``invalid_client: 700016 - [2026-11-22 10:33:11Z]: AADSTS700016: …``, and an older form with a list."""
_BARE = re.compile(r"(?:(?:error|code|fehler|aadsts|number|no\.?|#)?[\s:#,;.-]*\d{4,8}[\s,;.:]*){1,20}", re.IGNORECASE)


def _with_repaired_codes(text: str) -> str:
    """The text with the known codes that a screenshot or a line break made unreadable."""
    return _MISREAD.sub(_repaired, text)


def _repaired(found: re.Match[str]) -> str:
    known, pieces = sign_in_codes(), found[2].split()
    if pieces[0] in known:
        return found[0]
    for end in range(len(pieces), 0, -1):
        if (code := "".join(pieces[:end]).translate(_DIGITS)) in known:
            return " ".join((f"AADSTS{code}", *pieces[end:]))
    return found[0]


def _is_bare(text: str) -> bool:
    """Whether the text is nothing but numbers of codes."""
    text = " ".join(text.split())
    return len(text) <= 200 and _BARE.fullmatch(text) is not None


@cache
def _labelled() -> re.Pattern[str]:
    """A number after "error code", in several languages."""
    labels = "|".join(map(re.escape, label_words("error_code")))
    return re.compile(rf"(?:{labels})s?[\"']?[\s:=#\[(]{{0,6}}[\"']?(\d{{5,8}})(?![\d-])", re.IGNORECASE)


def _codes(text: str, body: str, addresses: Iterable[Address]) -> tuple[FoundCode, ...]:
    """Every code that the text names, in the order of the text, each once."""
    pages = [one.explained_code for one in addresses if one.is_error_page]
    if not pages and _is_bare(text):
        return tuple(FoundCode(code) for code in dict.fromkeys(re.findall(r"\d{4,8}", text)))
    places: dict[str, int] = {}
    for pattern in (_AADSTS, _labelled(), _LIST, _MSAL_JS):
        for match in pattern.finditer(body):
            for number in re.finditer(r"\d{4,8}", match[1]):
                places.setdefault(number[0], match.start() + number.start())
    named = sorted(places, key=lambda code: places[code])
    errors = [code for one in addresses for code in re.findall(r"\d{5,8}", one.values.get("error_codes", ""))]
    found = tuple(dict.fromkeys((*named, *errors, *pages)))
    return tuple(map(FoundCode, found or _known_numbers(body)))


def _known_numbers(body: str) -> tuple[str, ...]:
    """Numbers of a text without any code, such as "we get 90094 since Monday", that are codes about consent."""
    known, other = sign_in_codes(), _other_number()
    found = re.finditer(r"(?<![\w.,:/€$£-])\d{5,8}(?![\w:/€-]|[.,]\d)", body)
    numbers = dict.fromkeys(one[0] for one in found if not _is_counted(body, one, other))
    return tuple(number for number in numbers if number in known and known[number].logged)


def _is_counted(body: str, found: re.Match[str], other: tuple[re.Pattern[str], re.Pattern[str]]) -> bool:
    """Whether the number is one of a phone, an invoice or the like, or counts or prices something."""
    before, after = other
    return bool(before.search(body[max(0, found.start() - 30) : found.start()]) or after.match(body, found.end()))


@cache
def _other_number() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is before and after a number that isn't a code: a word for what it is, or the rest of a phone number."""
    named, counted = ("|".join(map(re.escape, label_words(kind))) for kind in ("other_number", "counted"))
    group = r"(?<![\w:./-])\+?\(?\d{1,4}\)?[ \t/]{1,3}"
    return (
        re.compile(
            rf"(?:\b(?:{named})\W{{0,4}}(?:(?:no|nr|number|id)\b\W{{0,3}})?|{group}|[€$£][ \t]?)$", re.IGNORECASE
        ),
        re.compile(rf"[ \t]{{1,3}}(?:\d{{2,4}}(?!\w|[:.-]\d)|(?:{counted})\b|[€$£])", re.IGNORECASE),
    )


def _inferred(body: str, errors: Iterable[str]) -> tuple[FoundCode, ...]:
    """The codes that the words of a page, or else the names of errors, mean."""
    words = " ".join(body.lower().replace("\u2019", "'").replace("\u2018", "'").split())
    risky = "may be risky" in words
    for screen in screens():
        if screen.phrase in words:
            code = {"90094": "900941", "90095": "900981"}.get(screen.code, screen.code) if risky else screen.code
            return (FoundCode(code, inferred=True),)
    return tuple(FoundCode(name, inferred=True) for name in errors)


_NAMED = re.compile(
    r"(?:^|[\s\"'{,&?(])(?:error|error_?code|suberror|error_subcode)[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z_]{5,40})\b",
    re.IGNORECASE,
)


def _error_names(body: str, addresses: Iterable[Address]) -> Iterator[str]:
    """The names of errors without a number: of the address, and of the text."""
    known = {name.lower(): name for name in error_names()}
    for one in addresses:
        for key in ("error", "error_subcode", "suberror"):
            if name := known.get(one.values.get(key, "").lower()):
                yield name
    for found in _NAMED.finditer(body):
        if name := known.get(found[1].lower()):
            yield name
    for word in re.findall(r"[A-Za-z_]{5,40}", body):
        if word in known.values() and ("_" in word or not word.islower()):
            yield word


# ---- What the text says ---------------------------------------------------------------------------------------------


def _kind(text: str, codes: tuple[FoundCode, ...], addresses: tuple[Address, ...]) -> TextKind:
    callbacks = [one for one in addresses if one.is_callback]
    if any("error" in one.values or "error_description" in one.values for one in callbacks):
        return TextKind.CALLBACK
    if any(one.is_request for one in addresses) and not codes:
        return TextKind.SIGN_IN_ADDRESS
    if callbacks and not codes:
        denied = any(one.values.get("admin_consent", "").lower() == "false" for one in callbacks)
        return TextKind.CALLBACK if denied else TextKind.CONNECTED
    if any(one.is_error_page for one in addresses):
        return TextKind.ERROR_ADDRESS
    return TextKind.CODE if codes and _is_bare(text) else TextKind.TEXT


def _facts(text: str, body: str, addresses: tuple[Address, ...], kind: TextKind, errors: tuple[str, ...]) -> TextFacts:
    said = said_in(body)
    ids = [*ids_in(body)]

    def first(kind: str) -> str:
        return next((value for one, value in ids if one == kind), "")

    def parameter(*names: str) -> str:
        return next((one.values[name] for one in addresses for name in names if one.values.get(name)), "")

    client_id = said.get("client_id", "") or first("client_id") or parameter("client_id", "clientid", "appid")
    correlated = [value for one, value in ids if one == "correlation"]
    scopes = said.get("scope", "") or (parameter("scope") if kind is TextKind.CONNECTED else "")
    user = said.get("user", "") or parameter("login_hint")
    tenant = said.get("tenant", "") or first("tenant") or parameter("tenant")
    return TextFacts(
        kind=kind,
        errors=errors,
        app_name=_safe(said.get("app_name", "")),
        client_id=client_id.lower() if is_guid(client_id) else "",
        resource=_safe(said.get("resource", "")),
        scopes=tuple(dict.fromkeys(filter(None, map(_safe, scopes.split()))))[:50],
        user=_safe(user) if "@" in user or is_guid(user) else "",
        tenant=_safe(tenant),
        redirect_uri=_safe(re.split("[?#]", said.get("redirect_uri", "") or _sent_back_to(addresses))[0]),
        correlation_ids=tuple(dict.fromkeys(correlated)),
        trace_id=first("trace") or first("request"),
        at=time_in(body),
        has_secret=_has_secret(text, addresses),
    )


def _sent_back_to(addresses: Iterable[Address]) -> str:
    """The redirect URI of an app: the address to which Entra sent the user."""
    return next((one.text for one in addresses if one.is_callback and not one.is_sign_in), "")


_SECRET_VALUE = re.compile(
    r"(?:access_token|refresh_token|id_token|client_secret|client_assertion|\bassertion|\bpassword)[\"']?\s{0,3}[:=]\s{0,3}[\"']?[\w.~+/-]{16,}"
)
_LIKE_A_SECRET = re.compile(r"[A-Za-z0-9_~+=-]{41,}")


def _has_secret(text: str, addresses: Iterable[Address]) -> bool:
    named = any(SECRETS & one.values.keys() for one in addresses if not one.is_error_page)
    return named or TOKEN.search(text) is not None or _SECRET_VALUE.search(text) is not None


def _safe(text: str) -> str:
    """A name that was read from the text, for output: short, on one line, and nothing that can be a secret."""
    text = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())[:200]
    return "" if _LIKE_A_SECRET.search(text) or TOKEN.search(text) else text


def similar_codes(code: str) -> tuple[str, ...]:
    """The known codes that a mistyped one may mean: at most three, the most alike first."""
    from difflib import get_close_matches

    return tuple(get_close_matches(code, sign_in_codes(), n=3, cutoff=0.8))
