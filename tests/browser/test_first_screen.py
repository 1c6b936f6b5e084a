"""The first screen answers what a person who doesn't know Entra asks, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opener, wait_for
from tests.browser.pages import html

SCREENS = [pytest.param(1280, 800, id="desktop"), pytest.param(390, 844, id="phone")]

READER_TEST = {
    "Can people in the company use the app today?": "An administrator must approve the app first.",
    "What stops them?": "Of the 9 permissions that the app requires, the tenant's consent policy leaves 3",
    "Who has to act, and what does that person do?": "An administrator grants TrackerRMS consent for the whole tenant",
    "Which rights does that person need?": "Cloud Application Administrator",
}
"""Questions of a reader who only has the first screen, and the words there that answer each one."""

_TEXT_IN_VIEW = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = [];
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const box = range.getBoundingClientRect();
        const around = walker.currentNode.parentElement;
        const shown = around.checkVisibility() && !around.closest(".unseen, script");
        if (shown && box.height && box.top >= 0 && box.bottom <= innerHeight) seen.push(walker.currentNode.textContent);
    }
    return seen.join(" ").replace(/\\s+/g, " ");
}"""


def _sized(opened: Opener, name: str, width: int, height: int) -> Page:
    page = opened(html(name), width=width).page
    page.set_viewport_size({"width": width, "height": height})
    return page


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_first_screen_answers_a_reader_who_does_not_know_entra(opened: Opener, width: int, height: int) -> None:
    seen = _sized(opened, "managed-default", width, height).evaluate(_TEXT_IN_VIEW)
    assert [question for question, answer in READER_TEST.items() if answer not in seen] == []


@pytest.mark.parametrize("name", ["managed-default", "custom-policy", "unreadable-policies", "made by hand: depends"])
def test_on_a_phone_the_action_starts_in_the_first_screen(opened: Opener, name: str) -> None:
    page = _sized(opened, name, 390, 844)
    top = page.locator(".first .says").first.bounding_box()
    assert top is not None
    assert top["y"] + top["height"] <= 844


@pytest.mark.parametrize("width", [1920, 1280, 390])
@pytest.mark.parametrize("name", ["managed-default", "unreadable-policies"])
def test_verdict_action_and_benchmarks_come_first_in_this_order(opened: Opener, name: str, width: int) -> None:
    page = opened(html(name), width=width).page
    order = [".verdict .word", ".verdict .means", ".first", ".benchmarks", "figure.path", ".facts", "#scopes"]
    tops = [page.locator(one).first.evaluate("(e) => e.getBoundingClientRect().top") for one in order]
    assert tops == sorted(tops)


_SIZES = """() => {
    const sizes = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const around = walker.currentNode.parentElement;
        const shown = walker.currentNode.textContent.trim() && !around.closest("script");
        if (shown) sizes.add(getComputedStyle(around).fontSize);
    }
    return [...sizes];
}"""


@pytest.mark.parametrize("width", [1920, 390])
@pytest.mark.parametrize("name", ["managed-default", "custom-policy", "made by hand: several"])
def test_the_page_has_at_most_six_sizes_of_type(opened: Opener, name: str, width: int) -> None:
    sizes = opened(html(name), width=width).page.evaluate(_SIZES)
    assert len(sizes) <= 6, sorted(sizes)


@pytest.mark.parametrize("width", [1920, 1280])
def test_on_a_wide_screen_the_navigation_stays_and_the_page_uses_the_width(opened: Opener, width: int) -> None:
    page = opened(html("custom-policy"), width=width, script=False).page
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    first = page.locator(".contents a").first.bounding_box()
    last = page.locator(".contents a").last.bounding_box()
    findings = page.locator("#findings").bounding_box()
    assert first is not None and last is not None and findings is not None
    assert 0 <= first["y"] < last["y"] + last["height"] <= 850
    assert first["x"] + first["width"] <= findings["x"]
    assert findings["width"] > 0.7 * width


@pytest.mark.parametrize("name", ["managed-default", "custom-policy", "made by hand: several"])
def test_at_twice_the_size_the_page_does_not_scroll_sideways(opened: Opener, name: str) -> None:
    page = opened(html(name), width=640).page
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_the_first_fix_is_open_and_the_table_has_every_fix(opened: Opener) -> None:
    page = opened(html("managed-default")).page
    fixes = page.locator("#fixes .fix")
    assert [one.get_attribute("open") is not None for one in fixes.all()] == [True] + [False] * (fixes.count() - 1)
    assert page.locator("#fixes tbody tr").count() == fixes.count() > 2
    page.locator("#fixes tbody a", has_text="Fix 2").click()
    wait_for(page, "#fix-2[open]")


def test_scopes_that_stop_users_are_open_and_the_others_and_the_ids_are_folded(opened: Opener) -> None:
    page = opened(html("managed-default")).page
    shown = page.locator("#scopes .scopes tbody th:visible").all_text_contents()
    assert shown == ["Mail.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite", "MailboxSettings.Read"]
    assert page.locator("#scopes .ids:visible").count() == 0
    page.locator("#scopes summary", has_text="6 required scopes don't stop users").click()
    assert page.locator("#scopes .scopes tbody th:visible").count() == 10
