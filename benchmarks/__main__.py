"""``python -m benchmarks``: measure, and print tables or JSON. See README.md for what the numbers mean."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.imports import imports
from benchmarks.live import live
from benchmarks.result import Result
from benchmarks.scale import Size, scale
from benchmarks.startup import PACK, startup
from benchmarks.tenants import as_most, write

PARTS = ("startup", "imports", "live", "scale")


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()

    def tell(text: str) -> None:
        print(f"… {text}", file=sys.stderr, flush=True)

    results: list[Result] = []

    def found(*some: Result) -> None:
        results.extend(some)
        if not asked.json:
            print(*(result.text() for result in some), sep="\n", flush=True)

    load = os.getloadavg()[0]
    if not asked.json:
        print(f"{_machine(load)}\n")
    with tempfile.TemporaryDirectory(prefix="consent-auditor-bench-") as name:
        folder = Path(name)
        bytecode = folder / "bytecode"
        if "startup" in asked.parts:
            found(startup(bytecode, write(as_most(), folder / "tenant.json"), asked.runs, tell))
        if "imports" in asked.parts:
            found(imports(bytecode, {"--help": ["--help"], "check --sample": _CHECK}, {}, asked.top))
        if "live" in asked.parts:
            found(*live(bytecode, asked.runs, asked.top, tell))
        if "scale" in asked.parts:
            found(*scale(bytecode, folder, Size(asked.apps, asked.grants), max(1, asked.runs // 3), tell))
    if asked.json:
        numbers: dict[str, Any] = {result.name: result.numbers for result in results}
        print(json.dumps({"machine": _machine(load), "runs": asked.runs, **numbers}, indent=2))


_CHECK = ["check", "--sample", "managed-default", *PACK]


def _machine(load: float) -> str:
    cores = len(os.sched_getaffinity(0))
    return f"Python {platform.python_version()}, {platform.machine()}, {cores} cores, load {load:.1f} before"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("-n", "--runs", type=int, default=15, help="runs of each command (scale: a third of them)")
    parser.add_argument("-q", "--quick", action="store_true", help="few runs and small tenants, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--apps", type=int, default=10_000, help="service principals of the large tenant")
    parser.add_argument("--grants", type=int, default=50_000, help="delegated grants of the large tenant")
    parser.add_argument("--top", type=int, default=12, help="how many imports to list")
    asked = parser.parse_args()
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"there is no {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    if asked.runs < 1:
        parser.error("--runs must be at least 1")
    if asked.quick:
        asked.runs, asked.apps, asked.grants = 3, min(asked.apps, 1_000), min(asked.grants, 5_000)
    return asked


if __name__ == "__main__":
    main()
