"""The schema of a snapshot says what reading it asks for."""

from __future__ import annotations

import msgspec

from auditor.model.sections import Sections
from auditor.snapshot.write import schema


def test_the_schema_names_every_section() -> None:
    defined = schema()["$defs"]
    assert list(defined["Sections"]["properties"]) == [field.name for field in msgspec.structs.fields(Sections)]


def test_a_snapshot_must_say_what_it_is_of_which_tenant_and_hold_sections() -> None:
    snapshot = schema()["$defs"]["Snapshot"]
    assert snapshot["required"] == ["format", "version", "tenant", "sections"]
    assert snapshot["properties"]["format"] == {"const": "consent-auditor/snapshot"}
    assert snapshot["properties"]["version"] == {"const": 1}


def test_unknown_keys_are_allowed_everywhere() -> None:
    assert '"additionalProperties":false' not in msgspec.json.encode(schema()).decode()


def test_the_schema_is_the_same_every_time() -> None:
    assert schema() == schema()
