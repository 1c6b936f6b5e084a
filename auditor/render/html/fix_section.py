"""The fixes as the page shows them, each once and under its own number; equal answers share theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from auditor.model.decision import Decision, Fix, GraphRequest, Reason
from auditor.model.report import Report
from auditor.render.fix_view import (
    FixNumbers,
    fix_opens,
    fix_result,
    grouped_answers,
    grouped_fixes,
    needs_action,
    outcome_after,
    script_hint,
)
from auditor.render.html.parts import AddressView, CodeView, addresses, code, tone
from auditor.render.labels import encoded, sentence


class FixView(NamedTuple):
    """A fix in full. `verify` and `undo` are sentences, or empty if they are lines to copy in `*_ways`."""

    number: int
    title: str
    route: str
    after: str
    tone: str
    doubts: tuple[str, ...]
    role: str
    opens: tuple[str, ...]
    expect: str
    fill_in: tuple[str, ...]
    script: str
    portal: tuple[str, ...]
    links: tuple[AddressView, ...]
    ways: tuple[CodeView, ...]
    verify: str
    undo: str
    verify_ways: tuple[CodeView, ...]
    undo_ways: tuple[CodeView, ...]


class FixGroup(NamedTuple):
    """What to do about one answer: how to read its fixes, the numbers of those shown before, and the new ones."""

    introduction: str
    advice: tuple[str, ...]
    known: tuple[int, ...]
    fixes: tuple[FixView, ...]


class FixViews:
    """The views of fixes. Whoever asks for a fix first gets its view; all others get its number to refer to."""

    def __init__(self, report: Report) -> None:
        self._numbers = FixNumbers(report)

    def split(self, fixes: Sequence[Fix]) -> tuple[tuple[int, ...], tuple[FixView, ...]]:
        """The numbers of fixes that were shown before, and the views of new ones."""
        known, new = self._numbers.split(fixes)
        return known, tuple(fix_view(fix, number, self.links(fix)) for number, fix in new)

    def links(self, fix: Fix) -> tuple[tuple[str, str], ...]:
        """The links of a fix, with the pack of each if there are several."""
        return self._numbers.links(fix)


def fix_groups(report: Report, views: FixViews) -> tuple[FixGroup, ...]:
    """What to do about each answer that needs it; of equal answers, the first."""
    answers = (group.first for group in grouped_answers(report) if needs_action(group.first))
    return tuple(group for decision in answers for group in _groups(decision, views))


def _groups(decision: Decision, views: FixViews) -> Iterator[FixGroup]:
    """The groups of one answer, the first of them with the advice; if the advice comes first, it is on its own."""
    advice = tuple(map(sentence, decision.advice))
    if decision.reason is Reason.CONSENT_FORCED:
        yield FixGroup(" ".join(advice), (), (), ())
        advice = ()
    for group in grouped_fixes(decision):
        yield FixGroup(group.introduction, advice, *views.split(group.fixes))
        advice = ()


def fix_view(fix: Fix, number: int, links: Sequence[tuple[str, str]]) -> FixView:
    """The fix in full, under this number."""
    name = f"fix-{number}"
    return FixView(
        number=number,
        title=sentence(fix.title),
        route=fix.key or fix.route,
        after=fix_result(fix),
        tone=tone(outcome_after(fix)[1]),
        doubts=tuple(map(sentence, fix.proven.doubts)),
        role=sentence(fix.role),
        opens=tuple(fix_opens(fix.opens)),
        expect=sentence(fix.expect),
        fill_in=tuple(map(sentence, fix.fill_in)),
        script=script_hint(fix, number),
        portal=fix.steps.portal,
        links=addresses(links, f"{name}-link"),
        ways=ways(fix, name),
        verify="" if _iscode(fix.verify) else sentence(fix.verify),
        undo="" if _iscode(fix.undo) else sentence(fix.undo),
        verify_ways=code(f"{name}-verify", "Commands to verify it", fix.verify if _iscode(fix.verify) else ""),
        undo_ways=(
            *code(f"{name}-undo", "Commands to undo it", fix.undo if _iscode(fix.undo) else ""),
            *code(f"{name}-undo-graph", "Requests to undo it with Microsoft Graph", requests(fix.undo_graph)),
        ),
    )


def ways(fix: Fix, name: str) -> tuple[CodeView, ...]:
    """Every way to apply the fix that is lines to copy."""
    return (
        *code(f"{name}-powershell", "PowerShell", fix.steps.powershell),
        *code(f"{name}-az", "Azure CLI", fix.steps.az),
        *code(f"{name}-graph", "Microsoft Graph", requests(fix.steps.graph)),
    )


def requests(several: Sequence[GraphRequest]) -> str:
    """Requests in the order to send them, each with its body."""
    return "\n\n".join(map(_request, several))


def _request(request: GraphRequest) -> str:
    line = f"{request.method} {request.url}"
    if request.body is None:
        return line
    return f"{line}\n{msgspec.json.format(encoded(request.body), indent=2).decode()}"


def _iscode(text: str) -> bool:
    return "\n" in text.strip()
