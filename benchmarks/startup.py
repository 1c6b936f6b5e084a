"""Starting: the help, and judging a file, against an interpreter that does nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import cpu, times_bare, wall
from benchmarks.processes import BARE, ROOT, Case, interleaved, measured, program, surroundings
from benchmarks.result import Result

PACK = ("--pack", "trackerrms-uk")
JUDGED = (0, 1, 4)
"""Exit codes of a check that was made."""

AIMS = {"--help": 0.100, "check --snapshot": 0.300, "check --sample": 0.300}
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)")


class Import(NamedTuple):
    """One module as ``-X importtime`` saw it; `whole` includes what it imported itself."""

    name: str
    own: float
    whole: float
    depth: int


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


def imports(bytecode: Path, commands: Mapping[str, Sequence[str]], env: Mapping[str, str], top: int) -> Result:
    """What each command imports that costs most, each module with what it brought along and by itself."""
    rows, numbers = [], {}
    for name, arguments in commands.items():
        seen = _imported(arguments, surroundings(bytecode, env))
        total = sum(module.own for module in seen)
        rows.append([name, f"all {len(seen)} modules", f"{total * 1000:.1f}", ""])
        dearest = sorted(seen, key=lambda module: -module.whole)[:top]
        rows += [["", m.name, f"{m.whole * 1000:.1f}", f"{m.own * 1000:.1f}"] for m in dearest]
        numbers[name] = {"modules": len(seen), "seconds": total, "dearest": [m._asdict() for m in dearest]}
    return Result(
        "imports",
        "Imports that cost most (-X importtime, which itself slows every import down)",
        ("command", "module", "with its own imports, ms", "itself, ms"),
        rows,
        numbers,
    )


def _imported(arguments: Sequence[str], env: Mapping[str, str]) -> list[Import]:
    """Every import of one run; the second of two, because the first may have to compile.

    Imports made in several threads at once are listed with times that overlap.
    """
    command = [sys.executable, "-X", "importtime", "-m", "auditor", *arguments]
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False)
    lines = map(_LINE.match, done.stderr.splitlines())
    return [Import(m[4], int(m[1]) / 1e6, int(m[2]) / 1e6, len(m[3]) // 2) for m in lines if m is not None]
