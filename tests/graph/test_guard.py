"""Only reads leave, and only to the tenant's Graph: a promise to the admin."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from auditor.graph.graph_errors import ForeignHost, WriteRefused
from auditor.graph.guard import ReadOnlyGuard
from auditor.graph.transport import GetRequest, GraphClient
from tests.graph.live_tenants import CLIENT, tenant, with_client
from tests.graphserver import GraphServer

HOST = "https://graph.example"
GET = {"id": "1", "method": "GET", "url": "/organization"}


def send(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
    """The status of a request through the guard, or what it raises; 200 means that it was let through."""

    async def run() -> int:
        wire = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
        async with httpx.AsyncClient(transport=ReadOnlyGuard(wire, HOST)) as client:
            content = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
            return (await client.request(method, url, content=content, headers=headers)).status_code

    return asyncio.run(run())


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_reads_pass_alone_and_in_batches(version: str) -> None:
    assert send("GET", f"{HOST}/{version}/organization") == 200
    assert send("POST", f"{HOST}/{version}/$batch", {"requests": [GET, {**GET, "headers": {"a": "b"}}]}) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "MERGE"])
def test_every_other_method_is_refused(method: str) -> None:
    with pytest.raises(WriteRefused):
        send(method, f"{HOST}/v1.0/policies/authorizationPolicy", {})


@pytest.mark.parametrize(
    "path", ["/v1.0/users/$batch", "/v2.0/$batch", "/$batch", "/v1.0/$batch/x", "/v1.0/x/../$batch/"]
)
def test_a_batch_is_sent_to_the_batch_address_only(path: str) -> None:
    with pytest.raises(WriteRefused):
        send("POST", HOST + path, {"requests": [GET]})


@pytest.mark.parametrize(
    "body",
    [
        {"requests": [GET, {**GET, "method": "PATCH"}]},
        {"requests": [{**GET, "method": "get"}]},
        {"requests": [{**GET, "method": ["GET"]}]},
        {"requests": [{"id": "1", "url": "/organization"}]},
        {"requests": [{**GET, "url": "https://elsewhere.example/x"}]},
        {"requests": [{**GET, "url": "//elsewhere.example/x"}]},
        {"requests": [{**GET, "url": "\\\\elsewhere.example"}]},
        {"requests": [{**GET, "body": {"a": 1}}]},
        {"requests": [{**GET, "headers": {"X-HTTP-Method-Override": "PATCH"}}]},
        {"requests": [{**GET, "headers": "PATCH"}]},
        {"requests": "GET"},
        {"requests": ["GET"]},
        {},
        [],
        b"GET",
        b"",
    ],
    ids=str,
)
def test_a_batch_with_anything_but_reads_is_refused(body: Any) -> None:
    with pytest.raises(WriteRefused):
        send("POST", f"{HOST}/v1.0/$batch", body)


def test_a_batch_that_says_its_requests_twice_is_judged_as_a_whole() -> None:
    read = b'"requests":[{"id":"1","method":"GET","url":"/a"}]'
    body = b"{%b,%b}" % (read.replace(b"GET", b"PATCH"), read)
    with pytest.raises(WriteRefused):
        send("POST", f"{HOST}/v1.0/$batch", body)


def test_an_override_of_the_method_is_refused() -> None:
    with pytest.raises(WriteRefused):
        send("GET", f"{HOST}/v1.0/users", headers={"X-HTTP-Method-Override": "DELETE"})


@pytest.mark.parametrize(
    "url", ["https://other.example/v1.0/a", "http://graph.example/v1.0/a", "https://graph.example:444/v1.0/a"]
)
def test_other_hosts_schemes_and_ports_are_refused(url: str) -> None:
    with pytest.raises(ForeignHost):
        send("GET", url)


def test_the_guard_lies_below_the_sdk_so_that_its_own_methods_cannot_write() -> None:
    with GraphServer(tenant()) as server:

        async def use(client: GraphClient) -> None:
            builders = client.builders
            with pytest.raises(WriteRefused):
                await builders.policies.authorization_policy.delete()
            with pytest.raises(WriteRefused):
                await builders.service_principals_with_app_id(CLIENT).delete()
            with pytest.raises(WriteRefused):
                await client.batch("v1.0", [GetRequest(url="https://elsewhere.example")] * 2)

        with_client(server, use)
        assert server.requests == [] and server.refused_writes == []
