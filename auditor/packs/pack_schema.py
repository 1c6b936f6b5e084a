"""The JSON Schema of a pack, for editors that complete and check YAML while you write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from auditor.checks import KINDS, every_kind
from auditor.checks.kind import CheckKind
from auditor.checks.permission_lists import resource_keys
from auditor.packs.forms import PackForm


def schema() -> dict[str, Any]:
    """The schema of a pack. A key that a pack can inherit is not required."""
    kinds = every_kind()
    (found, *_), parts = msgspec.json.schema_components([PackForm, *kinds], ref_template="#/$defs/{name}")
    parts["PackForm"]["required"] = ["format", "format-version", "pack", "version"]
    parts["RuleForm"]["required"] = ["id"]
    parts["AppForm"]["required"] = []
    for form in ("AppForm", "VariantForm"):
        parts[form]["properties"]["scopes"]["propertyNames"] = resource_keys()
    _narrow_checks(kinds, parts)
    for part in parts.values():
        if "kind" in part.get("properties", {}):
            part["additionalProperties"] = False
        for text in _texts(part):
            text["minLength"] = 1
            # An empty text is the default of a key that may be missing; written down it is a mistake.
            if text.get("default") == "":
                del text["default"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule pack of consent-auditor",
        **found,
        "$defs": parts,
    }


def _narrow_checks(kinds: tuple[type[CheckKind], ...], parts: dict[str, Any]) -> None:
    """Replace the base of all checks by a choice of the kinds, and add what their validation requires."""
    mapping = {name: f"#/$defs/{kind.__name__}" for name, kind in zip(KINDS, kinds, strict=True)}
    choice = {
        "anyOf": [{"$ref": ref} for ref in mapping.values()],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    base = {"$ref": f"#/$defs/{CheckKind.__name__}"}
    for part in parts.values():
        for table in _tables(part):
            for key, value in table.items():
                if value == base:
                    table[key] = choice
    del parts[CheckKind.__name__]
    for kind in kinds:
        kind.narrow_schema(parts[kind.__name__])
    for type_ in dict.fromkeys(table for kind in kinds for table in kind.tables):
        type_.narrow_schema(parts[type_.__name__])


def _tables(part: Any) -> Iterator[dict[str, Any]]:
    """Every table of the schema."""
    if isinstance(part, dict):
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _tables(value)


def _texts(part: Any) -> Iterator[dict[str, Any]]:
    """Every text in the schema: the loader accepts no empty text anywhere."""
    yield from (table for table in _tables(part) if table.get("type") == "string")
