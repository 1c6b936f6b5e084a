"""The page on which an administrator consents to an app for a whole tenant. It has no buttons: opening it accepts.

Source: Microsoft identity platform, "Admin consent" (v2-admin-consent) and "Grant tenant-wide admin consent".
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode

from .answer import Answer
from .clients import Client, Refused
from .entra import ANY_TENANT, Entra

_SESSION = "ESTSAUTH"
_TYPE = "text/html; charset=utf-8"


class _Session(NamedTuple):
    """Who is signed in to the browser."""

    tenant_id: str
    is_admin: bool


def session_cookie(tenant_id: str, *, is_admin: bool = True) -> str:
    """The Cookie header of a browser in which somebody of the tenant is signed in."""
    return f"{_SESSION}={'admin' if is_admin else 'user'}@{tenant_id}"


def is_consent_page(method: str, path: str) -> bool:
    """Whether a request to the token side is for the page."""
    return method == "GET" and path.strip("/").partition("/")[2] in ("adminconsent", "v2.0/adminconsent")


def consent_page(entra: Entra, path: str, query: Mapping[str, str], cookie: str) -> Answer:
    """The answer to an administrator who opens the link and accepts: back to the app, or a page with the error."""
    authority, _, rest = path.strip("/").partition("/")
    session = _session(cookie)
    if session is None:
        return _page(200, "Sign in to your account")
    try:
        return _accepted(entra, authority, rest.startswith("v2.0"), query, session)
    except Refused as refused:
        return _page(refused.status, f"{refused}")


def _accepted(entra: Entra, authority: str, is_v2: bool, query: Mapping[str, str], session: _Session) -> Answer:
    tenant_id = session.tenant_id if authority in ANY_TENANT else entra.tenant_id(authority)
    client = entra.client(query)
    place = _redirect(client, query.get("redirect_uri", ""))
    scope = query.get("scope", "")
    if is_v2 and not scope:
        raise Refused(400, "invalid_request", 900144, "The request must contain the following parameter: 'scope'.")
    if session.tenant_id != tenant_id:
        raise Refused(400, "invalid_request", 50020, f"User account does not exist in tenant '{tenant_id}'.")
    if not session.is_admin:
        raise Refused(400, "access_denied", 90094, "An administrator must consent to this app.")
    # Scopes that are named are delegated permissions; only all that the app requests includes its roles.
    client.consented(tenant_id, to_roles=not is_v2 or scope.endswith("/.default"))
    given = {"admin_consent": "True", "tenant": tenant_id, **({"scope": scope} if is_v2 else {})}
    kept = {name: query[name] for name in ("state",) if name in query}
    return Answer(302, b"", headers={"Location": f"{place}?{urlencode({**given, **kept})}"}, content_type=_TYPE)


def _redirect(client: Client, asked: str) -> str:
    if asked and asked not in client.redirect_uris:
        raise Refused(400, "invalid_request", 50011, f"The redirect URI '{asked}' is not one of the application's.")
    return asked or client.redirect_uris[0]


def _session(cookie: str) -> _Session | None:
    found = SimpleCookie(cookie).get(_SESSION)
    who, _, tenant_id = (found.value if found else "").partition("@")
    return _Session(tenant_id, who == "admin") if tenant_id else None


def _page(status: int, text: str) -> Answer:
    page = f"<!doctype html><title>Sign in to your account</title><p>{html.escape(text)}</p>"
    return Answer(status, page.encode(), content_type=_TYPE)
