"""The JSON form and the JSON Schema of a document that isn't a report: a difference, a survey and the like."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from auditor.render.labels import encoded


def json_bytes(document: msgspec.Struct) -> bytes:
    """The document as indented JSON that ends with a line break."""
    return msgspec.json.format(encoded(document), indent=2) + b"\n"


def json_schema(kind: type[msgspec.Struct], omits_empty: Collection[str] = ()) -> dict[str, Any]:
    """The JSON Schema of a kind of document that has a `format` and a `version`.

    It requires every key that is always written, and allows further ones. `omits_empty` are the names of the types
    whose empty fields aren't written. The schema's ``$id`` is a name, not an address: the schemas ship with the
    program, in docs/schemas.
    """
    fields = {field.name: field.default for field in msgspec.structs.fields(kind)}
    format, version = fields["format"], fields["version"]
    document = msgspec.json.schema(kind)
    for name, one in document["$defs"].items():
        if "properties" in one and name not in omits_empty:
            one["required"] = list(one["properties"])
    properties = document["$defs"][kind.__name__]["properties"]
    properties["format"], properties["version"] = {"const": format}, {"const": version}
    address = f"https://consent-auditor.invalid/schemas/{format.partition('/')[2]}-{version}.json"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": address}
    return {**head, "title": f"{format}, version {version}", **document}
