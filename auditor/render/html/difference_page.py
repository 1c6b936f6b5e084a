"""A difference as one HTML page without scripts, which needs no network, with the look of the report."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from auditor.model.difference import Change, ChangeKind, Difference, Transition, Weight
from auditor.model.rule import FindingOutcome
from auditor.render.difference_view import HEADINGS, by, causes, counted, since, span, tenant_name, values, word
from auditor.render.html import content_policy
from auditor.render.html.parts import HOLLOW, TONES
from auditor.render.html.templates import asset, environment

_TONES = {
    Transition.APPEARED: "done",
    Transition.FIXED: "quiet",
    Transition.CHANGED: "waived",
    Transition.BECAME_UNKNOWN: "unsure",
    Transition.BECAME_KNOWN: "quiet",
}
_OF_FINDINGS = {**_TONES, Transition.APPEARED: "bad", Transition.FIXED: "good"}


class ChangeRow(NamedTuple):
    """One change as the page shows it."""

    word: str
    tone: str
    what: str
    severity: str
    means: str
    facts: tuple[tuple[str, str], ...]


class Part(NamedTuple):
    """The changes of one kind."""

    id: str
    title: str
    rows: tuple[ChangeRow, ...]


def render(difference: Difference) -> str:
    """The page. The same difference gives the same text."""
    style = asset("style.css") + asset("difference.css")
    parts = tuple(
        Part(kind.value, heading, rows)
        for kind, heading in HEADINGS.items()
        if (rows := tuple(_row(one, difference) for one in difference.major if one.kind is kind))
    )
    made: str = (
        environment("html")
        .get_template("difference.html.j2")
        .render(
            title=f"What changed in {tenant_name(difference.after)}",
            answer=counted(difference),
            span=span(difference),
            tone=_overall(difference),
            parts_of_page=parts,
            minor=tuple(f"{word(one)}: {one.what}" for one in difference.changes if one.weight is Weight.MINOR),
            not_compared=difference.not_compared,
            policy=content_policy(style, ""),
            style=Markup(style),  # noqa: S704  # ships with the program, not from the tenant
            ink=TONES,
            hollow=HOLLOW,
        )
    )
    return made + "\n"


def _overall(difference: Difference) -> str:
    if difference.summary.new:
        return "bad"
    if difference.summary.unknown:
        return "unsure"
    return "done" if difference.summary.changed else "good"


def _row(change: Change, difference: Difference) -> ChangeRow:
    tones = _OF_FINDINGS if change.kind is ChangeKind.FINDING else _TONES
    facts = (
        ("Values", values(change)),
        ("Because of", "; ".join(causes(change, difference))),
        ("Since", since(change)),
        ("By", by(change)),
    )
    return ChangeRow(
        word=word(change),
        tone="bad" if _fails_now(change) else tones[change.transition],
        what=change.what,
        severity=change.severity.value if change.severity else "",
        means=change.means,
        facts=tuple(fact for fact in facts if fact[1]),
    )


def _fails_now(change: Change) -> bool:
    is_finding = change.kind is ChangeKind.FINDING and isinstance(change.after, dict)
    return is_finding and change.after.get("outcome") == FindingOutcome.FAIL.value
