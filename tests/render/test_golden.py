"""Whole reports in text, compared character by character; see tests/golden.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.render.text import render
from tests.golden import check_golden
from tests.render.reports import ALL

GOLDEN = Path(__file__).parent / "golden"
CASES = [(name, 80) for name in ALL] + [("needs-admin", 60), ("wide", 60)]


def path_of(name: str, width: int) -> Path:
    return GOLDEN / (f"{name}.txt" if width == 80 else f"{name}.{width}.txt")


@pytest.mark.parametrize(("name", "width"), CASES)
def test_the_text_is_as_it_was_read_and_approved(name: str, width: int) -> None:
    check_golden(path_of(name, width), render(ALL[name](), width=width))


def test_there_is_no_golden_file_without_its_case() -> None:
    assert {path_of(name, width) for name, width in CASES} == set(GOLDEN.iterdir())
