"""Where the files of deploy/ are, and the tools that check them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import HUNG_AFTER

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAM = "/opt/consent-auditor/bin/consent-auditor"
CONFIGURATION = "/etc/consent-auditor/consent-auditor.yaml"


def tool(name: str, *beside: Path) -> str:
    """The path of a program, or the skip of the test: ``make test`` installs it where there is a package of it."""
    scripts = Path(sys.executable).parent / name
    found = str(scripts) if scripts.exists() else shutil.which(name)
    if found is None or not all(path.exists() for path in beside):
        pytest.skip(f"{name} isn't installed; make test installs it where there is a package")
    return found


def run(*command: str | Path, cwd: Path = ROOT, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """What a command prints, and its exit code."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent / "without")},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=HUNG_AFTER,
        check=False,
    )
