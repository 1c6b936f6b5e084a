"""The names of apps by client ID: one name for each, with its source and the date on which that was read."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import auditor.facts
from auditor.facts.app_names import NameSource, app_name, apps_without_id, named_apps
from auditor.facts.ids import MICROSOFT_GRAPH, app_categories, is_guid, known_resource_names
from auditor.facts.permissions import known_scopes

FACTS = Path(auditor.facts.__file__).parent
ROWS = json.loads((FACTS / "app_names.json").read_bytes())
PACKS = json.loads((FACTS / "catalog_names.json").read_bytes())


def assert_cited(source: NameSource) -> None:
    assert source.what.strip()
    assert datetime.date.fromisoformat(source.read) >= datetime.date(2026, 11, 1)
    assert not source.address or source.address.startswith("https://")


def test_every_app_has_one_row_with_an_id_a_name_and_a_dated_source() -> None:
    ids = [row["client_id"] for table in (ROWS, PACKS) for row in table["apps"]]
    assert len(ids) == len(set(ids)) == len(named_apps()) > 300, "an app with a pack isn't in the other table"
    for app in named_apps():
        assert is_guid(app.client_id) and app.client_id == app.client_id.lower()
        assert app.name == app.name.strip() != ""
        if app.source.what != "the pack trackerrms":
            assert_cited(app.source)


def test_every_source_is_cited_by_a_row() -> None:
    assert {row["source"] for row in ROWS["apps"]} == set(ROWS["sources"])


def test_an_app_is_found_in_any_letter_case() -> None:
    found = app_name("DE8BC8B5-D9F9-48B1-A8AD-B748DA725064")
    assert found and (found.name, found.vendor, found.is_microsoft) == ("Graph Explorer", "Microsoft", True)
    spark = app_name("b50c1dbd-1855-4e54-b07c-d3c3029e93d3")
    assert spark and (spark.name, spark.vendor, spark.is_microsoft) == ("Spark", "Readdle", False)
    thunderbird = app_name("9e5f94bc-e8a4-4e73-b8be-63364c29d753")
    assert thunderbird and (thunderbird.name, thunderbird.source.what) == ("Thunderbird", "the pack thunderbird")
    assert app_name("00000000-0000-0000-0000-000000000000") is None and app_name("") is None


def test_microsofts_apis_have_the_names_that_reports_give_them() -> None:
    for app_id, name in known_resource_names().items():
        found = app_name(app_id)
        assert found and (found.name, found.is_microsoft) == (name, True)


def test_an_app_without_a_published_id_has_scopes_that_exist() -> None:
    assert len(apps_without_id()) == 6
    for app in apps_without_id():
        assert app.name and app.vendor and app.category in app_categories()
        assert app.scopes and all(scope.lower() in known_scopes(MICROSOFT_GRAPH) for scope in app.scopes)
        assert_cited(app.source)


def test_a_vendors_harmful_advice_is_judged_for_an_app_without_an_id_too() -> None:
    (otter,) = (app for app in apps_without_id() if app.vendor_advice)
    (advice,) = otter.vendor_advice
    assert "Do not allow user consent" in advice.says and "require assignment" in advice.judgement


def test_a_name_contains_no_remark() -> None:
    assert not [app.name for app in named_apps() if re.search(r"named .* by|\?|unknown", app.name)]
