"""Decode and check one response of Graph: it must be a complete JSON object that can be read in one way only."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from auditor.graph.graph_errors import BrokenJson, GraphError, NotJson
from auditor.graph.network import NOT_MICROSOFT, host_of, title_suffix
from auditor.graph.retry import RETRIED_STATUSES
from auditor.model.unread_messages import (
    AMBIGUOUS_JSON,
    ANSWERED_TWICE,
    INVALID_JSON,
    MISSING_IN_BATCH,
    NESTED_JSON,
    NO_STATUS,
    NOT_AN_OBJECT,
    NOT_JSON,
)

_DEEPEST = 64
"""Levels of nesting in an answer. Graph's have fewer than ten, and later steps are recursive."""
_LONGEST = 1000
"""Characters of a message of Graph that are kept."""


class GraphResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Status, lower-case headers and the decoded object; `note` says why there is none.

    Status 0 marks an item of a batch that got no answer. `error` is why the request is not sent again.
    """

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    note: str = ""
    error: GraphError | None = None

    @property
    def ok(self) -> bool:
        """Whether Graph returned the requested data; an error with the status 200 is none."""
        return self.status == 200 and self.body is not None and "error" not in self.body

    @property
    def may_be_retried(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in RETRIED_STATUSES or self.status == 0

    @property
    def code(self) -> str:
        """Graph's error code, or nothing."""
        return _kept(self._error().get("code"))

    @property
    def message(self) -> str:
        """Why the request is not sent again, the note, or Graph's error message."""
        return str(self.error or self.note) or _kept(self._error().get("message"))

    @property
    def request_id(self) -> str:
        """The id with which Microsoft's support finds the request."""
        error = self._error()
        # Some workloads write the inner error's name in lower case.
        inner = error.get("innerError") or error.get("innererror")
        found = inner.get("request-id") if isinstance(inner, dict) else None
        return _kept(found or self.headers.get("request-id"))

    @property
    def claims(self) -> str:
        """The claims that continuous access evaluation asks for in the next token (JSON), or nothing.

        A challenge that isn't a JSON object in base64 asks for nothing.
        """
        found = re.search(r'claims="([^"]+)"', self.headers.get("www-authenticate", ""))
        try:
            text = base64.b64decode(found[1] + "==", altchars=b"-_").decode() if found else ""
            return text if isinstance(json.loads(text), dict) else ""
        except (ValueError, RecursionError):
            return ""

    def _error(self) -> Mapping[str, Any]:
        error = self.body.get("error") if self.body is not None else None
        return error if isinstance(error, dict) else {}


class _UnusableJson(ValueError):
    """The text is not one JSON object with one meaning; the message is the template of what to say about it."""


def read_response(response: httpx.Response, *, is_batch: bool = False) -> GraphResponse:
    """The Graph response in `response`. Raises `NotJson` for one that cannot come from Graph.

    A failure that may be temporary, or that a new token may fix, is a response even without JSON. With `is_batch`, the
    properties of the body are not decoded (`batch_responses` does), so that one bad answer spoils no other.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    problem = NOT_JSON
    if "json" in headers.get("content-type", "").lower():
        try:
            is_shallow = is_batch and response.status_code == 200
            body = _shallow_object(response.content) if is_shallow else _object(response.content)
            return GraphResponse(status=response.status_code, headers=headers, body=body)
        except _UnusableJson as error:
            problem = str(error)
    what = _described(response, headers, problem)
    if response.status_code in RETRIED_STATUSES or response.status_code == 401:
        return GraphResponse(status=response.status_code, headers=headers, note=what)
    raise (BrokenJson if problem == INVALID_JSON else NotJson)(what, advice=NOT_MICROSOFT)


def batch_responses(body: Mapping[str, Any], count: int, host: str) -> list[GraphResponse] | None:
    """The responses of `host` to the `count` requests of a batch, in their order; none if `body` isn't a batch.

    A request without an answer, or with two, has a response with status 0.
    """
    try:
        items = [_batch_item(raw, host) for raw in msgspec.json.decode(body["responses"], type=list[msgspec.Raw])]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    answers = Counter(name for name, _ in items)
    by_id = {
        name: response if answers[name] == 1 else GraphResponse(status=0, note=ANSWERED_TWICE)
        for name, response in items
    }
    nothing = GraphResponse(status=0, note=MISSING_IN_BATCH)
    return [by_id.get(str(number), nothing) for number in range(count)]


def _batch_item(raw: msgspec.Raw, host: str) -> tuple[str, GraphResponse]:
    """The id of a request and the response to it. Raises ValueError if the id can't be read."""
    item = _shallow_object(raw)
    name, status, given = (msgspec.json.decode(item.get(one, b"null")) for one in ("id", "status", "headers"))
    headers = {str(key).lower(): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
        return str(name), GraphResponse(status=0, headers=headers, note=NO_STATUS)
    try:
        return str(name), GraphResponse(status=status, headers=headers, body=_object(item.get("body", b"null")))
    except _UnusableJson as error:
        problem = NOT_AN_OBJECT if str(error) == INVALID_JSON else str(error).format(host=host, status=status)
        return str(name), GraphResponse(status=status, headers=headers, note=problem)


def _object(content: bytes | msgspec.Raw) -> dict[str, Any]:
    """The JSON object in `content`. Raises `_UnusableJson`."""
    with _usable_json():
        body = msgspec.json.decode(content, type=dict[str, Any])
        if msgspec.json.encode(body) != msgspec.json.format(bytes(content), indent=-1):
            # The same in other characters, such as 1.0 and 1, or a name occurs twice, of which one value is lost.
            json.loads(bytes(content), object_pairs_hook=_without_twins)
    level: list[Any] = [body]
    for _ in range(_DEEPEST):
        values = (one.values() if type(one) is dict else one for one in level)
        level = [value for some in values for value in some if type(value) is dict or type(value) is list]
        if not level:
            return body
    raise _UnusableJson(NESTED_JSON)


def _shallow_object(content: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The JSON object in `content`, whose properties are not decoded. Raises `_UnusableJson`."""
    with _usable_json():
        body = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if msgspec.json.format(msgspec.json.encode(body), indent=-1) != msgspec.json.format(bytes(content), indent=-1):
            raise _UnusableJson(AMBIGUOUS_JSON)
    return body


@contextmanager
def _usable_json() -> Iterator[None]:
    """Turn what decoding raises into `_UnusableJson`."""
    try:
        yield
    except _UnusableJson:
        raise
    except RecursionError:
        raise _UnusableJson(NESTED_JSON) from None
    except (ValueError, OverflowError):  # also of text that isn't UTF-8, and of numbers that are too large
        raise _UnusableJson(INVALID_JSON) from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _UnusableJson(AMBIGUOUS_JSON)
    return found


def _kept(text: object) -> str:
    """A text of Graph's error, cut to a length that a report can show."""
    return str(text or "")[:_LONGEST]


def _described(response: httpx.Response, headers: Mapping[str, str], problem: str) -> str:
    """Which host answered what, without the body."""
    host, status = host_of(str(response.url)), response.status_code
    if problem != NOT_JSON:
        return problem.format(host=host, status=status)
    kind = headers.get("content-type", "").partition(";")[0] or "no content type"
    text = NOT_JSON.format(host=host, status=status, content_type=kind)
    if "location" in headers:
        return f"{text}, a redirect to {urlsplit(headers['location']).hostname or 'another page'}"
    title = title_suffix(response.content[:20_000].decode("utf-8", "replace"))
    return f"{text}: a page{title}" if title else text
