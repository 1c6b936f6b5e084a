"""The gallery in docs/ is what the program would write today."""

from __future__ import annotations

import pytest

from auditor.render import render
from tests.gallery.make import GALLERY, INDEX, file_of, index, kept, report_on

AGAIN = "run: make gallery"


@pytest.mark.parametrize(("name", "form"), kept())
def test_a_report_of_the_gallery_is_current(name: str, form: str) -> None:
    assert (GALLERY / file_of(name, form)).read_bytes() == render(report_on(name), form), AGAIN


def test_the_gallery_holds_what_is_kept_and_nothing_else() -> None:
    there = {path.relative_to(GALLERY).as_posix() for path in GALLERY.rglob("*") if path.is_file()}
    assert there == {INDEX, *(file_of(name, form) for name, form in kept())}, AGAIN


def test_the_page_that_leads_to_it_is_current() -> None:
    assert (GALLERY / INDEX).read_text(encoding="utf-8") == index(), AGAIN
