"""The tables of facts: each names its source, and its ids are ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import auditor.facts
from auditor.checks.snapshot_paths import item_paths, section_paths
from auditor.consent.decision_facts import MAIL_CLIENTS_BOX, PORTAL_SETTINGS
from auditor.facts import ids
from auditor.facts.builtin_policies import portal_name, portal_names
from auditor.facts.ids import (
    CLOUDS,
    MICROSOFT_GRAPH,
    RESOURCE_NAMES,
    RESOURCES,
    is_guid,
    is_one_setting,
    setting_at,
    setting_named,
)
from auditor.facts.permissions import (
    APP_ROLES,
    CISA,
    LISTING_PERMISSIONS,
    PERMISSIONS,
    SCOPE_LISTS,
    is_complete,
    known_scope_ids,
    known_scopes,
    listed_scopes,
)
from auditor.model import sections
from auditor.model.rule import App, Setting
from auditor.model.sections import SECTIONS, Section, SectionForm

FILES = sorted(Path(auditor.facts.__file__).parent.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_every_table_names_its_source(file: Path) -> None:
    table = json.loads(file.read_bytes())
    if "source" in table:
        assert table["source"].strip()
    else:
        assert table["apps"] and all(row["sources"] for row in table["apps"]), "a list of apps names one for each"


def test_every_resource_that_a_pack_can_name_has_a_display_name() -> None:
    assert set(RESOURCES.values()) == set(RESOURCE_NAMES)


def test_a_permission_id_belongs_to_one_scope() -> None:
    scopes = [(resource, scope) for resource in RESOURCES.values() for scope in known_scopes(resource).values()]
    assert len({scope.id for _, scope in scopes}) == len(scopes) == len(known_scope_ids())
    assert all(is_guid(scope.id) and scope.id == scope.id.lower() for _, scope in scopes)


def test_only_microsoft_graph_is_listed_completely() -> None:
    assert [resource for resource in RESOURCES.values() if is_complete(resource)] == [MICROSOFT_GRAPH]


@pytest.mark.parametrize("name", SCOPE_LISTS)
def test_every_list_of_scopes_names_scopes_that_exist(name: str) -> None:
    found = listed_scopes([name])
    assert found
    # CISA's list also names application permissions' twins and scopes that Microsoft has withdrawn.
    missing = found.get(MICROSOFT_GRAPH, frozenset()) - set(known_scopes(MICROSOFT_GRAPH))
    assert not missing or name == CISA


def test_every_application_permission_has_an_id_of_its_resource() -> None:
    roles = [role for roles in APP_ROLES.values() for role in roles]
    assert all(is_guid(role.id) and role.resource in RESOURCE_NAMES for role in roles)


def test_every_cloud_has_addresses_over_tls_without_a_trailing_slash() -> None:
    for cloud in CLOUDS.values():
        for address in (cloud.authority, cloud.graph, cloud.portal):
            assert address.startswith("https://") and not address.endswith("/")


@pytest.mark.parametrize("path", (*section_paths(), *item_paths()))
def test_every_property_that_a_check_can_name_belongs_to_a_setting(path: str) -> None:
    assert setting_at(path).label


def test_a_setting_of_one_app_has_the_app_in_its_id_and_label() -> None:
    app = App(client_id="5353A3D2-8ca9-42d2-b567-ea399ccb5e38", name="TrackerRMS")
    found = setting_named("app-consent", app)
    assert (found.id, found.label) == ("app-consent/5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "Consent to TrackerRMS")
    with pytest.raises(LookupError, match="about an app"):
        setting_named("app-consent")


def test_the_names_and_paths_of_settings_are_unique() -> None:
    rows = json.loads((Path(auditor.facts.__file__).parent / "settings.json").read_bytes())["settings"]
    paths = [path for row in rows for path in row.get("paths", ())]
    of_sections = [setting_at(name) for name in SECTIONS if name not in paths]
    names = [*(row["id"] for row in rows), *(setting.id for setting in of_sections)]
    labels = [*(row["label"] for row in rows), *(setting.label for setting in of_sections)]
    for values in (names, labels, paths):
        twice = {value for value in values if values.count(value) > 1}
        assert twice == set(), "name the section in auditor/facts/settings.json, under a setting with another name"


def test_a_section_that_the_table_does_not_name_is_a_setting_under_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "activityBasedTimeoutPolicies"
    new = Section(name=name, form=SectionForm.LIST, label="The activity-based time-out policies")
    monkeypatch.setattr(sections, "SECTIONS", {**SECTIONS, name: new})
    ids._settings.cache_clear()
    ids._settings_by_path.cache_clear()
    try:
        found = setting_at(f"{name}.definition")
        assert found == Setting(id="activity-based-timeout-policies", label="Activity-based time-out policies")
        assert not is_one_setting(found)
    finally:
        ids._settings.cache_clear()
        ids._settings_by_path.cache_clear()


def test_an_administrator_is_asked_for_each_permission_in_plain_words() -> None:
    for permission in PERMISSIONS.values():
        assert permission.allows[:1].islower()
        assert not permission.allows.endswith(".")
    assert set(LISTING_PERMISSIONS) == {"gdap", "contracts"}
    assert LISTING_PERMISSIONS["contracts"].id == PERMISSIONS["Directory.Read.All"].id


def test_only_a_single_setting_explains_failures() -> None:
    assert is_one_setting(setting_named("user-consent"))
    assert not is_one_setting(setting_at("oauth2PermissionGrants"))
    assert is_one_setting(Setting(id="a-later-version", label="A setting of a later version"))


def test_built_in_policies_have_the_names_of_the_settings_in_the_portal() -> None:
    labels = {setting.label for setting in PORTAL_SETTINGS} | {MAIL_CLIENTS_BOX}
    assert set(portal_names().values()) <= labels
    for setting in PORTAL_SETTINGS:
        if len(setting.policies) == 1:
            assert portal_name(setting.policies[0].upper()) == setting.label
    assert portal_name("contoso-own") == ""
