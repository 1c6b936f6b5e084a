"""The pictures of the dashboard: strips of nights, and failing rules over time. Each is also given in words.

An audit is a bar that stands on the line, the higher the worse; a night without an audit is a mark that hangs from the
top. So the kinds differ without colour, and a night that failed or was missed can't be taken for one that passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from auditor.model.document import count
from auditor.render.site.nights import KINDS, NightKind, SiteNight, Span, last_nights, nights_by_kind

HEIGHT = 20
"""Of a strip, in pixels."""
RECENT = 90
"""Nights in the strips of the index."""

_ROWS = MappingProxyType(
    {
        NightKind.CONNECTS: (12, 20),
        NightKind.LACKS_SCOPES: (6, 20),
        NightKind.NEEDS_ADMIN: (0, 20),
        NightKind.BLOCKED: (0, 20),
        NightKind.DEPENDS: (6, 20),
        NightKind.NOT_AUDITED: (17, 20),
        NightKind.FAILED: (0, 8),
        NightKind.MISSED: (0, 8),
    }
)
"""Top and bottom of each kind's mark. A night on which no run was due has none."""
HOLLOW = frozenset({NightKind.DEPENDS, NightKind.MISSED})
"""These are drawn as an outline, because there is no answer."""


class StripShape(NamedTuple):
    """All marks of one kind, as the path of an SVG."""

    kind: NightKind
    path: str


class StripText(NamedTuple):
    """A label: where a month or a line starts."""

    x: float
    y: float
    text: str


class Strip(NamedTuple):
    """A strip of nights in one width: the lines that the bars stand on, the marks, and labels."""

    shape: str
    width: float
    height: int
    base: str
    shapes: tuple[StripShape, ...]
    texts: tuple[StripText, ...]


def legend(kinds: Iterable[NightKind]) -> tuple[tuple[NightKind, str, str], ...]:
    """Each kind with its word and the path of a sample mark."""
    return tuple((kind, KINDS[kind].word, _mark(kind, 2, 12, 0)) for kind in NightKind if kind in set(kinds))


def strip_words(spans: Sequence[Span]) -> str:
    """``90 nights: NEEDS ADMIN 3, CONNECTS 86, no run 1.``"""
    counted = nights_by_kind(spans)
    parts = ", ".join(f"{KINDS[kind].word} {number}" for kind, number in counted.items())
    return f"{count(sum(counted.values()), 'night')}: {parts}."


# ---- One line, for the index ----------------------------------------------------------------------------------------

_RECENT_CELL = 3


def recent_strip(spans: Sequence[Span], end: date) -> Strip:
    """The latest nights up to `end` in one line, which fits a phone; of a new tenant, the left part is empty."""
    start = end - timedelta(days=RECENT - 1)
    shown = last_nights(spans, start)
    marks = [(span.kind, (span.start - start).days * _RECENT_CELL, span.nights * _RECENT_CELL) for span in shown]
    width = RECENT * _RECENT_CELL
    return Strip("recent", width, HEIGHT + 2, f"M0 {HEIGHT + 1}h{width}", _shapes(marks, 0), ())


# ---- Lines of one or three months, for the page of a tenant ---------------------------------------------------------


class _Layout(NamedTuple):
    """A width of strips: the months of a line, the width of a night, the height of a line, and where its bars start.

    The months are written above the bars, or at their left if `left` leaves space there.
    """

    shape: str
    months: int
    cell: float
    step: int
    top: int
    left: int

    @property
    def width(self) -> float:
        return self.left + self.cell * (31 if self.months == 1 else 92)


_WIDE = _Layout("wide", months=3, cell=12, step=48, top=14, left=0)
_NARROW = _Layout("narrow", months=1, cell=8.8, step=32, top=4, left=62)


class _Line(NamedTuple):
    """A line of a strip: its months from `start` to before `end`, or months without any run, which only have a text."""

    start: date
    end: date
    text: str = ""


def month_strips(spans: Sequence[Span]) -> tuple[Strip, Strip]:
    """All nights, three months in a line for wide windows, and one month in a line for phones and zoomed pages."""
    return _month_strip(spans, _WIDE), _month_strip(spans, _NARROW)


def _month_strip(spans: Sequence[Span], layout: _Layout) -> Strip:
    marks: list[list[StripShape]] = []
    texts: list[StripText] = []
    base = []
    lines = tuple(_lines(spans, layout.months))
    for number, line in enumerate(lines):
        y = number * layout.step + layout.top
        if line.text:
            texts.append(StripText(0, y + HEIGHT - 4, line.text))
            continue
        left, cell = layout.left, layout.cell
        placed = [(s.kind, left + (s.start - line.start).days * cell, s.nights * cell) for s in _within(spans, line)]
        marks.append(list(_shapes(placed, y)))
        for month in _months(line.start, line.end):
            x, above = (0.0, -HEIGHT) if left else ((month - line.start).days * cell, 4)
            texts.append(StripText(_number(x), y - above, f"{month:%Y-%m}"))
        base.append(f"M{left} {y + 1 + HEIGHT}h{_number((line.end - line.start).days * cell)}")
    paths: dict[NightKind, list[str]] = {}
    for shape in (shape for line_marks in marks for shape in line_marks):
        paths.setdefault(shape.kind, []).append(shape.path)
    shapes = tuple(StripShape(kind, "".join(paths[kind])) for kind in NightKind if kind in paths)
    return Strip(layout.shape, _number(layout.width), len(lines) * layout.step, "".join(base), shapes, tuple(texts))


def _lines(spans: Sequence[Span], months: int) -> Iterator[_Line]:
    """The lines, the latest first. Lines in a row without any run become one line of text."""
    first, last = spans[0].start, spans[-1].end
    start = date(first.year, (first.month - 1) // months * months + 1, 1)
    starts = [month for place, month in enumerate(_months(start, last + timedelta(days=1))) if place % months == 0]
    lines = [_Line(one, _month_after(one, months)) for one in starts]
    for is_empty, group in groupby(reversed(lines), key=lambda line: _is_empty(spans, line)):
        run = tuple(group)
        if is_empty and len(run) > 1:
            since, until = max(run[-1].start, first), min(run[0].end - timedelta(days=1), last)
            yield _Line(since, until, f"No run from {since} to {until}: {count((until - since).days + 1, 'night')}.")
        else:
            yield from run


def _is_empty(spans: Sequence[Span], line: _Line) -> bool:
    return not any(span.kind not in (NightKind.MISSED, NightKind.NOT_DUE) for span in _within(spans, line))


def _within(spans: Sequence[Span], line: _Line) -> tuple[Span, ...]:
    """The parts of the spans on this line."""
    cut = []
    for span in last_nights(spans, line.start):
        if span.start < line.end:
            cut.append(span._replace(nights=min(span.nights, (line.end - span.start).days)))
    return tuple(cut)


def _months(start: date, end: date) -> Iterator[date]:
    month = start
    while month < end:
        yield month
        month = _month_after(month, 1)


def _month_after(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


# ---- Marks ----------------------------------------------------------------------------------------------------------


def _shapes(marks: Iterable[tuple[NightKind, float, float]], y: int) -> tuple[StripShape, ...]:
    """The marks of each kind as one path; each mark has a kind, a left edge and a width."""
    paths: dict[NightKind, str] = {}
    for kind, x, width in marks:
        if kind in _ROWS:
            paths[kind] = paths.get(kind, "") + _mark(kind, x, width, y)
    return tuple(StripShape(kind, paths[kind]) for kind in NightKind if kind in paths)


def _mark(kind: NightKind, x: float, width: float, y: int) -> str:
    if kind not in _ROWS:
        return ""
    top, bottom = _ROWS[kind]
    edge = 0.5 if kind in HOLLOW and width > 2 else 0.0
    left, high = _number(x + edge), _number(y + 1 + top + edge)
    across, down = _number(width - 2 * edge), _number(bottom - top - 2 * edge)
    return f"M{left} {high}h{across}v{down}h-{across}z"


def _number(value: float) -> float:
    """The number as short as it can be written."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


# ---- Failing rules over time ----------------------------------------------------------------------------------------


class CountSpan(NamedTuple):
    """Nights in a row with the same numbers of failed and unknown rules; none of either without an audit."""

    start: date
    nights: int
    failed: int | None
    unknown: int | None
    without: NightKind | None = None

    @property
    def end(self) -> date:
        """The last night."""
        return self.start + timedelta(days=self.nights - 1)


class CourseDrawing(NamedTuple):
    """The course in one width: an area of failed rules, a line of unknown ones, marks of nights without an audit."""

    shape: str
    width: int
    area: str
    edge: str
    line: str
    marks: tuple[StripShape, ...]
    height: int = 150


class Course(NamedTuple):
    """Failed and unknown rules over all nights: drawings, the ends of the scales, a sentence, and all numbers."""

    drawings: tuple[CourseDrawing, ...]
    top: int
    first: date
    last: date
    sentence: str
    rows: tuple[CountSpan, ...]


_LEFT, _HIGH, _LOW = 34, 22, 116


def course(nights: Sequence[SiteNight]) -> Course | None:
    """Failed and unknown rules over time; none for fewer than two audits, or for audits without rules."""
    spans = tuple(_count_spans(nights))
    audits = [night.run for night in nights if night.run and night.without is None]
    if len(audits) < 2 or not any(run.failed + run.unknown + run.passed for run in audits):
        return None
    top = max(1, *(max(run.failed, run.unknown) for run in audits))
    before, now = audits[0], audits[-1]
    text = (
        f"On {before.started[:10]}, {count(before.failed, 'rule')} failed and {before.unknown} {_were(before.unknown)}"
        f" unknown; on {now.started[:10]}, {now.failed} and {now.unknown}."
    )
    drawings = tuple(_course(spans, shape, width, top) for shape, width in (("wide", 982), ("narrow", 336)))
    return Course(drawings, top, nights[0].day, nights[-1].day, text, spans)


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _count_spans(nights: Sequence[SiteNight]) -> Iterator[CountSpan]:
    def numbers(night: SiteNight) -> tuple[int | None, int | None, NightKind | None]:
        if night.run is None or night.without is not None:
            return None, None, night.without
        return night.run.failed, night.run.unknown, None

    for (failed, unknown, without), group in groupby(nights, key=numbers):
        days = [night.day for night in group]
        yield CountSpan(days[0], len(days), failed, unknown, without)


def _course(spans: Sequence[CountSpan], shape: str, width: int, top: int) -> CourseDrawing:
    first, total = spans[0].start, sum(span.nights for span in spans)
    cell = (width - _LEFT - 8) / total

    def left(span: CountSpan) -> float:
        return _LEFT + (span.start - first).days * cell

    def height(value: int) -> float:
        return _number(_LOW - value * (_LOW - _HIGH) / top)

    area, edge, line = [], [], []
    for is_audit, group in groupby(spans, key=lambda span: span.failed is not None):
        if not is_audit:
            continue
        parts = tuple(group)
        start = _number(left(parts[0]))
        steps = "".join(f"V{height(s.failed or 0)}H{_number(left(s) + s.nights * cell)}" for s in parts)
        area.append(f"M{start} {_LOW}{steps}V{_LOW}z")
        edge.append(f"M{start} {height(parts[0].failed or 0)}{steps}")
        dashes = "".join(f"V{height(s.unknown or 0)}H{_number(left(s) + s.nights * cell)}" for s in parts)
        line.append(f"M{start} {height(parts[0].unknown or 0)}{dashes}")
    without = [(span.without, left(span), span.nights * cell) for span in spans if span.without is not None]
    marks = _shapes(without, _LOW + 3)
    return CourseDrawing(shape, width, "".join(area), "".join(edge), "".join(line), marks)
