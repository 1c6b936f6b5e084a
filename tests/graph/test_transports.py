"""Both transports, the one for small reads and the one for large collections, keep the same promises."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest

from auditor.graph.graph_errors import (
    BrokenJson,
    ForeignHost,
    GraphError,
    NotJson,
    TokenRefused,
    Unreachable,
    UntrustedCertificate,
)
from auditor.graph.pages import rows_of
from auditor.graph.response import GraphResponse
from auditor.graph.transport import GraphClient
from tests.graph.live_tenants import Sleeps, tenant, where, with_client
from tests.graph.proxy import TunnelProxy
from tests.graphserver import Challenge, Cut, Fault, GraphServer, HtmlPage, Redirect, Reset, Status
from tests.graphserver.answer import Answer
from tests.graphserver.call import Call

Ask = Callable[[GraphClient, str], Awaitable[GraphResponse]]


def _small(client: GraphClient, address: str) -> Awaitable[GraphResponse]:
    return client.follow(address, {"ConsistencyLevel": "eventual"})


def _collection(client: GraphClient, address: str) -> Awaitable[GraphResponse]:
    return client.page(address, {"ConsistencyLevel": "eventual"})


both = pytest.mark.parametrize(
    "ask", [pytest.param(_small, id="small reads"), pytest.param(_collection, id="collections")]
)
GRANTS = "/v1.0/oauth2PermissionGrants"


def get(server: GraphServer, ask: Ask, path: str = GRANTS, **options: Any) -> GraphResponse:
    """The response to one read."""

    async def use(client: GraphClient) -> GraphResponse:
        return await ask(client, path if "://" in path else server.graph + path)

    return with_client(server, use, **options)


@both
def test_the_same_request_gets_the_same_answer(ask: Ask) -> None:
    with GraphServer(tenant()) as server:
        response = get(server, ask)
        (request,) = server.requests
    assert response.ok and response.body is not None
    rows = rows_of(response.body["value"])
    assert rows is not None and rows.count == 5 and rows.lines.count(b"\n") == 5
    assert request.authorized and request.headers["consistencylevel"] == "eventual"
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"].startswith("gzip")
    assert "consent-auditor" in request.headers["user-agent"]


@both
def test_a_link_is_sent_as_it_is(ask: Ask) -> None:
    link = f"{GRANTS}?$skiptoken=a%2Fb%3d%27%7e%24+c&x=(1)"
    with GraphServer(tenant()) as server:
        get(server, ask, link)
        assert [request.raw_path for request in server.requests] == [link]


@both
def test_a_proxy_is_used_and_passed_by(ask: Ask) -> None:
    with GraphServer(tenant()) as server, TunnelProxy() as proxy:
        assert get(server, ask, environ={**server.env(), "HTTPS_PROXY": proxy.url}).ok
        assert server.graph.removeprefix("https://") in proxy.asked
        proxy.asked.clear()
        assert get(server, ask, environ={**server.env(), "HTTPS_PROXY": proxy.url, "NO_PROXY": "localhost"}).ok
        assert proxy.asked == []


@both
def test_the_environment_of_the_process_does_not_count(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", "/nowhere")
    with GraphServer(tenant()) as server:
        assert get(server, ask).ok


@both
def test_a_proxy_that_refuses_graph_is_named_without_its_password(ask: Ask) -> None:
    with GraphServer(tenant()) as server, TunnelProxy(refuse="407 Who are you") as proxy:
        host = server.authority.removeprefix("https://").partition(":")[0]
        port = server.authority.rpartition(":")[2]
        url = proxy.url.replace("//", "//someone:hunter2@")
        environ = {**server.env(), "HTTPS_PROXY": url, "NO_PROXY": f"{host}:{port}"}
        with pytest.raises(Unreachable, match="the proxy refused") as caught:
            get(server, ask, environ=environ)
        assert proxy.asked, "the proxy was asked"
    assert "127.0.0.1 (HTTPS_PROXY)" in caught.value.advice
    assert "hunter2" not in f"{caught.value} {caught.value.advice}"


@both
def test_a_certificate_of_another_name_is_not_trusted(ask: Ask) -> None:
    with GraphServer(tenant()) as server:
        other = server.graph.replace("localhost", "localhost.localdomain")
        with pytest.raises(Unreachable) as caught:
            get(server, ask, f"{other}{GRANTS}", at=where(server, graph=other))
    # Not every resolver knows the name.
    assert isinstance(caught.value, UntrustedCertificate) or "no such host" in str(caught.value)


@both
def test_a_redirect_is_not_followed(ask: Ask) -> None:
    with GraphServer(tenant()) as server:
        server.fault(GRANTS, Redirect(f"{server.foreign}{GRANTS}"))
        with pytest.raises(NotJson, match=r"302.*a redirect to 127\.0\.0\.1"):
            get(server, ask)
        assert server.strays == []


@both
def test_another_host_gets_neither_request_nor_token(ask: Ask) -> None:
    with GraphServer(tenant()) as server:
        with pytest.raises(ForeignHost):
            get(server, ask, f"{server.foreign}{GRANTS}")
        assert server.strays == []


class WithCookie(Fault):
    """The right answer, with a cookie."""

    def answer(self, call: Call, proper: Callable[[], Answer], fail: Callable[..., Answer]) -> Answer:
        answer = proper()
        return Answer(answer.status, answer.body, {**answer.headers, "Set-Cookie": "who=me; Path=/; Secure"})


@both
def test_cookies_are_neither_kept_nor_sent(ask: Ask) -> None:
    async def use(client: GraphClient) -> list[GraphResponse]:
        return [await ask(client, f"{client.graph}{GRANTS}") for _ in range(2)]

    with GraphServer(tenant()) as server:
        server.fault(GRANTS, WithCookie(), times=None)
        first, second = with_client(server, use)
        assert first.ok and second.ok
        assert [request.headers.get("cookie") for request in server.requests] == [None, None]


PASSING: Mapping[str, Fault] = {
    "throttled": Status(429, retry_after=2),
    "a server error": Status(500),
    "a reset connection": Reset(),
    "an answer that is cut off": Cut(),
    "a gateway's page": HtmlPage(503),
    "a new token is wanted": Challenge(),
}


@both
@pytest.mark.parametrize("trouble", [pytest.param(fault, id=name) for name, fault in PASSING.items()])
def test_trouble_that_passes_is_tried_again(ask: Ask, trouble: Fault) -> None:
    with GraphServer(tenant()) as server:
        server.fault(GRANTS, trouble)
        assert get(server, ask).ok
        assert not server.faults_left() and len(server.requests) == 2


LASTING: Mapping[str, tuple[Fault, type[GraphError], str]] = {
    "a reset connection": (Reset(), Unreachable, "the connection broke"),
    "an answer that is cut off": (Cut(), GraphError, "cut off"),
    "a sign-in page": (HtmlPage(), NotJson, "Sign in"),
    "a token that is refused": (Status(401), TokenRefused, "twice"),
}


@both
@pytest.mark.parametrize(("trouble", "kind", "says"), [pytest.param(*case, id=name) for name, case in LASTING.items()])
def test_trouble_that_lasts_has_the_same_name(ask: Ask, trouble: Fault, kind: type[GraphError], says: str) -> None:
    with GraphServer(tenant()) as server:
        server.fault(GRANTS, trouble, times=None)
        with pytest.raises(kind, match=says) as caught:
            get(server, ask, retry=Sleeps().retry(attempts=2))
    assert caught.value.advice
    assert not isinstance(caught.value, BrokenJson) or "invalid" in str(caught.value)


@contextlib.contextmanager
def _nobody_listens() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@both
def test_a_connection_that_is_refused_has_the_same_name(ask: Ask) -> None:
    with GraphServer(tenant()) as server, _nobody_listens() as port:
        graph = f"https://127.0.0.1:{port}"
        with pytest.raises(Unreachable, match="the connection was refused"):
            get(server, ask, f"{graph}{GRANTS}", at=where(server, graph=graph))


def test_a_request_that_is_cancelled_when_its_handshake_ends_leaves_no_open_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[socket.socket] = []

    async def use(client: GraphClient) -> None:
        task = asyncio.ensure_future(client.page(server.graph + GRANTS, {}))
        wake = SSLProtocol._wakeup_waiter

        def wake_and_cancel(protocol: Any, error: BaseException | None = None) -> None:
            wake(protocol, error)
            if not protocol._server_side:
                opened.append(protocol._transport.get_extra_info("socket")._sock)
                task.cancel()

        with monkeypatch.context() as patched:
            patched.setattr(SSLProtocol, "_wakeup_waiter", wake_and_cancel)
            with pytest.raises(asyncio.CancelledError):
                await task

    with GraphServer(tenant()) as server:
        with_client(server, use)
    assert [one.fileno() for one in opened] == [-1]
