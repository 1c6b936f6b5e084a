"""Large tenants: what each thousand objects costs over a small tenant, and a packed one against gunzip and msgspec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from auditor.jobs.pack_selection import all_pack_names
from auditor.snapshot.packed_files import save_packed
from auditor.snapshot.read import loads
from benchmarks.figures import cpu, figure, ratio, times_bare, wall
from benchmarks.processes import BARE, Case, Run, baseline, interleaved, measured, program, surroundings
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
GUNZIP = "gunzip and msgspec into structs"
RATIO_AIMS = {"check of one app": 1.5, "check with all packs": 3.0}
MEMORY_AIMS = {"check of one app": 250, "check with all packs": 400}
HEADS = ("tenant", "wall ms", "cpu ms", "x bare", "MiB", "over small: ms per 1,000 objects", "cpu ms per 1,000")


def scale(bytecode: Path, folder: Path, large: Size, runs: int, tell: Callable[[str], None]) -> list[Result]:
    """Judging a large snapshot file, surveying its apps, and reading a large directory as a whole."""
    return [
        _of_file("check", PACK, bytecode, folder, large, runs, tell),
        _of_packed(bytecode, folder, large, runs, tell),
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


def _of_packed(bytecode: Path, folder: Path, large: Size, runs: int, tell: Callable[[str], None]) -> Result:
    """A check of one app and of everything, of a tenant that was read as a whole."""
    env = surroundings(bytecode)
    file = folder / f"tenant-{large.apps}.zip"
    save_packed(loads(msgspec.json.encode(as_large(*large))), file)
    everything = tuple(option for name in all_pack_names() for option in ("--pack", name))
    cases: dict[str, Case] = {GUNZIP: partial(measured, baseline("gunzip-structs", str(file)), env)}
    for name, packs in (("check of one app", PACK), ("check with all packs", everything)):
        command = (*program(), "check", "--snapshot", str(file), *packs)
        cases[name] = partial(measured, command, env, expected=JUDGED)
    found = interleaved(cases, runs, tell=tell)
    ratios = {f"{name}, {large}": ratio(found[name], found[GUNZIP], GUNZIP, aim) for name, aim in RATIO_AIMS.items()}
    rows, numbers = [], {}
    for (name, taken), times in zip(found.items(), (None, *ratios.values()), strict=True):
        times_cpu = times.cpu if times else None
        aims = f"{RATIO_AIMS[name]} x, {MEMORY_AIMS[name]} MiB" if times else ""
        row = [name, wall(taken).shown(0, 1000), cpu(taken).shown(0, 1000), _peak(taken)]
        rows.append([*row, times_cpu.shown(2) if times_cpu else "", aims])
        memory = figure([run.mebibytes for run in taken])
        numbers[name] = {"wall": asdict(wall(taken)), "cpu": asdict(cpu(taken)), "mebibytes": asdict(memory)}
    title = f"A packed snapshot: {large}, {runs} runs each, interleaved"
    note = f"the file has {file.stat().st_size / 2**20:.0f} MiB; {GUNZIP} keeps no row"
    heads = ("", "wall ms", "cpu ms", "MiB", "x cpu", "aims")
    return Result("scale-packed", title, heads, rows, numbers, (note,), ratios)


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
