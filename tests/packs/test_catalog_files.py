"""The catalogue of apps: each file loads, holds facts only, cites a source for each claim, and decides as it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from jsonschema import Draft202012Validator

from auditor.facts.app_names import app_name
from auditor.facts.ids import app_categories, is_guid, known_resource_names
from auditor.facts.permissions import known_scopes
from auditor.jobs.pack_authoring import run_cases
from auditor.model.rule import App, AppVariant, Pack
from auditor.packs import PackProblems
from auditor.packs.app_catalog import with_variant
from auditor.packs.load import catalog_names, load, shipped_names, shipped_source
from auditor.packs.pack_schema import schema
from auditor.packs.yaml_nodes import plain, read

NAMES = catalog_names()
PACKS = {name: load(shipped_source(name)) for name in NAMES}
FIRST_READ = date(2026, 11, 1)


def app_of(pack: Pack) -> App:
    assert pack.app is not None
    return pack.app


ALL = tuple(PACKS.values())
LINKED = tuple(pack for pack in ALL if app_of(pack).consent_link)
NEEDING = tuple(pack for pack in ALL if app_of(pack).also_needs)
VARIED = tuple(pack for pack in ALL if app_of(pack).variants)


def name_of(pack: Pack) -> str:
    return pack.name


def file_of(name: str) -> dict[str, Any]:
    """The file as it is written, without what it inherits."""
    node = read(shipped_source(name).text, name, PackProblems())
    assert node is not None
    found = plain(node)
    assert isinstance(found, dict)
    return found


def parts_of(app: App) -> tuple[App | AppVariant, ...]:
    """The app, or its variants if it has some."""
    return app.variants or (app,)


def test_the_catalogue_is_whole() -> None:
    assert len(NAMES) >= 54
    assert all(not pack.warnings and not pack.abstract for pack in PACKS.values())


def test_no_app_is_in_the_catalogue_twice_or_in_another_pack() -> None:
    others = {pack.app.client_id for name in shipped_names() if (pack := load(shipped_source(name))).app is not None}
    apps = [app_of(pack) for pack in PACKS.values()]
    assert not {app.client_id for app in apps} & others
    assert not set(NAMES) & set(shipped_names())
    for values in ([app.client_id for app in apps], [app.name.casefold() for app in apps]):
        assert [value for value, count in Counter(values).items() if count > 1] == []
    titles = Counter(pack.title.casefold() for pack in PACKS.values())
    assert [title for title, count in titles.items() if count > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_facts_only_and_an_editor_finds_nothing_wrong_with_it(name: str) -> None:
    found = file_of(name)
    assert set(found) == {"format", "format-version", "pack", "version", "title", "about", "extends", "app"}
    assert (found["pack"], found["extends"]) == (name, "vendor-app")
    assert VALIDATOR.is_valid(found)


VALIDATOR = Draft202012Validator(schema())


@pytest.mark.parametrize("pack", ALL, ids=name_of)
def test_an_app_says_who_publishes_it_and_what_it_is_for(pack: Pack) -> None:
    app = app_of(pack)
    assert app.vendor and app.category in app_categories() and pack.about.endswith(".")
    assert all("!" not in text and len(text) <= 300 for text in (pack.title, pack.about))
    known = app_name(app.client_id)
    assert known and (known.name, known.vendor) == (app.name, app.vendor)


def claims(app: App) -> Iterator[str]:
    """What a pack claims about its app, by the keys that a source can have."""
    yield from ("client-id", "scopes")
    if app.redirect_uris:
        yield "redirect-uris"
    if app.consent_link:
        yield "consent-link"
    if app.also_needs:
        yield "also-needs"
    if app.app_roles:
        yield "app-roles"
    if app.publisher_verified is not None or app.owner_tenant or app.verified_publisher_id:
        yield "publisher"


@pytest.mark.parametrize("pack", ALL, ids=name_of)
def test_every_claim_has_a_source_and_the_day_on_which_it_was_read(pack: Pack) -> None:
    app = app_of(pack)
    cited = {claim for source in app.sources for claim in source.what}
    assert all(source.what for source in app.sources), "a source says what it is the source of"
    assert set(claims(app)) <= cited <= {*claims(app), "request"}
    for source in app.sources:
        assert date.fromisoformat(source.read) >= FIRST_READ
        assert source.source.startswith("https://") or len(source.source.split()) > 5
        assert not re.search(r"/blob/(main|master)/|\bindex file\b", source.source) or "claude-for" in source.source
    assert all(advice.source for advice in app.vendor_advice)
    assert all(needed.source for needed in app.also_needs)


@pytest.mark.parametrize("pack", ALL, ids=name_of)
def test_what_the_vendor_does_not_say_is_marked_as_assumed(pack: Pack) -> None:
    app = app_of(pack)
    seen_by_others = re.compile(r"MaliciousApps|rogueapps|MaliciousOauthApp|third part|_test\.go", re.IGNORECASE)
    about_scopes = [source.source for source in app.sources if "scopes" in source.what]
    is_known_to_ask = any("request" in source.what for source in app.sources)
    if all(map(seen_by_others.search, about_scopes)) or not is_known_to_ask:
        assert all(need.assumed for part in parts_of(app) for need in part.scopes)


@pytest.mark.parametrize("pack", ALL, ids=name_of)
def test_every_scope_exists_on_its_resource(pack: Pack) -> None:
    app = app_of(pack)
    needed = {one.client_id for one in app.also_needs}
    for part in parts_of(app):
        assert part.scopes
        for need in part.scopes:
            if published := known_scopes(need.resource):
                assert need.value.lower() in published, need
            else:
                assert is_guid(need.resource) and need.resource in {*known_resource_names(), *needed}
        values = [(need.resource, need.value.lower()) for need in part.scopes]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("pack", LINKED, ids=name_of)
def test_the_vendors_link_for_admin_consent_is_about_this_app(pack: Pack) -> None:
    app = app_of(pack)
    address = urlsplit(app.consent_link)
    query = {key: values[0] for key, values in parse_qs(address.query).items()}
    assert address.hostname == "login.microsoftonline.com" and address.path.endswith("/adminconsent")
    assert query["client_id"] == app.client_id
    assert query.get("redirect_uri", "") in ("", *app.redirect_uris)
    linked = {re.sub(r"^https://graph\.microsoft\.com/", "", one.lower()) for one in query.get("scope", "").split()}
    scopes = {need.value.lower() for need in app.scopes}
    assert {one.rpartition("/")[2] for one in linked} <= scopes
    assert ("/v2.0/" in address.path) == bool(linked)


@pytest.mark.parametrize("pack", NEEDING, ids=name_of)
def test_an_app_that_is_needed_first_is_in_the_catalogue_or_named(pack: Pack) -> None:
    apps = {app_of(one).client_id: app_of(one) for one in PACKS.values()}
    for needed in app_of(pack).also_needs:
        known = apps.get(needed.client_id)
        assert known is None or known.name == needed.name
        assert needed.name


@pytest.mark.parametrize("pack", ALL, ids=name_of)
def test_each_files_cases_come_out_as_those_of_every_vendors_app(pack: Pack) -> None:
    results = list(run_cases(pack))
    assert [result.problem for result in results if result.problem] == []
    inherited = load(shipped_source("vendor-app")).rules
    assert [result.rule.id for result in results] == [rule.id for rule in inherited for _ in rule.cases]


ABOUT_SCOPES = ("VENDOR-CONNECT", "VENDOR-SCOPES", "VENDOR-CLASSIFIED", "VENDOR-ADMIN-CONSENT")
"""The rules whose outcome depends on what the app requests, in which its variants differ."""


@pytest.mark.parametrize("pack", VARIED, ids=name_of)
def test_the_cases_hold_for_every_variant(pack: Pack) -> None:
    rules = tuple(rule for rule in pack.rules if rule.id in ABOUT_SCOPES)
    assert len(rules) == len(ABOUT_SCOPES)
    for one in app_of(pack).variants[1:]:
        results = run_cases(msgspec.structs.replace(with_variant(pack, one.name), rules=rules))
        assert [result.problem for result in results if result.problem] == [], one.name
