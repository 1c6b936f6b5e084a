"""Changes of enterprise applications: new and removed ones, what decides whether they work, and who is assigned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.compare.both_reads import BothReads
from auditor.compare.found_change import FoundChange, Move, change_of, normal, with_section, with_transition
from auditor.consent.snapshot_index import Absent, SnapshotIndex
from auditor.model.difference import Change, ChangeKind, Weight
from auditor.model.resources import AppRoleAssignment, DelegatedScope, ServicePrincipal
from auditor.model.snapshot import Snapshot

_SECTION = "servicePrincipals"
_ASSIGNED = "appRoleAssignedTo"
_APP = "serviceprincipal"
_LISTED = 20
"""How many scopes or people a value lists."""


def app_changes(both: BothReads) -> Iterator[FoundChange]:
    """The changes of every enterprise application that both reads cover."""
    if pair := both.values(_SECTION):
        before, after = (_by_app(section) for section in pair)
        # Graph says of an app by its id that it isn't there, in a separate section.
        absent = {
            app.lower() for _, index in both.sides for app in index.snapshot.sections.absentServicePrincipals or ()
        }
        for app in dict.fromkeys((*before, *after)):
            old, new = before.get(app), after.get(app)
            if old is not None and new is not None:
                if old is not new and old != new:
                    yield from _properties(app, old, new)
            elif app in absent or both.covers(_SECTION, app):
                yield from _presence(both, app, old, new)
    if pair := both.values(_ASSIGNED):
        yield from _assignments(both, *pair)


def _by_app(section: tuple[ServicePrincipal, ...]) -> dict[str, ServicePrincipal]:
    found: dict[str, ServicePrincipal] = {}
    for one in section:
        if one.appId:
            found.setdefault(one.appId.lower(), one)
    return found


def name_of(principal: ServicePrincipal) -> str:
    """What to call an enterprise application."""
    return principal.name or f"app {principal.appId}"


def _presence(
    both: BothReads, app: str, old: ServicePrincipal | None, new: ServicePrincipal | None
) -> Iterator[FoundChange]:
    lacking: SnapshotIndex = both.before if old is None else both.after
    one = old or new
    if one is None or not isinstance(lacking.service_principal(app), Absent):
        return
    values = [
        None if side is None else {"name": name_of(side), "publisher": _publisher(side), "enabled": side.accountEnabled}
        for side in (old, new)
    ]
    found = change_of(ChangeKind.APP, f"app/{app}", name_of(one), *values)
    if found:
        added = f"{name_of(one)} is new in the tenant: somebody consented to it or added it."
        means = added if old is None else f"{name_of(one)} is no longer in the tenant, and its grants are gone with it."
        yield FoundChange(_about(with_transition(found), app, means), _move_app(app), frozenset({app}))


def _publisher(principal: ServicePrincipal) -> str | None:
    """The verified publisher's id; empty for none, and none where that was not read."""
    publisher = principal.verifiedPublisher
    if publisher is None or publisher.is_verified is None:
        return None
    return publisher.verifiedPublisherId or ""


def _publisher_value(principal: ServicePrincipal) -> Any:
    publisher = principal.verifiedPublisher
    if publisher is None or publisher.is_verified is None:
        return None
    return {"name": publisher.displayName, "id": publisher.verifiedPublisherId} if publisher.is_verified else "none"


def _deactivated(principal: ServicePrincipal) -> bool:
    # Graph returns null while the app works, and also where a cloud doesn't know the property.
    return bool(principal.isDisabled)


def _disabled_by_microsoft(principal: ServicePrincipal) -> str:
    return principal.disabledByMicrosoftStatus or "NotDisabled"


_PROPERTIES: Mapping[str, tuple[str, Callable[[ServicePrincipal], Any], str, Mapping[Any, str]]] = {
    "enabled": (
        "whether users can sign in",
        lambda one: one.accountEnabled,
        "accountEnabled",
        {
            False: "{app} is disabled: nobody can sign in to it.",
            True: "{app} is enabled: users can sign in to it again.",
        },
    ),
    "deactivated": (
        "whether its owner has deactivated it",
        _deactivated,
        "isDisabled",
        {True: "{app} was deactivated, so that no tenant can use it.", False: "{app} is no longer deactivated."},
    ),
    "disabled-by-microsoft": (
        "whether Microsoft has disabled it",
        _disabled_by_microsoft,
        "disabledByMicrosoftStatus",
        {},
    ),
    "assignment-required": (
        "whether users must be assigned to it",
        lambda one: one.appRoleAssignmentRequired,
        "appRoleAssignmentRequired",
        {
            True: "Only users who are assigned to {app} can use it, and no user can consent to it.",
            False: "{app} no longer requires assignment.",
        },
    ),
    "publisher": ("its verified publisher", _publisher_value, "verifiedPublisher", {}),
    "owner": ("the tenant that owns it", lambda one: one.appOwnerOrganizationId, "appOwnerOrganizationId", {}),
    "redirect-uris": ("its redirect URIs", lambda one: one.replyUrls, "replyUrls", {}),
    "kind": ("its kind", lambda one: one.servicePrincipalType, "servicePrincipalType", {}),
}
"""What decides about an app, by the name in the key: its words, its value, its property, and what a value means."""


def _properties(app: str, old: ServicePrincipal, new: ServicePrincipal) -> Iterator[FoundChange]:
    for name, (what, value, prop, meanings) in _PROPERTIES.items():
        pair = value(old), value(new)
        if None in pair:
            continue
        if found := change_of(ChangeKind.APP, f"app/{app}/{name}", f"{name_of(new)}: {what}", *pair):
            means = meanings.get(pair[1], "") if isinstance(pair[1], (bool, str)) else ""
            if name == "publisher":
                found = _only_renamed(found, old, new)
            yield FoundChange(
                _about(found, app, means.format(app=name_of(new))), _move_property(app, prop), frozenset({app})
            )
    yield from _scopes(app, old, new)
    names = [{"id": one.id.lower(), "name": name_of(one)} for one in (old, new)]
    if found := change_of(
        ChangeKind.APP, f"app/{app}/name", f"{name_of(new)}: its name or object id", *names, minor=True
    ):
        yield FoundChange(_about(found, app, ""))


def _only_renamed(change: Change, old: ServicePrincipal, new: ServicePrincipal) -> Change:
    """A minor change if the publisher is the same and only its name differs."""
    same = normal(_publisher(old)) == normal(_publisher(new))
    return msgspec.structs.replace(change, weight=Weight.MINOR) if same else change


def _scopes(app: str, old: ServicePrincipal, new: ServicePrincipal) -> Iterator[FoundChange]:
    """The permissions that a resource publishes: who may consent to one matters, a new one that nobody asks for not."""
    if old.oauth2PermissionScopes is None or new.oauth2PermissionScopes is None:
        return
    before, after = _published(old.oauth2PermissionScopes), _published(new.oauth2PermissionScopes)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if not changed:
        return
    matters = any(name in before and name in after for name in changed)
    more = [{"more": len(changed) - _LISTED}] if len(changed) > _LISTED else []
    values = [[*(side[name] for name in changed[:_LISTED] if name in side), *more] for side in (before, after)]
    what = f"{name_of(new)}: the permissions that it publishes"
    found = change_of(ChangeKind.APP, f"app/{app}/scopes", what, *values, minor=not matters)
    if found:
        yield FoundChange(_about(found, app, ""), _move_property(app, "oauth2PermissionScopes"), frozenset({app}))


def _published(scopes: tuple[DelegatedScope, ...]) -> dict[str, dict[str, Any]]:
    return {
        one.value.lower(): {"scope": one.value, "type": one.type, "enabled": one.isEnabled}
        for one in scopes
        if one.value
    }


def _about(change: Change, app: str, means: str) -> Change:
    return msgspec.structs.replace(change, client_id=app, means=means)


_Assigned = Mapping[str, tuple[AppRoleAssignment, ...]]


def _assignments(both: BothReads, old: _Assigned, new: _Assigned) -> Iterator[FoundChange]:
    """Users and groups that were assigned to an app, or no longer are; what apps hold is a grant."""
    before, after = ({app.lower(): rows for app, rows in section.items()} for section in (old, new))
    for app in sorted(before.keys() & after.keys()):
        if before[app] == after[app] or both.lacks(_ASSIGNED, app):
            continue
        people = [_people(rows) for rows in (before[app], after[app])]
        gained, lost = people[1].keys() - people[0].keys(), people[0].keys() - people[1].keys()
        name = both.after.resource_name(app)
        if not gained and not lost:
            continue
        values = [
            {"number": len(side), "assigned": sorted(side[one] for one in only)[:_LISTED]}
            for side, only in zip(people, (lost, gained), strict=True)
        ]
        found = change_of(ChangeKind.APP, f"app/{app}/assigned", f"{name}: who is assigned to it", *values)
        if found:
            means = f"{len(gained)} more and {len(lost)} fewer users or groups are assigned to {name}."
            yield FoundChange(_about(found, app, means), _move_assignments(app), frozenset({app}))


def _people(rows: tuple[AppRoleAssignment, ...]) -> dict[tuple[str, str], str]:
    return {
        (row.principalId.lower(), (row.appRoleId or "").lower()): row.principalDisplayName or row.principalId
        for row in rows
        if (row.principalType or "").lower() != _APP
    }


def _move_app(app: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        kept = [one for one in to.sections.servicePrincipals or () if one.appId.lower() != app]
        given = [one for one in donor.sections.servicePrincipals or () if one.appId.lower() == app]
        moved = with_section(to, _SECTION, (*kept, *given))
        absent = tuple(one for one in to.sections.absentServicePrincipals or () if one.lower() != app)
        return with_section(moved, "absentServicePrincipals", absent if given else (*absent, app))

    return move


def _move_property(app: str, prop: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        theirs = next((one for one in donor.sections.servicePrincipals or () if one.appId.lower() == app), None)
        if theirs is None:
            return to
        value = {prop: getattr(theirs, prop)}
        rows = to.sections.servicePrincipals or ()
        changed = (msgspec.structs.replace(one, **value) if one.appId.lower() == app else one for one in rows)
        return with_section(to, _SECTION, tuple(changed))

    return move


def _move_assignments(app: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        theirs = donor.sections.appRoleAssignedTo or {}
        mine = to.sections.appRoleAssignedTo or {}
        given = next((rows for key, rows in theirs.items() if key.lower() == app), ())
        return with_section(to, _ASSIGNED, {key: given if key.lower() == app else rows for key, rows in mine.items()})

    return move
