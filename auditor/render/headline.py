"""The first screen: which tenant, which app, the answer, what the user sees, and the first thing to do."""

from __future__ import annotations

from auditor.model.decision import Confidence, Decision
from auditor.model.report import Report
from auditor.render.first import first_thing, question
from auditor.render.layout import clip
from auditor.render.page import Page
from auditor.render.words import (
    NAME,
    ORDINARY_MEMBER,
    OUTCOMES,
    answer_word,
    app_and_id,
    code,
    could_be,
    screen,
    sentence,
    tally,
    utc,
)

FIRST = 2
"""How many missing facts or further gates the first screen names; the rest is told under it."""

FIRST_DOUBT = 1
"""How many doubts: they are long, and much alike."""


def headline(page: Page, report: Report) -> None:
    """Write the first screen: one block for the answer, or a short one for each of several."""
    page.say(question(report), indent=0, style="strong")
    page.blank()
    _facts(page, report)
    page.blank()
    if not report.decisions:
        page.say(sentence(report.summary.answer), style="strong")
        _first_thing(page, report, None)
    elif len(report.decisions) == 1:
        _answer(page, report.decisions[0])
        _first_thing(page, report, report.decisions[0])
    else:
        for number, decision in enumerate(report.decisions, start=1):
            page.blank()
            earlier = report.decisions.index(decision) + 1
            if earlier < number:
                page.lead(f"{number}. ", f"{app_and_id(decision)}: the same as {earlier}.", style="strong")
            else:
                _short_answer(page, number, decision)


def _facts(page: Page, report: Report) -> None:
    tenant = clip(report.tenant.name, NAME)
    page.field("Tenant", f"{tenant} ({report.tenant.id})" if tenant else report.tenant.id)
    if len(report.decisions) == 1:
        page.field("App", app_and_id(report.decisions[0]))
    page.field("Time", utc(report.taken))
    page.field("Source", report.source)
    if report.findings and not report.decisions:
        page.field("Rules", f"{tally(report.summary)}.")


def _answer(page: Page, decision: Decision) -> None:
    page.say(f">> {answer_word(decision)}", style=OUTCOMES[decision.outcome].style)
    page.say(sentence(decision.because), indent=5, style="strong")
    page.blank()
    page.field("User sees", screen(decision))
    page.items("Also", _first(decision.also, FIRST))
    page.items("Depends on", _first(decision.depends_on, FIRST))
    if decision.outcomes:
        page.field("Could be", could_be(decision))
    if decision.confidence is Confidence.LIKELY:
        page.field("Confidence", " ".join(("Likely, not certain.", *_first(decision.caveats, FIRST_DOUBT))))


def _first(texts: tuple[str, ...], most: int) -> list[str]:
    """As many of the texts as the first screen has room for; the last says how many more there are."""
    shown = [sentence(text) for text in texts[:most]]
    if len(texts) > most:
        shown[-1] += f" ({len(texts) - most} more below.)"
    return shown


def _short_answer(page: Page, number: int, decision: Decision) -> None:
    page.lead(f"{number}. ", app_and_id(decision), style="strong")
    if decision.subject != ORDINARY_MEMBER:
        page.say(f"For {decision.subject}:", indent=5)
    page.say(f">> {answer_word(decision)}", indent=5, style=OUTCOMES[decision.outcome].style)
    page.say(sentence(decision.because), indent=5)
    page.field("Code", sentence(code(decision.code)), indent=5)
    if decision.fixes:
        page.field("First", sentence(decision.fixes[0].title), indent=5)
        page.link(decision.fixes[0].link, indent=5)


def _first_thing(page: Page, report: Report, decision: Decision | None) -> None:
    """The fix that opens least; without one, what brings the answer nearer."""
    first = first_thing(report, decision)
    if first is None:
        return
    page.blank()
    page.say("First thing to do:", style="strong")
    for said in first.says:
        page.say(said, indent=4)
    page.link(first.link, indent=4)
    page.field("Role", first.role, indent=4)
    page.field("After it", first.after, indent=4)
