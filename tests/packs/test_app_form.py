"""What a pack can say about an app: its sources, its publisher, and the variants in which it connects."""

from __future__ import annotations

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.model.rule import App, AppVariant, ClaimSource, RequestMode
from tests.packs.text import HEAD, RULES, loaded

FACTS = """\
app:
  name: Mine
  vendor: Mine Ltd
  category: email
  client-id: 5353A3D2-8ca9-42d2-b567-ea399ccb5e38
  redirect-uris: [https://mine.example/callback]
"""


def app_of(facts: str) -> App:
    """The app of a pack with these facts."""
    app = loaded(HEAD + FACTS + facts + RULES).app
    assert app is not None
    return app


def test_an_app_with_variants_is_its_first_variant() -> None:
    app = app_of("""\
  variants:
    - name: imap
      title: IMAP and SMTP
      scopes: {exchange-online: [IMAP.AccessAsUser.All], microsoft-graph: [offline_access]}
    - name: all
      title: Everything
      request: default
      redirect-uris: [https://mine.example/all]
""")
    imap, everything = app.variants
    assert (imap.name, imap.title) == ("imap", "IMAP and SMTP")
    assert [(need.resource, need.value) for need in imap.scopes] == [
        (EXCHANGE_ONLINE, "IMAP.AccessAsUser.All"),
        (MICROSOFT_GRAPH, "offline_access"),
    ]
    assert (app.scopes, app.redirect_uris, app.mode) == (imap.scopes, imap.redirect_uris, imap.mode)
    assert app.redirect_uris == ("https://mine.example/callback",), "the variant names no other"
    assert everything == AppVariant(
        name="all", title="Everything", redirect_uris=("https://mine.example/all",), mode=RequestMode.DEFAULT
    )


def test_every_claim_can_have_a_source_of_its_own_and_a_date() -> None:
    app = app_of("""\
  scopes: {microsoft-graph: [Mail.Read, {scope: Mail.Send, source: a mail}]}
  source:
    - {what: [client-id, scopes], source: https://mine.example/code, read: "2026-11-22"}
    - {what: publisher, source: the consent page, read: "2026-11-23"}
    - {source: https://mine.example/all, read: "2026-11-24"}
""")
    assert app.sources == (
        ClaimSource(what=("client-id", "scopes"), source="https://mine.example/code", read="2026-11-22"),
        ClaimSource(what=("publisher",), source="the consent page", read="2026-11-23"),
        ClaimSource(source="https://mine.example/all", read="2026-11-24"),
    )
    assert [need.source for need in app.scopes] == [
        "https://mine.example/code, read on 2026-11-22; https://mine.example/all, read on 2026-11-24",
        "a mail",
    ]


def test_a_source_that_is_one_text_is_the_source_of_the_scopes() -> None:
    app = app_of("  scopes: {microsoft-graph: [Mail.Read]}\n  source: the vendor's page\n")
    assert app.sources == (ClaimSource(what=("scopes",), source="the vendor's page"),)
    assert [need.source for need in app.scopes] == ["the vendor's page"]


def test_a_publisher_with_an_id_is_verified() -> None:
    app = app_of('  verified-publisher-id: "5365206"\n  scopes: {microsoft-graph: [Mail.Read]}\n')
    assert (app.verified_publisher_id, app.publisher_verified) == ("5365206", True)
