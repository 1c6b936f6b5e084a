"""One headless Chromium for all of these tests, and pages in it that record their requests and errors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.limits import HUNG_AFTER

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = 375
NARROW = 390
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1920, "height": 1000}},
    "usual": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": NARROW, "height": 844}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "forced colours": {"viewport": {"width": 1280, "height": 900}, "forced_colors": "active"},
    # A window of 1280 pixels, zoomed to 200 percent.
    "zoomed": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
}
"""Ways to look at a page that isn't the report of one tenant."""


class Visit:
    """A page that was opened: everything that it asked for, and every complaint of the browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(1000 * HUNG_AFTER)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


Opener = Callable[..., Visit]
Contexts = Callable[..., BrowserContext]


def wait_for(page: Page, selector: str, text: str = "") -> None:
    """Wait until an element fits the selector and has the text.

    ``wait_for_function`` doesn't do: it asks again by ``eval``, which the pages forbid, where the first answer is no.
    """
    page.locator(selector, has_text=text or None).first.wait_for(state="attached", timeout=1000 * HUNG_AFTER)


# Not scoped to the session: its event loop would conflict with tests elsewhere that run their own loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; started once."""
    found = shutil.which("chromium")
    assert found, "chromium is not installed: run `make test`, which installs it"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Iterator[Contexts]:
    """One context for each way to look at a page, because they take longer to make than a page."""
    made: dict[str, BrowserContext] = {}

    def context(*, script: bool = True, **look: Any) -> BrowserContext:
        key = repr((script, sorted(look.items())))
        if key not in made:
            made[key] = browser.new_context(java_script_enabled=script, reduced_motion="reduce", **look)
        return made[key]

    yield context
    for one in made.values():
        one.close()


@pytest.fixture
def visited(contexts: Contexts) -> Iterator[Opener]:
    """Open a file with a way to look at it, and close its page at the end of the test."""
    visits: list[Visit] = []

    def visit(path: Path, *, script: bool = True, **look: Any) -> Visit:
        visits.append(Visit(contexts(script=script, **look).new_page()))
        visits[-1].page.goto(path.as_uri())
        return visits[-1]

    yield visit
    for one in visits:
        one.page.close()


@pytest.fixture
def opened(visited: Opener, tmp_path: Path) -> Opener:
    """Open a report as a file on the disk, the way that a recipient does."""
    numbers = count()

    def opener(html: str, *, width: int = 1200, dark: bool = False, script: bool = True, forced: bool = False) -> Visit:
        path = tmp_path / f"report-{next(numbers)}.html"
        path.write_text(html, encoding="utf-8")
        return visited(
            path,
            script=script,
            viewport={"width": width, "height": 850},
            color_scheme="dark" if dark else "light",
            forced_colors="active" if forced else "none",
        )

    return opener
