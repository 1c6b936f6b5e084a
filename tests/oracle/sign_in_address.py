"""A second reading of sign-in addresses, made from the documentation and the reports alone, without `urllib`.

It reads what a browser or a mail makes of an address, and says what Entra refuses in it. The rules: the query is
form-encoded; scopes are separated by spaces and by nothing else (RFC 6749, section 3.3); a scope is a name of
Microsoft Graph, ADDRESS/NAME or APP-ID/NAME; ``.default`` goes with the scopes of a sign-in only, and is for one
resource; no parameter is there twice; `prompt` has one value; the tenant is an id, a domain or a name for several; the
v1.0 endpoint takes `resource` and no scopes, and the v2.0 endpoint scopes and no `resource`; at /consumers nobody of a
tenant signs in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
NAMES = {
    "https://graph.microsoft.com": GRAPH,
    "https://graph.microsoft.us": GRAPH,
    "https://outlook.office.com": EXCHANGE,
    "https://outlook.office365.com": EXCHANGE,
    "https://outlook.com": EXCHANGE,
    "https://ps.outlook.com": EXCHANGE,
    "https://management.azure.com": MANAGEMENT,
    "https://management.core.windows.net": MANAGEMENT,
    "https://vault.azure.net": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "https://graph.windows.net": "00000002-0000-0000-c000-000000000000",
    "https://api.spaces.skype.com": "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
    "https://analysis.windows.net/powerbi/api": "00000009-0000-0000-c000-000000000000",
    "https://contoso.sharepoint.com": "00000003-0000-0ff1-ce00-000000000000",
}
SIGN_IN = ("openid", "profile", "email", "offline_access")
APP_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
HOST = re.compile(
    r"(login\.(microsoft(online)?\.com|microsoftonline\.us|partner\.microsoftonline\.cn|windows\.net)|sts\.windows\.net)/",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """What an address asks for: pairs of resource and scope, and the codes with which Entra refuses it as it is."""

    client: str
    tenant: str = ""
    scopes: tuple[tuple[str, str], ...] = ()
    defaults: tuple[str, ...] = ()
    prompt: str = ""
    redirect: str = ""
    refused: tuple[str, ...] = ()


def read(text: str) -> Reading:
    """The reading of a pasted text that holds an address."""
    address = find(text)
    path, _, query = address.partition("?")
    tenant, _, page = path.strip("/").partition("/")
    tenant = decoded(tenant, plus=False)
    asked = parameters(query)
    scopes, defaults, refused = wanted(page, asked)
    on_v2 = page == "oauth2/v2.0/authorize"
    prompts = asked.get("prompt", "").casefold().split() if page.endswith("authorize") else []
    redirect = re.sub(r"\s", "", asked.get("redirect_uri", ""))
    return Reading(
        client=asked["client_id"].casefold(),
        tenant="" if tenant in ("common", "organizations", "consumers") or bad_tenant(tenant) else tenant,
        scopes=scopes,
        defaults=defaults,
        prompt=prompts[0] if len(prompts) == 1 else "",
        redirect=redirect,
        refused=(
            *([""] if tenant == "consumers" else []),
            *bad_tenant(tenant),
            *("AADSTS9000411" for _ in repeated(query)),
            *(["AADSTS90102"] if redirect and ":" not in redirect else []),
            *(
                refused_on_v2(asked, (*defaults, *(one for one, name in scopes if not signs_in(one, name))))
                if on_v2
                else ()
            ),
            *refused_prompt(page, prompts),
            *refused,
        ),
    )


def bad_tenant(tenant: str) -> list[str]:
    """The code for a tenant that is neither a name for several tenants, nor an id, nor a domain."""
    if tenant in ("common", "organizations", "consumers") or APP_ID.fullmatch(tenant):
        return ["AADSTS90002"] if set(tenant) == {"0", "-"} else []
    parts = tenant.split(".")
    words = all(part and part.replace("-", "").isalnum() and part[0] != "-" != part[-1] for part in parts)
    if words and len(parts) == 1:
        return ["AADSTS900023 or AADSTS90002"]
    return [] if words and parts[-1][0].isalpha() else ["AADSTS900023"]


def find(text: str) -> str:
    """The part of the text after the sign-in host, on one line."""
    while "&amp;" in text:
        text = text.replace("&amp;", "&")
    rows = [row.strip(" \t>") for row in text.splitlines()]
    start = next((at for at, row in enumerate(rows) if re.search(r"https|\.(com|us|cn|net)/", row, re.IGNORECASE)), 0)
    tail = [re.sub(r"^\D*(?=https)", "", row) if at == 0 else row for at, row in enumerate(rows[start:])]
    starts = [at for at, row in enumerate(tail) if at and re.match("https://[^ ]*[?&]client_id=", row)]
    tail = tail[: starts[0]] if starts else tail
    text = (" " if any(" " in row for row in tail) else "").join(tail)
    text = re.split(r"\s*<https|\s+(?=https://\S*[?&]client_id=)", text)[0]
    while "safelinks.protection.outlook.com" in text[: _sign_in_at(text)]:
        text = decoded(text[text.index("url=") + 4 :].partition("&")[0], plus=False)
    if re.match(r"\W*https%3a", text, re.IGNORECASE):
        text = decoded(text, plus=False)
    return text[_sign_in_at(text) :].partition("](")[0].rstrip("<>\"'`)].,; \u201d")


def _sign_in_at(text: str) -> int:
    found = HOST.search(text)
    return found.end() if found else len(text)


def decoded(text: str, *, plus: bool) -> str:
    """The text of a form-encoded value; a plus sign is a space only there."""
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] == "%" and re.fullmatch(r"[0-9a-fA-F]{2}", text[at + 1 : at + 3]):
            out.append(int(text[at + 1 : at + 3], 16))
            at += 3
            continue
        out.extend(b" " if plus and text[at] == "+" else text[at].encode())
        at += 1
    return out.decode()


def parameters(query: str) -> dict[str, str]:
    """The first value of each parameter that has one."""
    found: dict[str, str] = {}
    for name, value in pairs(query):
        found[name] = found.get(name) or value
    return found


def repeated(query: str) -> set[str]:
    """The parameters that are in the query more than once."""
    names = [name for name, _ in pairs(query)]
    return {name for name in names if names.count(name) > 1}


def pairs(query: str) -> list[tuple[str, str]]:
    """Names and values in their order."""
    parts = [part.partition("=") for part in query.partition("#")[0].split("&") if part]
    return [(decoded(name, plus=True).casefold(), decoded(value, plus=True)) for name, _, value in parts]


def wanted(page: str, asked: dict[str, str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], list[str]]:
    """Scopes, resources of which the registered permissions are wanted, and codes of refusals."""
    if page.endswith("adminconsent") and "v2.0" not in page:
        return (), (), []
    if "v2.0" not in page:
        resource = asked.get("resource", "").strip()
        return (), ((resource_of(resource),) if resource else ()), []
    scopes: dict[tuple[str, str], tuple[str, str]] = {}
    refused: list[str] = []
    for item in dict.fromkeys(asked.get("scope", "").split(" ")):
        if not item:
            continue
        one = "".join(f"%{ord(sign):02X}" if sign < " " else sign for sign in item)
        alone, *joined = re.split("%0[ADad]", one, maxsplit=1)
        for sign in ("%(?:20|2[FfCc]|3[Aa])", "%[0-9a-fA-F]{2}", ",", ";", "[+]", "[|]"):
            if not joined:
                alone, *joined = re.split(sign, one, maxsplit=1)
        prefix, name = alone.rsplit("/", 1) if "/" in alone else ("", alone)
        plain = "/" not in alone
        if not plain and not (name and (APP_ID.fullmatch(prefix) or re.match("[a-z]+://[^/]", prefix, re.IGNORECASE))):
            refused.append("AADSTS70011")
            continue
        resource = GRAPH if plain else resource_of(prefix)
        if joined and (resource in NAMES.values() or "://" in joined[0]):
            refused.append("AADSTS650053 or AADSTS70011")
            continue
        if joined:
            prefix, name = one.rsplit("/", 1)
            resource = resource_of(prefix)
        scopes.setdefault((resource, name.casefold()), (resource, name))
    defaults = tuple(resource for resource, name in scopes if name == ".default")
    named = tuple(pair for (_, name), pair in scopes.items() if name != ".default")
    if not defaults:
        return named, (), refused
    mixed = tuple(pair for pair in named if not signs_in(*pair))
    return mixed, defaults, [*refused, *(["AADSTS70011"] if mixed or len(defaults) > 1 else [])]


def signs_in(resource: str, name: str) -> bool:
    """Whether a scope is one of OpenID Connect's."""
    return resource == GRAPH and name.casefold() in SIGN_IN


def refused_on_v2(asked: dict[str, str], resources: tuple[str, ...]) -> list[str]:
    """The codes for an empty scope and for a resource; `resources` are those of the scopes."""
    refused = ["AADSTS900144"] if not asked.get("scope", "x").strip(" ") else []
    if resource := asked.get("resource", "").strip():
        ids = (resource_of(resource), *resources)
        is_other = len(ids) > 1 and ids[0] not in ids[1:] and all(map(APP_ID.fullmatch, ids))
        refused.append("AADSTS901002 or AADSTS9010010" if is_other else "AADSTS901002")
    return refused


def resource_of(text: str) -> str:
    """The app id of a resource; its name, where only tenants know it."""
    name = text.rstrip("/")
    bare = name.removeprefix("api://")
    return bare.casefold() if APP_ID.fullmatch(bare) else NAMES.get(name.casefold(), name)


def refused_prompt(page: str, values: list[str]) -> list[str]:
    """The code for a `prompt` that Entra doesn't take."""
    known = ["login", "none", "consent", "select_account", "create"]
    if not values:
        return []
    if values == ["admin_consent"]:
        return ["AADSTS90023 or AADSTS901001"] if "v2.0" in page else []
    return ["AADSTS90023"] if len(values) > 1 or values[0] not in known else []
