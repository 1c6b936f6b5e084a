"""What users did or met, from the logs of a tenant, each once, and the changes that can decide about it.

A consent of a person usually leaves several entries in the audit log, and a failed sign-in is often tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from auditor.apps.audit_entries import activity_of, actor_of, audit_time, names_in, succeeded, targets_of
from auditor.apps.consent_events import ConsentActivity, ConsentEvent, ConsentResult, consent_events
from auditor.consent.snapshot_index import index_of
from auditor.facts.app_names import app_name
from auditor.facts.audit_activities import activities_by_kind
from auditor.model.difference import Actor, ActorKind
from auditor.model.prediction import Happened
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import ScopeNeed
from auditor.model.snapshot import Snapshot

_MISSING_CONSENT = frozenset({90093, 90094, 90095, 900941, 900981})
"""The codes of a sign-in that stopped because consent was missing. 65001 comes before every consent page, and a user
can cause 65004, so neither of them says that somebody was stopped."""
_RISKY_CODES = frozenset({900941, 900981})
SAME_CONSENT = timedelta(seconds=10)
"""How far apart the entries of one consent can be."""
_WHAT_CHANGED = {"setting": "the consent settings", "policy": "a consent policy", "app": "the app"}
_OF_APP = frozenset({"accountenabled", "approleassignmentrequired", "verifiedpublisher", "disabledbymicrosoftstatus"})
"""The properties of a service principal that decide, in lower case. An entry without properties may be about them."""


class LoggedEvent(NamedTuple):
    """One event of the logs. `needs` are what was asked for; empty if the log doesn't say it."""

    at: datetime
    time: str
    happened: Happened
    client_id: str
    name: str
    user_id: str
    user: str
    is_admin: bool | None
    needs: tuple[ScopeNeed, ...]
    code: int
    is_risky: bool
    correlation_id: str


class LoggedChange(NamedTuple):
    """A change that the audit log records, with every word by which the entry names an object."""

    at: datetime
    time: str
    kind: str
    by: str
    names: frozenset[str]

    @property
    def clause(self) -> str:
        """What changed, when and by whom."""
        return f"{_WHAT_CHANGED[self.kind]} changed on {self.time[:10]}{f' by {self.by}' if self.by else ''}"


class EventLogs:
    """The events of the logs, and the changes that decide about them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.index = index_of(snapshot)
        self.consents = consent_events(snapshot)
        self.audits = _why_not_whole(snapshot, "directoryAudits")
        self._sign_ins = _why_not_whole(snapshot, "signIns")
        self.changes = tuple(self._changes())

    def not_read(self) -> Iterator[str]:
        """Which logs were not read whole, and why."""
        if self.audits:
            yield f"the audit log: {self.audits}"
        if self._sign_ins:
            yield f"the sign-in log: {self._sign_ins}"

    def name(self, event: LoggedEvent) -> str:
        """What to call the app."""
        found = self.index.service_principal(event.client_id)
        shown = (found.displayName or "") if isinstance(found, ServicePrincipal) else ""
        known = app_name(event.client_id)
        return shown or event.name or (known.name if known else "")

    def events(self) -> Iterator[LoggedEvent]:
        """What users did or met, each once: consents, refused consents, and sign-ins that lacked consent."""
        seen: set[str] = set()
        for one in self.consents:
            if self._is_of_a_person(one) and not self._is_part(one):
                seen.add(one.correlation_id)
                yield self._of_consent(one)
        yield from self._stops(seen - {""})

    def _is_of_a_person(self, one: ConsentEvent) -> bool:
        """Whether a person consented to scopes for themselves, or an administrator did."""
        if one.activity is ConsentActivity.APP_ROLE or not one.client_id or one.actor is None:
            return False
        return one.actor.kind is ActorKind.USER and one.for_user in ("", one.actor.id.lower())

    def _is_part(self, one: ConsentEvent) -> bool:
        """Whether it is the grant that another entry's consent left."""
        pages = (page for page in self.consents if page.activity is ConsentActivity.CONSENT)
        return one.activity is ConsentActivity.GRANT and any(_is_same(one, page) for page in pages)

    def _of_consent(self, one: ConsentEvent) -> LoggedEvent:
        given = one.result is ConsentResult.GIVEN
        actor = one.actor or Actor(kind=ActorKind.USER)
        parts = [part for part in self.consents if part.activity is ConsentActivity.GRANT and _is_same(part, one)]
        return LoggedEvent(
            at=one.at,
            time=one.time,
            happened=Happened.CONSENTED if given else Happened.REFUSED,
            client_id=one.client_id,
            name=one.name,
            user_id=actor.id,
            user=actor.name or actor.id,
            is_admin=True if one.is_for_all else one.is_admin_consent,
            needs=tuple(self._needs(parts if parts and not one.resource else [one])),
            code=0,
            is_risky=one.result is ConsentResult.RISKY_BLOCKED,
            correlation_id=one.correlation_id,
        )

    def _needs(self, rows: Iterable[ConsentEvent]) -> Iterator[ScopeNeed]:
        """The scopes that were new with the consent; nothing if an entry doesn't say of which resource."""
        found = []
        for row in rows:
            resource = self.index.principal_with_id(row.resource) if row.resource else None
            if row.scopes is None or resource is None or not resource.appId:
                return
            held = {name.lower() for name in row.held_before}
            found += [ScopeNeed(resource=resource.appId.lower(), value=n) for n in row.scopes if n.lower() not in held]
        yield from found

    def _stops(self, seen: set[str]) -> Iterator[LoggedEvent]:
        """The sign-ins that stopped for lack of consent: of each user, app and code the last one of a day."""
        last: dict[tuple[str, ...], LoggedEvent] = {}
        for row in self.index.snapshot.sections.signIns or ():
            code = row.status.errorCode if row.status else None
            at, client_id = audit_time(row.createdDateTime), (row.appId or "").lower()
            if code not in _MISSING_CONSENT or at is None or not client_id:
                continue
            correlation = (row.correlationId or "").lower()
            if correlation in seen:
                continue
            user = row.userId or row.userPrincipalName or ""
            event = LoggedEvent(
                at=at,
                time=row.createdDateTime or "",
                happened=Happened.STOPPED,
                client_id=client_id,
                name=row.appDisplayName or "",
                user_id=user,
                user=row.userPrincipalName or row.userDisplayName or user,
                is_admin=False,
                needs=(),
                code=code or 0,
                is_risky=code in _RISKY_CODES,
                correlation_id=correlation,
            )
            key = (user.lower(), client_id, str(code), at.date().isoformat())
            last[key] = max(last.get(key, event), event, key=lambda one: one.at)
        yield from sorted(last.values(), key=lambda one: (one.at, one.user, one.client_id))

    def _changes(self) -> Iterator[LoggedChange]:
        """The changes of settings, policies and apps in the audit log that can change a decision."""
        kinds = {n.lower(): kind for kind, ns in activities_by_kind().items() if kind in _WHAT_CHANGED for n in ns}
        for entry in self.index.snapshot.sections.directoryAudits or ():
            kind, at = kinds.get(activity_of(entry)), audit_time(entry.activityDateTime)
            if kind is None or at is None or not succeeded(entry):
                continue
            properties = {one.name for target in targets_of(entry) for one in target.properties}
            if kind == "app" and properties and not properties & _OF_APP:
                continue
            actor = actor_of(entry)
            by = (actor.name or actor.id) if actor else ""
            yield LoggedChange(at, entry.activityDateTime or "", kind, by, names_in(entry))

    def granted_later(self, event: LoggedEvent) -> bool:
        """Whether somebody granted the app for all users after the event, or at its time."""
        return any(
            one.client_id == event.client_id and one.is_for_all and one.at >= event.at - SAME_CONSENT
            for one in self.consents
            if one.result is ConsentResult.GIVEN
        )


def _why_not_whole(snapshot: Snapshot, section: str) -> str:
    """Why a log is not complete; empty if it is."""
    index = index_of(snapshot)
    if section in snapshot.covers:
        return index.why_partial(section)
    gap = index.gap(section)
    return gap.why if gap else ""


def _is_same(grant: ConsentEvent, page: ConsentEvent) -> bool:
    """Whether both entries are of one consent."""
    if grant is page or grant.client_id != page.client_id or grant.actor != page.actor:
        return False
    return grant.result is page.result and abs(grant.at - page.at) <= SAME_CONSENT
