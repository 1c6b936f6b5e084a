"""What a tenant was like at the time of an event: its policies then, and its grants without what came after.

The policies of a time are those of a read if the audit log, read whole, has no change between, or what the log's entry
says that they were. Without the log, they are those before and after the event, if both decide the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from auditor.apps.consent_events import SAME_CONSENT, ConsentResult
from auditor.apps.logged_changes import ConcernedObjects, LoggedChange, ids_of
from auditor.apps.logged_events import EventLogs, LoggedEvent
from auditor.consent.existing_grants import ALL_PRINCIPALS
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import FOR_SELF
from auditor.model.document import parse_time
from auditor.model.prediction import Happened
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot

_NO_LOG = "the audit log was not read whole, so a change of the consent settings since then would not show"
_TOO_OLD = "the audit log may not reach back so far"
_KEPT = timedelta(days=30)
"""How long Microsoft keeps the audit log of a tenant that has a sign-in log ("Microsoft Entra data retention")."""
_POLICIES = (
    *("authorizationPolicy", "permissionGrantPolicies", "directorySettings"),
    "delegatedPermissionClassifications",
)
_FOR_SELF = f"{FOR_SELF}."


def policies_of(snapshot: Snapshot) -> Snapshot:
    """The read with nothing but what decides at other times than its own: policies and classifications."""
    sections = Sections(**{name: getattr(snapshot.sections, name) for name in _POLICIES})
    return msgspec.structs.replace(
        snapshot,
        sections=sections,
        covers={name: value for name, value in snapshot.covers.items() if _is_of_policies(name)},
        unread={name: value for name, value in snapshot.unread.items() if _is_of_policies(name)},
    )


def _is_of_policies(part: str) -> bool:
    return part.partition("/")[0] in _POLICIES


class PastStates(NamedTuple):
    """The tenant as it may have been at a time; no state if that isn't known, and `why` says why it may differ.

    `policies_of` is the time of the read that has the policies; empty where the audit log says what they were.
    """

    states: tuple[Snapshot, ...]
    policies_of: str = ""
    why: str = ""


class TenantReads:
    """The reads of a tenant, and which of them shows the policies of a time."""

    def __init__(self, latest: Snapshot, earlier: Sequence[Snapshot], logs: EventLogs) -> None:
        self._latest, self._logs = latest, logs
        reads = [(at, one) for one in (latest, *earlier) if (at := parse_time(one.taken)) is not None]
        self._reads = sorted(reads, key=lambda one: one[0])
        self._taken = parse_time(latest.taken)

    def at(self, event: LoggedEvent, app: App, user_id: str) -> PastStates:
        """The states of the event's time, without the consent that is predicted."""
        found = self._policies_at(event, app)
        states = tuple(one for read in found.states for one in self._without_what_came_after(read, event, user_id))
        return found._replace(states=states)

    def _policies_at(self, event: LoggedEvent, app: App) -> PastStates:
        if self._taken is None:
            return PastStates((), why="the time of the read is not known")
        objects = self._objects(event, app)
        if self._logs.audits:
            return self._by_reads_only(event)
        if not self._reaches(event.at):
            return PastStates((), why=_TOO_OLD)
        since = [one for one in self._logs.changes if event.at < one.at <= self._taken and one.concerns(objects)]
        if of_app := next((one for one in since if one.is_about_one_app), None):
            return PastStates((), why=f"{of_app.clause}, after this")
        if not since:
            return self._unless_an_earlier_read_differs(event, objects)
        for at, read in self._reads:
            if not self._changed_between(min(at, event.at), max(at, event.at), objects):
                return PastStates((self._with_policies_of(read),), read.taken)
        if (before := _assigned_before(since)) is not None and (state := self._with_assigned(before)) is not None:
            return PastStates((state,))
        return PastStates((), why=f"{since[0].clause}, after this")

    def _unless_an_earlier_read_differs(self, event: LoggedEvent, objects: ConcernedObjects) -> PastStates:
        """The latest read; with the one before the event, because Microsoft's own changes leave no entry."""
        before = next((one for at, one in reversed(self._reads) if at < event.at), None)
        at = parse_time(before.taken) if before else None
        if before is None or at is None or self._changed_between(at, event.at, objects):
            return PastStates((self._latest,), self._latest.taken)
        why = f"the policies of {before.taken[:10]} decide otherwise, and the audit log has no entry of a change"
        return PastStates((self._with_policies_of(before), self._latest), self._latest.taken, why)

    def _by_reads_only(self, event: LoggedEvent) -> PastStates:
        """Without the audit log: the reads before and after the event."""
        before = next((one for at, one in reversed(self._reads) if at < event.at), None)
        after = next((one for at, one in self._reads if at >= event.at), None)
        if before is None or after is None:
            return PastStates((), why=_NO_LOG)
        return PastStates(tuple(map(self._with_policies_of, (before, after))), after.taken, _NO_LOG)

    def _objects(self, event: LoggedEvent, app: App) -> ConcernedObjects:
        """The ids of the app and of what it asks for, by which an entry of the log can name them."""
        index = self._logs.index
        resources = {index.resource_id(one) for one in (*app.default_resources, *(n.resource for n in app.scopes))}
        return ConcernedObjects(ids_of(index, (event.client_id,)), ids_of(index, resources))

    def _changed_between(self, start: datetime, end: datetime, objects: ConcernedObjects) -> bool:
        """Whether something that decides changed, or may have before the log begins."""
        if not self._reaches(start):
            return True
        return any(start < one.at <= end and one.concerns(objects) for one in self._logs.changes)

    def _reaches(self, at: datetime) -> bool:
        """Whether the audit log has the changes since this time."""
        return (self._taken is not None and at >= self._taken - _KEPT) or self._logs.reaches(at)

    def _with_policies_of(self, read: Snapshot) -> Snapshot:
        """The latest read, with the policies and classifications of another one."""
        if read is self._latest:
            return read
        taken = {name: getattr(read.sections, name) for name in _POLICIES}
        sections: Sections = msgspec.structs.replace(self._latest.sections, **taken)
        covers = _of_both(self._latest.covers, read.covers)
        unread = _of_both(self._latest.unread, read.unread)
        return msgspec.structs.replace(self._latest, sections=sections, covers=covers, unread=unread)

    def _with_assigned(self, before: tuple[str, ...]) -> Snapshot | None:
        """The latest read with these consent policies for users; none if theirs weren't read."""
        policy = self._latest.sections.authorizationPolicy
        role = policy.defaultUserRolePermissions if policy else None
        if policy is None or role is None or role.permissionGrantPoliciesAssigned is None:
            return None
        others = (one for one in role.permissionGrantPoliciesAssigned if not one.lower().startswith(_FOR_SELF))
        mine = (one for one in before if one.lower().startswith(_FOR_SELF))
        role = msgspec.structs.replace(role, permissionGrantPoliciesAssigned=(*mine, *others))
        policy = msgspec.structs.replace(policy, defaultUserRolePermissions=role)
        sections = msgspec.structs.replace(self._latest.sections, authorizationPolicy=policy)
        return msgspec.structs.replace(self._latest, sections=sections)

    def _without_what_came_after(self, snapshot: Snapshot, event: LoggedEvent, user_id: str) -> Iterator[Snapshot]:
        """The state without the user's own grant to the app, and without a grant for all users that came later.

        Several states, if such a grant may have been there already: all must decide the same.
        """
        index = index_of(snapshot)
        found = index.service_principal(event.client_id)
        rows = snapshot.sections.oauth2PermissionGrants
        if rows is None or not isinstance(found, ServicePrincipal) or not found.id:
            yield snapshot
            return
        granted = index.grants_of(found.id)
        mine = [row for row in granted if (row.principalId or "").lower() == user_id]
        for_all = [row for row in granted if (row.consentType or "").lower() == ALL_PRINCIPALS]
        later = bool(for_all) and self._granted_later(event)
        certain = [*mine, *(for_all if later else ())]
        yield _without(snapshot, certain)
        if mine and event.happened is not Happened.CONSENTED and not self._consented_later(event):
            yield _without(snapshot, for_all if later else [])
        if later and self._may_have_been_there(event):
            yield _without(snapshot, mine)

    def _granted_later(self, event: LoggedEvent) -> bool:
        """Whether somebody granted the app for all users after the event, or at its time."""
        return any(one.at >= event.at - SAME_CONSENT for one in self._logs.grants_for_all(event.client_id))

    def _may_have_been_there(self, event: LoggedEvent) -> bool:
        """Whether the app may have had a grant for all users before the later one."""
        grants = tuple(self._logs.grants_for_all(event.client_id))
        return any(one.held_before or one.scopes is None or one.at < event.at - SAME_CONSENT for one in grants)

    def _consented_later(self, event: LoggedEvent) -> bool:
        """Whether the user's own grant is from a consent after the event."""
        given = (one for one in self._logs.consents if one.result is ConsentResult.GIVEN and one.actor)
        names = {event.user_id.lower(), event.user.lower()} - {""}
        return any(
            one.client_id == event.client_id and one.at >= event.at and not one.held_before
            for one in given
            if one.actor and not names.isdisjoint({one.actor.id.lower(), one.actor.name.lower()})
        )


def _of_both(latest: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What the latest read says about its sections, and the other one about policies."""
    mine = {name: value for name, value in latest.items() if not _is_of_policies(name)}
    return mine | {name: value for name, value in other.items() if _is_of_policies(name)}


def _assigned_before(changes: Sequence[LoggedChange]) -> tuple[str, ...] | None:
    """The consent policies that users had before these changes; none unless each of them changed only that."""
    if any(one.assigned_before is None for one in changes):
        return None
    return min(changes, key=lambda one: one.at).assigned_before


def _without(snapshot: Snapshot, rows: Sequence[OAuth2PermissionGrant]) -> Snapshot:
    if not rows:
        return snapshot
    gone = set(map(id, rows))
    kept = tuple(row for row in snapshot.sections.oauth2PermissionGrants or () if id(row) not in gone)
    sections = msgspec.structs.replace(snapshot.sections, oauth2PermissionGrants=kept)
    return msgspec.structs.replace(snapshot, sections=sections)
