"""The conditions on single texts of a pack (ids, addresses, placeholders): each says why a text is invalid."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlsplit

from auditor.checks.kind import Invalid, alternatives
from auditor.checks.permission_lists import GUID_FORM
from auditor.checks.typo_suggestions import nearest
from auditor.facts.ids import app_categories, is_guid
from auditor.model.decision import ROUTES
from auditor.model.rule import PLACEHOLDERS
from auditor.model.sections import Sections

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RULE_ID = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_AUTHORITY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_BRACES = re.compile(r"\{([^{}]*)\}")


def guid(text: str) -> Invalid | None:
    """An app or tenant id."""
    return None if is_guid(text) else Invalid(f'"{text}" isn\'t a GUID', GUID_FORM)


def pack_name(text: str) -> Invalid | None:
    """The name of a pack, which is also the name of its file."""
    if _NAME.fullmatch(text) and len(text) <= 64:
        return None
    return Invalid(
        f'"{text}" isn\'t a valid pack name', "lowercase letters, digits and single hyphens, as in trackerrms-uk"
    )


def rule_id(text: str) -> Invalid | None:
    """The id of a rule."""
    if _RULE_ID.fullmatch(text) and len(text) <= 64:
        return None
    return Invalid(
        f'"{text}" isn\'t a valid rule id', "letters and digits, joined by hyphens or dots, as in VENDOR-CONNECT"
    )


def one_line(text: str) -> Invalid | None:
    """A title."""
    return Invalid("has more than one line", "a single line") if "\n" in text else None


def web_address(text: str) -> Invalid | None:
    """An address that a reader opens."""
    return None if _is_url(text, ("https", "http")) else Invalid(f'"{text}" isn\'t a web address', "https://…")


def redirect_uri(text: str) -> Invalid | None:
    """An address to which the sign-in page may redirect the user."""
    local = _is_url(text, ("http",)) and urlsplit(text).hostname in ("localhost", "127.0.0.1")
    if (_is_url(text, ("https",)) or local or _is_of_an_installed_app(text)) and not re.search(r"[#*\s]", text):
        return None
    return Invalid(
        f'"{text}" isn\'t a redirect URI', "https://… without # or *, http://localhost, or an app's own scheme"
    )


def _is_of_an_installed_app(text: str) -> bool:
    """Whether the address has a mobile or desktop app's own scheme, as in ``msauth.com.example://auth``."""
    scheme, colon, rest = text.partition(":")
    own = re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme, re.IGNORECASE) and not nearest(scheme.lower(), ("http", "https"))
    return bool(own and colon and rest.strip("/")) and scheme.lower() not in ("javascript", "data", "file")


def authority(text: str) -> Invalid | None:
    """The tenants whose users the app signs in."""
    if _AUTHORITY.fullmatch(text):
        return None
    return Invalid(
        f'"{text}" isn\'t an authority', "organizations, common, a tenant id or a domain name, without https://"
    )


def route(text: str) -> Invalid | None:
    """A route: a kind of fix that reports offer."""
    return None if text in ROUTES else Invalid(f'"{text}" isn\'t a route', alternatives(ROUTES), nearest(text, ROUTES))


def section(text: str) -> Invalid | None:
    """A section of a snapshot, or ``section/part``."""
    name, known = text.partition("/")[0], Sections.__struct_fields__
    return None if name in known else Invalid(f'"{name}" isn\'t a section', alternatives(known), nearest(name, known))


def category(text: str) -> Invalid | None:
    """The category under which a list shows an app."""
    known = app_categories()
    return None if text in known else Invalid(f'"{text}" isn\'t a category', alternatives(known), nearest(text, known))


def variant_name(text: str) -> Invalid | None:
    """The name of an app's variant, which follows the pack's name and a slash."""
    if _NAME.fullmatch(text) and len(text) <= 40:
        return None
    return Invalid(f'"{text}" isn\'t a name of a variant', "lowercase letters, digits and single hyphens, as in imap")


def day(text: str) -> Invalid | None:
    """A date."""
    wrong = Invalid(f'"{text}" isn\'t a date', "a date such as 2026-11-22")
    try:
        return None if date.fromisoformat(text).isoformat() == text else wrong
    except ValueError:
        return wrong


def partner_id(text: str) -> Invalid | None:
    """The id of a verified publisher in the Microsoft AI Cloud Partner Program."""
    return None if text.isascii() and text.isdigit() else Invalid(f"\"{text}\" isn't a publisher's id", "digits only")


def filled(text: str) -> Invalid | None:
    """A text with placeholders."""
    for name in _BRACES.findall(text):
        if name not in PLACEHOLDERS:
            near = nearest(name, PLACEHOLDERS)
            known = alternatives(f"{{{known}}}" for known in PLACEHOLDERS)
            return Invalid(f"has the unknown placeholder {{{name}}}", known, f"{{{near}}}" if near else "")
    if "{" in (rest := _BRACES.sub("", text)) or "}" in rest:
        return Invalid("has a brace without a matching one")
    return None


def link(text: str) -> Invalid | None:
    """The address of a fix: a placeholder, or a web address that may contain some."""
    if wrong := filled(text):
        return wrong
    if text.startswith(("{admin-consent-link}", "{registered-consent-link}", "{portal}")):
        return None
    if web_address(_BRACES.sub("x", text)) is None:
        return None
    return Invalid(f'"{text}" isn\'t a web address', "https://… or {admin-consent-link}")


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        port_is_sane = (parts.port or 0) >= 0
        is_web = parts.scheme in schemes and bool(parts.hostname)
        return is_web and port_is_sane and not re.search(r"[\s\\]", text)
    except ValueError:
        return False
