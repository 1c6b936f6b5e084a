"""The mistakes in an address of the sign-in page that Entra refuses, whatever the tenant's settings are.

Sources: Microsoft identity platform, "OAuth 2.0 authorization code flow" (v2.0 and v1.0), and RFC 6749, sections 3.1 to
3.3. If the documentation says nothing, a comment names the report that shows what Entra answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from auditor.consent.requested_scopes import is_openid, resource_named
from auditor.facts.ids import (
    FALSE_SEPARATORS,
    MICROSOFT_GRAPH,
    NO_ID,
    is_guid,
    is_redacted_tenant,
    known_resource_names,
)
from auditor.model.rule import App, RequestFault


def escaped(item: str) -> str:
    """A scope whose control characters are written as in Entra's messages: ``user.read%0a`` (fluent-smtp issue 154)."""
    return "".join(sign if sign.isprintable() and not sign.isspace() else quote(sign) for sign in item)


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


def scope_fault(item: str) -> RequestFault | None:
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


def v2_faults(query: dict[str, str], app: App) -> Iterator[RequestFault]:
    """What the v2.0 endpoint requires (`scope`, which may not be empty) and doesn't take (`resource`).

    AADSTS900144 "must contain the following parameter: 'scope'" for ``scope=``: n8n issue 33881. AADSTS901002 "The
    'resource' request parameter is not supported": vscode issue 254009, django-auth-adfs issue 198. Since March 2026
    also AADSTS9010010 "doesn't match with the requested scopes": powerbi-modeling-mcp issue 68; azure-devops-mcp issue
    1601 has an address with the resource of its scopes that works.
    """
    if "scope" in query and not query["scope"].strip(" "):
        is_last = list(query)[-1] == "scope"
        caveat = "the address ends where its scopes would be, so it may be copied only in part" if is_last else ""
        because = "the app sends scope without a value, and Entra requires one"
        yield RequestFault(code="AADSTS900144", because=because, caveat=caveat)
    if resource := query.get("resource", "").strip():
        named = resource_named(resource)
        asked = {*app.default_resources, *(need.resource for need in app.scopes if not is_openid(need))}
        differs = bool(asked) and named not in asked and all(map(is_guid, (named, *asked)))
        yield RequestFault(
            code="AADSTS901002 or AADSTS9010010" if differs else "AADSTS901002",
            because=f"the app sends the parameter resource ({escaped(resource)}), which only the v1.0 endpoint takes",
            caveat="" if differs else "reports since 2026 say that Entra takes the resource to which the scopes belong",
        )


_PROMPTS = ("login", "none", "consent", "select_account", "create")
"""What the v2.0 endpoint takes, one at a time ("Prompt behavior with MSAL.js"; "OAuth 2.0 authorization code flow")."""
_PROMPTS_V1 = (*_PROMPTS, "admin_consent")


def prompt_faults(values: list[str], is_v1: bool) -> Iterator[RequestFault]:
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
        because = f"the app sends prompt={escaped(values[0])}, which Entra doesn't know"
        yield RequestFault(code="AADSTS90023", because=because, caveat=caveat)


OF_ANY_TENANT = ("common", "organizations")
_OF_PERSONAL_ACCOUNTS = ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad")
"""The tenant of personal Microsoft accounts, by name and by id ("Access tokens", the claim `iss`)."""
_LABEL = r"[^\W_]+(?:-+[^\W_]+)*"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[^\W\d_]){_LABEL}")
"""A domain name that a tenant can have verified, also one with letters of other languages."""


def tenant_faults(tenant: str) -> Iterator[RequestFault]:
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
            because=f"the tenant in the address, {escaped(tenant)}, is neither a tenant ID nor a domain name",
            caveat=caveat if _is_tenant(meant) or re.fullmatch("[0-9a-f]{32}", meant, re.IGNORECASE) else "",
        )


def _is_tenant(text: str) -> bool:
    """Whether Entra takes the text as a tenant; there may be none with this id or domain."""
    known_names = (*OF_ANY_TENANT, *_OF_PERSONAL_ACCOUNTS)
    named = text.lower() in known_names or is_guid(text) or is_redacted_tenant(text)
    return named or (len(text) < 256 and _DOMAIN.fullmatch(text) is not None)


_PARAMETERS = frozenset(
    {
        *("client_id", "response_type", "redirect_uri", "scope", "response_mode", "state", "nonce", "prompt"),
        *("login_hint", "domain_hint", "code_challenge", "code_challenge_method", "resource", "claims"),
    }
)
"""What the documentation of the authorization endpoints names."""


def repeated_faults(names: list[str], page: str) -> Iterator[RequestFault]:
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
                f"the address has the parameter {escaped(name[:30])} {len(written)} times, and Entra takes it once"
            )
            yield RequestFault(code="AADSTS9000411", because=because, caveat=caveat)


def redirect_faults(redirect_uri: str) -> Iterator[RequestFault]:
    """AADSTS90102 "'redirect_uri' value must be a valid absolute URI": MicrosoftDocs/azure-docs issue 61707."""
    if redirect_uri and not re.match(r"[a-z][a-z0-9+.-]*:", redirect_uri, re.IGNORECASE):
        encoded = " (it is encoded twice)" if re.match(r"[a-z]+%3a", redirect_uri, re.IGNORECASE) else ""
        because = f"the redirect URI {escaped(redirect_uri)} is not an absolute address{encoded}"
        yield RequestFault(code="AADSTS90102", because=because)


def response_faults(query: dict[str, str], app: App) -> Iterator[RequestFault]:
    """An access token is for one resource, so the implicit flow can't ask for two (MSAL.js issue 523, AADSTS700022).

    With the authorization code flow it can: "this parameter can cover multiple resources".
    """
    resources = dict.fromkeys((*app.default_resources, *(n.resource for n in app.scopes if not is_openid(n))))
    if "token" in query.get("response_type", "").lower().split() and len(resources) > 1:
        because = "the app asks for an access token at once, which can't be for more than one resource"
        caveat = "Microsoft doesn't document that the implicit flow is limited to one resource"
        yield RequestFault(code="AADSTS700022 or AADSTS28000", because=because, caveat=caveat)
