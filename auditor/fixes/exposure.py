"""The exposure of a change: who can then use this app, what opens to other apps, and both in one or two sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

import msgspec

from auditor.consent import Truth, all_of
from auditor.consent.existing_grants import ALL_PRINCIPALS, granted_names
from auditor.consent.explanation import listed
from auditor.consent.requested_access import Client, client_of
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.facts.ids import BASIC_SCOPES, RESOURCE_NAMES, cloud_named
from auditor.fixes.exposure_classes import (
    AUDIENCE_WEIGHT,
    WEIGHT_VIEW,
    AppClass,
    ScopeRef,
    count_by_kind,
)
from auditor.fixes.exposure_openings import ClassExposure, GovernanceChange, compare, openings, resources_from_table
from auditor.model.decision import RoleState
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot


class Breadth(IntEnum):
    """Who can do more with this app than before."""

    NOBODY = 0
    NAMED = 1
    """The users and groups that the change names."""
    ASSIGNED = 2
    """Everyone who is assigned to the app."""
    EVERYBODY = 3
    """Every user in the tenant, through an administrator's grant or their own consent."""


class AppUse(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for the use of this app, independently of the consent policies.

    `granted` is newly granted to every user. `reached` was granted to every user before, but the app was switched off
    or open only to assigned users, and `switched_on` or `opened_to_all` ends that. `users` counts the users
    who get a new personal grant, `assigned` the newly assigned users and groups. `roles` are application permissions
    that the app newly holds, which it has for the whole tenant and without a user. `restricted` is true if only
    assigned users can use the app afterwards.
    """

    granted: tuple[ScopeRef, ...] = ()
    reached: tuple[ScopeRef, ...] = ()
    switched_on: bool = False
    users: int = 0
    assigned: int = 0
    roles: tuple[ScopeRef, ...] = ()
    restricted: bool = False
    opened_to_all: bool = False


_Scopes = Mapping[tuple[str, str], ScopeRef]


def app_use(before: Snapshot, after: Snapshot, app: App) -> AppUse:
    """What the change does to the grants, the assignments and the settings of `app` itself."""
    was, now = client_of(before, app), client_of(after, app)
    had, has = _tenant_wide(before, was), _tenant_wide(after, now)
    switched_on = _is_on(was) is Truth.FALSE and _is_on(now) is not Truth.FALSE
    opened_to_all = was.assignment_required is Truth.TRUE and now.assignment_required is Truth.FALSE
    return AppUse(
        granted=_sorted(ref for key, ref in has.items() if key not in had),
        reached=_sorted(ref for key, ref in has.items() if key in had) if switched_on or opened_to_all else (),
        switched_on=switched_on,
        users=_users_with_more(before, was, after, now),
        assigned=len(_assigned(after, app) - _assigned(before, app)),
        roles=_new_roles(before, after, app),
        restricted=now.assignment_required is Truth.TRUE,
        opened_to_all=opened_to_all,
    )


def _is_on(client: Client) -> Truth:
    return all_of((client.enabled, ~client.deactivated, ~client.disabled_by_microsoft))


def _tenant_wide(snapshot: Snapshot, client: Client) -> _Scopes:
    rows = index_of(snapshot).grants_of(client.object_id)
    return _scopes(snapshot, (row for row in rows if row.consentType.lower() == ALL_PRINCIPALS))


def _users_with_more(before: Snapshot, was: Client, after: Snapshot, now: Client) -> int:
    """How many users have a personally granted scope that they did not have before."""
    had, has = _own(before, was), _own(after, now)
    return sum(1 for user, scopes in has.items() if scopes - had.get(user, set()))


def _own(snapshot: Snapshot, client: Client) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for row in index_of(snapshot).grants_of(client.object_id):
        if row.consentType.lower() != ALL_PRINCIPALS:
            found.setdefault((row.principalId or "").lower(), set()).update(_scopes(snapshot, (row,)))
    return found


def _scopes(snapshot: Snapshot, rows: Iterable[OAuth2PermissionGrant]) -> _Scopes:
    """The scopes of these grants. A resource whose service principal was not read is named by its object id."""
    index = index_of(snapshot)
    found: dict[tuple[str, str], ScopeRef] = {}
    for row in rows:
        principal = index.principal_with_id(row.resourceId)
        resource = principal.appId.lower() if principal else row.resourceId.lower()
        name = index.resource_name(resource)
        for scope in granted_names(row.scope):
            found.setdefault((resource, scope.lower()), ScopeRef(resource, scope, name))
    return found


def _assigned(snapshot: Snapshot, app: App) -> set[str]:
    entries = index_of(snapshot).assigned_to(app.client_id)
    people = () if isinstance(entries, NotRead) else entries
    return {e.principalId.lower() for e in people if (e.principalType or "User").lower() in ("user", "group")}


def _new_roles(before: Snapshot, after: Snapshot, app: App) -> tuple[ScopeRef, ...]:
    """The application permissions that the app needs and that the change grants."""
    if not app.app_roles:
        return ()
    from auditor.consent.app_roles import app_roles

    had = {(one.resource, one.role): one.state for one in app_roles(index_of(before), app, client_of(before, app))}
    has = app_roles(index_of(after), app, client_of(after, app))
    granted = RoleState.GRANTED
    new = (one for one in has if one.state is granted and had.get((one.resource, one.role)) is not granted)
    return _sorted(ScopeRef(one.resource, one.role, one.resource_name) for one in new)


def _sorted(refs: Iterable[ScopeRef]) -> tuple[ScopeRef, ...]:
    return tuple(sorted(refs, key=lambda ref: (ref.resource, ref.scope.lower())))


_Refs = tuple[ScopeRef, ...]


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What else becomes possible with a change.

    `weight` covers every app except this one; `breadth` says who can do more with this one. `notes` say what the
    counts depend on where that was not read.
    """

    classes: Mapping[AppClass, ClassExposure]
    use: AppUse
    summary: str
    weight: int
    breadth: Breadth
    consent_policy_changes: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the change opens and closes nothing, for this app or any other."""
        return self.breadth is Breadth.NOBODY and all(c.is_empty for c in self.classes.values())


def exposure(before: Snapshot, after: Snapshot, app: App, *, as_registered: bool = False) -> Exposure:
    """What becomes possible when the tenant changes from `before` to `after`, beyond the purpose of the change.

    Decided for users with the default role. Data that was not read is counted separately, never as nothing. With
    `as_registered`, the grants in `after` represent what the app's registration lists, which was not read.
    """
    compared = compare(before, after, app)
    classes, use = openings(compared), app_use(before, after, app)
    made = _Summary(compared=compared, classes=classes, use=use, as_registered=as_registered)
    return Exposure(
        classes=classes,
        use=msgspec.structs.replace(use, granted=()) if as_registered else use,
        summary=_summary(made),
        weight=sum(AUDIENCE_WEIGHT[kind] * one.weight for kind, one in classes.items()),
        breadth=_breadth(use, classes[AppClass.THIS]),
        consent_policy_changes=compared.policies_differ,
        notes=tuple(_notes(made)),
    )


def _breadth(use: AppUse, this: ClassExposure) -> Breadth:
    if use.opened_to_all or this.opened or this.not_known or use.roles:
        return Breadth.EVERYBODY
    if use.granted or use.switched_on:
        return Breadth.ASSIGNED if use.restricted else Breadth.EVERYBODY
    return Breadth.NAMED if use.users or use.assigned else Breadth.NOBODY


def as_opens(found: Exposure) -> dict[str, Any]:
    """The exposure as the report's JSON has it in ``Fix.opens``: names sorted, and only classes with a change."""
    return {
        "summary": found.summary,
        "consent_policy_changes": found.consent_policy_changes,
        "by_class": {kind.value: _class(one) for kind, one in found.classes.items() if not one.is_empty},
        "granted": _names(found.use.granted),
        "reached": _names(found.use.reached),
        "application": _names(found.use.roles),
        "breadth": found.breadth.name.lower(),
        "weight": found.weight,
        "weighed_by": WEIGHT_VIEW if found.weight else "",
        "notes": list(found.notes),
    }


def _class(one: ClassExposure) -> dict[str, Any]:
    return {
        "opened": _names(one.opened),
        "closed": _names(one.closed),
        "not_known": _names(one.not_known),
        "by_kind": {kind.value: count for kind, count in count_by_kind(one.opened).items()},
    }


def _names(refs: _Refs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ref in refs:
        found.setdefault(ref.resource_name, []).append(ref.scope)
    return found


_AUDIENCES = {
    AppClass.UNVERIFIED: "every app of an unverified publisher",
    AppClass.VERIFIED: "every app of a verified publisher",
    AppClass.OWN: "every app registered in this tenant",
    AppClass.NAMED: "other apps that a policy names",
}
_SHORT_NAMES = {
    AppClass.UNVERIFIED: "unverified apps",
    AppClass.VERIFIED: "apps of verified publishers",
    AppClass.OWN: "apps of this tenant",
}


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The results that the sentences are written from."""

    compared: GovernanceChange
    classes: Mapping[AppClass, ClassExposure]
    use: AppUse
    as_registered: bool = False

    @property
    def others(self) -> dict[AppClass, ClassExposure]:
        """The classes of apps other than this one."""
        return {kind: self.classes[kind] for kind in _AUDIENCES}

    @property
    def generic(self) -> dict[AppClass, ClassExposure]:
        """The classes to which every app in this cloud belongs."""
        verified = cloud_named(self.compared.after.cloud).verifies_publishers
        return {kind: self.classes[kind] for kind in _SHORT_NAMES if verified or kind is not AppClass.VERIFIED}


def _summary(made: _Summary) -> str:
    """What opens for other apps, then for this one; if nothing opens, the summary says so."""
    return " ".join((*_other_apps(made), *_this_app(made)))


def _other_apps(made: _Summary) -> Iterator[str]:
    audiences = _audiences(made, lambda one: one.opened)
    if not audiences and not any(one.not_known for one in made.others.values()):
        yield "Nothing for other apps."
    if audiences:
        (who, first), *rest = audiences
        clauses = [f"Users could then consent to {_more(first)} for {who}: {_kinds(first)}"]
        clauses += [f"{_more(refs)} for {also}: {_kinds(refs)}" for also, refs in rest]
        spared = [_SHORT_NAMES[kind] for kind, one in made.generic.items() if not one.opened and not one.not_known]
        clauses += [f"nothing more for {listed(spared, 'or')}"] if spared else []
        yield "; ".join(clauses) + "."
    for who, refs in _audiences(made, lambda one: one.not_known):
        yield f"Whether {_more(refs)} {_open(refs)} for {who} is not known: {_kinds(refs)}."
    if closed := _audiences(made, lambda one: one.closed):
        lost = "; or to ".join(f"{_scope_count(refs)} for {who}" for who, refs in closed)
        yield f"Users could no longer consent to {lost}."
    yield from _step_up(made)


def _step_up(made: _Summary) -> Iterator[str]:
    if made.compared.step_up_turned_off:
        yield "Risk-based step-up consent would no longer protect users from unverified apps."
    elif made.compared.step_up_on and any(
        ref.scope.lower() not in BASIC_SCOPES for ref in made.classes[AppClass.UNVERIFIED].opened
    ):
        yield "Risk-based step-up consent would likely still require an administrator for unverified apps."


def _audiences(made: _Summary, part: Callable[[ClassExposure], _Refs]) -> list[tuple[str, _Refs]]:
    """The classes that get the same scopes, in words, and the scopes; the most scopes first."""
    same: dict[_Refs, list[AppClass]] = {}
    for kind, one in made.others.items():
        if refs := part(one):
            same.setdefault(refs, []).append(kind)
    each = [(_who(made, kinds), refs) for refs, kinds in same.items()]
    return sorted(each, key=lambda pair: -len(pair[1]))


def _who(made: _Summary, kinds: list[AppClass]) -> str:
    if set(made.generic) <= set(kinds):
        return "any app"
    return listed(_AUDIENCES[kind] for kind in kinds)


def _this_app(made: _Summary) -> Iterator[str]:
    app, used = made.compared.app.label, made.use
    everybody = "Every user who is assigned to it" if used.restricted else "Every user of the tenant"
    if used.granted and made.as_registered:
        yield (
            f"{everybody} could use {app} with every permission that its registration lists. The registration can't be"
            " read in this tenant; the consent prompt shows the list."
        )
    elif used.granted:
        yield f"{everybody} could use {app} with {_more(used.granted)}: {_kinds(used.granted)}."
    before = f" with {_scope_count(used.reached)} granted before: {_kinds(used.reached)}" if used.reached else ""
    if used.opened_to_all:
        yield f"Every user of the tenant could use {app}, not only those assigned to it{',' if before else ''}{before}."
    elif used.switched_on:
        yield f"{everybody} could use {app} again{before}."
    if used.roles:
        yield f"{app} could act in the whole tenant without a user: {_held_without_user(used.roles)}."
    if used.users:
        yield f"{_count(used.users, 'user')} could use {app} with more scopes, granted only to them."
    if used.assigned:
        yield f"{_count(used.assigned, 'more user or group', 'more users or groups')} could use {app}."
    yield from _consent_to_this_app(made)


def _held_without_user(roles: _Refs) -> str:
    """The application permissions by resource, and that they reach every mailbox, if they do."""
    from auditor.consent.app_roles import NEEDS_MAILBOXES

    names = "; ".join(f"{listed(scopes)} of {resource}" for resource, scopes in _names(roles).items())
    reaches = any((ref.resource, ref.scope.lower()) in NEEDS_MAILBOXES for ref in roles)
    return f"{names}{', in every mailbox of the tenant' if reaches else ''}"


def _consent_to_this_app(made: _Summary) -> Iterator[str]:
    app, this = made.compared.app.label, made.classes[AppClass.THIS]
    generic = made.generic.values()
    alone = _without(this.opened, *(one.opened for one in generic))
    if alone and (made.use.switched_on or made.use.opened_to_all):
        yield f"The tenant's policies then let users consent to {_scope_count(alone)} for it."
    elif alone:
        yield f"Users could consent to {_more(alone)} for {app} alone: {_kinds(alone)}."
    if unknown := _without(this.not_known, *(one.not_known for one in generic)):
        yield f"Whether {_more(unknown)} {_open(unknown)} for {app} is not known."
    if closed := _without(this.closed, *(one.closed for one in generic)):
        yield f"Users could no longer consent to {_scope_count(closed)} for {app}."


def _without(refs: _Refs, *others: _Refs) -> _Refs:
    listed_already = {ref for other in others for ref in other}
    return tuple(ref for ref in refs if ref not in listed_already)


def _notes(made: _Summary) -> Iterator[str]:
    """What the counts depend on where the tenant itself was not read."""
    after = made.compared.after
    touched = {ref.resource for one in made.classes.values() for ref in (*one.opened, *one.closed, *one.not_known)}
    for resource in resources_from_table(after):
        if resource in touched:
            yield f"The scopes of {RESOURCE_NAMES[resource]} were not read; the published list is used instead."
    wide = any(one.opened or one.not_known for one in made.others.values())
    if wide and (after.sections.servicePrincipals is None or "servicePrincipals" in after.covers):
        yield "The scopes of other resources were not read and are not counted."
    if touched and any(policy.documented for policy in made.compared.policies):
        yield "For consent policies that were not read, Microsoft's documentation is used instead."


def _kinds(refs: _Refs) -> str:
    return ", ".join(f"{kind} ({count})" for kind, count in count_by_kind(refs).items())


def _more(refs: _Refs) -> str:
    return _count(len(refs), "more scope")


def _scope_count(refs: _Refs) -> str:
    return _count(len(refs), "scope")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _open(refs: _Refs) -> str:
    return "opens" if len(refs) == 1 else "open"
