"""Checks on what apps hold: delegated grants and application permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import ClassVar, Literal, NamedTuple

from auditor.checks.app_filter import (
    Apps,
    Owner,
    Publisher,
    State,
    apps_phrase,
    filter_problems,
    narrow_filter,
    owner_phrase,
    state_phrase,
)
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
    not_applicable,
    passed,
    unknown,
)
from auditor.checks.permission_lists import (
    Scopes,
    list_problems,
    named_lists,
    narrow_lists,
    narrow_scopes,
    phrase_of,
    phrase_of_lists,
    scope_problems,
    scopes_by_resource,
)
from auditor.consent import Truth, all_of, known
from auditor.consent.existing_grants import Alike, alike_grants, granted_names, names_without_effect, scopes_in
from auditor.consent.explanation import listed
from auditor.consent.snapshot_index import Absent, NotRead, grants_as_spelled, index_of
from auditor.facts.permissions import ADMIN_ONLY, APP_ROLES, known_scopes
from auditor.model.document import Point
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.rule import App
from auditor.model.snapshot import Plan, Snapshot, lowered

SHOWN = 50
"""Apps that the evidence names; the reason gives their number."""
_NO_VERIFICATION = "publishers aren't verified in this cloud, so the rule would report every app"
_GRANTS = {"any": "delegated grants", "tenant-wide": "tenant-wide grants", "users": "grants by users"}
_NO_GRANT = {
    "any": "No delegated grant",
    "tenant-wide": "No delegated grant for the whole tenant",
    "users": "No delegated grant of single users",
}


class HeldPermissions(NamedTuple):
    """What one app holds, and whether the check is about it."""

    client: str
    """The object id of the app, in lower case."""
    names: str
    """The names of the permissions, with spaces between them."""
    truth: Truth
    grants: Alike | None = None
    """The grants by which the app holds them; none if it holds them itself."""

    @property
    def of_users(self) -> bool:
        """Whether single users granted them."""
        return self.grants is not None and not self.grants.is_tenant_wide


class DelegatedGrants(CheckKind, frozen=True, tag="delegated-grants"):
    """No delegated grant has scopes of the `lists` or `scopes` (without either, any scope) and matches the rest.

    A grant to an app that is no longer in the directory makes the rule unknown if it has a `publisher` or an `owner`:
    only the `state` of such an app is known.
    """

    setting_id: ClassVar[str] = "delegated-permissions"
    consent: Literal["any", "tenant-wide", "users"] = "any"
    lists: tuple[str, ...] = ()
    scopes: Scopes = {}
    publisher: Publisher = "any"
    owner: Owner = "any"
    state: State = "any"

    def reads(self, app: App | None) -> Plan:
        return Plan(whole=("oauth2PermissionGrants", "servicePrincipals"))

    def sentence(self) -> Point:
        subject, owner, state = _NO_GRANT[self.consent], owner_phrase(self), state_phrase(self)
        belongs = f"belongs to an app{owner}{f' that {state}' if state else ''}" if owner or state else ""
        if self.lists or self.scopes:
            has = f"has a permission of {phrase_of(self.lists, self.scopes)}"
            return Point(f"{subject} {has}{f' and {belongs}' if belongs else ''}.")
        return Point(f"{subject} {belongs or 'exists'}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from list_problems(arguments)
        yield from scope_problems(arguments)
        yield from filter_problems(arguments)

    def judge(self, context: CheckContext) -> CheckResult:
        rows = context.snapshot.sections.oauth2PermissionGrants
        if rows is None:
            return unknown(context.index.not_read("oauth2PermissionGrants").why)
        if self.publisher != "any" and not context.apps.verifies_publishers:
            return not_applicable(_NO_VERIFICATION)
        return _result(
            tuple(self._held(context.apps, rows)),
            context.apps,
            section="oauth2PermissionGrants",
            what=f"{_GRANTS[self.consent]} of {self._scopes_phrase()} to {apps_phrase(self)}",
            partial=context.index.why_partial("oauth2PermissionGrants"),
        )

    def further_reads(self, snapshot: Snapshot) -> Plan:
        """The resources whose scopes decide whether a grant has permissions that only administrators may grant.

        Only resources on which an app that the check is about holds a grant: their number doesn't grow with the
        directory.
        """
        if ADMIN_ONLY not in self.lists:
            return Plan()
        apps = Apps(index_of(snapshot))
        wanted = scopes_by_resource(self.lists, self.scopes)
        found: set[str] = set()
        for grants, clients in alike_grants(snapshot.sections.oauth2PermissionGrants).items():
            resource = apps.index.principal_with_id(grants.resource)
            if resource is None or resource.appId.lower() in found or self._of_kind(grants) is Truth.FALSE:
                continue
            undecided = (scopes and sure is Truth.UNKNOWN for scopes, sure in self._matching(grants, apps, wanted))
            if any(undecided) and any(apps.matches(client, self) is not Truth.FALSE for client in clients):
                found.add(resource.appId.lower())
        return Plan(resources=tuple(sorted(found)))

    def _scopes_phrase(self) -> str:
        lists = [named_lists(self.lists)] if self.lists else []
        return listed((*lists, *(s for many in self.scopes.values() for s in many)), "or") or "any scope"

    def _held(self, apps: Apps, rows: tuple[OAuth2PermissionGrant, ...]) -> Iterator[HeldPermissions]:
        wanted = scopes_by_resource(self.lists, self.scopes)
        truths: dict[str, Truth] = {}
        for grants, clients in alike_grants(rows).items():
            kind = self._of_kind(grants)
            if kind is Truth.FALSE:
                continue
            for scopes, sure in self._matching(grants, apps, wanted):
                if scopes:
                    names, is_sure = " ".join(_as_granted(grants.scope, scopes)), kind is sure is Truth.TRUE
                    spelled = tuple(clients)
                    for client, lower in zip(spelled, lowered(spelled), strict=True):
                        if (matches := truths.get(client)) is None:
                            matches = truths[client] = apps.matches(client, self)
                        truth = matches if is_sure else all_of((kind, matches, sure))
                        if truth is not Truth.FALSE:
                            yield HeldPermissions(lower, names, truth, grants)

    def _of_kind(self, grants: Alike) -> Truth:
        """Whether the grants are of the kind of consent that the check is about."""
        if self.consent == "any":
            return Truth.TRUE
        return known(grants.is_tenant_wide is (self.consent == "tenant-wide") if grants.is_known_kind else None)

    def _matching(
        self, grants: Alike, apps: Apps, wanted: Mapping[str, frozenset[str]]
    ) -> Iterator[tuple[frozenset[str], Truth]]:
        """The scopes of the grants that the check is about, and those that it may be about."""
        scopes = scopes_in(grants.scope)
        resource = apps.index.principal_with_id(grants.resource)
        admin_only = ADMIN_ONLY in self.lists
        if not self.lists and not self.scopes:
            yield scopes, Truth.TRUE
        elif resource is None or not resource.appId:
            # A grant on a resource that is no longer in the directory gives nothing.
            if apps.partial or resource:
                yield (scopes if admin_only else scopes & frozenset[str]().union(*wanted.values())), Truth.UNKNOWN
        else:
            named = wanted.get(resource.appId.lower(), frozenset())
            users_may = {s: apps.users_may_grant(resource, s) for s in scopes - named} if admin_only else {}
            yield frozenset(s for s, truth in users_may.items() if truth is Truth.UNKNOWN), Truth.UNKNOWN
            yield scopes & named | {s for s, truth in users_may.items() if truth is Truth.FALSE}, Truth.TRUE

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_lists(definition)
        narrow_scopes(definition)
        narrow_filter(definition)


def _as_granted(text: str, scopes: Iterable[str]) -> list[str]:
    """The scopes as the grant spells them, once each."""
    spelling = {name.lower(): name for name in sorted(granted_names(text))}
    return sorted((spelling[scope] for scope in scopes), key=str.lower)


class GrantsInEffect(CheckKind, frozen=True, tag="grants-in-effect"):
    """Every delegated grant is on a resource that exists, and names only scopes of it, with spaces between them.

    Graph stores a grant without a check: one with commas between the scopes, with a scope that the resource doesn't
    have, or on a resource that was deleted, gives nothing, and nobody notices.
    """

    setting_id: ClassVar[str] = "delegated-permissions"

    def reads(self, app: App | None) -> Plan:
        return Plan(whole=("oauth2PermissionGrants", "servicePrincipals"))

    def sentence(self) -> Point:
        return Point(
            "Every delegated grant is on a resource that exists, and names only permissions of that resource, with"
            " spaces between them."
        )

    def judge(self, context: CheckContext) -> CheckResult:
        rows = context.snapshot.sections.oauth2PermissionGrants
        if rows is None:
            return unknown(context.index.not_read("oauth2PermissionGrants").why)
        apps = context.apps
        found = [(problem, clients) for one, clients in alike_grants(rows).items() for problem in _problems(apps, one)]
        wrong = [(problem.why, clients) for problem, clients in found if problem.truth is Truth.FALSE]
        partial = context.index.why_partial("oauth2PermissionGrants")
        why = next((problem.why for problem, _ in found if problem.truth is Truth.UNKNOWN), partial)
        if wrong:
            rows_shown = sorted(
                {(apps.name(client), why) for why, clients in wrong for client in clients}, key=_by_name
            )
            return failed(
                f"there are grants that give nothing: {first_names(sorted({clause for clause, _ in wrong}))}",
                *(
                    compared(f"oauth2PermissionGrants/{name}", clause, "scopes in effect")
                    for name, clause in rows_shown[:SHOWN]
                ),
                subjects=apps.subjects(client for _, clients in wrong for client in clients),
                unread=why,
            )
        return unknown(why) if why else passed("every grant is on a resource that has its scopes")

    def further_reads(self, snapshot: Snapshot) -> Plan:
        """The resources of which a scope is granted that Microsoft's published list doesn't have."""
        apps = Apps(index_of(snapshot))
        found: set[str] = set()
        for one in alike_grants(snapshot.sections.oauth2PermissionGrants):
            resource = apps.index.principal_with_id(one.resource)
            if resource and any(problem.truth is Truth.UNKNOWN for problem in _problems(apps, one)):
                found.add(resource.appId.lower())
        return Plan(resources=tuple(sorted(found)))


def _by_name(row: tuple[str, str]) -> tuple[str, str, str]:
    name, text = row
    return name.lower(), text, name


class _Problem(NamedTuple):
    """Whether something in a grant is in effect: no, or not known; `why` is a clause."""

    truth: Truth
    why: str


def _problems(apps: Apps, grants: Alike) -> Iterator[_Problem]:
    """What grants have that gives nothing, or that may give nothing."""
    names, fault = names_without_effect(grants.scope)
    if fault:
        yield _Problem(Truth.FALSE, f"{listed(names)}, {fault}")
    resource = apps.index.principal_with_id(grants.resource)
    if resource is None:
        if grants.resource and not apps.partial:
            yield _Problem(Truth.FALSE, f"the resource {grants.resource.lower()} is no longer in the directory")
        elif grants.resource:
            yield _Problem(Truth.UNKNOWN, f"whether the resource {grants.resource.lower()} exists ({apps.partial})")
        return
    published = apps.index.published_scopes(resource.appId)
    nameless = apps.index.nameless_scope(resource.appId)
    for name in granted_names(grants.scope):
        if isinstance(published, NotRead | Absent):
            if name.lower() not in known_scopes(resource.appId):
                why = (
                    published.why if isinstance(published, NotRead) else f"the scopes of {resource.appId} were not read"
                )
                yield _Problem(Truth.UNKNOWN, why)
        elif name.lower() not in published:
            on = apps.index.resource_name(resource.appId)
            why = nameless.why if nameless else f"{on} has no scope {name}"
            yield _Problem(Truth.UNKNOWN if nameless else Truth.FALSE, why)


class AppRolesHeld(CheckKind, frozen=True, tag="app-roles-held"):
    """No app holds an application permission of the `lists` and matches `publisher`, `owner` and `state`."""

    setting_id: ClassVar[str] = "application-permissions"
    lists: tuple[str, ...]
    publisher: Publisher = "any"
    owner: Owner = "any"
    state: State = "any"

    def reads(self, app: App | None) -> Plan:
        resources = (role.resource for name in self.lists for role in APP_ROLES[name])
        return Plan(clients=tuple(dict.fromkeys(resources)), whole=("servicePrincipals",))

    def sentence(self) -> Point:
        state = f" and {state_phrase(self)}" if self.state != "any" else ""
        permission = f"an application permission of {phrase_of_lists(self.lists)}"
        return Point(f"No app{owner_phrase(self)} holds {permission}{state}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from list_problems(arguments, tuple(APP_ROLES))
        yield from filter_problems(arguments)

    def judge(self, context: CheckContext) -> CheckResult:
        if self.publisher != "any" and not context.apps.verifies_publishers:
            return not_applicable(_NO_VERIFICATION)
        roles = [role for name in self.lists for role in APP_ROLES[name]]
        held: list[HeldPermissions] = []
        partial = ""
        for resource in dict.fromkeys(role.resource for role in roles):
            rows = context.index.assigned_to(resource)
            if isinstance(rows, NotRead):
                partial = partial or rows.why
                continue
            names = {role.id: role.value for role in roles if role.resource == resource}
            for row in rows:
                is_app = _IS_APP.get((row.principalType or "").lower(), Truth.UNKNOWN)
                name = names.get((row.appRoleId or "").lower())
                if row.lacks and is_app is not Truth.FALSE:
                    gap = context.index.gap("appRoleAssignedTo", resource)
                    partial = partial or (gap.why if gap else "")
                if name and is_app is not Truth.FALSE:
                    truth = all_of((is_app, context.apps.matches(row.principalId, self)))
                    held.append(HeldPermissions(row.principalId.lower(), name, truth))
        what = f"{named_lists(self.lists)} held by {apps_phrase(self)}"
        return _result(tuple(held), context.apps, section="appRoleAssignedTo", what=what, partial=partial)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_lists(definition, tuple(APP_ROLES))
        narrow_filter(definition)


_IS_APP = {"serviceprincipal": Truth.TRUE, "user": Truth.FALSE, "group": Truth.FALSE}
"""Whether the holder of an app role is an app, by the kind of principal (Graph, ``appRoleAssignment``)."""


def _result(held: tuple[HeldPermissions, ...], apps: Apps, *, section: str, what: str, partial: str) -> CheckResult:
    """A failure that names the apps, or unknown where `partial` or an app's data leaves that open."""
    found: dict[str, list[HeldPermissions]] = {}
    for one in held:
        if one.truth is Truth.TRUE:
            found.setdefault(one.client, []).append(one)
    why = _why_unknown(held, apps, partial)
    if found:
        in_order = sorted((lower, name, client) for client in found for lower, _, name in (apps.place(client),))
        ordered = [client for _, _, client in in_order]
        names = list(dict.fromkeys(name for _, name, _ in in_order))
        shown = {client: found[client] for client in ordered[:SHOWN]}
        users = _users(shown, apps.index.snapshot.sections.oauth2PermissionGrants)
        evidence = (row for client, held in shown.items() for row in _evidence(client, held, apps, users))
        inherited = next(filter(None, map(apps.inherits, ordered)), "") if apps.have_blueprints else ""
        return failed(
            f"there are {what}: {first_names(names)}{f'; {inherited}' if inherited else ''}",
            *islice((compared(f"{section}/{name}", held, "no such grant") for name, held in evidence), SHOWN),
            subjects=apps.subjects(ordered),
            unread=why,
        )
    return unknown(why) if why else passed(f"there are no {what}")


def _why_unknown(held: Iterable[HeldPermissions], apps: Apps, partial: str) -> str:
    """Why there may be more apps that the check is about; empty if there can't be."""
    clients = {one.client for one in held if one.truth is Truth.UNKNOWN and one.client}
    unsure = sorted(map(apps.name, clients))
    if not unsure:
        return partial
    if not apps.partial and (gone := sorted(one for one in clients if apps.index.principal_with_id(one) is None)):
        return f"the app {gone[0]}, which is no longer in the directory, may be one of them: whose it was isn't known"
    more = f" and {len(unsure) - 1} more" if len(unsure) > 1 else ""
    why = f" ({apps.partial})" if apps.partial else ""
    return f"a property that the rule needs was not read for {unsure[0]}{more}{why}"


def _users(
    found: Mapping[str, Sequence[HeldPermissions]], section: tuple[OAuth2PermissionGrant, ...] | None
) -> dict[str, int]:
    """How many users granted these apps what was found."""
    single = {client: {one.grants for one in held if one.of_users} for client, held in found.items()}
    if not any(single.values()):
        return {}
    people: dict[str, set[str]] = {client: set() for client in found}
    by_client = grants_as_spelled(section)
    for spelled in by_client:
        if single.get(client := spelled.lower()):
            for row in by_client[spelled]:
                if Alike(row.resourceId, row.consentType, row.scope) in single[client]:
                    people[client].add((row.principalId or "unknown user").lower())
    return {client: len(names) for client, names in people.items()}


def _evidence(
    client: str, held: Sequence[HeldPermissions], apps: Apps, users: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """The name of an app, with what it holds for the whole tenant, and with what single users granted it."""
    wide = {name for one in held if not one.of_users for name in one.names.split()}
    single = {name for one in held if one.of_users for name in one.names.split()}
    if wide:
        permissions = sorted(wide, key=lambda name: (name.lower(), name))
        yield apps.name(client), f"{' '.join(permissions)} (whole tenant)"
    if single:
        number = users[client]
        yield apps.name(client), f"{' '.join(sorted(single))} ({number} user{'s' if number > 1 else ''})"
