"""``python -m benchmarks``: measure the installed wheel, print tables and ratios, and write JSON. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.dashboard import dashboard
from benchmarks.directory import directory
from benchmarks.figures import Ratio
from benchmarks.fleet import fleet
from benchmarks.growth import growth
from benchmarks.history import history
from benchmarks.imports import imports
from benchmarks.live import live
from benchmarks.processes import PYTHON, ROOT
from benchmarks.result import Result
from benchmarks.scale import Size, scale
from benchmarks.startup import PACK, startup
from benchmarks.tenants import as_most, write

PARTS = ("startup", "imports", "live", "scale", "growth", "directory", "history", "dashboard", "fleet")
BUILT = ROOT / "build" / "bench"
"""Where the numbers go, one file for each commit."""


def main() -> None:
    """Measure what was asked for, in an environment that has the program as a wheel."""
    asked = _arguments()
    if asked.checkout or sys.executable != PYTHON:
        _measure(asked)
        return
    from benchmarks.compare import environment_of

    with tempfile.TemporaryDirectory(prefix="consent-auditor-bench-") as name:
        print("… building the wheel", file=sys.stderr, flush=True)
        env = environment_of(ROOT, Path(name))
        command = (sys.executable, "-m", "benchmarks", *sys.argv[1:])
        sys.exit(subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, check=False).returncode)


def _measure(asked: argparse.Namespace) -> None:
    def tell(text: str) -> None:
        print(f"… {text}", file=sys.stderr, flush=True)

    results: list[Result] = []

    def found(*some: Result) -> None:
        results.extend(some)
        if not asked.json:
            print(*(result.text() for result in some), sep="\n", flush=True)

    machine = _machine()
    if not asked.json:
        print(f"{machine}\n")
    with tempfile.TemporaryDirectory(prefix="consent-auditor-bench-") as name:
        folder = Path(name)
        bytecode = asked.bytecode or folder / "bytecode"
        if "startup" in asked.parts:
            found(startup(bytecode, write(as_most(), folder / "tenant.json"), asked.runs, tell))
        if "imports" in asked.parts:
            found(imports(bytecode, {"--help": ["--help"], "check --sample": _CHECK}, {}, asked.top))
        if "live" in asked.parts:
            found(*live(bytecode, asked.runs, asked.top, tell))
        if "scale" in asked.parts:
            found(*scale(bytecode, folder, Size(asked.apps, asked.grants), max(1, asked.runs // 3), tell))
        if "growth" in asked.parts:
            found(growth(folder, Size(asked.apps, asked.grants), tell))
        if "directory" in asked.parts:
            found(directory(bytecode, folder, asked.directory, max(1, asked.runs // 3), tell))
        if "history" in asked.parts:
            found(history(folder, Size(asked.apps, asked.kept_grants), tell))
        if "dashboard" in asked.parts:
            found(dashboard(folder, asked.tenants, asked.nights, tell))
        if "fleet" in asked.parts:
            found(fleet(bytecode, folder, asked.fleet, max(1, asked.runs // 3), tell))
    numbers = _numbers(machine, asked.runs, results)
    if asked.json:
        print(numbers)
        return
    print(_ratios({name: ratio for result in results for name, ratio in result.ratios.items()}))
    file = BUILT / f"{_commit() or 'unknown'}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(numbers, encoding="utf-8")
    print(f"\nWrote {file.relative_to(ROOT)}")


_CHECK = ["check", "--sample", "managed-default", *PACK]


def _ratios(ratios: dict[str, Ratio]) -> str:
    """The ratios of all parts, with their aims."""
    rows = [
        [name, one.against, one.figure.shown(2), str(one.aim or ""), one.cpu.shown(2) if one.cpu else ""]
        for name, one in ratios.items()
    ]
    heads = ("what", "against", "times", "aim", "times, cpu")
    table = tabulate(rows, headers=heads, disable_numparse=True, tablefmt="simple")
    return f"Ratios: medians of the ratios within each turn\n\n{table}"


def _numbers(machine: str, runs: int, results: list[Result]) -> str:
    """Everything that was measured, as JSON: seconds, bytes and counts, and the ratios by their names."""
    ratios = {name: asdict(ratio) for result in results for name, ratio in result.ratios.items()}
    parts: dict[str, Any] = {result.name: result.numbers for result in results}
    document = {"machine": machine, "commit": _commit(), "runs": runs, "ratios": ratios, **parts}
    return json.dumps(document, indent=2)


def _machine() -> str:
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    return f"Python {platform.python_version()}, {platform.machine()}, {cores} cores, load {load:.1f} before"


def _commit() -> str:
    """The short name of the commit, with ``-changed`` where the checkout isn't just that; empty outside git."""
    command = ("git", "describe", "--always", "--dirty=-changed", "--exclude=*")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _size(text: str) -> Size:
    apps, _, grants = text.partition(",")
    return Size(int(apps), int(grants))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("-n", "--runs", type=int, default=15, help="runs of each command (scale: a third of them)")
    parser.add_argument("-q", "--quick", action="store_true", help="few runs and small tenants, to see that it works")
    parser.add_argument("--json", action="store_true", help="print the JSON instead of tables, and write no file")
    parser.add_argument("--checkout", action="store_true", help="measure the checkout as it is, not a wheel of it")
    parser.add_argument("--bytecode", type=Path, help="a folder for bytecode that later runs find again")
    parser.add_argument("--apps", type=int, default=10_000, help="service principals of the large tenant")
    parser.add_argument("--grants", type=int, default=50_000, help="delegated grants of the large tenant")
    parser.add_argument(
        "--directory",
        type=_size,
        nargs="+",
        default=[Size(20_000, 120_000)],
        metavar="APPS,GRANTS",
        help="sizes of the directories that are read whole, such as 100000,1000000; default: 20000,120000",
    )
    parser.add_argument(
        "--kept-grants", type=int, default=300_000, help="delegated grants of the large tenant of the history"
    )
    parser.add_argument("--tenants", type=int, default=50, help="tenants of the dashboard")
    parser.add_argument("--fleet", type=int, default=1_000, metavar="TENANTS", help="tenants of the fleet")
    parser.add_argument("--nights", type=int, default=365, help="nights of the dashboard")
    parser.add_argument("--top", type=int, default=12, help="how many imports to list")
    asked = parser.parse_args()
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"there is no {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    if asked.runs < 1:
        parser.error("--runs must be at least 1")
    if asked.quick:
        asked.directory = [Size(2_000, 12_000)]
        asked.runs, asked.apps, asked.grants = 3, min(asked.apps, 1_000), min(asked.grants, 5_000)
        asked.kept_grants = min(asked.kept_grants, 10_000)
        asked.fleet = min(asked.fleet, 50)
        asked.tenants, asked.nights = min(asked.tenants, 5), min(asked.nights, 30)
    return asked


if __name__ == "__main__":
    main()
