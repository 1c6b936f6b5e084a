"""``python -m benchmarks.compare BASE``: the ratios of two versions, measured in turns.

BASE is a commit; the other version is the checkout as it is. Both are built as wheels and installed into separate
environments, which share the dependencies that are installed here. Both are measured by the benchmarks of the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.figures import figure
from benchmarks.processes import ROOT
from tests.packaging.environment import install
from tests.packaging.release import build_wheel, copy_sources

PARTS = ("startup", "live")
Ratios = dict[str, dict[str, Any]]


def environment_of(sources: Path, folder: Path) -> dict[str, str]:
    """Install the program of `sources` as a wheel below `folder`. The result makes the benchmarks measure it."""
    copied = copy_sources(folder / "sources") if sources == ROOT else sources
    wheel = build_wheel(copied, folder / "wheel")
    place = folder / "environment"
    place.mkdir()
    return {"CONSENT_AUDITOR_BENCH_PYTHON": str(install(wheel, place).python)}


def _checked_out(commit: str, folder: Path) -> Path:
    """The files of a commit, in a separate folder."""
    folder.mkdir(parents=True)
    archive = subprocess.run(("git", "archive", commit), cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(f"There is no commit {commit}: {archive.stderr.decode().strip()}")
    subprocess.run(("tar", "-x", "-C", folder), input=archive.stdout, check=True)
    return folder


def _measured(env: Mapping[str, str], folder: Path, parts: list[str], *, is_first: bool) -> Ratios:
    """The ratios of one version in one turn. Only the first turn compiles what it imports."""
    command = (sys.executable, "-m", "benchmarks", *parts, "--json", "-n", "1", "--bytecode", str(folder / "bytecode"))
    warm = {} if is_first else {"CONSENT_AUDITOR_BENCH_WARM": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env, **warm}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    ratios: Ratios = json.loads(done.stdout)["ratios"]
    return ratios


def main() -> None:
    """Build both versions, measure them in turns, and print how the ratios differ."""
    parser = argparse.ArgumentParser("python -m benchmarks.compare", description=__doc__)
    parser.add_argument("base", metavar="BASE", help="the commit to compare with")
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=f"default: {' '.join(PARTS)}")
    parser.add_argument("-n", "--turns", type=int, default=7, help="turns; each measures both versions once")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consent-auditor-bench-") as name:
        folders = {side: Path(name) / side for side in ("base", "checkout")}
        sources = {"base": _checked_out(asked.base, folders["base"] / "sources"), "checkout": ROOT}
        folders["checkout"].mkdir()
        environments = {side: environment_of(sources[side], folder) for side, folder in folders.items()}
        found: dict[str, list[Ratios]] = {side: [] for side in folders}
        for turn in range(asked.turns):
            print(f"… turn {turn + 1} of {asked.turns}", file=sys.stderr, flush=True)
            for side in sorted(folders, reverse=bool(turn % 2)):
                ratios = _measured(environments[side], folders[side], list(asked.parts), is_first=turn == 0)
                found[side].append(ratios)
    print(_table(asked.base, found["base"], found["checkout"]))


def _table(base: str, before: list[Ratios], after: list[Ratios]) -> str:
    """Each ratio of both versions, and the change: the median of the changes within the turns, with its quartiles."""
    rows = []
    for name in after[0]:
        for kind, label in (("figure", name), ("cpu", f"{name}, cpu")):
            now = [turn[name][kind]["median"] for turn in after if turn[name][kind]]
            then = [turn[name][kind]["median"] for turn in before if name in turn and turn[name][kind]]
            if now:
                was = figure(then).shown(2) if then else ""
                rows.append([label, after[0][name]["against"], was, figure(now).shown(2), _change(then, now)])
    heads = ("what", "against", base, "checkout", "change %")
    return tabulate(rows, headers=heads, disable_numparse=True, tablefmt="simple")


def _change(then: list[float], now: list[float]) -> str:
    if len(then) != len(now):
        return "new"
    return figure([new / old - 1 for old, new in zip(then, now, strict=True)]).shown(1, 100)


if __name__ == "__main__":
    main()
