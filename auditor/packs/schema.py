"""The JSON Schema of a pack, for editors that complete and check YAML while it is written."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from auditor.model.scope_lists import APP_ROLES, SCOPE_LISTS
from auditor.packs.conditions import LIST_TESTS, SCALAR_TESTS
from auditor.packs.forms import PackForm
from auditor.packs.paths import section_paths
from auditor.packs.words import LEVELS, SETTINGS

_TESTS = MappingProxyType(
    {
        "Setting": SCALAR_TESTS,
        "Contains": LIST_TESTS,
        "Test": (*SCALAR_TESTS, *LIST_TESTS),
        "Count": ("at-most", "at-least"),
        "DirectorySettingIs": ("equals", "one-of", "present"),
    }
)
"""The tests of which each of these takes exactly one."""


def schema() -> dict[str, Any]:
    """What a pack may say. A key that an extended pack may hand down is not required."""
    (found,), parts = msgspec.json.schema_components([PackForm], ref_template="#/$defs/{name}")
    parts["PackForm"]["required"] = ["format", "format-version", "pack", "version"]
    parts["RuleForm"]["required"] = ["id"]
    parts["AppForm"]["required"] = []
    for part in parts.values():
        if "kind" in part.get("properties", {}):
            part["additionalProperties"] = False
    parts["ScopesClassified"]["properties"]["level"]["enum"] = list(LEVELS)
    parts["Classifications"]["properties"]["level"]["enum"] = list(LEVELS)
    for kind in ("Classifications", "DelegatedGrants", "UsersCanConsent"):
        parts[kind]["properties"]["lists"]["items"] = {"enum": list(SCOPE_LISTS)}
    parts["AppRolesHeld"]["properties"]["lists"]["items"] = {"enum": list(APP_ROLES)}
    for kind in ("Setting", "Contains"):
        parts[kind]["properties"]["path"]["enum"] = list(section_paths())
    parts["UserConsentSetting"]["properties"]["allowed"]["items"] = {"enum": list(SETTINGS)}
    for kind, tests in _TESTS.items():
        parts[kind]["oneOf"] = [{"required": [name]} for name in tests]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule pack of consent-auditor",
        **found,
        "$defs": parts,
    }
