"""A supposed change beside the tenant as it is: what differs, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor.model.decision import Decision, ScopeVerdict
from auditor.model.report import Report
from auditor.render.page import Page
from auditor.render.tables import Cell, Column, table
from auditor.render.words import OUTCOMES, VERDICTS, answer_word, app_and_id, code, flat, sentence

ORDINARY = "ordinary member"
ABOUT = "Nothing was changed. The rest of this report is about the tenant as it is."


class Change(NamedTuple):
    """One answer as it is (none where the app was not judged), and as it would be."""

    was: Decision | None
    then: Decision


def changes(report: Report) -> tuple[Change, ...]:
    """Every answer that was decided again, beside the one that holds."""
    if report.what_if is None:
        return ()
    now = {d.app: d for d in reversed(report.decisions) if d.subject == ORDINARY}
    any_pack = {app.client_id: decision for app, decision in now.items()}
    return tuple(
        Change(now.get(then.app) or any_pack.get(then.app.client_id), then) for then in report.what_if.decisions
    )


def assumed(report: Report) -> str:
    """What was supposed, as it was asked for; empty where nothing was."""
    return flat(", ".join(report.what_if.assumed)) if report.what_if else ""


def was_and_would_be(change: Change) -> tuple[str, str]:
    """The two answers in a word each."""
    return answer_word(change.was) if change.was else "not judged", answer_word(change.then)


def in_short(report: Report) -> Iterator[str]:
    """``If setting=low were so, APP: NEEDS ADMIN becomes CONNECTS. Why.`` for each answer."""
    for change in changes(report):
        was, then = was_and_would_be(change)
        told = f"stays {was}" if was == then else f"{was} becomes {then}"
        yield f"If {assumed(report)} were so, {app_and_id(change.then)}: {told}. {sentence(change.then.because)}"


def what_if(page: Page, report: Report) -> None:
    """One table for each app: outcome, code and scopes now, and if the assumptions held."""
    if report.what_if is None:
        return
    page.heading(f"If it were so: {assumed(report)}")
    page.say(ABOUT)
    for before, then in changes(report):
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
