"""The pictures of the page, each also given in words: the path to a verdict, bar charts of counts, and a trend.

Positions are computed here and drawn by pictures.html.j2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from auditor.model.decision import ORDINARY_SUBJECT, Confidence, Decision, Reason, ScopeVerdict, Verdict
from auditor.model.document import count, sentence, series
from auditor.model.report import Report, Summary
from auditor.model.rule import FindingOutcome, Severity
from auditor.render.html.parts import is_portal_setting, policy_label, tone
from auditor.render.labels import (
    FINDINGS,
    NAME_WIDTH,
    OUTCOMES,
    SCOPE_KINDS,
    VERDICTS,
    answer_word,
    app_label,
    error_code,
    readable_time,
    scope_count,
)
from auditor.render.text_layout import clip, columns, wrap

_TITLE, _DETAIL = 22, 30
"""Columns of a line in a box."""
_MOST_LINES = 4
_TITLE_STEP, _DETAIL_STEP = 20, 17
_HEAD, _FOOT = 34, 16
_BOX, _GAP, _DROP = 224, 34, 30
_MARGIN = 2

_GATES = MappingProxyType(
    {
        Reason.USER_CONSENT_DISABLED: ("User consent is off", "No consent policy is assigned to users."),
        Reason.ASSIGNMENT_REQUIRED: ("Assignment required", "Only users who are assigned to the app can consent."),
        Reason.NOT_ASSIGNED: ("Assignment required", "The user is not assigned to the app."),
        Reason.CONSENT_FORCED: ("Consent is forced", "The app asks every user again (prompt=consent)."),
        Reason.RISK_STEP_UP: ("Risk check", "Microsoft considers the request risky."),
        Reason.APP_DEACTIVATED: ("The app is deactivated", "No policy is evaluated."),
        Reason.APP_DISABLED_BY_MICROSOFT: (
            "The app is disabled",
            "Microsoft disabled it. No policy is evaluated.",
        ),
        Reason.APP_DISABLED_IN_TENANT: (
            "The app is turned off",
            "Sign-in is disabled. No policy is evaluated.",
        ),
        Reason.NEEDED_APP_MISSING: ("Another app is missing", "The app also needs an app that isn't in the tenant."),
        Reason.RESOURCE_MISSING: ("A resource is missing", "An API that the app requests isn't in the tenant."),
        Reason.RESOURCE_DISABLED: ("A resource is disabled", "An API that the app requests is disabled."),
        Reason.REDIRECT_URI_NOT_REGISTERED: ("Redirect URI", "The app hasn't registered this redirect URI."),
        Reason.GRANTED_TENANT_WIDE: ("Admin consent", "An administrator granted permissions to the whole tenant."),
        Reason.GRANTED_TO_USER: ("Earlier consent", "The user accepted the permissions before."),
        Reason.SUBJECT_IS_ADMIN: ("The user is an admin", "Administrators can consent for themselves."),
        Reason.NOTHING_REQUESTED: ("Nothing to decide", "The app requests no permissions."),
    }
)
"""What decides, if it isn't a consent policy: a title and a sentence."""

_WORST_FIRST = (Verdict.BLOCKED, Verdict.UNKNOWN, Verdict.GRANTED, Verdict.CONSENTABLE)


class PathStep(NamedTuple):
    """One step on the path to a verdict: a label, a title, a detail, and the tone of its result."""

    label: str
    title: str
    detail: str
    tone: str


class PathText(NamedTuple):
    """A line of text and its position."""

    x: int
    y: int
    text: str
    kind: str


class PathBox(NamedTuple):
    """A step as drawn, with the arrow to the next step (none after the last)."""

    x: int
    y: int
    width: int
    height: int
    tone: str
    lines: tuple[PathText, ...]
    arrow: str


class PathDrawing(NamedTuple):
    """The path in one layout: ``wide`` or ``tall``."""

    shape: str
    width: int
    height: int
    boxes: tuple[PathBox, ...]


class VerdictPath(NamedTuple):
    """The path to a verdict, drawn from left to right and from top to bottom, and in words."""

    drawings: tuple[PathDrawing, ...]
    words: tuple[str, ...]


def verdict_path(decision: Decision) -> VerdictPath:
    """How an answer was reached: the user, what decides, the scopes, the result."""
    steps = (_user(decision), _deciding_step(decision), _scopes(decision), _result(decision))
    words = tuple(f"{step.label}: {step.title.rstrip('.')}. {step.detail}".strip() for step in steps)
    return VerdictPath((_side_by_side(steps), _stacked(steps)), words)


def _user(decision: Decision) -> PathStep:
    ordinary = decision.subject == ORDINARY_SUBJECT
    title = "Ordinary user" if ordinary else clip(decision.subject, NAME_WIDTH)
    return PathStep("User", title, f"wants to connect {app_label(decision)}", "quiet")


def _deciding_step(decision: Decision) -> PathStep:
    """The consent policies that were evaluated, or the check before them that decided."""
    style = OUTCOMES[decision.outcome].style
    if decision.reason in _GATES:
        title, detail = _GATES[decision.reason]
        return PathStep("Decided by", title, detail, style)
    deciding = _deciding(decision)
    if not deciding:
        return PathStep("Decided by", "The consent settings", "The table of scopes has each reason.", style)
    policies = tuple(dict.fromkeys(scope.policy for scope in deciding if scope.policy))
    named = [policy for policy in policies if policy in decision.because]
    name = (named or policies)[0]
    more = f", with {count(len(policies) - 1, 'more policy', 'more policies')}" if len(policies) > 1 else ""
    doubted = any(scope.confidence is Confidence.LIKELY for scope in deciding if scope.policy == name)
    label = "Consent setting" if is_portal_setting(name) else "Consent policy"
    return PathStep(label, policy_label(name), f"decides for users{more}{' (likely)' * doubted}", style)


def _deciding(decision: Decision) -> list[ScopeVerdict]:
    """The scopes that decide the answer: required ones, and of these the ones with the answer's own reason if any."""
    judged = [scope for scope in decision.scopes if scope.policy]
    needed = [scope for scope in judged if scope.required] or judged
    return [scope for scope in needed if scope.reason is decision.reason] or needed


def _scopes(decision: Decision) -> PathStep:
    """How many scopes are required. An optional scope changes no answer, so it has no colour."""
    groups = [group for group in (decision.required_scopes, decision.optional_scopes, decision.added_scopes) if group]
    if not groups:
        return PathStep("Scopes", "None were evaluated", "", "quiet")
    first, *others = groups
    needed = {scope.verdict for scope in (*decision.required_scopes, *decision.added_scopes)}
    worst = next((verdict for verdict in _WORST_FIRST if verdict in needed), None)
    detail = " ".join((sentence(_tally(first)), *(_of_a_kind(group) for group in others)))
    return PathStep("Scopes", scope_count(first), detail, VERDICTS[worst][1] if worst else "quiet")


def _of_a_kind(scopes: Sequence[ScopeVerdict]) -> str:
    """``1 optional: blocked.``"""
    return f"{len(scopes)} {SCOPE_KINDS[scopes[0].requested_as]}: {_tally(scopes)}."


def _tally(scopes: Sequence[ScopeVerdict]) -> str:
    """``3 blocked and 6 allowed``; only ``blocked`` for a single scope."""
    tally = Counter(scope.verdict for scope in scopes)
    if tally.total() == 1:
        return VERDICTS[next(iter(tally))][0]
    return series([f"{tally[verdict]} {VERDICTS[verdict][0]}" for verdict in Verdict if tally[verdict]])


def _result(decision: Decision) -> PathStep:
    label = OUTCOMES[decision.outcome]
    number = error_code(decision.code)
    return PathStep("Result", answer_word(decision), f"{label.means}{f' {number}.' if number else ''}", label.style)


def _lines(text: str, width: int) -> list[str]:
    """The text in a few lines; dots at the end of the last line mark a cut."""
    lines = wrap(text, width) if text else []
    if len(lines) <= _MOST_LINES:
        return lines
    kept = lines[:_MOST_LINES]
    kept[-1] = clip(kept[-1] + " " * (width - columns(kept[-1])) + "...", width)
    return kept


def _laid_out(step: PathStep, x: int, y: int, width: int) -> tuple[tuple[PathText, ...], int]:
    """The lines of a box, and its height."""
    room = (width * _DETAIL) // _BOX
    at = y + 24
    lines = [PathText(x + 16, at, step.label, "label")]
    for text in _lines(step.title, (width * _TITLE) // _BOX):
        at += _TITLE_STEP if len(lines) > 1 else _TITLE_STEP + 2
        lines.append(PathText(x + 16, at, text, "title"))
    for place, text in enumerate(_lines(step.detail, room)):
        at += _DETAIL_STEP if place else _DETAIL_STEP + 3
        lines.append(PathText(x + 16, at, text, "detail"))
    return tuple(lines), at - y + _FOOT


def _side_by_side(steps: Sequence[PathStep]) -> PathDrawing:
    laid = [_laid_out(step, _MARGIN + i * (_BOX + _GAP), _MARGIN, _BOX) for i, step in enumerate(steps)]
    height = max(tall for _, tall in laid)
    boxes = []
    for place, (step, (lines, _)) in enumerate(zip(steps, laid, strict=True)):
        x, middle = _MARGIN + place * (_BOX + _GAP), _MARGIN + min(height // 2, 46)
        end = x + _BOX + _GAP - 3
        arrow = f"M{x + _BOX + 4} {middle}H{end}m-7-6 7 6-7 6" if place < len(steps) - 1 else ""
        boxes.append(PathBox(x, _MARGIN, _BOX, height, step.tone, lines, arrow))
    width = 2 * _MARGIN + len(steps) * _BOX + (len(steps) - 1) * _GAP
    return PathDrawing("wide", width, height + 2 * _MARGIN, tuple(boxes))


def _stacked(steps: Sequence[PathStep]) -> PathDrawing:
    width, y, boxes = 336, _MARGIN, []
    for place, step in enumerate(steps):
        lines, height = _laid_out(step, _MARGIN, y, width)
        end = y + height + _DROP - 3
        arrow = f"M{_MARGIN + 30} {y + height + 4}V{end}m-6-7 6 7 6-7" if place < len(steps) - 1 else ""
        boxes.append(PathBox(_MARGIN, y, width, height, step.tone, lines, arrow))
        y += height + _DROP
    return PathDrawing("tall", width + 2 * _MARGIN, y - _DROP + _MARGIN, tuple(boxes))


_BAR, _STEP = 22, 34
_MOST_POINTS = 60


class Frame(NamedTuple):
    """The width of a chart, and the parts of it for labels and totals."""

    shape: str
    width: int
    label: int
    total: int


WIDE = Frame("wide", 720, 84, 44)
NARROW = Frame("narrow", 340, 66, 34)
"""For phones, where the wide chart is too small to read."""


class BarPart(NamedTuple):
    """A part of a bar: its position, its number, the width of its plate (0: doesn't fit), its word and tone."""

    x: int
    width: int
    number: int
    plate: int
    word: str
    tone: str


class Bar(NamedTuple):
    """One bar: its label, its position, its parts and their sum."""

    label: str
    y: int
    parts: tuple[BarPart, ...]
    total: int
    end: int


class BarDrawing(NamedTuple):
    """The bars in one frame."""

    shape: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    bar_height: int = _BAR


class BarChart(NamedTuple):
    """Bars in two widths, a legend, and the same numbers as a table: headings, and rows of a label and cells."""

    drawings: tuple[BarDrawing, ...]
    legend: tuple[tuple[str, str, int], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


_Kind = tuple[str, str, str]
"""The key, the word and the tone of what is counted."""


def chart_by_severity(report: Report) -> BarChart | None:
    """The outcomes of the rules by severity; none for fewer than two rules."""
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


def chart_by_verdict(decision: Decision) -> BarChart | None:
    """The verdicts on the scopes of one app; none for fewer than two scopes."""
    if len(decision.scopes) < 2:
        return None
    order = (Verdict.BLOCKED, Verdict.UNKNOWN, Verdict.CONSENTABLE, Verdict.GRANTED)
    kinds = [(verdict.value, VERDICTS[verdict][0], _VERDICT_TONES[verdict]) for verdict in order]
    groups = {
        "Required": decision.required_scopes,
        "Optional": decision.optional_scopes,
        "Added": decision.added_scopes,
    }
    counted = {name: Counter(scope.verdict.value for scope in scopes) for name, scopes in groups.items() if scopes}
    return _chart(counted, kinds)


_VERDICT_TONES = {
    Verdict.BLOCKED: "bad",
    Verdict.UNKNOWN: "unsure",
    Verdict.CONSENTABLE: "good",
    Verdict.GRANTED: "done",
}


def _chart(counts: Mapping[str, Mapping[str, int]], kinds: Iterable[_Kind]) -> BarChart:
    used = [kind for kind in kinds if any(found.get(kind[0], 0) for found in counts.values())]
    rows = tuple((name, tuple(found.get(key, 0) for key, _, _ in used)) for name, found in counts.items())
    legend = tuple((word, colour, sum(found.get(key, 0) for found in counts.values())) for key, word, colour in used)
    drawings = tuple(_drawing(frame, counts, used) for frame in (WIDE, NARROW))
    return BarChart(drawings, legend, tuple(word for _, word, _ in used), rows)


def _drawing(frame: Frame, counts: Mapping[str, Mapping[str, int]], kinds: Sequence[_Kind]) -> BarDrawing:
    most = max(sum(found.values()) for found in counts.values())
    bars = (_bar(frame, name, found, kinds, most, place * _STEP) for place, (name, found) in enumerate(counts.items()))
    return BarDrawing(frame.shape, frame.width, len(counts) * _STEP - (_STEP - _BAR) + 1, tuple(bars))


def _bar(frame: Frame, name: str, found: Mapping[str, int], kinds: Sequence[_Kind], most: int, y: int) -> Bar:
    room = frame.width - frame.label - frame.total
    x, parts, total = frame.label, [], 0
    for key, word, colour in kinds:
        number = found.get(key, 0)
        if number:
            width, plate = max(6, number * room // most), 8 * len(str(number)) + 6
            parts.append(BarPart(x, width - 2, number, plate if width >= plate + 6 else 0, word, colour))
            x, total = x + width, total + number
    return Bar(name, y, tuple(parts), total, x + 6)


class TrendLine(NamedTuple):
    """One number over time: its line, and the point of each run."""

    tone: str
    line: str
    points: tuple[tuple[float, float], ...]


class TrendDrawing(NamedTuple):
    """The lines in one frame."""

    shape: str
    width: int
    courses: tuple[TrendLine, ...]
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
    """The latest sixty runs, oldest first; none for fewer than two."""
    runs = list(history)[-_MOST_POINTS:]
    if len(runs) < 2:
        return None
    top = max(1, *(max(run.failed, run.unknown) for _, run in runs))
    (first, before), (last, now) = runs[0], runs[-1]
    start, end = readable_time(first), readable_time(last)
    text = f"From {start} to {end}: {count(before.failed, 'rule')} failed then, {now.failed} now."
    both = (("unsure", [run.unknown for _, run in runs]), ("bad", [run.failed for _, run in runs]))
    drawings = (
        TrendDrawing(frame.shape, frame.width, tuple(_course(frame, tone, values, top) for tone, values in both))
        for frame in (WIDE, NARROW)
    )
    rows = tuple((readable_time(at), run.failed, run.unknown, run.passed) for at, run in runs)
    return Trend(tuple(drawings), top, start, end, rows, text)


def _course(frame: Frame, colour: str, values: Sequence[int], top: int) -> TrendLine:
    left, right, high, low = 34, frame.width - 8, 10, 96
    step = (right - left) / (len(values) - 1)
    points = tuple(
        (round(left + place * step, 1), round(low - value * (low - high) / top, 1))
        for place, value in enumerate(values)
    )
    return TrendLine(colour, " ".join(f"{x},{y}" for x, y in points), points)
