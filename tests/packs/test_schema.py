"""The JSON Schema names what the loader accepts."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor.model.app import RequestMode
from auditor.model.rule import Check
from auditor.packs.errors import PackError, Problems
from auditor.packs.positions import plain, read
from auditor.packs.schema import schema
from auditor.packs.sources import shipped_names, shipped_source
from tests.packs.text import SOUND, loaded


def test_every_kind_of_check_is_in_the_schema() -> None:
    kinds = {kind.__struct_config__.tag for kind in Check.__subclasses__()}
    assert set(schema()["$defs"]["RuleForm"]["properties"]["check"]["discriminator"]["mapping"]) == kinds


def test_a_request_mode_of_the_model_is_one_of_the_schema() -> None:
    assert set(schema()["$defs"]["RequestMode"]["enum"]) == set(RequestMode)


def test_every_key_of_a_shipped_pack_is_in_the_schema() -> None:
    found = schema()
    for name in shipped_names():
        node = read(shipped_source(name).text, name, Problems())
        assert node is not None
        covered(plain(node), found, found["$defs"])


def accepted(text: str) -> bool:
    """Whether the schema accepts the pack."""
    node = read(text.encode(), "mine.yaml", Problems())
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
    ],
)
def test_what_an_editor_underlines_the_loader_refuses(text: str) -> None:
    assert text != SOUND
    assert not accepted(text)
    with pytest.raises(PackError):
        loaded(text)


def covered(value: Any, part: dict[str, Any], defs: dict[str, Any]) -> None:
    while "$ref" in part:
        part = defs[part["$ref"].rpartition("/")[2]]
    for key, item in value.items() if isinstance(value, dict) else ():
        if part.get("additionalProperties") is False:
            assert key in part["properties"]
        covered(item, part.get("properties", {}).get(key, {}), defs)
    for item in value if isinstance(value, list) else ():
        covered(item, part.get("items", {}), defs)
