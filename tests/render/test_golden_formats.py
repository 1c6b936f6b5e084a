"""Whole reports in the formats that other programs read, compared byte for byte; see tests/golden.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.render import FORMATS, render
from tests.golden import check_golden
from tests.render.reports import ALL

GOLDEN = Path(__file__).parent / "golden_formats"
ELSEWHERE = {"text", "json", "csv", "html"}
"""The formats whose golden files are compared by other tests; a binary format is compared by its content."""
CASES = [
    (name, form)
    for name in ("needs-admin", "depends", "hostile")
    for form, one in FORMATS.items()
    if form not in ELSEWHERE and not one.is_binary
]


def path_of(name: str, form: str) -> Path:
    return GOLDEN / f"{name}{FORMATS[form].ending}"


@pytest.mark.parametrize(("name", "form"), CASES)
def test_the_file_is_as_it_was_read_and_approved(name: str, form: str) -> None:
    check_golden(path_of(name, form), render(ALL[name](), form))


def test_there_is_no_golden_file_without_its_case() -> None:
    assert {path_of(name, form) for name, form in CASES} == set(GOLDEN.iterdir())
