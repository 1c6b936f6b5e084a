"""What apps were granted in a tenant: listed by name, and as an app that a pack could describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property, lru_cache, partial
from typing import NamedTuple, cast, overload

from auditor.consent.existing_grants import ALL_PRINCIPALS, Grants, grants_on
from auditor.consent.requested_access import client_of, requested
from auditor.consent.requested_scopes import RequestError
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, grants_as_spelled, index_of
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_ORDER, OPENID_SCOPES, RESOURCE_NAMES
from auditor.facts.permissions import ROLE_NAMES
from auditor.model.document import parse_time
from auditor.model.report import (
    UNUSED_DAYS,
    AbusedApp,
    AbusedAppsList,
    AlikeGrants,
    Audience,
    Granted,
    GrantKind,
    GrantRow,
    GrantRows,
    KnownAbuse,
    ScopeDifference,
)
from auditor.model.resources import (
    AGENT_IDENTITY,
    BLUEPRINT_PRINCIPAL,
    AppRoleAssignment,
    OAuth2PermissionGrant,
    ServicePrincipal,
)
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot

_APP = "serviceprincipal"
_APPLICATION, _DELEGATED = GrantKind.APPLICATION.value, GrantKind.DELEGATED.value
_TENANT, _USER = Audience.TENANT.value, Audience.USER.value
_KIND, _AUDIENCE = {one.value: one for one in GrantKind}, {one.value: one for one in Audience}
_KINDS = {AGENT_IDENTITY: "agent identity", BLUEPRINT_PRINCIPAL: "agent identity blueprint"}
"""Kinds of app whose grants aren't all that they hold, or all whom they reach: agents inherit from blueprints."""


_MANY = 10_000
"""Grants of which the rows are made when they are needed."""


def granted(
    snapshot: Snapshot | SnapshotIndex, clients: Iterable[str] | None = None, abused: Sequence[AbusedAppsList] = ()
) -> Granted | None:
    """The grants of the snapshot, in the order of names; none if no grants were read.

    Of a snapshot of the whole directory, only the delegated grants of the `clients` (app ids), if they are given. An
    app or resource whose service principal was not read (or is gone) goes by its object id. `abused` are your own lists
    of known abused apps, next to the shipped one.
    """
    index = index_of(snapshot)
    sections = index.snapshot.sections
    delegated, assigned = sections.oauth2PermissionGrants, sections.appRoleAssignedTo
    if delegated is None and assigned is None:
        return None
    covers = index.snapshot.covers.get("oauth2PermissionGrants")
    if delegated is not None and covers is None and clients is not None:
        covers = tuple(dict.fromkeys(client.lower() for client in clients))
        delegated = tuple(_grants_of(index, covers))
    rows = _Rows(GrantNames(index, abused), delegated or (), assigned or {})
    return Granted(
        rows=cast("tuple[GrantRow, ...]", rows) if len(delegated or ()) > _MANY else tuple(rows),
        whole=sections.oauth2PermissionGrants is not None and covers is None,
        covers=covers or (),
    )


_Client = tuple[str, str]
"""The name in lower case and the app id of an app, or nothing and the object id, if its principal was not read."""
_Entry = tuple[str, str, str, str, str, tuple[str, ...], int, str]
"""A row of one app in short, as its place in the order of rows: kind, audience, name in lower case and app id of the
resource, user in lower case, permissions, which facts about the app, user."""


class _AppFacts(NamedTuple):
    """What the rows of an app say about it."""

    client_id: str
    client_name: str = ""
    publisher: str = ""
    verified: bool | None = None
    owner: str = ""
    enabled: bool | None = None
    client_kind: str = ""
    abused: KnownAbuse | None = None
    last_sign_in: str | None = None
    unused: bool | None = None


class _Rows(GrantRows):
    """The rows of all grants, by app: by name and what covers everybody first, then by resource and user."""

    def __init__(
        self,
        names: GrantNames,
        delegated: tuple[OAuth2PermissionGrant, ...],
        assigned: Mapping[str, tuple[AppRoleAssignment, ...]],
    ) -> None:
        self._names = names
        self._delegated = delegated
        self._assigned = assigned

    @cached_property
    def _clients(self) -> dict[_Client, list[str]]:
        """The object ids of each app that has delegated grants."""
        found: dict[_Client, list[str]] = {}
        for client in grants_as_spelled(self._delegated):
            found.setdefault(self._names.app(client), []).append(client)
        return found

    @cached_property
    def _roles(self) -> dict[_Client, dict[tuple[str, str], set[str]]]:
        """The app roles that each app holds, by object id and resource; users and groups hold none of these."""
        found: dict[_Client, dict[tuple[str, str], set[str]]] = {}
        for resource, rows in self._assigned.items():
            for row in rows:
                if (row.principalType or "").lower() == _APP:
                    client = row.principalId.lower()
                    held = found.setdefault(self._names.app(client), {}).setdefault((client, resource.lower()), set())
                    held.add(self._names.role(resource, row.appRoleId or ""))
        return found

    def _by_app(self) -> Iterator[tuple[list[_AppFacts], list[_Entry]]]:
        """The facts about each app and its entries in order, one app after the other."""
        for app in sorted({*self._clients, *self._roles}):
            facts: dict[_AppFacts, int] = {}
            entries = set(self._entries(app, facts))
            yield list(facts), sorted(entries)

    def _entries(self, app: _Client, facts: dict[_AppFacts, int]) -> Iterator[_Entry]:
        names, by_client = self._names, grants_as_spelled(self._delegated)
        for client in self._clients.get(app, ()):
            number = facts.setdefault(names.facts(client), len(facts))
            for grant in by_client[client]:
                resource = names.resource_with_id(grant.resourceId)
                if grant.consentType.lower() == ALL_PRINCIPALS:
                    yield _DELEGATED, _TENANT, *resource, "", _in_order(grant.scope), number, ""
                else:
                    user = names.user(grant.principalId or "")
                    yield _DELEGATED, _USER, *resource, user.lower(), _in_order(grant.scope), number, user
        for (client, app_id), held in self._roles.get(app, {}).items():
            number = facts.setdefault(names.facts(client), len(facts))
            roles = tuple(sorted(held, key=_by_name))
            yield _APPLICATION, _TENANT, names.resource_name(app_id).lower(), app_id, "", roles, number, ""

    def __iter__(self) -> Iterator[GrantRow]:
        for facts, entries in self._by_app():
            for entry in entries:
                yield self._row(facts[entry[6]], entry, entry[7])

    def alike(self) -> Iterator[AlikeGrants]:
        for facts, entries in self._by_app():
            together: dict[tuple[str, str, str, tuple[str, ...], int], list[_Entry]] = {}
            for entry in entries:
                kind, audience, _, resource, _, permissions, number, _ = entry
                together.setdefault((kind, audience, resource, permissions, number), []).append(entry)
            for (kind, audience, _, _, number), alike in together.items():
                made = partial(self._together, facts[number], alike)
                app = facts[number]
                yield AlikeGrants(
                    _KIND[kind], _AUDIENCE[audience], app.client_id, len(alike), made, app.abused is not None
                )

    def _together(self, app: _AppFacts, entries: Sequence[_Entry]) -> tuple[GrantRow, list[str]]:
        return self._row(app, entries[0], ""), [entry[7] for entry in entries]

    def _row(self, app: _AppFacts, entry: _Entry, principal: str) -> GrantRow:
        kind, audience, _, resource, _, permissions, _, _ = entry
        return GrantRow(
            client_id=app.client_id,
            client_name=app.client_name,
            kind=_KIND[kind],
            resource_id=resource,
            resource_name=self._names.resource_name(resource),
            permissions=permissions,
            audience=_AUDIENCE[audience],
            principal=principal,
            publisher=app.publisher,
            verified=app.verified,
            owner=app.owner,
            enabled=app.enabled,
            client_kind=app.client_kind,
            abused=app.abused,
            last_sign_in=app.last_sign_in,
            unused=app.unused,
        )

    @cached_property
    def _length(self) -> int:
        return sum(len(entries) for _, entries in self._by_app())

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        # Each grant makes a row, so there is no need to count those that differ.
        return bool(self._delegated or self._roles)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    @overload
    def __getitem__(self, at: int) -> GrantRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[GrantRow]: ...
    def __getitem__(self, at: int | slice) -> GrantRow | Sequence[GrantRow]:
        return tuple(self)[at]


def _grants_of(index: SnapshotIndex, clients: Iterable[str]) -> Iterator[OAuth2PermissionGrant]:
    for client in clients:
        found = index.service_principal(client)
        if isinstance(found, ServicePrincipal):
            yield from index.grants_of(found.id)


def _published_roles(index: SnapshotIndex, resource: str) -> Mapping[str, str]:
    """The names of the app roles that a resource publishes, by id in lower case; the first of two with one id."""
    key = "names of app roles", resource
    if key not in index.gathered:
        found = index.service_principal(resource)
        published = (found.appRoles or ()) if isinstance(found, ServicePrincipal) else ()
        index.gathered[key] = {role.id.lower(): role.value for role in reversed(published) if role.value}
    return cast("Mapping[str, str]", index.gathered[key])


def role_name(resource: str, role_id: str, *indexes: SnapshotIndex) -> str:
    """The name of an app role of a resource (app id), as the first tenant that knows it has it; else its id."""
    names = (_published_roles(index, resource).get(role_id.lower()) for index in indexes)
    return next(filter(None, names), "") or ROLE_NAMES.get(role_id.lower(), role_id)


class GrantNames:
    """What to call the apps, app roles and users that grants name by id."""

    def __init__(self, index: SnapshotIndex, abused: Sequence[AbusedAppsList] = ()) -> None:
        self._index = index
        self._own_lists = abused
        self._resources: dict[str, str] = {}
        self._with_id: dict[str, tuple[str, str]] = {}

    def role(self, resource: str, role_id: str) -> str:
        """The name of an app role, else its id."""
        return role_name(resource, role_id, self._index)

    def app(self, client: str) -> tuple[str, str]:
        """The name in lower case, and the app id, of the app with this object id; without a name, the object id."""
        found = self._index.principal_with_id(client)
        return (found.name.lower(), found.appId) if found else ("", client)

    def facts(self, client: str) -> _AppFacts:
        """What is known about the app with this object id."""
        found = self._index.principal_with_id(client)
        if found is None:
            return _AppFacts(client)
        publisher, last = found.verifiedPublisher, self.last_sign_in(found.appId)
        return _AppFacts(
            client_id=found.appId,
            client_name=found.name,
            publisher=(publisher.displayName or "") if publisher and publisher.verifiedPublisherId else "",
            verified=publisher.is_verified if publisher else None,
            owner=found.appOwnerOrganizationId or "",
            enabled=found.accountEnabled,
            client_kind=_KINDS.get(found.odataType or "", ""),
            abused=self._abuse(found.appId),
            last_sign_in=None if isinstance(last, NotRead) else last,
            unused=None if isinstance(last, NotRead) else self._is_unused(found, last),
        )

    @cached_property
    def _abused_apps(self) -> Mapping[str, AbusedApp]:
        # Imported when there is a grant: most pre-flights of an app that is new in the tenant find none.
        from auditor.facts.abused_apps import abused_by_id, lists_with

        return abused_by_id(lists_with(self._own_lists))

    def _abuse(self, app_id: str) -> KnownAbuse | None:
        found = self._abused_apps.get(app_id.lower())
        if found is None:
            return None
        return KnownAbuse.LEGITIMATE if found.legitimate else KnownAbuse.MALICIOUS

    def last_sign_in(self, app_id: str) -> str | NotRead:
        """When somebody, or the app itself, last signed in: a time as Graph writes it, or empty if none is recorded.

        Source: Graph beta, ``servicePrincipalSignInActivity``, which has no entry of an app that was never used.
        """
        section = "servicePrincipalSignInActivities"
        if (found := self._last_sign_ins.get(app_id.lower())) is not None:
            return found
        if self._index.snapshot.sections.servicePrincipalSignInActivities is None:
            return self._index.not_read(section)
        partial = self._index.why_partial(section)
        return NotRead(section, partial) if partial else ""

    @cached_property
    def _last_sign_ins(self) -> dict[str, str]:
        rows = self._index.snapshot.sections.servicePrincipalSignInActivities or ()
        return {row.appId.lower(): row.last for row in rows}

    def _is_unused(self, app: ServicePrincipal, last: str) -> bool | None:
        """Whether the app was not used for a long time; one without a recorded use may be newer than that."""
        taken, since = parse_time(self._index.snapshot.taken), parse_time(last or app.createdDateTime or "")
        return None if taken is None or since is None else taken - since >= timedelta(days=UNUSED_DAYS)

    def user(self, object_id: str) -> str:
        """The user principal name, else the object id."""
        return self._index.user_name(object_id)

    def resource_with_id(self, object_id: str) -> tuple[str, str]:
        """The name in lower case and the app id of the resource with this object id, or the object id if it is gone."""
        if object_id not in self._with_id:
            found = self._index.principal_with_id(object_id)
            app_id = found.appId if found else object_id
            self._with_id[object_id] = self.resource_name(app_id).lower(), app_id
        return self._with_id[object_id]

    def resource_name(self, app_id: str) -> str:
        """The name of a resource; empty if it isn't known."""
        if app_id not in self._resources:
            found = self._index.service_principal(app_id)
            own = found.name if isinstance(found, ServicePrincipal) else ""
            self._resources[app_id] = RESOURCE_NAMES.get(app_id.lower()) or own or _published(app_id)
        return self._resources[app_id]


def _published(app_id: str) -> str:
    from auditor.facts.app_names import published_name

    return published_name(app_id)


def _by_name(name: str) -> tuple[str, str]:
    return name.lower(), name


@lru_cache(maxsize=10_000)
def _in_order(scope: str) -> tuple[str, ...]:
    """The scopes in the order of their names. A tenant has few different texts of scopes."""
    return tuple(sorted(set(scope.split()), key=_by_name))


def app_as_granted(snapshot: Snapshot | SnapshotIndex, client_id: str) -> App:
    """The app with every delegated permission that somebody in the tenant granted it, sign-in first.

    Name, addresses, publisher and owner are those of its service principal. Raises RequestError where the app, its
    grants or a resource of theirs were not read, and where there are none.
    """
    index = index_of(snapshot)
    wanted = client_id.lower()
    found = index.service_principal(wanted)
    if not isinstance(found, ServicePrincipal):
        if not _was_read(index, "servicePrincipals", wanted):
            raise RequestError(f"the app {wanted} was not read in this tenant: read it with collect --app {wanted}")
        raise RequestError(f"the app {wanted} is not in this tenant: read a tenant where it works")
    if not _was_read(index, "oauth2PermissionGrants", wanted):
        raise RequestError(f"the grants of {_label(found)} were not read: read them with collect --app {wanted}")
    needs: dict[tuple[str, str], ScopeNeed] = {}
    for grant in index.grants_of(found.id):
        resource = index.principal_with_id(grant.resourceId)
        if resource is None:
            raise RequestError(
                f"{_label(found)} holds a grant on a resource that was not read (object id {grant.resourceId}): read"
                " all of the tenant with collect --full -o tenant.json, and pass it with --snapshot tenant.json"
            )
        for value in grant.scope.split():
            app_id = resource.appId.lower()
            needs.setdefault((app_id, value.lower()), ScopeNeed(resource=app_id, value=value))
    if not needs:
        raise RequestError(f"{_label(found)} was granted nothing in this tenant: read a tenant where it works")
    return _app(found, tuple(sorted(needs.values(), key=_scope_order)))


def _was_read(index: SnapshotIndex, section: str, client_id: str) -> bool:
    """Whether the section was read for this app, or as a whole."""
    return index.covers(section, client_id)


def _app(found: ServicePrincipal, needs: tuple[ScopeNeed, ...]) -> App:
    publisher = found.verifiedPublisher
    return App(
        client_id=found.appId.lower(),
        name=found.name,
        redirect_uris=tuple(found.replyUrls or ()),
        scopes=needs,
        publisher_verified=None if publisher is None else publisher.is_verified,
        owner_tenant=found.appOwnerOrganizationId,
    )


def _scope_order(need: ScopeNeed) -> tuple[bool, str, int, str]:
    """Microsoft Graph first, and there what signs a user in, in its usual order."""
    value = need.value.lower()
    place = OPENID_ORDER.index(value) if value in OPENID_ORDER else len(OPENID_ORDER)
    return need.resource != MICROSOFT_GRAPH, need.resource, place, value


def _label(principal: ServicePrincipal) -> str:
    return principal.name or f"the app {principal.appId}"


def differences(snapshot: Snapshot | SnapshotIndex, app: App) -> tuple[ScopeDifference, ...] | None:
    """The scopes that differ, by resource; ``None`` without assumed scopes or without a tenant-wide grant.

    OpenID scopes do not count: a grant that works need not name them.
    """
    if not any(need.assumed for need in app.scopes):
        return None
    index = index_of(snapshot)
    client = client_of(index, app)
    grants = grants_on(index, client, requested(index, app))
    if not isinstance(grants, Grants) or not grants.tenant_wide:
        return None
    # Names as the pack and the tenant's grants write them, by lower case.
    names = (scope for row in index.grants_of(client.object_id) for scope in row.scope.split())
    spelling = {name.lower(): name for name in (*names, *(need.value for need in app.scopes))}
    return tuple(_by_resource(index, app, grants, spelling))


def _by_resource(index: SnapshotIndex, app: App, grants: Grants, spelling: dict[str, str]) -> Iterator[ScopeDifference]:
    for resource in sorted({need.resource.lower() for need in app.scopes} | set(grants.tenant_wide)):
        needs = [need for need in app.scopes if need.resource.lower() == resource]
        known = {need.value.lower() for need in needs}
        required = {need.value.lower() for need in needs if need.required}
        granted = grants.tenant_wide.get(resource, frozenset())
        lacking = required - granted - OPENID_SCOPES
        beyond = granted - known - OPENID_SCOPES
        if lacking or beyond:
            yield ScopeDifference(
                resource=resource,
                resource_name=index.resource_name(resource),
                assumed_not_granted=tuple(sorted(spelling.get(s, s) for s in lacking)),
                granted_not_assumed=tuple(sorted(spelling.get(s, s) for s in beyond)),
            )
