"""However a person names an app of the catalogue, the tenant decides the same about it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.consent.decide import decide
from auditor.facts.app_names import apps_without_id
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.jobs.app_catalog import app_named
from auditor.jobs.app_pages import page_without_id
from auditor.jobs.audit_request import app_from_address
from auditor.model.decision import Decision
from auditor.model.rule import App, Pack, RequestMode
from auditor.packs.app_catalog import CatalogApp, catalog, catalog_pack
from auditor.render.documents import as_markdown
from auditor.snapshot.retarget_sample import retarget
from auditor.snapshot.samples import sample

SAMPLES = ("managed-default", "admin-consented", "consent-off", "custom-policy", "low-unclassified", "app-disabled")
HOST = "https://login.microsoftonline.com"


class Named(NamedTuple):
    """A text that names an app, and the pack that it should name."""

    text: str
    pack: Pack


def app_of(pack: Pack) -> App:
    assert pack.app is not None
    return pack.app


def outcome(decision: Decision) -> dict[str, object]:
    """What the decision says, without where the list of scopes comes from."""
    found: dict[str, object] = msgspec.to_builtins(decision)
    return {key: found[key] for key in ("app", "outcome", "confidence", "code", "screen", "because")} | {
        "scopes": [(scope.resource, scope.scope, scope.verdict, scope.reason) for scope in decision.scopes]
    }


@st.composite
def names(draw: st.DrawFn) -> Named:
    """A name, a product, a client ID or NAME/VARIANT, as people spell them."""
    one: CatalogApp = draw(st.sampled_from(catalog()))
    texts = [one.name, one.app, one.title, one.client_id, f"{one.vendor} {one.app}", f"{{{one.client_id}}}"]
    variants = [(f"{one.name}/{variant.name}", f"{one.app}/{variant.title}") for variant in one.variants]
    text = draw(st.sampled_from([*texts, *(text for both in variants for text in both)]))
    chosen = next((both[0] for both in variants if text in both), one.name)
    spelled = draw(st.sampled_from((text, text.upper(), text.lower(), f"  {text} ")))
    return Named(spelled, catalog_pack(chosen))


def redirect_uri_of(app: App) -> str:
    """The app's redirect URI, or one that it may have where it isn't known."""
    return app.redirect_uris[0] if app.redirect_uris else "https://app.example/callback"


def address_of(app: App, redirect_uri: str) -> str:
    """The address to which the app sends its users, or where it is asked for what is registered, an administrator."""
    redirect = f"&redirect_uri={quote(redirect_uri, safe='')}"
    if app.mode.is_static:
        return f"{HOST}/contoso.example/adminconsent?client_id={app.client_id}{redirect}"
    scopes = [
        need.value if need.resource == MICROSOFT_GRAPH else f"{need.resource}/{need.value}" for need in app.scopes
    ]
    asked = quote(" ".join(scopes), safe="")
    return f"{HOST}/common/oauth2/v2.0/authorize?client_id={app.client_id}&scope={asked}{redirect}&response_type=code"


def test_the_page_of_an_app_without_a_client_id_has_its_vendors_advice_too() -> None:
    (otter,) = (app for app in apps_without_id() if app.vendor_advice)
    page = as_markdown(page_without_id(otter))
    assert "The vendor's advice" in page
    assert "Do not allow user consent" in page


@settings(max_examples=max(25, settings().max_examples // 4))
@given(names(), st.sampled_from(SAMPLES))
def test_an_app_gets_the_same_decision_by_id_by_name_and_by_the_address_of_its_request(
    named: Named, tenant: str
) -> None:
    wanted = app_of(named.pack)
    found = app_of(app_named(named.text))
    assert found == wanted
    uri = redirect_uri_of(wanted)
    snapshot = retarget(sample(tenant), msgspec.structs.replace(wanted, redirect_uris=(uri,)))
    expected = outcome(decide(snapshot, wanted))
    assert outcome(decide(snapshot, found)) == expected
    if wanted.mode is RequestMode.DEFAULT or (wanted.mode.is_static and wanted.variants):
        return  # such an address doesn't say which of the app's APIs, or which variant, it is for
    addressed = app_from_address(address_of(wanted, uri))
    assert addressed.pack is not None
    assert addressed.pack.name.partition("/")[0] == named.pack.name.partition("/")[0]
    assert outcome(decide(snapshot, addressed.app)) == expected
