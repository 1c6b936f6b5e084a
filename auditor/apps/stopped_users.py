"""Who was stopped and who waits: requests for consent, failed sign-ins and refused consents, and what is so now.

A request means that its user was stopped. AADSTS65001 is the normal entry before a consent page, and AADSTS65004 comes
from a user who cancelled or left the page of an app that an admin must approve, so neither of them says whether the
user was stopped (Entra, "Microsoft Entra authentication and authorization error codes").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import msgspec

from auditor.apps.admin_consent_requests import (
    REVIEW_PATH,
    STATUS_NOT_KNOWN,
    lacks_people,
    reviewers,
    user_requests,
)
from auditor.apps.asked_scopes import Description, ScopeSources, by_resource
from auditor.apps.blocked_sources import (
    COUNTED_AS,
    SECTIONS_OF,
    LogFilter,
    sources_of,
    uncounted_rows,
    why_uncounted,
)
from auditor.apps.blocked_verdict import verdict_now
from auditor.apps.consent_events import ConsentActivity, ConsentEvent, ConsentResult, consent_events, is_part_of
from auditor.apps.logged_changes import LoggedChange, logged_changes
from auditor.apps.stopped_people import People, Successes, led_to_consent, stop_codes
from auditor.apps.survey_filters import matches_name
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject, subject_for
from auditor.facts.abused_apps import abused_by_id, lists_with
from auditor.facts.app_names import published_name
from auditor.facts.ids import PATH_SEPARATOR, cloud_named, is_guid, portal_links
from auditor.facts.sign_in_codes import logged_codes
from auditor.model.access_resources import AppConsentRequest, SignIn
from auditor.model.blocked import (
    Blocked,
    BlockedApp,
    BlockedFilter,
    BlockedSource,
    BlockedSummary,
    LoggedConsent,
    RequestStatus,
    SourceRead,
    StoppedPerson,
    UserRequest,
)
from auditor.model.decision import AppRef
from auditor.model.report import AbusedAppsList, StoppedUsers
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from auditor.model.survey import AbuseMark, ScopeSource

_NO_FILTER = BlockedFilter()
_NO_PACKS: Mapping[str, Description] = MappingProxyType({})


def blocked(
    snapshot: Snapshot,
    asked: BlockedFilter = _NO_FILTER,
    described: Mapping[str, Description] = _NO_PACKS,
    *,
    source: str = "",
    tool: str = "",
    with_fixes: bool = True,
    most_fixed: int | None = None,
    abused: Sequence[AbusedAppsList] = (),
) -> Blocked:
    """Who was stopped and who waits, as far as the snapshot says it. The same inputs give the same answer.

    Without `with_fixes`, no fix is looked for, which takes most of the time; with `most_fixed`, only for so many apps
    that need attention first. `described` is what packs say about apps, by client id in lower case, and `abused` are
    your own lists of abused apps.
    """
    found = _Finder(snapshot, asked, described, with_fixes=with_fixes and most_fixed is None, abused=abused)
    apps = tuple(sorted(found.apps(), key=_order))
    if with_fixes and most_fixed is not None:
        first = frozenset(one.app.client_id for one in apps[:most_fixed])
        again = _Finder(snapshot, asked, described, with_fixes=True, abused=abused).apps(first)
        apps = (*sorted(again, key=_order), *apps[most_fixed:])
    return Blocked(
        tenant=snapshot.tenant,
        cloud=snapshot.cloud,
        taken=snapshot.taken,
        source=source,
        tool=tool,
        asked=asked,
        summary=_summary(apps, found.sources),
        apps=apps,
        sources=found.sources,
    )


def stopped_at(snapshot: Snapshot, described: Iterable[tuple[str, App]]) -> tuple[StoppedUsers, ...]:
    """In short, who was stopped at each of these apps and who waits. Each comes with the name of its pack."""
    variants: dict[str, list[tuple[str, App]]] = {}
    for pack, app in described:
        variants.setdefault(app.client_id.lower(), []).append((pack, app))
    packs = {client: Description(ScopeSource.PACK, tuple(rows)) for client, rows in variants.items()}
    found = _Finder(snapshot, _NO_FILTER, packs, with_fixes=False)
    by_client = {one.app.client_id: one for one in found.apps(frozenset(packs))}
    refs = (AppRef(name=rows[0][1].label, client_id=client) for client, rows in variants.items())
    return tuple(
        _in_short(by_client[ref.client_id]) if ref.client_id in by_client else found.nobody(ref) for ref in refs
    )


def _in_short(app: BlockedApp) -> StoppedUsers:
    return StoppedUsers(
        app=app.app,
        sentence=app.sentence,
        users=app.users,
        at_least=app.at_least,
        waiting=app.waiting,
        first=app.first,
        last=app.last,
        codes=tuple(one.code for one in app.codes if one.stops is not False),
        ends=min((one.ends for one in app.requests if one.ends), default=""),
        reviewers=app.reviewers,
        review=app.review,
        not_known={name: why for name, why in app.not_known.items() if name in ("waiting", "stopped", "reviewers")},
    )


class _Events(msgspec.Struct):
    """What the sources say about one app."""

    sign_ins: list[SignIn] = []
    requests: list[AppConsentRequest] = []
    consents: list[ConsentEvent] = []


class _Finder:
    """The indexes of one tenant, and the events that match the filter, each made once."""

    def __init__(
        self,
        snapshot: Snapshot,
        asked: BlockedFilter,
        described: Mapping[str, Description],
        *,
        with_fixes: bool,
        abused: Sequence[AbusedAppsList] = (),
    ) -> None:
        self._index = index_of(snapshot)
        self._described = described
        self._asked = asked
        self._with_fixes = with_fixes
        self._filter = LogFilter(asked)
        self._scopes = ScopeSources(self._index, described)
        self._abused = abused_by_id(lists_with(abused))
        client_id = asked.app.lower() if is_guid(asked.app) else ""
        self._uncounted = tuple(uncounted_rows(self._index, self._filter))
        self._unread = {one.source: one.why for one in sources_of(self._index, client_id) if not one.complete}
        self.sources = tuple(sources_of(self._index, client_id, self._uncounted))
        self._people = People(self._index)
        self._successes = Successes(snapshot.sections.signIns or ())
        self._wanted = self._people.matching(asked.user) if asked.user else None
        self._subject, self._why_subject = self._who()

    def _who(self) -> tuple[Subject, str]:
        if not self._asked.user:
            return ORDINARY_MEMBER, ""
        found = subject_for(self._index, self._people.upn(self._asked.user))
        return (ORDINARY_MEMBER, found.why) if isinstance(found, NotRead) else (found, "")

    def apps(self, only: frozenset[str] | None = None) -> Iterator[BlockedApp]:
        """Every app to which somebody was stopped, or for which somebody waits; or `only` those with these ids."""
        for client_id, events in self._by_app.items():
            if only is not None and client_id not in only:
                continue
            name = self._name(client_id, events)
            if self._asked.app and not matches_name(self._asked.app, name, client_id):
                continue
            if row := self._row(client_id, name, events):
                yield row

    def nobody(self, app: AppRef) -> StoppedUsers:
        """That nobody was stopped at an app, as far as was read."""
        unread = {source: why for source, why in self._unread.items() if not self._covers(source, app.client_id)}
        gaps = why_uncounted(self._uncounted, app.client_id.lower()) | unread
        at_least = bool(gaps)
        return StoppedUsers(
            app=app,
            sentence=f"Nobody was stopped, and nobody waits{', as far as was read' if at_least else ''}.",
            users=None if at_least else 0,
            at_least=at_least,
            waiting=None if BlockedSource.REQUESTS in gaps else 0,
            not_known={COUNTED_AS[source]: why for source, why in gaps.items() if source is not BlockedSource.AUDITS},
        )

    def _unread_about(self, client_id: str) -> dict[BlockedSource, str]:
        """Why a source doesn't say everything about an app."""
        return why_uncounted(self._uncounted, client_id) | self._unread

    def _covers(self, source: BlockedSource, client_id: str) -> bool:
        """Whether a section that was read for some apps was read for this one."""
        section = SECTIONS_OF[source]
        return section in self._index.snapshot.covers and self._index.covers(section, client_id)

    @cached_property
    def _by_app(self) -> dict[str, _Events]:
        found: dict[str, _Events] = {}
        codes = frozenset(logged_codes())
        for row in self._index.snapshot.sections.signIns or ():
            code = row.status.errorCode if row.status else None
            if (
                code is not None
                and (code in codes or self._filter.correlation)
                and row.appId
                and self._filter.is_asked(row.createdDateTime, row.correlationId)
            ):
                found.setdefault(row.appId.lower(), _new()).sign_ins.append(row)
        for event in self._consents:
            if event.client_id and self._filter.is_asked(event.time, event.correlation_id):
                found.setdefault(event.client_id, _new()).consents.append(event)
        for request in self._index.snapshot.sections.appConsentRequests or ():
            client_id = request.appId.lower()
            if client_id in found or not self._filter.correlation:
                found.setdefault(client_id, _new()).requests.append(request)
        return found

    @cached_property
    def _consents(self) -> tuple[ConsentEvent, ...]:
        return consent_events(self._index.snapshot)

    @cached_property
    def _changes(self) -> tuple[LoggedChange, ...]:
        return logged_changes(self._index.snapshot)

    def _is_wanted(self, *names: str | None) -> bool:
        return self._wanted is None or any((name or "").lower() in self._wanted for name in names)

    def _requests(self, rows: Iterable[AppConsentRequest]) -> list[UserRequest]:
        """The requests that wait, and those that were made or decided in the time that was asked for."""
        found = [
            one
            for request in rows
            for one in user_requests(self._index, request)
            if self._is_wanted(one.user_id, one.user)
            and (one.status is RequestStatus.PENDING or self._filter.is_recent(one.reviewed or one.created))
        ]
        return sorted(found, key=lambda one: (one.status.rank, one.created))

    def _row(self, client_id: str, name: str, events: _Events) -> BlockedApp | None:
        sign_ins = [
            row
            for row in events.sign_ins
            if self._is_wanted(row.userId, row.userPrincipalName)
            and not led_to_consent(row, events.consents)
            and not self._successes.follow(row)
        ]
        consents = [
            one for one in events.consents if self._is_wanted(*((one.actor.id, one.actor.name) if one.actor else ()))
        ]
        refused = [one for one in consents if one.result is not ConsentResult.GIVEN]
        requests = self._requests(events.requests)
        nameless = [one for one in events.requests if lacks_people(one) and one.pendingScopes]
        if not (sign_ins or refused or requests or (nameless and self._wanted is None)):
            return None
        people, codes = self._people.stopped(sign_ins, requests, refused), stop_codes(sign_ins)
        unread = self._unread_about(client_id)
        not_known, listed = self._not_known(nameless, unread), self._abused.get(client_id)
        is_unclear = any(one.status is RequestStatus.UNKNOWN for one in requests)
        if is_unclear:
            not_known.setdefault("waiting", STATUS_NOT_KNOWN)
        verdict = verdict_now(
            self._index,
            self._scopes.asked(client_id, name),
            self._subject,
            people,
            [one for one in self._consents if one.client_id == client_id],
            self._changes,
            audits=unread.get(BlockedSource.AUDITS, ""),
            with_fixes=self._with_fixes and not (listed and not listed.legitimate),
        )
        if verdict.now.would_connect and all(one.stops is False for one in codes) and not (refused or requests):
            return None  # what the log has of them is normal before a user consents
        found = self._index.service_principal(client_id)
        object_id = found.id if isinstance(found, ServicePrincipal) else ""
        waiting = [one for one in people if one.waits]
        waits = len(waiting)
        who, why_reviewers = reviewers(self._index) if waits or nameless else ((), "")
        users = sum(one.stopped is True for one in people)
        portal = cloud_named(self._index.snapshot.cloud).portal
        steps = (*((REVIEW_PATH,) if waits or nameless else ()), (*_ALL_APPS, name))
        return BlockedApp(
            app=AppRef(name=name, client_id=client_id),
            now=verdict.now,
            sentence=verdict.sentence(people, requests, self._index.snapshot.taken),
            users=users if users or not (unread or nameless) else None,
            at_least=bool(unread or nameless),
            unclear=sum(one.stopped is None for one in people),
            stopped=_count(self._people.stopped(sign_ins, (), ()), unread.get(BlockedSource.SIGN_INS)),
            waiting=None
            if nameless or (is_unclear and not waits)
            else _count(waiting, unread.get(BlockedSource.REQUESTS)),
            refused=_count(self._people.stopped((), (), refused), unread.get(BlockedSource.AUDITS)),
            first=min((one.first for one in people if one.first), default=""),
            last=max((one.last for one in people), default=""),
            people=tuple(people),
            codes=codes,
            requests=tuple(requests),
            consents=tuple(map(_logged, self._relevant(consents, events))),
            scopes=by_resource(self._index, ((need.resource, need.value) for need in verdict.app.scopes)),
            scopes_from=verdict.asked.sources,
            pack=verdict.asked.pack,
            fix=verdict.fixes[0] if verdict.fixes else None,
            other_fixes=tuple(one.title for one in verdict.fixes[1:]),
            reviewers=who,
            review=REVIEW_PATH if waits or nameless else (),
            links=portal_links(
                (PATH_SEPARATOR.join((portal, *step)) for step in steps),
                self._index.snapshot.cloud,
                app=name,
                object_id=object_id,
                client_id=client_id,
            ),
            abused=AbuseMark(malicious=not listed.legitimate, why=listed.why) if listed else None,
            not_known={**not_known, **verdict.not_known, **({"reviewers": why_reviewers} if why_reviewers else {})},
        )

    def _relevant(self, mine: list[ConsentEvent], events: _Events) -> list[ConsentEvent]:
        """The consents of the people who were asked for, and those for all users, each person's consent once."""
        found: list[ConsentEvent] = []
        pages = [one for one in events.consents if one.activity is ConsentActivity.CONSENT]
        for one in events.consents:
            is_part = one.activity is ConsentActivity.GRANT and any(is_part_of(one, page) for page in pages)
            if not is_part and (one in mine or one.is_for_all):
                found.append(one)
        return found

    def _not_known(self, nameless: Iterable[AppConsentRequest], unread: Mapping[BlockedSource, str]) -> dict[str, str]:
        found = {COUNTED_AS[source]: why for source, why in unread.items()}
        if self._why_subject:
            found["subject"] = self._why_subject
        for request in nameless:
            found["waiting"] = self._index.not_read("appConsentRequests", request.id or "").why
        return found

    def _name(self, client_id: str, events: _Events) -> str:
        """What the tenant calls the app, else its requests and the logs, else a pack or the table of names."""
        found = self._index.service_principal(client_id)
        own = found.own_name if isinstance(found, ServicePrincipal) else ""
        logged = (
            *(one.appDisplayName for one in events.requests),
            *(one.appDisplayName for one in events.sign_ins),
            *(one.name for one in events.consents),
        )
        described = self._described.get(client_id)
        by_pack = described.variants[0][1].name if described else ""
        return own or next(filter(None, logged), "") or by_pack or published_name(client_id) or f"app {client_id}"


_ALL_APPS = ("Entra ID", "Enterprise apps", "All applications")


def _new() -> _Events:
    return _Events(sign_ins=[], requests=[], consents=[])


def _count(people: Iterable[StoppedPerson], why: str | None) -> int | None:
    """How many were stopped by a source; none if it says none and wasn't read whole, because of `why`."""
    number = sum(one.stopped is True for one in people)
    return number if number or not why else None


def _logged(event: ConsentEvent) -> LoggedConsent:
    return LoggedConsent(
        at=event.time,
        result=event.result.value,
        by=event.actor,
        for_all=event.is_for_all,
        scopes=event.scopes,
        reason=event.reason,
        correlation_id=event.correlation_id,
    )


def _order(app: BlockedApp) -> tuple[bool, bool, bool, bool, int, str, str]:
    """What needs attention first: malicious apps, those to which users would still be stopped, and the most people."""
    ends_soon = any(one.soon for one in app.requests)
    waits = app.waiting != 0
    return (
        app.abused is None or not app.abused.malicious,
        app.now.would_connect is True,
        not ends_soon,
        not waits,
        -(app.users or 0),
        app.app.name.lower(),
        app.app.client_id,
    )


def _ends_soon(request: UserRequest) -> bool:
    """Whether a request expires within days, and hasn't yet."""
    return request.soon and (request.days_left or 0) >= 0


def _summary(apps: tuple[BlockedApp, ...], sources: Iterable[SourceRead]) -> BlockedSummary:
    people = {one.id or one.name for app in apps for one in app.people if one.stopped}
    unread = {one.source for one in sources if not one.complete}
    at_least = bool(unread) or any(app.at_least for app in apps)
    waiting = [app.waiting for app in apps]
    is_known = BlockedSource.REQUESTS not in unread and None not in waiting
    return BlockedSummary(
        apps=len(apps),
        users=len(people) if people or not at_least else None,
        at_least=at_least,
        waiting=sum(filter(None, waiting)) if is_known else None,
        ends_soon=sum(map(_ends_soon, (one for app in apps for one in app.requests))) if is_known else None,
        connect_now=sum(app.now.would_connect is True for app in apps),
        stopped_now=sum(app.now.would_connect is False for app in apps),
        unknown_now=sum(app.now.would_connect is None for app in apps),
    )
