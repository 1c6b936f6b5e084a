"""The filters of the HTML report in a real browser: findings and grants."""

from __future__ import annotations

import re

import msgspec
from playwright.sync_api import Page

from auditor.model.report import Audience, Granted, GrantKind, GrantRow
from auditor.render.html import render
from tests.browser.conftest import Opener, wait_for
from tests.browser.pages import html
from tests.render.pages import grants
from tests.render.reports import connects

USUAL = "managed-default"


def _shown(page: Page) -> int:
    """How many findings no filter hides, in a closed row of a setting or not."""
    return page.locator("#finding-list > .setting:not([hidden]) .finding:not([hidden])").count()


def test_filters_narrow_the_findings_and_say_how_many_are_left(opened: Opener) -> None:
    page = opened(html("custom-policy")).page
    every = _shown(page)
    said = page.locator("#shown")
    assert said.text_content() == f"{every} of {every} findings"
    assert not page.locator("#reset").is_visible()

    page.select_option("[data-filter=outcome]", "fail")
    failing = page.locator('.finding[data-outcome="fail"]').count()
    assert 0 < failing < every
    assert _shown(page) == failing
    assert said.text_content() == f"{failing} of {every} findings"

    page.select_option("[data-filter=pack]", "cisa-scuba")
    assert _shown(page) == page.locator('.finding[data-outcome="fail"][data-pack="cisa-scuba"]').count()

    page.fill("[data-filter=text]", "no such words anywhere")
    assert _shown(page) == 0
    assert said.text_content() == f"0 of {every} findings"

    page.click("#reset")
    assert _shown(page) == every
    assert said.text_content() == f"{every} of {every} findings"


def test_the_text_filter_looks_into_closed_findings_in_any_case_and_order(opened: Opener) -> None:
    page = opened(html("custom-policy")).page
    page.fill("[data-filter=text]", "WORKFLOW consent")
    texts = [text.lower() for text in page.locator(".finding:visible").all_text_contents()]
    assert texts
    assert all("workflow" in text and "consent" in text for text in texts)


def test_severities_can_be_filtered(opened: Opener) -> None:
    page = opened(html("custom-policy")).page
    page.select_option("[data-filter=severity]", "high")
    assert _shown(page) == page.locator('.finding[data-severity="high"]').count() > 0


def test_all_findings_open_and_close_at_once(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.click("#open-all")
    assert page.locator(".finding[open]").count() == _shown(page)
    page.click("#open-all")
    assert page.locator(".finding[open]").count() == 0


def test_a_link_to_a_finding_that_a_filter_hides_clears_the_filter(opened: Opener) -> None:
    page = opened(html("custom-policy")).page
    page.fill("[data-filter=text]", "no such words anywhere")
    assert page.locator("#none-fits").is_visible()
    page.evaluate("location.hash = 'finding-2'")
    wait_for(page, "#finding-2[open]")
    assert page.locator("#finding-2").is_visible()
    assert page.input_value("[data-filter=text]") == ""
    assert not page.locator("#none-fits").is_visible()


def test_the_button_that_opens_all_says_what_it_will_do(opened: Opener) -> None:
    page = opened(html(USUAL)).page
    page.click("#open-all")
    wait_for(page, "#open-all", "Collapse all")
    page.locator(".finding > summary").first.click()
    wait_for(page, "#open-all", "Expand all")
    page.click("#open-all")
    page.select_option("[data-filter=outcome]", "fail")
    page.click("#open-all")
    page.click("#reset")
    # Those that the filter hid are still open, the failing ones are not.
    wait_for(page, "#open-all", "Expand all")


def test_the_grants_filter_also_finds_what_is_abbreviated(opened: Opener) -> None:
    page = opened(render(grants(10_000))).page
    said, lines = page.locator("#grant-filter .shown"), page.locator("#grant-lines")
    assert said.text_content() == "10,000 of 10,000 lines"
    page.fill("#grant-filter input", "App 9999")
    assert said.text_content() == "1 of 10,000 lines"
    assert lines.is_visible()
    assert lines.text_content() == "App 9999 | Every user in the tenant | Graph: Mail.Read, User.Read"
    page.click("#grant-filter button")
    assert page.locator("#grant-list > tr:visible").count() == 1000
    assert (lines.text_content() or "").count("\n") == 8999
    assert not page.locator("#grant-filter button").is_visible()


def test_the_grants_filter_never_says_none_without_saying_what_is_not_in_the_file(opened: Opener) -> None:
    page = opened(render(grants(30_000))).page
    page.fill("#grant-filter input", "App 29999")
    reported = r"0 of the [\d,]+ lines shown here; [\d,]+ more lines aren't in this file; the CSV, .*"
    assert re.fullmatch(reported, page.locator("#grant-filter .shown").text_content() or "")


def test_paper_says_that_the_lines_in_short_are_not_printed(opened: Opener) -> None:
    page = opened(html("more grants than the table holds")).page
    assert not page.locator(".on-paper").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".on-paper").text_content() == "20 more lines are in the file but not printed."
    assert page.locator(".on-paper").is_visible()
    assert not page.locator("#more-grants").is_visible()


def test_the_grants_filter_finds_a_user_whom_a_line_only_counts(opened: Opener) -> None:
    row = GrantRow(
        client_id="c",
        client_name="Scheduler",
        kind=GrantKind.DELEGATED,
        resource_id="r",
        resource_name="Graph",
        permissions=("User.Read",),
        audience=Audience.USER,
    )
    users = tuple(msgspec.structs.replace(row, principal=f"user{n}@contoso.com") for n in range(50))
    page = opened(render(msgspec.structs.replace(connects(), granted=Granted(rows=users, whole=True)))).page
    page.fill("#grant-filter input", "USER41@")
    assert page.locator("#grant-filter .shown").text_content() == "1 of 1 line"
    page.fill("#grant-filter input", "user51@")
    assert page.locator("#grant-filter .shown").text_content() == "0 of 1 line"
