"""A session: addresses, the connection that is ready when the token is, and the doctor's probe."""

from __future__ import annotations

import asyncio
import logging

import pytest

from auditor.graph.access_tokens import TokenProvider
from auditor.graph.collect import collect
from auditor.graph.graph_errors import GraphError
from auditor.graph.network import read_network
from auditor.graph.preconnect import GraphConnector
from auditor.graph.probe import Probe, probe
from auditor.graph.retry import RetryPolicy
from auditor.graph.session import endpoints, open_graph
from auditor.graph.transport import GraphClient, GraphHttpClient
from auditor.model.snapshot import Plan
from tests.graph.live_tenants import PREFLIGHT, TAKEN, TENANT, read, tenant, where
from tests.graphserver import AUDIT_ROLES, CLIENT_ID, GraphServer, HtmlPage, LatencyProxy
from tests.limits import HUNG_AFTER


def test_each_cloud_has_its_addresses_and_asks_for_its_own_tokens() -> None:
    assert endpoints().graph == "https://graph.microsoft.com"
    assert endpoints("us-gov-dod").scope == "https://dod-graph.microsoft.us/.default"
    assert endpoints("china").authority == "https://login.partner.microsoftonline.cn"


def test_a_graph_behind_a_proxy_is_still_the_resource_that_entra_knows() -> None:
    at = endpoints(graph_endpoint="graph-proxy.example/")
    assert at.graph == "https://graph-proxy.example"
    assert at.scope == "00000003-0000-0000-c000-000000000000/.default"


def test_the_environments_authority_counts_for_the_global_cloud_only() -> None:
    environ = {"AZURE_AUTHORITY_HOST": "https://login.example/"}
    assert endpoints(environ=environ).authority == "https://login.example"
    assert endpoints("us-gov", environ=environ).authority == "https://login.microsoftonline.us"
    assert endpoints(authority_host="login.other", environ=environ).authority == "https://login.other"


def test_plain_http_and_unknown_clouds_are_refused() -> None:
    with pytest.raises(GraphError, match="does not use https"):
        endpoints(graph_endpoint="http://graph.example")
    with pytest.raises(GraphError, match="unknown cloud moon") as caught:
        endpoints("moon")
    assert "us-gov-dod" in caught.value.advice


def test_the_first_batch_finds_its_connection_open() -> None:
    with GraphServer(tenant()) as server, LatencyProxy(server.port, 0.0) as proxy:
        at = where(server, graph=proxy.url)

        async def run() -> None:
            async with open_graph(at=at, environ=server.env()) as client:
                assert await asyncio.to_thread(proxy.connected.wait, HUNG_AFTER)
                assert server.requests == []  # nothing was asked yet: the connection waits for the first question
                await collect(client, PREFLIGHT, tenant_id=TENANT, cloud="global", taken=TAKEN, tool="")

        asyncio.run(run())
        assert proxy.connections == 1


def test_a_read_of_beta_has_its_own_open_connection_beside_the_batch() -> None:
    plan = PREFLIGHT.union(Plan(sections=("directorySettings",)))
    with GraphServer(tenant()) as server, LatencyProxy(server.port, 0.0) as proxy:
        at = where(server, graph=proxy.url)

        async def run() -> None:
            async with open_graph(at=at, environ=server.env(), connections=2) as client:
                await collect(client, plan, tenant_id=TENANT, cloud="global", taken=TAKEN, tool="")

        asyncio.run(run())
        assert sorted(f"{request.version}{request.path}" for request in server.requests) == [
            "beta/settings",
            "v1.0/$batch",
        ]
        assert proxy.connections == 2


def test_a_connection_on_stock_that_fails_costs_nothing_but_time() -> None:
    with GraphServer(tenant()) as server:

        async def run() -> None:
            http = GraphHttpClient(GraphConnector(server.graph, read_network(server.env())))
            http.connector.preconnect()
            port_of_nobody = 9
            http.connector.backend.open("localhost", port_of_nobody, http.connector.context, 1)
            async with open_graph(at=where(server), environ=server.env(), http=http) as client:
                await collect(client, PREFLIGHT, tenant_id=TENANT, cloud="global", taken=TAKEN, tool="")
            await http.aclose()

        asyncio.run(run())
        assert server.connections == 1


def test_a_connection_on_stock_that_grew_old_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.graph.preconnect.FRESH_SECONDS", -1.0)
    with GraphServer(tenant()) as server:
        assert read(server, PREFLIGHT).unread == {}
        assert server.connections == 2


def test_no_secret_and_no_token_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with GraphServer(tenant()) as server:
        read(server, PREFLIGHT)
        assert caplog.text
        assert str(server.client.secret) not in caplog.text
        assert "eyJ" not in caplog.text


def run_probe(server: GraphServer, **environ: str) -> Probe:
    return asyncio.run(probe(at=where(server), environ={**server.env(), **environ}))


def test_the_probe_of_a_healthy_tenant() -> None:
    with GraphServer(tenant()) as server:
        found = run_probe(server)
        read = {request.path for request in server.requests} - {"/"}
    assert read == {f"/applications(appId='{CLIENT_ID}')"}, (
        "nothing of the tenant is read but the app's own registration"
    )
    assert [(host.ok, host.clock_is_right, host.problem) for host in found.hosts] == [(True, True, "")] * 2
    assert found.claims is not None and set(found.claims.roles) == set(AUDIT_ROLES)
    assert (found.auth, found.problem) == ("secret", "")


def test_the_probe_sees_a_wrong_clock() -> None:
    with GraphServer(tenant(), clock_skew_seconds=1000) as server:
        found = run_probe(server)
    assert {host.clock_is_right for host in found.hosts} == {False}
    assert all(host.skew is not None and 990 < host.skew < 1010 for host in found.hosts)


def test_the_probe_sees_a_proxys_page() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/v1.0", HtmlPage())
        found = run_probe(server)
    assert [host.ok for host in found.hosts] == [True, False]
    assert "titled “Sign in”" in found.hosts[1].problem and found.hosts[1].advice


def test_the_probe_continues_if_nothing_answers() -> None:
    with GraphServer(tenant()) as server:
        at, environ = where(server), server.env()
    found = asyncio.run(probe(at=at, environ=environ))
    assert [host.ok for host in found.hosts] == [False, False]
    assert found.claims is None and "no answer" in found.problem and found.advice


def test_the_probe_tells_what_is_wrong_with_a_credential() -> None:
    with GraphServer(tenant()) as server:
        found = run_probe(server, AZURE_CLIENT_SECRET="wrong")
    assert (found.code, found.claims) == ("AADSTS7000215", None)
    assert [host.ok for host in found.hosts] == [True, True]


def test_a_deadline_cuts_a_silence_short() -> None:
    from tests.graphserver import Silence

    with GraphServer(tenant()) as server:
        server.fault("/$batch", Silence(), times=None)

        async def run() -> None:
            async with open_graph(at=where(server), environ=server.env(), retry=RetryPolicy(0.5)) as client:
                await collect(client, PREFLIGHT, tenant_id=TENANT, cloud="global", taken=TAKEN, tool="")

        with pytest.raises(GraphError, match="the time for this run is over"):
            asyncio.run(run())


def test_a_client_and_its_parts_say_nothing_in_repr() -> None:
    assert repr(TokenProvider(lambda: None, (), lambda error: GraphError(str(error)))) == "<TokenProvider, 0 fetched>"
    assert GraphClient.__repr__ is object.__repr__
