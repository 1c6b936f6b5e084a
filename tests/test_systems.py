"""A test that can't run on Windows says so, with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OF_POSIX = re.compile(
    r"os\.(?:geteuid|getuid|mkfifo|fork|lchown|chown|umask)\b|SIGKILL|SIGHUP|SIGUSR|symlink_to|S_IMODE|S_IXUSR"
    r"|chmod\(0o7|run\(\s*\[\"(?:sh|bash)\"|import pty\b"
)
MARKED = re.compile(r"win32|os\.name|hasattr\(os|needs_(?:bash|scripts|links|owners|signals)|which\(\"(?:sh|bash)\"\)")
SERVE_OTHERS = {
    "tests/nights/attempts.py",
    "tests/nights/world.py",
    "tests/history/killed_nights.py",
    "tests/fleet/killed_workers.py",
    "tests/fixes/graph.py",
}
"""Not tests themselves: those that import them are marked."""


def uses(text: str) -> set[str]:
    """The calls of a file that only POSIX has."""
    return {" ".join(found.split()) for found in OF_POSIX.findall(text)}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.relative_to(TESTS).as_posix())
        for path in sorted(TESTS.rglob("*.py"))
        if uses(path.read_text(encoding="utf-8"))
    ],
)
def test_what_only_posix_has_is_marked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if f"tests/{path.relative_to(TESTS).as_posix()}" in SERVE_OTHERS or path == Path(__file__):
        return
    assert MARKED.search(text), f"{uses(text)}: mark the tests with one of tests/systems.py"


@pytest.mark.parametrize("name", sorted(SERVE_OTHERS))
def test_what_serves_only_marked_tests_is_imported_by_no_other(name: str) -> None:
    module = name.removesuffix(".py").replace("/", ".")
    package, _, short = module.rpartition(".")
    imports = re.compile(rf"from {re.escape(module)} import|from {re.escape(package)} import .*\b{short}\b")
    importers = [path for path in TESTS.rglob("*.py") if imports.search(path.read_text(encoding="utf-8"))]
    assert importers
    importers = [path for path in importers if f"tests/{path.relative_to(TESTS).as_posix()}" not in SERVE_OTHERS]
    assert [path.name for path in importers if not MARKED.search(path.read_text(encoding="utf-8"))] == []
