"""Requests for consent: read from scope strings and pasted addresses, and the links that grant them.

Sources: Microsoft identity platform, "Scopes and permissions" (a scope without a resource means Microsoft Graph),
"OAuth 2.0 authorization code flow" and "Admin consent" (v2.0 endpoint); Entra, "Grant tenant-wide admin consent" (the
older endpoint, which grants what the app's registration lists).
"""

from __future__ import annotations

import html
import re
from urllib.parse import SplitResult, parse_qs, quote, urlencode, urlsplit

import msgspec

from auditor.facts.clouds import CLOUDS
from auditor.facts.ids import (
    DATAVERSE,
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    POWER_APPS,
    POWER_AUTOMATE,
    POWER_BI,
    SHAREPOINT_ONLINE,
)
from auditor.model.errors import AuditorError
from auditor.model.rule import App, RequestMode, ScopeNeed
from auditor.model.snapshot import Snapshot

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_OUTLOOK_HOSTS = frozenset({"outlook.office.com"} | {cloud.exchange for cloud in CLOUDS.values()})
_OTHER_HOSTS = (
    (re.compile(r"analysis\.windows\.net"), POWER_BI),
    (re.compile(r"[a-z0-9-]+\.sharepoint\.com"), SHAREPOINT_ONLINE),
    (re.compile(r"[a-z0-9-]+(\.api)?\.crm[0-9]*\.dynamics\.com"), DATAVERSE),
    (re.compile(r"service\.powerapps\.com"), POWER_APPS),
    (re.compile(r"service\.flow\.microsoft\.com"), POWER_AUTOMATE),
)
"""Addresses by which scopes name Microsoft's other resources; some are the tenant's own."""
_GRAPH_HOSTS = tuple(urlsplit(cloud.graph).netloc for cloud in CLOUDS.values())
_SIGN_IN_HOSTS = frozenset(
    {*(urlsplit(cloud.authority).netloc for cloud in CLOUDS.values()), "login.windows.net", "login.chinacloudapi.cn"}
)
DEFAULT = ".default"


class RequestError(AuditorError):
    """What was pasted cannot be understood; the message says what to give instead."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request read from text. `tenant` is what the address names: an id, a domain, or nothing."""

    app: App
    tenant: str = ""


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID in its usual form."""
    return _GUID.fullmatch(text) is not None


def scope_needs(text: str) -> tuple[ScopeNeed, ...]:
    """The scopes of a request string, once each; ``.default`` is kept as a scope of its resource.

    Raises RequestError for an empty string, a malformed scope, and for ``.default`` together with other scopes of
    the same resource, which Entra refuses with AADSTS70011.
    """
    found: dict[tuple[str, str], ScopeNeed] = {}
    for item in text.replace(",", " ").split():
        resource, value = _split(item)
        found.setdefault((resource, value.lower()), ScopeNeed(resource=resource, value=value))
    if not found:
        raise RequestError('no scope was given: name the scopes the app asks for, such as "Mail.Read Mail.Send"')
    for resource, value in found:
        others = [v for r, v in found if r == resource and v != DEFAULT]
        if value == DEFAULT and others:
            raise RequestError(
                ".default cannot be combined with other scopes of the same resource (Entra answers AADSTS70011):"
                " give either .default or the scopes"
            )
    return tuple(found.values())


def refuse_unnamed_resources(app: App) -> None:
    """Raise RequestError for a scope of a resource that has no app id here: its own tenants alone know its address."""
    for need in app.scopes:
        if not is_guid(need.resource):
            raise RequestError(
                f"{need.resource} is not known by name: give the scope as APP-ID/{need.value}, with the app id of the"
                " resource from Enterprise apps > Application type: All applications"
            )


def _split(item: str) -> tuple[str, str]:
    """Resource (app id, or identifier URI where that is not known) and scope name of one scope."""
    prefix, slash, value = item.rpartition("/")
    if not slash:
        return MICROSOFT_GRAPH, item
    if not value:
        raise RequestError(f"{item!r} names a resource but no scope: add the scope after the last slash")
    host = _parsed(prefix if "//" in prefix else f"//{prefix}", f"{item!r} is not a scope").netloc.lower()
    if host in _GRAPH_HOSTS:
        return MICROSOFT_GRAPH, value
    if host in _OUTLOOK_HOSTS:
        return EXCHANGE_ONLINE, value
    for pattern, resource in _OTHER_HOSTS:
        if pattern.fullmatch(host):
            return resource, value
    bare = prefix.removeprefix("api://")
    return (bare.lower() if is_guid(bare) else prefix.rstrip("/")), value


def _parsed(address: str, refusal: str) -> SplitResult:
    """The parts of an address. Raises RequestError where `urlsplit` refuses it, as it does an open bracket."""
    try:
        return urlsplit(address)
    except ValueError as error:
        raise RequestError(refusal) from error


def app_from_scopes(client_id: str, scopes: str, *, name: str = "", redirect_uri: str = "") -> App:
    """The app of ``--app`` and ``--scopes``. Raises RequestError, as `scope_needs` does."""
    client = client_id.strip().strip("{}").lower()
    if not is_guid(client):
        raise RequestError(
            f"{client_id!r} is not a client id: it looks like 5353a3d2-8ca9-42d2-b567-ea399ccb5e38 and"
            " follows client_id= in the address of the consent page"
        )
    needs = scope_needs(scopes) if scopes else ()
    static = any(need.value == DEFAULT for need in needs)
    return App(
        client_id=client,
        name=name,
        redirect_uris=(redirect_uri,) if redirect_uri else (),
        mode=RequestMode.DEFAULT if static else RequestMode.DYNAMIC,
        scopes=tuple(need for need in needs if need.value != DEFAULT),
    )


def request_from_url(text: str) -> Request:
    """The request behind an authorize or adminconsent address, as copied from a browser or a ticket.

    Line breaks, angle brackets and HTML escapes that a mail or a ticket adds are taken off. Raises
    RequestError for anything else than a consent address of Microsoft's.
    """
    wanted = "paste the address of the page that asks for consent, starting with https://login.microsoftonline.com/"
    refusal = f"that is not an address of Microsoft's sign-in page: {wanted}"
    address = _parsed(html.unescape("".join(text.split()).strip("<>\"'`")), refusal)
    if address.hostname not in _SIGN_IN_HOSTS:
        raise RequestError(refusal)
    query = {key.lower(): values[0].strip() for key, values in parse_qs(address.query).items()}
    if "client_id" not in query:
        raise RequestError(f"the address has no client_id: {wanted}")
    tenant, _, rest = address.path.strip("/").partition("/")
    mode, scopes = _asked(address, rest, query, wanted)
    app = app_from_scopes(query["client_id"], scopes, redirect_uri=query.get("redirect_uri", ""))
    static = app.mode is RequestMode.DEFAULT or mode is RequestMode.REGISTERED
    app = msgspec.structs.replace(
        app,
        mode=app.mode if app.mode is RequestMode.DEFAULT else mode if static else RequestMode.DYNAMIC,
        prompt_consent="consent" in query.get("prompt", "").lower().split(),
    )
    generic = tenant.lower() in ("common", "organizations", "consumers")
    return Request(app=app, tenant="" if generic else tenant)


def _asked(address: SplitResult, path: str, query: dict[str, str], wanted: str) -> tuple[RequestMode, str]:
    """How the address asks, and the scopes that it names."""
    match path.lower().rstrip("/"):
        case "oauth2/v2.0/authorize" | "v2.0/adminconsent":
            if not query.get("scope"):
                raise RequestError("the address names no scope: copy it whole, from https:// to its end")
            return RequestMode.DYNAMIC, query["scope"]
        case "oauth2/authorize" | "adminconsent":
            return RequestMode.REGISTERED, ""
        case other:
            raise RequestError(f"{address.hostname}/…/{other} is not a page that asks for consent: {wanted}")


OPEN_TENANT = "organizations"
"""Means "the tenant of whoever signs in", for a tenant whose id is not known."""


def admin_consent_link(snapshot: Snapshot, app: App) -> str:
    """The address at which an administrator of this tenant grants what the app's registration lists."""
    cloud = CLOUDS.get(snapshot.cloud, CLOUDS["global"])
    tenant = quote(snapshot.tenant.id or OPEN_TENANT, safe="")
    query = {"client_id": app.client_id}
    if app.redirect_uris:
        query["redirect_uri"] = app.redirect_uris[0]
    return f"{cloud.authority}/{tenant}/adminconsent?{urlencode(query, quote_via=quote, safe=':/')}"


def portal_address(snapshot: Snapshot) -> str:
    """The admin center of the snapshot's cloud."""
    return CLOUDS.get(snapshot.cloud, CLOUDS["global"]).portal
