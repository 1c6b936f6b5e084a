"""The remote end of a fleet: many small tenants on the tests' server, and a slow connection to it, each a process.

``python -m benchmarks.fleet_server serve NUMBER`` is the server, and ``… connect AUTHORITY-PORT GRAPH-PORT`` the
connection. Each answer is rendered once, from the first process that asks for it, and then sent as it is, so that the
server costs as little as it can. The server prints what was asked of it for each line on its standard input.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

ONE_WAY = 0.025
"""Seconds: a round trip takes 50 ms."""
_LEFT_OUT = ("stopped-users",)
"""Samples with logs, which a pre-flight doesn't read."""
_COMPRESSED_FROM = 300


def tenant_id(number: int) -> str:
    """The id of a tenant of the fleet."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"benchmark/fleet/{number}"))


class _Sent(NamedTuple):
    """An answer as it goes onto the wire."""

    status: int
    body: bytes
    headers: dict[str, str]


class _Fleet:
    """The tenants, each a sample under its own id, and their answers."""

    def __init__(self, number: int) -> None:
        import msgspec

        from auditor.snapshot.samples import sample, sample_names
        from auditor.snapshot.write import dumps
        from tests.graphserver import GraphServer, Tenant

        names = [name for name in sample_names() if name not in _LEFT_OUT]
        documents = [msgspec.json.decode(dumps(sample(name))) for name in names]
        self.server = GraphServer(documents[0])
        tenants = [Tenant(document) for document in documents]
        for index in range(number):
            self.server.add_tenant(tenants[index % len(tenants)], tenant_id=tenant_id(index))
        self.number = number
        self.log: list[tuple[str, str, str, str, str]] = []
        self._tokens: dict[str, bytes] = {}
        self._tenants: dict[str, str] = {}
        self._sent: dict[tuple[str, str, bytes], _Sent] = {}

    def issue_tokens(self) -> None:
        """A token for each tenant, made before the first request."""
        for index in range(self.number):
            tenant = tenant_id(index)
            token = self.server.token(tenant_id=tenant)
            fields = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}
            self._tokens[tenant] = json.dumps(fields).encode()
            self._tenants[f"Bearer {token}"] = tenant

    async def authority(self, request: Any) -> Any:
        """The answer of the sign-in service."""
        from aiohttp import web

        raw = await request.read()
        tenant = request.path.split("/")[1]
        self.log.append(("authority", tenant, request.method, request.raw_path, raw.decode()))
        return web.Response(body=self._tokens[tenant], content_type="application/json")

    async def graph(self, request: Any) -> Any:
        """The answer of Graph."""
        from aiohttp import web

        raw = await request.read()
        authorization = request.headers["Authorization"]
        self.log.append(("graph", self._tenants[authorization], request.method, request.raw_path, raw.decode()))
        key = (authorization, request.raw_path, raw)
        if key not in self._sent:
            self._sent[key] = self._rendered(request, raw)
        sent = self._sent[key]
        return web.Response(status=sent.status, body=sent.body, headers=sent.headers)

    def _rendered(self, request: Any, raw: bytes) -> _Sent:
        import msgspec

        from tests.graphserver.batch import answer_batch
        from tests.graphserver.call import read_call

        headers = {name.lower(): value for name, value in request.headers.items()}
        call = read_call(request.method, f"https://{request.host}{request.raw_path}", headers)
        rules = self.server.rules
        is_batch = call.path == "/$batch"
        answer = answer_batch(rules, call, raw, random.Random(0))[0] if is_batch else rules.answer(call)
        body = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
        sent = {"Content-Type": answer.content_type, **answer.headers}
        if len(body) > _COMPRESSED_FROM:
            body, sent["Content-Encoding"] = gzip.compress(body, 1, mtime=0), "gzip"
        return _Sent(answer.status, body, sent)


def _serve(number: int) -> None:
    from tests.graphserver.listener import Listener
    from tests.graphserver.thread import LoopThread
    from tests.graphserver.tls import server_context

    fleet = _Fleet(number)
    with fleet.server as server:
        fleet.issue_tokens()
        tls = server_context()
        authority, graph = Listener(fleet.authority, tls), Listener(fleet.graph, tls)

        @asynccontextmanager
        async def both() -> AsyncIterator[None]:
            async with authority, graph:
                yield

        thread = LoopThread(both, "fleet")
        thread.start()
        print(json.dumps({"ports": [authority.port, graph.port], "env": server.env()}), flush=True)
        for _ in sys.stdin:
            connections = {"authority": authority.connections, "graph": graph.connections}
            print(json.dumps({"log": fleet.log, "connections": connections}), flush=True)
            fleet.log.clear()
            authority.connections = graph.connections = 0
        thread.stop()


def _connect(authority: int, graph: int) -> None:
    from tests.graphserver import LatencyProxy

    with LatencyProxy(authority, ONE_WAY) as to_authority, LatencyProxy(graph, ONE_WAY) as to_graph:
        print(json.dumps([to_authority.url, to_graph.url]), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    from benchmarks.remote_latency import undelayed

    socket.create_server = undelayed(socket.create_server)
    if sys.argv[1] == "serve":
        _serve(int(sys.argv[2]))
    else:
        _connect(int(sys.argv[2]), int(sys.argv[3]))
