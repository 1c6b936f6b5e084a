"""A pack that the program writes is one that it reads, and says of the app what was known."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.model.rule import App, ClaimSource, PermissionNeed, RequestMode, ScopeNeed
from auditor.packs.app_catalog import catalog_pack
from auditor.packs.load import Source, load
from auditor.packs.new_pack import name_for, pack_text
from auditor.packs.text_conditions import pack_name

NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=60)
NEEDS = st.lists(
    st.sampled_from(
        [
            ScopeNeed(resource=MICROSOFT_GRAPH, value="Mail.Read"),
            ScopeNeed(resource=MICROSOFT_GRAPH, value="openid"),
            ScopeNeed(resource=EXCHANGE_ONLINE, value="IMAP.AccessAsUser.All"),
            ScopeNeed(resource="7df0a125-d3be-4c96-aa54-591f83ff541c", value="user_impersonation"),
        ]
    ),
    min_size=1,
    unique=True,
)


@st.composite
def apps(draw: st.DrawFn) -> App:
    return App(
        client_id=str(draw(st.uuids())),
        name=" ".join(draw(NAMES).split()) or "x",
        redirect_uris=draw(st.sampled_from([(), ("https://a.example/cb",), ("http://localhost:4200/",)])),
        mode=draw(st.sampled_from(RequestMode)),
        prompt_consent=draw(st.booleans()),
        authority=draw(st.sampled_from(["", "organizations"])),
        scopes=tuple(draw(NEEDS)),
        publisher_verified=draw(st.sampled_from([None, True, False])),
        owner_tenant=draw(st.none() | st.uuids().map(str)),
    )


@settings(deadline=None)
@given(apps())
def test_what_is_written_is_read_as_it_was_known(app: App) -> None:
    name = name_for(app)
    pack = load(Source("new.yaml", pack_text(app, name=name, source="a guess").encode()))
    assert pack.name == name
    assert pack.extends == "vendor-app"
    assert pack.app is not None
    assert {(n.resource, n.value, n.required, n.assumed) for n in pack.app.scopes} == {
        (n.resource, n.value, True, False) for n in app.scopes
    }
    same = ("client_id", "name", "redirect_uris", "mode", "prompt_consent", "authority", "publisher_verified")
    assert [getattr(pack.app, field) for field in same] == [getattr(app, field) for field in same]
    assert pack.app.owner_tenant == app.owner_tenant


@given(st.text(max_size=200), st.uuids())
def test_every_name_of_an_app_gives_a_name_for_its_pack(name: str, client: UUID) -> None:
    assert pack_name(name_for(App(client_id=str(client), name=name))) is None


def test_an_address_that_a_pack_cannot_hold_is_left_out() -> None:
    app = App(
        client_id=str(UUID(int=1)),
        redirect_uris=("https://*.example/cb", "htps://x", "https://a.example/", "msauth.com.x://auth"),
        scopes=(ScopeNeed(resource=MICROSOFT_GRAPH, value="Mail.Read"),),
    )
    pack = load(Source("new.yaml", pack_text(app, name="x").encode()))
    assert pack.app is not None
    assert pack.app.redirect_uris == ("https://a.example/", "msauth.com.x://auth")


def _stated(need: PermissionNeed) -> tuple[str, str, bool, bool]:
    return need.resource, need.value, need.required, need.assumed


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("em-client", id="assumed scopes"),
        pytest.param("claude-m365-client", id="another app first"),
        pytest.param("thunderbird/ews", id="a variant"),
        pytest.param("cyberduck", id="redirect URIs"),
        pytest.param("chatgpt", id="a verified publisher"),
    ],
)
def test_a_pack_written_for_an_app_of_the_catalogue_describes_the_same_app(name: str) -> None:
    """A bundle about a variant of an app contains this pack, and must lead to the same answer."""
    app = catalog_pack(name).app
    assert app is not None
    made = load(Source("made.yaml", pack_text(app, name="made", source="the command line").encode(), Path())).app
    assert made is not None
    assert list(map(_stated, made.scopes)) == list(map(_stated, app.scopes))
    same = ("client_id", "name", "mode", "redirect_uris", "authority", "publisher_verified", "verified_publisher_id")
    more = ("owner_tenant", "also_needs", "vendor_advice", "app_roles", "vendor", "category", "consent_link")
    assert {key: getattr(made, key) for key in (*same, *more)} == {key: getattr(app, key) for key in (*same, *more)}


def test_a_source_with_its_date_is_written_as_in_the_catalogue() -> None:
    needs = (ScopeNeed(resource=MICROSOFT_GRAPH, value="Mail.Read"),)
    app = App(client_id=str(UUID(int=1)), name="Acme Mail", vendor="Acme", category="email", scopes=needs)
    text = pack_text(app, name="not-in-the-catalogue", source="https://acme.example/permissions", read="2026-11-28")
    made = load(Source("not-in-the-catalogue.yaml", text.encode(), Path()))
    assert made.app is not None
    assert (made.title, made.app.vendor, made.app.category) == ("Acme Mail", "Acme", "email")
    assert made.app.sources == (
        ClaimSource(
            what=("client-id", "scopes", "request"), source="https://acme.example/permissions", read="2026-11-28"
        ),
    )
