"""What changed since the last report, on the first page: each rule is in one list."""

from __future__ import annotations

from collections import Counter

from auditor.compare import compare
from auditor.model.difference import SinceLast
from auditor.model.rule import FindingOutcome
from auditor.render import markdown
from auditor.render.html import render as render_html
from auditor.render.html.news_view import finding_news, news_view
from tests.compare.states import FIRST, SECOND, judged, tenant


def test_a_new_failure_is_not_listed_as_still_failing() -> None:
    before, after = judged(tenant("legacy-open")), judged(tenant("consent-off", SECOND))
    assert after.report
    failing = [one for one in after.report.findings if one.outcome is FindingOutcome.FAIL]
    # A nightly run has the time at which it began, which is before the time of the read.
    since = {one.fingerprint: "2026-11-23T01:59:00Z" for one in failing}
    difference = compare(before, after)
    view = news_view(after.report, SinceLast(difference=difference, failing_since=since))
    assert view is not None
    assert view.title == "Since the last report, of 2026-11-22 02:00 UTC"
    lists = dict(view.lists)
    assert len(lists["New failures"]) == difference.summary.new
    assert len(lists["Still failing"]) == difference.summary.still_failing
    assert len(failing) == difference.summary.new + difference.summary.still_failing
    assert any(text.startswith("Users can no longer connect TrackerRMS") for text in view.means)


def test_each_finding_says_whether_it_is_new_fixed_or_failing_since_when() -> None:
    before, after = judged(tenant("legacy-open")), judged(tenant("consent-off", SECOND))
    assert after.report
    since = {one.fingerprint: "2026-11-20T01:59:00Z" for one in after.report.findings}
    since_last = SinceLast(difference=compare(before, after), failing_since=since)
    news = Counter(finding_news(after.report, since_last).values())
    counts = since_last.difference.summary
    assert news == Counter(
        {"new": counts.new, "fixed": counts.fixed, "failing since 2026-11-20 01:59 UTC": counts.still_failing}
    )
    assert counts.new and counts.still_failing
    page = render_html(after.report, since_last=since_last)
    assert page.count('<span class="chip">new</span>') == counts.new
    assert markdown.render(after.report, since_last=since_last).count("** (failing since ") == counts.still_failing


def test_without_an_earlier_report_there_is_nothing_to_say() -> None:
    report = judged(tenant("legacy-open", FIRST)).report
    assert report and news_view(report, None) is None
