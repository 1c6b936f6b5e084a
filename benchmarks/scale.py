"""Large tenants: what each thousand objects costs, over a small tenant measured in the same turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import cpu, figure, times_bare, wall
from benchmarks.processes import BARE, Case, Run, interleaved, measured, program, surroundings
from benchmarks.remote_latency import Far, arguments
from benchmarks.result import Result
from benchmarks.startup import JUDGED, PACK
from benchmarks.tenants import as_large, write


class Size(NamedTuple):
    """How many service principals and grants a tenant has."""

    apps: int
    grants: int

    @property
    def objects(self) -> int:
        return self.apps + self.grants

    def __str__(self) -> str:
        return f"{self.apps:,} apps, {self.grants:,} grants"


SMALL = Size(100, 500)
SURVEYED = Size(3_000, 30_000)
"""A large tenant whose apps are all decided about."""
HEADS = ("tenant", "wall ms", "cpu ms", "x bare", "MiB", "over small: ms per 1,000 objects", "cpu ms per 1,000")


def scale(bytecode: Path, folder: Path, large: Size, runs: int, tell: Callable[[str], None]) -> list[Result]:
    """Judging a large snapshot file, surveying its apps, and reading a large directory as a whole."""
    return [
        _of_file("check", PACK, bytecode, folder, large, runs, tell),
        _of_file("apps survey", (), bytecode, folder, SURVEYED, runs, tell),
        _collect(bytecode, folder, large, runs, tell),
    ]


def _of_file(
    verb: str,
    options: Sequence[str],
    bytecode: Path,
    folder: Path,
    large: Size,
    runs: int,
    tell: Callable[[str], None],
) -> Result:
    env = surroundings(bytecode)
    cases: dict[str, Case] = {"python -c pass": lambda: measured(BARE, env)}
    for size in (SMALL, large):
        file = write(as_large(*size), folder / f"tenant-{size.apps}.json")
        command = (*program(), *verb.split(), "--snapshot", str(file), *options)
        cases[str(size)] = partial(measured, command, env, expected=JUDGED)
    found = interleaved(cases, runs, tell=tell)
    mebibytes = (folder / f"tenant-{large.apps}.json").stat().st_size / 2**20
    title = f"Scale: {verb} --snapshot, {runs} runs each, interleaved"
    name = f"scale-{verb.split()[-1]}"
    return _result(name, title, found, [SMALL, large], (f"the large file has {mebibytes:.0f} MiB",))


def _collect(bytecode: Path, folder: Path, large: Size, runs: int, tell: Callable[[str], None]) -> Result:
    sizes = [SMALL, Size(large.apps, SMALL.grants), large]
    with Far(bytecode, sizes, (0.0,)) as far:
        cases: dict[str, Case] = {"python -c pass": lambda: measured(BARE, surroundings(bytecode))}
        waited: dict[str, list[float]] = {}
        asked: dict[str, int] = {}

        def collect(number: int, size: Size) -> Run:
            command = (
                *program(),
                "collect",
                "--full",
                *PACK,
                *arguments(far.connections[0]),
                "-o",
                str(folder / "read.json"),
            )
            far.heard(0)
            run = measured(command, surroundings(bytecode, far.environment(number)))
            heard = far.heard(0)
            waited.setdefault(str(size), []).append(heard.cpu)
            asked[str(size)] = len(heard.requests)
            return run

        for number, size in enumerate(sizes):
            cases[str(size)] = partial(collect, number, size)
        found = interleaved(cases, runs, tell=tell)
    notes = tuple(
        f"{size}: {asked[str(size)]} requests; the remote end's own cpu, part of the wall: "
        f"{figure(waited[str(size)][1:]).shown(0, 1000)} ms"
        for size in sizes
    )
    return _result("scale-collect", f"Scale: collect --full, {runs} runs each, interleaved", found, sizes, notes)


def _result(name: str, title: str, found: dict[str, list[Run]], sizes: list[Size], notes: tuple[str, ...]) -> Result:
    bare, small, *_ = found.values()
    rows = [["python -c pass", wall(bare).shown(0, 1000), cpu(bare).shown(0, 1000), "1", _peak(bare), "", ""]]
    numbers: dict[str, Any] = {}
    for size in sizes:
        taken = found[str(size)]
        row = [str(size), wall(taken).shown(0, 1000), cpu(taken).shown(0, 1000), times_bare(taken, bare).shown(0)]
        numbers[str(size)] = measures = {
            "wall": asdict(wall(taken)),
            "cpu": asdict(cpu(taken)),
            "times_bare": asdict(times_bare(taken, bare)),
            "mebibytes": asdict(figure([run.mebibytes for run in taken])),
        }
        if size == SMALL:
            rows.append([*row, _peak(taken), "", ""])
            continue
        thousands = (size.objects - SMALL.objects) / 1000
        on_wall = figure([(run.wall - other.wall) / thousands for run, other in zip(taken, small, strict=True)])
        on_cpu = figure([(run.cpu - other.cpu) / thousands for run, other in zip(taken, small, strict=True)])
        rows.append([*row, _peak(taken), on_wall.shown(1, 1000), on_cpu.shown(1, 1000)])
        measures |= {"wall_per_thousand": asdict(on_wall), "cpu_per_thousand": asdict(on_cpu)}
    notes = (*notes, "MiB: the peak; never below that of the process that measures")
    return Result(name, title, HEADS, rows, numbers, notes)


def _peak(runs: list[Run]) -> str:
    return f"{figure([run.mebibytes for run in runs]).median:.0f}"
