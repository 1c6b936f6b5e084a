"""``collect --full`` of a large directory, compared with aiohttp and msgspec on the same bytes in the same turns.

``python -m benchmarks.directory serve APPS GRANTS`` is the remote end: its pages are rendered before the first request, so
that the server costs as little as it can. ``python -m benchmarks.directory bare GRAPH`` is the comparison: aiohttp reads
both lists at the same time, without authentication and without a file, and msgspec decodes every row into a struct.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import cpu, figure, paired, wall
from benchmarks.processes import ROOT, Case, Run, interleaved, measured, program, surroundings
from benchmarks.result import Result
from benchmarks.scale import Size

PAGE = 999
RATIO_AIM, MEMORY_AIM = 1.6, 120


def directory(bytecode: Path, folder: Path, sizes: Sequence[Size], runs: int, tell: Callable[[str], None]) -> Result:
    """Wall time, processor time and peak memory of both, and their ratio in the same turn."""
    rows: list[list[str]] = []
    numbers: dict[str, Any] = {"aims": {"ratio": RATIO_AIM, "mebibytes": MEMORY_AIM}}
    for size in sizes:
        with _Remote(bytecode, size) as remote:
            env = surroundings(bytecode, remote.env)
            bare = (sys.executable, "-m", "benchmarks.directory", "bare", remote.graph)
            where = ("--authority-host", remote.authority, "--graph-endpoint", remote.graph, "--timeout", "1h")
            command = (*program(), "collect", "--full", *where, "-o", str(folder / "directory.zip"))
            cases: dict[str, Case] = {
                "aiohttp with msgspec": partial(measured, bare, env),
                "collect --full": partial(measured, command, env),
            }
            found = interleaved(cases, runs, tell=tell)
        compared, collected = found.values()
        ratio = paired(collected, compared, lambda run, other: run.wall / other.wall)
        on_cpu = paired(collected, compared, lambda run, other: run.cpu / other.cpu)
        rows.append(_row(str(size), "aiohttp with msgspec", compared, "", ""))
        rows.append(_row("", "collect --full", collected, ratio.shown(2), on_cpu.shown(2)))
        numbers[str(size)] = {
            name: {
                "wall": asdict(wall(taken)),
                "cpu": asdict(cpu(taken)),
                "mebibytes": asdict(figure([run.mebibytes for run in taken])),
            }
            for name, taken in found.items()
        }
        numbers[str(size)] |= {"ratio": asdict(ratio), "cpu_ratio": asdict(on_cpu), "bytes": remote.bytes}
    return Result(
        "directory",
        f"A whole directory: collect --full, {runs} runs each, interleaved",
        ("directory", "", "wall ms", "cpu ms", "MiB", "x wall", "x cpu"),
        rows,
        numbers,
        (
            f"aims: at most {RATIO_AIM} times the wall time, under {MEMORY_AIM} MiB",
            "collect signs in, reads everything else too, checks each row and writes the compressed file",
        ),
    )


def _row(size: str, what: str, runs: Sequence[Run], ratio: str, on_cpu: str) -> list[str]:
    peak = figure([run.mebibytes for run in runs])
    return [size, what, wall(runs).shown(0, 1000), cpu(runs).shown(0, 1000), f"{peak.high:.0f}", ratio, on_cpu]


class _Remote:
    """The remote end in a separate process."""

    def __init__(self, bytecode: Path, size: Size) -> None:
        self._env = surroundings(bytecode)
        self._size = size

    def __enter__(self) -> _Remote:
        command = (sys.executable, "-m", "benchmarks.directory", "serve", str(self._size.apps), str(self._size.grants))
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


def _read(graph: str) -> None:
    """Read both lists with aiohttp into structs, and keep every row."""
    import aiohttp
    import msgspec

    from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal

    class Page(msgspec.Struct):
        value: list[Any]
        next: str | None = msgspec.field(name="@odata.nextLink", default=None)

    async def rows(session: aiohttp.ClientSession, section: str, kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
        page = msgspec.defstruct("PageOfRows", [("value", list[kind])], bases=(Page,))  # type: ignore[valid-type]
        decoder = msgspec.json.Decoder(page)
        found: list[msgspec.Struct] = []
        address: str | None = f"{graph}/v1.0/{section}?$top={PAGE}"
        while address:
            async with session.get(address) as response:
                body = decoder.decode(await response.read())
            found += body.value
            address = body.next
        return found

    async def both() -> None:
        trust = ssl.create_default_context()  # with SSL_CERT_FILE
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
            lists = {"servicePrincipals": ServicePrincipal, "oauth2PermissionGrants": OAuth2PermissionGrant}
            await asyncio.gather(*(rows(session, section, kind) for section, kind in lists.items()))

    asyncio.run(both())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(int(sys.argv[2]), int(sys.argv[3]))
    else:
        _read(sys.argv[2])
