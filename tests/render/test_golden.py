"""Whole reports in text, compared character by character; see tests/golden.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.render.text import render
from tests.golden import check_golden
from tests.render.reports import ALL

GOLDEN = Path(__file__).parent / "golden"
CASES = {f"{name}.txt": (name, 80) for name in ALL} | {
    "needs-admin.60.txt": ("needs-admin", 60),
    "wide.60.txt": ("wide", 60),
}
"""The file of each report, and the report's name and width."""


@pytest.mark.parametrize("file", CASES)
def test_the_text_is_as_it_was_read_and_approved(file: str) -> None:
    name, width = CASES[file]
    check_golden(GOLDEN / file, render(ALL[name](), width=width))


def test_there_is_no_golden_file_without_its_case() -> None:
    assert set(CASES) == {path.name for path in GOLDEN.iterdir()}
