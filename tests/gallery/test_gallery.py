"""The gallery in docs/ is what the program would write today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.render import FORMATS, render
from tests.gallery.make import GALLERY, INDEX, PDF_SOURCES, contents, files, index, report_on, sources

AGAIN = "run: make gallery"
FILES = list(files())


@pytest.mark.parametrize(("path", "name", "form"), [one for one in FILES if one[2] != "pdf"])
def test_a_report_of_the_gallery_is_current(path: str, name: str, form: str) -> None:
    assert contents((GALLERY / path).read_bytes(), form) == contents(render(report_on(name), form), form), AGAIN


def test_every_pdf_was_made_of_the_html_of_today() -> None:
    assert json.loads((GALLERY / PDF_SOURCES).read_text(encoding="utf-8")) == sources(), AGAIN
    made = [path for path, _, form in FILES if form == "pdf"]
    assert made
    assert all((GALLERY / path).read_bytes().startswith(b"%PDF-") for path in made), AGAIN


def test_the_gallery_holds_every_format_of_every_sample_and_nothing_else() -> None:
    there = {path.relative_to(GALLERY).as_posix() for path in GALLERY.rglob("*") if path.is_file()}
    assert there == {INDEX, PDF_SOURCES, *(path for path, _, _ in FILES)}, AGAIN
    assert {form for _, _, form in FILES} == set(FORMATS)


def test_the_page_that_leads_to_it_is_current() -> None:
    assert Path(GALLERY / INDEX).read_text(encoding="utf-8") == index(), AGAIN
