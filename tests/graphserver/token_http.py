"""The token side on the wire: Entra over TLS and the metadata endpoint over plain HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from aiohttp.web_request import BaseRequest

from .answer import Answer
from .call import read_call
from .clients import Client, Refused
from .clock import Clock
from .consent_page import consent_page, is_consent_page
from .entra import Entra, refusal
from .errors import GraphError
from .faults import Script
from .imds import imds_reply
from .listener import Listener
from .records import TokenRequest

_TYPE = "application/json; charset=utf-8"


class TokenSide:
    """Hears requests for tokens, remembers them, and lets scripted faults strike."""

    def __init__(
        self,
        entra: Entra,
        machine: Client,
        tenant_id: str,
        errors: list[Exception],
        clock: Clock,
    ) -> None:
        self._entra = entra
        self._machine = machine
        self._tenant_id = tenant_id
        self._errors = errors
        self._clock = clock
        self.script = Script()
        self.requests: list[TokenRequest] = []

    def listener(self, tls: ssl.SSLContext) -> Listener:
        """Entra's listener."""
        self._entra_side = Listener(self._handle_entra, tls)
        return self._entra_side

    def machine_listener(self) -> Listener:
        """The listener that only a virtual machine can reach."""
        self._imds_side = Listener(self._handle_imds, None)
        return self._imds_side

    async def _handle_entra(self, request: BaseRequest) -> web.StreamResponse:
        form = dict(parse_qsl((await request.read()).decode())) or dict(request.query)
        base = f"https://{request.host}"

        def proper() -> Answer:
            if is_consent_page(request.method, request.path):
                return consent_page(self._entra, request.path, form, request.headers.get("Cookie", ""))
            status, body = self._entra.reply(request.method, base, request.path, form)
            return Answer(status, body, content_type=_TYPE)

        answer = self._answer(request, base, form, proper)
        return await self._entra_side.send(request, answer, self._clock.headers({}))

    async def _handle_imds(self, request: BaseRequest) -> web.StreamResponse:
        query = dict(request.query)
        headers = {name.lower(): value for name, value in request.headers.items()}

        def proper() -> Answer:
            status, body = imds_reply(self._entra, self._machine, self._tenant_id, request.path, query, headers)
            return Answer(status, body, content_type=_TYPE)

        form = {"grant_type": "managed_identity", "scope": query.get("resource", ""), **query}
        answer = self._answer(request, f"http://{request.host}", form, proper)
        return await self._imds_side.send(request, answer, self._clock.headers({}))

    def _answer(self, request: BaseRequest, base: str, form: Mapping[str, str], proper: Callable[[], Answer]) -> Answer:
        def fail(error: GraphError) -> Answer:
            body = refusal(Refused(error.status, "temporarily_unavailable", 90033, error.message), self._clock)
            return Answer(error.status, body, error.headers, _TYPE)

        call = read_call(request.method, base + request.raw_path, {})
        fault = self.script.take(call)
        try:
            answer = proper() if fault is None else fault.answer(call, proper, fail)
        except Exception as error:  # noqa: BLE001 - kept, and raised when the server stops
            self._errors.append(error)
            answer = fail(GraphError(500, "", f"The test server failed: {error!r}"))
        self.requests.append(_record(request, form, answer))
        return answer


def _record(request: BaseRequest, form: Mapping[str, str], answer: Answer) -> TokenRequest:
    path = urlsplit(request.path).path
    numbers = answer.body.get("error_codes", [None]) if isinstance(answer.body, dict) else [None]
    return TokenRequest(
        request.method,
        path,
        answer.status,
        path.strip("/").partition("/")[0],
        form.get("grant_type"),
        form.get("client_id"),
        form.get("scope"),
        numbers[0],
    )
