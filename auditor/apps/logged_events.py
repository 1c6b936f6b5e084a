"""What users did or met, from the logs of a tenant, each once.

A consent of a person usually leaves several entries in the audit log, and a failed sign-in is often tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from auditor.apps.audit_entries import audit_time
from auditor.apps.blocked_sources import uncounted_rows, why_uncounted
from auditor.apps.consent_events import SAME_CONSENT, ConsentActivity, ConsentEvent, ConsentResult, consent_events
from auditor.apps.logged_changes import ConcernedObjects, LoggedChange, ids_of, logged_changes, removed_grants
from auditor.consent.snapshot_index import index_of
from auditor.facts.app_names import published_name
from auditor.model.blocked import BlockedSource
from auditor.model.difference import Actor, ActorKind
from auditor.model.prediction import Happened
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import ScopeNeed
from auditor.model.snapshot import Snapshot

_MISSING_CONSENT = frozenset({90093, 90094, 90095, 900941, 900981})
"""The codes of a sign-in that stopped because consent was missing. 65001 comes before every consent page, and a user
can cause 65004, so neither of them says that somebody was stopped."""
_RISKY_CODES = frozenset({900941, 900981})
_SAME_TRY = timedelta(minutes=1)
"""How far apart a refused consent and the entry of its sign-in can be."""


class LoggedEvent(NamedTuple):
    """One event of the logs. `needs` are what was asked for and not held already; none if the log doesn't say it."""

    at: datetime
    time: str
    happened: Happened
    client_id: str
    name: str
    user_id: str
    user: str
    is_admin: bool | None
    needs: tuple[ScopeNeed, ...] | None
    code: int
    is_risky: bool
    correlation_id: str


class EventLogs:
    """The events of the logs, and the changes that decide about them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.index = index_of(snapshot)
        self.consents = consent_events(snapshot)
        self.audits = _why_not_whole(snapshot, "directoryAudits")
        self._sign_ins = _why_not_whole(snapshot, "signIns")
        self.changes = logged_changes(snapshot)
        self._removed = removed_grants(snapshot)
        self._together: dict[tuple[str, Actor | None], list[ConsentEvent]] = defaultdict(list)
        for one in self.consents:
            self._together[(one.client_id, one.actor)].append(one)

    def not_read(self) -> Iterator[str]:
        """Which logs were not read whole, and why."""
        uncounted = why_uncounted(uncounted_rows(self.index))
        if audits := self.audits or uncounted.get(BlockedSource.AUDITS):
            yield f"the audit log: {audits}"
        if sign_ins := self._sign_ins or uncounted.get(BlockedSource.SIGN_INS):
            yield f"the sign-in log: {sign_ins}"

    def name(self, event: LoggedEvent) -> str:
        """What to call the app."""
        found = self.index.service_principal(event.client_id)
        own = found.own_name if isinstance(found, ServicePrincipal) else ""
        return own or event.name or published_name(event.client_id)

    def events(self) -> Iterator[LoggedEvent]:
        """What users did or met, each once: consents, refused consents, and sign-ins that lacked consent."""
        found = [self._of_consent(one) for one in self.consents if self._is_of_a_person(one) and not self._is_part(one)]
        yield from found
        yield from self._stops(found)

    def _is_of_a_person(self, one: ConsentEvent) -> bool:
        """Whether a person consented to scopes for themselves, or an administrator did."""
        if one.activity is ConsentActivity.APP_ROLE or not one.client_id or one.actor is None:
            return False
        return one.actor.kind is ActorKind.USER and one.for_user in ("", one.actor.id.lower())

    def _is_part(self, one: ConsentEvent) -> bool:
        """Whether it is the grant that another entry's consent left."""
        if one.activity is not ConsentActivity.GRANT:
            return False
        return any(page.activity is ConsentActivity.CONSENT for page in self._of_same_consent(one))

    def _of_same_consent(self, one: ConsentEvent) -> Iterator[ConsentEvent]:
        """The other entries of the consent."""
        for other in self._together[(one.client_id, one.actor)]:
            if other is not one and other.result is one.result and abs(other.at - one.at) <= SAME_CONSENT:
                yield other

    def _of_consent(self, one: ConsentEvent) -> LoggedEvent:
        given = one.result is ConsentResult.GIVEN
        actor = one.actor or Actor(kind=ActorKind.USER)
        parts = [part for part in self._of_same_consent(one) if part.activity is ConsentActivity.GRANT]
        return LoggedEvent(
            at=one.at,
            time=one.time,
            happened=Happened.CONSENTED if given else Happened.REFUSED,
            client_id=one.client_id,
            name=one.name,
            user_id=actor.id,
            user=actor.name or actor.id,
            is_admin=True if one.is_for_all else one.is_admin_consent,
            needs=self._needs(parts if parts and not one.resource else [one]),
            code=0,
            is_risky=one.result is ConsentResult.RISKY_BLOCKED,
            correlation_id=one.correlation_id,
        )

    def _needs(self, rows: Iterable[ConsentEvent]) -> tuple[ScopeNeed, ...] | None:
        """The scopes that were new with the consent; none if an entry doesn't say of which resource."""
        found: list[ScopeNeed] = []
        for row in rows:
            resource = self.index.principal_with_id(row.resource) if row.resource else None
            if row.scopes is None or resource is None or not resource.appId:
                return None
            held = {name.lower() for name in row.held_before}
            found += [ScopeNeed(resource=resource.appId.lower(), value=n) for n in row.scopes if n.lower() not in held]
        return tuple(found)

    def _stops(self, consents: Iterable[LoggedEvent]) -> Iterator[LoggedEvent]:
        """The sign-ins that lacked consent: of each user and app the last one of a day, risky ones apart.

        The sign-in of a consent that the audit log has is the same event.
        """
        seen = {one.correlation_id for one in consents} - {""}
        refused: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for one in consents:
            if one.happened is Happened.REFUSED:
                refused[(one.user_id.lower(), one.client_id)].append(one.at)
        last: dict[tuple[str, ...], LoggedEvent] = {}
        for event in self._failed_sign_ins():
            times = refused.get((event.user_id.lower(), event.client_id), ())
            if event.correlation_id in seen or any(abs(at - event.at) <= _SAME_TRY for at in times):
                continue
            who = (event.user_id or event.user).lower()
            key = (who, event.client_id, "risky" if event.is_risky else "", event.at.date().isoformat())
            last[key] = max(last.get(key, event), event, key=lambda one: one.at)
        yield from sorted(last.values(), key=lambda one: (one.at, one.user, one.client_id))

    def _failed_sign_ins(self) -> Iterator[LoggedEvent]:
        for row in self.index.snapshot.sections.signIns or ():
            code = row.status.errorCode if row.status else None
            at, client_id = audit_time(row.createdDateTime), (row.appId or "").lower()
            if code is None or code not in _MISSING_CONSENT or at is None or not client_id:
                continue
            user = row.userId or row.userPrincipalName or ""
            yield LoggedEvent(
                at=at,
                time=row.createdDateTime or "",
                happened=Happened.STOPPED,
                client_id=client_id,
                name=row.appDisplayName or "",
                user_id=user,
                user=row.userPrincipalName or row.userDisplayName or user,
                is_admin=False,
                needs=None,
                code=code,
                is_risky=code in _RISKY_CODES,
                correlation_id=(row.correlationId or "").lower(),
            )

    def reaches(self, at: datetime) -> bool:
        """Whether the audit log has an entry from before this time."""
        return self._begins is not None and self._begins <= at

    @cached_property
    def _begins(self) -> datetime | None:
        times = (audit_time(one.activityDateTime) for one in self.index.snapshot.sections.directoryAudits or ())
        return min(filter(None, times), default=None)

    def removed_since(self, event: LoggedEvent) -> LoggedChange | None:
        """A grant of the app that was removed after the event, so that no later read shows it."""
        objects = ConcernedObjects(ids_of(self.index, (event.client_id,)))
        return next((one for one in self._removed if one.at > event.at and one.concerns(objects)), None)

    def grants_for_all(self, client_id: str) -> Iterator[ConsentEvent]:
        """The grants of the app for all users that the audit log has."""
        for one in self.consents:
            if one.client_id == client_id and one.is_for_all and one.result is ConsentResult.GIVEN:
                yield one


def _why_not_whole(snapshot: Snapshot, section: str) -> str:
    """Why a log is not complete; empty if it is."""
    index = index_of(snapshot)
    if getattr(snapshot.sections, section) is None:
        return index.not_read(section).why
    return index.why_partial(section)
