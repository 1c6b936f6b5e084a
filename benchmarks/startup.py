"""Starting: the help, and judging a file, against an interpreter that does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.figures import cpu, times_bare, wall
from benchmarks.processes import BARE, Case, interleaved, measured, program, surroundings
from benchmarks.result import Result

PACK = ("--pack", "trackerrms-uk")
JUDGED = (0, 1, 4)
"""Exit codes of a check that was made."""

AIMS = {"--help": 0.100, "check --snapshot": 0.300, "check --sample": 0.300}


def startup(bytecode: Path, snapshot: Path, runs: int, tell: Callable[[str], None]) -> Result:
    """The help and an offline check as whole processes."""
    env = surroundings(bytecode)
    commands = {
        "--help": ("--help",),
        "check --snapshot": ("check", "--snapshot", str(snapshot), *PACK),
        "check --sample": ("check", "--sample", "managed-default", *PACK),
    }
    cases: dict[str, Case] = {"python -c pass": lambda: measured(BARE, env)}
    for name, arguments in commands.items():
        cases[name] = partial(measured, (*program(), *arguments), env, expected=JUDGED)
    found = interleaved(cases, runs, tell=tell)
    bare = found["python -c pass"]
    rows, numbers = [], {}
    for name, taken in found.items():
        ratio, aim = times_bare(taken, bare), AIMS.get(name)
        shown = f"{aim * 1000:.0f}" if aim else ""
        rows.append([name, wall(taken).shown(0, 1000), shown, cpu(taken).shown(0, 1000), ratio.shown(1)])
        numbers[name] = {
            "wall": asdict(wall(taken)),
            "cpu": asdict(cpu(taken)),
            "times_bare": asdict(ratio),
            "aim": aim,
        }
    return Result(
        "startup",
        f"Start-up and offline check: whole processes, {runs} runs each, interleaved",
        ("command", "wall ms", "aim", "cpu ms", "x bare interpreter"),
        rows,
        numbers,
    )
