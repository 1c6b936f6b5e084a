"""The JSON Schema of a pack, for editors that complete and check YAML while it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.facts.scope_lists import APP_ROLES, RESOURCES, SCOPE_LISTS
from auditor.model.checks import TEMPLATES
from auditor.packs.conditions import BOUNDS, LIST_TESTS, SCALAR_TESTS
from auditor.packs.directory_settings import DEFAULT, NAMES
from auditor.packs.directory_settings import TESTS as DIRECTORY_TESTS
from auditor.packs.forms import GUID, PackForm
from auditor.packs.paths import ITEMS, TABLE, TEXTS, Leaf, item_paths, leaf_at, section_paths
from auditor.packs.value_validators import LEVELS, SETTINGS


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


Part = dict[str, Any]

_TESTS = MappingProxyType(
    {
        "Setting": SCALAR_TESTS,
        "Contains": LIST_TESTS,
        "Test": (*SCALAR_TESTS, *LIST_TESTS),
        "Count": BOUNDS,
        "DirectorySettingIs": DIRECTORY_TESTS,
    }
)
"""The tests of which each of these takes exactly one."""

_NEVER_EMPTY = (*LIST_TESTS, "one-of", "checks", "has", "allowed", "lists")
"""Lists that say nothing without an entry."""


def narrow_checks(parts: dict[str, Part]) -> None:
    """Add to the types of checks what the loader asks of their values."""
    for part in parts.values():
        _lists_and_bounds(part.get("properties", {}))
    _never_empty(parts["Wording"]["properties"].values())
    _names(parts)
    _permissions(parts)
    for kind, tests in _TESTS.items():
        parts[kind]["oneOf"] = [{"required": [name]} for name in tests]
    for kind in ("Setting", "Test", "DirectorySettingIs"):
        parts[kind]["not"] = {"required": ["present", "missing-means"]}
    parts["Test"]["if"] = {"required": ["match"]}
    parts["Test"]["then"] = {"anyOf": [{"required": [name]} for name in LIST_TESTS]}
    _directory_setting(parts["DirectorySettingIs"])


def resource_keys() -> Part:
    """What a resource is called: by the names that there are, or by its app id."""
    return {"anyOf": [{"enum": list(RESOURCES)}, {"pattern": GUID}]}


def _lists_and_bounds(properties: dict[str, Part]) -> None:
    _never_empty(properties[name] for name in _NEVER_EMPTY if name in properties)
    for name in BOUNDS:
        if name in properties:
            properties[name]["minimum"] = 1 if name == "at-least" else 0


def _never_empty(properties: Iterable[Part]) -> None:
    for one in properties:
        if one.get("type") == "array":
            one["minItems"] = 1
            if not one.get("default"):
                one.pop("default", None)


def _names(parts: dict[str, Part]) -> None:
    """Words of which there is a closed set, and paths."""
    kinds = {path: leaf.kind for path in section_paths() if isinstance(leaf := leaf_at(path), Leaf)}
    ends = [path for path, kind in kinds.items() if kind not in (ITEMS, TABLE)]
    parts["Setting"]["properties"]["path"]["enum"] = ends
    parts["Contains"]["properties"]["path"]["enum"] = [path for path in ends if kinds[path] == TEXTS]
    for kind in ("Every", "Count"):
        parts[kind]["properties"]["of"]["enum"] = list(item_paths())
    for kind in ("ScopesClassified", "Classifications"):
        parts[kind]["properties"]["level"]["enum"] = list(LEVELS)
    parts["UserConsentSetting"]["properties"]["allowed"]["items"] = {"enum": list(SETTINGS)}


def _permissions(parts: dict[str, Part]) -> None:
    for kind in ("Classifications", "DelegatedGrants", "UsersCanConsent"):
        properties = parts[kind]["properties"]
        properties["lists"]["items"] = {"enum": list(SCOPE_LISTS)}
        scopes = properties["scopes"]
        scopes.pop("default", None)
        scopes.update(minProperties=1, propertyNames=resource_keys())
        scopes["additionalProperties"]["minItems"] = 1
    parts["AppRolesHeld"]["properties"]["lists"]["items"] = {"enum": list(APP_ROLES)}
    parts["Classifications"]["anyOf"] = [{"required": ["lists"]}, {"required": ["scopes"]}]
    anybodys = {name: {"const": "any"} for name in ("publisher", "owner")}
    for kind in ("DelegatedGrants", "AppRolesHeld"):
        parts[kind]["if"] = {"required": ["state"], "properties": {"state": {"const": "gone"}}}
        parts[kind]["then"] = {"properties": anybodys}


def _directory_setting(part: Part) -> None:
    """A template by its name or its id, and the names of the values that it holds."""
    part["properties"]["template"] = {
        "anyOf": [{"enum": list(TEMPLATES)}, {"type": "string", "pattern": GUID}],
        "default": DEFAULT,
    }
    part["allOf"] = [
        {
            "if": {
                "properties": {"template": {"enum": [template, TEMPLATES[template]]}},
                "required": [] if template == DEFAULT else ["template"],
            },
            "then": {"properties": {"name": {"enum": list(names)}}},
        }
        for template, names in NAMES.items()
    ]
