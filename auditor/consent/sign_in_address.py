"""The request behind an address of Microsoft's sign-in page, as people paste it, with the mistakes that Entra refuses.

Sources: Microsoft identity platform, "OAuth 2.0 authorization code flow" (v2.0 and v1.0), "OpenID Connect", "Admin
consent" and "Scopes and permissions"; RFC 6749, sections 3.3 and 3.1.2 (scopes are separated by spaces, a redirect URI
is absolute). If the documentation says nothing, a comment names the report that shows what Entra answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlsplit

import msgspec

from auditor.consent.address_faults import (
    OF_ANY_TENANT,
    escaped,
    prompt_faults,
    redirect_faults,
    repeated_faults,
    response_faults,
    scope_fault,
    tenant_faults,
    v2_faults,
)
from auditor.consent.requested_scopes import (
    RequestError,
    client_id_of,
    requesting,
    resource_named,
    unique_needs,
    with_known_facts,
)
from auditor.facts.ids import CLOUDS, MICROSOFT_GRAPH
from auditor.model.rule import App, RequestMode

_OTHER_HOSTS = {
    "global": ("login.microsoft.com", "login.windows.net", "sts.windows.net"),
    "us-gov": ("login-us.microsoftonline.com", "login.usgovcloudapi.net"),
    "us-gov-dod": ("login-us.microsoftonline.com", "login.usgovcloudapi.net"),
    "china": ("login.chinacloudapi.cn",),
}
"""More hosts of each cloud."""
_HOSTS_OF_CLOUDS = {
    name: (urlsplit(cloud.authority).netloc, *_OTHER_HOSTS.get(name, ())) for name, cloud in CLOUDS.items()
}
SIGN_IN_HOSTS = frozenset(host for hosts in _HOSTS_OF_CLOUDS.values() for host in hosts)
"""The hosts that MSAL knows as names of the clouds' sign-in pages (its built-in metadata of instance discovery)."""
_WANTED = "paste the address of the page that asks for consent, starting with https://login.microsoftonline.com/"
_REFUSAL = f"that is not an address of Microsoft's sign-in page: {_WANTED}"
SECRETS = frozenset(
    {
        *("code", "id_token", "access_token", "refresh_token", "client_secret", "client_assertion", "assertion"),
        *("password", "device_code", "code_verifier", "samlresponse", "id_token_hint"),
    }
)
"""The parameters whose values sign somebody in. They are never taken from a text."""
TOKEN = re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?")
"""A token of a sign-in, as JSON Web Token (RFC 7519)."""
_NO_SCOPE = "the address names no scope: copy it whole, from https:// to its end"

Recognize = Callable[[str, str], App | None]
"""The app with this client id or this redirect URI that a pack describes, if any."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request read from text. `tenant` is what the address names: an id, a domain, or nothing."""

    app: App
    tenant: str = ""


def _nobody(_: str, __: str) -> None:
    """No pack knows the app."""


def request_from_url(text: str, recognize: Recognize = _nobody) -> Request:
    """The request behind an authorize or adminconsent address, as copied from a browser, a mail or a ticket.

    What these do to an address is undone: line breaks, quotes, HTML escapes, Safe Links and a missing ``https://``.
    If the address names no scopes, they are those of the app that `recognize` finds. Raises RequestError for
    anything else than a consent address of Microsoft's.
    """
    address = _address_in(text)
    parameters = parse_qsl(address.query, keep_blank_values=True)
    query: dict[str, str] = {}
    for name, value in parameters:
        query[name.lower()] = query.get(name.lower()) or value
    if not query.get("client_id", "").strip():
        raise RequestError(f"the address has no client_id: {_WANTED}")
    if token := next((name for name in ("client_id", "scope", "resource") if TOKEN.search(query.get(name, ""))), ""):
        raise RequestError(f"the address has a token as its {token}: {_WANTED}")
    client_id = client_id_of(query["client_id"])
    redirect_uri = _without_secrets("".join(query.get("redirect_uri", "").split()))
    segment, _, page = address.path.strip("/").partition("/")
    tenant = unquote(segment)
    faults = tuple(tenant_faults(tenant))
    names_one = not faults and tenant.lower() not in OF_ANY_TENANT
    faults = (*faults, *repeated_faults([name for name, _ in parameters], page))
    known = recognize(client_id, redirect_uri)
    app = _asked(client_id, page.lower().rstrip("/"), query, known)
    app = msgspec.structs.replace(
        app,
        redirect_uris=(redirect_uri,) if redirect_uri else (),
        faults=(*faults, *redirect_faults(redirect_uri), *app.faults),
        clouds=tuple(name for name, hosts in _HOSTS_OF_CLOUDS.items() if address.hostname in hosts),
    )
    app = _described(app, known)
    if page.lower().rstrip("/").endswith("authorize"):
        # How the app signs in here, which may not be how its pack says that it usually does.
        app = msgspec.structs.replace(app, authority=tenant.lower() if tenant.lower() in OF_ANY_TENANT else "")
    return Request(app=app, tenant=tenant if names_one else "")


def _without_secrets(uri: str) -> str:
    """The redirect URI without the code or the token of an answer, which somebody left in it."""
    names = "|".join(SECRETS)
    return TOKEN.sub("", re.sub(rf"(?<=[?&#])(?:{names})=[^&#]*&?", "", uri, flags=re.IGNORECASE)).rstrip("?&#")


def _described(app: App, known: App | None) -> App:
    """The app with what a pack says about it; of another client id, the pack's facts on its publisher don't count."""
    if known is None:
        from auditor.facts.app_names import published_name

        return msgspec.structs.replace(app, name=published_name(app.client_id))
    return with_known_facts(app, known)


# ---- The address in a pasted text -----------------------------------------------------------------------------------

_MAX_WRAPPERS = 5
"""How often an address may be wrapped: each forwarding of a mail can add another Safe Link."""
_ENTITY = re.compile(r"&(amp|lt|gt|quot|#39|#x27|#38|#x26);", re.IGNORECASE)
_ENTITIES = {"amp": "&", "#38": "&", "#x26": "&", "lt": "<", "gt": ">", "quot": '"', "#39": "'", "#x27": "'"}
_START = re.compile(
    rf"https?(://|%3a%2f%2f)|({'|'.join(map(re.escape, sorted(SIGN_IN_HOSTS)))}|[\w.-]+\.safelinks\.[\w.-]+)/",
    re.IGNORECASE,
)
_ANOTHER = re.compile(rf"\]\(|<\s*(?={_START.pattern})|\s(?=https?://[^/\s]+/[^?\s]*\?\S*client_id=)", re.IGNORECASE)
"""Where an address is followed by another one: as in Markdown, in a mail that became plain text, or in a list."""
_AROUND = " \t\r\n<>\"'`()[]{}|.,;\u201c\u201d\u2018\u2019\u00ab\u00bb"
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""For `str.translate`: the characters that can't be seen and that are in many copied texts."""


def _address_in(text: str) -> SplitResult:
    """The address of the sign-in page in a pasted text. Raises RequestError if there is none."""
    for candidate in _unwrapped(_cleaned(text)):
        if candidate.hostname in SIGN_IN_HOSTS:
            return candidate
    raise RequestError(_REFUSAL)


def _unwrapped(text: str) -> Iterator[SplitResult]:
    """The address, and those that are a parameter of it, as in Safe Links (``…safelinks.protection.outlook.com``)."""
    found = [text]
    for _ in range(_MAX_WRAPPERS):
        addresses = [_parsed(one) for one in found]
        yield from addresses
        values = (value for one in addresses for values in parse_qs(one.query).values() for value in values)
        found = [value for value in values if re.match("https?://", value, re.IGNORECASE)]


def _cleaned(text: str) -> str:
    """The pasted text from the start of its address, without what a mail or a ticket added."""
    text = text.translate(INVISIBLE).replace("\u00a0", " ")
    while _ENTITY.search(text):
        text = _ENTITY.sub(lambda entity: _ENTITIES[entity[1].lower()], text)
    text = without_quoted_printable(text)
    start = _START.search(text)
    text = text[start.start() :] if start else text
    text = on_one_line(_ANOTHER.split(text, maxsplit=1)[0]).strip(_AROUND)
    if start and (start[1] or "").startswith("%"):
        text = unquote(text)
    return text if "://" in text.partition("?")[0] else f"https://{text}"


def on_one_line(text: str) -> str:
    """The text without line breaks, and without the marks of a quoted mail in front of each line.

    An address that is shown decoded has spaces between its scopes, and is broken at these.
    """
    lines = [line.strip(" \t>|") for line in text.splitlines()]
    return (" " if any(" " in line for line in lines) else "").join(lines)


def without_quoted_printable(text: str) -> str:
    """The text of a mail's source, where every ``=`` is written as ``=3D`` and ``=`` ends a line that goes on."""
    joined = re.sub(r"=[ \t]*\r?\n", "", text)
    signs = re.findall(r"=(..)", joined)
    if "3D" not in signs or any(not re.fullmatch(r"[0-9A-F]{2}", sign) for sign in signs):
        return text
    return re.sub(r"(?:=[0-9A-F]{2})+", lambda run: _bytes_of(run[0]).decode("utf-8", "replace"), joined)


def _bytes_of(run: str) -> bytes:
    return bytes.fromhex(run.replace("=", ""))


def _parsed(address: str) -> SplitResult:
    """The parts of an address. Raises RequestError where `urlsplit` refuses it, as it does an open bracket."""
    try:
        parsed = urlsplit(address)
        _ = parsed.hostname
    except ValueError as error:
        raise RequestError(_REFUSAL) from error
    return parsed


# ---- What the address asks for --------------------------------------------------------------------------------------


def _asked(client_id: str, page: str, query: dict[str, str], known: App | None) -> App:
    """How the page asks, and for which scopes. Raises RequestError for a page that doesn't ask for consent."""
    if page == "v2.0/adminconsent":
        # Nobody reports what this page answers to an empty scope, or to a resource.
        scope = query.get("scope", "").strip()
        return _by_scopes(client_id, {"scope": scope} if scope else {}, known)
    if page == "adminconsent":
        # The link for administrators. How users sign in is another address, which only a pack can know.
        asked = App(client_id=client_id, mode=RequestMode.REGISTERED)
        return asked if known is None else _as_in_pack(asked, known)
    if page not in ("oauth2/authorize", "oauth2/v2.0/authorize"):
        raise RequestError(f"…/{page} is not a page that asks for consent: {_WANTED}")
    is_v1 = page == "oauth2/authorize"
    app = _by_resource(client_id, query, known) if is_v1 else _by_scopes(client_id, query, known)
    prompt = query.get("prompt", "").lower().split()
    return msgspec.structs.replace(
        app,
        prompt=prompt[0] if len(prompt) == 1 else "",
        prompt_consent=prompt == ["consent"],
        sends_no_redirect_uri=not query.get("redirect_uri", "").strip(),
        faults=(
            *(() if is_v1 else v2_faults(query, app)),
            *prompt_faults(prompt, is_v1),
            *app.faults,
            *response_faults(query, app),
        ),
    )


def _as_in_pack(app: App, known: App) -> App:
    return msgspec.structs.replace(
        app, mode=known.mode, scopes=known.scopes, prompt_consent=known.prompt_consent, prompt=known.prompt
    )


def _by_resource(client_id: str, query: dict[str, str], known: App | None) -> App:
    """The v1.0 endpoint: the registered permissions, like ``.default`` of its `resource` ("Scopes and permissions")."""
    resource = query.get("resource", "").strip()
    return App(
        client_id=client_id,
        mode=RequestMode.REGISTERED,
        default_resources=(resource_named(resource),) if resource else (),
        scopes=known.scopes if known else (),
    )


def _by_scopes(client_id: str, query: dict[str, str], known: App | None) -> App:
    """The v2.0 endpoint: the scopes that it names, or the pack's where it names none or only ``.default``."""
    asked = query.get("scope", "").strip(" ")
    if not asked:
        # Without the parameter, the address may be cut off before it, unless it shows another mistake.
        if known is None and "scope" not in query and not query.get("resource", "").strip():
            raise RequestError(_NO_SCOPE)
        app = App(client_id=client_id)
        return app if known is None else _as_in_pack(app, known)
    items = list(dict.fromkeys(escaped(item) for item in asked.split(" ") if item))
    faults = tuple(fault for item in items if (fault := scope_fault(item)))
    needs = unique_needs(_split(item) for item in items if not scope_fault(item))
    app = requesting(client_id, needs, faults)
    if app.mode.is_static and not app.scopes and known:
        return msgspec.structs.replace(app, scopes=known.scopes)
    return app


def _split(item: str) -> tuple[str, str]:
    """Resource and name of one scope."""
    prefix, slash, name = item.rpartition("/")
    return (resource_named(prefix), name) if slash else (MICROSOFT_GRAPH, item)
