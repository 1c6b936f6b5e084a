"""When a change was made and by whom, from the directory's audit log of both reads, or from the tenant's drifts.

A drift is a difference from a baseline that the tenant's administrators monitor. It says when Microsoft first reported
it, up to six hours after the change, and never who made the change. So an entry of the log comes first.

`auditor.apps.audit_entries` reads the entries. In "Add delegated permission grant", the first target is the resource,
and ``ServicePrincipal.ObjectID`` names the client, as Microsoft Graph returns it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from auditor.apps.audit_entries import activity_of, actor_of, audit_time, names_in, succeeded, targets_of, words
from auditor.apps.consent_events import ConsentActivity
from auditor.compare.both_reads import BothReads
from auditor.facts.audit_activities import activities_by_kind, drifts_by_property
from auditor.model.access_resources import ConfigurationDrift, DirectoryAudit
from auditor.model.difference import Actor, ActorKind, Change, ChangeKind, Since, Transition, Weight
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Plan

_SECTION = "directoryAudits"
_MANAGED = "policy/microsoft-"
_CONSENT = ConsentActivity.CONSENT
_ACTIVE = "active"
_LOG_DAYS = timedelta(days=Plan().log_days)
_UNKNOWN = (Transition.BECAME_KNOWN, Transition.BECAME_UNKNOWN)
_PROPERTY_NAMES = {
    "permissiongrantpoliciesassigned": "permissiongrantpolicyidsassignedtodefaultuserrole",
    "enabled": "accountenabled",
    "assignment-required": "approleassignmentrequired",
    "publisher": "verifiedpublisher",
    "redirect-uris": "appaddress",
}
"""What the log calls a property, by the last part of a change's key."""


class _Entry(NamedTuple):
    """An entry of the log: its activity, everything that it names in lower case, and the properties that it changed."""

    at: datetime
    text: str
    activity: str
    names: frozenset[str]
    properties: frozenset[str]
    actor: Actor | None


class ChangeLog:
    """The entries between two reads, and whether they are all there are."""

    def __init__(self, both: BothReads, after: str, before: str) -> None:
        self._both = both
        self._from, self._to = audit_time(after), audit_time(before)
        rows = {
            row.id or id(row): row for _, index in both.sides for row in index.snapshot.sections.directoryAudits or ()
        }
        entries = [entry for row in rows.values() if (entry := _entry(row)) is not None and self._is_between(entry.at)]
        self._by_name: dict[str, list[_Entry]] = {}
        self._by_activity: dict[str, list[_Entry]] = {}
        for entry in sorted(entries, key=lambda one: one.at):
            self._by_activity.setdefault(entry.activity, []).append(entry)
            for name in entry.names:
                self._by_name.setdefault(name, []).append(entry)
        self._reported: dict[str, str] = {}
        """When a drift was first reported, by the key of the change; of an app by any of its ids."""
        for text, row in (pair[1:] for pair in sorted(self._drifts(), key=lambda one: one[0])):
            for key in _keys(row):
                self._reported[key] = text

    def _drifts(self) -> Iterator[tuple[datetime, str, ConfigurationDrift]]:
        """The drifts that were first reported between the two reads and have not ended, with that time."""
        for row in self._both.after.snapshot.sections.configurationDrifts or ():
            text = row.firstReportedDateTime or ""
            at = audit_time(text)
            # What was fixed since then is not what the later read shows.
            if at is not None and self._is_between(at) and (row.status or "").lower() == _ACTIVE:
                yield at, text, row

    def _is_between(self, at: datetime) -> bool:
        return self._from is not None and self._to is not None and self._from < at <= self._to

    @property
    def _is_complete(self) -> bool:
        """Whether the later read has the log of the whole time between the two."""
        snapshot = self._both.after.snapshot
        if snapshot.sections.directoryAudits is None or _SECTION in snapshot.unread or _SECTION in snapshot.covers:
            return False
        return self._from is not None and self._to is not None and self._to - self._from <= _LOG_DAYS

    def dated(self, change: Change) -> Change:
        """The change with the time and the actor of the entry that records it, as far as the log says it."""
        if change.weight is Weight.MINOR or change.transition in _UNKNOWN:
            return change
        entry = self._entry_of(change)
        if entry is not None:
            since = Since(source="directory audit", at=entry.text)
            return msgspec.structs.replace(change, since=since, by=entry.actor)
        if change.kind is ChangeKind.POLICY and change.key.startswith(_MANAGED) and self._is_complete:
            # Only Microsoft can change its own policies, and its changes leave no entry in the tenant's log.
            actor = Actor(kind=ActorKind.MICROSOFT, name="Microsoft", inferred=True)
            return msgspec.structs.replace(change, by=actor)
        if at := self._first_report_of(change):
            return msgspec.structs.replace(change, since=Since(source="configuration drift", at=at))
        return change

    def _first_report_of(self, change: Change) -> str:
        """When a drift of what changed was first reported; empty if none was."""
        kind, _, rest = change.key.partition("/")
        if change.kind is not ChangeKind.APP:
            return self._reported.get(change.key, "")
        app, _, end = rest.partition("/")
        found = (self._reported.get(f"{kind}/{name}/{end}") for name in self._ids(app))
        return next(filter(None, found), "")

    def _entry_of(self, change: Change) -> _Entry | None:
        activities = frozenset(name.lower() for name in activities_by_kind().get(change.kind.value, ()))
        parts = change.key.split("/")[1:]
        fitting: Iterator[_Entry]
        match change.kind:
            case ChangeKind.GRANT:
                found = self._naming(parts[0], activities)
                fitting = (one for one in found if one.activity == _CONSENT or one.names & self._ids(parts[1]))
            case ChangeKind.POLICY:
                fitting = self._naming(parts[0], activities)
            case ChangeKind.CLASSIFICATION:
                fitting = (one for one in self._naming(parts[0], activities) if parts[1] in one.names)
            case ChangeKind.APP:
                fitting = self._naming(parts[0], activities)
                if len(parts) > 1:
                    name = _PROPERTY_NAMES.get(parts[1], parts[1])
                    fitting = (one for one in fitting if name in one.properties)
                else:
                    fitting = (one for one in fitting if not one.activity.startswith("update"))
            case ChangeKind.SETTING:
                fitting = self._of_setting(parts, activities)
            case _:
                return None
        return max(fitting, key=lambda one: one.at, default=None)

    def _of_setting(self, parts: list[str], activities: frozenset[str]) -> Iterator[_Entry]:
        wanted = "update authorization policy" if len(parts) == 1 or parts[1] == "owners" else ""
        name = parts[0] if wanted else parts[1]
        names = {name.lower(), _PROPERTY_NAMES.get(name.lower(), name.lower())}
        for activity in {wanted} if wanted else activities - {"update authorization policy"}:
            for entry in self._by_activity.get(activity, ()):
                if names & entry.properties or (wanted and not entry.properties):
                    yield entry

    def _naming(self, app_or_policy: str, activities: frozenset[str]) -> Iterator[_Entry]:
        for name in self._ids(app_or_policy):
            yield from (entry for entry in self._by_name.get(name, ()) if entry.activity in activities)

    def _ids(self, name: str) -> frozenset[str]:
        """The id itself and, for an app, the object ids of its service principal on both sides."""
        found = [index.service_principal(name) for _, index in self._both.sides]
        return frozenset((name, *(one.id.lower() for one in found if isinstance(one, ServicePrincipal) and one.id)))


def _keys(drift: ConfigurationDrift) -> Iterator[str]:
    """The keys of the changes that the drift reports; of an app with each word that identifies it."""
    for one in drift.driftedProperties:
        named = (drift.resourceType or "").lower(), (one.propertyName or "").lower()
        kind, ends = drifts_by_property().get(named, ("", ()))
        for end in ends:
            if kind == ChangeKind.APP:
                yield from (f"{kind}/{name}/{end}" for name in words(drift.resourceInstanceIdentifier))
            else:
                yield f"{kind}/{end}"


def _entry(row: DirectoryAudit) -> _Entry | None:
    at = audit_time(row.activityDateTime)
    if at is None or not succeeded(row):
        return None
    properties = {one.name.rpartition(".")[2] for target in targets_of(row) for one in target.properties}
    return _Entry(
        at=at,
        text=row.activityDateTime or "",
        activity=activity_of(row),
        names=names_in(row),
        properties=frozenset(properties - {""}),
        actor=actor_of(row),
    )
