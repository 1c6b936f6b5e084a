"""The repository as the packaging tests see it."""

from __future__ import annotations

import subprocess
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ("reports", "rules")
UNSHIPPED = {f"{tree}/README.md" for tree in DATA}
LITTER = {"__pycache__", ".DS_Store"}


def setup_cfg() -> ConfigParser:
    """setup.cfg as it is written."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def words(text: str) -> list[str]:
    """The entries of a list that setup.cfg holds one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def files_under(*trees: str) -> set[str]:
    """Every file below `trees` that is kept or about to be kept in git, or simply there, without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *trees],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and (ROOT / ".git").exists():
        return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    found = (path.relative_to(ROOT) for tree in trees for path in (ROOT / tree).rglob("*") if path.is_file())
    return {path.as_posix() for path in found if LITTER.isdisjoint(path.parts) and path.suffix != ".pyc"}
