"""A live pre-flight: its own cost, how many round trips it waits for, and whether the size of the tenant counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Ratio, cpu, figure, paired, ratio, times_bare, wall
from benchmarks.imports import imports
from benchmarks.processes import BARE, Case, Run, baseline, interleaved, measured, program, surroundings
from benchmarks.remote_latency import SIDES, Connection, Far, Heard, arguments
from benchmarks.result import Result
from benchmarks.scale import SMALL, Size
from benchmarks.startup import BARE_NAME, JUDGED, PACK

ROUND_TRIP = 0.150
OWN_AIM, SDK_AIM, TRIPS_AIM, SIZE_AIM = 0.9, 1.4, 5, 1.05
TENANTS = ("managed-default", "custom-policy")
LARGE = Size(10_000, 50_000)
BASELINES = {
    "sdk-bytes": "the SDK's first answer as bytes",
    "sdk-models": "the SDK's first answer as a model",
    "aiohttp": "aiohttp and msgspec, first answer",
}


class Preflight:
    """One pre-flight of one tenant through one connection; keeps what the remote end counted each time."""

    def __init__(self, far: Far, bytecode: Path, tenant: int, connection: int) -> None:
        self._far = far
        self._connection = connection
        self._env = surroundings(bytecode, far.environment(tenant))
        self._command = (*program(), "check", *PACK, *arguments(far.connections[connection]))
        self.heard: list[Heard] = []
        self.began: list[float] = []

    def __call__(self) -> Run:
        self._far.heard(self._connection)
        self.began.append(time.monotonic())
        run = measured(self._command, self._env, expected=JUDGED)
        self.heard.append(self._far.heard(self._connection))
        return run


def live(bytecode: Path, runs: int, top: int, tell: Callable[[str], None]) -> list[Result]:
    """Pre-flights of a usual tenant and of one whose custom policy needs a second look, near and far.

    In the same turns, near: the first answer of the SDK and of aiohttp, sign-in included.
    """
    with Far(bytecode, TENANTS, (0.0, ROUND_TRIP / 2)) as far:
        flights = {
            (tenant, connection): Preflight(far, bytecode, number, connection)
            for number, tenant in enumerate(TENANTS)
            for connection in range(len(far.connections))
        }
        cases: dict[str, Case] = {"python -c pass": lambda: measured(BARE, surroundings(bytecode))}
        cases |= {
            f"{tenant}, {_length(far.connections[connection])}": case for (tenant, connection), case in flights.items()
        }
        near = far.connections[0]
        env = surroundings(bytecode, far.environment())
        cases |= {
            label: partial(measured, baseline(name, near.authority, near.graph), env)
            for name, label in BASELINES.items()
        }
        found = interleaved(cases, runs, tell=tell)
        far.heard(0)
        bare, *others = found.values()
        taken = dict(zip(flights, others, strict=False))
        baselines = {label: found[label] for label in BASELINES.values()}
        connections = far.connections
        imported = imports(
            bytecode, {"check, live": ["check", *PACK, *arguments(connections[0])]}, far.environment(), top
        )
    nearby, distant = flights[TENANTS[0], 0], flights[TENANTS[0], 1]
    costs = _costs(bare, taken, flights, connections, baselines)
    return [costs, _timeline(nearby, distant), _by_size(bytecode, runs, tell), imported]


def _costs(
    bare: Sequence[Run],
    taken: dict[tuple[str, int], list[Run]],
    flights: dict[tuple[str, int], Preflight],
    connections: Sequence[Connection],
    baselines: dict[str, list[Run]],
) -> Result:
    rows: list[list[str]] = []
    numbers: dict[str, Any] = {"round_trip": ROUND_TRIP, "aims": {"own_seconds": OWN_AIM, "round_trips": TRIPS_AIM}}
    for tenant in TENANTS:
        near, far = taken[tenant, 0], taken[tenant, 1]
        trips = _trips(taken, tenant)
        for connection, runs in ((0, near), (1, far)):
            heard = flights[tenant, connection].heard[-len(runs) :]  # without the warming up
            rows.append(
                [
                    tenant if connection == 0 else "",
                    *_row(runs, bare, heard, connections[connection], trips if connection else None),
                ]
            )
        numbers[tenant] = {
            "own": asdict(wall(near)),
            "own_cpu": asdict(cpu(near)),
            "times_bare": asdict(times_bare(near, bare)),
            "far": asdict(wall(far)),
            "round_trips_waited": asdict(trips),
            "far_end_cpu": asdict(figure([heard.cpu for heard in flights[tenant, 0].heard[-len(near) :]])),
            "heard": [_counts(heard) for heard in flights[tenant, 1].heard[-len(far) :]],
        }
    for label, runs in baselines.items():
        rows.append(
            [label, "0 ms", wall(runs).shown(0, 1000), cpu(runs).shown(0, 1000), times_bare(runs, bare).shown(0)]
        )
        numbers[label] = {"wall": asdict(wall(runs)), "cpu": asdict(cpu(runs))}
    return Result(
        "live",
        f"Live pre-flight: check --pack trackerrms-uk, {len(bare)} runs each, interleaved",
        ("tenant", "round trip", "wall ms", "cpu ms", "x bare", "trips waited", "conns", "flights", "requests", "KiB"),
        rows,
        numbers,
        (
            f"aims: own time (wall at 0 ms) under {OWN_AIM * 1000:.0f} ms; at most {TRIPS_AIM} round trips waited",
            "trips waited: (wall at 150 ms - wall at 0 ms) / 150 ms, of the two runs of each turn",
            "conns, flights: to authority + Graph; requests: tokens + Graph's; KiB: what came back, compressed",
        ),
        _ratios(bare, taken[TENANTS[0], 0], baselines, _trips(taken, TENANTS[0])),
    )


def _by_size(bytecode: Path, runs: int, tell: Callable[[str], None]) -> Result:
    """The same pre-flight of a small and of a large tenant."""
    sizes = (SMALL, LARGE)
    with Far(bytecode, sizes, (0.0,)) as far:
        flights = {str(size): Preflight(far, bytecode, number, 0) for number, size in enumerate(sizes)}
        found = interleaved(dict(flights), runs, tell=tell)
    rows, numbers = [], {}
    for name, taken in found.items():
        heard = flights[name].heard[-len(taken) :]  # without the warming up
        asked, down = [len(one.requests) for one in heard], figure([sum(one.bytes_down.values()) for one in heard])
        work = figure([one.cpu for one in heard])
        times = wall(taken).shown(0, 1000), cpu(taken).shown(0, 1000), work.shown(0, 1000)
        rows.append([name, *times, _range(asked), f"{down.median / 1024:.1f}"])
        numbers[name] = {"wall": asdict(wall(taken)), "cpu": asdict(cpu(taken)), "bytes": asdict(down)}
        numbers[name]["far_end_cpu"] = asdict(work)
    small, large = found.values()
    return Result(
        "live-size",
        f"Live pre-flight of a small and of a large tenant, {runs} runs each, interleaved",
        ("tenant", "wall ms", "cpu ms", "cpu ms of the remote end", "requests", "KiB"),
        rows,
        numbers,
        ("wall contains what the remote end works, which looks through its rows for each request",),
        {f"pre-flight, {LARGE}": ratio(large, small, str(SMALL), SIZE_AIM)},
    )


def _trips(taken: dict[tuple[str, int], list[Run]], tenant: str) -> Figure:
    """How many round trips a pre-flight waits for: what distance adds to it, in round trips."""
    return paired(taken[tenant, 1], taken[tenant, 0], lambda run, other: (run.wall - other.wall) / ROUND_TRIP)


def _ratios(
    bare: Sequence[Run], own: Sequence[Run], baselines: dict[str, list[Run]], trips: Figure
) -> dict[str, Ratio]:
    """The pre-flight of the usual tenant against everything that was measured in the same turns."""
    others = {BARE_NAME: bare, **baselines}
    aims = {BASELINES["sdk-bytes"]: SDK_AIM}
    found = {f"pre-flight / {label}": ratio(own, runs, label, aims.get(label)) for label, runs in others.items()}
    return {**found, "pre-flight, round trips waited": Ratio(trips, f"{ROUND_TRIP * 1000:.0f} ms", TRIPS_AIM)}


def _row(
    runs: Sequence[Run], bare: Sequence[Run], heard: Sequence[Heard], connection: Connection, trips: Figure | None
) -> list[str]:
    counts = [_counts(one) for one in heard]

    def both(first: str, second: str) -> str:
        return "+".join(_range([count[name] for count in counts]) for name in (first, second))

    return [
        _length(connection),
        wall(runs).shown(0, 1000),
        cpu(runs).shown(0, 1000),
        times_bare(runs, bare).shown(0),
        trips.shown(2) if trips else "",
        both("authority connections", "graph connections"),
        both("authority flights", "graph flights"),
        both("tokens", "requests"),
        f"{figure([sum(one.bytes_down.values()) / 1024 for one in heard]).median:.0f}",
    ]


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"


def _counts(heard: Heard) -> dict[str, int]:
    counts = {f"{side} connections": heard.connections[side] for side in SIDES}
    counts |= {f"{side} flights": heard.flights[side] for side in SIDES}
    return {**counts, "tokens": heard.tokens, "requests": len(heard.requests)}


def _timeline(near: Preflight, far: Preflight) -> Result:
    """When the client connected and sent data in the last run, from the start of its process."""
    rows = []
    numbers = {}
    for flight, name in ((near, "0 ms"), (far, "150 ms")):
        began, heard = flight.began[-1], flight.heard[-1]
        seen: dict[tuple[str, str], int] = {}
        for event in heard.events:
            number = seen[event.side, event.what] = seen.get((event.side, event.what), 0) + 1
            what = event.what if event.what == "connects" else f"sends, {number}"
            rows.append([name, f"{(event.at - began) * 1000:.0f}", event.side, what])
            name = ""
        numbers["near" if flight is near else "far"] = {
            "events": [[event.at - began, event.side, event.what] for event in heard.events],
            "requests": heard.requests,
        }
    return Result(
        "timeline",
        f"When the client connected and sent data ({TENANTS[0]}, last run; milliseconds from the start of the process)",
        ("round trip", "ms", "side", "the client"),
        rows,
        numbers,
        (f"Graph was asked for: {', '.join(far.heard[-1].requests)}",),
    )


def _length(connection: Connection) -> str:
    return f"{connection.one_way * 2000:.0f} ms"
