"""The remote end in a separate process: Graph, the authority, and connections of known latency to both.

``python -m benchmarks.remote_latency`` is that process. It reads one JSON request per line and prints one for each.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from benchmarks.processes import ROOT, surroundings
from benchmarks.tenants import as_large, as_most

SIDES = ("authority", "graph")


class Event(NamedTuple):
    """When, on the clock that all processes of this machine share, a client connected or sent data, and to where."""

    at: float
    side: str
    what: str


class Connection(NamedTuple):
    """Where to find a tenant, behind a connection of some latency."""

    one_way: float
    authority: str
    graph: str


class Heard(NamedTuple):
    """What the remote end counted since it was last asked."""

    connections: dict[str, int]
    flights: dict[str, int]
    bytes_down: dict[str, int]
    requests: list[str]
    tokens: int
    cpu: float
    events: list[Event]


class Far:
    """The remote end, seen from here: `connections` in the order of `one_way`, `tenants` in the order of `tenants`."""

    def __init__(self, bytecode: Path, tenants: Sequence[Any], one_way: Sequence[float]) -> None:
        self._env = surroundings(bytecode)
        self._asked = {"tenants": list(tenants), "one_way": list(one_way)}

    def __enter__(self) -> Far:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.remote_latency"],
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = self._ask(self._asked)
        self.connections = [Connection(*connection) for connection in said["connections"]]
        self.tenants: list[str] = said["tenants"]
        self._environment: dict[str, str] = said["env"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def environment(self, tenant: int = 0) -> dict[str, str]:
        """What the program finds in its environment: an app's secret, and whom to trust."""
        return {**self._environment, "AZURE_TENANT_ID": self.tenants[tenant]}

    def heard(self, connection: int) -> Heard:
        """What came through a connection since the last call."""
        said = self._ask({"connection": connection})
        return Heard(**{**said, "events": [Event(*event) for event in said["events"]]})

    def _ask(self, request: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the remote end has exited; its output is above")
        return json.loads(answer)


def arguments(connection: Connection) -> tuple[str, ...]:
    """The options with which the program uses `connection`."""
    return ("--authority-host", connection.authority, "--graph-endpoint", connection.graph)


def undelayed(create_server: Callable[..., socket.socket]) -> Callable[..., socket.socket]:
    """Listening sockets whose connections send at once.

    asyncio says so itself only to sockets that were made with a protocol number, and `create_server` gives none:
    an answer in two parts would wait 40 ms for the acknowledgement of the first.
    """

    def create(*arguments: Any, **options: Any) -> socket.socket:
        made = create_server(*arguments, **options)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return create


def _serve() -> None:
    from tests.graphserver import GraphServer, LatencyProxy

    class Watched(LatencyProxy):
        """Remembers when what it counts happened."""

        def __init__(self, target_port: int, one_way_seconds: float, side: str) -> None:
            self._side = side
            self._counted = {"connections": 0, "flights": 0}
            self.events: list[Event] = []
            super().__init__(target_port, one_way_seconds)

        def _count(self, name: str, value: int, what: str) -> None:
            if value > self._counted[name]:
                self.events.append(Event(time.monotonic(), self._side, what))
            self._counted[name] = value

        @property
        def connections(self) -> int:
            return self._counted["connections"]

        @connections.setter
        def connections(self, value: int) -> None:
            self._count("connections", value, "connects")

        @property
        def flights(self) -> int:
            return self._counted["flights"]

        @flights.setter
        def flights(self, value: int) -> None:
            self._count("flights", value, "sends")

    socket.create_server = undelayed(socket.create_server)
    asked = json.loads(sys.stdin.readline())
    documents = [
        as_most(shape) if isinstance(shape, str) else as_large(int(shape[0]), int(shape[1]), number)
        for number, shape in enumerate(asked["tenants"])
    ]
    with GraphServer(*documents) as server, ExitStack() as stack:
        ports = {"authority": int(server.authority.rpartition(":")[2]), "graph": server.port}
        proxies = [
            {side: stack.enter_context(Watched(ports[side], one_way, side)) for side in SIDES}
            for one_way in asked["one_way"]
        ]
        print(
            json.dumps(
                {
                    "connections": [
                        (pair["graph"].one_way_seconds, *(pair[side].url for side in SIDES)) for pair in proxies
                    ],
                    "tenants": [document["tenant"]["id"] for document in documents],
                    "env": server.env(),
                }
            ),
            flush=True,
        )
        spent = time.process_time()
        for line in sys.stdin:
            pair = proxies[json.loads(line)["connection"]]
            now = time.process_time()
            said = {
                "connections": {side: line_to.connections for side, line_to in pair.items()},
                "flights": {side: line_to.flights for side, line_to in pair.items()},
                "bytes_down": {side: line_to.bytes_down for side, line_to in pair.items()},
                "requests": [f"{request.method} {request.version}{request.path}" for request in server.requests],
                "tokens": len(server.token_requests),
                "cpu": now - spent,
                "events": sorted(event for line_to in pair.values() for event in line_to.events),
            }
            spent = now
            server.forget()
            for line_to in pair.values():
                line_to.forget()
                line_to.events.clear()
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    _serve()
