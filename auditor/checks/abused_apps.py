"""The check on apps that attackers are known to use: what such an app holds, who consented to it, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    compared,
    failed,
    first_names,
    passed,
    text_at,
    unknown,
)
from auditor.consent import Truth
from auditor.consent.existing_grants import ALL_PRINCIPALS
from auditor.consent.granted_permissions import role_name
from auditor.consent.snapshot_index import NotRead, SnapshotIndex
from auditor.facts.abused_apps import reference_to
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, SHAREPOINT_ONLINE
from auditor.model.document import Point, count, parse_time, series
from auditor.model.report import LIST_IS_OLD_AFTER, AbusedApp, Evidence, FindingSubject
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Plan, Snapshot

if TYPE_CHECKING:
    from auditor.apps.consent_events import ConsentEvent

_RESOURCES = (MICROSOFT_GRAPH, EXCHANGE_ONLINE, SHAREPOINT_ONLINE)
"""The resources whose application permissions give an app the tenant's mail and files."""
_NOUNS = {
    "any": ("known abused app", "known abused apps"),
    "malicious": ("known malicious app", "known malicious apps"),
    "legitimate": ("legitimate app known to be abused", "legitimate apps known to be abused"),
}
_APPS_SHOWN, _CONSENTS_SHOWN = 20, 3
"""How many apps the evidence names, and how many consents to each of them."""
_CONSENT = "consent to application"
"""The activity of the audit log that a person's consent always leaves, in lower case."""
_LOG_DAYS = timedelta(days=Plan().log_days)
"""How far back a log that was read goes at least."""


class NoAbusedApps(CheckKind, frozen=True, tag="no-abused-apps"):
    """No app of the lists of known abused apps holds a delegated grant or an application permission.

    With `apps: malicious` or `apps: legitimate`, only such entries of the lists count. With `since`, only apps to which
    somebody consented on that day or later; a `since` in the entry of an app comes first. The lists are the shipped one
    and those of `--abused`. The check says nothing about apps that aren't listed.
    """

    setting_id: ClassVar[str] = "abused-apps"
    apps: Literal["any", "malicious", "legitimate"] = "any"
    since: str = ""

    def reads(self, app: App | None) -> Plan:
        return Plan(clients=_RESOURCES, whole=("oauth2PermissionGrants", "servicePrincipals"))

    def sentence(self) -> Point:
        since = f" and had a consent on {self.since} or later" if self.since else ""
        return Point(f"No {_NOUNS[self.apps][0]} holds a delegated grant or an application permission{since}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        if (text := text_at(arguments, "since")) and _start_of(text) is None:
            expected = 'year, month and day in quotes, as in "2027-03-31"'
            yield ArgumentProblem(("since",), f'since "{text}" isn\'t a date', expected)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        definition["properties"]["since"]["pattern"] = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"

    def judge(self, context: CheckContext) -> CheckResult:
        entries = self._entries(context)
        log = _ConsentLog(context.snapshot)
        found = [_listed_app(context, one, one.since or self.since, log) for one in entries]
        why = next(filter(None, (one.why for one in found)), "")
        if counted := sorted((one for one in found if one.counts is Truth.TRUE), key=lambda one: one.place):
            subjects = (FindingSubject(name=one.name, id=one.entry.client_id) for one in counted)
            names = first_names(one.label for one in counted)
            evidence = (row for one in counted[:_APPS_SHOWN] for row in _evidence(context.index, one))
            many = count(len(counted), *_NOUNS[self.apps])
            hold = "holds" if len(counted) == 1 else "hold"
            text = f"{many} {hold} permissions: {names}; {_last_consent(context, counted)}"
            return failed(f"{text}{_ages(context)}", *evidence, subjects=subjects, unread=why)
        if why:
            return unknown(why)
        number = count(len(entries), *_NOUNS[self.apps])
        idle = "".join(f"; {one.label} is in the tenant, but {one.why_not}" for one in found if one.principal)
        lists = series([f"{one.name} (read on {one.read})" for one in context.abused_lists])
        text = (
            f"none of the {number} on the list {lists} holds a permission{idle}. Apps that aren't listed can be harmful"
        )
        return passed(f"{text}{_ages(context)}")

    def further_reads(self, snapshot: Snapshot) -> Plan:
        """Of the listed apps in the tenant, what they hold on every resource, and the log that says who consented."""
        context = CheckContext(snapshot)
        index = context.index
        found = [index.service_principal(one.client_id) for one in self._entries(context)]
        present = [one for one in found if isinstance(one, ServicePrincipal)]
        log = ("directoryAudits",) if present and snapshot.sections.directoryAudits is None else ()
        apps = (one.appId.lower() for one in present if _whole_roles(index, one) is None)
        return Plan(sections=log, app_roles_of=tuple(sorted(apps)))

    def _entries(self, context: CheckContext) -> list[AbusedApp]:
        """The entries of the lists that the check is about."""
        entries = context.abused_apps.values()
        return [one for one in entries if self.apps == "any" or one.legitimate == (self.apps == "legitimate")]


class _ListedApp(NamedTuple):
    """An app of the lists in this tenant: what it holds, and whether it counts.

    `why` says why it may hold more, or may count; `why_not`, after ``but``, why an app that is there doesn't count.
    """

    entry: AbusedApp
    principal: ServicePrincipal | None
    counts: Truth
    why: str = ""
    why_not: str = ""
    grants: tuple[OAuth2PermissionGrant, ...] = ()
    roles: tuple[str, ...] = ()
    consents: tuple[ConsentEvent, ...] = ()

    @property
    def name(self) -> str:
        """The app's name in the tenant, which anybody can choose; else its name in the list, or its client id."""
        own = self.principal.own_name if self.principal else ""
        return own or self.entry.name or self.entry.client_id

    @property
    def label(self) -> str:
        """The name in the tenant, and the one in the list if it differs."""
        known = self.entry.name
        return self.name if known.lower() in ("", self.name.lower()) else f"{self.name} ({known} in the list)"

    @property
    def place(self) -> tuple[str, str]:
        """The sort key."""
        return self.name.lower(), self.entry.client_id


def _listed_app(context: CheckContext, entry: AbusedApp, since: str, log: _ConsentLog) -> _ListedApp:
    index = context.index
    principal = index.service_principal(entry.client_id)
    if isinstance(principal, NotRead):
        is_read = context.snapshot.sections.servicePrincipals is not None
        whole = index.why_partial(principal.section) if is_read else index.not_read(principal.section).why
        return _ListedApp(entry, None, Truth.UNKNOWN, why=whole or principal.why)
    if not isinstance(principal, ServicePrincipal):
        return _ListedApp(entry, None, Truth.FALSE)
    grants = tuple(one for one in index.grants_of(principal.id) if one.scope.split())
    roles, why_roles = _roles(index, principal)
    why = _why_grants(index, entry.client_id) or why_roles
    consents = log.about(principal)
    one = _ListedApp(entry, principal, Truth.TRUE, why, "", grants, roles, consents)
    if not grants and not roles:
        return one._replace(counts=Truth.UNKNOWN if why else Truth.FALSE, why_not="holds nothing")
    if (recent := _is_recent(context, one, since)) is not Truth.TRUE:
        gap = f"whether anybody consented to {one.label} on {since} or later isn't known: {_why_log(index)}"
        # Without a consent since then, it doesn't matter what else it holds.
        unsure = gap if recent is Truth.UNKNOWN else ""
        return one._replace(counts=recent, why=unsure, why_not=f"nobody has consented to it since {since}")
    return one


def _why_grants(index: SnapshotIndex, client_id: str) -> str:
    """Why the app may have more delegated grants than were read; empty if it can't have."""
    section = "oauth2PermissionGrants"
    if getattr(index.snapshot.sections, section) is None or index.was_refused(section, client_id):
        return index.not_read(section, client_id).why
    if not index.covers(section, client_id):
        return index.why_partial(section)
    gap = index.gap(section)
    return gap.why if gap else ""


def _roles(index: SnapshotIndex, principal: ServicePrincipal) -> tuple[tuple[str, ...], str]:
    """The application permissions that the app holds, by name, and why there may be more."""
    whole = _whole_roles(index, principal)
    if whole is not None:
        return whole, ""
    names: set[str] = set()
    why = ""
    read = (resource.lower() for resource in index.snapshot.sections.appRoleAssignedTo or ())
    for resource in dict.fromkeys((*_RESOURCES, *read)):
        rows = index.assigned_to(resource)
        if isinstance(rows, NotRead):
            why = why or rows.why
            continue
        if gap := index.gap("appRoleAssignedTo", resource):
            why = why or gap.why
        held = (row.appRoleId or "" for row in rows if row.principalId.lower() == principal.id.lower())
        names.update(role_name(resource, role, index) for role in held)
    return tuple(sorted(names, key=_by_name)), why


def _whole_roles(index: SnapshotIndex, principal: ServicePrincipal) -> tuple[str, ...] | None:
    """The application permissions that the app holds on every resource; none if these weren't read app by app."""
    rows = index.roles_held(principal.appId)
    if isinstance(rows, NotRead) or index.gap("appRoleAssignments", principal.appId):
        return None
    names: set[str] = set()
    for row in rows:
        resource = index.principal_with_id(row.resourceId or "")
        names.add(role_name(resource.appId.lower() if resource else "", row.appRoleId or "", index))
    return tuple(sorted(names, key=_by_name))


def _by_name(name: str) -> tuple[str, str]:
    return name.lower(), name


class _ConsentLog:
    """The consents in the audit log, which is read once and only if a listed app is in the tenant."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def _given(self) -> tuple[ConsentEvent, ...]:
        if self._snapshot.sections.directoryAudits is None:
            return ()
        from auditor.apps.consent_events import ConsentResult, consent_events

        return tuple(one for one in consent_events(self._snapshot) if one.result is ConsentResult.GIVEN)

    def about(self, app: ServicePrincipal) -> tuple[ConsentEvent, ...]:
        """The consents to the app, the newest first. One consent also leaves an entry for each grant that it makes."""
        names = {app.appId.lower(), app.id.lower()}
        ours = [one for one in self._given if one.client_id in names or one.object_id.lower() in names]
        whole = [one for one in ours if one.activity == _CONSENT]
        return tuple(reversed(whole or ours))


def _is_recent(context: CheckContext, one: _ListedApp, since: str) -> Truth:
    """Whether somebody consented to the app on that day or later, as far as the log and the app's own age say it."""
    if (start := _start_of(since)) is None:
        return Truth.TRUE
    added = parse_time((one.principal and one.principal.createdDateTime) or "")
    if any(consent.at >= start for consent in one.consents) or (added is not None and added >= start):
        return Truth.TRUE
    reaches = _log_reaches(context.index)
    return Truth.FALSE if reaches is not None and reaches <= start else Truth.UNKNOWN


def _log_reaches(index: SnapshotIndex) -> datetime | None:
    """How far back the audit log says everything; none if it doesn't."""
    entries, taken = index.snapshot.sections.directoryAudits, parse_time(index.snapshot.taken)
    if entries is None or taken is None or index.why_partial("directoryAudits"):
        return None
    times = (parse_time(entry.activityDateTime or "") for entry in entries)
    return min((at for at in times if at is not None), default=taken - _LOG_DAYS) if entries else taken - _LOG_DAYS


def _why_log(index: SnapshotIndex) -> str:
    """Why the audit log doesn't say who consented. No date, because a reason that changes every night is news."""
    if index.snapshot.sections.directoryAudits is None:
        return index.not_read("directoryAudits").why
    return index.why_partial("directoryAudits") or "the part of the audit log that was read doesn't go back that far"


def _start_of(day: str) -> datetime | None:
    """The first moment of a day, in UTC; none if the text isn't year, month and day as the lists write it."""
    at = parse_time(day)
    return at if at and f"{at:%Y-%m-%d}" == day else None


def _last_consent(context: CheckContext, found: Sequence[_ListedApp]) -> str:
    """Who consented last to one of the apps, or why that isn't known: a clause."""
    newest = max((one.consents[0] for one in found if one.consents), key=lambda one: one.at, default=None)
    if newest is None:
        return f"who consented, and when, isn't known: {_why_log(context.index)}"
    return f"the last consent was on {newest.at:%Y-%m-%d}, {_by(newest)}"


def _by(consent: ConsentEvent) -> str:
    """Who gave a consent, and for whom, as far as the log says it."""
    kinds = {True: "admin consent", False: "user consent", None: "consent"}
    actor = consent.actor
    who = (actor.name or actor.id) if actor else "somebody whom the log doesn't name"
    return f"{kinds[consent.is_admin_consent]} by {who}"


def _ages(context: CheckContext) -> str:
    """A clause about the lists that are old."""
    lists = (reference_to(one, context.snapshot.taken) for one in context.abused_lists)
    return "".join(
        f"; the list {one.name} was last checked on {one.read}, more than {LIST_IS_OLD_AFTER} days before the tenant"
        " was read, so newer apps are missing"
        for one in lists
        if one.is_old
    )


def _evidence(index: SnapshotIndex, one: _ListedApp) -> Iterator[Evidence]:
    """What the app holds, why it is in the list, since when it is in the tenant, and who consented."""
    if held := series(tuple(_delegated(one.grants))):
        yield compared(f"oauth2PermissionGrants/{one.name}", held, "no such grant")
    if one.roles:
        yield compared(f"appRoleAssignedTo/{one.name}", " ".join(one.roles), "no such grant")
    yield compared(
        f"abused-apps/{one.entry.name or one.entry.client_id}", f"{one.entry.why} {one.entry.doubtful}".strip()
    )
    if one.principal and (added := one.principal.createdDateTime):
        state = ", disabled now" if one.principal.accountEnabled is False else ""
        yield compared(f"servicePrincipals/{one.name}", f"in the tenant since {added[:10]}{state}")
    for consent in one.consents[:_CONSENTS_SHOWN]:
        yield compared(f"directoryAudits/{one.name}", f"{consent.at:%Y-%m-%d %H:%M} UTC: {_by(consent)}")
    if not one.consents and (reaches := _log_reaches(index)):
        yield compared(f"directoryAudits/{one.name}", f"no consent from {reaches:%Y-%m-%d} on")


def _delegated(grants: Sequence[OAuth2PermissionGrant]) -> Iterator[str]:
    """What was granted for the whole tenant, and what single users granted."""
    wide = [one for one in grants if one.consentType.lower() == ALL_PRINCIPALS]
    single = [one for one in grants if one.consentType.lower() != ALL_PRINCIPALS]
    users = len({(one.principalId or "").lower() for one in single})
    for rows, whom in ((wide, "whole tenant"), (single, count(users, "user"))):
        if names := sorted({name for one in rows for name in one.scope.split()}, key=_by_name):
            yield f"{' '.join(names)} ({whom})"
