"""Whole reports in the formats that other programs read, compared to the letter.

After a change that is meant, write them anew and read the difference before committing it:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/render/test_golden_formats.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.render import FORMATS, render
from tests.render.reports import ALL

GOLDEN = Path(__file__).parent / "golden_formats"
CASES = [
    (name, form) for name in ("needs-admin", "depends", "hostile") for form in ("markdown", "sarif", "junit", "ocsf")
]


def path_of(name: str, form: str) -> Path:
    return GOLDEN / f"{name}{FORMATS[form].ending}"


@pytest.mark.parametrize(("name", "form"), CASES)
def test_the_file_is_as_it_was_read_and_approved(name: str, form: str) -> None:
    made, path = render(ALL[name](), form), path_of(name, form)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made)
    assert made == path.read_bytes()


def test_there_is_no_golden_file_without_its_case() -> None:
    assert {path_of(name, form) for name, form in CASES} == set(GOLDEN.iterdir())
