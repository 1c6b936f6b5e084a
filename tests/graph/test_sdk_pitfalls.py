"""What is known to go wrong in the SDK's stack, each held by a test (design, section 5)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import httpcore
import pytest

from auditor.graph.access_tokens import TokenProvider
from auditor.graph.fetch import all_rows
from auditor.graph.graph_errors import BrokenJson, ForeignHost, NotJson, TokenRefused, Unreachable
from auditor.graph.network import read_network
from auditor.graph.preconnect import GraphConnector
from auditor.graph.reads import Read
from auditor.graph.session import open_graph, open_http_client
from auditor.graph.transport import GetRequest, GraphClient, _transport
from auditor.model.snapshot import Plan
from tests.graph.live_tenants import CLIENT, GRAPH, POLICY, PREFLIGHT, TENANT, Sleeps, read, tenant, where, with_client
from tests.graphserver import (
    Body,
    Challenge,
    ContentType,
    Cut,
    EmptyPage,
    GraphServer,
    HtmlPage,
    NextLink,
    Redirect,
    Reset,
    Status,
)

WHOLE = Plan(whole=("oauth2PermissionGrants",))


def test_an_empty_page_with_a_next_link_is_not_the_end() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", EmptyPage())
        snapshot = read(server, WHOLE)
    assert len(snapshot.sections.oauth2PermissionGrants or ()) == 5


def test_a_next_link_to_itself_does_not_go_on_for_ever() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", NextLink(), times=None)
        snapshot = read(server, Plan(whole=("oauth2PermissionGrants", "organization")))
        assert len(server.requests) < 5
    assert "already read" in snapshot.unread["oauth2PermissionGrants"].message


def test_a_next_link_to_a_foreign_host_gets_neither_request_nor_token() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", NextLink(f"{server.foreign}/v1.0/oauth2PermissionGrants"))
        snapshot = read(server, Plan(whole=("oauth2PermissionGrants",), sections=("organization",)))
        assert server.strays == []
    assert "127.0.0.1 was refused" in snapshot.unread["oauth2PermissionGrants"].message


def test_a_next_link_to_another_port_is_foreign_too() -> None:
    with GraphServer(tenant()) as server:

        async def use(client: GraphClient) -> None:
            await client.follow(f"{server.authority}/v1.0/users", {})

        with pytest.raises(ForeignHost):
            with_client(server, use)


def test_a_redirect_is_not_followed() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/organization", Redirect(f"{server.foreign}/v1.0/organization"))

        async def use(client: GraphClient) -> None:
            await client.get("v1.0", GetRequest(url="/organization"))

        with pytest.raises(NotJson, match=r"302.*a redirect to 127\.0\.0\.1"):
            with_client(server, use)
        assert server.strays == []


def test_a_value_that_is_new_to_an_enum_stays_what_it_is() -> None:
    policies = [{"id": "p", "includes": [{"id": "s", "permissionClassification": "purple"}], "excludes": []}]
    with GraphServer(tenant(permissionGrantPolicies=policies)) as server:
        snapshot = read(server, Plan(sections=("permissionGrantPolicies",)))
    (policy,) = snapshot.sections.permissionGrantPolicies or ()
    assert [conditions.permissionClassification for conditions in policy.includes or ()] == ["purple"]


@pytest.mark.parametrize(
    "trouble", [Status(429), Status(500), Status(502), Status(503), Status(504), Reset(), HtmlPage(503), Cut()], ids=str
)
def test_passing_trouble_passes(trouble: Any) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", trouble, times=2)
        snapshot = read(server, PREFLIGHT)
        assert not server.faults_left()
    assert snapshot.unread == {}


def test_a_long_retry_after_is_kept_when_there_is_time() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(503, retry_after=200))
        snapshot = read(server, PREFLIGHT, retry=sleeps.retry(300))
    assert sleeps.slept == [200] and snapshot.unread == {}


def test_the_sdks_own_retries_do_not_multiply_with_ours() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(503), times=None)
        with pytest.raises(Unreachable, match="503 serviceNotAvailable"):
            read(server, PREFLIGHT, retry=sleeps.retry(attempts=4))
        assert len(server.requests) == 4 and len(sleeps.slept) == 3


def test_requests_that_begin_together_fetch_one_token() -> None:
    plan = Plan(
        sections=("directorySettings", "authorizationPolicy", "organization"),
        beta_policies=(POLICY,),
        whole=("oauth2PermissionGrants", "servicePrincipals"),
    )
    with GraphServer(tenant()) as server:
        read(server, plan)
        assert len(server.requests) == 4 and server.connections > 1
        assert len(server.token_requests) == 1


def test_tokens_are_asked_for_with_continuous_access_evaluation_and_once() -> None:
    asked: list[dict[str, Any]] = []

    class Credential:
        async def get_token(self, *scopes: str, **options: Any) -> Any:
            asked.append(options)
            await asyncio.sleep(0)
            return type("Token", (), {"token": "t", "expires_on": 4_000_000_000})()

        async def close(self) -> None:
            pass

    async def run() -> None:
        tokens = TokenProvider(Credential, ("s",), lambda error: pytest.fail(str(error)))
        await asyncio.gather(*(tokens.get_token() for _ in range(5)))

    asyncio.run(run())
    assert asked == [{"enable_cae": True}]


@pytest.mark.parametrize("trouble", [HtmlPage(), ContentType()], ids=str)
def test_what_is_not_json_is_not_an_answer(trouble: Any) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", trouble, times=None)
        with pytest.raises(NotJson, match=r"localhost:\d+ answered 200 with text/") as caught:
            read(server, PREFLIGHT)
        assert len(server.requests) == 1, "a proxy's page does not go away by asking again"
    assert "password" not in str(caught.value) and "proxy" in caught.value.advice


def test_a_body_that_is_cut_short_is_not_an_answer() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Cut(), times=None)
        with pytest.raises(Exception, match="localhost") as caught:
            read(server, PREFLIGHT)
        assert len(server.requests) == 6
    assert getattr(caught.value, "advice", "")


def test_json_that_is_cut_short_without_a_trace_is_asked_for_again() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/organization", Body(b'{"value": [{"id": "0f6'), times=None)

        async def use(client: GraphClient) -> None:
            await client.get("v1.0", GetRequest(url="/organization"))

        with pytest.raises(BrokenJson, match="JSON that is cut off"):
            with_client(server, use)
        assert len(server.requests) == 6


def test_a_challenge_of_continuous_access_evaluation_is_met() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Challenge())
        snapshot = read(server, PREFLIGHT)
        assert [request.status for request in server.requests] == [401, 200]
        assert len(server.token_requests) == 2
    assert snapshot.unread == {}


def test_a_refused_token_is_replaced_once() -> None:
    with GraphServer(tenant()) as server:

        async def use(client: GraphClient) -> None:
            server.expire_tokens()
            answer = await client.get("v1.0", GetRequest(url="/organization"))
            assert answer.ok

        with_client(server, use)
        assert [request.status for request in server.requests] == [401, 200]
        assert len(server.token_requests) == 2


def test_a_token_that_is_refused_again_ends_the_audit() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(401), times=None)
        with pytest.raises(TokenRefused, match="InvalidAuthenticationToken"):
            read(server, PREFLIGHT)
        assert len(server.requests) == 2 and len(server.token_requests) == 2


def test_a_401_inside_a_batch_renews_the_token_once() -> None:
    with GraphServer(tenant()) as server:
        server.fault(lambda call: call.in_batch and "/policies/" in call.path, Status(401), times=3)
        snapshot = read(server, PREFLIGHT)
        assert [len(request.items) for request in server.requests] == [11, 3]
        assert len(server.token_requests) == 2
    assert snapshot.unread == {}


def test_throttled_items_of_a_batch_are_sent_again_alone_after_the_longest_wait() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", Status(429, retry_after=3))
        server.fault("/organization", Status(429, retry_after=7.5))
        snapshot = read(server, PREFLIGHT, retry=sleeps.retry())
        assert sorted(server.requests[1].paths) == ["/organization", "/policies/authorizationPolicy"]
        assert len(server.requests) == 2
    assert sleeps.slept == [7.5] and snapshot.unread == {}


def test_headers_are_sent_again_with_every_next_link() -> None:
    with GraphServer(tenant(), page_size=2) as server:

        async def use(client: GraphClient) -> int:
            wanted = Read(
                section="oauth2PermissionGrants",
                url="/oauth2PermissionGrants",
                is_list=True,
                headers={"ConsistencyLevel": "eventual"},
            )
            first = await client.get("v1.0", GetRequest(url=wanted.url, headers=wanted.headers))
            rows, _ = await all_rows(client, wanted, first, lambda rows: None)
            return len(rows)

        assert with_client(server, use) == 5
        assert [request.headers.get("consistencylevel") for request in server.requests] == ["eventual"] * 3


def test_addresses_have_no_double_slash_and_dollar_signs_are_dollar_signs() -> None:
    with GraphServer(tenant()) as server:
        read(server, Plan(whole=("servicePrincipals",), clients=(CLIENT,), sections=("organization",)))
        urls = [request.raw_path for request in server.requests]
        urls += [item.url for request in server.requests for item in request.items]
    assert urls and not [url for url in urls if "//" in url or "%24" in url]


def test_tenants_share_connections_and_nothing_else() -> None:
    other = "0f6f6c4b-7a0e-4a8c-9d6c-00000000000b"
    organization = [{"id": other, "displayName": "Other", "verifiedDomains": []}]

    async def run(server: GraphServer) -> list[str]:
        names = []
        async with open_http_client(server.graph, server.env()) as http:
            for tenant_id in (TENANT, other, TENANT):
                async with open_graph(tenant_id=tenant_id, at=where(server), environ=server.env(), http=http) as client:
                    assert (await client.tokens.claims()).tenant_id == tenant_id
                    answer = await client.get("v1.0", GetRequest(url="/organization"))
                    assert answer.body is not None
                    names.append(answer.body["value"][0]["displayName"])
        return names

    with GraphServer(tenant(), tenant(other, organization=organization)) as server:
        assert asyncio.run(run(server)) == ["Fabrikam", "Other", "Fabrikam"]
        assert server.connections == 1


def test_http2_is_not_spoken() -> None:
    with GraphServer(tenant()) as server:
        pool = _transport(GraphConnector(server.graph, read_network(server.env())))._pool
        assert isinstance(pool, httpcore.AsyncConnectionPool)
        assert (pool._http1, pool._http2) == (True, False)


def test_neither_the_generated_models_nor_the_batch_classes_are_imported() -> None:
    program = """
import asyncio, json, os, sys
from auditor.graph.session import open_graph, endpoints
from auditor.graph.collect import collect
from auditor.model.snapshot import Plan
async def main():
    plan = Plan(sections=("organization", "authorizationPolicy", "permissionGrantPolicies", "signIns"),
                clients=(sys.argv[3],), resources=(sys.argv[4],), whole=("oauth2PermissionGrants",))
    at = endpoints(authority_host=sys.argv[1], graph_endpoint=sys.argv[2])
    async with open_graph(at=at) as client:
        snapshot = await collect(client, plan, tenant_id="", cloud="global", taken="2026-11-22T02:00:00Z", tool="")
    assert not snapshot.unread, snapshot.unread
asyncio.run(main())
heavy = ("msgraph.generated.models", "msgraph_core.requests.batch", "aiohttp")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    with GraphServer(tenant()) as server:
        command = [sys.executable, "-c", program, server.authority, server.graph, CLIENT, GRAPH]
        done = subprocess.run(command, env={**os.environ, **server.env()}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
