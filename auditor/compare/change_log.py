"""When a change was made and by whom, from the directory's audit log of both reads, or from the tenant's drifts.

A drift is a difference from a baseline that the tenant's administrators monitor. It says when Microsoft first reported
it, up to six hours after the change, and never who made the change. So an entry of the log comes first.

Sources: Microsoft Graph v1.0, ``directoryAudit`` and ``modifiedProperty`` (values are JSON inside texts). In
"Add delegated permission grant", the first target is the resource, and ``ServicePrincipal.ObjectID`` names the client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from auditor.compare.both_reads import BothReads
from auditor.facts.audit_activities import activities_by_kind, drifts_by_property
from auditor.model.access_resources import ConfigurationDrift
from auditor.model.difference import Actor, ActorKind, Change, ChangeKind, Since, Transition, Weight
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Plan

_SECTION = "directoryAudits"
_MANAGED = "policy/microsoft-"
_CONSENT = "consent to application"
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
        self._from, self._to = _time(after), _time(before)
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
            at = _time(text)
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
                yield from (f"{kind}/{name}/{end}" for name in _texts(drift.resourceInstanceIdentifier))
            else:
                yield f"{kind}/{end}"


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _entry(row: Any) -> _Entry | None:
    at = _time(row.activityDateTime or "")
    if at is None or (row.result or "success").lower() != "success":
        return None
    names: set[str] = set()
    properties: set[str] = set()
    for target in row.targetResources:
        names.update(str(target[key]).lower() for key in ("id", "displayName") if target.get(key))
        changed = target.get("modifiedProperties")
        for one in changed if isinstance(changed, list) else ():
            if isinstance(one, Mapping):
                properties.add(str(one.get("displayName") or "").rpartition(".")[2].lower())
                names.update(_texts(one.get("oldValue")))
                names.update(_texts(one.get("newValue")))
    return _Entry(
        at=at,
        text=row.activityDateTime,
        activity=(row.activityDisplayName or "").lower(),
        names=frozenset(names),
        properties=frozenset(properties - {""}),
        actor=_actor(row.initiatedBy),
    )


def _texts(value: Any) -> Iterator[str]:
    """The words in a value, which is JSON in a text, or a text that isn't JSON."""
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = None
        if inner is None or isinstance(inner, (str, int, float)):
            yield from str(value if inner is None else inner).strip('"').lower().replace(",", " ").split()
        else:
            yield from _texts(inner)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _actor(initiated: Any) -> Actor | None:
    """The user or app that an entry names; none if it names nobody."""
    if not isinstance(initiated, Mapping):
        return None
    for kind, names, ids in (
        (ActorKind.USER, ("userPrincipalName", "displayName"), ("id",)),
        (ActorKind.APP, ("displayName",), ("appId", "servicePrincipalId")),
    ):
        one = initiated.get(kind.value)
        if isinstance(one, Mapping):
            name = next((str(one[key]) for key in names if one.get(key)), "")
            own_id = next((str(one[key]) for key in ids if one.get(key)), "")
            if name or own_id:
                return Actor(kind=kind, name=name, id=own_id)
    return None
