"""A page of a large list: checked, and its rows passed on as they are, without an object for each property."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec

from auditor.graph.response import GraphResponse, read_response


class PageRows(msgspec.Struct, frozen=True):
    """The rows of a page: `count` JSON values, each in a line."""

    lines: bytes
    count: int


_NOTHING = msgspec.Raw()


class _Page(msgspec.Struct):
    """The properties that Graph's pages have, in the order of `_NAMES`."""

    context: msgspec.Raw = msgspec.field(name="@odata.context", default=_NOTHING)
    count: msgspec.Raw = msgspec.field(name="@odata.count", default=_NOTHING)
    next: msgspec.Raw = msgspec.field(name="@odata.nextLink", default=_NOTHING)
    value: list[msgspec.Raw] = msgspec.field(default_factory=list)


_NAMES = ("@odata.context", "@odata.count", "@odata.nextLink", "value")
_END_OF_NAME = b'":'
_DEEPEST = 60
"""Levels of nesting in a row that need no closer look; `read_response` refuses a few more in the whole page."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def read_page(response: httpx.Response) -> GraphResponse:
    """The same as `read_response`, but the ``value`` of a sound page is `PageRows`."""
    if response.status_code == 200 and "json" in response.headers.get("content-type", "").lower():
        body = _page(response.content)
        if body is not None:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return GraphResponse(status=200, headers=headers, body=body)
    return read_response(response)


def rows_of(value: object) -> PageRows | None:
    """The rows in the ``value`` of a page, also of one that was decoded in full; none if it isn't a list."""
    if isinstance(value, PageRows):
        return value
    return PageRows(msgspec.json.Encoder().encode_lines(value), len(value)) if isinstance(value, list) else None


def _page(content: bytes) -> dict[str, Any] | None:
    """The page, or nothing for what may have more than one meaning, or none."""
    try:
        if not content.isascii():
            content.decode()  # msgspec doesn't decode the text in rows, so that it doesn't find what isn't UTF-8
        if b"\n" not in content and (body := _checked(content)) is not None:
            return body
        return _checked(msgspec.json.format(content, indent=-1))  # without line breaks and blanks
    except (ValueError, RecursionError):
        return None


def _checked(content: bytes) -> dict[str, Any] | None:
    """The page in a text without blanks. Nothing if it is longer than what was found in it, or if rows differ in form.

    The text is then longer because of blanks, a property that no page has, or a name that occurs twice, of which one
    value is lost.
    """
    page = msgspec.json.decode(content, type=_Page)
    lines = b"\n".join((*page.value, b""))
    found = {
        name: part
        for name, part in zip(_NAMES, (page.context, page.count, page.next), strict=False)
        if part != _NOTHING
    }
    # {"name":…,"value":[…]}, where a comma is after each row but the last.
    length = sum(len(f'"{name}":,') + len(part) for name, part in found.items()) + len('{"value":[]}')
    if len(content) != length + len(lines) - bool(page.value) or not _are_alike(page.value, lines):
        return None
    if _may_be_deep(lines, len(page.value)):
        return None
    rows = PageRows(lines, len(page.value))
    return {**{name: msgspec.json.decode(part) for name, part in found.items()}, "value": rows}


def _may_be_deep(lines: bytes, rows: int) -> bool:
    """Whether a row may have more than `_DEEPEST` levels of nesting; brackets in texts can make it seem so."""
    if lines.count(b"{") + lines.count(b"[") - rows <= _DEEPEST:
        return False
    return any(line.count(b"{") + line.count(b"[") > _DEEPEST and _is_deep(line) for line in lines.splitlines())


def _is_deep(row: bytes) -> bool:
    """The same for one row: whether brackets are left after that many rounds, each of which removes the inner ones."""
    brackets = row.translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def _are_alike(rows: list[msgspec.Raw], lines: bytes) -> bool:
    """Whether every row has as many names as the first one, which has each of its names once.

    Graph returns all selected properties of every row. A row that has another number may have a name twice.
    """
    if not rows:
        return True
    first = bytes(rows[0])
    json.loads(first, object_pairs_hook=_refuse_twins)
    return lines.count(_END_OF_NAME) == first.count(_END_OF_NAME) * len(rows)


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name occurs twice")
