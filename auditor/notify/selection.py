"""Which parts of a night a target hears of: what is new to it, what it's reminded of, and what is over.

A change is said on the night it's found. What lasts (a failing rule, users who can't connect, a run that fails, an
expiry) is also remembered for each target, so that it's said once, repeated after some days while it lasts, and its end
is said once. A target that is added later hears of what lasts only if it changes: it has nothing to be reminded of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec

from auditor.model.configuration import Event, NotifyTarget
from auditor.model.decision import Confidence, Outcome
from auditor.model.difference import Change, ChangeKind, Transition
from auditor.model.document import days_left, parse_time
from auditor.model.history import RunDecision, RunFinding, RunState, Said
from auditor.model.notification import Expiry, ExpiryKind, NightOfTenant
from auditor.model.rule import FindingOutcome
from auditor.notify.wording import SHORT_EXPIRY_DAYS, without_volatile_parts

_EARLY = timedelta(hours=12)
"""Nights don't start at the same second: a reminder after 7 days isn't one night late because of it."""
_OVER = frozenset({FindingOutcome.PASS, FindingOutcome.WAIVED, FindingOutcome.NOT_APPLICABLE})


class Selected(NamedTuple):
    """What one message says.

    `failure` is why the run failed, said now; `failing_since` when that began. `recovered_since` is when the runs began
    to fail that work again. `over` are findings and decisions that are fine again although no change says so.
    `reminders` and `decision_reminders` last since the time that comes with them.
    """

    failure: str = ""
    failing_since: str = ""
    recovered_since: str = ""
    interrupted: str = ""
    missed: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    over: tuple[str, ...] = ()
    expiries: tuple[Expiry, ...] = ()
    reminders: tuple[tuple[RunFinding, str], ...] = ()
    decision_reminders: tuple[tuple[RunDecision, str], ...] = ()
    always: bool = False

    @property
    def event(self) -> Event | None:
        """Why the message is sent, the most important reason; none if there is nothing to say."""
        if self.failure or ((self.missed or self.interrupted) and not self.changes):
            return Event.FAILURE
        if self.changes or self.over:
            return Event.CHANGE
        if self.recovered_since:
            return Event.RECOVERY
        if self.reminders or self.decision_reminders:
            return Event.CHANGE
        if self.expiries:
            return Event.EXPIRY
        return Event.ALWAYS if self.always else None


def concerns(target: NotifyTarget, night: NightOfTenant) -> bool:
    """Whether the target wants to hear of this tenant."""
    entry = night.entry
    names = {name.lower() for name in (entry.name, entry.tenant, night.run.tenant, night.run.name) if name}
    if target.tenants and not names & {name.lower() for name in target.tenants}:
        return False
    return not target.tags or bool({tag.lower() for tag in target.tags} & {tag.lower() for tag in entry.tags})


def events_of(target: NotifyTarget) -> frozenset[Event]:
    """The events that the target hears of. A digest without further events is about all of them, every night."""
    events = frozenset(target.on) - {Event.DIGEST}
    return events or frozenset(Event) - {Event.DIGEST}


def select(
    target: NotifyTarget, night: NightOfTenant, said: Sequence[Said], now: str
) -> tuple[Selected, tuple[Said, ...]]:
    """What to say to the target about the night, and what was said then: only the entries that are new or differ."""
    ledger = _Ledger(target, night.run.tenant, said, now)
    events = events_of(target)
    if night.run.state is RunState.FAILED:
        selected = _of_failed(events, night, ledger)
    else:
        selected = _of_finished(target, events, night, ledger)
    if Event.EXPIRY in events:
        selected = selected._replace(expiries=tuple(_expiries(target, night.expiries, ledger, now)))
    return selected._replace(always=Event.ALWAYS in events), ledger.changed()


class _Ledger:
    """What was said to one target about one tenant, and what is said now."""

    def __init__(self, target: NotifyTarget, tenant: str, said: Sequence[Said], now: str) -> None:
        self._target, self._tenant, self._now = target, tenant, now
        self._before = {one.key: one for one in said}
        self._after = dict(self._before)

    def open(self, prefix: str) -> tuple[Said, ...]:
        """What lasts as far as it was said, by the beginning of its key."""
        return tuple(one for key, one in self._before.items() if key.startswith(prefix) and not one.ended)

    def was_said(self, key: str) -> bool:
        """Whether it was ever said, lasting or not."""
        return key in self._before

    def is_open(self, key: str) -> bool:
        """Whether it was said and lasts."""
        return key in self._before and not self._before[key].ended

    def is_due(self, key: str) -> bool:
        """Whether it was said long enough ago to repeat it, if it lasts."""
        days, at = self._target.remind_after_days, parse_time(self._now)
        if days <= 0 or key not in self._before or at is None:
            return False
        last = parse_time(self._before[key].last)
        return last is not None and at - last >= timedelta(days=days) - _EARLY

    def say(self, key: str) -> None:
        """It's said now, for the first time or again."""
        before = self._before.get(key)
        first = before.first if before and not before.ended else self._now
        self._after[key] = Said(target=self._target.name, tenant=self._tenant, key=key, first=first, last=self._now)

    def end(self, key: str) -> None:
        """It's over, whether that is said or not."""
        entry = self._after.get(key)
        if entry is not None and not entry.ended:
            self._after[key] = msgspec.structs.replace(entry, ended=self._now)

    def say_once(self, key: str) -> bool:
        """Whether something that doesn't last wasn't said yet; it's said now."""
        if self.was_said(key):
            return False
        self.say(key)
        self.end(key)
        return True

    def changed(self) -> tuple[Said, ...]:
        """The entries that are new or differ."""
        return tuple(one for key, one in self._after.items() if self._before.get(key) != one)


def _of_failed(events: Iterable[Event], night: NightOfTenant, ledger: _Ledger) -> Selected:
    if Event.FAILURE not in events:
        return Selected()
    error = night.run.error or "The run failed"
    key = f"failure/{_digest(without_volatile_parts(error))}"
    missed, interrupted = _not_run(night, ledger)
    since = min((one.first for one in ledger.open("failure/")), default="")
    if ledger.is_open(key) and not ledger.is_due(key):
        return Selected(missed=missed, interrupted=interrupted)
    ledger.say(key)
    return Selected(failure=error, failing_since=since, missed=missed, interrupted=interrupted)


def _not_run(night: NightOfTenant, ledger: _Ledger) -> tuple[tuple[str, ...], str]:
    """The missed nights, and the start of the interrupted run before this one, that weren't said yet."""
    missed = tuple(time for time in night.missed if ledger.say_once(f"missed/{time}"))
    previous = night.previous
    if previous is None or previous.state is not RunState.INTERRUPTED:
        return missed, ""
    return missed, previous.started if ledger.say_once(f"interrupted/{previous.id}") else ""


def _of_finished(target: NotifyTarget, events: frozenset[Event], night: NightOfTenant, ledger: _Ledger) -> Selected:
    recovered = _recovery(events, night, ledger)
    missed, interrupted = _not_run(night, ledger) if Event.FAILURE in events else ((), "")
    selected = Selected(recovered_since=recovered, missed=missed, interrupted=interrupted)
    if Event.CHANGE not in events:
        return selected
    changes = tuple(_changes(target, night))
    over, reminders = _findings(night, changes, ledger)
    fine, decisions = _decisions(night, changes, ledger)
    return selected._replace(changes=changes, over=(*fine, *over), reminders=reminders, decision_reminders=decisions)


def _recovery(events: frozenset[Event], night: NightOfTenant, ledger: _Ledger) -> str:
    """When the runs began to fail that work again, if that is said to the target; empty otherwise."""
    failing = ledger.open("failure/")
    for one in failing:
        ledger.end(one.key)
    if Event.RECOVERY not in events:
        return ""
    if failing:
        return min(one.first for one in failing)
    previous = night.previous
    if Event.FAILURE in events or previous is None or previous.state is not RunState.FAILED:
        return ""
    return previous.started


def _changes(target: NotifyTarget, night: NightOfTenant) -> Iterator[Change]:
    """The changes that can matter to the target: findings only from its severity on, everything else always."""
    for change in night.difference.major if night.difference else ():
        if change.kind is not ChangeKind.FINDING or is_severe(target, change):
            yield change


def is_severe(target: NotifyTarget, change: Change) -> bool:
    """Whether the finding is at least as severe as the target wants; true if its severity isn't known."""
    return target.at_least is None or change.severity is None or change.severity.rank <= target.at_least.rank


def _findings(
    night: NightOfTenant, changes: Iterable[Change], ledger: _Ledger
) -> tuple[tuple[str, ...], tuple[tuple[RunFinding, str], ...]]:
    """The titles of findings that are fine again without a change, and the failing ones to be reminded of."""
    now = {f"finding/{one.fingerprint}": one for one in night.findings}
    changed = {change.key: change for change in changes if change.kind is ChangeKind.FINDING}
    # A finding that rests on documentation, because something wasn't read, ends nothing.
    likely = {
        f"finding/{one.fingerprint}"
        for one in (night.report.findings if night.report else ())
        if one.confidence is Confidence.LIKELY
    }
    over, reminders = [], []
    for said in ledger.open("finding/"):
        finding = now.get(said.key)
        if said.key in changed:
            continue
        if finding is None:
            ledger.end(said.key)
        elif finding.outcome in _OVER:
            if said.key not in likely:
                ledger.end(said.key)
                over.append(finding.title)
        elif finding.outcome is FindingOutcome.FAIL and ledger.is_due(said.key):
            ledger.say(said.key)
            reminders.append((finding, said.first))
    for key, change in changed.items():
        finding = now.get(key)
        fails = finding.outcome is FindingOutcome.FAIL if finding else change.transition is Transition.APPEARED
        if change.transition is Transition.BECAME_UNKNOWN:
            continue
        if fails:
            ledger.say(key)
        else:
            ledger.end(key)
    return tuple(over), tuple(reminders)


def _decisions(
    night: NightOfTenant, changes: Iterable[Change], ledger: _Ledger
) -> tuple[tuple[str, ...], tuple[tuple[RunDecision, str], ...]]:
    """The apps that users can connect again without a change, and those that they still can't, to be reminded of."""
    now = _states(night)
    changed = {change.key: change for change in changes if change.kind is ChangeKind.DECISION}
    over, reminders = [], []
    for said in ledger.open("decision/"):
        decision = now.get(said.key)
        if said.key in changed:
            continue
        if decision is None:
            ledger.end(said.key)
        elif decision.outcome.connects:
            # As for findings: what rests on documentation ends nothing.
            if decision.confidence is Confidence.CERTAIN:
                ledger.end(said.key)
                over.append(f"Users can connect {decision.app}")
        elif decision.outcome is not Outcome.DEPENDS and ledger.is_due(said.key):
            ledger.say(said.key)
            reminders.append((decision, said.first))
    for key, change in changed.items():
        decision = now.get(key)
        if change.transition is Transition.BECAME_UNKNOWN:
            continue
        if decision is None or decision.outcome.connects:
            ledger.end(key)
        elif decision.outcome is not Outcome.DEPENDS:
            ledger.say(key)
    return tuple(over), tuple(reminders)


def _states(night: NightOfTenant) -> dict[str, RunDecision]:
    """The decisions of the run by the keys of their changes, which name the pack if several describe one app."""
    states = {_key(one.client_id, one.subject): one for one in night.run.decisions}
    for one in night.report.decisions if night.report else ():
        key = _key(one.app.client_id, one.subject, one.app.variant)
        state = RunDecision(
            app=one.app.name,
            client_id=one.app.client_id,
            outcome=one.outcome,
            confidence=one.confidence,
            subject=one.subject,
        )
        states[key] = state
    return states


def _key(client_id: str, subject: str, variant: str = "") -> str:
    return f"decision/{client_id.lower()}/{subject}" + (f"/{variant}" if variant else "")


def is_about(change: Change, client_id: str, subject: str, variant: str = "") -> bool:
    """Whether the change is that of this decision."""
    return change.key.lower() == _key(client_id, subject, variant).lower()


def _expiries(target: NotifyTarget, expiries: Iterable[Expiry], ledger: _Ledger, now: str) -> Iterator[Expiry]:
    """What ends soon and wasn't said yet, or is due again. What ended since it was said is said once more.

    What isn't there tonight may not have been read: when it's there again, it was said already.
    """
    current = set()
    for expiry in expiries:
        days = days_left(expiry.ends, parse_time(now))
        short_lived = expiry.kind in (ExpiryKind.CONSENT_REQUEST, ExpiryKind.RETENTION)
        limit = min(target.expiry_days, SHORT_EXPIRY_DAYS) if short_lived else target.expiry_days
        if days is None or days > limit:
            continue
        key = f"expiry/{expiry.kind}/{expiry.key or expiry.what}"
        if expiry.kind is not ExpiryKind.RETENTION:
            # The day is kept of a request, as it was when only the day of its end was known.
            ends = expiry.ends[:10] if expiry.kind is ExpiryKind.CONSENT_REQUEST else expiry.ends
            key += f"/{ends}{'/ended' if days < 0 else ''}"
        current.add(key)
        repeats = expiry.kind is not ExpiryKind.RETENTION and ledger.is_due(key)
        if not ledger.was_said(key) or repeats:
            ledger.say(key)
            yield expiry
    for said in ledger.open("expiry/"):
        if said.key not in current:
            ledger.end(said.key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
