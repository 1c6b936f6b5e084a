"""Addresses as people paste them: the engine reads them as the documentation says, and as a second reader does."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.consent.requested_scopes import RequestError
from auditor.consent.sign_in_address import request_from_url
from auditor.model.rule import App, RequestMode, ScopeNeed
from tests.oracle.sign_in_address import EXCHANGE, GRAPH, MANAGEMENT, Reading, read

CLIENT = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
OWN_API = "07c030f6-5743-41b7-ba00-0a6e85f37c17"
HOST = "https://login.microsoftonline.com"
V2 = f"{HOST}/common/oauth2/v2.0/authorize?client_id={CLIENT}&response_type=code"
V1 = f"{HOST}/contoso.com/oauth2/authorize?client_id={CLIENT}&response_type=code"
PLAIN = f"{V2}&scope=User.Read%20Mail.Read"
BOTH = ((GRAPH, "User.Read"), (GRAPH, "Mail.Read"))
READ = Reading(CLIENT, scopes=BOTH)
WORD = "AADSTS900023 or AADSTS90002"
"""Entra answers either about a tenant of one word."""


def as_reading(text: str) -> Reading:
    """What the engine reads, in the shape of the second reader."""
    request = request_from_url(text)
    app = request.app
    return Reading(
        client=app.client_id,
        tenant=request.tenant,
        scopes=tuple((need.resource, need.value) for need in app.scopes),
        defaults=app.default_resources,
        prompt=app.prompt,
        redirect="".join(app.redirect_uris),
        refused=tuple(fault.code for fault in app.faults),
    )


def safe_link(address: str, region: str = "eur01") -> str:
    """The address as Safe Links wraps it."""
    return f"https://{region}.safelinks.protection.outlook.com/?url={quote(address, safe='')}&data=05%7C02&reserved=0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # How people paste an address.
        pytest.param(PLAIN, READ, id="as it is"),
        pytest.param(PLAIN.removeprefix("https://"), READ, id="without https"),
        pytest.param(PLAIN.removeprefix("https:"), READ, id="without its scheme"),
        pytest.param(PLAIN.replace("https://", "HTTPS://").replace("login.micro", "Login.Micro"), READ, id="capitals"),
        pytest.param(f"  {PLAIN}\n", READ, id="in white space"),
        pytest.param(f"<{PLAIN}>", READ, id="in angle brackets"),
        pytest.param(f'"{PLAIN}"', READ, id="in quotes"),
        pytest.param(f"\u201c{PLAIN}\u201d", READ, id="in typographic quotes"),
        pytest.param(f"({PLAIN}).", READ, id="in a sentence"),
        pytest.param(f"The link is: {PLAIN}", READ, id="after words"),
        pytest.param(f"[consent]({PLAIN})", READ, id="a Markdown link"),
        pytest.param(f"[{PLAIN}]({PLAIN})", READ, id="a Markdown link that shows its address"),
        pytest.param(f"{PLAIN} <{PLAIN}>", READ, id="in a mail that became plain text"),
        pytest.param(f"{PLAIN}<{PLAIN}>", READ, id="in such a mail without a space"),
        pytest.param(f"{PLAIN} <{safe_link(PLAIN)}>", READ, id="in such a mail with a Safe Link"),
        pytest.param(f"{PLAIN} {PLAIN}", READ, id="twice"),
        pytest.param(f"{PLAIN}\n{PLAIN}", READ, id="twice, on two lines"),
        pytest.param(PLAIN.replace("&", "&amp;"), READ, id="with HTML escapes"),
        pytest.param(PLAIN.replace("&", "&amp;amp;"), READ, id="escaped twice"),
        pytest.param(f"{PLAIN[:60]}\n{PLAIN[60:120]}\r\n   {PLAIN[120:]}", READ, id="on three lines"),
        pytest.param(f"> {PLAIN[:70]}\n> {PLAIN[70:]}", READ, id="in a quoted mail"),
        pytest.param(PLAIN.replace("%20", " "), READ, id="decoded by the browser"),
        pytest.param(
            f"{V2}&scope=User.Read Mail.Read\nopenid",
            Reading(CLIENT, scopes=(*BOTH, (GRAPH, "openid"))),
            id="decoded and broken at a space",
        ),
        pytest.param(quote(PLAIN, safe=""), READ, id="encoded as a whole"),
        pytest.param(safe_link(PLAIN), READ, id="a Safe Link"),
        pytest.param(safe_link(safe_link(PLAIN), "nam12"), READ, id="a Safe Link in a Safe Link"),
        pytest.param(safe_link(PLAIN).replace("&", "&amp;"), READ, id="a Safe Link with HTML escapes"),
        pytest.param(f"<{safe_link(PLAIN)[:90]}\n{safe_link(PLAIN)[90:]}>", READ, id="a Safe Link on two lines"),
        # Where it leads.
        pytest.param(PLAIN.replace("/common/", "/organizations/"), READ, id="organizations"),
        pytest.param(PLAIN.replace("/common/", f"/{OWN_API}/"), Reading(CLIENT, OWN_API, BOTH), id="a tenant id"),
        pytest.param(PLAIN.replace("microsoftonline.com", "microsoftonline.us"), READ, id="US Government"),
        pytest.param(PLAIN.replace("login.microsoftonline.com", "login.microsoft.com"), READ, id="another host"),
        pytest.param(PLAIN.replace("login.microsoftonline.com", "sts.windows.net"), READ, id="the host of tokens"),
        pytest.param(
            PLAIN.replace("/common/", "/consumers/"), Reading(CLIENT, scopes=BOTH, refused=("",)), id="consumers"
        ),
        pytest.param(
            PLAIN.replace("login.microsoftonline.com", "login.partner.microsoftonline.cn"), READ, id="21Vianet"
        ),
        *(
            pytest.param(PLAIN.replace("/common/", f"/{tenant}/"), Reading(CLIENT, said, BOTH), id=f"tenant {tenant}")
            for tenant, said in (
                ("contoso.com", "contoso.com"),
                ("CONTOSO.onmicrosoft.com", "CONTOSO.onmicrosoft.com"),
                ("contoso-talent.co.uk", "contoso-talent.co.uk"),
                ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
                ("m%C3%BCnchen.example", "m\u00fcnchen.example"),
            )
        ),
        *(
            pytest.param(
                PLAIN.replace("/common/", f"/{tenant}/"),
                Reading(CLIENT, scopes=BOTH, refused=(code,)),
                id=f"tenant {tenant}",
            )
            for tenant, code in (
                # What a program left in the place of the tenant.
                *((word, WORD) for word in ("undefined", "null", "None", "contosotalent", "tenant", "authorize")),
                *((word, "AADSTS900023") for word in ("YOUR_TENANT_ID", "%7Btenant%7D", "{tenant}", "{{tenantid}}")),
                *((word, "AADSTS900023") for word in ("%3Ctenant%3E", "$TENANT_ID", "%25TENANT%25", ":tenant")),
                *((word, "AADSTS900023") for word in ("{tenant}.onmicrosoft.com", "[tenant]", "tenant_id.example")),
                # What somebody mistyped.
                (OWN_API[:-1], WORD),
                ("Contoso%20Talent", "AADSTS900023"),
                ("me@contoso.com", "AADSTS900023"),
                ("contoso..com", "AADSTS900023"),
                ("10.0.0.1", "AADSTS900023"),
                ("00000000-0000-0000-0000-000000000000", "AADSTS90002"),
                (f"%7B{OWN_API}%7D", "AADSTS900023"),
                ("organizations%20", "AADSTS900023"),
            )
        ),
        # Scopes and their resources.
        pytest.param(f"{V2}&scope=User.Read+Mail.Read", READ, id="plus signs"),
        pytest.param(f"{V2}&scope=%20User.Read%20%20Mail.Read+user.read+", READ, id="more spaces, and one twice"),
        pytest.param(
            f"{V2}&scope=https%3A%2F%2Foutlook.office.com%2FSMTP.Send%20https%3A%2F%2Fgraph.microsoft.com%2FUser.Read",
            Reading(CLIENT, scopes=((EXCHANGE, "SMTP.Send"), (GRAPH, "User.Read"))),
            id="several resources",
        ),
        pytest.param(
            f"{V2}&scope={EXCHANGE}/IMAP.AccessAsUser.All",
            Reading(CLIENT, scopes=((EXCHANGE, "IMAP.AccessAsUser.All"),)),
            id="a resource by its app id",
        ),
        pytest.param(
            f"{V2}&scope=api://{OWN_API.upper()}/access",
            Reading(CLIENT, scopes=((OWN_API, "access"),)),
            id="an own API",
        ),
        pytest.param(
            f"{V2}&scope=https://outlook.com/POP.AccessAsUser.All+https://ps.outlook.com/EWS.AccessAsUser.All",
            Reading(CLIENT, scopes=((EXCHANGE, "POP.AccessAsUser.All"), (EXCHANGE, "EWS.AccessAsUser.All"))),
            id="other names of Exchange Online",
        ),
        pytest.param(
            f"{V2}&scope=https://management.core.windows.net//user_impersonation",
            Reading(CLIENT, scopes=((MANAGEMENT, "user_impersonation"),)),
            id="an address that ends with a slash",
        ),
        pytest.param(
            f"{V2}&scope=https://vault.example/Keys.Read",
            Reading(CLIENT, scopes=(("https://vault.example", "Keys.Read"),)),
            id="an address that only its tenants know",
        ),
        # .default and the v1.0 endpoint.
        pytest.param(
            f"{PLAIN}&resource=https%3A%2F%2Fgraph.microsoft.com",
            Reading(CLIENT, scopes=BOTH, refused=("AADSTS901002",)),
            id="v2 with the resource of its scopes",
        ),
        pytest.param(
            f"{PLAIN}&resource=https%3A%2F%2Foutlook.office365.com",
            Reading(CLIENT, scopes=BOTH, refused=("AADSTS901002 or AADSTS9010010",)),
            id="v2 with another resource",
        ),
        pytest.param(
            f"{V2}&scope=openid&resource=https://vault.example",
            Reading(CLIENT, scopes=((GRAPH, "openid"),), refused=("AADSTS901002",)),
            id="v2 with a resource and no scope of one",
        ),
        pytest.param(
            f"{V2}&resource={MANAGEMENT}", Reading(CLIENT, refused=("AADSTS901002",)), id="v2 with a resource alone"
        ),
        pytest.param(f"{V2}&scope=", Reading(CLIENT, refused=("AADSTS900144",)), id="an empty scope"),
        pytest.param(f"{V2}&scope=%20&state=1", Reading(CLIENT, refused=("AADSTS900144",)), id="a scope of a space"),
        pytest.param(
            f"{V2}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default", Reading(CLIENT, defaults=(GRAPH,)), id="default"
        ),
        pytest.param(
            f"{V2}&scope=api%3A%2F%2F{OWN_API}%2F.default+offline_access+openid+email&prompt=consent",
            Reading(CLIENT, defaults=(OWN_API,), prompt="consent"),
            id="default and the scopes of a sign-in",
        ),
        pytest.param(f"{V2}&scope=.default", Reading(CLIENT, defaults=(GRAPH,)), id="default without a resource"),
        pytest.param(
            f"{V2}&scope=.default+https://management.azure.com/.default",
            Reading(CLIENT, defaults=(GRAPH, MANAGEMENT), refused=("AADSTS70011",)),
            id="default of two resources",
        ),
        pytest.param(
            f"{V2}&scope=https://management.core.windows.net//.default",
            Reading(CLIENT, defaults=(MANAGEMENT,)),
            id="default with two slashes",
        ),
        pytest.param(
            f"{V1}&resource=https%3A%2F%2Foutlook.office365.com%2F",
            Reading(CLIENT, "contoso.com", defaults=(EXCHANGE,)),
            id="v1 with a resource",
        ),
        pytest.param(
            f"{V1}&resource={MANAGEMENT}",
            Reading(CLIENT, "contoso.com", defaults=(MANAGEMENT,)),
            id="v1 with an app id",
        ),
        pytest.param(f"{V1}&scope=openid", Reading(CLIENT, "contoso.com"), id="v1 without a resource"),
        pytest.param(
            f"{V1}&prompt=admin_consent", Reading(CLIENT, "contoso.com", prompt="admin_consent"), id="v1 admin"
        ),
        pytest.param(
            f"{HOST}/contoso.com/adminconsent?client_id={CLIENT}", Reading(CLIENT, "contoso.com"), id="v1 link"
        ),
        pytest.param(
            f"{HOST}/contoso.com/v2.0/adminconsent?client_id={CLIENT}&scope=User.Read&redirect_uri=https://a.example/",
            Reading(CLIENT, "contoso.com", ((GRAPH, "User.Read"),), redirect="https://a.example/"),
            id="v2 link",
        ),
        # What Entra refuses.
        pytest.param(
            f"{V2}&scope=User.Read%2CMail.Read", Reading(CLIENT, refused=("AADSTS650053 or AADSTS70011",)), id="commas"
        ),
        pytest.param(
            f"{V2}&scope=User.Read,%20Mail.Read",
            Reading(CLIENT, scopes=((GRAPH, "Mail.Read"),), refused=("AADSTS650053 or AADSTS70011",)),
            id="commas and spaces",
        ),
        pytest.param(
            f"{V2}&scope=https://graph.microsoft.com/User.Read;https://graph.microsoft.com/Mail.Read",
            Reading(CLIENT, refused=("AADSTS650053 or AADSTS70011",)),
            id="semicolons and addresses",
        ),
        pytest.param(
            f"{V2}&scope=User.Read%0AMail.Read",
            Reading(CLIENT, refused=("AADSTS650053 or AADSTS70011",)),
            id="a line feed",
        ),
        pytest.param(
            f"{V2}&scope=User.Read%2520Mail.Read",
            Reading(CLIENT, refused=("AADSTS650053 or AADSTS70011",)),
            id="encoded twice",
        ),
        pytest.param(
            f"{V2}&scope=User.Read%2BMail.Read",
            Reading(CLIENT, refused=("AADSTS650053 or AADSTS70011",)),
            id="encoded plus",
        ),
        pytest.param(
            f"{V2}&scope=graph.microsoft.com/User.Read",
            Reading(CLIENT, refused=("AADSTS70011",)),
            id="a host without https",
        ),
        pytest.param(
            f"{V2}&scope=https://graph.microsoft.com/", Reading(CLIENT, refused=("AADSTS70011",)), id="a resource alone"
        ),
        pytest.param(
            f"{V2}&scope=https://graph.microsoft.com/.default%20https://vault.azure.net/user_impersonation",
            Reading(
                CLIENT,
                scopes=(("cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "user_impersonation"),),
                defaults=(GRAPH,),
                refused=("AADSTS70011",),
            ),
            id="default and a scope of another resource",
        ),
        pytest.param(
            f"{PLAIN}&prompt=consent%20select_account",
            Reading(CLIENT, scopes=BOTH, refused=("AADSTS90023",)),
            id="two prompts",
        ),
        pytest.param(
            f"{PLAIN}&prompt=unspecified",
            Reading(CLIENT, scopes=BOTH, prompt="unspecified", refused=("AADSTS90023",)),
            id="an unknown prompt",
        ),
        pytest.param(
            f"{PLAIN}&prompt=admin_consent",
            Reading(CLIENT, scopes=BOTH, prompt="admin_consent", refused=("AADSTS90023 or AADSTS901001",)),
            id="prompt admin_consent on v2",
        ),
        *(
            pytest.param(
                f"{PLAIN}&state=1&prompt=login&{more}",
                Reading(CLIENT, scopes=BOTH, prompt="login", refused=("AADSTS9000411",)),
                id=f"{more} again",
            )
            for more in (
                "scope=openid",
                "scope=User.Read%20Mail.Read",
                "prompt=consent",
                "prompt=",
                "state=2",
                "Scope=",
            )
        ),
        *(
            pytest.param(
                f"{PLAIN}&{name}=1&{name}=1",
                Reading(CLIENT, scopes=BOTH, refused=("AADSTS9000411",)),
                id=f"{name} twice",
            )
            for name in ("nonce", "login_hint", "response_mode", "code_challenge", "x-client-SKU")
        ),
        pytest.param(f"{PLAIN}&prompt=none", Reading(CLIENT, scopes=BOTH, prompt="none"), id="prompt none"),
        pytest.param(
            f"{PLAIN}&prompt=select_account", Reading(CLIENT, scopes=BOTH, prompt="select_account"), id="a prompt"
        ),
        pytest.param(
            f"{PLAIN}&redirect_uri=https%253A%252F%252Fa.example",
            Reading(CLIENT, scopes=BOTH, redirect="https%3A%2F%2Fa.example", refused=("AADSTS90102",)),
            id="a redirect URI encoded twice",
        ),
    ],
)
def test_an_address_is_read_as_documented_and_as_the_second_reader_does(text: str, expected: Reading) -> None:
    assert read(text) == expected
    assert as_reading(text) == expected


NAMES = st.sampled_from(["User.Read", "Mail.Read", "openid", "offline_access", "Calendars.ReadWrite", ".default"])
PREFIXES = st.sampled_from(
    [
        "",
        "https://graph.microsoft.com/",
        "https://outlook.office.com/",
        "https://outlook.com/",
        f"{OWN_API}/",
        f"api://{OWN_API}/",
        "https://vault.example/",
        "graph.microsoft.com/",
    ]
)
SCOPES = st.lists(st.builds("{}{}".format, PREFIXES, NAMES), min_size=1, max_size=5)
SEPARATORS = st.sampled_from([" ", "  ", ",", ", ", ";", "|", "\n", "%20", "+"])
PROMPTS = st.sampled_from(["", "login", "none", "consent", "admin_consent", "consent login", "CONSENT", "always"])
REDIRECTS = st.sampled_from(["", "https://a.example/cb", "http://localhost:53682", "msal123://auth", "https%3A%2F%2Fa"])
PAGES = st.sampled_from(["oauth2/v2.0/authorize", "oauth2/authorize", "v2.0/adminconsent", "adminconsent"])
RESOURCES = st.sampled_from(
    ["", "https://graph.microsoft.com/", "https://outlook.office365.com", OWN_API, "https://a.example"]
)
WRAPPINGS = (
    lambda address: address,
    lambda address: address.removeprefix("https://"),
    lambda address: f"<{address}>",
    lambda address: address.replace("&", "&amp;"),
    lambda address: f"{address[:50]}\n{address[50:]}",
    lambda address: safe_link(address),
    lambda address: f"'{safe_link(safe_link(address))}'",
)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """A well-formed address with any request, encoded in either way and pasted in any."""
    encode = draw(st.sampled_from([quote, quote_plus]))
    asked = {
        "client_id": CLIENT,
        "response_type": "code",
        "scope": draw(SEPARATORS).join(draw(SCOPES)),
        "prompt": draw(PROMPTS),
        "redirect_uri": draw(REDIRECTS),
        "resource": draw(RESOURCES),
    }
    again = draw(st.lists(st.sampled_from(["scope", "prompt", "redirect_uri", "resource", "state"]), max_size=2))
    sent = [
        *((name, value) for name, value in asked.items() if value),
        *((name, asked.get(name, "")) for name in again),
    ]
    query = "&".join(f"{name}={encode(value, safe='')}" for name, value in sent)
    tenant = draw(
        st.sampled_from(["common", "organizations", "consumers", "contoso.com", OWN_API, "undefined", "{id}"])
    )
    pasted: str = draw(st.sampled_from(WRAPPINGS))(f"{HOST}/{tenant}/{draw(PAGES)}?{query}")
    return pasted


@given(addresses())
def test_any_address_is_read_as_the_second_reader_does(text: str) -> None:
    assert as_reading(text) == read(text)


@given(st.text())
def test_no_text_makes_the_reader_fail_in_another_way(text: str) -> None:
    for candidate in (
        text,
        f"{HOST}/{text}",
        f"{V2}&scope={text}",
        f"https://a.example/?url={text}",
        f"{PLAIN}&{text}",
    ):
        try:
            request_from_url(candidate)
        except RequestError as error:
            assert str(error)


KNOWN = App(
    client_id=CLIENT,
    name="TrackerRMS",
    redirect_uris=("https://uk.example/cb",),
    scopes=(ScopeNeed(resource=GRAPH, value="Mail.Send"),),
    publisher_verified=True,
)


@pytest.mark.parametrize(
    ("text", "mode", "scopes"),
    [
        pytest.param(f"{V1}&resource={GRAPH}", RequestMode.REGISTERED, ["Mail.Send"], id="v1"),
        pytest.param(f"{V2}&scope=.default", RequestMode.DEFAULT, ["Mail.Send"], id="default"),
        pytest.param(V2, RequestMode.DYNAMIC, ["Mail.Send"], id="cut off before its scopes"),
        pytest.param(f"{HOST}/common/adminconsent?client_id={CLIENT}", RequestMode.DYNAMIC, ["Mail.Send"], id="a link"),
        pytest.param(f"{V2}&scope=User.Read", RequestMode.DYNAMIC, ["User.Read"], id="its own scopes"),
    ],
)
def test_the_pack_of_a_known_app_lists_the_scopes_that_the_address_does_not_name(
    text: str, mode: RequestMode, scopes: list[str]
) -> None:
    app = request_from_url(text, lambda *_: KNOWN).app
    assert (app.mode, [need.value for need in app.scopes]) == (mode, scopes)
    assert (app.name, app.publisher_verified) == ("TrackerRMS", True)


def test_an_app_that_is_known_by_its_redirect_uri_alone_keeps_its_own_publisher() -> None:
    app = request_from_url(f"{V2.replace(CLIENT, OWN_API)}&scope=.default", lambda *_: KNOWN).app
    assert (app.client_id, app.name, [need.value for need in app.scopes]) == (OWN_API, "TrackerRMS", ["Mail.Send"])
    assert app.publisher_verified is None


@pytest.mark.parametrize(
    ("response", "scope", "codes"),
    [
        pytest.param(
            "token", "User.Read https://vault.azure.net/user_impersonation", 1, id="a token for two resources"
        ),
        pytest.param("id_token token", "openid User.Read", 0, id="a token for one"),
        pytest.param("code", "User.Read https://vault.azure.net/user_impersonation", 0, id="a code for two"),
    ],
)
def test_an_access_token_of_the_implicit_flow_is_for_one_resource(response: str, scope: str, codes: int) -> None:
    """MSAL.js issue 523: AADSTS700022."""
    address = (
        f"{HOST}/common/oauth2/v2.0/authorize?client_id={CLIENT}&response_type={quote(response)}&scope={quote(scope)}"
    )
    assert len(request_from_url(address).app.faults) == codes


@pytest.mark.parametrize(
    "tenant",
    [
        pytest.param(f"%7B{OWN_API}%7D", id="an ID in braces"),
        pytest.param(OWN_API.replace("-", ""), id="an ID without hyphens"),
        pytest.param("organizations%20", id="a space after it"),
        pytest.param("contoso.com.", id="a domain with the dot of the root"),
    ],
)
def test_a_tenant_in_another_spelling_is_refused_but_not_for_certain(tenant: str) -> None:
    (fault,) = request_from_url(PLAIN.replace("/common/", f"/{tenant}/")).app.faults
    assert fault.caveat == "Microsoft doesn't document in which spellings Entra takes a tenant"


@pytest.mark.parametrize(
    ("address", "is_certain"),
    [
        pytest.param(f"{PLAIN}&scope=Mail.Send", True, id="a parameter of the sign-in page"),
        pytest.param(f"{PLAIN}&sso_reload=1&sso_reload=1", False, id="a parameter that isn't documented"),
        pytest.param(f"{PLAIN}&Scope=Mail.Send", False, id="in another letter case"),
        pytest.param(
            f"{HOST}/contoso.com/adminconsent?client_id={CLIENT}&client_id={CLIENT}", False, id="the admin consent page"
        ),
    ],
)
def test_a_parameter_that_is_there_twice_is_refused_for_certain_where_reports_show_it(
    address: str, is_certain: bool
) -> None:
    (fault,) = request_from_url(address).app.faults
    assert (fault.code, not fault.caveat) == ("AADSTS9000411", is_certain)


@pytest.mark.parametrize(
    ("more", "is_certain"),
    [
        pytest.param("&scope=&state=1", True, id="an empty scope"),
        pytest.param("&state=1&scope=", False, id="an empty scope at the end, where the address may be cut off"),
        pytest.param(
            "&scope=User.Read&resource=https://vault.azure.net", True, id="a resource that no scope belongs to"
        ),
        pytest.param("&scope=User.Read&resource=https://graph.microsoft.com", False, id="the resource of the scopes"),
        pytest.param(
            "&scope=User.Read&resource=https://graph.example", False, id="a resource that only a tenant knows"
        ),
        pytest.param("&scope=openid&resource=https://graph.microsoft.com", False, id="a resource and no scope of one"),
    ],
)
def test_an_empty_scope_and_a_resource_are_refused_on_the_v2_endpoint(more: str, is_certain: bool) -> None:
    """n8n issue 33881; vscode issue 254009, django-auth-adfs issue 198; azure-devops-mcp issue 1601."""
    (fault,) = request_from_url(f"{V2}{more}").app.faults
    assert (fault.caveat == "") is is_certain


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(V2, id="the sign-in page"),
        pytest.param(f"{V2}&resource=", id="the sign-in page and no value of resource"),
        pytest.param(f"{HOST}/contoso.com/v2.0/adminconsent?client_id={CLIENT}&scope=", id="the admin consent page"),
    ],
)
def test_an_address_that_may_be_cut_off_before_its_scopes_is_an_error(address: str) -> None:
    with pytest.raises(RequestError, match="names no scope"):
        request_from_url(address)


TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJpbnZlbnRlZCJ9.c2lnbmF0dXJlLWludmVudGVk"
CODE = "1.AXoAinventedInventedInventedInventedInventedInventedInvented-invented_invented.AgABBAIAAAA"


def test_a_code_or_token_that_somebody_left_in_the_redirect_uri_is_not_kept() -> None:
    for left, kept in ((f"?code={CODE}&shop=1", "?shop=1"), (f"?shop=1#id_token={TOKEN}", "?shop=1"), ("?a=1", "?a=1")):
        request = request_from_url(f"{PLAIN}&redirect_uri={quote(f'https://vendor.example/back{left}', safe='')}")
        assert request.app.redirect_uris == (f"https://vendor.example/back{kept}",)
    assert request_from_url(f"{PLAIN}&redirect_uri={TOKEN}").app.redirect_uris == ()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param(PLAIN.replace(CLIENT, CODE), "'1.AXoAin…' is not a client ID", id="a code as the client id"),
        pytest.param(PLAIN.replace(CLIENT, TOKEN), "a token as its client_id", id="a token as the client id"),
        pytest.param(f"{V2}&scope=openid%20{TOKEN}", "a token as its scope", id="a token as a scope"),
    ],
)
def test_an_error_about_an_address_shows_no_code_and_no_token(address: str, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        request_from_url(address)
    assert said in str(caught.value)
    assert CODE not in str(caught.value) and TOKEN not in str(caught.value)
