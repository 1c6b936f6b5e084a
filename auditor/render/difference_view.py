"""A difference as a document for people, the same for every format that shows one: what changed, and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from auditor.model.difference import (
    TRANSITION_WORDS,
    ActorKind,
    Change,
    ChangeKind,
    Difference,
    Side,
    Transition,
    Weight,
)
from auditor.model.document import Block, Document, Heading, Paragraph, Point, Points, Title, code, count
from auditor.render.labels import readable_time

HEADINGS = {
    ChangeKind.DECISION: "Whether users can connect",
    ChangeKind.FINDING: "Findings",
    ChangeKind.SETTING: "Consent settings",
    ChangeKind.POLICY: "Consent policies",
    ChangeKind.CLASSIFICATION: "Permission classifications",
    ChangeKind.GRANT: "Granted permissions",
    ChangeKind.APP: "Enterprise applications",
    ChangeKind.PERMISSION: "Permissions of the audit itself",
}
"""What each kind of change is about, in the order of a page."""

_WORDS = {transition: words.capitalize() for transition, words in TRANSITION_WORDS.items()}
_FINDING_WORDS = {**_WORDS, Transition.APPEARED: "New failure", Transition.FIXED: "Fixed"}
_LONG = 160
"""The longest value, in characters, that a page shows."""


def tenant_name(side: Side) -> str:
    """What to call the tenant of a side."""
    return side.tenant.name or side.tenant.id or "the tenant"


def span(difference: Difference) -> str:
    """A sentence on the two times that are compared."""
    before, after = (readable_time(side.taken) or "an unknown time" for side in (difference.before, difference.after))
    return f"Compared: the tenant as read on {before} and on {after}."


def counted(difference: Difference) -> str:
    """A sentence with the counts; the answer if nothing changed."""
    if not difference.changes:
        return "Nothing changed in what both reads cover." if difference.not_compared else "Nothing changed."
    summary = difference.summary
    minor = len(difference.changes) - summary.changed
    text = f"{count(summary.changed, 'change')}{f', {minor} minor' if minor else ''}."
    if not (summary.new or summary.fixed or summary.still_failing or summary.unknown):
        return text
    unknown = f", {summary.unknown} {TRANSITION_WORDS[Transition.BECAME_UNKNOWN]}" if summary.unknown else ""
    findings = f"{count(summary.new, 'new failure')}, {summary.fixed} fixed, {summary.still_failing} still failing"
    return f"{text} Findings: {findings}{unknown}."


def word(change: Change) -> str:
    """How the change is called: ``New failure``, ``Changed`` and so on."""
    return (_FINDING_WORDS if change.kind is ChangeKind.FINDING else _WORDS)[change.transition]


def since(change: Change) -> str:
    """When the change was made, where more is known than the two reads."""
    if change.since is None or not change.since.at:
        return ""
    return f"{readable_time(change.since.at)} ({change.since.source})"


def by(change: Change) -> str:
    """Who made the change; empty if that isn't known."""
    if change.by is None:
        return ""
    name = change.by.name or ("Microsoft" if change.by.kind is ActorKind.MICROSOFT else change.by.id)
    return f"{name} (inferred: the audit log names nobody)" if change.by.inferred else name


def values(change: Change) -> str:
    """The value before and after in a few words; empty if the sentence on what it means says it better."""
    if change.kind in (ChangeKind.DECISION, ChangeKind.FINDING):
        pair = [side.get("outcome", "") if isinstance(side, dict) else "" for side in (change.before, change.after)]
        return f"{pair[0]} → {pair[1]}" if pair[0] != pair[1] else ""
    if change.kind in (ChangeKind.SETTING, ChangeKind.CLASSIFICATION):
        return f"{_value(change.before)} → {_value(change.after)}"
    if change.kind is ChangeKind.APP and not (isinstance(change.before, dict) or isinstance(change.after, dict)):
        return f"{_value(change.before)} → {_value(change.after)}"
    return ""


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        text = ", ".join(value) or "none"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def causes(change: Change, difference: Difference) -> list[str]:
    """What the changes that cause this one are called, once each."""
    if not change.because_of:
        return []
    names = {one.key: one.what for one in difference.changes}
    return list(dict.fromkeys(names.get(key, key) for key in change.because_of))


def document(difference: Difference) -> Document:
    """The whole difference: the counts, the changes by kind, the minor ones, and what wasn't compared."""
    return tuple(_blocks(difference))


def _blocks(difference: Difference) -> Iterator[Block]:
    yield Title(f"What changed in {tenant_name(difference.after)}")
    yield Paragraph(counted(difference))
    yield Paragraph(span(difference))
    for kind, heading in HEADINGS.items():
        changes = [one for one in difference.major if one.kind is kind]
        if changes:
            yield Heading(heading)
            yield Points(tuple(_point(one, difference) for one in changes))
    minor = [one for one in difference.changes if one.weight is Weight.MINOR]
    if minor:
        yield Heading("Minor: only the order, spelling, names or ids differ, or the answer is the same")
        yield Points(tuple(Point(f"{word(one)}: {one.what}") for one in minor))
    if difference.not_compared:
        yield Heading("Not compared")
        yield Points(tuple(Point(f"{one.section}: {one.why}.") for one in difference.not_compared))


def _point(change: Change, difference: Difference) -> Point:
    severity = f" ({change.severity.value})" if change.severity else ""
    return Point(f"{word(change)}: {change.what}{severity}", tuple(map(Point, _details(change, difference))))


def _details(change: Change, difference: Difference) -> Iterator[str]:
    if change.means:
        yield change.means
    if shown := values(change):
        yield f"Before and after: {code(shown)}"
    named = causes(change, difference)
    if named:
        more = len(named) - 3
        yield f"Because of: {'; '.join(named[:3])}{f'; and {more} more' if more > 0 else ''}"
    if at := since(change):
        yield f"Since: {at}"
    if who := by(change):
        yield f"By: {who}"
