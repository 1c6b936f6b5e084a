"""The JSON Schema names what the loader accepts."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor.checks.registry import KINDS
from auditor.model.rule import RequestMode
from auditor.packs.pack_errors import PackError, PackProblems
from auditor.packs.pack_schema import schema
from auditor.packs.sources import shipped_names, shipped_source
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
        SOUND.replace("severity: low", "severity: grave"),
        SOUND.replace("    title: Users can connect\n", "    title: 5\n"),
        SOUND.replace("why:", "wy:"),
        SOUND.replace("5353A3D2", "5353"),
        SOUND.replace("pack: mine", "pack: My Pack"),
        with_check("{kind: users-can-conect}"),
        with_check("{kind: users-can-connect, level: low}"),
        with_check("{kind: setting, path: authorizationPolicy.allowInvitesFrom}"),
        with_check("{kind: setting, path: authorizationPolicy.allowInvitesFrom, equals: none, present: true}"),
        with_check("{kind: setting, path: authorizationPolicy.allowInvitesForm, equals: none}"),
        with_check("{kind: count, of: servicePrincipals}"),
        with_check("{kind: classifications, lists: [riski]}"),
        with_check("{kind: every, of: servicePrincipals, has: [{path: appId}]}"),
        with_check("{kind: every, of: servicePrincipal, has: [{path: appId, present: true}]}"),
        with_check("{kind: every, of: authorizationPolicy, has: [{path: id, present: true}]}"),
        with_check("{kind: every, of: users, has: []}"),
        with_check("{kind: every, of: users, has: [{path: id, present: true, match: exact}]}"),
        with_check("{kind: every, of: users, has: [{path: userType, present: true, missing-means: Guest}]}"),
        with_check("{kind: any, checks: []}"),
        with_check("{kind: user-consent-setting, allowed: []}"),
        with_check("{kind: setting, path: authorizationPolicy.allowInvitesFrom, one-of: []}"),
        with_check("{kind: setting, path: permissionGrantPolicies, present: true}"),
        with_check("{kind: setting, path: authorizationPolicy, present: true}"),
        with_check("{kind: list, path: authorizationPolicy.allowInvitesFrom, none-of: [none]}"),
        with_check("{kind: list, path: authorizationPolicy.enabledPreviewFeatures, any-of: []}"),
        with_check("{kind: count, of: users, at-least: 0}"),
        with_check("{kind: count, of: users, at-most: -1}"),
        with_check("{kind: directory-setting, name: EnableAdminConsent, equals: true}"),
        with_check(f"{{kind: directory-setting, template: {TEMPLATE}, name: Enable, equals: true}}"),
        with_check("{kind: directory-setting, template: consent-policy-setting, name: X, equals: true}"),
        with_check("{kind: app-roles-held, lists: []}"),
        with_check("{kind: app-roles-held}"),
        with_check("{kind: app-roles-held, lists: [mail-app-only], state: gone, owner: foreign}"),
        with_check("{kind: delegated-grants, state: gone, publisher: unverified}"),
        with_check("{kind: delegated-grants, lists: []}"),
        with_check("{kind: delegated-grants, scopes: {}}"),
        with_check("{kind: delegated-grants, scopes: {microsoft-graph: []}}"),
        with_check("{kind: delegated-grants, scopes: {microsoft-grph: [Mail.Read]}}"),
        with_check("{kind: classifications}"),
        with_check("{kind: assigned-policies, expect: none, wording: {forbids: []}}"),
        SOUND.replace("scopes: {microsoft-graph", "scopes: {graph"),
        SOUND.replace("    why: Because.\n", '    why: ""\n'),
        SOUND.replace("title: Mine", 'title: ""'),
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
        with_check("{kind: every, of: permissionGrantPolicies.includes, has: [{path: permissions, any-of: [all]}]}"),
        with_check("{kind: every, of: users, has: [{path: userType, equals: Guest, missing-means: Member}]}"),
        with_check("{kind: count, of: appRoleAssignedTo, at-most: 0}"),
        with_check("{kind: list, path: authorizationPolicy.enabledPreviewFeatures, any-of: [x], match: exact}"),
        with_check("{kind: setting, path: authorizationPolicy.enabledPreviewFeatures, present: true}"),
        with_check(
            f"{{kind: directory-setting, template: {TEMPLATE}, name: EnableGroupSpecificConsent, equals: true}}"
        ),
        with_check("{kind: directory-setting, template: 11111111-2222-3333-4444-555555555555, name: X, equals: 1}"),
        with_check("{kind: delegated-grants, state: gone, owner: any}"),
        with_check("{kind: delegated-grants, state: disabled, owner: foreign, publisher: unverified}"),
        with_check("{kind: delegated-grants, scopes: {11111111-2222-3333-4444-555555555555: [x]}}"),
        with_check("{kind: classifications, lists: [risky], scopes: {exchange-online: [Mail.Read]}}"),
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
