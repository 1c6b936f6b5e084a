"""The dashboard in a real browser, from the disk: accessible, readable without script, on phones and on paper."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from auditor.jobs.history_site import write_site
from tests.browser.conftest import LOOKS, NARROW, Contexts, Opener
from tests.browser.test_access import COLOURS, axe
from tests.render.nightly_runs import nights
from tests.render.test_site import every_page, hostile

KINDS = ("index", "tenant", "failing tenant", "run", "findings", "tag")
EVERY = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dashboard of eight tenants and five months."""
    made = nights(8, 150, seed=4)
    folder = tmp_path_factory.mktemp("site")
    write_site(made.data, str(folder), made.differences.get)
    return folder


def page_of(site: Path, kind: str) -> Path:
    tenants = sorted((site / "tenants").iterdir())
    failing = [page for page in tenants if "NEEDS ATTENTION" in page.read_text(encoding="utf-8")]
    return {
        "index": site / "index.html",
        "tenant": tenants[0],
        "failing tenant": failing[0],
        "run": max((site / "runs").iterdir(), key=lambda page: (page.stat().st_size, page.name)),
        "findings": site / "findings.html",
        "tag": site / "tags" / "gold.html",
    }[kind]


@pytest.fixture
def opened(visited: Opener, site: Path) -> Opener:
    return lambda kind, look="usual", *, script=True: visited(page_of(site, kind), script=script, **LOOKS[look])


def open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")


@EVERY
@pytest.mark.parametrize("look", ["usual", "phone", "dark"])
def test_axe_finds_no_violation(opened: Opener, kind: str, look: str) -> None:
    page = opened(kind, look).page
    open_everything(page)
    # The dark page has the elements of the usual one.
    assert axe(page, COLOURS if look == "dark" else None) == []


@EVERY
def test_only_the_style_sheet_is_loaded_and_the_browser_does_not_complain(opened: Opener, kind: str) -> None:
    visit = opened(kind)
    visit.page.wait_for_load_state("networkidle")
    assert [address.rpartition("/")[2] for address in visit.asked[1:]] == ["style.css"]
    assert visit.complaints == []
    assert visit.page.evaluate("getComputedStyle(document.querySelector('.top')).maxWidth") == "1340px"


@EVERY
@pytest.mark.parametrize("look", ["phone", "zoomed", "wide"])
def test_no_page_scrolls_sideways(opened: Opener, kind: str, look: str) -> None:
    page = opened(kind, look).page
    open_everything(page)
    width = LOOKS[look]["viewport"]["width"]
    wide = page.evaluate(
        """(width) => Array.from(document.querySelectorAll("main *:not(.unseen, .unseen *)"))
            .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > width + 1)
            .map((e) => e.tagName + "." + e.className)""",
        width,
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@EVERY
def test_what_a_finger_must_hit_is_large_enough(opened: Opener, kind: str) -> None:
    page = opened(kind, "phone").page
    open_everything(page)
    small = page.evaluate(
        """() => Array.from(document.querySelectorAll("main :is(a, summary)"))
            .filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 24)
            .map((e) => e.textContent)"""
    )
    assert small == []


@EVERY
@pytest.mark.parametrize("look", ["phone", "zoomed", "usual"])
def test_pictures_are_drawn_for_the_window_and_not_scaled_down(opened: Opener, kind: str, look: str) -> None:
    page = opened(kind, look).page
    scales = page.evaluate(
        """() => Array.from(document.querySelectorAll("svg.nights"))
            .filter((e) => e.getClientRects().length)
            .map((e) => e.getBoundingClientRect().width / e.viewBox.baseVal.width)"""
    )
    assert [scale for scale in scales if scale < 0.9] == []
    if "tenant" in kind:
        assert page.locator("svg.nights:visible").count() == page.locator("svg.nights").count() / 2


def test_every_kind_of_night_has_a_shape_of_its_own_without_colour(opened: Opener) -> None:
    page = opened("index", "forced colours").page
    shapes = page.evaluate(
        """() => Array.from(document.querySelectorAll("#tenants .legend svg")).map((e) => {
            const mark = e.querySelector("path"), box = mark.getBBox();
            const fill = mark.getAttribute("fill") || (mark.classList.contains("hollow") ? "outline" : "solid");
            return [box.y, box.height, fill].join(" ");
        })"""
    )
    assert len(shapes) >= 5
    assert len(set(shapes)) == len(shapes)


def test_a_dark_page_is_dark_and_its_strips_are_light(opened: Opener) -> None:
    def brightness(colour: str) -> float:
        red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
        return (red * 299 + green * 587 + blue * 114) / 1000

    ground = "getComputedStyle(document.body).backgroundColor"
    mark = "getComputedStyle(document.querySelector('svg.nights .fill.tone-good')).fill"
    light, dark = opened("index").page, opened("index", "dark").page
    assert brightness(light.evaluate(ground)) > 200 > 60 > brightness(dark.evaluate(ground))
    assert brightness(light.evaluate(mark)) < 100 < brightness(dark.evaluate(mark))


def test_the_keyboard_skips_to_the_content_and_follows_a_link_to_a_tenant_and_back(opened: Opener) -> None:
    page = opened("index", script=False).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.locator("#tenants th a").first.click()
    page.wait_for_url("**/tenants/*.html")
    page.locator(".brand a").first.click()
    page.wait_for_url("**/index.html")


def test_a_count_on_the_first_screen_leads_to_the_tenants_that_it_counts(opened: Opener) -> None:
    page = opened("index", script=False).page
    for link in page.locator(".facts a").all():
        place = (link.get_attribute("href") or "").removeprefix("#")
        assert page.locator(f"#{place}").is_visible()


@pytest.mark.parametrize("kind", ["index", "failing tenant", "run"])
def test_paper_has_everything_that_the_screen_has(opened: Opener, tmp_path: Path, kind: str) -> None:
    page = opened(kind, script=False).page
    headings = page.locator("h1, h2, h3").all_text_contents()
    cells = page.locator("details td").all_text_contents()[:5]
    paper = tmp_path / "printed.pdf"
    page.pdf(path=paper)
    text = subprocess.run(["pdftotext", "-raw", paper, "-"], capture_output=True, text=True, check=True).stdout
    flat = "".join(text.split())
    assert [one for one in [*headings, *cells] if "".join(one.split()) not in flat] == []


def test_a_name_of_a_thousand_letters_makes_no_page_wider_than_a_phone(contexts: Contexts, tmp_path: Path) -> None:
    page = contexts(**LOOKS["phone"]).new_page()
    for name, text in every_page(hostile("W" * 1000)).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in sorted(tmp_path.rglob("*.html")):
        page.goto(path.as_uri())
        open_everything(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, path.name
    page.close()
