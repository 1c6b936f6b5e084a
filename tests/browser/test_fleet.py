"""The page of many tenants in a real browser: accessible, readable without script, on phones and on paper."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from auditor.render.html.fleet_page import render
from tests.browser.conftest import LOOKS, Opener, wait_for
from tests.browser.test_access import axe
from tests.browser.test_site import open_everything
from tests.render.fleets import ONE_APP, TWO_APPS, fleet

SIZES = {"one tenant": (1, ONE_APP), "twelve tenants": (12, TWO_APPS), "forty tenants": (40, TWO_APPS)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each size as a file."""
    folder = tmp_path_factory.mktemp("fleets")
    made = {}
    for number, (name, (size, packs)) in enumerate(SIZES.items()):
        made[name] = folder / f"{number}.html"
        made[name].write_text(render(fleet(size, packs=packs)), encoding="utf-8")
    made["long names"] = folder / "long.html"
    made["long names"].write_text(render(fleet(3, name="W" * 1000 + "{}")), encoding="utf-8")
    return made


@pytest.fixture
def opened(visited: Opener, files: dict[str, Path]) -> Opener:
    return lambda name, look="usual", *, script=True: visited(files[name], script=script, **LOOKS[look])


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_axe_finds_no_violation_and_nothing_is_loaded(opened: Opener, look: str) -> None:
    visit = opened("twelve tenants", look)
    open_everything(visit.page)
    assert axe(visit.page) == []
    assert len(visit.asked) == 1
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("name", "look"),
    [
        pytest.param("forty tenants", "phone", id="forty tenants on a phone"),
        pytest.param("forty tenants", "zoomed", id="forty tenants, zoomed"),
        pytest.param("one tenant", "wide", id="one tenant on a wide screen"),
        pytest.param("long names", "phone", id="names of a thousand letters on a phone"),
    ],
)
def test_no_page_scrolls_sideways(opened: Opener, name: str, look: str) -> None:
    page = opened(name, look).page
    open_everything(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look]["viewport"]["width"]


def _first_screen(page: Page) -> str:
    return str(
        page.evaluate(
            """() => Array.from(document.querySelectorAll("main :is(p, h2, h3, li, dd)"))
                .filter((e) => e.checkVisibility() && e.getBoundingClientRect().bottom <= innerHeight)
                .map((e) => e.textContent).join(" ").replace(/\\s+/g, " ")"""
        )
    )


def test_the_first_screen_has_the_answer_and_on_a_desk_the_counts_of_the_first_app(opened: Opener) -> None:
    answer = "Users can connect both apps in 6 of 40 tenants"
    assert answer in _first_screen(opened("forty tenants", "phone").page)
    seen = _first_screen(opened("forty tenants", "usual").page)
    assert answer in seen
    assert "31 need an administrator" in seen


def test_without_script_everything_can_be_read_and_a_link_opens_what_it_leads_to(opened: Opener) -> None:
    page = opened("forty tenants", script=False).page
    page.locator("#app-1 summary").first.click()
    link = page.locator("#app-1 details[open] .names a").last
    place = link.get_attribute("href")
    link.click()
    assert page.locator(f"{place} h4").is_visible()
    assert page.locator("button:visible").count() == 0
    page.locator(f"{place} summary").click()
    assert "Please open this link" in page.locator(f"{place} pre").inner_text()


def test_a_message_is_copied_whole(opened: Opener) -> None:
    page = opened("forty tenants").page
    page.evaluate("navigator.clipboard.writeText = async (text) => { document.body.dataset.copied = text; }")
    button = page.locator("#todo-4 .send button")
    message = page.locator("#message-todo-4").text_content()
    button.click()
    wait_for(page, "body[data-copied]")
    assert page.locator("body").get_attribute("data-copied") == message
    assert str(message).startswith("Subject: ")


def test_states_differ_without_colour(opened: Opener) -> None:
    page = opened("forty tenants", "forced colours").page
    fills = page.evaluate(
        """() => Array.from(document.querySelectorAll("#app-1 .legend .swatch")).map((e) =>
            Array.from(e.querySelectorAll("rect")).map((r) => r.getAttribute("fill").replace(/^#[0-9a-f]{6}$/, "") +
                r.classList.contains("hollow")).join(" "))"""
    )
    assert len(set(fills)) == len(fills) - 1, "connects and blocked are both solid, and first and last but one"


def test_paper_has_every_tenant_and_not_the_messages(opened: Opener, tmp_path: Path) -> None:
    page = opened("forty tenants", script=False).page
    names = page.locator("#tenants tbody th bdi").all_text_contents()
    paper = tmp_path / "printed.pdf"
    page.pdf(path=paper)
    text = subprocess.run(["pdftotext", "-raw", paper, "-"], capture_output=True, text=True, check=True).stdout
    flat = "".join(text.split())
    assert [name for name in names if "".join(name.split()) not in flat] == []
    assert "Pleaseopenthislink" not in flat
    assert "adminconsent?" not in flat
    assert text.count("\f") < 20, "pages"
