"""Each promise of the threat model in docs/security.md names tests, and each of them exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.packaging.tree import ROOT


def rows() -> list[tuple[str, str, str]]:
    """Threat, promise and tests of each row."""
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    table = text.partition("| Threat | Promise | Tests |")[2].partition("\n\n")[0]
    found = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in table.splitlines()[2:]]
    return [(threat, promise, tests) for threat, promise, tests in found]


def named(tests: str) -> list[tuple[str, str]]:
    """The file and the name of each test."""
    found = []
    for part in tests.split("; "):
        file, *names = re.findall(r"`([^`]+)`", part)
        found += [(file, name) for name in names]
    return found


@cache
def defined(file: str) -> set[str]:
    """The tests in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_is_a_threat_model() -> None:
    assert len(rows()) > 20
    assert len({threat for threat, _, _ in rows()}) == len(rows())


@pytest.mark.parametrize(("threat", "promise", "tests"), [pytest.param(*row, id=row[0]) for row in rows()])
def test_each_promise_names_tests_that_exist(threat: str, promise: str, tests: str) -> None:
    assert threat and promise and named(tests)
    missing = [f"{file}: {name}" for file, name in named(tests) if name not in defined(file)]
    assert not missing, f"docs/security.md names tests that don't exist for {promise!r}"
