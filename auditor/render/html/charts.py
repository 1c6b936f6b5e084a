"""Counts as bars and a trend as a line: places computed here, drawn by the templates, told again in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from auditor.model.decision import Decision, Verdict
from auditor.model.finding import FindingOutcome, Severity
from auditor.model.report import Report, Summary
from auditor.render.html.tones import tone
from auditor.render.words import FINDINGS, VERDICTS, count, utc

WIDTH = 720
_LABEL, _TOTAL = 84, 44
_BAR, _STEP = 22, 34
_MOST_POINTS = 60


class Part(NamedTuple):
    """A stretch of a bar: its place, its number where there is room for one, and what it stands for."""

    x: int
    width: int
    number: int
    word: str
    tone: str
    shows: bool


class Bar(NamedTuple):
    """One bar: its label, its place, its parts and their sum."""

    label: str
    y: int
    parts: tuple[Part, ...]
    total: int
    end: int


class Chart(NamedTuple):
    """Bars over a legend, and the same numbers as a table: heads, and rows of a label and cells."""

    height: int
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, str, int], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    bar_height: int = _BAR
    width: int = WIDTH


_Kind = tuple[str, str, str]
"""Key, word and tone of what is counted."""


def by_severity(report: Report) -> Chart | None:
    """How the rules came out, by severity; none with too few rules for a picture to tell more than the sentence."""
    if len(report.findings) < 2:
        return None
    counts = {
        severity.value: Counter(f.outcome.value for f in report.findings if f.severity is severity)
        for severity in Severity
    }
    kinds = [(o.value, FINDINGS[o][0], _tone(o)) for o in FindingOutcome]
    return _chart({name: found for name, found in counts.items() if found}, kinds)


def _tone(outcome: FindingOutcome) -> str:
    return "waived" if outcome is FindingOutcome.WAIVED else tone(FINDINGS[outcome][1])


def by_verdict(decision: Decision) -> Chart | None:
    """What would happen to the scopes of one app; none for fewer than two."""
    if len(decision.scopes) < 2:
        return None
    order = (Verdict.BLOCKED, Verdict.UNKNOWN, Verdict.CONSENTABLE, Verdict.GRANTED)
    kinds = [(verdict.value, VERDICTS[verdict][0], _VERDICT_TONES[verdict]) for verdict in order]
    return _chart({"Scopes": Counter(scope.verdict.value for scope in decision.scopes)}, kinds)


_VERDICT_TONES = {
    Verdict.BLOCKED: "bad",
    Verdict.UNKNOWN: "unsure",
    Verdict.CONSENTABLE: "good",
    Verdict.GRANTED: "done",
}


def _chart(counts: Mapping[str, Mapping[str, int]], kinds: Iterable[_Kind]) -> Chart:
    used = [kind for kind in kinds if any(found.get(kind[0], 0) for found in counts.values())]
    most = max(sum(found.values()) for found in counts.values())
    bars = tuple(_bar(name, found, used, most, place * _STEP) for place, (name, found) in enumerate(counts.items()))
    rows = tuple((name, tuple(found.get(key, 0) for key, _, _ in used)) for name, found in counts.items())
    legend = tuple((word, colour, sum(found.get(key, 0) for found in counts.values())) for key, word, colour in used)
    return Chart(len(bars) * _STEP - (_STEP - _BAR), bars, legend, tuple(word for _, word, _ in used), rows)


def _bar(name: str, found: Mapping[str, int], kinds: Sequence[_Kind], most: int, y: int) -> Bar:
    room = WIDTH - _LABEL - _TOTAL
    x, parts, total = _LABEL, [], 0
    for key, word, colour in kinds:
        number = found.get(key, 0)
        if number:
            width = max(6, number * room // most)
            parts.append(Part(x, width - 2, number, word, colour, width >= 22))
            x, total = x + width, total + number
    return Bar(name, y, tuple(parts), total, x + 6)


class Trend(NamedTuple):
    """Failed and unknown rules over time: two lines, their ends, and the table of all points."""

    failed: str
    unknown: str
    top: int
    first: str
    last: str
    rows: tuple[tuple[str, int, int, int], ...]
    sentence: str
    width: int = WIDTH
    height: int = 120


def trend(history: Sequence[tuple[str, Summary]]) -> Trend | None:
    """The newest sixty runs, oldest first; none where there are not two to compare."""
    runs = list(history)[-_MOST_POINTS:]
    if len(runs) < 2:
        return None
    top = max(1, *(max(run.failed, run.unknown) for _, run in runs))
    (first, before), (last, now) = runs[0], runs[-1]
    told = f"From {utc(first)} to {utc(last)}: {count(before.failed, 'rule')} failed then, {now.failed} now."
    return Trend(
        failed=_line([run.failed for _, run in runs], top),
        unknown=_line([run.unknown for _, run in runs], top),
        top=top,
        first=utc(first),
        last=utc(last),
        rows=tuple((utc(at), run.failed, run.unknown, run.passed) for at, run in runs),
        sentence=told,
    )


def _line(values: Sequence[int], top: int) -> str:
    left, right, high, low = 34, WIDTH - 8, 10, 96
    step = (right - left) / (len(values) - 1)
    return " ".join(
        f"{left + place * step:.1f},{low - value * (low - high) / top:.1f}" for place, value in enumerate(values)
    )
