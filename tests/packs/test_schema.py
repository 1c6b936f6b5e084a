"""The JSON Schema names what the loader accepts."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor.checks import KINDS
from auditor.model.rule import RequestMode
from auditor.packs import PackError, PackProblems
from auditor.packs.load import shipped_names, shipped_source
from auditor.packs.pack_schema import schema
from auditor.packs.yaml_nodes import plain, read
from tests.packs.text import SOUND, loaded

TEMPLATE = "dffd5d46-495d-40a9-8e21-954ff55e198a"


def test_every_kind_of_check_is_in_the_schema() -> None:
    assert set(schema()["$defs"]["RuleForm"]["properties"]["check"]["discriminator"]["mapping"]) == set(KINDS)


def test_a_request_mode_of_the_model_is_one_of_the_schema() -> None:
    assert set(schema()["$defs"]["RequestMode"]["enum"]) == set(RequestMode)


def test_every_key_of_a_shipped_pack_is_in_the_schema() -> None:
    found = schema()
    for name in shipped_names():
        node = read(shipped_source(name).text, name, PackProblems())
        assert node is not None
        covered(plain(node), found, found["$defs"])


def accepted(text: str) -> bool:
    """Whether the schema accepts the pack."""
    node = read(text.encode(), "mine.yaml", PackProblems())
    assert node is not None
    return Draft202012Validator(schema()).is_valid(plain(node))


def with_check(check: str) -> str:
    return SOUND.replace("{kind: users-can-connect}", check)


@pytest.mark.parametrize("name", shipped_names())
def test_an_editor_finds_nothing_wrong_with_a_shipped_pack(name: str) -> None:
    assert accepted(shipped_source(name).text.decode())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SOUND.replace("severity: low", "severity: grave"), id="an unknown severity"),
        pytest.param(SOUND.replace("    title: Users can connect\n", "    title: 5\n"), id="a number for a title"),
        pytest.param(SOUND.replace("why:", "wy:"), id="a typo in a key"),
        pytest.param(SOUND.replace("5353A3D2", "5353"), id="a malformed client id"),
        pytest.param(SOUND.replace("pack: mine", "pack: My Pack"), id="a space in the pack's name"),
        pytest.param(with_check("{kind: users-can-conect}"), id="an unknown kind"),
        pytest.param(with_check("{kind: users-can-connect, level: low}"), id="a key of no kind"),
        pytest.param(
            with_check("{kind: setting, path: authorizationPolicy.allowInvitesFrom}"), id="setting: no comparison"
        ),
        pytest.param(
            with_check("{kind: setting, path: authorizationPolicy.allowInvitesFrom, equals: none, present: true}"),
            id="setting: two comparisons",
        ),
        pytest.param(
            with_check("{kind: setting, path: authorizationPolicy.allowInvitesForm, equals: none}"),
            id="setting: an unknown path",
        ),
        pytest.param(with_check("{kind: count, of: servicePrincipals}"), id="count: no bound"),
        pytest.param(with_check("{kind: classifications, lists: [riski]}"), id="classifications: an unknown list"),
        pytest.param(
            with_check("{kind: every, of: servicePrincipals, has: [{path: appId}]}"), id="every: no comparison"
        ),
        pytest.param(
            with_check("{kind: every, of: servicePrincipal, has: [{path: appId, present: true}]}"),
            id="every: an unknown section",
        ),
        pytest.param(
            with_check("{kind: every, of: authorizationPolicy, has: [{path: id, present: true}]}"),
            id="every: an object for a list",
        ),
        pytest.param(with_check("{kind: every, of: users, has: []}"), id="every: no conditions"),
        pytest.param(
            with_check("{kind: every, of: users, has: [{path: id, present: true, match: exact}]}"),
            id="every: match without a list",
        ),
        pytest.param(
            with_check("{kind: every, of: users, has: [{path: userType, present: true, missing-means: Guest}]}"),
            id="every: missing-means without a value",
        ),
        pytest.param(with_check("{kind: any, checks: []}"), id="any: no checks"),
        pytest.param(
            with_check("{kind: user-consent-setting, allowed: []}"), id="user-consent-setting: nothing allowed"
        ),
        pytest.param(
            with_check("{kind: setting, path: authorizationPolicy.allowInvitesFrom, one-of: []}"),
            id="setting: no values",
        ),
        pytest.param(
            with_check("{kind: setting, path: permissionGrantPolicies, present: true}"),
            id="setting: a list for a value",
        ),
        pytest.param(
            with_check("{kind: setting, path: authorizationPolicy, present: true}"), id="setting: an object for a value"
        ),
        pytest.param(
            with_check("{kind: list, path: authorizationPolicy.allowInvitesFrom, none-of: [none]}"),
            id="list: a value for a list",
        ),
        pytest.param(
            with_check("{kind: list, path: authorizationPolicy.enabledPreviewFeatures, any-of: []}"),
            id="list: no values",
        ),
        pytest.param(with_check("{kind: count, of: users, at-least: 0}"), id="count: at least 0"),
        pytest.param(with_check("{kind: count, of: users, at-most: -1}"), id="count: at most -1"),
        pytest.param(
            with_check("{kind: directory-setting, name: EnableAdminConsent, equals: true}"),
            id="directory-setting: an unknown name",
        ),
        pytest.param(
            with_check(f"{{kind: directory-setting, template: {TEMPLATE}, name: Enable, equals: true}}"),
            id="directory-setting: an unknown name of the template",
        ),
        pytest.param(
            with_check("{kind: directory-setting, template: consent-policy-setting, name: X, equals: true}"),
            id="directory-setting: an unknown template",
        ),
        pytest.param(with_check("{kind: app-roles-held, lists: []}"), id="app-roles-held: no lists"),
        pytest.param(with_check("{kind: app-roles-held}"), id="app-roles-held: nothing to look for"),
        pytest.param(
            with_check("{kind: app-roles-held, lists: [mail-app-only], state: gone, owner: foreign}"),
            id="app-roles-held: gone and foreign",
        ),
        pytest.param(
            with_check("{kind: delegated-grants, state: gone, publisher: unverified}"),
            id="delegated-grants: gone and unverified",
        ),
        pytest.param(with_check("{kind: delegated-grants, lists: []}"), id="delegated-grants: no lists"),
        pytest.param(with_check("{kind: delegated-grants, scopes: {}}"), id="delegated-grants: no resources"),
        pytest.param(
            with_check("{kind: delegated-grants, scopes: {microsoft-graph: []}}"), id="delegated-grants: no scopes"
        ),
        pytest.param(
            with_check("{kind: delegated-grants, scopes: {microsoft-grph: [Mail.Read]}}"),
            id="delegated-grants: an unknown resource",
        ),
        pytest.param(with_check("{kind: classifications}"), id="classifications: nothing to look for"),
        pytest.param(
            with_check("{kind: assigned-policies, expect: none, wording: {forbids: []}}"),
            id="assigned-policies: nothing forbidden",
        ),
        pytest.param(SOUND.replace("scopes: {microsoft-graph", "scopes: {graph"), id="an unknown resource of the app"),
        pytest.param(SOUND.replace("    why: Because.\n", '    why: ""\n'), id="a blank reason"),
        pytest.param(SOUND.replace("title: Mine", 'title: ""'), id="a blank title"),
    ],
)
def test_what_an_editor_underlines_the_loader_refuses(text: str) -> None:
    assert text != SOUND
    assert not accepted(text)
    with pytest.raises(PackError):
        loaded(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            with_check(
                "{kind: every, of: permissionGrantPolicies.includes, has: [{path: permissions, any-of: [all]}]}"
            ),
            id="every: items in a list",
        ),
        pytest.param(
            with_check("{kind: every, of: users, has: [{path: userType, equals: Guest, missing-means: Member}]}"),
            id="every: missing-means with a value",
        ),
        pytest.param(with_check("{kind: count, of: appRoleAssignedTo, at-most: 0}"), id="count: assignments"),
        pytest.param(
            with_check("{kind: list, path: authorizationPolicy.enabledPreviewFeatures, any-of: [x], match: exact}"),
            id="list: exact letter case",
        ),
        pytest.param(
            with_check("{kind: setting, path: authorizationPolicy.enabledPreviewFeatures, present: true}"),
            id="setting: a list is present",
        ),
        pytest.param(
            with_check(
                f"{{kind: directory-setting, template: {TEMPLATE}, name: EnableGroupSpecificConsent, equals: true}}"
            ),
            id="directory-setting: a known name",
        ),
        pytest.param(
            with_check("{kind: directory-setting, template: 11111111-2222-3333-4444-555555555555, name: X, equals: 1}"),
            id="directory-setting: a template of the tenant",
        ),
        pytest.param(
            with_check("{kind: delegated-grants, state: gone, owner: any}"), id="delegated-grants: gone, any owner"
        ),
        pytest.param(
            with_check("{kind: delegated-grants, state: disabled, owner: foreign, publisher: unverified}"),
            id="delegated-grants: disabled and unverified",
        ),
        pytest.param(
            with_check("{kind: delegated-grants, scopes: {11111111-2222-3333-4444-555555555555: [x]}}"),
            id="delegated-grants: a resource by its id",
        ),
        pytest.param(
            with_check("{kind: classifications, lists: [risky], scopes: {exchange-online: [Mail.Read]}}"),
            id="classifications: lists and scopes",
        ),
    ],
)
def test_what_the_loader_takes_an_editor_does_not_underline(text: str) -> None:
    loaded(text)
    assert accepted(text)


def covered(value: Any, part: dict[str, Any], defs: dict[str, Any]) -> None:
    while "$ref" in part:
        part = defs[part["$ref"].rpartition("/")[2]]
    for key, item in value.items() if isinstance(value, dict) else ():
        if part.get("additionalProperties") is False:
            assert key in part["properties"]
        covered(item, part.get("properties", {}).get(key, {}), defs)
    for item in value if isinstance(value, list) else ():
        covered(item, part.get("items", {}), defs)
