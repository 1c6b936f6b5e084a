"""The decisions compared with what the logs say happened, as parts of a document for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.model.document import Block, Cell, Grid, Heading, Paragraph, Point, Points, count, sentence
from auditor.model.prediction import ComparedApp, Comparison, Happened, PredictedEvent, PredictionComparison
from auditor.render.labels import readable_time

TITLE = "Predictions compared with the logs"
_ROWS = 8
"""Apps that one screen of text shows."""
_EVENTS = 3
"""Disagreements that one screen of text explains."""
_HAPPENED = {
    Happened.CONSENTED: "consented",
    Happened.REFUSED: "was refused",
    Happened.STOPPED: "was stopped",
}


def screen_of_comparison(found: PredictionComparison) -> Iterator[Block]:
    """The comparison in short, for a terminal."""
    yield from _head(found)
    if found.apps:
        yield _table(found.apps[:_ROWS])
    wrong = tuple(_events(found, Comparison.DISAGREES))
    if wrong:
        yield Points(tuple(_disagreement(*one) for one in wrong[:_EVENTS]))
    hidden = len(found.apps) - _ROWS, len(wrong) - _EVENTS
    more = [
        count(hidden[0], "more app") if hidden[0] > 0 else "",
        count(hidden[1], "more disagreement") if hidden[1] > 0 else "",
    ]
    if any(more):
        yield Paragraph(f"And {' and '.join(filter(None, more))}: add --details.")
    yield from _limits(found)


def whole_comparison(found: PredictionComparison) -> Iterator[Block]:
    """The comparison with every disagreement, and why nothing can be said about the others."""
    yield from _head(found)
    if found.apps:
        yield _table(found.apps)
    if wrong := tuple(_disagreement(*one) for one in _events(found, Comparison.DISAGREES)):
        yield Paragraph("Disagreements, each with its likely reasons, the likeliest first:")
        yield Points(wrong)
    if unclear := tuple(_events(found, Comparison.CANNOT_TELL)):
        yield Paragraph("Not compared:")
        yield Points(tuple(Point(f"{_what(app, event)}: {sentence(event.because)}") for app, event in unclear))
    yield from _limits(found)


def _head(found: PredictionComparison) -> Iterator[Block]:
    yield Heading(TITLE)
    yield Paragraph(found.sentence)


def _table(apps: Iterable[ComparedApp]) -> Grid:
    rows = tuple(
        tuple(map(Cell, (one.app.name, str(one.agrees), str(one.disagrees), str(one.cannot_tell)))) for one in apps
    )
    return Grid(("App", "Agrees", "Disagrees", "Cannot tell"), rows, 0)


def _events(found: PredictionComparison, result: Comparison) -> Iterator[tuple[ComparedApp, PredictedEvent]]:
    for app in found.apps:
        yield from ((app, event) for event in app.events if event.result is result)


def _what(app: ComparedApp, event: PredictedEvent) -> str:
    code = f" ({event.code})" if event.code else ""
    return f"{app.app.name}, {readable_time(event.at)}: {event.user} {_HAPPENED[event.happened]}{code}"


def _disagreement(app: ComparedApp, event: PredictedEvent) -> Point:
    """What happened, what was decided, and the likely reasons in order."""
    decided = event.because.rstrip(".")
    return Point(
        f"{_what(app, event)}, but this program decides: {decided}.",
        tuple(Point(sentence(one)) for one in event.reasons),
    )


def _limits(found: PredictionComparison) -> Iterator[Block]:
    """What the comparison doesn't cover."""
    parts = []
    if found.left_out:
        left_out = count(found.left_out, "consent of an administrator is", "consents of administrators are")
        parts.append(f"{left_out} left out.")
    if found.earlier_reads:
        parts.append(f"Policies of {count(len(found.earlier_reads), 'earlier read')} are used.")
    parts += [f"Not read: {one}." for one in found.not_read]
    if parts:
        yield Paragraph(" ".join(parts))
