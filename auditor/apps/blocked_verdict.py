"""What would happen now to users who were stopped, what changed since, and one sentence about all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from auditor.apps.asked_scopes import AskedScopes
from auditor.apps.connect_answers import connect_answer
from auditor.apps.consent_events import ConsentEvent, ConsentResult
from auditor.apps.logged_changes import ConcernedObjects, LoggedChange, ids_of
from auditor.consent.decision_facts import gather
from auditor.consent.snapshot_index import SnapshotIndex
from auditor.consent.subject import ORDINARY_MEMBER, Subject, subject_for
from auditor.fixes import fixes_for
from auditor.model.blocked import RequestStatus, StoppedPerson, UserRequest, VerdictNow
from auditor.model.decision import Fix, Outcome
from auditor.model.document import count, parse_time, series, time_left
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from auditor.model.survey import ConnectAnswer

_NO_SCOPES = "no grant, request or pack says what the app asks for"


class AppVerdict(NamedTuple):
    """The verdict on one app, with what it is based on; `unclear` says in short why it isn't known."""

    app: App
    asked: AskedScopes
    now: VerdictNow
    fixes: tuple[Fix, ...]
    not_known: Mapping[str, str]
    unclear: str

    def sentence(self, people: Sequence[StoppedPerson], requests: Iterable[UserRequest], taken: str) -> str:
        """Who was stopped when, who waits, and what would happen now."""
        rows = tuple(requests)
        parts = [*_stopped(people, taken), *_waiting(rows)]
        who = "; ".join(parts) or "Users asked for approval; who they are, and whether they wait, wasn't read"
        return f"{who}. {self._outcome()}"

    def _outcome(self) -> str:
        if self.now.would_connect is None:
            return f"Whether users would connect now isn't known: {self.unclear.rstrip('.')}."
        if self.now.would_connect:
            how = "without being asked" if self.now.outcome is Outcome.CONNECTS_SILENTLY else "after their own consent"
            return f"Would connect now, {how}{f': {self.now.since}' if self.now.since else ''}."
        return f"Would be stopped now: {(self.now.stopped_by or self.now.because).rstrip('.')}."


def verdict_now(
    index: SnapshotIndex,
    asked: AskedScopes,
    subject: Subject,
    people: Sequence[StoppedPerson],
    consents: Sequence[ConsentEvent],
    changes: Sequence[LoggedChange],
    *,
    audits: str,
    with_fixes: bool,
) -> AppVerdict:
    """What would happen to `subject` now, and what changed since the `people` were stopped.

    If that depends on the user, and all of the people get the same answer, it is theirs. `consents` are those to the
    app, `changes` all that the audit log has, and `audits` says why the log isn't whole; empty if it is.
    """
    app = asked.app
    subject, answer, others = _answer(index, app, subject, people)
    not_known: dict[str, str] = {}
    would: bool | None = answer.outcome.connects
    unclear = asked.why or ("" if app.scopes or asked.pack else _NO_SCOPES)
    if unclear and (would or not app.scopes) and answer.outcome is not Outcome.BLOCKED:
        # It may ask for more than is known, which can stop users, and not let them in.
        would, not_known["would_connect"] = None, unclear
    elif answer.outcome is Outcome.DEPENDS:
        would, not_known["would_connect"] = None, series(list(answer.depends_on)) or answer.because
        unclear = _first(answer.depends_on) or answer.because
    since = ""
    if would:
        last = max((one.last for one in people), default="")
        since = _since(index, app.client_id, consents, changes, last)
        if not since and audits:
            not_known["since"] = audits
    now = VerdictNow(
        subject=subject.label,
        would_connect=would,
        outcome=answer.outcome,
        confidence=answer.confidence,
        reason=answer.reason,
        because=answer.because,
        code=answer.code,
        stopped_by=answer.stopped_by,
        since=since,
    )
    may_fix = with_fixes and not would and (app.scopes or answer.outcome is Outcome.BLOCKED)
    fixes = _fixes(index.snapshot, app, (subject, *others)) if may_fix else ()
    return AppVerdict(app, asked, now, fixes, not_known, unclear)


def _first(facts: Sequence[str]) -> str:
    """The first facts on which an answer depends, and how many more there are."""
    more = len(facts) - 2
    return series([*facts[:2], f"{count(more, 'more fact')}"] if more > 1 else list(facts))


def _fixes(snapshot: Snapshot, app: App, subjects: Sequence[Subject]) -> tuple[Fix, ...]:
    """The fixes that let every one of the subjects connect: one that is for a single user doesn't help the others."""
    found = fixes_for(snapshot, app, subjects[0])
    for one in subjects[1:]:
        titles = {fix.title for fix in fixes_for(snapshot, app, one)} if found else ()
        found = tuple(fix for fix in found if fix.title in titles)
    return found


MOST_PEOPLE = 20
"""Of how many people an own answer is looked for."""


def _answer(
    index: SnapshotIndex, app: App, subject: Subject, people: Sequence[StoppedPerson]
) -> tuple[Subject, ConnectAnswer, Sequence[Subject]]:
    """The decision for the subject, or that for all who were stopped, if it depends on who they are; and the others."""
    answer = connect_answer(gather(index, app, subject))
    if answer.outcome is not Outcome.DEPENDS or subject is not ORDINARY_MEMBER or not 0 < len(people) <= MOST_PEOPLE:
        return subject, answer, ()
    found = [subject_for(index, one.id or one.name) for one in people]
    subjects = [one for one in found if isinstance(one, Subject)]
    answers = [connect_answer(gather(index, app, one)) for one in subjects]
    outcomes = {one.outcome for one in answers}
    if len(subjects) < len(people) or len(outcomes) != 1 or Outcome.DEPENDS in outcomes:
        return subject, answer, ()
    label = subjects[0].label if len(people) == 1 else f"each of the {len(people)} users who were stopped"
    return msgspec.structs.replace(subjects[0], label=label), answers[0], subjects[1:]


def _since(
    index: SnapshotIndex,
    client_id: str,
    consents: Sequence[ConsentEvent],
    changes: Sequence[LoggedChange],
    last: str,
) -> str:
    """A clause on the change after the last stop that explains why users connect now; empty if no entry shows one."""
    after = parse_time(last)
    if after is None:
        return ""
    for event in reversed(consents):
        if event.result is ConsentResult.GIVEN and event.is_for_all and event.at > after:
            actor = (event.actor.name or event.actor.id) if event.actor else ""
            return f"granted for all users on {_day(event.at, index.snapshot.taken)}{_by(actor)}"
    app = ConcernedObjects(ids_of(index, (client_id,)))
    for change in reversed(changes):
        if change.at > after and change.concerns(app):
            what = "the app changed" if change.is_about_one_app else change.what
            return f"{what} on {_day(change.at, index.snapshot.taken)}{_by(change.by)}"
    return ""


def _by(name: str) -> str:
    return f" by {name}" if name else ""


def _stopped(people: Sequence[StoppedPerson], taken: str) -> Iterator[str]:
    stopped = [one for one in people if one.stopped]
    if stopped:
        codes = series(list(dict.fromkeys(code for one in stopped for code in one.codes[:1])))
        when = _period(min(one.first for one in stopped), max(one.last for one in stopped), taken)
        verb = "was" if len(stopped) == 1 else "were"
        yield " ".join(filter(None, (count(len(stopped), "user"), verb, "stopped", when, codes and f"({codes})")))
    unclear = [one for one in people if one.stopped is None]
    if unclear:
        when = _period(min(one.first for one in unclear), max(one.last for one in unclear), taken)
        yield f"{count(len(unclear), 'user')} left the consent page or didn't finish {when}".strip()


def _waiting(requests: Sequence[UserRequest]) -> Iterator[str]:
    waiting = [one for one in requests if one.status is RequestStatus.PENDING]
    if waiting:
        who = len({one.user_id or one.user for one in waiting})
        yield count(who, "user waits for approval", "users wait for approval")
    days = [one.days_left for one in waiting if one.soon and one.days_left is not None]
    if days:
        left = min(days)
        when = "has expired" if left < 0 else f"expires {time_left(left)}"
        yield f"{'a request' if len(days) == 1 else f'the first of {len(days)} requests'} {when}"
    for status, text in ((RequestStatus.DENIED, "was denied"), (RequestStatus.EXPIRED, "expired without a decision")):
        if number := sum(one.status is status for one in requests):
            plural = text.replace("was", "were") if number > 1 else text
            yield f"{count(number, 'request')} {plural}"


def _period(first: str, last: str, taken: str) -> str:
    """``on Tuesday, 17 November``, or ``from … to …``; empty without a time."""
    start, end = parse_time(first), parse_time(last)
    if start is None or end is None:
        return ""
    if start.date() == end.date():
        return f"on {_day(start, taken)}"
    return f"from {_day(start, taken)} to {_day(end, taken)}"


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _day(at: datetime, taken: str) -> str:
    """``Tuesday, 17 November``, with the year if the snapshot is of another one."""
    now = parse_time(taken)
    year = "" if now and now.year == at.year else f" {at.year}"
    return f"{_WEEKDAYS[at.weekday()]}, {at.day} {_MONTHS[at.month - 1]}{year}"
