"""The server answers batches by the rules of Graph, and refuses and remembers every write."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.graphserver import GraphServer
from tests.graphserver.example import DOCUMENT, batch, code, connected, ids


def test_a_batch_answers_each_item_by_itself_and_in_any_order(server: GraphServer, client: httpx.Client) -> None:
    urls = [
        "/organization",
        "/servicePrincipals(appId='nobody')?$select=id",
        "oauth2PermissionGrants?$filter=clientId eq 'sp-vendor'",
    ]
    found = batch(
        client, *urls, "https://evil.example/v1.0/organization", "/v1.0/organization", *["/organization"] * 15
    )
    assert [found[str(number)]["status"] for number in range(5)] == [200, 404, 200, 400, 400]
    assert [row["id"] for row in found["2"]["body"]["value"]] == ["g1", "g2"]
    assert list(found) != sorted(found, key=int)
    (record,) = server.requests
    assert [item.status for item in record.items[:3]] == [200, 404, 200]
    assert record.items[1].path == "/servicePrincipals(appId='nobody')" and record.items[1].query == {"$select": "id"}


def test_a_batch_keeps_its_rules(client: httpx.Client) -> None:
    def post(items: Any) -> httpx.Response:
        return client.post("/v1.0/$batch", json={"requests": items})

    item = {"id": "a", "method": "GET", "url": "/organization"}
    assert code(post([{**item, "id": str(number)} for number in range(21)])) == (400, "BadRequest")
    assert code(post([item, item])) == code(post([])) == code(post("no")) == (400, "BadRequest")
    assert code(post([{**item, "dependsOn": ["z"]}])) == (400, "BadRequest")
    after = {**item, "id": "b", "dependsOn": ["a"]}
    answers = post([after, {**item, "url": "/servicePrincipals/none"}]).json()["responses"]
    assert {one["id"]: one["status"] for one in answers} == {"a": 404, "b": 424}
    assert code(client.post("/v1.0/$batch", headers={"Authorization": ""}, json={})) == (
        401,
        "InvalidAuthenticationToken",
    )


def test_a_link_in_a_batched_page_leads_on_outside_the_batch() -> None:
    with GraphServer(DOCUMENT, page_size={"oauth2PermissionGrants": 2}) as server, connected(server) as client:
        first = batch(client, "/oauth2PermissionGrants")["0"]["body"]
        assert len(first["value"]) == 2
        assert ids(client.get(first["@odata.nextLink"])) == ["g3"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_every_write_is_refused_and_remembered(method: str) -> None:
    with GraphServer(DOCUMENT) as server, connected(server) as client:
        assert code(client.request(method, "/v1.0/oauth2PermissionGrants/g1"))[0] == 405
        item = {"id": "1", "method": method, "url": "/servicePrincipals/sp-vendor", "body": {"accountEnabled": False}}
        answer = client.post("/v1.0/$batch", json={"requests": [item]})
        assert answer.json()["responses"][0]["status"] == 405
        assert [(write.method, write.in_batch) for write in server.refused_writes] == [(method, False), (method, True)]
