"""What changed since the last report, for the first page: new failures, what was fixed, and what still fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from auditor.model.difference import TRANSITION_WORDS, ChangeKind, SinceLast, Transition
from auditor.model.document import count
from auditor.model.report import Finding, Report
from auditor.model.rule import FindingOutcome
from auditor.render.labels import readable_time

_LISTED = 10
"""How many rules a list names."""


class NewsView(NamedTuple):
    """A title, a sentence with the counts, and lists of rules, each with its label."""

    title: str
    counts: str
    means: tuple[str, ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...]


def news_view(report: Report, since_last: SinceLast | None) -> NewsView | None:
    """What changed since the last report; none without one."""
    if since_last is None:
        return None
    difference = since_last.difference
    findings = [one for one in difference.changes if one.kind is ChangeKind.FINDING]
    lists = (
        ("New failures", (one.what for one in findings if one.transition is Transition.APPEARED)),
        ("Fixed", (one.what for one in findings if one.transition is Transition.FIXED)),
        (
            TRANSITION_WORDS[Transition.BECAME_UNKNOWN].capitalize(),
            (one.what for one in findings if one.transition is Transition.BECAME_UNKNOWN),
        ),
        ("Still failing", _still_failing(report, since_last)),
    )
    summary = difference.summary
    return NewsView(
        title=f"Since the last report, of {readable_time(difference.before.taken)}",
        counts=f"{count(summary.new, 'new failure')}, {summary.fixed} fixed, {summary.still_failing} still failing.",
        means=tuple(one.means for one in difference.major if one.kind is ChangeKind.DECISION),
        lists=tuple((label, shown) for label, names in lists if (shown := _limited(names))),
    )


def finding_news(report: Report, since_last: SinceLast | None) -> Mapping[str, str]:
    """What each finding is compared with the last report, by fingerprint: ``new``, ``failing since …`` or ``fixed``.

    Findings that didn't fail, and don't, are left out; so are those of which it isn't known.
    """
    if since_last is None:
        return {}
    words = {Transition.APPEARED: "new", Transition.FIXED: "fixed"}
    news = {
        change.key.removeprefix("finding/"): words[change.transition]
        for change in since_last.difference.changes
        if change.kind is ChangeKind.FINDING and change.transition in words
    }
    since = since_last.failing_since
    old = {
        one.fingerprint: f"failing since {readable_time(since[one.fingerprint])}"
        for one in _failed_before(report, since_last)
    }
    return news | old


def _still_failing(report: Report, since_last: SinceLast) -> Iterator[str]:
    """The rules that failed in the last report, too, with the time since when, the oldest first."""
    since = since_last.failing_since
    old = _failed_before(report, since_last)
    for one in sorted(old, key=lambda found: (since[found.fingerprint], found.severity.rank)):
        yield f"{one.rule}: {one.title}, since {readable_time(since[one.fingerprint])}"


def _failed_before(report: Report, since_last: SinceLast) -> list[Finding]:
    """The findings that fail now and failed in the last report."""
    since = since_last.failing_since
    # A snapshot that is evaluated again has the time of the last report, so that its time says nothing.
    now = report.taken if report.taken != since_last.difference.before.taken else ""
    not_before = (Transition.APPEARED, Transition.BECAME_KNOWN)
    new = {change.key for change in since_last.difference.changes if change.transition in not_before}
    return [
        one
        for one in report.findings
        if one.outcome is FindingOutcome.FAIL
        and f"finding/{one.fingerprint}" not in new
        and since.get(one.fingerprint, now) != now
    ]


def _limited(names: Iterable[str]) -> tuple[str, ...]:
    every = tuple(names)
    more = len(every) - _LISTED
    return (*every[:_LISTED], f"and {more} more") if more > 0 else every
