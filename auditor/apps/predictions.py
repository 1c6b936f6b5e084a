"""Prediction against reality: what the engine decides for the users of the logs, compared with what happened to them.

The consent that is predicted must not be in the input. So the engine decides for that user and their roles without the
user's own grant to the app, and without a grant for all users that the audit log dates after the event. It decides with
the policies of that time: those of the read if the audit log has no change between, else those of an earlier snapshot.
Where neither shows them, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec

from auditor.apps.asked_scopes import Description, ScopeSources
from auditor.apps.connect_answers import connect_answer
from auditor.apps.consent_events import ConsentResult
from auditor.apps.logged_events import SAME_CONSENT, EventLogs, LoggedChange, LoggedEvent
from auditor.consent import Truth
from auditor.consent.decision_facts import gather
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.consent.subject import Subject, subject_for
from auditor.model.decision import AppRef, Outcome, Reason
from auditor.model.document import count, parse_time
from auditor.model.prediction import ComparedApp, Comparison, Happened, PredictedEvent, PredictionComparison
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from auditor.model.survey import ConnectAnswer

_NO_LOG = "the audit log was not read, so a change of the consent settings since then would not show"
_BUNDLE = "a fault of this program: send its maintainers a redacted bundle (consent-auditor bundle)"
_NO_PACKS: Mapping[str, Description] = MappingProxyType({})


def compare_with_logs(
    snapshot: Snapshot, earlier: Sequence[Snapshot] = (), described: Mapping[str, Description] = _NO_PACKS
) -> PredictionComparison:
    """What the engine decides for each event of the snapshot's logs, compared with what happened.

    `earlier` are other reads of the same tenant, in any order, whose policies are used for the events near them.
    `described` is what packs say about apps, by client id in lower case. The same inputs give the same result.
    """
    logs = EventLogs(snapshot)
    states = _States(snapshot, earlier, logs)
    by_app: dict[str, list[PredictedEvent]] = {}
    names: dict[str, str] = {}
    left_out = 0
    scopes = ScopeSources(logs.index, described)
    for event in logs.events():
        asked = scopes.asked(event.client_id, logs.name(event))
        found = _compared(event, asked.app, states)
        if found is None:
            left_out += 1
            continue
        by_app.setdefault(event.client_id, []).append(found)
        names[event.client_id] = asked.app.label
    apps = tuple(sorted((_app(names[key], key, rows) for key, rows in by_app.items()), key=_order))
    return _summed(apps, left_out, tuple(logs.not_read()))


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


def _summed(apps: tuple[ComparedApp, ...], left_out: int, not_read: tuple[str, ...]) -> PredictionComparison:
    agrees, disagrees = sum(one.agrees for one in apps), sum(one.disagrees for one in apps)
    unclear = sum(one.cannot_tell for one in apps)
    times = sorted(event.at for one in apps for event in one.events)
    return PredictionComparison(
        sentence=_sentence(agrees, agrees + disagrees, unclear, is_read=not not_read),
        agrees=agrees,
        disagrees=disagrees,
        cannot_tell=unclear,
        left_out=left_out,
        apps=apps,
        first=times[0] if times else "",
        last=times[-1] if times else "",
        not_read=not_read,
    )


def _sentence(agrees: int, told: int, unclear: int, *, is_read: bool) -> str:
    if not told and not unclear:
        return (
            "The logs have nothing to compare." if is_read else "Nothing was compared, because no log was read whole."
        )
    more = f" Of {unclear} more, nothing can be said." if unclear else ""
    if not told:
        return (
            f"Nothing can be said about {count(unclear, 'consent or failed sign-in', 'consents and failed sign-ins')}."
        )
    what = "consents and failed sign-ins" if told > 1 else "consent or failed sign-in"
    return f"{agrees} of {told} {what} came out as predicted.{more}"


class _States:
    """The reads of a tenant, and which of them shows the policies of a time."""

    def __init__(self, latest: Snapshot, earlier: Sequence[Snapshot], logs: EventLogs) -> None:
        self.logs = logs
        reads = [(at, one) for one in (latest, *earlier) if (at := parse_time(one.taken)) is not None]
        self._reads = sorted(reads, key=lambda one: one[0])
        self._latest = latest

    def candidates(self, event: LoggedEvent) -> tuple[list[Snapshot], str]:
        """The reads that show the policies of the event's time, and why they may not; empty if one surely does.

        With a reason, two reads are given, before and after the event: if both decide the same, so did that time.
        """
        after = next((one for at, one in self._reads if at >= event.at), None)
        before = next((one for at, one in reversed(self._reads) if at < event.at), None)
        why = _NO_LOG if self.logs.audits else ""
        if after is not None:
            change = self._change_between(event, event.at, parse_time(after.taken))
            if not why and change is None:
                return [after], ""
            why = why or f"{change.clause}, after this" if change else why
        if before is not None and not self.logs.audits:
            change = self._change_between(event, parse_time(before.taken), event.at)
            if change is None:
                return [before], ""
        if before is not None and after is not None:
            return [before, after], why
        return [], why or "the time of the read is not known"

    def _change_between(self, event: LoggedEvent, start: datetime | None, end: datetime | None) -> LoggedChange | None:
        """The first change between two times that can decide about the event's app."""
        if start is None or end is None:
            return None
        found = self.logs.index.service_principal(event.client_id)
        ids = {event.client_id, (found.id or "").lower() if isinstance(found, ServicePrincipal) else ""} - {""}
        for change in sorted(self.logs.changes, key=lambda one: one.at):
            if start < change.at <= end and (change.kind != "app" or change.names & ids):
                return change
        return None

    def without_what_came_after(self, snapshot: Snapshot, event: LoggedEvent, user_id: str) -> list[Snapshot]:
        """The read without the user's own grant to the app, and, if somebody granted it later, without that grant.

        Two snapshots, if an older grant for all users may have been there already: both must decide the same.
        """
        found = index_of(snapshot).service_principal(event.client_id)
        object_id = (found.id or "").lower() if isinstance(found, ServicePrincipal) else ""
        rows = snapshot.sections.oauth2PermissionGrants
        if rows is None or not object_id:
            return [snapshot]
        mine = [row for row in rows if row.clientId.lower() == object_id and (row.principalId or "").lower() == user_id]
        for_all = [row for row in rows if row.clientId.lower() == object_id and not row.principalId]
        kept = tuple(row for row in rows if row not in mine)
        made = [_with_grants(snapshot, kept)]
        if for_all and self.logs.granted_later(event):
            made.append(_with_grants(snapshot, tuple(row for row in kept if row not in for_all)))
            if not self._held_before(event):
                return made[1:]
        return made

    def _held_before(self, event: LoggedEvent) -> bool:
        """Whether the app may have had a grant for all users before the later one."""
        later = [
            one
            for one in self.logs.consents
            if one.client_id == event.client_id and one.is_for_all and one.result is ConsentResult.GIVEN
        ]
        return any(one.held_before or one.scopes is None or one.at < event.at - SAME_CONSENT for one in later)


def _with_grants(snapshot: Snapshot, rows: tuple[OAuth2PermissionGrant, ...]) -> Snapshot:
    sections = msgspec.structs.replace(snapshot.sections, oauth2PermissionGrants=rows)
    return msgspec.structs.replace(snapshot, sections=sections)


def _compared(event: LoggedEvent, asked: App, states: _States) -> PredictedEvent | None:
    """The event and the decision for its user; none if an administrator consented."""
    index = states.logs.index
    if event.is_admin and event.happened is Happened.CONSENTED:
        return None
    subject = subject_for(index, event.user_id or event.user)
    if isinstance(subject, Subject) and event.happened is Happened.CONSENTED and _is_admin(subject):
        return None
    app = msgspec.structs.replace(asked, scopes=event.needs) if event.needs else asked
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
    why = _why_not(event, app, subject)
    if why or isinstance(subject, NotRead):
        return msgspec.structs.replace(made, because=why)
    reads, unclear = states.candidates(event)
    answers = [
        (read, connect_answer(gather(index_of(state), app, subject)))
        for read in reads
        for state in states.without_what_came_after(read, event, (subject.user_id or "").lower())
    ]
    return _judged(made, event, subject, answers, unclear)


def _is_admin(subject: Subject) -> bool:
    return any(role.admin_role for role in subject.roles)


def _why_not(event: LoggedEvent, app: App, subject: Subject | NotRead) -> str:
    """Why nothing can be decided about the event; empty if something can."""
    if isinstance(subject, NotRead):
        return f"who the user is was not read ({subject.why})"
    if event.happened is Happened.CONSENTED and event.is_admin is None and subject.unread_roles:
        return "the log doesn't say whether an administrator consented, and the user's roles were not read"
    if not app.scopes and not app.mode.is_static:
        return "nothing says what the app asked for"
    return ""


def _judged(
    made: PredictedEvent,
    event: LoggedEvent,
    subject: Subject,
    answers: list[tuple[Snapshot, ConnectAnswer]],
    unclear: str,
) -> PredictedEvent:
    """The event with the result, if all answers come to the same."""
    if not answers:
        return msgspec.structs.replace(made, because=unclear)
    read, answer = answers[-1]
    made = msgspec.structs.replace(made, policies_of=read.taken)
    if any(one.outcome is Outcome.DEPENDS for _, one in answers):
        needs = next(one.depends_on for _, one in answers if one.outcome is Outcome.DEPENDS)
        return msgspec.structs.replace(made, because=f"the decision depends on {needs[0]}" if needs else answer.because)
    if len({one.outcome.connects for _, one in answers}) > 1:
        because = unclear or "an older grant for all users may have been there already"
        return msgspec.structs.replace(made, because=because)
    connects = answer.outcome.connects
    agrees = connects == (event.happened is Happened.CONSENTED)
    return msgspec.structs.replace(
        made,
        result=Comparison.AGREES if agrees else Comparison.DISAGREES,
        predicted=answer.outcome,
        because=answer.because,
        reasons=() if agrees else tuple(_likely(event, made, subject, answer)),
    )


def _likely(event: LoggedEvent, made: PredictedEvent, subject: Subject, answer: ConnectAnswer) -> Iterator[str]:
    """The likely reasons of a disagreement, in order."""
    stopped = event.happened is not Happened.CONSENTED
    if event.is_risky and answer.reason is not Reason.RISK_STEP_UP:
        yield "step-up: Microsoft considered the request risky, which depends on signals that no read shows"
    yield "the policy changed since: Microsoft changes the policies that it manages without an entry in the audit log"
    if subject.guest is not Truth.FALSE:
        yield "another account type: the user is a guest, or was one then"
    else:
        yield "another account: a role of the user may have been added or removed since"
    if not made.scopes_from_log:
        yield "the app asked for other scopes than this program knows"
    if stopped:
        yield "Conditional Access stopped the sign-in at the same time"
    if stopped and not event.is_risky:
        yield "step-up: the request looked risky to Microsoft"
    yield _BUNDLE
