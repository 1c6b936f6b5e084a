"""Decode and check one response of Graph: it must be a complete JSON object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from auditor.graph.graph_errors import BrokenJson, NotJson
from auditor.graph.network import NOT_MICROSOFT, host_of, title_suffix
from auditor.graph.retry import RETRIED_STATUSES
from auditor.model.snapshot import INVALID_JSON, NOT_AN_OBJECT, NOT_JSON


class GraphResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Status, lower-case headers and the decoded object; `note` says why there is none.

    Status 0 marks an item of a batch that got no answer.
    """

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether Graph returned the requested data."""
        return self.status == 200 and self.body is not None

    @property
    def may_be_retried(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in RETRIED_STATUSES or self.status == 0

    @property
    def code(self) -> str:
        """Graph's error code, or nothing."""
        return str(self._error().get("code") or "")

    @property
    def message(self) -> str:
        """Graph's error message, or the note if there is none."""
        return str(self._error().get("message") or self.note)

    @property
    def request_id(self) -> str:
        """The id with which Microsoft's support finds the request."""
        error = self._error()
        # Some workloads write the inner error's name in lower case.
        inner = error.get("innerError") or error.get("innererror")
        found = inner.get("request-id") if isinstance(inner, dict) else None
        return str(found or self.headers.get("request-id", ""))

    @property
    def claims(self) -> str:
        """The claims challenge of continuous access evaluation (base64) for the next token, or nothing."""
        found = re.search(r'claims="([^"]+)"', self.headers.get("www-authenticate", ""))
        return found[1] if found else ""

    def _error(self) -> Mapping[str, Any]:
        error = self.body.get("error") if self.body is not None else None
        return error if isinstance(error, dict) else {}


def read_response(response: httpx.Response) -> GraphResponse:
    """The Graph response in `response`. Raises `NotJson` for one that cannot come from Graph.

    A failure that may be temporary, or that a new token may fix, is a response even without JSON.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    is_json = "json" in headers.get("content-type", "").lower()
    body: Any = None
    if is_json:
        try:
            body = msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            body = None
    if isinstance(body, dict):
        return GraphResponse(status=response.status_code, headers=headers, body=body)
    what = _described(response, headers)
    if response.status_code in RETRIED_STATUSES or response.status_code == 401:
        return GraphResponse(status=response.status_code, headers=headers, note=what)
    if is_json:
        raise BrokenJson(what, advice=NOT_MICROSOFT)
    raise NotJson(what, advice=NOT_MICROSOFT)


def batch_item_response(item: Mapping[str, Any]) -> GraphResponse:
    """The response to one request of a batch, as the batch's response contains it."""
    status, given, body = item.get("status"), item.get("headers"), item.get("body")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    return GraphResponse(
        status=status if isinstance(status, int) else 0,
        headers=headers,
        body=body if isinstance(body, dict) else None,
        note="" if isinstance(body, dict) else NOT_AN_OBJECT,
    )


def _described(response: httpx.Response, headers: Mapping[str, str]) -> str:
    """Which host answered what, without the body."""
    host, status = host_of(str(response.url)), response.status_code
    kind = headers.get("content-type", "").partition(";")[0] or "no content type"
    if "json" in kind.lower():
        return INVALID_JSON.format(host=host, status=status)
    text = NOT_JSON.format(host=host, status=status, content_type=kind)
    if "location" in headers:
        return f"{text}, a redirect to {urlsplit(headers['location']).hostname or 'another page'}"
    title = title_suffix(response.content[:20_000].decode("utf-8", "replace"))
    return f"{text}: a page{title}" if title else text
