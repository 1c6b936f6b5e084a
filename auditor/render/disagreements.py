"""Where the benchmarks of a report contradict each other, and whose view each is."""

from __future__ import annotations

from auditor.model.finding import Disagreement, FindingOutcome, Stand
from auditor.model.report import Report
from auditor.render.page import Page
from auditor.render.words import FINDINGS, series

HEADING = "Where the benchmarks disagree"
ABOUT = "These rules are about the same control and come out otherwise. Whose view counts is for you to decide."


def disagreements(page: Page, report: Report) -> None:
    """Every contradiction, with the view of each side."""
    if not report.disagreements:
        return
    page.heading(HEADING)
    page.say(ABOUT)
    for one in report.disagreements:
        page.blank()
        page.say(in_short(one), style="strong")
        for stand in one.stands:
            word, style = FINDINGS[stand.outcome]
            page.field(word, f"{stand.rule} ({stand.pack})", indent=4, style=style)
            page.field("", stand.view, indent=4)


def in_short(one: Disagreement) -> str:
    """``EIDSCA.AP08 passes; CIS-5.1.5.1 and ZTA-21776 fail.``"""
    passing, failing = ([s for s in one.stands if s.outcome is o] for o in (FindingOutcome.PASS, FindingOutcome.FAIL))
    return f"{_do(passing, 'passes', 'pass')}; {_do(failing, 'fails', 'fail')}."


def _do(stands: list[Stand], one: str, many: str) -> str:
    return f"{series([stand.rule for stand in stands])} {one if len(stands) == 1 else many}"
