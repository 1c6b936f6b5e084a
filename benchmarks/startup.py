"""Starting: the help, and judging a file, against an interpreter that does nothing and one that imports libraries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.figures import cpu, ratio, times_bare, wall
from benchmarks.processes import BARE, Case, baseline, interleaved, measured, program, surroundings
from benchmarks.result import Result

PACK = ("--pack", "trackerrms-uk")
JUDGED = (0, 1, 4)
"""Exit codes of a check that was made."""

AIMS = {"--help": 4.3, "check --snapshot": 14, "check --sample": 14}
"""The most bare interpreters that each command should take."""
BARE_NAME = "bare interpreter"


def startup(bytecode: Path, snapshot: Path, runs: int, tell: Callable[[str], None]) -> Result:
    """The help and an offline check as whole processes."""
    env = surroundings(bytecode)
    commands = {
        "--help": ("--help",),
        "check --snapshot": ("check", "--snapshot", str(snapshot), *PACK),
        "check --sample": ("check", "--sample", "managed-default", *PACK),
    }
    cases: dict[str, Case] = {
        "python -c pass": lambda: measured(BARE, env),
        "import click, msgspec, yaml, tabulate": partial(measured, baseline("libraries"), env),
    }
    for name, arguments in commands.items():
        cases[name] = partial(measured, (*program(), *arguments), env, expected=JUDGED)
    found = interleaved(cases, runs, tell=tell)
    bare = found["python -c pass"]
    rows, numbers = [], {}
    for name, taken in found.items():
        aim = AIMS.get(name)
        times = times_bare(taken, bare)
        rows.append([name, wall(taken).shown(0, 1000), cpu(taken).shown(0, 1000), times.shown(1), str(aim or "")])
        numbers[name] = {
            "wall": asdict(wall(taken)),
            "cpu": asdict(cpu(taken)),
            "times_bare": asdict(times),
        }
    return Result(
        "startup",
        f"Start-up and offline check: whole processes, {runs} runs each, interleaved",
        ("command", "wall ms", "cpu ms", "x bare interpreter", "aim"),
        rows,
        numbers,
        ratios={name: ratio(found[name], bare, BARE_NAME, AIMS.get(name)) for name in list(found)[1:]},
    )
