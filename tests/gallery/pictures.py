"""Pictures of the pages that the program writes, for the documentation, in the light and the dark design."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import sync_playwright

from auditor.jobs.history_site import write_site
from auditor.render import render
from auditor.render.fleet import render_fleet
from tests.browser.conftest import FLAGS
from tests.docs.pages import DOCS
from tests.gallery.make import report_on
from tests.render.fleets import fleet
from tests.render.nightly_runs import nights

PICTURES = DOCS / "assets"
DESIGNS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT = 1180, 860


class Pictured(NamedTuple):
    """A page that is pictured: the name of its pictures, and its file."""

    name: str
    page: Path


def pages(folder: Path) -> Iterator[Pictured]:
    """Write the pages into a folder."""
    report = folder / "report.html"
    report.write_bytes(render(report_on("managed-default"), "html"))
    yield Pictured("report", report)
    many = folder / "fleet.html"
    many.write_bytes(render_fleet(fleet(40), "html"))
    yield Pictured("fleet", many)
    made = nights(8, 150, seed=4)
    write_site(made.data, str(folder / "site"), made.differences.get)
    yield Pictured("dashboard", folder / "site/index.html")


def file_of(name: str, design: str) -> Path:
    """Where a picture is."""
    return PICTURES / f"{name}-{design}.png"


def write_pictures() -> None:
    """Picture the first screen of each page. Raises FileNotFoundError if Chromium isn't installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise FileNotFoundError("chromium isn't installed: make gallery installs it where there is a package")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for pictured in pages(Path(folder)):
            for design in DESIGNS:
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=design)
                page.goto(pictured.page.as_uri())
                page.screenshot(path=file_of(pictured.name, design))
                page.close()
        browser.close()
