"""The root of the repository holds what belongs there, and no file that a trial left behind."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.limits import HUNG_AFTER
from tests.packaging.tree import ROOT

TOP = {
    *(".ci", ".gitattributes", ".github", ".gitignore", ".pre-commit-config.yaml"),
    *("auditor", "benchmarks", "deploy", "docs", "reports", "requirements", "rules", "tests"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md", "SECURITY.md"),
    *("action.yml", "pyproject.toml", "setup.cfg", "zensical.toml"),
}


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="only a clone says what is tracked")
def test_nothing_else_is_tracked_at_the_root() -> None:
    # Git refuses a checkout that another user owns; listing its files runs nothing in it.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=HUNG_AFTER)
    assert {path.partition("/")[0] for path in listed.stdout.split("\0") if path} == TOP
