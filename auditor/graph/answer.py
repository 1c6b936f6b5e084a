"""One answer of Graph, checked for being one: JSON, whole, and an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from auditor.graph.graph_errors import BrokenJson, NotJson
from auditor.graph.network import NOT_MICROSOFT, host_of, titled
from auditor.graph.retry import RETRIED


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status, lower-case headers and the decoded object; `note` says why there is none.

    Status 0 stands for an item of a batch that got no answer.
    """

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether Graph gave what was asked for."""
        return self.status == 200 and self.body is not None

    @property
    def worth_retrying(self) -> bool:
        """Whether the same request may fare better a moment later."""
        return self.status in RETRIED or self.status == 0

    @property
    def code(self) -> str:
        """Graph's error code, or nothing."""
        return str(self._error().get("code") or "")

    @property
    def message(self) -> str:
        """Graph's error message, or what is known instead."""
        return str(self._error().get("message") or self.note)

    @property
    def request_id(self) -> str:
        """The id by which Microsoft's support finds the request."""
        error = self._error()
        # Some workloads write the inner error's name in lower case.
        inner = error.get("innerError") or error.get("innererror")
        found = inner.get("request-id") if isinstance(inner, dict) else None
        return str(found or self.headers.get("request-id", ""))

    @property
    def claims(self) -> str:
        """What continuous access evaluation wants the next token to state (base64), or nothing."""
        found = re.search(r'claims="([^"]+)"', self.headers.get("www-authenticate", ""))
        return found[1] if found else ""

    def _error(self) -> Mapping[str, Any]:
        error = self.body.get("error") if self.body is not None else None
        return error if isinstance(error, dict) else {}


def read_answer(response: httpx.Response) -> Answer:
    """The answer in `response`; raises `NotJson` for what Graph would not say.

    A failure that may pass by itself, or that a new token may mend, is an answer even without JSON.
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
        return Answer(status=response.status_code, headers=headers, body=body)
    what = _described(response, headers)
    if response.status_code in RETRIED or response.status_code == 401:
        return Answer(status=response.status_code, headers=headers, note=what)
    if is_json:
        raise BrokenJson(what, advice=NOT_MICROSOFT)
    raise NotJson(what, advice=NOT_MICROSOFT)


def item_answer(item: Mapping[str, Any]) -> Answer:
    """The answer to one item of a batch, as the batch's own answer holds it."""
    status, given, body = item.get("status"), item.get("headers"), item.get("body")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    return Answer(
        status=status if isinstance(status, int) else 0,
        headers=headers,
        body=body if isinstance(body, dict) else None,
        note="" if isinstance(body, dict) else "the answer inside the batch is no JSON object",
    )


def _described(response: httpx.Response, headers: Mapping[str, str]) -> str:
    """Who answered what, without the body."""
    kind = headers.get("content-type", "").partition(";")[0] or "no content type"
    text = f"{host_of(str(response.url))} answered {response.status_code} with "
    if "json" in kind.lower():
        return f"{text}JSON that is cut off, or is not what Graph would say"
    text += f"{kind} instead of JSON"
    if "location" in headers:
        return f"{text}, leading to {urlsplit(headers['location']).hostname or 'another page'}"
    title = titled(response.content[:20_000].decode("utf-8", "replace"))
    return f"{text}: a page{title}" if title else text
