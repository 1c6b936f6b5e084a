"""A supposed change beside the tenant as it is: what differs, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.decision import Decision, ScopeVerdict
from auditor.model.report import Report
from auditor.render.page import Page
from auditor.render.tables import Cell, Column, table
from auditor.render.words import OUTCOMES, VERDICTS, answer_word, app_and_id, code, flat, sentence

ORDINARY = "ordinary member"


def what_if(page: Page, report: Report) -> None:
    """One table for each app: outcome, code and scopes now, and if the assumptions held."""
    if report.what_if is None:
        return
    page.heading(f"If it were so: {flat(', '.join(report.what_if.assumed))}")
    page.say("Nothing was changed. The rest of this report is about the tenant as it is.")
    now = {d.app.client_id: d for d in reversed(report.decisions) if d.subject == ORDINARY}
    for then in report.what_if.decisions:
        before = now.get(then.app.client_id)
        if before is None:
            continue
        page.blank()
        if len(report.what_if.decisions) > 1:
            page.say(app_and_id(then), style="strong")
        heads = [Column("", 10), Column("As it is", 12), Column("If it were so", 12)]
        rows = [[Cell(label), was, is_] for label, was, is_ in _rows(before, then)]
        page.lines(table(heads, rows, width=page.width - 2, palette=page.palette))
        page.blank()
        page.say(sentence(then.because))


def _rows(before: Decision, then: Decision) -> Iterator[tuple[str, Cell, Cell]]:
    yield "Outcome", _outcome(before), _outcome(then)
    yield "Code", Cell(code(before.code) or "-"), Cell(code(then.code) or "-")
    after = {(s.resource, s.scope.lower()): s for s in then.scopes}
    for scope in before.scopes:
        other = after.get((scope.resource, scope.scope.lower()))
        if other is not None and other.verdict is not scope.verdict:
            yield scope.scope, _verdict(scope), _verdict(other)


def _outcome(decision: Decision) -> Cell:
    return Cell(answer_word(decision), OUTCOMES[decision.outcome].style)


def _verdict(scope: ScopeVerdict) -> Cell:
    word, style = VERDICTS[scope.verdict]
    return Cell(word, style)
