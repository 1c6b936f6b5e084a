"""The HTML report in a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, Contexts, Opener, wait_for
from tests.browser.pages import REPORTS, html

EVERY = pytest.mark.parametrize("name", list(REPORTS))
USUAL = "managed-default"


@EVERY
def test_nothing_leaves_the_page_and_the_browser_does_not_complain(opened: Opener, name: str) -> None:
    visit = opened(html(name))
    visit.page.wait_for_load_state("networkidle")
    assert visit.asked == [visit.page.url]
    assert visit.complaints == []


def test_injected_content_in_the_page_could_not_load_or_run_anything(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    violated = page.evaluate(
        """() => new Promise((done) => {
            const seen = [];
            document.addEventListener("securitypolicyviolation", (event) => {
                seen.push(event.effectiveDirective);
                if (seen.length === 3) done(seen.sort());
            });
            const image = document.createElement("img");
            image.src = "https://example.com/a.png";
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            const style = document.createElement("style");
            style.textContent = "body { display: none }";
            document.body.append(image, script, style);
        })"""
    )
    assert violated == ["img-src", "script-src-elem", "style-src-elem"]
    assert page.evaluate("window.ran") is None


@pytest.fixture(scope="module", params=list(REPORTS))
def on_a_phone(
    contexts: Contexts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Each report on a phone, with everything open, for tests that only measure."""
    path = tmp_path_factory.mktemp("phone") / "report.html"
    path.write_text(html(request.param), encoding="utf-8")
    page = contexts(viewport={"width": PHONE, "height": 850}).new_page()
    page.goto(path.as_uri())
    _open_everything(page)
    yield page
    page.close()


def test_a_phone_shows_the_page_without_scrolling_sideways(on_a_phone: Page) -> None:
    assert on_a_phone.evaluate("document.documentElement.scrollWidth") <= PHONE
    wide = on_a_phone.evaluate(
        """(width) => Array.from(document.querySelectorAll("main *:not(.unseen, .unseen *)"))
            .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > width + 1)
            .map((e) => e.tagName + "." + e.className)""",
        PHONE,
    )
    assert wide == []


def test_what_a_finger_must_hit_is_large_enough(on_a_phone: Page) -> None:
    small = on_a_phone.evaluate(
        """() => Array.from(document.querySelectorAll("main :is(a, button, summary, select, input)"))
            .filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 24)
            .map((e) => e.textContent)"""
    )
    assert small == []


def test_pictures_on_a_phone_are_drawn_for_it_and_not_scaled_down(on_a_phone: Page) -> None:
    scales = on_a_phone.evaluate(
        """() => Array.from(document.querySelectorAll("figure svg:not(.swatch)"))
            .filter((e) => e.getClientRects().length)
            .map((e) => e.getBoundingClientRect().width / e.viewBox.baseVal.width)"""
    )
    assert [scale for scale in scales if scale < 0.9] == []


def test_a_dark_page_is_dark_and_a_light_one_light(opened: Opener) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('.path .title')).fill"
    light, dark = opened(html(USUAL)).page, opened(html(USUAL), dark=True).page
    assert _brightness(light.evaluate(ground)) > 200 > 60 > _brightness(dark.evaluate(ground))
    assert _brightness(light.evaluate(ink)) < 100 < _brightness(dark.evaluate(ink))


def _brightness(colour: str) -> float:
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return (red * 299 + green * 587 + blue * 114) / 1000


def _shown(page: Page) -> int:
    return page.locator("#finding-list > .setting:not([hidden]) .finding:not([hidden])").count()


def test_the_copy_button_copies_the_link_whole_and_says_so(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(".first .copy")
    wait_for(page, "#said", "Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".first .address a").get_attribute("href")
    assert page.locator(".first .copy").text_content() == "Copied"


def test_a_command_is_copied_with_its_line_breaks(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    way = page.locator(".way", has=page.locator("summary", has_text="PowerShell")).first
    page.locator(".fix:not([open])", has=way).first.locator("> summary").click()
    way.locator("summary").click()
    way.locator(".copy").click()
    wait_for(page, "#said", "Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == way.locator("code").text_content()
    assert "\n" in copied


def test_copying_works_where_the_browser_keeps_the_clipboard_closed(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.click(".first .copy")
    wait_for(page, "#said", "Copied.")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".first .address a").get_attribute("href")


def test_the_message_can_be_copied_whole_and_opens_a_mail_program(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#message .copy")
    wait_for(page, "#said", "Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Subject: Please approve TrackerRMS")
    assert "\n\nSign in as: " in copied
    assert (page.locator("#message .button").get_attribute("href") or "").startswith("mailto:?subject=")


def test_the_message_can_be_read_and_selected_without_script(opened: Opener) -> None:
    page = opened(html(USUAL), script=False, width=390).page
    assert "Please open this link" in page.locator("#message-text").inner_text()
    assert page.locator("#message .copy").is_hidden()


def test_a_link_to_a_fix_inside_a_closed_finding_opens_it(opened: Opener) -> None:
    page = opened(html("custom-policy")).page
    page.evaluate("location.hash = 'finding-2'")
    wait_for(page, "#finding-2[open]")


def test_without_script_everything_can_be_read_and_no_dead_control_shows(opened: Opener) -> None:
    page = opened(html(USUAL), script=False).page
    assert page.locator("button:visible, .filters:visible").count() == 0
    assert page.locator(".verdict").is_visible()
    page.locator("details.setting > summary").first.click()
    page.locator(".finding > summary").first.click()
    assert page.locator(".finding .inside").first.is_visible()


def test_the_keyboard_reaches_the_answer_first_and_opens_a_finding(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answer"
    for row in ("details.setting", ".finding"):
        page.locator(f"{row} > summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator(row).first.get_attribute("open") is not None


@pytest.mark.parametrize("script", [True, False])
def test_print_holds_what_is_closed_on_the_screen_and_no_button(opened: Opener, tmp_path: Path, script: bool) -> None:
    page = opened(html(USUAL), script=script).page
    marks = [text for text in page.locator(".finding code").all_text_contents() if len(text) == 32]
    paper = tmp_path / "printed.pdf"
    page.pdf(path=paper)
    text = subprocess.run(["pdftotext", "-raw", paper, "-"], capture_output=True, text=True, check=True).stdout
    assert len(marks) >= 9
    assert [mark for mark in marks if mark not in text] == []
    assert "condition set by condition set" in text
    assert "Copy\n" not in text
    assert "Expand all" not in text


def test_printing_shows_what_a_filter_hid_and_hides_it_again(opened: Opener) -> None:
    page = opened(html("custom-policy")).page
    every = _shown(page)
    page.select_option("[data-filter=outcome]", "fail")
    left = _shown(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert _shown(page) == every
    assert page.locator(".finding:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert _shown(page) == left
    assert page.locator(".finding[open]").count() == 0


def _open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
