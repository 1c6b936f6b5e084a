"""axe-core, the accessibility checker, finds nothing to complain of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, Opener
from tests.browser.pages import REPORTS, html

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
@pytest.mark.parametrize("name", [name for name in REPORTS if "wide" not in name])
def test_axe_finds_no_violation(opened: Opener, name: str, look: str) -> None:
    page = opened(html(name), width=PHONE if look == "phone" else 1200, dark=look == "dark").page
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert axe(page) == []


@pytest.mark.parametrize("name", ["managed-default", "custom-policy"])
def test_axe_finds_no_violation_with_the_colours_of_the_system(opened: Opener, name: str) -> None:
    page = opened(html(name), forced=True).page
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert axe(page) == []


def test_axe_would_find_one(opened: Opener) -> None:
    page = opened(html("managed-default").replace('<html lang="en">', "<html>")).page
    page.evaluate(_axe())
    assert "html-has-lang" in page.evaluate("axe.run().then((found) => found.violations.map((each) => each.id))")


def axe(page: Page) -> list[tuple[str, str, str]]:
    """What axe complains of: the rule, the element, and how to fix it."""
    # Through the debugger: the page's own policy lets no script in.
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(found["passes"]) > 10
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in found["violations"]
        for node in each["nodes"]
    ]


def _axe() -> str:
    assert AXE.is_file(), "axe-core is not installed: run `make test`, which installs it"
    return AXE.read_text(encoding="utf-8")
