"""The nights of a tenant: what each one found about each app, and which nights have no audit.

A night is a day in UTC. If a tenant runs several times a day, the last run of the day that made an audit counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from auditor.model.decision import ORDINARY_SUBJECT, Confidence, Outcome
from auditor.model.document import parse_time
from auditor.model.history import Run, RunDecision, RunState
from auditor.model.site import SiteTenant
from auditor.render.labels import NAME_WIDTH, OUTCOMES
from auditor.render.text_layout import clip

_DAY = timedelta(days=1)
MOST_NIGHTS = 3660
"""Ten years. Without a limit, one run with a wrong clock would fill the pages with nights that were missed."""


class NightKind(StrEnum):
    """What is known about an app after a night."""

    CONNECTS = "connects"
    LACKS_SCOPES = "lacks-scopes"
    NEEDS_ADMIN = "needs-admin"
    BLOCKED = "blocked"
    DEPENDS = "depends"
    NOT_AUDITED = "not-audited"
    """An audit was made, but not of this app."""
    FAILED = "failed"
    """The run failed or was interrupted."""
    MISSED = "missed"
    """No run started."""
    NOT_DUE = "not-due"
    """No run started, and none was due."""


class KindLabel(NamedTuple):
    """The word of a kind, and its tone."""

    word: str
    tone: str


def _label(outcome: Outcome) -> KindLabel:
    return KindLabel(OUTCOMES[outcome].word, OUTCOMES[outcome].style)


KINDS = MappingProxyType(
    {
        NightKind.CONNECTS: _label(Outcome.CONNECTS_SILENTLY),
        NightKind.LACKS_SCOPES: _label(Outcome.CONNECTS_BUT_LACKS_SCOPES),
        NightKind.NEEDS_ADMIN: _label(Outcome.NEEDS_ADMIN),
        NightKind.BLOCKED: _label(Outcome.BLOCKED),
        NightKind.DEPENDS: _label(Outcome.DEPENDS),
        NightKind.NOT_AUDITED: KindLabel("app not audited", "quiet"),
        NightKind.FAILED: KindLabel("run failed", "waived"),
        NightKind.MISSED: KindLabel("no run", "waived"),
        NightKind.NOT_DUE: KindLabel("no run due", "quiet"),
    }
)

_OUTCOMES = MappingProxyType(
    {
        Outcome.CONNECTS_SILENTLY: NightKind.CONNECTS,
        Outcome.USER_MAY_CONSENT: NightKind.CONNECTS,
        Outcome.CONNECTS_BUT_LACKS_SCOPES: NightKind.LACKS_SCOPES,
        Outcome.NEEDS_ADMIN: NightKind.NEEDS_ADMIN,
        Outcome.BLOCKED: NightKind.BLOCKED,
        Outcome.DEPENDS: NightKind.DEPENDS,
    }
)


class SiteNight(NamedTuple):
    """One day: the run that counts, and the kind of a night without an audit (none if an audit was made).

    `audits` are all runs of the day that made an audit, the one that counts last.
    """

    day: date
    run: Run | None = None
    without: NightKind | None = None
    audits: tuple[Run, ...] = ()


AppKey = tuple[str, str, int]
"""What identifies an app from run to run: its client id, the subject, and the how-manieth such decision it is."""


class Span(NamedTuple):
    """Nights in a row of one kind; `likely` if not everything that decides was read."""

    kind: NightKind
    start: date
    nights: int
    likely: bool = False

    @property
    def end(self) -> date:
        """The last night."""
        return self.start + timedelta(days=self.nights - 1)


class AppNights(NamedTuple):
    """An app of a tenant over all nights. `decision` is its last one.

    `since` is the first audit of the present outcome. With `is_first`, it's also the first audit that is kept, so the
    outcome can be older. `is_current` says whether the last audit was about the app.
    """

    key: AppKey
    decision: RunDecision
    spans: tuple[Span, ...]
    since: Run
    is_first: bool
    is_current: bool

    @property
    def name(self) -> str:
        """The name of the app, and the user if it isn't an ordinary one."""
        name = clip(self.decision.app, NAME_WIDTH) or f"app {clip(self.decision.client_id, NAME_WIDTH)}"
        subject = self.decision.subject
        return name if subject == ORDINARY_SUBJECT else f"{name} for {clip(subject, NAME_WIDTH)}"

    @property
    def word(self) -> str:
        """The outcome in capitals, marked if it's only likely."""
        word = OUTCOMES[self.decision.outcome].word
        return f"{word} (likely)" if self.decision.confidence is Confidence.LIKELY else word

    @property
    def tone(self) -> str:
        """The tone of the outcome."""
        return OUTCOMES[self.decision.outcome].style


def run_day(run: Run) -> date | None:
    """The night of a run; none if the time of its start isn't a time."""
    at = parse_time(run.started)
    return at.date() if at else None


def nights_of(tenant: SiteTenant, at: str) -> tuple[SiteNight, ...]:
    """Every night from the first run to the last run, or to the last night that was missed; each exactly once.

    Left out are runs that started after `at`, by a clock that was wrong, and nights more than ten years ago.
    """
    now = parse_time(at)
    today = now.date() if now else date.max
    oldest = today - timedelta(days=MOST_NIGHTS)
    by_day: dict[date, list[Run]] = {}
    for run in tenant.runs:
        day = run_day(run)
        if day is not None and oldest <= day <= today and run.state is not RunState.RUNNING:
            by_day.setdefault(day, []).append(run)
    if not by_day:
        return ()
    due = {time.date() for time in map(parse_time, tenant.missed) if time}
    first = min(by_day)
    last = max(*by_day, *(day for day in due if day <= today), first)
    return tuple(_night(first + n * _DAY, by_day, due) for n in range((last - first).days + 1))


def _night(day: date, by_day: Mapping[date, Sequence[Run]], due: Container[date]) -> SiteNight:
    runs = by_day.get(day, ())
    finished = [run for run in runs if run.state is RunState.FINISHED]
    if finished:
        return SiteNight(day, finished[-1], audits=tuple(finished))
    if runs:
        return SiteNight(day, runs[-1], NightKind.FAILED)
    return SiteNight(day, without=NightKind.MISSED if day in due else NightKind.NOT_DUE)


def decisions_of(run: Run) -> Mapping[AppKey, RunDecision]:
    """The decisions of a run by what identifies their apps."""
    seen: Counter[tuple[str, str]] = Counter()
    found = {}
    for decision in run.decisions:
        same = (decision.client_id.lower() or decision.app, decision.subject)
        found[(*same, seen[same])] = decision
        seen[same] += 1
    return found


def apps_of(nights: Sequence[SiteNight]) -> tuple[AppNights, ...]:
    """The apps of a tenant: those that the last audit decided about, in its order, then those of earlier audits."""
    audits = [(night.day, run, decisions_of(run)) for night in nights for run in night.audits]
    if not audits:
        return ()
    last = audits[-1][2]
    keys = dict.fromkeys(key for *_, decisions in reversed(audits) for key in decisions)
    # The last audit of a day is the one that stays.
    by_day = {day: decisions for day, _, decisions in audits}
    every = [(run, decisions) for _, run, decisions in audits]
    return tuple(_app(key, nights, every, by_day, key in last) for key in keys)


def _app(
    key: AppKey,
    nights: Sequence[SiteNight],
    audits: Sequence[tuple[Run, Mapping[AppKey, RunDecision]]],
    by_day: Mapping[date, Mapping[AppKey, RunDecision]],
    is_current: bool,
) -> AppNights:
    about = [(run, decisions[key]) for run, decisions in audits if key in decisions]
    decision = about[-1][1]
    since, is_first = about[-1][0], True
    for run, each in reversed(about):
        if _OUTCOMES[each.outcome] is not _OUTCOMES[decision.outcome]:
            is_first = False
            break
        since = run
    kinds = ((night.day, *_kind(night, by_day.get(night.day, {}).get(key))) for night in nights)
    return AppNights(key, decision, tuple(_spans(kinds)), since, is_first, is_current)


def _kind(night: SiteNight, decision: RunDecision | None) -> tuple[NightKind, bool]:
    if night.without is not None:
        return night.without, False
    if decision is None:
        return NightKind.NOT_AUDITED, False
    return _OUTCOMES[decision.outcome], decision.confidence is Confidence.LIKELY


def _spans(kinds: Iterable[tuple[date, NightKind, bool]]) -> Iterator[Span]:
    for (kind, likely), group in groupby(kinds, key=lambda each: each[1:]):
        days = [day for day, _, _ in group]
        yield Span(kind, days[0], len(days), likely)


def last_nights(spans: Sequence[Span], start: date) -> tuple[Span, ...]:
    """The parts of the spans from `start` on."""
    kept = []
    for span in spans:
        if span.end >= start:
            skipped = max(0, (start - span.start).days)
            kept.append(span._replace(start=max(span.start, start), nights=span.nights - skipped))
    return tuple(kept)


def nights_by_kind(spans: Iterable[Span]) -> dict[NightKind, int]:
    """How many nights each kind has, in the order of `NightKind`; kinds without a night are left out."""
    counted: Counter[NightKind] = Counter()
    for span in spans:
        counted[span.kind] += span.nights
    return {kind: counted[kind] for kind in NightKind if counted[kind]}


def nights_without_audit(nights: Sequence[SiteNight]) -> tuple[SiteNight, ...]:
    """The nights at the end that should have made an audit and didn't, the oldest first."""
    missing: list[SiteNight] = []
    for night in reversed(nights):
        if night.without is None:
            break
        if night.without is not NightKind.NOT_DUE:
            missing.append(night)
    return tuple(reversed(missing))
