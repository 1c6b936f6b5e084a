"""Scripted trouble: what goes wrong, where, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, ClassVar

from .answer import Answer, Wire
from .call import Call
from .errors import GraphError, no_token
from .query import skiptoken

Match = str | Callable[[Call], bool]
Proper = Callable[[], Answer]
FailWith = Callable[[GraphError], Answer]

_CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "serviceNotAvailable",
    504: "GatewayTimeout",
}


@dataclass(frozen=True)
class Fault:
    """One kind of trouble. `on_items` says whether an item of a batch can suffer it."""

    on_items: ClassVar[bool] = False

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        """The answer in trouble; `proper` makes the true one, `fail` the one for an error."""
        raise NotImplementedError


@dataclass(frozen=True)
class Status(Fault):
    """A Graph error body with this status. `retry_after` is sent as given; `retry_date` as an HTTP date.

    `throttle_scope` says whose requests are too many: ``<Scope>/<Limit>/<ApplicationId>/<TenantId>``. Source: Microsoft
    Graph, "Service-specific throttling limits", identity and access service limits.
    """

    status: int
    retry_after: int | float | str | None = None
    retry_date: float | None = None
    code: str | None = None
    throttle_scope: str = ""
    on_items: ClassVar[bool] = True

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.retry_date is not None:
            headers["Retry-After"] = formatdate(self.retry_date, usegmt=True)
        if self.status == 429:
            headers["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
        if self.throttle_scope:
            headers["x-ms-throttle-scope"] = self.throttle_scope
        code = self.code or _CODES.get(self.status, "UnknownError")
        return fail(GraphError(self.status, code, f"Scripted answer {self.status}.", headers))


@dataclass(frozen=True)
class Challenge(Fault):
    """401 that asks for a fresh token with these claims, as continuous access evaluation does."""

    claims: str = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ=="

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return fail(no_token("Continuous access evaluation asks for a new token.", self.claims))


@dataclass(frozen=True)
class Reset(Fault):
    """The connection is reset before a byte of the answer."""

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return Answer(0, None, wire=Wire.RESET)


@dataclass(frozen=True)
class Silence(Fault):
    """No answer, ever; the connection stays open until the client or the server goes."""

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return Answer(0, None, wire=Wire.SILENT)


@dataclass(frozen=True)
class Held(Fault):
    """The right answer, once the test sets `until`: however long that takes, no clock decides it."""

    until: threading.Event

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return replace(proper(), held=self.until)


@dataclass(frozen=True)
class Cut(Fault):
    """The right answer, of which the second half never comes."""

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return replace(proper(), wire=Wire.CUT)


@dataclass(frozen=True)
class HtmlPage(Fault):
    """A proxy's page instead of Graph's answer, by default with status 200."""

    status: int = 200

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        page = b"<!doctype html><title>Sign in</title><form><input name=user><input name=password></form>"
        return Answer(self.status, page, content_type="text/html; charset=utf-8")


@dataclass(frozen=True)
class ContentType(Fault):
    """The right body under the wrong content type."""

    content_type: str = "text/plain"

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return replace(proper(), content_type=self.content_type)


@dataclass(frozen=True)
class Body(Fault):
    """This body, by default with status 200: a JSON value of the wrong shape, or bytes that aren't JSON at all."""

    body: Any
    status: int = 200
    on_items: ClassVar[bool] = True

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return Answer(self.status, self.body)


@dataclass(frozen=True)
class Changed(Fault):
    """The right answer, with `change` applied to its body; of a batch or of one item."""

    change: Callable[[Any], Any]
    on_items: ClassVar[bool] = True

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        true = proper()
        return replace(true, body=self.change(true.body))


@dataclass(frozen=True)
class EmptyPage(Fault):
    """A page without rows whose next link leads to the real first page: legal, and easily taken for the end."""

    on_items: ClassVar[bool] = True

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return Answer(200, {"@odata.nextLink": call.link(skiptoken(call, 0)), "value": []})


@dataclass(frozen=True)
class NextLink(Fault):
    """The right page with another next link; without `url`, a link to this very page."""

    url: str | None = None
    on_items: ClassVar[bool] = True

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        true = proper()
        return replace(true, body={**true.body, "@odata.nextLink": self.url or call.url})


@dataclass(frozen=True)
class Redirect(Fault):
    """302 to another address."""

    url: str

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        return Answer(302, b"", headers={"Location": self.url}, content_type="text/plain")


@dataclass
class _Scripted:
    match: Match
    kind: Fault
    left: int | None

    def hits(self, call: Call) -> bool:
        if call.in_batch and not self.kind.on_items:
            return False
        return self.match(call) if callable(self.match) else self.match in call.text


@dataclass
class Script:
    """The faults still to come, in the order they were written."""

    _scripted: list[_Scripted] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, match: Match, kind: Fault, times: int | None) -> None:
        """Let `kind` befall the next `times` requests that match; `None` is for ever."""
        with self._lock:
            self._scripted.append(_Scripted(match, kind, times))

    def take(self, call: Call) -> Fault | None:
        """The fault for this call, used up by one."""
        with self._lock:
            for scripted in self._scripted:
                if scripted.left != 0 and scripted.hits(call):
                    if scripted.left is not None:
                        scripted.left -= 1
                    return scripted.kind
        return None

    def left(self) -> Mapping[str, int]:
        """What has not happened yet, by the text of its kind: a test that scripts a fault expects it to happen."""
        return {str(scripted.kind): scripted.left for scripted in self._scripted if scripted.left}

    def clear(self) -> None:
        """No more trouble."""
        with self._lock:
            self._scripted.clear()
