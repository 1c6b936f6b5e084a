"""$select, $filter, $orderby, $top, $count and the pages they make."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from .call import Call
from .errors import GraphError, bad_query, bad_request
from .routes import Route, unselected
from .tenant import Row

_KNOWN = frozenset({"$select", "$filter", "$orderby", "$top", "$count", "$skiptoken", "$format"})


def selected(call: Call, route: Route, row: Row, unknown: frozenset[str]) -> Row:
    """One row as `call` wants it: properties not selected are absent, not null. Annotations come unasked."""
    shown = route.show(call.version, row)
    if "$select" not in call.query:
        return unselected(shown, route)
    wanted = [name.strip() for name in call.query["$select"].split(",")]
    for name in wanted:
        if name in unknown:
            raise bad_request(f"Could not find a property named '{name}' on type '{route.type_name}'.")
    annotations = [name for name in shown if name.startswith("@odata.")]
    return {name: shown[name] for name in (*annotations, *wanted) if name in shown}


def check_options(call: Call) -> None:
    """400 for an option this server does not know: better loud than ignored."""
    for name in call.query:
        if name.startswith("$") and name not in _KNOWN:
            raise bad_query(f"The query option '{name}' is not taken here.")


def page(call: Call, route: Route, rows: list[Row], size: int | None, unknown: frozenset[str]) -> dict[str, Any]:
    """The page of `rows` that `call` asks for, with the link to the next when there is more."""
    if text := call.query.get("$filter"):
        holds = route.filters.check(text, route.type_name)
        rows = [row for row in rows if holds(row)]
    if order := call.query.get("$orderby"):
        rows = _ordered(rows, order)
    start = _start(call)
    stop = start + min(_top(call, route), size or route.paging.most)
    body: dict[str, Any] = {"@odata.context": context(call)}
    if route.counted or call.query.get("$count") == "true":
        body["@odata.count"] = len(rows)
    if stop < len(rows):
        body["@odata.nextLink"] = call.link(skiptoken(call, stop))
    body["value"] = [selected(call, route, row, unknown) for row in rows[start:stop]]
    return body


def context(call: Call, *, entity: bool = False) -> str:
    """Where Graph describes what it returns; nobody should need it."""
    columns = f"({call.query['$select']})" if "$select" in call.query else ""
    return f"{call.base}/{call.version}/$metadata#{call.path.strip('/')}{columns}" + ("/$entity" if entity else "")


def skiptoken(call: Call, start: int) -> str:
    """An opaque token for the page that begins at `start`; it belongs to this very question."""
    sealed = start.to_bytes(8) + _seal(call.path, call.query)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _start(call: Call) -> int:
    token = call.query.get("$skiptoken")
    if token is None:
        return 0
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        raw = b""
    if raw[8:] != _seal(call.path, call.query) or len(raw) < 9:
        raise GraphError(400, "Directory_ExpiredPageToken", "The skiptoken belongs to another question.")
    return int.from_bytes(raw[:8])


def _seal(path: str, query: Mapping[str, str]) -> bytes:
    asked = sorted((name, value) for name, value in query.items() if name != "$skiptoken")
    return hashlib.sha256(repr((path.lower(), asked)).encode()).digest()[:12]


def _top(call: Call, route: Route) -> int:
    text = call.query.get("$top")
    if text is None:
        return route.paging.default
    if not text.isdigit() or not 1 <= int(text) <= route.paging.most:
        raise bad_query(f"Invalid page size '{text}': between 1 and {route.paging.most}.")
    return int(text)


def _ordered(rows: list[Row], order: str) -> list[Row]:
    name, _, direction = order.strip().partition(" ")
    if direction.strip() not in ("", "asc", "desc"):
        raise bad_query(f"Invalid order '{order}'.")
    return sorted(rows, key=lambda row: str(row.get(name) or ""), reverse=direction.strip() == "desc")
