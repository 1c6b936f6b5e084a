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

_BAR, _STEP = 22, 34
_MOST_POINTS = 60


class Frame(NamedTuple):
    """How wide a picture is, and how much of that its labels and totals take."""

    shape: str
    width: int
    label: int
    total: int


WIDE = Frame("wide", 720, 84, 44)
NARROW = Frame("narrow", 340, 66, 34)
"""For phones, where the wide one would be too small to read."""


class Part(NamedTuple):
    """A stretch of a bar: its place, its number where there is room for one (and how wide), and what it stands for."""

    x: int
    width: int
    number: int
    plate: int
    word: str
    tone: str


class Bar(NamedTuple):
    """One bar: its label, its place, its parts and their sum."""

    label: str
    y: int
    parts: tuple[Part, ...]
    total: int
    end: int


class Drawing(NamedTuple):
    """Bars in one frame."""

    shape: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    bar_height: int = _BAR


class Chart(NamedTuple):
    """Bars, wide and narrow, over a legend, and the same as a table: heads, and rows of a label and cells."""

    drawings: tuple[Drawing, ...]
    legend: tuple[tuple[str, str, int], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


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
    rows = tuple((name, tuple(found.get(key, 0) for key, _, _ in used)) for name, found in counts.items())
    legend = tuple((word, colour, sum(found.get(key, 0) for found in counts.values())) for key, word, colour in used)
    drawings = tuple(_drawing(frame, counts, used) for frame in (WIDE, NARROW))
    return Chart(drawings, legend, tuple(word for _, word, _ in used), rows)


def _drawing(frame: Frame, counts: Mapping[str, Mapping[str, int]], kinds: Sequence[_Kind]) -> Drawing:
    most = max(sum(found.values()) for found in counts.values())
    bars = (_bar(frame, name, found, kinds, most, place * _STEP) for place, (name, found) in enumerate(counts.items()))
    return Drawing(frame.shape, frame.width, len(counts) * _STEP - (_STEP - _BAR) + 1, tuple(bars))


def _bar(frame: Frame, name: str, found: Mapping[str, int], kinds: Sequence[_Kind], most: int, y: int) -> Bar:
    room = frame.width - frame.label - frame.total
    x, parts, total = frame.label, [], 0
    for key, word, colour in kinds:
        number = found.get(key, 0)
        if number:
            width, plate = max(6, number * room // most), 8 * len(str(number)) + 6
            parts.append(Part(x, width - 2, number, plate if width >= plate + 6 else 0, word, colour))
            x, total = x + width, total + number
    return Bar(name, y, tuple(parts), total, x + 6)


class Course(NamedTuple):
    """One number over time: its line, and the point of each run."""

    tone: str
    line: str
    points: tuple[tuple[float, float], ...]


class TrendDrawing(NamedTuple):
    """The lines in one frame."""

    shape: str
    width: int
    courses: tuple[Course, ...]
    height: int = 120


class Trend(NamedTuple):
    """Failed and unknown rules over time: two lines, their ends, and the table of all points."""

    drawings: tuple[TrendDrawing, ...]
    top: int
    first: str
    last: str
    rows: tuple[tuple[str, int, int, int], ...]
    sentence: str


def trend(history: Sequence[tuple[str, Summary]]) -> Trend | None:
    """The newest sixty runs, oldest first; none where there are not two to compare."""
    runs = list(history)[-_MOST_POINTS:]
    if len(runs) < 2:
        return None
    top = max(1, *(max(run.failed, run.unknown) for _, run in runs))
    (first, before), (last, now) = runs[0], runs[-1]
    told = f"From {utc(first)} to {utc(last)}: {count(before.failed, 'rule')} failed then, {now.failed} now."
    both = (("unsure", [run.unknown for _, run in runs]), ("bad", [run.failed for _, run in runs]))
    drawings = (
        TrendDrawing(frame.shape, frame.width, tuple(_course(frame, tone, values, top) for tone, values in both))
        for frame in (WIDE, NARROW)
    )
    rows = tuple((utc(at), run.failed, run.unknown, run.passed) for at, run in runs)
    return Trend(tuple(drawings), top, utc(first), utc(last), rows, told)


def _course(frame: Frame, colour: str, values: Sequence[int], top: int) -> Course:
    left, right, high, low = 34, frame.width - 8, 10, 96
    step = (right - left) / (len(values) - 1)
    points = tuple(
        (round(left + place * step, 1), round(low - value * (low - high) / top, 1))
        for place, value in enumerate(values)
    )
    return Course(colour, " ".join(f"{x},{y}" for x, y in points), points)
