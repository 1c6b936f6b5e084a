"""An app is found by client ID, pack, product or variant, and what a person meant is suggested if it isn't."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.consent.requested_scopes import RequestError
from auditor.consent.sign_in_address import request_from_url
from auditor.facts.ids import EXCHANGE_ONLINE
from auditor.jobs.app_catalog import (
    AppsList,
    app_described,
    app_named,
    by_category,
    catalog_pack_about,
    every_app,
    is_known,
    listed_apps,
    near_apps,
    note_on,
    pack_reference,
    variant_note,
)
from auditor.jobs.audit import check
from auditor.jobs.audit_request import app_from_address
from auditor.jobs.pack_selection import VARIABLE
from auditor.model.decision import Outcome
from auditor.model.errors import InvalidRequest
from auditor.packs.app_catalog import app_with_id, catalog_pack
from auditor.snapshot.retarget_sample import asked_about
from auditor.snapshot.samples import patched, sample
from tests.packs.text import SOUND

THUNDERBIRD = "9e5f94bc-e8a4-4e73-b8be-63364c29d753"
NOBODY = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("thunderbird", "thunderbird", id="the pack"),
        pytest.param(" ThunderBird ", "thunderbird", id="the product in another letter case"),
        pytest.param("Mozilla Thunderbird", "thunderbird", id="the title with a space"),
        pytest.param("mozilla-thunder bird", "thunderbird", id="other spaces and hyphens"),
        pytest.param(THUNDERBIRD.upper(), "thunderbird", id="the client ID"),
        pytest.param(f"{{{THUNDERBIRD}}}", "thunderbird", id="the client ID in braces"),
        pytest.param("THUNDERBIRD/imap", "thunderbird/imap", id="a variant"),
        pytest.param("Mozilla Thunderbird / Exchange (EWS)", "thunderbird/ews", id="a variant by its title"),
        pytest.param("TrackerRMS", "trackerrms-uk", id="an app with several packs"),
        pytest.param("trackerrms-us", "trackerrms-us", id="another shipped pack"),
        pytest.param("5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "trackerrms-uk", id="the client ID of another pack"),
    ],
)
def test_an_app_is_found_by_any_of_its_names(text: str, name: str) -> None:
    assert is_known(text)
    assert app_named(text).name == name
    assert pack_reference(app_named(text)) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("thunderbrid", "thunderbird", id="a typo"),
        pytest.param("bird", "thunderbird", id="a part of the name"),
        pytest.param("outlook", "Microsoft Outlook is one of Microsoft's own apps", id="an app of Microsoft"),
        pytest.param("adobe acrobat", "--app ecff17cf-5629-49ba-a629-7f575496aeac", id="an app without scopes"),
        pytest.param("otter", "The client ID of Otter", id="an app without a client ID"),
        pytest.param("", 'has no app ""', id="nothing"),
        pytest.param("/", 'has no app "/"', id="only a slash"),
        pytest.param("thunderbird/ewz", 'did you mean "thunderbird/ews"?', id="a misspelt variant"),
        pytest.param("trackerrms-uk/imap", "has no variants", id="a variant of an app without any"),
        pytest.param(NOBODY, "the scopes that it requests aren't known here", id="an unknown client ID"),
        pytest.param("14D82EEC-204B-4C2F-B7E8-296A70DAB67E", "Microsoft's own apps", id="a client ID of Microsoft"),
    ],
)
def test_an_app_that_nothing_knows_gets_what_was_probably_meant(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        app_named(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("12", id="two digits"),
        pytest.param(THUNDERBIRD[:-1], id="a digit is missing"),
        pytest.param("9e5f94bc", id="its beginning"),
    ],
)
def test_a_part_of_a_client_id_is_not_searched_for_as_a_name(text: str) -> None:
    with pytest.raises(RequestError, match="is not a client ID"):
        app_named(text)


def test_your_own_packs_are_found_by_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(SOUND.replace("pack: mine", "pack: acme").replace("name: Mine", "name: Acme Mail"))
    monkeypatch.setenv(VARIABLE, str(file))
    assert pack_reference(app_named("acme mail")) == str(file)
    assert pack_reference(app_named("ACME")) == str(file)
    assert pack_reference(app_named("5353a3d2-8ca9-42d2-b567-ea399ccb5e38")) == str(file), "before the shipped ones"


def test_a_note_says_which_way_to_connect_is_checked_and_which_others_there_are() -> None:
    assert note_on(app_named("thunderbird")) == (
        "Thunderbird is checked as it connects with IMAP and SMTP. For another way, name thunderbird/pop,"
        " thunderbird/ews or thunderbird/graph."
    )
    assert "with Exchange (EWS)" in note_on(app_named("thunderbird/ews"))
    assert note_on(app_named("trackerrms")).endswith("for another, use --pack trackerrms-us.")


def test_given_scopes_win_over_those_of_the_catalogue() -> None:
    app = app_described(THUNDERBIRD, "Mail.Read", redirect_uri="https://other.example/callback")
    assert [need.value for need in app.scopes] == ["Mail.Read"]
    assert (app.name, app.vendor, app.redirect_uris) == ("Thunderbird", "Mozilla", ("https://other.example/callback",))
    renamed = app_described("thunderbird/ews", "", name="Mail program")
    assert renamed.name == "Mail program"
    assert {need.value for need in renamed.scopes} == {"EWS.AccessAsUser.All", "offline_access"}
    other = app_described(NOBODY, "Mail.Read")
    assert (other.client_id, other.name) == (NOBODY, "")


def test_a_list_is_by_category_and_every_word_must_be_found() -> None:
    found = listed_apps("mozilla thunderbird exchange")
    (group,) = by_category(found.apps)
    assert (group.category, group.title) == ("email", "Email")
    assert [app.name for app in group.apps] == ["thunderbird"]
    assert {app.category for app in listed_apps(category="Email").apps} == {"email"}
    assert sum(len(group.apps) for group in by_category(listed_apps().apps)) == len(every_app())
    assert listed_apps("no such app") == AppsList()
    with pytest.raises(InvalidRequest, match='there is no category "emial"; did you mean "email"'):
        listed_apps(category="emial")


def test_a_client_id_is_looked_up_in_any_letter_case() -> None:
    known = app_with_id(THUNDERBIRD.upper())
    assert known is not None
    assert known.app == "Thunderbird"
    assert app_with_id(NOBODY) is None
    assert [one.name for one in near_apps("thunderbrid")] == ["thunderbird"]
    assert catalog_pack_about(NOBODY, "http://localhost") is None


def address(*scopes: str) -> str:
    """The address of Thunderbird's sign-in with these scopes."""
    asked = "%20".join(scopes)
    return f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={THUNDERBIRD}&scope={asked}"


EXCHANGE = "https://outlook.office365.com/"


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        pytest.param(
            (f"{EXCHANGE}EWS.AccessAsUser.All", "offline_access"), "thunderbird/ews: Exchange (EWS).", id="a variant"
        ),
        pytest.param(
            (f"{EXCHANGE}EWS.AccessAsUser.All", "openid"), "thunderbird/ews", id="with other scopes of sign-in"
        ),
        pytest.param(("Mail.Read",), "none of its ways to connect (thunderbird/imap, ", id="no variant"),
    ],
)
def test_an_address_is_of_the_variant_whose_permissions_it_requests(scopes: tuple[str, ...], said: str) -> None:
    found = app_from_address(address(*scopes))
    assert found.pack is not None
    assert (found.pack.name, found.app.name) == ("thunderbird", "Thunderbird")
    assert said in variant_note(found.pack, found.app)


@pytest.mark.parametrize("tenant", ["managed-default", "legacy-open", "admin-consented"])
@pytest.mark.parametrize("name", ["thunderbird", "thunderbird/ews"])
def test_an_app_by_id_name_or_address_is_the_same_question(name: str, tenant: str) -> None:
    pack = app_named(name)
    assert pack.app is not None
    scopes = [f"{EXCHANGE if need.resource == EXCHANGE_ONLINE else ''}{need.value}" for need in pack.app.scopes]
    by_address = request_from_url(address(*scopes), lambda *_: catalog_pack("thunderbird").app).app
    snapshot = asked_about(sample(tenant), [pack.app])
    plain = decide(snapshot, pack.app)
    assert decide(snapshot, by_address).outcome is plain.outcome
    assert decide(snapshot, app_described(THUNDERBIRD, " ".join(scopes))).outcome is plain.outcome
    if name == "thunderbird":
        assert app_named(THUNDERBIRD) == pack


def test_a_decision_about_a_variant_names_it() -> None:
    pack = app_named("thunderbird/ews")
    assert pack.app is not None
    snapshot = asked_about(sample("managed-default"), [pack.app])
    (decision,) = check(snapshot, [pack]).decisions
    assert (decision.app.name, decision.app.client_id) == ("Thunderbird", THUNDERBIRD)
    assert decision.app.variant == "thunderbird/ews"
    (usual,) = check(snapshot, [app_named("thunderbird")]).decisions
    assert usual.app.variant == ""


@pytest.mark.parametrize(
    ("publishers", "outcome"),
    [
        pytest.param(["5365206"], Outcome.USER_MAY_CONSENT, id="the publisher of the catalogue"),
        pytest.param(["1234567"], Outcome.NEEDS_ADMIN, id="another one"),
    ],
)
def test_the_publisher_of_the_catalogue_counts_while_the_app_is_not_in_the_tenant(
    publishers: list[str], outcome: Outcome
) -> None:
    known = app_named("thunderbird").app
    assert known is not None
    app = msgspec.structs.replace(known, verified_publisher_id="5365206", publisher_verified=True)
    own_policy = {
        "authorizationPolicy": {
            "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.ours"]}
        },
        "permissionGrantPolicies": [
            {
                "id": "ours",
                "includes": [
                    {
                        "id": "1",
                        "permissionType": "delegated",
                        "permissionClassification": "all",
                        "permissions": ["all"],
                        "resourceApplication": "any",
                        "clientApplicationIds": ["all"],
                        "clientApplicationTenantIds": ["all"],
                        "clientApplicationPublisherIds": publishers,
                        "clientApplicationsFromVerifiedPublisherOnly": True,
                    }
                ],
                "excludes": [],
            }
        ],
    }
    snapshot = asked_about(patched(sample("managed-default"), own_policy), [app])
    assert decide(snapshot, app).outcome is outcome
