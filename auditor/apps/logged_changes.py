"""The changes in a tenant's audit log that can decide whether users connect an app: settings, policies, apps, grants.

Sources: Entra, "Audit activities in Microsoft Entra ID" (Core Directory); the properties of entries as logs that are
published with detection rules show them. No activity for permission classifications is documented, so an update of the
API that holds them counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from auditor.apps.audit_entries import (
    AuditTarget,
    ModifiedProperty,
    activity_of,
    actor_of,
    audit_time,
    succeeded,
    targets_of,
    words,
)
from auditor.consent.snapshot_index import SnapshotIndex
from auditor.facts.audit_activities import activities_by_kind
from auditor.model.access_resources import DirectoryAudit
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot

_SETTING, _POLICY, _APP, _GRANT = "setting", "policy", "app", "grant"
_WHAT_CHANGED = {
    _SETTING: "the consent settings changed",
    _POLICY: "a consent policy changed",
    _APP: "the app or what it asks for changed",
    _GRANT: "a grant of the app was removed",
}
_ADDED, _UPDATED, _REMOVED_GRANT = (
    "add service principal",
    "update service principal",
    "remove delegated permission grant",
)
_ASSIGNED = "permissiongrantpolicyidsassignedtodefaultuserrole"
_OF_APP = frozenset({"accountenabled", "approleassignmentrequired", "verifiedpublisher", "disabledbymicrosoftstatus"})
"""The properties of a service principal that decide, in lower case. An entry without properties may be about them."""
_NAMES = frozenset({"targetid.serviceprincipalnames", "included updated properties"})
"""Properties of an entry that say what it is about, and what the others are."""
_IRRELEVANT = frozenset(
    {
        *("allowinvitesfrom", "allowedtosignupemailbasedsubscriptions", "allowedtousesspr", "blockmsolpowershell"),
        *("allowemailverifieduserstojoinorganization", "defaultuserroleallowedtocreateapps"),
        *("defaultuserroleallowedtocreatesecuritygroups", "defaultuserroleallowedtocreatetenants"),
        *("defaultuserroleallowedtoreadbitlockerkeysforowneddevice", "defaultuserroleallowedtoreadotherusers"),
    }
)
"""The properties of the authorization policy that say nothing about consent, in lower case."""


class ConcernedObjects(NamedTuple):
    """The app ids and object ids, in lower case, of an app and of the APIs that it asks for."""

    app: frozenset[str]
    resources: frozenset[str] = frozenset()


class LoggedChange(NamedTuple):
    """A change that the audit log records. `targets` are the ids of what it is about.

    `is_of_app` says whether it can be about a property of an app that decides. `assigned_before` are the consent
    policies that users had before; none unless nothing else changed.
    """

    at: datetime
    time: str
    activity: str
    kind: str
    by: str
    targets: frozenset[str]
    is_of_app: bool = True
    assigned_before: tuple[str, ...] | None = None

    @property
    def clause(self) -> str:
        """What changed, when and by whom."""
        return f"{self.what} on {self.time[:10]}{f' by {self.by}' if self.by else ''}"

    @property
    def what(self) -> str:
        """What changed: ``the consent settings changed``."""
        return _WHAT_CHANGED[self.kind]

    @property
    def is_about_one_app(self) -> bool:
        """Whether the change is of an app or an API, and not of what holds for all."""
        return self.kind in (_APP, _GRANT)

    def concerns(self, objects: ConcernedObjects) -> bool:
        """Whether the change can decide about the app. An update of an API can be one of its classifications."""
        if not self.is_about_one_app:
            return True
        of_app = self.is_of_app and not self.targets.isdisjoint(objects.app)
        return of_app or not self.targets.isdisjoint(objects.resources)


def ids_of(index: SnapshotIndex, app_ids: Iterable[str]) -> frozenset[str]:
    """These app ids, in lower case, and the object ids of their service principals: an entry can name either."""
    named = {one.lower() for one in app_ids}
    found = (index.service_principal(one) for one in named)
    return frozenset(named | {one.id.lower() for one in found if isinstance(one, ServicePrincipal)}) - {""}


def logged_changes(snapshot: Snapshot) -> tuple[LoggedChange, ...]:
    """The changes of settings, policies and apps, the oldest first."""
    return _in_order(one for one in _changes(snapshot) if one.kind != _GRANT)


def removed_grants(snapshot: Snapshot) -> tuple[LoggedChange, ...]:
    """The delegated permissions that were taken away, the oldest first."""
    return _in_order(one for one in _changes(snapshot) if one.kind == _GRANT)


def _in_order(changes: Iterable[LoggedChange]) -> tuple[LoggedChange, ...]:
    return tuple(sorted(changes, key=lambda one: one.at))


def _changes(snapshot: Snapshot) -> Iterator[LoggedChange]:
    table = activities_by_kind()
    kinds = {name.lower(): kind for kind in (_SETTING, _POLICY, _APP) for name in table[kind]}
    # That an app was added says nothing about it: its first consent does that.
    kinds = {name: kind for name, kind in kinds.items() if name != _ADDED} | {_REMOVED_GRANT: _GRANT}
    for entry in snapshot.sections.directoryAudits or ():
        kind, at = kinds.get(activity_of(entry)), audit_time(entry.activityDateTime)
        if kind and at is not None and succeeded(entry) and (found := _change(entry, kind, at)):
            yield found


def _change(entry: DirectoryAudit, kind: str, at: datetime) -> LoggedChange | None:
    """The change, unless it is one of settings that say nothing about consent."""
    targets = tuple(targets_of(entry))
    properties = [one for target in targets for one in target.properties if one.name not in _NAMES]
    if kind == _SETTING and properties and all(one.name in _IRRELEVANT for one in properties):
        return None
    actor = actor_of(entry)
    named = {one.name for one in properties} | {word for one in properties for word in words(one.new)}
    return LoggedChange(
        at=at,
        time=entry.activityDateTime or "",
        activity=entry.activityDisplayName or "",
        kind=kind,
        by=(actor.name or actor.id) if actor else "",
        targets=frozenset(_ids(targets)) - {""},
        is_of_app=activity_of(entry) != _UPDATED or not properties or not named.isdisjoint(_OF_APP),
        assigned_before=_assigned_before(properties) if kind == _SETTING else None,
    )


def _ids(targets: Iterable[AuditTarget]) -> Iterator[str]:
    """The ids by which an entry names what it is about."""
    for target in targets:
        yield target.id
        yield target.new("serviceprincipal.objectid").lower()
        yield from words(target.new("targetid.serviceprincipalnames"))


def _assigned_before(properties: Iterable[ModifiedProperty]) -> tuple[str, ...] | None:
    """The consent policies that users had before, if an entry changed nothing else that decides."""
    changed = [one for one in properties if one.name not in _IRRELEVANT]
    if len(changed) != 1 or changed[0].name != _ASSIGNED:
        return None
    try:
        return msgspec.json.decode(changed[0].old, type=tuple[str, ...])
    except msgspec.MsgspecError:
        return None
