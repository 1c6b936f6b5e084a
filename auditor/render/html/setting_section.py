"""The findings as the page groups them: how many checks fail, and one row for each setting with its rules inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from auditor.model.document import count
from auditor.model.report import Disagreement, Report
from auditor.model.rule import FindingOutcome, Severity
from auditor.render.html.finding_section import FindingView
from auditor.render.html.parts import tone
from auditor.render.labels import FINDINGS
from auditor.render.report_view import disagreement_sentence
from auditor.render.setting_view import RuleChip, SettingCard, failure_counts, setting_cards

_IN_SUMMARY = 4
"""Settings that the first screen names; it counts the rest."""


class SettingLine(NamedTuple):
    """A setting in a few words: its number on the page, its name, and which rules have its outcome."""

    number: int
    label: str
    tone: str
    says: str


class BenchmarkSummary(NamedTuple):
    """How many checks fail, the settings that most failures are about, and how many further settings fail."""

    sentence: str
    lines: tuple[SettingLine, ...]
    more: str


class ChipView(NamedTuple):
    """One rule of a row: its id, and its outcome and severity in words."""

    label: str
    tone: str
    says: str


class SettingRow(NamedTuple):
    """One setting: its outcome, the rules with it as chips, and every rule in full.

    `verb` goes before the chips, and `more` counts rules that have no chip.
    """

    number: int
    label: str
    word: str
    tone: str
    severity: str
    severe: bool
    verb: str
    chips: tuple[ChipView, ...]
    more: int
    disagreements: tuple[DisagreementView, ...]
    findings: tuple[FindingView, ...]


class StandView(NamedTuple):
    """The outcome of one rule, and the view of its author."""

    word: str
    tone: str
    rule: str
    pack: str
    view: str


class DisagreementView(NamedTuple):
    """Rules about one control with different outcomes."""

    short: str
    stands: tuple[StandView, ...]


class FilterView(NamedTuple):
    """One filter: its name and label, and its values, each with its word and its number of findings."""

    name: str
    label: str
    options: tuple[tuple[str, str, int], ...]


def benchmark_summary(report: Report) -> BenchmarkSummary | None:
    """The result of all rules in a sentence, and the settings that fail most; none for a report without rules."""
    if not report.findings:
        return None
    failing = [
        (number, card)
        for number, card in enumerate(setting_cards(report), start=1)
        if card.outcome is FindingOutcome.FAIL
    ]
    most = sorted(failing, key=lambda each: -len(each[1].deciding))[:_IN_SUMMARY]
    more = len(failing) - len(most)
    return BenchmarkSummary(
        sentence=failure_counts(report).sentence,
        lines=tuple(_line(number, card) for number, card in most),
        more=f"{count(more, 'more setting')} {'fails' if more == 1 else 'fail'}" if more else "",
    )


def setting_rows(report: Report, findings: Sequence[FindingView]) -> tuple[SettingRow, ...]:
    """A row for each setting, in the order of the findings' numbers; `findings` are the views in that order."""
    views = iter(findings)
    cards = enumerate(setting_cards(report), start=1)
    return tuple(_row(number, card, tuple(islice(views, len(card.chips)))) for number, card in cards)


def _row(number: int, card: SettingCard, findings: tuple[FindingView, ...]) -> SettingRow:
    return SettingRow(
        number=number,
        label=card.setting.label,
        word=card.word,
        tone="waived" if card.outcome is FindingOutcome.WAIVED else tone(card.style),
        severity=card.severity.value,
        severe=any(chip.is_severe for chip in card.deciding),
        verb=_VERBS.get(card.outcome, ""),
        chips=tuple(map(_chip, card.deciding[:_CHIPS])),
        more=len(card.chips) - len(card.deciding[:_CHIPS]),
        disagreements=tuple(map(disagreement_view, card.disagreements)),
        findings=findings,
    )


_CHIPS = 4
"""Rules that a row names; it counts the rest."""
_VERBS = {FindingOutcome.FAIL: "fails", FindingOutcome.PASS: "passes"}


def _chip(chip: RuleChip) -> ChipView:
    return ChipView(chip.label, tone(chip.style), f"{chip.word}, {chip.severity.value}")


def _line(number: int, card: SettingCard) -> SettingLine:
    return SettingLine(number, card.setting.label, tone(card.style), f"fails {series_of_chips(card)}")


def series_of_chips(card: SettingCard) -> str:
    """The rules with the card's own outcome; how many, if they are more than a line can name."""
    labels = [chip.label for chip in card.deciding]
    return ", ".join(labels) if len(labels) <= _NAMED_RULES else count(len(labels), "rule")


_NAMED_RULES = 4


def disagreement_view(one: Disagreement) -> DisagreementView:
    """The disagreement in a sentence, and each rule with its outcome and its author's view."""
    stands = (
        StandView(FINDINGS[s.outcome][0], tone(FINDINGS[s.outcome][1]), s.rule, s.pack, s.view) for s in one.stands
    )
    return DisagreementView(disagreement_sentence(one), tuple(stands))


def unplaced_disagreements(report: Report) -> Iterator[DisagreementView]:
    """The disagreements that belong to no setting of the report."""
    placed = [one for card in setting_cards(report) for one in card.disagreements]
    yield from (disagreement_view(one) for one in report.disagreements if one not in placed)


def finding_filters(findings: Sequence[FindingView]) -> tuple[FilterView, ...]:
    """The filters that have at least two values."""
    outcomes = [(str(outcome), word) for outcome, (word, _) in FINDINGS.items()]
    severities = [(str(severity), str(severity)) for severity in Severity]
    packs = [(pack, pack) for pack in dict.fromkeys(one.pack for one in findings)]
    filters = (
        FilterView("outcome", "Outcome", _options(outcomes, [one.outcome for one in findings])),
        FilterView("severity", "Severity", _options(severities, [one.severity for one in findings])),
        FilterView("pack", "Pack", _options(packs, [one.pack for one in findings])),
    )
    return tuple(one for one in filters if len(one.options) > 1)


def _options(known: Sequence[tuple[str, str]], used: Sequence[str]) -> tuple[tuple[str, str, int], ...]:
    return tuple((value, word, used.count(value)) for value, word in known if value in used)
