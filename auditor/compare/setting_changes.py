"""Changes of consent settings: the authorization policy, the workflow, directory settings and classifications.

Each change comes with a way to make it alone in another snapshot, so that its effect can be decided and isn't guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.compare.both_reads import BothReads
from auditor.compare.found_change import FoundChange, Move, change_of, with_section, with_transition
from auditor.consent.decision_facts import user_consent_setting
from auditor.consent.policies import other_entries, self_consent_ids
from auditor.consent.snapshot_index import NotRead, SnapshotIndex
from auditor.model.difference import ChangeKind
from auditor.model.resources import (
    AdminConsentRequestPolicy,
    AuthorizationPolicy,
    DefaultUserRolePermissions,
    DelegatedPermissionClassification,
    DirectorySetting,
)
from auditor.model.snapshot import Snapshot

_NAMES = {
    "allowUserConsentForRiskyApps": "User consent for risky apps",
    "guestUserRoleId": "What guests can do in the directory",
    "allowInvitesFrom": "Who can invite guests",
    "allowedToCreateApps": "Whether users can register apps",
    "isEnabled": "The admin consent workflow",
    "reviewers": "The reviewers of the admin consent workflow",
    "notifyReviewers": "Whether reviewers of the admin consent workflow are notified",
    "remindersEnabled": "Whether reviewers of the admin consent workflow are reminded",
    "requestDurationInDays": "How long a request for admin consent is valid, in days",
}
_NOT_SETTINGS = ("id", "displayName", "description", "version", "defaultUserRolePermissions")
_NULL_IS_A_VALUE = ("allowUserConsentForRiskyApps",)
"""Properties that Graph returns as null until somebody sets them."""
_ASSIGNED = "permissionGrantPoliciesAssigned"


def setting_changes(both: BothReads) -> Iterator[FoundChange]:
    """The changes of every setting that both reads have."""
    if pair := both.values("authorizationPolicy"):
        yield from _authorization(both, *pair)
    if pair := both.values("adminConsentRequestPolicy"):
        yield from _of_object("adminConsentRequestPolicy", AdminConsentRequestPolicy, "adminConsentWorkflow/", *pair)
    if pair := both.values("directorySettings"):
        yield from _directory_settings(both, *pair)
    if pair := both.values("delegatedPermissionClassifications"):
        yield from _classifications(both, *pair)


def _authorization(both: BothReads, old: AuthorizationPolicy, new: AuthorizationPolicy) -> Iterator[FoundChange]:
    yield from _assigned_policies(both)
    yield from _of_object("authorizationPolicy", AuthorizationPolicy, "", old, new)
    roles = old.defaultUserRolePermissions, new.defaultUserRolePermissions
    if roles[0] is None or roles[1] is None:
        return
    for name in DefaultUserRolePermissions.__struct_fields__:
        if name != _ASSIGNED:
            pair = getattr(roles[0], name), getattr(roles[1], name)
            found = None if None in pair else change_of(ChangeKind.SETTING, f"setting/{name}", _name(name), *pair)
            if found:
                yield FoundChange(found)


def _of_object(section: str, kind: type[msgspec.Struct], prefix: str, old: Any, new: Any) -> Iterator[FoundChange]:
    """The changes of the properties of a section that is one object; what one side has as null isn't known."""
    for name in kind.__struct_fields__:
        pair = getattr(old, name), getattr(new, name)
        if name in _NOT_SETTINGS or (None in pair and name not in _NULL_IS_A_VALUE):
            continue
        if found := change_of(ChangeKind.SETTING, f"setting/{prefix}{name}", _name(name), *pair):
            yield FoundChange(found, _move_property(section, name))


def _move_property(section: str, name: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        value = getattr(getattr(donor.sections, section), name)
        return with_section(to, section, msgspec.structs.replace(getattr(to.sections, section), **{name: value}))

    return move


def _name(name: str) -> str:
    return _NAMES.get(name, f"The setting {name}")


def _assigned_policies(both: BothReads) -> Iterator[FoundChange]:
    old, new = both.before.assigned_policies(), both.after.assigned_policies()
    if isinstance(old, NotRead) or isinstance(new, NotRead):
        both.note(
            "authorizationPolicy", "; ".join(dict.fromkeys(one.why for one in (old, new) if isinstance(one, NotRead)))
        )
        return
    key, users, owners = f"setting/{_ASSIGNED}", "users", "owners of teams, chats and groups"
    pair = self_consent_ids(old), self_consent_ids(new)
    if found := change_of(ChangeKind.SETTING, key, f"The consent policies for {users}", *pair):
        yield FoundChange(msgspec.structs.replace(found, means=_from_to(both)), _move_assigned(self_consent_ids))
    pair = other_entries(old), other_entries(new)
    if found := change_of(ChangeKind.SETTING, f"{key}/owners", f"The consent policies for {owners}", *pair):
        yield FoundChange(found, _move_assigned(other_entries))


def _from_to(both: BothReads) -> str:
    labels = [_label(index) for _, index in both.sides]
    return f'The user consent setting was "{labels[0]}" and is now "{labels[1]}".' if labels[0] != labels[1] else ""


def _label(index: SnapshotIndex) -> str:
    found = user_consent_setting(index)
    return found.why if isinstance(found, NotRead) else found.label


def _move_assigned(chosen: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Move:
    """Moves the entries that `chosen` selects, and keeps the others."""

    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        policy = to.sections.authorizationPolicy
        role = policy.defaultUserRolePermissions if policy else None
        if policy is None or role is None:
            return to
        kept = (entry for entry in _entries(to) if not chosen((entry,)))
        moved = (entry for entry in _entries(donor) if chosen((entry,)))
        role = msgspec.structs.replace(role, permissionGrantPoliciesAssigned=(*moved, *kept))
        policy = msgspec.structs.replace(policy, defaultUserRolePermissions=role)
        return with_section(to, "authorizationPolicy", policy)

    return move


def _entries(snapshot: Snapshot) -> tuple[str, ...]:
    policy = snapshot.sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    return (role.permissionGrantPoliciesAssigned or ()) if role else ()


def _directory_settings(
    both: BothReads, old: tuple[DirectorySetting, ...], new: tuple[DirectorySetting, ...]
) -> Iterator[FoundChange]:
    before, after = _by_template(old), _by_template(new)
    for template in dict.fromkeys((*before, *after)):
        if not both.covers("directorySettings", template):
            continue
        one, other = before.get(template), after.get(template)
        title = (one or other or DirectorySetting()).displayName or template
        values = [_values(side) for side in (one, other)]
        for name in dict.fromkeys((*values[0], *values[1])):
            pair = [side.get(name, (name, None)) for side in values]
            what = f"{pair[0][0] if pair[0][1] is not None else pair[1][0]} ({title})"
            key = f"setting/{template}/{name}"
            if found := change_of(ChangeKind.SETTING, key, what, pair[0][1], pair[1][1]):
                yield FoundChange(found, _move_directory_value(template, name))
        if one and other and one.id != other.id:
            key, what = f"setting/{template}/id", f"The id of the settings object {title}"
            if found := change_of(ChangeKind.SETTING, key, what, one.id, other.id, minor=True):
                yield FoundChange(found)


def _by_template(settings: tuple[DirectorySetting, ...]) -> dict[str, DirectorySetting]:
    """The settings objects by their template in lower case; the first of a template counts."""
    found: dict[str, DirectorySetting] = {}
    for one in settings:
        if name := (one.templateId or one.displayName or "").lower():
            found.setdefault(name, one)
    return found


def _values(setting: DirectorySetting | None) -> dict[str, tuple[str, str | None]]:
    """Name as spelled and value, by name in lower case."""
    found: dict[str, tuple[str, str | None]] = {}
    for one in (setting and setting.values) or ():
        if one.name:
            found.setdefault(one.name.lower(), (one.name, one.value))
    return found


def _move_directory_value(template: str, name: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        theirs = _by_template(donor.sections.directorySettings or ()).get(template)
        rows = to.sections.directorySettings or ()
        mine = _by_template(rows).get(template)
        given = tuple(one for one in (theirs and theirs.values) or () if (one.name or "").lower() == name)
        if mine is None:
            added = () if theirs is None else (msgspec.structs.replace(theirs, values=given),)
            return with_section(to, "directorySettings", (*rows, *added))
        kept = tuple(one for one in mine.values or () if (one.name or "").lower() != name)
        changed = msgspec.structs.replace(mine, values=(*kept, *given))
        return with_section(to, "directorySettings", tuple(changed if one is mine else one for one in rows))

    return move


_Classified = Mapping[str, tuple[DelegatedPermissionClassification, ...]]
_BY_PERMISSION = dict[str, DelegatedPermissionClassification]


def _classifications(both: BothReads, old: _Classified, new: _Classified) -> Iterator[FoundChange]:
    section = "delegatedPermissionClassifications"
    before, after = _by_permission(old), _by_permission(new)
    for app in sorted(before.keys() & after.keys()):
        if both.lacks(section, app):
            continue
        resource = both.after.resource_name(app)
        for permission in sorted(before[app].keys() | after[app].keys()):
            one, other = before[app].get(permission), after[app].get(permission)
            name = next((row.permissionName for row in (other, one) if row and row.permissionName), permission)
            what, key = f"The classification of {name} ({resource})", f"classification/{app}/{permission}"
            pair = one.classification if one else None, other.classification if other else None
            found = change_of(ChangeKind.CLASSIFICATION, key, what, *pair)
            if found is None and one and other:
                found = change_of(ChangeKind.CLASSIFICATION, key, f"{what}: its id", one.id, other.id, minor=True)
            if found:
                yield FoundChange(with_transition(found), _move_classification(app, permission))


def _by_permission(section: _Classified) -> dict[str, _BY_PERMISSION]:
    """The entries by app and permission; the last entry of a permission counts, as in a decision."""
    return {
        app.lower(): {row.permissionId.lower(): row for row in rows if row.permissionId}
        for app, rows in section.items()
    }


def _move_classification(app: str, permission: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        theirs = donor.sections.delegatedPermissionClassifications or {}
        section = dict(to.sections.delegatedPermissionClassifications or {})
        given = [row for key, rows in theirs.items() if key.lower() == app for row in rows if _is(row, permission)]
        for key in [key for key in section if key.lower() == app][:1]:
            section[key] = (*(row for row in section[key] if not _is(row, permission)), *given)
        return with_section(to, "delegatedPermissionClassifications", section)

    return move


def _is(row: DelegatedPermissionClassification, permission: str) -> bool:
    return row.permissionId.lower() == permission
