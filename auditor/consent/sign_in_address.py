"""The request behind an address of Microsoft's sign-in page, as people paste it, with the mistakes that Entra refuses.

Sources: Microsoft identity platform, "OAuth 2.0 authorization code flow" (v2.0 and v1.0), "OpenID Connect", "Admin
consent" and "Scopes and permissions"; RFC 6749, sections 3.3 and 3.1.2 (scopes are separated by spaces, a redirect URI
is absolute). If the documentation says nothing, a comment names the report that shows what Entra answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qs, parse_qsl, quote, unquote, urlsplit

import msgspec

from auditor.consent.consent_request import (
    RequestError,
    client_id_of,
    is_openid,
    requesting,
    resource_named,
    unique_needs,
    with_known_facts,
)
from auditor.facts.ids import (
    CLOUDS,
    FALSE_SEPARATORS,
    MICROSOFT_GRAPH,
    NO_ID,
    is_guid,
    is_redacted_tenant,
    known_resource_names,
)
from auditor.model.rule import App, RequestFault, RequestMode

_OTHER_HOSTS = ("login.microsoft.com", "login.windows.net", "sts.windows.net", "login.chinacloudapi.cn")
_OTHER_HOSTS_OF_GOVERNMENTS = ("login-us.microsoftonline.com", "login.usgovcloudapi.net")
SIGN_IN_HOSTS = frozenset(
    {*(urlsplit(cloud.authority).netloc for cloud in CLOUDS.values()), *_OTHER_HOSTS, *_OTHER_HOSTS_OF_GOVERNMENTS}
)
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
    faults = tuple(_tenant_faults(tenant))
    names_one = not faults and tenant.lower() not in _OF_ANY_TENANT
    faults = (*faults, *_repeated_faults([name for name, _ in parameters], page))
    known = recognize(client_id, redirect_uri)
    app = _asked(client_id, page.lower().rstrip("/"), query, known)
    app = msgspec.structs.replace(
        app,
        redirect_uris=(redirect_uri,) if redirect_uri else (),
        faults=(*faults, *_redirect_faults(redirect_uri), *app.faults),
    )
    return Request(app=_described(app, known), tenant=tenant if names_one else "")


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
    text = on_one_line(text.partition("](")[0]).strip(_AROUND)
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
        return _by_scopes(client_id, query, known)
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
        faults=(*_prompt_faults(prompt, is_v1), *app.faults, *_response_faults(query, app)),
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
        if known is None:
            raise RequestError(_NO_SCOPE)
        return _as_in_pack(App(client_id=client_id), known)
    items = list(dict.fromkeys(_escaped(item) for item in asked.split(" ") if item))
    faults = tuple(fault for item in items if (fault := _scope_fault(item)))
    needs = unique_needs(_split(item) for item in items if not _scope_fault(item))
    app = requesting(client_id, needs, faults)
    if app.mode.is_static and not app.scopes and known:
        return msgspec.structs.replace(app, scopes=known.scopes)
    return app


def _escaped(item: str) -> str:
    """A scope whose control characters are written as in Entra's messages: ``user.read%0a`` (fluent-smtp issue 154)."""
    return "".join(sign if sign.isprintable() and not sign.isspace() else quote(sign) for sign in item)


def _split(item: str) -> tuple[str, str]:
    """Resource and name of one scope."""
    prefix, slash, name = item.rpartition("/")
    return (resource_named(prefix), name) if slash else (MICROSOFT_GRAPH, item)


_SEPARATORS = (
    (re.compile(r"%0[ad]", re.IGNORECASE), "line breaks"),
    (re.compile(r"%(20|2f|3a|2c)", re.IGNORECASE), "characters that are encoded twice"),
    (re.compile(r"%[0-9a-f]{2}", re.IGNORECASE), "control characters"),
    # An unencoded plus sign in an address is a space.
    *(
        (re.compile(re.escape(sign)), f"{name} that are encoded as %2B" if sign == "+" else name)
        for sign, name in FALSE_SEPARATORS.items()
    ),
)
"""Signs that other providers take as separators, or that encode one."""


def _scope_fault(item: str) -> RequestFault | None:
    """Why Entra refuses a scope as it is written.

    It must be a name, an address with a name, or an app id with a name; else AADSTS70011 "The scope format is invalid"
    (DataverseDevTools issue 84). Several that are joined are one that doesn't exist: lowcoder issue 915 and
    omniauth-office365 issue 1 (commas), fluent-smtp issue 154 (line feeds). An API of a vendor's may have any name.
    """
    first = next((sign.split(item, maxsplit=1)[0] for sign, _ in _SEPARATORS if sign.search(item)), item)
    prefix, slash, name = first.rpartition("/")
    well_formed = name and (is_guid(prefix) or re.match(r"[a-z][a-z0-9+.-]*://[^/]", prefix, re.IGNORECASE))
    if slash and not well_formed:
        what = "names a resource without https:// or api://" if name else "names a resource but no scope"
        return RequestFault(code="AADSTS70011", because=f"the app asks for {item}, which {what}")
    resource = resource_named(prefix) if slash else MICROSOFT_GRAPH
    if first == item or (resource not in known_resource_names() and "://" not in item[len(first) :]):
        return None
    between = next(word for sign, word in _SEPARATORS if sign.search(item))
    return RequestFault(
        code="AADSTS650053 or AADSTS70011",
        because=f"the app separates its scopes with {between}, so Entra takes {item} as one scope, and there is none",
    )


# ---- What Entra refuses ---------------------------------------------------------------------------------------------

_PROMPTS = ("login", "none", "consent", "select_account", "create")
"""What the v2.0 endpoint takes, one at a time ("Prompt behavior with MSAL.js"; "OAuth 2.0 authorization code flow")."""
_PROMPTS_V1 = (*_PROMPTS, "admin_consent")


def _prompt_faults(values: list[str], is_v1: bool) -> Iterator[RequestFault]:
    """A value of `prompt` that Entra doesn't take.

    AADSTS90023 "Unsupported 'prompt' value": opencloud-eu/desktop issue 871 (two values), keycloak issue 15092 (an
    unknown one). AADSTS901001 for admin_consent on v2.0: passport-azure-ad issue 524; 90023 in its issue 331.
    """
    caveat = "the reports of this error are about the v2.0 endpoint" if is_v1 else ""
    if len(values) > 1:
        shown = " ".join(values)
        because = f"the app sends prompt={shown}, and Entra takes a single value"
        yield RequestFault(code="AADSTS90023", because=because, caveat=caveat)
    elif values == ["admin_consent"] and not is_v1:
        because = "the app sends prompt=admin_consent, which only the older v1.0 endpoint knows"
        yield RequestFault(code="AADSTS90023 or AADSTS901001", because=because)
    elif values and values[0] not in (_PROMPTS_V1 if is_v1 else _PROMPTS):
        because = f"the app sends prompt={_escaped(values[0])}, which Entra doesn't know"
        yield RequestFault(code="AADSTS90023", because=because, caveat=caveat)


_OF_ANY_TENANT = ("common", "organizations")
_OF_PERSONAL_ACCOUNTS = ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad")
"""The tenant of personal Microsoft accounts, by name and by id ("Access tokens", the claim `iss`)."""
_LABEL = r"[^\W_]+(?:-+[^\W_]+)*"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[^\W\d_]){_LABEL}")
"""A domain name that a tenant can have verified, also one with letters of other languages."""


def _tenant_faults(tenant: str) -> Iterator[RequestFault]:
    """A tenant in the address that no account of a tenant can sign in to.

    It is ``common``, ``organizations``, ``consumers``, an id or a domain ("OAuth 2.0 authorization code flow", tenant).
    ``consumers``: "only users with personal Microsoft accounts". AADSTS900023 "neither a valid DNS name, nor a valid
    external domain": microsoft-graph-docs issue 13158 ({{tenantid}}), caddy-dns/azure issue 3 (an id that lacks a
    digit). One word has either code: Analysis-Services issue 194 (900023), azure-keyvault-emulator issue 324 (90002).
    AADSTS90002 "may not be an empty GUID": billing-dotnet-usage-api issue 7.
    """
    if tenant.lower() in _OF_PERSONAL_ACCOUNTS:
        because = f"the app signs in at /{tenant}, which takes personal Microsoft accounts only"
        yield RequestFault(code="", because=because)
    elif tenant == NO_ID:
        because = "the address names the tenant with an ID of zeros only, which no tenant has"
        yield RequestFault(code="AADSTS90002", because=because)
    elif not _is_tenant(tenant):
        # Nobody documents whether Entra takes an id in braces, or ignores a space after it.
        meant = re.sub(r"^[\s{(]+|[\s)}.]+$", "", tenant)
        caveat = "Microsoft doesn't document in which spellings Entra takes a tenant"
        yield RequestFault(
            code="AADSTS900023 or AADSTS90002" if re.fullmatch(_LABEL, tenant) else "AADSTS900023",
            because=f"the tenant in the address, {_escaped(tenant)}, is neither a tenant ID nor a domain name",
            caveat=caveat if _is_tenant(meant) or re.fullmatch("[0-9a-f]{32}", meant, re.IGNORECASE) else "",
        )


def _is_tenant(text: str) -> bool:
    """Whether Entra takes the text as a tenant; there may be none with this id or domain."""
    known_names = (*_OF_ANY_TENANT, *_OF_PERSONAL_ACCOUNTS)
    named = text.lower() in known_names or is_guid(text) or is_redacted_tenant(text)
    return named or (len(text) < 256 and _DOMAIN.fullmatch(text) is not None)


_PARAMETERS = frozenset(
    {
        *("client_id", "response_type", "redirect_uri", "scope", "response_mode", "state", "nonce", "prompt"),
        *("login_hint", "domain_hint", "code_challenge", "code_challenge_method", "resource", "claims"),
    }
)
"""What the documentation of the authorization endpoints names."""


def _repeated_faults(names: list[str], page: str) -> Iterator[RequestFault]:
    """A parameter "MUST NOT be included more than once" (RFC 6749, section 3.1), whatever its values are.

    AADSTS9000411 "The parameter 'scope' is duplicated": eikek/sharry issue 1270; 'login_hint':
    microsoft-authentication-library-for-android issue 688.
    """
    spellings: dict[str, list[str]] = {}
    for name in filter(None, names):
        spellings.setdefault(name.lower(), []).append(name)
    for name, written in spellings.items():
        if len(written) > 1:
            is_documented = name in _PARAMETERS and page.lower().rstrip("/").endswith("authorize")
            caveat = (
                "" if is_documented and len(set(written)) == 1 else "the reports of this error are about other cases"
            )
            because = (
                f"the address has the parameter {_escaped(name[:30])} {len(written)} times, and Entra takes it once"
            )
            yield RequestFault(code="AADSTS9000411", because=because, caveat=caveat)


def _redirect_faults(redirect_uri: str) -> Iterator[RequestFault]:
    """AADSTS90102 "'redirect_uri' value must be a valid absolute URI": MicrosoftDocs/azure-docs issue 61707."""
    if redirect_uri and not re.match(r"[a-z][a-z0-9+.-]*:", redirect_uri, re.IGNORECASE):
        encoded = " (it is encoded twice)" if re.match(r"[a-z]+%3a", redirect_uri, re.IGNORECASE) else ""
        because = f"the redirect URI {_escaped(redirect_uri)} is not an absolute address{encoded}"
        yield RequestFault(code="AADSTS90102", because=because)


def _response_faults(query: dict[str, str], app: App) -> Iterator[RequestFault]:
    """An access token is for one resource, so the implicit flow can't ask for two (MSAL.js issue 523, AADSTS700022).

    With the authorization code flow it can: "this parameter can cover multiple resources".
    """
    resources = dict.fromkeys((*app.default_resources, *(n.resource for n in app.scopes if not is_openid(n))))
    if "token" in query.get("response_type", "").lower().split() and len(resources) > 1:
        because = "the app asks for an access token at once, which can't be for more than one resource"
        caveat = "Microsoft doesn't document that the implicit flow is limited to one resource"
        yield RequestFault(code="AADSTS700022 or AADSTS28000", because=because, caveat=caveat)
