"""Changes between two nights, as the dashboard shows them: in the words of a difference, each with an icon."""

from __future__ import annotations

from typing import NamedTuple

from auditor.model.decision import Outcome
from auditor.model.difference import Change, ChangeKind, Difference, Transition, Weight
from auditor.render.difference_view import HEADINGS, by, since, values, word
from auditor.render.labels import OUTCOMES, readable_time


class ChangeView(NamedTuple):
    """One change. `causes` are the numbers and names of the changes that cause it."""

    number: int
    about: str
    word: str
    tone: str
    what: str
    means: str
    severity: str
    values: str
    since: str
    by: str
    causes: tuple[tuple[int, str], ...]


class DifferenceView(NamedTuple):
    """The changes that can matter, the minor ones in a few words, and what was not compared (section and reason)."""

    major: tuple[ChangeView, ...]
    minor: tuple[str, ...]
    not_compared: tuple[tuple[str, str], ...]


def difference_view(difference: Difference) -> DifferenceView:
    """Everything that changed, in the order of the difference."""
    numbers = {change.key: (number, change.what) for number, change in enumerate(difference.major, start=1)}
    return DifferenceView(
        major=tuple(_change(number, change, numbers) for number, change in enumerate(difference.major, start=1)),
        minor=tuple(f"{word(each)}: {each.what}" for each in difference.changes if each.weight is Weight.MINOR),
        not_compared=tuple((each.section, each.why) for each in difference.not_compared),
    )


def _change(number: int, change: Change, numbers: dict[str, tuple[int, str]]) -> ChangeView:
    return ChangeView(
        number=number,
        about=HEADINGS[change.kind],
        word=word(change),
        tone=_tone(change),
        what=change.what,
        means=change.means,
        severity=change.severity.value if change.severity else "",
        values=values(change),
        since=since(change) or _between(change),
        by=by(change),
        causes=tuple(numbers[key] for key in dict.fromkeys(change.because_of) if key in numbers),
    )


def _tone(change: Change) -> str:
    """Good and bad only where that is certain: a rule that fails or is fixed, and whether users can connect now."""
    if change.transition is Transition.BECAME_UNKNOWN:
        return "unsure"
    outcome = change.after.get("outcome") if isinstance(change.after, dict) else None
    if change.kind is ChangeKind.DECISION and outcome in set(Outcome):
        return OUTCOMES[Outcome(outcome)].style
    if change.kind is ChangeKind.FINDING:
        if change.transition is Transition.FIXED:
            return "good"
        return "bad" if change.transition is Transition.APPEARED or outcome == "fail" else "quiet"
    return "quiet"


def _between(change: Change) -> str:
    """The two reads between which something changed."""
    if change.since is None or not change.since.after or change.since.after == change.since.before:
        return ""
    return f"between {readable_time(change.since.after)} and {readable_time(change.since.before)}"
