"""Whole reports, compared to the letter.

After a change that is meant, write them anew and read the difference before committing it:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/render/test_golden.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.render.text import render
from tests.render.reports import ALL

GOLDEN = Path(__file__).parent / "golden"
CASES = [(name, 80) for name in ALL] + [("needs-admin", 60), ("needs-admin", 120), ("wide", 60)]


def path_of(name: str, width: int) -> Path:
    return GOLDEN / (f"{name}.txt" if width == 80 else f"{name}.{width}.txt")


@pytest.mark.parametrize(("name", "width"), CASES)
def test_the_text_is_as_it_was_read_and_approved(name: str, width: int) -> None:
    text, path = render(ALL[name](), width=width), path_of(name, width)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_there_is_no_golden_file_without_its_case() -> None:
    assert {path_of(name, width) for name, width in CASES} == set(GOLDEN.iterdir())
