"""The JSON Schema of a snapshot file."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.model.snapshot import FORMAT, VERSION, Snapshot


def schema() -> dict[str, Any]:
    """What `loads` accepts in canonical spelling; other spellings and unknown keys are accepted besides."""
    document = msgspec.json.schema(Snapshot)
    snapshot = document["$defs"]["Snapshot"]
    snapshot["properties"]["format"] = {"const": FORMAT}
    snapshot["properties"]["version"] = {"const": VERSION}
    snapshot["required"] = ["format", "version", "tenant", "sections"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **document}
