"""The gallery in docs/ is what the program would write today."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.render import render
from auditor.render.fleet import render_fleet
from tests.docs.pages import guides
from tests.gallery.make import (
    FORMS,
    GALLERY,
    INDEX,
    file_of,
    file_of_fleet,
    index,
    kept,
    report_on,
    report_on_fleet,
)
from tests.gallery.pictures import DESIGNS, PICTURES, pages
from tests.gallery.pictures import file_of as file_of_picture

AGAIN = "run: make gallery"


@pytest.mark.parametrize(("name", "form"), kept())
def test_a_report_of_the_gallery_is_current(name: str, form: str) -> None:
    assert (GALLERY / file_of(name, form)).read_bytes() == render(report_on(name), form), AGAIN


@pytest.mark.parametrize("form", FORMS)
def test_the_report_on_many_tenants_is_current(form: str) -> None:
    assert (GALLERY / file_of_fleet(form)).read_bytes() == render_fleet(report_on_fleet(), form), AGAIN


def test_the_gallery_holds_what_is_kept_and_nothing_else() -> None:
    there = {path.relative_to(GALLERY).as_posix() for path in GALLERY.rglob("*") if path.is_file()}
    reports = {file_of(name, form) for name, form in kept()}
    assert there == {INDEX, *reports, *map(file_of_fleet, FORMS)}, AGAIN


def test_the_page_that_leads_to_it_is_current() -> None:
    assert (GALLERY / INDEX).read_text(encoding="utf-8") == index(), AGAIN


def test_every_page_has_a_picture_in_both_designs_and_the_documentation_shows_it(tmp_path: Path) -> None:
    wanted = {file_of_picture(one.name, design) for one in pages(tmp_path) for design in DESIGNS}
    assert {path for path in wanted if path.read_bytes()[:8] != b"\x89PNG\r\n\x1a\n"} == set(), AGAIN
    assert set(PICTURES.glob("*.png")) == wanted
    shown = "".join(page.read_text(encoding="utf-8") for page in guides())
    assert {path.name for path in wanted if f"assets/{path.name}" not in shown} == set()
