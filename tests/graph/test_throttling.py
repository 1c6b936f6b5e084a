"""Microsoft asks to wait: the run waits within its time, says what it can't wait for, and shows each pause."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from auditor.graph.graph_errors import CredentialError, Throttled
from auditor.graph.probe import probe
from auditor.model.snapshot import Plan
from tests.graph.live_tenants import CLIENT, PREFLIGHT, TENANT, Sleeps, read, tenant, where
from tests.graphserver import GraphServer, HtmlPage, Reset, Status

AN_HOUR = Status(429, retry_after=3600)


@pytest.mark.parametrize("status", [pytest.param(429, id="429"), pytest.param(503, id="503")])
def test_graph_that_asks_to_wait_longer_than_the_run_is_named_at_once_with_the_seconds(status: int) -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(status, retry_after=3600), times=None)
        with pytest.raises(Throttled, match=r"Microsoft Graph \(localhost:\d+\) asks to wait 3600 seconds") as caught:
            read(server, PREFLIGHT, retry=sleeps.retry(120))
        assert len(server.requests) == 1
    assert sleeps.slept == [] and "only 120 left" in str(caught.value)
    assert "--wait" in caught.value.advice and caught.value.exit_code == 3


@pytest.mark.parametrize("status", [pytest.param(429, id="429"), pytest.param(503, id="503")])
@pytest.mark.parametrize("auth", ["secret", "certificate", "workload", "managed"])
def test_a_sign_in_service_that_asks_to_wait_longer_than_the_run_is_named_at_once(
    auth: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.token_fault(Status(status, retry_after=3600), match="/", times=None)
        environ = server.env(auth)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)  # azure-identity looks for the managed identity itself
        with pytest.raises(CredentialError, match=r"the sign-in service .* asks to wait 3600 seconds") as caught:
            read(server, PREFLIGHT, retry=sleeps.retry(120), environ=environ)
        assert len(server.token_requests) == 1 and server.requests == []
    assert sleeps.slept == [] and "--wait" in caught.value.advice
    assert str(server.client.secret) not in str(caught.value)


def test_a_pause_that_the_sign_in_service_asks_for_is_made_if_there_is_time() -> None:
    sleeps, pauses = Sleeps(), []
    with GraphServer(tenant()) as server:
        server.token_fault(Status(429, retry_after=40), times=2)
        retry = sleeps.retry(120, on_pause=lambda *pause: pauses.append(pause))
        assert read(server, PREFLIGHT, retry=retry).unread == {}
    assert sleeps.slept == [40, 40] and pauses == [("the sign-in service", 40, True)] * 2


def test_with_wait_the_run_takes_as_long_as_microsoft_asks() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.token_fault(AN_HOUR)
        server.fault("/$batch", AN_HOUR)
        server.fault("/policies/authorizationPolicy", Status(429, retry_after=7200))
        retry = sleeps.retry(120, waits_as_asked=True)
        assert read(server, PREFLIGHT, retry=retry).unread == {}
    assert sleeps.slept == [3600, 3600, 7200]
    assert retry.remaining() == 120, "pauses that are asked for don't count"


def test_even_with_wait_no_pause_is_longer_than_a_day() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(429, retry_after=86_401))
        with pytest.raises(Throttled, match="86401 seconds"):
            read(server, PREFLIGHT, retry=sleeps.retry(120, waits_as_asked=True))
    assert sleeps.slept == []


def test_pauses_at_the_same_time_move_the_deadline_once() -> None:
    sleeps = Sleeps()
    retry = sleeps.retry(120, waits_as_asked=True)

    async def together() -> None:
        retry.remaining()
        now = sleeps.now
        for seconds in (100, 300, 200):
            sleeps.now = now
            await retry.wait(1, seconds)
        sleeps.now = now + 300

    asyncio.run(together())
    assert retry.remaining() == 120


def test_an_item_of_a_batch_that_would_take_too_long_does_not_hold_up_the_others() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", AN_HOUR, times=None)
        server.fault("/organization", Status(429, retry_after=7))
        server.fault("/adminConsentRequestPolicy", Status(503))
        snapshot = read(server, PREFLIGHT, retry=sleeps.retry(120))
        assert [len(request.items) for request in server.requests] == [11, 2]
    assert sleeps.slept == [7]
    unread = snapshot.unread["authorizationPolicy"]
    assert list(snapshot.unread) == ["authorizationPolicy"]
    assert (unread.status, unread.code) == (429, "TooManyRequests") and unread.request_id
    assert "Microsoft Graph" in unread.message and "asks to wait 3600 seconds" in unread.message


def test_items_of_which_each_would_take_too_long_end_the_audit_with_the_seconds() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault(lambda call: call.in_batch, AN_HOUR, times=None)
        with pytest.raises(Throttled, match="asks to wait 3600 seconds"):
            read(server, PREFLIGHT, retry=sleeps.retry(120))
    assert sleeps.slept == []


def test_a_page_that_would_take_too_long_makes_the_list_unread() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant(), page_size=2) as server:
        server.fault("$skiptoken", AN_HOUR, times=None)
        snapshot = read(server, Plan(clients=(CLIENT,)), retry=sleeps.retry(120))
    assert snapshot.sections.oauth2PermissionGrants is None
    assert "asks to wait 3600 seconds" in snapshot.unread[f"oauth2PermissionGrants/{CLIENT}"].message
    assert sleeps.slept == []


def test_a_busy_item_is_asked_for_again_until_the_time_is_over() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", Status(429, retry_after=50), times=None)
        snapshot = read(server, PREFLIGHT, retry=sleeps.retry(120))
    assert sleeps.slept == [50, 50]
    assert "asks to wait 50 seconds, and this run has only 20 left" in snapshot.unread["authorizationPolicy"].message


def test_each_pause_is_reported_before_it_is_made() -> None:
    sleeps, seen = Sleeps(), []
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(503, retry_after=12))
        server.fault("/$batch", HtmlPage(502))
        server.fault("/$batch", Reset())
        server.fault("/organization", Status(429))
        retry = sleeps.retry(120, on_pause=lambda *pause: seen.append((*pause, len(sleeps.slept))))
        assert read(server, PREFLIGHT, retry=retry).unread == {}
    graph = "Microsoft Graph"
    assert seen == [(graph, 12, True, 0), (graph, 1, False, 1), (graph, 2, False, 2), (graph, 0.5, False, 3)]


@pytest.mark.parametrize(
    "retry_after",
    [
        pytest.param("soon", id="a word"),
        pytest.param("-5", id="negative"),
        pytest.param("1e400", id="infinite"),
        pytest.param("nan", id="not a number"),
        pytest.param("9" * 400, id="four hundred digits"),
        pytest.param("Sun, 22 Nov 99999 02:00:00 GMT", id="a year that no clock holds"),
        pytest.param("Sun, 00 Foo 2026 02:00:00 GMT", id="half a date"),
    ],
)
def test_a_time_that_makes_no_sense_is_none(retry_after: str) -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(429, retry_after=retry_after))
        server.fault("/organization", Status(429, retry_after=retry_after))
        server.token_fault(Status(503, retry_after=retry_after))
        assert read(server, PREFLIGHT, retry=sleeps.retry(120)).unread == {}
    assert sleeps.slept == [0.5, 0.5]


def test_the_doctor_says_who_asks_to_wait() -> None:
    with GraphServer(tenant()) as server:
        server.token_fault(AN_HOUR, times=None)
        found = asyncio.run(probe(tenant_id=TENANT, at=where(server), environ=server.env()))
    assert "the sign-in service" in found.problem and "3600 seconds" in found.problem and "--wait" in found.advice
