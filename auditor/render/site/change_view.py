"""Changes between two nights, as the dashboard shows them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NamedTuple

from auditor.model.difference import Actor, ActorKind, Change, ChangeKind, Difference, Since, Transition
from auditor.render.labels import encoded, readable_time
from auditor.render.text_layout import clip

_VALUE = 300
"""Columns of a value before or after a change; the JSON of ``diff`` has it whole."""

_KINDS = MappingProxyType(
    {
        ChangeKind.DECISION: "Connection",
        ChangeKind.FINDING: "Rule",
        ChangeKind.SETTING: "Setting",
        ChangeKind.POLICY: "Consent policy",
        ChangeKind.CLASSIFICATION: "Permission classification",
        ChangeKind.GRANT: "Grant",
        ChangeKind.APP: "App",
        ChangeKind.PERMISSION: "Permission of the audit",
    }
)

_TRANSITIONS = MappingProxyType(
    {
        Transition.APPEARED: "new",
        Transition.FIXED: "fixed",
        Transition.CHANGED: "changed",
        Transition.BECAME_UNKNOWN: "now unknown",
        Transition.BECAME_KNOWN: "now known",
    }
)


class ChangeView(NamedTuple):
    """One change: what it is about, its word and tone, the values, and when and by whom."""

    number: int
    kind: str
    word: str
    tone: str
    what: str
    means: str
    severity: str
    before: str
    after: str
    since: str
    by: str
    causes: tuple[tuple[int, str], ...]


class DifferenceView(NamedTuple):
    """The changes that can matter, the minor ones, and what was not compared (section and reason)."""

    major: tuple[ChangeView, ...]
    minor: tuple[ChangeView, ...]
    not_compared: tuple[tuple[str, str], ...]


def difference_view(difference: Difference) -> DifferenceView:
    """Everything that changed, the important changes first."""
    minor = [change for change in difference.changes if change not in difference.major]
    ordered = [*difference.major, *minor]
    numbers = {change.key: (number, change.what) for number, change in enumerate(ordered, start=1)}
    views = [_change(number, change, numbers) for number, change in enumerate(ordered, start=1)]
    split = len(difference.major)
    missing = tuple((each.section, each.why) for each in difference.not_compared)
    return DifferenceView(tuple(views[:split]), tuple(views[split:]), missing)


def _change(number: int, change: Change, numbers: dict[str, tuple[int, str]]) -> ChangeView:
    return ChangeView(
        number=number,
        kind=_KINDS[change.kind],
        word=_TRANSITIONS[change.transition],
        tone=change_tone(change),
        what=change.what,
        means=change.means,
        severity=change.severity.value if change.severity else "",
        before=_value(change.before),
        after=_value(change.after),
        since=_since(change.since) if change.since else "",
        by=_actor(change.by) if change.by else "",
        causes=tuple(numbers[key] for key in change.because_of if key in numbers),
    )


def change_tone(change: Change) -> str:
    """Good and bad only where that is certain: a rule that fails or is fixed."""
    if change.transition is Transition.BECAME_UNKNOWN:
        return "unsure"
    if change.kind is ChangeKind.FINDING:
        return {Transition.APPEARED: "bad", Transition.FIXED: "good"}.get(change.transition, "done")
    return "done"


def _value(value: Any) -> str:
    if value is None:
        return ""
    return clip(value if isinstance(value, str) else encoded(value).decode(), _VALUE)


def _since(since: Since) -> str:
    if since.at:
        return f"{readable_time(since.at)} ({since.source})"
    if since.after and since.before:
        return f"between {readable_time(since.after)} and {readable_time(since.before)}"
    return f"before {readable_time(since.before)}" if since.before else ""


def _actor(actor: Actor) -> str:
    if actor.kind is ActorKind.MICROSOFT:
        return "Microsoft (inferred: no log names anyone)" if actor.inferred else "Microsoft"
    name = actor.name or actor.id or "not named"
    return f"app {name}" if actor.kind is ActorKind.APP else name
