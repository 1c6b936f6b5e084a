"""The findings of a report by the setting that they are about, and how many failures a few settings explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from auditor.facts.ids import is_one_setting
from auditor.model.document import count, series
from auditor.model.report import Disagreement, Finding, Report
from auditor.model.rule import FindingOutcome, Setting, Severity
from auditor.render.labels import FINDINGS, SEVERE

_FAIL = FindingOutcome.FAIL


class RuleChip(NamedTuple):
    """One rule in a card: its id (with the pack if another rule of the card has the same id), and its outcome.

    `word` and `style` are those of the outcome, as in `auditor.render.labels.FINDINGS`.
    """

    label: str
    severity: Severity
    word: str
    style: str
    finding: Finding

    @property
    def is_severe(self) -> bool:
        """Whether the rule fails with a severity that should stand out."""
        return self.finding.outcome is _FAIL and self.severity in SEVERE


class SettingCard(NamedTuple):
    """Every finding about one setting.

    `outcome` is the first of a report's order that any of them has: fail, unknown, waived, pass, not applicable.
    `severity` is the worst one among the findings with this outcome, and `chips` are in the order of the report, so
    that those with this outcome come first. `disagreements` are the benchmarks that contradict each other about it.
    """

    setting: Setting
    outcome: FindingOutcome
    severity: Severity
    chips: tuple[RuleChip, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def word(self) -> str:
        """The outcome in a word."""
        return FINDINGS[self.outcome][0]

    @property
    def style(self) -> str:
        """The style of the outcome."""
        return FINDINGS[self.outcome][1]

    @property
    def deciding(self) -> tuple[RuleChip, ...]:
        """The rules with the card's own outcome."""
        return tuple(chip for chip in self.chips if chip.finding.outcome is self.outcome)

    @property
    def counts(self) -> dict[FindingOutcome, int]:
        """How many findings have each outcome, in the order of a report; outcomes that none has are left out."""
        number = Counter(chip.finding.outcome for chip in self.chips)
        return {outcome: number[outcome] for outcome in FindingOutcome if number[outcome]}

    @property
    def summary(self) -> str:
        """``fails CIS-5.1.5.1 and ZTA-21776; passes EIDSCA.AP08``."""
        parts = []
        for outcome in self.counts:
            labels = [chip.label for chip in self.chips if chip.finding.outcome is outcome]
            parts.append(f"{_VERBS[outcome]} {series(labels)}")
        return "; ".join(parts)


_VERBS = {
    FindingOutcome.FAIL: "fails",
    FindingOutcome.UNKNOWN: "unknown for",
    FindingOutcome.WAIVED: "waived for",
    FindingOutcome.PASS: "passes",
    FindingOutcome.NOT_APPLICABLE: "not applicable to",
}


class FailureCounts(NamedTuple):
    """How many checks fail, and how few settings most of the failures are about.

    `settings` is the number of settings that more than one failing check is about, and `explained` the number of these
    checks. What is many objects and not one setting, such as the permissions of all apps, explains nothing.
    """

    failed: int
    total: int
    settings: int
    explained: int
    unknown: int = 0

    @property
    def sentence(self) -> str:
        """``18 of 39 checks fail; 3 settings explain 14; 2 are unknown.``"""
        if not self.total:
            return "No checks were made."
        unknown = f"; {self.unknown} {'is' if self.unknown == 1 else 'are'} unknown" if self.unknown else ""
        if not self.failed:
            none = f"None of the {self.total} checks fails" if self.total > 1 else "The check doesn't fail"
            return f"{none}{unknown}."
        verb = "fails" if self.failed == 1 else "fail"
        explain = "explains" if self.settings == 1 else "explain"
        settings = f"; {count(self.settings, 'setting')} {explain} {self.explained}" if self.settings else ""
        return f"{self.failed} of {count(self.total, 'check')} {verb}{settings}{unknown}."


def setting_cards(report: Report) -> tuple[SettingCard, ...]:
    """Every finding of the report in exactly one card.

    What needs attention comes first: by outcome, worst severity, the number of rules with that outcome, and the name
    of the setting. A finding of an earlier version, which names no setting, has its own card.
    """
    groups: dict[Setting, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.about, []).append(finding)
    disagreements: dict[Setting, list[Disagreement]] = {}
    about = {(finding.pack, finding.rule): finding.about for finding in report.findings}
    for one in report.disagreements:
        first = next((about[key] for stand in one.stands if (key := (stand.pack, stand.rule)) in about), None)
        if first is not None:
            disagreements.setdefault(first, []).append(one)
    cards = (_card(setting, found, disagreements.get(setting, ())) for setting, found in groups.items())
    return tuple(sorted(cards, key=_order))


def failure_counts(report: Report) -> FailureCounts:
    """The failing checks of a report, and the settings that explain more than one of them."""
    failing = Counter(f.about for f in report.findings if f.outcome is _FAIL)
    shared = {setting: number for setting, number in failing.items() if number > 1 and is_one_setting(setting)}
    return FailureCounts(
        failed=failing.total(),
        total=len(report.findings),
        settings=len(shared),
        explained=sum(shared.values()),
        unknown=sum(f.outcome is FindingOutcome.UNKNOWN for f in report.findings),
    )


def setting_label(finding: Finding) -> str:
    """The name of the setting that the finding is about; nothing in a report of an earlier version."""
    return finding.setting.label if finding.setting else ""


def _card(setting: Setting, findings: Sequence[Finding], disagreements: Sequence[Disagreement]) -> SettingCard:
    outcome = min((finding.outcome for finding in findings), key=lambda one: one.rank)
    deciding = [finding.severity for finding in findings if finding.outcome is outcome]
    same_id = Counter(finding.rule for finding in findings)
    chips = (_chip(finding, with_pack=same_id[finding.rule] > 1) for finding in findings)
    return SettingCard(
        setting=setting,
        outcome=outcome,
        severity=min(deciding, key=lambda one: one.rank),
        chips=tuple(chips),
        disagreements=tuple(disagreements),
    )


def _chip(finding: Finding, *, with_pack: bool) -> RuleChip:
    label = f"{finding.rule} ({finding.pack})" if with_pack else finding.rule
    word, style = FINDINGS[finding.outcome]
    return RuleChip(label, finding.severity, word, style, finding)


def _order(card: SettingCard) -> tuple[int, int, int, str, str]:
    return (card.outcome.rank, card.severity.rank, -len(card.deciding), card.setting.label, card.setting.id)
