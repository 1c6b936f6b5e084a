"""Many small tenants, read and decided, compared with aiohttp sending the same requests, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Ratio, cpu, figure, ratio, wall
from benchmarks.fleet_server import tenant_id
from benchmarks.processes import PYTHON, ROOT, Case, Run, baseline, interleaved, measured, program, surroundings
from benchmarks.result import Result

RATIO_AIM, MEMORY_AIM = 2.5, 200
CONCURRENCY = 50
AIOHTTP, READ, REPORT = "aiohttp, the same requests", "read and decide", "fleet report --live"
FOUND = (0, 1, 4)
"""The exit codes of a report that was made."""


def fleet(bytecode: Path, folder: Path, number: int, runs: int, tell: Callable[[str], None]) -> Result:
    """Wall time, processor time and peak memory of each, and their ratio to aiohttp in the same turn."""
    with _Remote(bytecode, number) as remote:
        env = surroundings(bytecode, {**remote.env, "CONSENT_AUDITOR_HISTORY": str(folder / "history.db")})
        file = _configuration(folder, number, remote)
        read = (PYTHON, "-P", str(ROOT / "benchmarks" / "fleet_read.py"), str(file))
        report = (*program(), "fleet", "report", "--live", "--config", str(file), "-f", "json")
        tell(f"{number:,} tenants: the first read, of which the requests are kept")
        measured(read, env)
        asked = remote.asked()
        requests = _requests(asked)
        steps = folder / "requests.json"
        steps.write_text(json.dumps(requests), encoding="utf-8")
        bare = baseline("aiohttp-fleet", remote.authority, remote.graph, str(steps), str(CONCURRENCY))
        cases: dict[str, Case] = {
            AIOHTTP: partial(measured, bare, env),
            READ: partial(measured, read, env),
            REPORT: partial(measured, report, env, expected=FOUND),
        }
        found = interleaved(cases, runs, tell=tell)
    ratios = {
        f"{READ}, {number:,} tenants": ratio(found[READ], found[AIOHTTP], AIOHTTP, RATIO_AIM),
        f"{REPORT}, {number:,} tenants": ratio(found[REPORT], found[AIOHTTP], AIOHTTP),
    }
    counts = Counter(len(one) for one in requests.values())
    return Result(
        "fleet",
        f"{number:,} small tenants at 50 ms, {CONCURRENCY} at once, {runs} runs each, interleaved",
        ("", "wall ms", "cpu ms", "MiB", "x wall", "x cpu"),
        [
            _row(AIOHTTP, found[AIOHTTP], None),
            *(_row(name, found[name], times) for name, times in zip((READ, REPORT), ratios.values(), strict=True)),
        ],
        {
            "aims": {"ratio": RATIO_AIM, "mebibytes": MEMORY_AIM},
            "requests": dict(counts),
            "connections": asked["connections"],
            **{name: _numbers(taken) for name, taken in found.items()},
        },
        (
            f"aims: reading and deciding in {RATIO_AIM} times the wall time of aiohttp, under {MEMORY_AIM} MiB",
            "requests of a tenant: " + ", ".join(f"{many} in {times:,}" for many, times in sorted(counts.items())),
            "connections to authority and Graph: {authority}, {graph}".format(**asked["connections"]),
            f"{REPORT} also proves the fixes of each tenant that can't connect, and writes a message for each",
        ),
        ratios,
    )


def _row(what: str, runs: Sequence[Run], times: Ratio | None) -> list[str]:
    peak = figure([run.mebibytes for run in runs]).high
    figures = [times.figure.shown(2), times.cpu.shown(2)] if times and times.cpu else ["", ""]
    return [what, wall(runs).shown(0, 1000), cpu(runs).shown(0, 1000), f"{peak:.0f}", *figures]


def _numbers(runs: Sequence[Run]) -> dict[str, Any]:
    mebibytes = figure([run.mebibytes for run in runs])
    return {"wall": asdict(wall(runs)), "cpu": asdict(cpu(runs)), "mebibytes": asdict(mebibytes)}


def _requests(asked: dict[str, Any]) -> dict[str, list[list[str]]]:
    """The requests of each tenant in their order: to whom, with which method, path and body."""
    found: dict[str, list[list[str]]] = {}
    for side, tenant, *request in asked["log"]:
        found.setdefault(tenant, []).append([side, *request])
    return found


def _configuration(folder: Path, number: int, remote: _Remote) -> Path:
    lines = ["tenant,name", *(f"{tenant_id(one)},customer-{one:04}" for one in range(number))]
    (folder / "customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = folder / "fleet.yaml"
    document = {
        "version": 1,
        "defaults": {
            "packs": ["trackerrms-uk"],
            "concurrency": CONCURRENCY,
            "authority-host": remote.authority,
            "graph-endpoint": remote.graph,
        },
        "tenants": [{"csv": "customers.csv"}],
    }
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


class _Remote:
    """The server and the connection to it, in two processes."""

    def __init__(self, bytecode: Path, number: int) -> None:
        self._env = surroundings(bytecode)
        self._number = number
        self._stack = ExitStack()

    def __enter__(self) -> _Remote:
        self._server = self._started("serve", str(self._number))
        said = self._answer(self._server)
        self.env: dict[str, str] = said["env"]
        connection = self._started("connect", *map(str, said["ports"]))
        self.authority, self.graph = self._answer(connection)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def asked(self) -> dict[str, Any]:
        """What the server was asked since the last call."""
        assert self._server.stdin is not None
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        found: dict[str, Any] = self._answer(self._server)
        return found

    def _started(self, *arguments: str) -> subprocess.Popen[str]:
        command = (sys.executable, "-m", "benchmarks.fleet_server", *arguments)
        process = subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

        def end() -> None:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            process.wait(30)
            process.stdout.close()

        self._stack.callback(end)
        return process

    @staticmethod
    def _answer(process: subprocess.Popen[str]) -> Any:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the remote end has exited; its output is above")
        return json.loads(line)
