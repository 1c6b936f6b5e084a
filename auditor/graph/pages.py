"""A page of a large list: checked, and its rows passed on as they are, without an object for each property."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec

from auditor.graph.response import GraphResponse, read_response


def read_page(response: httpx.Response) -> GraphResponse:
    """The same as `read_response`, but the rows of a sound page (`value`) are `msgspec.Raw`, each in one line."""
    if response.status_code == 200 and "json" in response.headers.get("content-type", "").lower():
        body = _page(response.content)
        if body is not None:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return GraphResponse(status=200, headers=headers, body=body)
    return read_response(response)


def _page(content: bytes) -> dict[str, Any] | None:
    """The page, or nothing for anything but a JSON object with a list of values and each of its names once."""
    try:
        if not content.isascii():
            content.decode()  # msgspec doesn't decode the text in rows, so that it doesn't find what isn't UTF-8
        parts = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if b"\n" in content or len(msgspec.json.encode(parts)) != len(content):
            content = msgspec.json.format(content, indent=-1)  # without line breaks and blanks
            parts = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
            if len(msgspec.json.encode(parts)) != len(content):
                return None  # a name occurs twice, and one of the values is lost
        value = parts.pop("value")
        rows = msgspec.json.decode(value, type=list[msgspec.Raw])
        if not _are_alike(rows, bytes(value)):
            return None
        return {**{name: msgspec.json.decode(part) for name, part in parts.items()}, "value": rows}
    except (KeyError, ValueError, RecursionError):
        return None


def _are_alike(rows: list[msgspec.Raw], value: bytes) -> bool:
    """Whether every row has as many names as the first one, which has each of its names once.

    Graph returns all selected properties of every row. A row that has another number may have a name twice.
    """
    if not rows:
        return True
    first = bytes(rows[0])
    json.loads(first, object_pairs_hook=_refuse_twins)
    return value.count(_END_OF_NAME) == first.count(_END_OF_NAME) * len(rows)


_END_OF_NAME = b'":'


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name occurs twice")
