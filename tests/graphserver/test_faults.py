"""The server fails on request as networks, proxies and Graph fail; distance costs round trips."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.graphserver import (
    Body,
    Challenge,
    ContentType,
    Cut,
    EmptyPage,
    Fault,
    GraphServer,
    HtmlPage,
    LatencyProxy,
    NextLink,
    Redirect,
    Reset,
    Silence,
    Status,
)
from tests.graphserver.call import Call
from tests.graphserver.example import DOCUMENT, batch, connected, ids
from tests.limits import HUNG_AFTER


@pytest.mark.parametrize("retry_after", [None, 3, 2.128])
def test_throttling_strikes_as_often_as_scripted(
    server: GraphServer, client: httpx.Client, retry_after: float | None
) -> None:
    server.fault("/organization", Status(429, retry_after=retry_after), times=2)
    answers = [client.get("/v1.0/organization") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert not server.faults_left()


def test_a_retry_time_can_be_a_date_and_the_clock_can_be_wrong(server: GraphServer, client: httpx.Client) -> None:
    server.fault("/organization", Status(503, retry_date=1_800_000_000))
    reported = parsedate_to_datetime(client.get("/v1.0/organization").headers["Retry-After"])
    assert reported.timestamp() == 1_800_000_000
    first = parsedate_to_datetime(client.get("/v1.0/organization").headers["Date"])
    server.clock_skew_seconds = 3600
    second = parsedate_to_datetime(client.get("/v1.0/organization").headers["Date"])
    assert 3600 <= (second - first).total_seconds() < 3660


@pytest.mark.parametrize("kind", [pytest.param(Reset(), id="before"), pytest.param(Cut(), id="within")])
def test_a_connection_can_break_before_and_within_an_answer(
    server: GraphServer, client: httpx.Client, kind: Fault
) -> None:
    server.fault("/servicePrincipals", kind)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("/v1.0/servicePrincipals")
    assert client.get("/v1.0/servicePrincipals").status_code == 200
    assert server.connections == 2 and server.requests[0].fault == kind


def test_an_answer_can_never_come(server: GraphServer, client: httpx.Client) -> None:
    server.fault("/organization", Silence())
    with pytest.raises(httpx.ReadTimeout):  # connecting may take its time: only the answer is not waited for
        client.get("/v1.0/organization", timeout=httpx.Timeout(HUNG_AFTER, read=0.05))


def test_it_stops_whatever_state_its_connections_are_in() -> None:
    heard = threading.Event()

    def awaited(call: Call) -> bool:
        if call.path == "/users":
            heard.set()
        return call.path == "/users"

    with contextlib.ExitStack() as clients:
        with GraphServer(DOCUMENT) as server:
            idle, cut, waiting = (clients.enter_context(connected(server)) for _ in range(3))
            idle.get("/v1.0/organization")
            server.fault("/servicePrincipals", Cut())
            with pytest.raises(httpx.RemoteProtocolError):
                cut.get("/v1.0/servicePrincipals")
            server.fault(awaited, Silence())
            never = clients.enter_context(ThreadPoolExecutor(1)).submit(waiting.get, "/v1.0/users")
            assert heard.wait(HUNG_AFTER)
            mute = clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))  # no TLS handshake
        assert mute.recv(1) == b""
        assert isinstance(never.exception(HUNG_AFTER), httpx.TransportError)
        with pytest.raises(httpx.TransportError):
            idle.get("/v1.0/organization")
    gc.collect()  # a transport that was left open warns here, and a warning fails the test


def test_an_answer_can_be_something_else_altogether(server: GraphServer, client: httpx.Client) -> None:
    for kind in (HtmlPage(), ContentType("text/plain"), Body([1]), Body(b"{"), Redirect(server.foreign)):
        server.fault(lambda call: call.path == "/organization", kind)
    page, plain, shape, broken, moved = (client.get("/v1.0/organization") for _ in range(5))
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert plain.headers["Content-Type"] == "text/plain" and plain.json()["value"]
    assert shape.json() == [1] and broken.text == "{"
    assert moved.status_code == 302 and moved.headers["Location"] == server.foreign


def test_next_links_can_lead_astray(server: GraphServer, client: httpx.Client) -> None:
    for kind in (EmptyPage(), NextLink(), NextLink(f"{server.foreign}/v1.0/more"), Challenge()):
        server.fault("/oauth2PermissionGrants", kind)
    empty, loop, foreign, challenged = (client.get("/v1.0/oauth2PermissionGrants?$top=5") for _ in range(4))
    assert ids(empty) == [] and ids(client.get(empty.json()["@odata.nextLink"])) == ["g1", "g2", "g3"]
    assert loop.json()["@odata.nextLink"] == str(loop.url)
    client.get(foreign.json()["@odata.nextLink"])
    assert [stray.authorized for stray in server.strays] == [True]
    assert "insufficient_claims" in challenged.headers["WWW-Authenticate"]


def test_trouble_can_befall_one_item_of_a_batch(server: GraphServer, client: httpx.Client) -> None:
    server.fault("/organization", Status(429, retry_after=4))
    server.fault("/organization", Reset())
    found = batch(client, "/organization", "/organization", "/servicePrincipals/sp-self")
    assert [found[name]["status"] for name in "012"] == [429, 200, 200]
    assert found["0"]["headers"]["Retry-After"] == "4"
    assert len(server.faults_left()) == 1


def test_answers_are_squeezed_for_those_who_can_unpack_them(client: httpx.Client) -> None:
    assert client.get("/v1.0/servicePrincipals").headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/v1.0/servicePrincipals", headers={"Accept-Encoding": ""}).headers


def test_the_proxy_counts_what_distance_costs(server: GraphServer) -> None:
    with LatencyProxy(server.port, 0.005) as proxy:
        with httpx.Client(base_url=proxy.url, verify=server.trust, headers=server.bearer()) as client:
            first = client.get("/v1.0/organization")
            assert first.elapsed.total_seconds() >= 0.01
            before = proxy.round_trips
            client.get("/v1.0/organization")
            assert proxy.round_trips == before + 1
        assert (proxy.connections, before) == (1, 3)
