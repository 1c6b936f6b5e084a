"""``collect --full`` compared with aiohttp and msgspec, and with the SDK's page iterator, on the same bytes in turns.

``python -m benchmarks.directory APPS GRANTS`` is the remote end: its pages are rendered before the first request, so
that the server costs as little as it can.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Ratio, cpu, figure, ratio, wall
from benchmarks.processes import ROOT, Case, Run, baseline, interleaved, measured, program, surroundings
from benchmarks.result import Result
from benchmarks.scale import Size

PAGE = 999
RATIO_AIM, MEMORY_AIM = 1.6, 120
COLLECT = "collect --full"
AIOHTTP, SDK = "aiohttp with msgspec", "the SDK's models and page iterator"
SDK_SIZE = Size(100, 600)
"""A directory that the SDK's page iterator reads in seconds: it takes some milliseconds for each row."""


def directory(bytecode: Path, folder: Path, sizes: Sequence[Size], runs: int, tell: Callable[[str], None]) -> Result:
    """Wall time, processor time and peak memory of both, and their ratio in the same turn."""
    rows: list[list[str]] = []
    ratios: dict[str, Ratio] = {}
    numbers: dict[str, Any] = {"aims": {"ratio": RATIO_AIM, "mebibytes": MEMORY_AIM}}
    compared = ((SDK_SIZE, SDK, "sdk-pages", None), *((size, AIOHTTP, "aiohttp-structs", RATIO_AIM) for size in sizes))
    for size, against, other, aim in compared:
        with _Remote(bytecode, size) as remote:
            env = surroundings(bytecode, remote.env)
            bare = baseline(other, remote.authority, remote.graph)
            where = ("--authority-host", remote.authority, "--graph-endpoint", remote.graph, "--timeout", "1h")
            command = (*program(), "collect", "--full", *where, "-o", str(folder / "directory.zip"))
            cases: dict[str, Case] = {against: partial(measured, bare, env), COLLECT: partial(measured, command, env)}
            found = interleaved(cases, runs, tell=tell)
        name = f"{COLLECT}, {size}"
        times = ratios[name] = ratio(found[COLLECT], found[against], against, aim)
        rows.append(_row(str(size), against, found[against], None))
        rows.append(_row("", COLLECT, found[COLLECT], times))
        measured_here = {
            what: {
                "wall": asdict(wall(taken)),
                "cpu": asdict(cpu(taken)),
                "mebibytes": asdict(figure([run.mebibytes for run in taken])),
            }
            for what, taken in found.items()
        }
        numbers.setdefault(str(size), {}).update(measured_here, bytes=remote.bytes)
    return Result(
        "directory",
        f"A whole directory: collect --full, {runs} runs each, interleaved",
        ("directory", "", "wall ms", "cpu ms", "MiB", "x wall", "x cpu"),
        rows,
        numbers,
        (
            f"aims: at most {RATIO_AIM} times the wall time, under {MEMORY_AIM} MiB",
            "collect also reads the other sections, checks each row, and writes the compressed file",
        ),
        ratios,
    )


def _row(size: str, what: str, runs: Sequence[Run], times: Ratio | None) -> list[str]:
    peak = figure([run.mebibytes for run in runs]).high
    figures = [times.figure.shown(2), times.cpu.shown(2)] if times and times.cpu else ["", ""]
    return [size, what, wall(runs).shown(0, 1000), cpu(runs).shown(0, 1000), f"{peak:.0f}", *figures]


class _Remote:
    """The remote end in a separate process."""

    def __init__(self, bytecode: Path, size: Size) -> None:
        self._env = surroundings(bytecode)
        self._size = size

    def __enter__(self) -> _Remote:
        command = (sys.executable, "-m", "benchmarks.directory", str(self._size.apps), str(self._size.grants))
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self.env: dict[str, str] = said["env"]
        self.graph: str = said["graph"]
        self.authority: str = said["authority"]
        self.bytes: int = said["bytes"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _serve(apps: int, grants: int) -> None:
    from benchmarks.tenants import as_most, large_lists
    from tests.graphserver import GraphServer

    with GraphServer(as_most()) as server:
        pages: dict[str, bytes] = {}
        for section, rows in large_lists(apps, grants).items():
            for number, body in enumerate(_pages(rows, f"{server.graph}/v1.0/{section}?$skiptoken=")):
                pages[f"/v1.0/{section}?$skiptoken={number}" if number else f"/v1.0/{section}?"] = body

        def rendered(path: str) -> bytes | None:
            # The first page is asked for with the properties and the size of a page, whatever they are.
            return pages.get(path) or pages.get(path.partition("?")[0] + "?" if "skiptoken" not in path else "")

        server.render(rendered)
        said = {"env": server.env(), "graph": server.graph, "authority": server.authority}
        print(json.dumps({**said, "bytes": sum(map(len, pages.values()))}), flush=True)
        sys.stdin.read()


def _pages(rows: Sequence[bytes], link: str) -> Iterator[bytes]:
    """The bodies of all pages; `link` is where the next one is, without its number."""
    count = max(1, -(-len(rows) // PAGE))
    for number in range(count):
        more = f'"@odata.nextLink":"{link}{number + 1}",'.encode() if number + 1 < count else b""
        yield b'{"@odata.context":"",' + more + b'"value":[' + b",".join(rows[number * PAGE :][:PAGE]) + b"]}"


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
