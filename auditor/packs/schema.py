"""The JSON Schema of a pack, for editors that complete and check YAML while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from auditor.packs.check_schema import narrow_checks, resource_keys
from auditor.packs.forms import PackForm


def schema() -> dict[str, Any]:
    """What a pack may say. A key that an extended pack may hand down is not required."""
    (found,), parts = msgspec.json.schema_components([PackForm], ref_template="#/$defs/{name}")
    parts["PackForm"]["required"] = ["format", "format-version", "pack", "version"]
    parts["RuleForm"]["required"] = ["id"]
    parts["AppForm"]["required"] = []
    parts["AppForm"]["properties"]["scopes"]["propertyNames"] = resource_keys()
    narrow_checks(parts)
    for part in parts.values():
        if "kind" in part.get("properties", {}):
            part["additionalProperties"] = False
        for text in _texts(part):
            text["minLength"] = 1
            # An empty text is what the key stands for when it is left out; written down it is a mistake.
            if text.get("default") == "":
                del text["default"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule pack of consent-auditor",
        **found,
        "$defs": parts,
    }


def _texts(part: Any) -> Iterator[dict[str, Any]]:
    """Every place of the schema where text stands: the loader takes no empty one anywhere."""
    if isinstance(part, dict):
        if part.get("type") == "string":
            yield part
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)
