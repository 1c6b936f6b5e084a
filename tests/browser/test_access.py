"""axe-core, the accessibility checker, finds nothing to complain of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, Opener
from tests.browser.pages import REPORTS, html

COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""The rules that see a difference between a light and a dark page; its elements are the same."""
LARGE = "more grants than the table holds"
"""axe measures each cell of its thousand rows, which look like those of the other pages."""
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("name", [name for name in REPORTS if "wide" not in name])
def test_axe_finds_no_violation(opened: Opener, name: str) -> None:
    page = opened(html(name)).page
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert axe(page) == []
    if name == LARGE:
        return
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert axe(page, COLOURS) == [], "in the dark"
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": PHONE, "height": 850})
    assert axe(page) == [], "on a phone"


@pytest.mark.parametrize("name", ["managed-default", "custom-policy"])
def test_axe_finds_no_violation_with_the_colours_of_the_system(opened: Opener, name: str) -> None:
    page = opened(html(name), forced=True).page
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert axe(page) == []


def test_axe_would_find_one(opened: Opener) -> None:
    page = opened(html("managed-default").replace('<html lang="en">', "<html>")).page
    page.evaluate(_axe())
    assert "html-has-lang" in page.evaluate("axe.run().then((found) => found.violations.map((each) => each.id))")


def axe(page: Page, rules: Mapping[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """What axe complains of: the rule, the element, and how to fix it. `rules` selects some rules."""
    # Through the debugger: the page's own policy lets no script in.
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate(
        """(rules) => axe.run(document, { resultTypes: ["violations"], ...rules })
            .then((found) => ({ violations: found.violations, passed: found.passes.map((rule) => rule.id) }))""",
        rules or {},
    )
    # None of them is of use on a page where it finds nothing to look at.
    assert "color-contrast" in found["passed"] and (rules or len(found["passed"]) > 10)
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in found["violations"]
        for node in each["nodes"]
    ]


def _axe() -> str:
    assert AXE.is_file(), "axe-core is not installed: run `make test`, which installs it"
    return AXE.read_text(encoding="utf-8")
