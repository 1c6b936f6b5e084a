"""Everything that the page shows, in the order in which it shows it, as plain values: templates only place them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from auditor.model.decision import Decision
from auditor.model.finding import Disagreement, Severity
from auditor.model.report import Report, Summary, WhatIf
from auditor.render.disagreements import in_short
from auditor.render.ending import short_digest
from auditor.render.first import question
from auditor.render.html.answers import Answer, Difference, answers, differences
from auditor.render.html.charts import Chart, Trend, by_severity, trend
from auditor.render.html.findings import FindingView, findings, ranked
from auditor.render.html.first import First, first_of
from auditor.render.html.fixes import FixGroup, Numbers, groups
from auditor.render.html.grants import ON_SCREEN, Grants, grants
from auditor.render.html.missing import Again, again
from auditor.render.html.reads import CallView, UnreadView, calls, unread
from auditor.render.html.tones import tone
from auditor.render.layout import clip
from auditor.render.what_if import changes
from auditor.render.words import (
    FINDINGS,
    NAME,
    answer_word,
    app_and_id,
    count,
    counts,
    sentence,
    utc,
)

_ON_PAPER = 300
"""Lines of grants in a PDF: some twenty pages, and a few seconds to make them."""


class StandView(NamedTuple):
    """How one rule comes out, and whose view that is."""

    word: str
    tone: str
    rule: str
    pack: str
    view: str


class Contradiction(NamedTuple):
    """Rules about one control that come out otherwise."""

    short: str
    stands: tuple[StandView, ...]


class Supposed(NamedTuple):
    """A supposed change: for each app, what is and what would be."""

    assumed: str
    rows: tuple[tuple[str, str, str, str], ...]


class Choice(NamedTuple):
    """One filter: its name and label, and its values with their words and how many findings have them."""

    name: str
    label: str
    options: tuple[tuple[str, str, int], ...]


class Section(NamedTuple):
    """A part of the page, as the contents name it."""

    id: str
    title: str
    number: str


class View(NamedTuple):
    """The whole page."""

    title: str
    tenant: str
    tenant_id: str
    taken: str
    source: str
    tool: str
    cloud: str
    packs: tuple[tuple[str, str, str], ...]
    policies: tuple[tuple[str, str], ...]
    waiver_files: tuple[tuple[str, str], ...]
    summary: str
    summary_word: str
    summary_tone: str
    counts: str
    first: First | None
    answers: tuple[Answer, ...]
    differences: tuple[Difference, ...]
    supposed: Supposed | None
    groups: tuple[FixGroup, ...]
    findings: tuple[FindingView, ...]
    severities: Chart | None
    trend: Trend | None
    choices: tuple[Choice, ...]
    contradictions: tuple[Contradiction, ...]
    grants: Grants | None
    unread: tuple[UnreadView, ...]
    again: Again | None
    reader: str
    permissions: tuple[str, ...]
    calls: tuple[CallView, ...]
    sections: tuple[Section, ...]


def view(report: Report, history: Sequence[tuple[str, Summary]] = (), *, for_print: bool = False) -> View:
    """The page of a report. `history` are the times and counts of earlier runs, oldest first."""
    numbers = Numbers(report)
    tenant = clip(report.tenant.name, NAME)
    come_from = report.provenance
    todo = groups(report, numbers)
    found = findings(report, numbers)
    made = View(
        title=question(report),
        tenant=tenant,
        tenant_id=report.tenant.id,
        taken=utc(report.taken),
        source=report.source,
        tool=report.tool,
        cloud=report.cloud,
        packs=tuple((f"{pack.name} {pack.version}", short_digest(pack.digest), pack.digest) for pack in report.packs),
        policies=tuple((policy.id, policy.digest) for policy in report.policies),
        waiver_files=tuple((f"{file.name}, {count(file.count, 'waiver')}", file.digest) for file in report.waivers),
        summary=sentence(report.summary.answer),
        summary_word=_SUMMARY_WORDS[_summary_tone(report.summary)] if report.findings else "",
        summary_tone=_summary_tone(report.summary),
        counts=f"{counts(report.summary)}.",
        first=first_of(report),
        answers=answers(report),
        differences=differences(report),
        supposed=_supposed(report, report.what_if) if report.what_if else None,
        groups=todo,
        findings=found,
        severities=by_severity(report),
        trend=trend((*history, (report.taken, report.summary))),
        choices=_choices(found),
        contradictions=tuple(map(_contradiction, report.disagreements)),
        grants=grants(report.granted, _ON_PAPER if for_print else ON_SCREEN, in_short=not for_print),
        unread=tuple(map(unread, report.unread)),
        again=again(report, ranked(report)),
        reader=come_from.reader if come_from else "",
        permissions=come_from.permissions if come_from else (),
        calls=calls(report),
        sections=(),
    )
    return made._replace(sections=tuple(_sections(made)))


_SUMMARY_WORDS = {"bad": "RULES FAIL", "unsure": "RULES ARE UNKNOWN", "good": "ALL PASS", "quiet": "NOTHING TO JUDGE"}


def _summary_tone(summary: Summary) -> str:
    """How an audit without an app came out: what is unknown is neither good nor bad."""
    if summary.failed:
        return "bad"
    if summary.unknown:
        return "unsure"
    return "good" if summary.passed else "quiet"


def _sections(made: View) -> Iterator[Section]:
    scopes = sum(len(one.scopes) for one in made.answers)
    if made.answers:
        yield Section("scopes", "Scopes", str(scopes))
    if made.supposed:
        yield Section("what-if", "What if", "")
    if made.groups:
        yield Section("fixes", "What to do", str(sum(len(group.fixes) for group in made.groups) or ""))
    if made.findings:
        yield Section("findings", "Findings", str(len(made.findings)))
    if made.contradictions:
        yield Section("disagreements", "Disagreements", str(len(made.contradictions)))
    if made.grants:
        yield Section("grants", "Grants", made.grants.number)
    if made.unread or made.again:
        parts = len(made.unread) + (len(made.again.parts) if made.again else 0)
        yield Section("unread", "Not read", str(parts))
    yield Section("provenance", "About this report", "")


def _choices(found: Sequence[FindingView]) -> tuple[Choice, ...]:
    """The filters that have something to choose from."""
    outcomes = [(str(outcome), word) for outcome, (word, _) in FINDINGS.items()]
    severities = [(str(severity), str(severity)) for severity in Severity]
    packs = [(pack, pack) for pack in dict.fromkeys(one.pack for one in found)]
    choices = (
        Choice("outcome", "Outcome", _options(outcomes, [one.outcome for one in found])),
        Choice("severity", "Severity", _options(severities, [one.severity for one in found])),
        Choice("pack", "Pack", _options(packs, [one.pack for one in found])),
    )
    return tuple(choice for choice in choices if len(choice.options) > 1)


def _options(known: Sequence[tuple[str, str]], used: Sequence[str]) -> tuple[tuple[str, str, int], ...]:
    return tuple((value, word, used.count(value)) for value, word in known if value in used)


def _contradiction(one: Disagreement) -> Contradiction:
    stands = (
        StandView(FINDINGS[s.outcome][0], tone(FINDINGS[s.outcome][1]), s.rule, s.pack, s.view) for s in one.stands
    )
    return Contradiction(in_short(one), tuple(stands))


def _supposed(report: Report, what_if: WhatIf) -> Supposed:
    return Supposed(", ".join(what_if.assumed), tuple(_change(one.was, one.then) for one in changes(report)))


def _change(before: Decision | None, then: Decision) -> tuple[str, str, str, str]:
    was = answer_word(before) if before else "not judged"
    return app_and_id(then), was, answer_word(then), sentence(then.because)
