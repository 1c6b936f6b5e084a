"""What a command imports, and what each import costs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import ROOT, interpreted, surroundings
from benchmarks.result import Result

_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| +(\S+)")


class Import(NamedTuple):
    """One module as ``-X importtime`` saw it; `whole` includes what it imported itself."""

    name: str
    own: float
    whole: float


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
        f"imports of {', '.join(commands)}",
        "Imports that cost most (-X importtime, which itself slows every import down)",
        ("command", "module", "with its own imports, ms", "itself, ms"),
        rows,
        numbers,
    )


def _imported(arguments: Sequence[str], env: Mapping[str, str]) -> list[Import]:
    """Every import of one run; the second of two, because the first may have to compile.

    Imports made in several threads at once are listed with times that overlap.
    """
    command = [*interpreted("-X", "importtime"), *arguments]
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False)
    lines = map(_LINE.match, done.stderr.splitlines())
    return [Import(m[3], int(m[1]) / 1e6, int(m[2]) / 1e6) for m in lines if m is not None]
