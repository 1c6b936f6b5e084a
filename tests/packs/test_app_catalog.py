"""The catalogue of apps is found without parsing YAML, and a variant of an app is a pack like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

import auditor.packs.load
from auditor.packs import PackError
from auditor.packs.app_catalog import app_with_id, app_with_redirect_uri, catalog, catalog_pack
from auditor.packs.load import catalog_names, find, load_packs, shipped_names, shipped_source, stored_pack
from auditor.packs.parse import parse_with_warnings


def test_every_app_is_stored_as_its_text_describes_it() -> None:
    assert [app.name for app in catalog()] == list(catalog_names())
    assert not set(catalog_names()) & set(shipped_names())
    for name in catalog_names()[:: max(1, len(catalog_names()) // 4)]:
        source = shipped_source(name)
        assert stored_pack(source) == parse_with_warnings(source)[0]


def test_without_the_stored_index_the_texts_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    thunderbird = app_with_id("9E5F94BC-E8A4-4E73-B8BE-63364C29D753")
    assert thunderbird is not None
    monkeypatch.setattr("auditor.packs.app_catalog.CATALOG_STORE", tmp_path / "no-store.json")
    monkeypatch.setattr(auditor.packs.load, "CATALOG_STORE", tmp_path / "no-store.json")
    monkeypatch.setattr("auditor.packs.app_catalog.catalog_names", lambda: ("thunderbird",))
    assert catalog.__wrapped__() == (thunderbird,)


def test_a_variant_is_named_after_a_slash() -> None:
    usual, ews = load_packs(["thunderbird", "thunderbird/ews"])
    assert usual.app is not None
    assert ews.app is not None
    assert (ews.name, ews.title) == ("thunderbird/ews", "Mozilla Thunderbird: Exchange (EWS)")
    assert {need.value for need in ews.app.scopes} == {"EWS.AccessAsUser.All", "offline_access"}
    assert usual.app.scopes == usual.app.variants[0].scopes
    assert (ews.rules, ews.digest, ews.app.client_id) == (usual.rules, usual.digest, usual.app.client_id)
    assert catalog_pack("thunderbird/ews") == ews


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("thunderbird/ewz", 'has no variant "ewz" (it has imap', id="a misspelt variant"),
        pytest.param("trackerrms/uk", "trackerrms/uk", id="a path, because it isn't in the catalogue"),
    ],
)
def test_a_variant_that_does_not_exist_is_a_problem(name: str, said: str) -> None:
    with pytest.raises(PackError, match=r".") as caught:
        load_packs([name])
    assert said in str(caught.value)


def test_a_pack_of_the_catalogue_is_found_by_its_name_and_a_misspelt_one_is_suggested() -> None:
    assert find("thunderbird") == (shipped_source("thunderbird"),)
    with pytest.raises(PackError, match='did you mean "thunderbird"'):
        find("thunderbrid")


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("", id="none"),
        pytest.param("http://localhost", id="this computer"),
        pytest.param("https://login.microsoftonline.com/common/oauth2/nativeclient", id="Microsoft's page"),
        pytest.param("https://nobody.example/callback", id="nobody's"),
    ],
)
def test_an_address_that_any_app_can_use_names_no_app(uri: str) -> None:
    assert app_with_redirect_uri(uri) is None
