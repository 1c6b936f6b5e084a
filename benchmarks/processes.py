"""Whole processes, measured: a bare interpreter and the program, in the same surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("CONSENT_AUDITOR_BENCH_PYTHON", sys.executable)
"""The interpreter of the environment that is measured: the one with the wheel, or this one with the checkout."""
IS_WARM = "CONSENT_AUDITOR_BENCH_WARM" in os.environ
"""Whether an earlier process has run every command, so that its bytecode is there."""
BARE = (PYTHON, "-c", "pass")
_INSTALLED = Path(PYTHON).with_name("consent-auditor")
_SETTINGS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CONSENT_AUDITOR_PACKS")
_PREFIXES = ("AZURE_", "PYTHON", "IDENTITY_", "MSI_")


class Run(NamedTuple):
    """One process from start to end: seconds on the wall, seconds of processor, and its peak of memory."""

    wall: float
    cpu: float
    mebibytes: float


Case = Callable[[], Run]


class Failed(Exception):
    """A measured process did not do what it is measured for."""


def program() -> tuple[str, ...]:
    """The installed command; where it is not installed, the same start by hand."""
    return interpreted()[2:] if _INSTALLED.is_file() else interpreted()


def interpreted(*options: str) -> tuple[str, ...]:
    """The program with options of the interpreter."""
    if _INSTALLED.is_file():
        return (PYTHON, *options, "-P", str(_INSTALLED))
    return (PYTHON, *options, "-c", "import sys; from auditor.cli import main; sys.exit(main())")


def baseline(name: str, *arguments: str) -> tuple[str, ...]:
    """One of the programs of ``baselines.py``, in the environment that is measured."""
    return (PYTHON, "-P", str(ROOT / "benchmarks" / "baselines.py"), name, *arguments)


def surroundings(bytecode: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which nothing of this machine's settings counts, least of all where bytecode is kept.

    PYTHONDONTWRITEBYTECODE would make every run compile all that it imports.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _SETTINGS and not name.startswith(_PREFIXES) and not name.lower().endswith("_proxy")
    }
    checkout = {"PYTHONPATH": str(ROOT)} if sys.executable == PYTHON else {}
    return {**kept, "PYTHONPYCACHEPREFIX": str(bytecode), "NO_COLOR": "1", **checkout, **(extra or {})}


def measured(command: Sequence[str], env: Mapping[str, str], *, expected: Sequence[int] = (0,)) -> Run:
    """Run `command` to its end; raises `Failed`, with what it said, for any exit code but the `expected`."""
    with ExitStack() as stack:
        error = stack.enter_context(open(os.memfd_create("stderr"), "w+b"))
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        error.seek(0)
        said = error.read().decode(errors="replace")
        # Exit code 1 alone says little: it is a finding's, and also an uncaught exception's.
        if process.returncode not in expected or "Traceback" in said:
            raise Failed(f"{' '.join(command[:6])} … ended with {process.returncode}:\n{said[-3000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def interleaved(cases: Mapping[str, Case], runs: int, *, tell: Callable[[str], None]) -> dict[str, list[Run]]:
    """Each case `runs` times, in turn, so that a busy moment of the machine falls on all; first once unmeasured."""
    for name, case in cases.items() if not IS_WARM else ():
        tell(f"warming up: {name}")
        case()
    found: dict[str, list[Run]] = {name: [] for name in cases}
    for turn in range(runs):
        tell(f"run {turn + 1} of {runs}: {', '.join(cases)}")
        for name, case in cases.items():
            found[name].append(case())
    return found
