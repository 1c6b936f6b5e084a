"""The fixes as the page shows them, each once and under its own number; equal answers share theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from auditor.model.decision import Decision, Fix, GraphRequest, Outcome
from auditor.model.document import series
from auditor.model.report import Report
from auditor.render.fix_view import FixNumbers, fix_key, fix_opens, fix_result, grouped_fixes, needs_action
from auditor.render.html.parts import AddressView, CodeView, addresses, code, tone
from auditor.render.labels import NAME_WIDTH, OUTCOMES, encoded, sentence
from auditor.render.report_view import numbered_label
from auditor.render.text_layout import clip


class AnswerGroup(NamedTuple):
    """Equal answers of several packs that describe the same app, with their numbers in the report."""

    numbers: tuple[int, ...]
    decisions: tuple[Decision, ...]

    @property
    def first(self) -> Decision:
        """The answer that is shown."""
        return self.decisions[0]

    @property
    def variants(self) -> tuple[str, ...]:
        """The packs that give this answer, if packs describe the app in several ways."""
        return tuple(dict.fromkeys(clip(one.app.variant, NAME_WIDTH) for one in self.decisions if one.app.variant))

    @property
    def label(self) -> str:
        """``1 and 2. TrackerRMS (...), packs trackerrms-uk and trackerrms-us``."""
        shown = _without_variant(self.first) if len(self.variants) > 1 else self.first
        app = numbered_label(self.numbers[0], shown).removeprefix(str(self.numbers[0]))
        packs = f", packs {series(self.variants)}" if len(self.variants) > 1 else ""
        return f"{series([str(number) for number in self.numbers])}{app}{packs}"


def grouped_answers(report: Report) -> tuple[AnswerGroup, ...]:
    """The answers; those that differ only in the pack's name and the links of their fixes form one group."""
    groups: list[tuple[Decision, list[int]]] = []
    for number, decision in enumerate(report.decisions, start=1):
        comparable = _comparable(decision)
        numbers = next((numbers for known, numbers in groups if known == comparable), None)
        if numbers is None:
            groups.append((comparable, [number]))
        else:
            numbers.append(number)
    return tuple(AnswerGroup(tuple(n), tuple(report.decisions[each - 1] for each in n)) for _, n in groups)


def _comparable(decision: Decision) -> Decision:
    fixes = tuple(msgspec.structs.replace(fix, link="") for fix in decision.fixes)
    return msgspec.structs.replace(_without_variant(decision), fixes=fixes)


def _without_variant(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, app=msgspec.structs.replace(decision.app, variant=""))


class SharedFix(NamedTuple):
    """Fixes of equal answers that differ only in their links: the key of the first, and the links with their packs."""

    key: bytes
    links: tuple[tuple[str, str], ...]


def shared_fixes(report: Report) -> dict[bytes, SharedFix]:
    """For each fix of an answer, by its key: what it shares with the same fix of equal answers."""
    shared: dict[bytes, SharedFix] = {}
    for group in grouped_answers(report):
        for fixes in zip(*(one.fixes for one in group.decisions), strict=True):
            links: dict[str, str] = {}
            for decision, fix in zip(group.decisions, fixes, strict=True):
                links.setdefault(fix.link, decision.app.variant)
            pairs = tuple((variant if len(links) > 1 else "", link) for link, variant in links.items())
            for fix in fixes:
                shared.setdefault(fix_key(fix), SharedFix(fix_key(fixes[0]), pairs))
    return shared


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
        self._shared = shared_fixes(report)
        self._numbers = FixNumbers({key: shared.key for key, shared in self._shared.items()})

    def split(self, fixes: Sequence[Fix]) -> tuple[tuple[int, ...], tuple[FixView, ...]]:
        """The numbers of fixes that were shown before, and the views of new ones."""
        known, new = self._numbers.split(fixes)
        return known, tuple(fix_view(fix, number, self.links(fix)) for number, fix in new)

    def links(self, fix: Fix) -> tuple[tuple[str, str], ...]:
        """The links of a fix, with the pack of each if there are several."""
        shared = self._shared.get(fix_key(fix))
        return shared.links if shared else (("", fix.link),)


def fix_groups(report: Report, views: FixViews) -> tuple[FixGroup, ...]:
    """What to do about each answer that needs it; of equal answers, the first."""
    answers = (group.first for group in grouped_answers(report) if needs_action(group.first))
    return tuple(group for decision in answers for group in _groups(decision, views))


def _groups(decision: Decision, views: FixViews) -> Iterator[FixGroup]:
    """The groups of one answer, the first of them with the advice."""
    advice = tuple(map(sentence, decision.advice))
    for group in grouped_fixes(decision):
        yield FixGroup(group.introduction, advice, *views.split(group.fixes))
        advice = ()


def fix_view(fix: Fix, number: int, links: Sequence[tuple[str, str]]) -> FixView:
    """The fix in full, under this number."""
    name = f"fix-{number}"
    after = next((OUTCOMES[outcome].style for outcome in Outcome if outcome == fix.proven.outcome), "quiet")
    return FixView(
        number=number,
        title=sentence(fix.title),
        route=fix.key or fix.route,
        after=fix_result(fix),
        tone=tone(after),
        doubts=tuple(map(sentence, fix.proven.doubts)),
        role=sentence(fix.role),
        opens=tuple(fix_opens(fix.opens)),
        expect=sentence(fix.expect),
        fill_in=tuple(map(sentence, fix.fill_in)),
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
