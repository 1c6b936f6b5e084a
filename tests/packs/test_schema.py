"""The JSON Schema names what the loader accepts."""

from __future__ import annotations

from typing import Any

from auditor.model.app import RequestMode
from auditor.model.rule import Check
from auditor.packs.errors import Problems
from auditor.packs.positions import plain, read
from auditor.packs.schema import schema
from auditor.packs.sources import shipped_names, shipped_source


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


def covered(value: Any, part: dict[str, Any], defs: dict[str, Any]) -> None:
    while "$ref" in part:
        part = defs[part["$ref"].rpartition("/")[2]]
    for key, item in value.items() if isinstance(value, dict) else ():
        if part.get("additionalProperties") is False:
            assert key in part["properties"]
        covered(item, part.get("properties", {}).get(key, {}), defs)
    for item in value if isinstance(value, list) else ():
        covered(item, part.get("items", {}), defs)
