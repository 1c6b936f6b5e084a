"""Prediction against reality: what the engine decides for the users of the logs, compared with what happened to them.

The consent that is predicted must not be in the input. So the engine decides for that user and their roles without the
user's own grant to the app, and without a grant for all users that the audit log dates after the event. It decides with
the policies of that time: see `past_states`. If nothing shows them, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from auditor.apps.asked_scopes import Description, ScopeSources
from auditor.apps.connect_answers import connect_answer
from auditor.apps.logged_events import EventLogs, LoggedEvent
from auditor.apps.past_states import TenantReads
from auditor.apps.stopped_people import People
from auditor.apps.survey_filters import matches_name
from auditor.consent.decision_facts import gather
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.consent.subject import Subject, subject_for
from auditor.facts.ids import POLICY_RECOMMENDED, is_guid
from auditor.model.blocked import BlockedFilter
from auditor.model.decision import AppRef, Outcome, Reason
from auditor.model.document import count, parse_time
from auditor.model.prediction import ComparedApp, Comparison, Happened, PredictedEvent, PredictionComparison
from auditor.model.rule import App, RequestMode
from auditor.model.snapshot import Snapshot
from auditor.model.survey import ConnectAnswer

_BUNDLE = "a fault of this program: send its maintainers a redacted bundle (consent-auditor bundle)"
_IN_FORCE = timedelta(days=1)
"""How soon after a change of policies an old one may still have decided; Microsoft names no time."""
_EVERYTHING = BlockedFilter()
_NO_PACKS: Mapping[str, Description] = MappingProxyType({})


def compare_with_logs(
    snapshot: Snapshot,
    earlier: Sequence[Snapshot] = (),
    described: Mapping[str, Description] = _NO_PACKS,
    asked: BlockedFilter = _EVERYTHING,
) -> PredictionComparison:
    """What the engine decides for each event of the snapshot's logs, compared with what happened.

    `earlier` are other reads of the same tenant, in any order, whose policies are used for the events near them.
    `described` is what packs say about apps, by client id in lower case. Only the events that `asked` names are
    compared. The same inputs give the same result.
    """
    logs = EventLogs(snapshot)
    engine = _Engine(TenantReads(snapshot, earlier, logs), logs, ScopeSources(logs.index, described))
    is_asked = _Asked(logs, asked)
    by_app: dict[str, list[PredictedEvent]] = {}
    names: dict[str, str] = {}
    left_out = 0
    for event in filter(is_asked.names, logs.events()):
        found = engine.compared(event)
        if found is None:
            left_out += 1
            continue
        by_app.setdefault(event.client_id, []).append(found)
        names.setdefault(event.client_id, logs.name(event) or event.client_id)
    apps = tuple(sorted((_app(names[key], key, rows) for key, rows in by_app.items()), key=_order))
    return _summed(apps, left_out, snapshot.taken, tuple(sorted(one.taken for one in earlier)), tuple(logs.not_read()))


class Concerned(NamedTuple):
    """Whom and what the events of a tenant's logs concern: client ids, and the object ids of users."""

    clients: tuple[str, ...]
    users: tuple[str, ...]


def concerned(snapshot: Snapshot) -> Concerned:
    """The apps and users of the events to compare, the latest first, to read what decides about them."""
    logs = EventLogs(snapshot)
    events = sorted(logs.events(), key=lambda one: one.at, reverse=True)
    people = (one.user_id for one in events if one.happened is not Happened.CONSENTED or not one.is_admin)
    return Concerned(
        tuple(dict.fromkeys(one.client_id for one in events)), tuple(dict.fromkeys(filter(is_guid, people)))
    )


class _Asked:
    """Which events were asked for."""

    def __init__(self, logs: EventLogs, asked: BlockedFilter) -> None:
        self._logs, self._asked = logs, asked
        self._wanted = People(logs.index).matching(asked.user) if asked.user else None
        self._since = parse_time(asked.since) if asked.since else None

    def names(self, event: LoggedEvent) -> bool:
        asked = self._asked
        if self._wanted is not None and self._wanted.isdisjoint({event.user_id.lower(), event.user.lower()}):
            return False
        if asked.correlation_id and asked.correlation_id.lower() != event.correlation_id:
            return False
        if asked.app and not matches_name(asked.app, self._logs.name(event), event.client_id):
            return False
        return self._since is None or event.at >= self._since


def _app(name: str, client_id: str, events: list[PredictedEvent]) -> ComparedApp:
    results = [one.result for one in events]
    return ComparedApp(
        app=AppRef(name=name, client_id=client_id),
        agrees=results.count(Comparison.AGREES),
        disagrees=results.count(Comparison.DISAGREES),
        cannot_tell=results.count(Comparison.CANNOT_TELL),
        events=tuple(sorted(events, key=lambda one: (one.at, one.user), reverse=True)),
    )


def _order(app: ComparedApp) -> tuple[bool, int, str, str]:
    return not app.disagrees, -app.agrees - app.disagrees, app.app.name.lower(), app.app.client_id


def _summed(
    apps: tuple[ComparedApp, ...], left_out: int, taken: str, earlier: tuple[str, ...], not_read: tuple[str, ...]
) -> PredictionComparison:
    agrees, disagrees = sum(one.agrees for one in apps), sum(one.disagrees for one in apps)
    events = [event for app in apps for event in app.events]
    unclear = len(events) - agrees - disagrees
    times = sorted(event.at for event in events)
    is_known = not not_read or agrees + disagrees > 0
    return PredictionComparison(
        sentence=_sentence(events, taken, is_read=not not_read),
        agrees=agrees if is_known else None,
        disagrees=disagrees if is_known else None,
        cannot_tell=unclear if is_known or unclear else None,
        left_out=left_out if is_known or left_out else None,
        apps=apps,
        first=times[0] if times else "",
        last=times[-1] if times else "",
        earlier_reads=earlier,
        not_read=not_read,
    )


def _sentence(events: Sequence[PredictedEvent], taken: str, *, is_read: bool) -> str:
    decided = [one for one in events if one.result is not Comparison.CANNOT_TELL]
    if not events:
        return "The logs have nothing to compare." if is_read else "Nothing was compared: the logs were not read whole."
    if not decided:
        return f"Nothing can be said about {count(len(events), *_nouns(events))}."
    agrees = sum(one.result is Comparison.AGREES for one in decided)
    unclear = len(events) - len(decided)
    more = f" Nothing can be said about {unclear} more." if unclear else ""
    what = _nouns(decided)[len(decided) > 1]
    return f"{agrees} of {len(decided)} {what}{_period(events, taken)} came out as predicted.{more}"


def _nouns(events: Sequence[PredictedEvent]) -> tuple[str, str]:
    """What the events are, one and many."""
    stopped = sum(one.happened is Happened.STOPPED for one in events)
    if stopped == len(events):
        return "failed sign-in", "failed sign-ins"
    return ("consent or failed sign-in", "consents and failed sign-ins") if stopped else ("consent", "consents")


def _period(events: Sequence[PredictedEvent], taken: str) -> str:
    """`` of the last 30 days``, from the first event to the read."""
    times = [at for one in events if (at := parse_time(one.at)) is not None]
    end = parse_time(taken)
    if end is None or not times or min(times) > end:
        return ""
    days = -(-(end - min(times)) // timedelta(days=1))
    return f" of the last {days} days" if days > 1 else " of the last day"


class _Engine:
    """The decisions for events."""

    def __init__(self, reads: TenantReads, logs: EventLogs, scopes: ScopeSources) -> None:
        self._reads, self._logs, self._scopes = reads, logs, scopes

    def compared(self, event: LoggedEvent) -> PredictedEvent | None:
        """The event and the decision for its user; none if an administrator consented."""
        is_consent = event.happened is not Happened.STOPPED
        subject = subject_for(self._logs.index, event.user_id or event.user)
        is_admin = isinstance(subject, Subject) and any(role.admin_role for role in subject.roles)
        if is_consent and (event.is_admin or is_admin):
            return None
        app = self._scopes.asked(event.client_id, self._logs.name(event)).app
        if event.needs:
            # The log says what was asked for, whichever way the app asks.
            app = msgspec.structs.replace(app, scopes=event.needs, mode=RequestMode.DYNAMIC)
        made = PredictedEvent(
            at=event.time,
            happened=event.happened,
            result=Comparison.CANNOT_TELL,
            user=event.user,
            user_id=event.user_id,
            code=f"AADSTS{event.code}" if event.code else "",
            scopes=tuple(need.value for need in app.scopes),
            scopes_from_log=bool(event.needs),
            correlation_id=event.correlation_id,
        )
        why = _why_not(event, app, subject, is_admin=is_admin)
        if why or isinstance(subject, NotRead):
            return msgspec.structs.replace(made, because=why)
        return self._judged(made, event, app, subject)

    def _judged(self, made: PredictedEvent, event: LoggedEvent, app: App, subject: Subject) -> PredictedEvent:
        """The event with the result, if every state that the tenant may have been in comes to the same."""
        past = self._reads.at(event, app, (subject.user_id or "").lower())
        answers = [connect_answer(gather(index_of(state), app, subject)) for state in past.states]
        if not answers:
            return msgspec.structs.replace(made, because=past.why)
        answer = answers[0]
        made = msgspec.structs.replace(made, policies_of=past.policies_of)
        if unclear := next((one for one in answers if one.outcome is Outcome.DEPENDS), None):
            needs = unclear.depends_on
            because = f"the decision depends on {needs[0]}" if needs else unclear.because
            return msgspec.structs.replace(made, because=because)
        if len({one.outcome.connects for one in answers}) > 1:
            because = past.why or "a grant that the app or the user has now may have been there already"
            return msgspec.structs.replace(made, because=because)
        agrees = answer.outcome.connects == (event.happened is Happened.CONSENTED)
        removed = None if agrees or event.needs else self._logs.removed_since(event)
        if removed:
            return msgspec.structs.replace(made, because=f"{removed.clause}, after this")
        return msgspec.structs.replace(
            made,
            result=Comparison.AGREES if agrees else Comparison.DISAGREES,
            predicted=answer.outcome,
            because=answer.because,
            reasons=() if agrees else tuple(self._likely(event, made, answer, past.states[0])),
        )

    def _likely(
        self, event: LoggedEvent, made: PredictedEvent, answer: ConnectAnswer, state: Snapshot
    ) -> Iterator[str]:
        """The likely reasons of a disagreement, in order."""
        stopped = event.happened is not Happened.CONSENTED
        if event.is_risky and answer.reason is not Reason.RISK_STEP_UP:
            yield "step-up: Microsoft considered the request risky, which depends on signals that no read shows"
        yield from self._policy_reasons(event, state)
        yield "another account type: the user may have been a guest then, or have had another role"
        if not made.scopes_from_log:
            yield "the app asked for other scopes than this program knows"
        if stopped:
            yield "Conditional Access stopped the sign-in at the same time"
        if stopped and not event.is_risky:
            yield "step-up: the request looked risky to Microsoft"
        yield _BUNDLE

    def _policy_reasons(self, event: LoggedEvent, state: Snapshot) -> Iterator[str]:
        """Why another policy may have decided."""
        start: datetime = event.at - _IN_FORCE
        for change in reversed(self._logs.changes):
            if start < change.at <= event.at and not change.is_about_one_app:
                yield f"the policy changed: {change.clause}, and may not have been in force yet"
                break
        assigned = index_of(state).assigned_policies()
        if self._logs.audits:
            yield "the policy changed in between: the audit log, which would show it, was not read whole"
        elif not isinstance(assigned, NotRead) and any(POLICY_RECOMMENDED in one.lower() for one in assigned):
            yield "the policy changed since: Microsoft changes the policy that it manages without an entry in the log"


def _why_not(event: LoggedEvent, app: App, subject: Subject | NotRead, *, is_admin: bool) -> str:
    """Why nothing can be decided about the event; empty if something can."""
    if isinstance(subject, NotRead):
        return f"who the user is was not read ({subject.why})"
    if is_admin:
        return "the user is an administrator now, and may not have been one then"
    if event.happened is not Happened.STOPPED and event.is_admin is None and subject.unread_roles:
        return "the log doesn't say whether an administrator consented, and the user's roles were not read"
    if event.needs is not None and not event.needs:
        return "the consent added nothing to what the user had approved"
    if not app.scopes and not app.mode.is_static:
        return "nothing says what the app asked for"
    return ""
