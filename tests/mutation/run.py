"""``make mutants``: count how many small mistakes in the packages that decide the tests catch.

mutmut creates mutants of auditor/checks, auditor/consent and auditor/fixes, and runs their tests on each. All of them
take most of a day, so a sample is drawn: the same one each time, a share from every module.

    .venv/bin/python -m tests.mutation.run --sample 400
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / "mutants"
MUTMUT = Path(sys.executable).with_name("mutmut")
SEED = 20261124
FIRST = "auditor.checks.kind.*"
"""The smallest module: running its mutants makes those of all the others, too."""

SURVIVED, KILLED, UNTESTED = 0, 1, 33
_WORDS = {SURVIVED: "survived", KILLED: "killed", UNTESTED: "no test", 5: "no test"}


def results() -> Mapping[str, int | None]:
    """The exit code of the tests for each mutant, none where they were not run, by the mutant's name."""
    found: dict[str, int | None] = {}
    for package in ("checks", "consent", "fixes"):
        for file in sorted((WORK / "auditor" / package).rglob("*.meta")):
            found |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def drawn(names: Iterable[str], size: int) -> list[str]:
    """As many of each module as its share of `size`, and at least one; the same ones for the same names."""
    by_module: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        by_module[module_of(name)].append(name)
    everything = sum(map(len, by_module.values()))
    chance = random.Random(SEED)
    return [
        name
        for _, mine in sorted(by_module.items())
        for name in sorted(chance.sample(mine, min(len(mine), max(1, round(size * len(mine) / everything)))))
    ]


def module_of(name: str) -> str:
    """``auditor.checks.permission_lists`` of ``auditor.checks.permission_lists.x_needs_of__mutmut_6``."""
    return name.rpartition(".")[0]


def table(names: Iterable[str], codes: Mapping[str, int | None]) -> Iterator[str]:
    """The score, module by module, as Markdown."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        code = codes.get(name)
        counts[module_of(name)]["not run" if code is None else _WORDS.get(code, "timeout or crash")] += 1
    whole: Counter[str] = sum(counts.values(), Counter())
    yield "| Module | Mutants | Killed | Survived | No test | Timeout or crash |"
    yield "|---|---|---|---|---|---|"
    for module, count in [*sorted(counts.items()), ("**all**", whole)]:
        cells = (count["killed"], count["survived"], count["no test"], count["timeout or crash"])
        yield f"| {module} | {sum(cells)} | {' | '.join(map(str, cells))} |"


def main() -> int:
    """Make the mutants, run the drawn ones, and print the score and the survivors."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many mutants to draw (default: 400; 0 for all)")
    size = parser.parse_args().sample
    _mutmut(FIRST)
    names = list(results()) if size == 0 else drawn(results(), size)
    _mutmut(*names)
    codes = results()
    sys.stdout.write("\n".join(table(names, codes)) + "\n\nSurvived:\n")
    sys.stdout.writelines(f"  {name}\n" for name in names if codes[name] == SURVIVED)
    sys.stdout.write("\n.venv/bin/mutmut show NAME shows what was changed.\n")
    return 0


def _mutmut(*names: str) -> None:
    """Run mutmut; its moving picture is for a terminal only, and would fill a log with megabytes."""
    command = [str(MUTMUT), "run", "--max-children", str(os.cpu_count() or 1), *names]
    if sys.stdout.isatty():
        subprocess.run(command, cwd=ROOT, check=True)
        return
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.stdout.write(done.stdout[-4000:])
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    sys.exit(main())
