"""The index of a snapshot: each question about a tenant, answered with the value or with why it isn't known.

Each section is indexed once, when it is first needed, and the index is kept. Ids and names are
compared without regard to letter case; of two rows with one id the first counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, wraps
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import msgspec

from auditor.facts.ids import CONSENT_SETTINGS_TEMPLATE, EMPTY_BY_DEFAULT, RESOURCE_NAMES
from auditor.model.resources import (
    AppRoleAssignment,
    DelegatedPermissionClassification,
    DelegatedScope,
    DirectorySetting,
    OAuth2PermissionGrant,
    PermissionGrantPolicy,
    Resource,
    ServicePrincipal,
    User,
    first_incomplete,
    lacking,
)
from auditor.model.sections import SECTIONS, permissions_to_read
from auditor.model.snapshot import GroupedGrants, LeftOut, PartOfSnapshot, Snapshot, lowered

_Section = TypeVar("_Section")
_Table = TypeVar("_Table")
_Value = TypeVar("_Value")
_Assigned = Mapping[str, tuple[AppRoleAssignment, ...]]
_KEPT = 4
"""How many snapshots' tables are kept: enough for a tenant and the changed copies that fixes are tried on."""


class NotRead(msgspec.Struct, frozen=True):
    """A question outside what was read; `why` is a clause that can end a sentence.

    `is_faulty`: the data was asked for and came broken, incomplete or not at all, and not because it was refused.
    """

    section: str
    why: str
    is_faulty: bool = False


class Absent(msgspec.Struct, frozen=True):
    """Graph was asked, and there is no such thing."""


def kept(build: Callable[[_Section], _Table]) -> Callable[[_Section], _Table]:
    """`build`, called once for each object: values never change, so the same object gives the same table.

    A changed copy of a snapshot shares the sections that did not change, and so their tables.
    """
    recent: list[tuple[_Section, _Table]] = []

    @wraps(build)
    def once(section: _Section) -> _Table:
        if recent and (last := recent[0])[0] is section:
            return last[1]
        found = next((pair for pair in tuple(recent) if pair[0] is section), None) or (section, build(section))
        recent[:] = [found, *(pair for pair in tuple(recent) if pair[0] is not section)][:_KEPT]
        return found[1]

    return once


_incomplete = kept(first_incomplete)


class SnapshotIndex:
    """Indexed access to a snapshot. Create it with `index_of`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._part = snapshot if isinstance(snapshot, PartOfSnapshot) else None
        self._scopes: dict[str, dict[str, DelegatedScope]] = {}
        self._gaps: dict[tuple[str, str], NotRead | None] = {}
        self.gathered: dict[object, Any] = {}
        """What is gathered from the snapshot for one question, by the question."""

    def _refuse_left_out(self, name: str) -> None:
        if self._part and name in self._part.apps_left_out:
            raise LeftOut(name)

    def not_read(self, section: str, part: str = "") -> NotRead:
        """Why a section, or a part of it, is not known: refused, failed, or never asked for."""
        unread = self.snapshot.unread.get(f"{section}/{part}") if part else None
        unread = unread or self.snapshot.unread.get(section)
        what = f"{section} of {RESOURCE_NAMES.get(part.lower(), part)}" if part else section
        if unread is None:
            return NotRead(section, f"{what} was not read")
        if unread.status in (401, 403):
            allowed_by = " or ".join(unread.needs or permissions_to_read(section))
            if unread.lacks_license or not allowed_by:
                return NotRead(section, f"{what} could not be read ({unread.message or unread.code})")
            return NotRead(section, f"{what} could not be read (needs {allowed_by})")
        cause = unread.code or unread.message or (f"status {unread.status}" if unread.status else "the read failed")
        return NotRead(section, f"{what} could not be read ({cause})", is_faulty=not unread.needs)

    def why_partial(self, section: str) -> str:
        """Why a section doesn't say everything of its kind about the tenant; empty if it does."""
        if SECTIONS[section].only_by_app:
            return f"{section} can only be read app by app"
        if section in self.snapshot.covers:
            requested = len(self.snapshot.covers[section])
            return f"only part of {section} was read{f' ({requested} requested)' if requested else ''}"
        part = next((name for name in sorted(self.snapshot.unread) if name.startswith(f"{section}/")), None)
        found = self.not_read(section, part.partition("/")[2]) if part else self.gap(section)
        return found.why if found else ""

    def was_refused(self, section: str, part: str) -> bool:
        """Whether a part of a section is listed as unread, so that rows of it are not to be relied on."""
        return f"{section}/{part}".lower() in self._refused

    def covers(self, section: str, part: str) -> bool:
        """Whether the section was read, and for all parts or for this one."""
        if getattr(self.snapshot.sections, section) is None or self.was_refused(section, part):
            return False
        covered = self._covered.get(section)
        return covered is None or part.lower() in covered

    @cached_property
    def _refused(self) -> frozenset[str]:
        return frozenset(key.lower() for key in self.snapshot.unread)

    @cached_property
    def _covered(self) -> dict[str, frozenset[str]]:
        return {section: _lower(parts) for section, parts in self.snapshot.covers.items()}

    def gap(self, section: str, part: str = "") -> NotRead | None:
        """The first row of a section (of a part of it, by app), or its one object, without what Graph always returns.

        What isn't in the rows that are complete may be what this row is about.
        """
        if (section, part) not in self._gaps:
            self._gaps[section, part] = self._first_gap(section, part)
        return self._gaps[section, part]

    def _first_gap(self, section: str, part: str) -> NotRead | None:
        read = getattr(self.snapshot.sections, section)
        rows = _rows_by_app(read).get(part.lower(), ()) if isinstance(read, Mapping) else read
        found: tuple[int | None, Resource] | None = _incomplete(rows) if isinstance(rows, tuple) else None
        if isinstance(rows, Resource) and rows.lacks:
            found = None, rows
        what = f"{section} of {self.resource_name(part)}" if part else section
        return NotRead(section, lacking(what, *found), is_faulty=True) if found else None

    # Apps and the APIs (resources) that they use.
    def service_principal(self, app_id: str) -> ServicePrincipal | Absent | NotRead:
        """The service principal of an app in this tenant."""
        sought = app_id.lower()
        if found := self._principals.by_app_id.get(sought):
            return found
        self._refuse_left_out(sought)
        if sought in self._absent:
            return Absent()
        if self.covers("servicePrincipals", sought):
            return self.gap("servicePrincipals") or Absent()
        return self.not_read("servicePrincipals", app_id)

    def principal_with_id(self, object_id: str) -> ServicePrincipal | None:
        """The service principal with this object id, if it was read."""
        if self._part:
            self._refuse_left_out(object_id.lower())
        by_id = self._principals.by_object_id
        # Nearly always, the id is in lower case, and even the same object.
        return by_id.get(object_id) or by_id.get(object_id.lower())

    def resource_id(self, resource: str) -> str:
        """The app id, in lower case, of a resource named by its app id or by one of its identifier URIs."""
        name = resource.lower().rstrip("/")
        if name in RESOURCE_NAMES:
            return name
        if found := self._app_ids_by_uri.get(name):
            return found
        if self._part and self._part.may_lack_address(name):
            raise LeftOut(name)
        from auditor.facts.ids import resource_at

        return resource_at(name) or name

    def resource_name(self, app_id: str) -> str:
        """What to call a resource in a sentence."""
        if name := RESOURCE_NAMES.get(app_id.lower()):
            return name
        found = self._principals.by_app_id.get(app_id.lower())
        if found and (name := found.name):
            return name
        self._refuse_left_out(app_id.lower())
        from auditor.facts.app_names import published_name

        return published_name(app_id) or app_id

    def published_scopes(self, app_id: str) -> Mapping[str, DelegatedScope] | Absent | NotRead:
        """The delegated permissions that a resource publishes, by name in lower case."""
        found = self.service_principal(app_id)
        if not isinstance(found, ServicePrincipal):
            return found
        if found.oauth2PermissionScopes is None:
            return NotRead("servicePrincipals", f"oauth2PermissionScopes of {self.resource_name(app_id)} was not read")
        if found.id not in self._scopes:
            self._scopes[found.id] = _first_by_name((one.value, one) for one in found.oauth2PermissionScopes)
        return self._scopes[found.id]

    def nameless_scope(self, app_id: str) -> NotRead | None:
        """Why a resource may publish more scopes than are known by name."""
        found = self.service_principal(app_id)
        one = first_incomplete((found.oauth2PermissionScopes or ()) if isinstance(found, ServicePrincipal) else ())
        what = f"oauth2PermissionScopes of {self.resource_name(app_id)}"
        return NotRead("servicePrincipals", lacking(what, *one)) if one else None

    def classifications(self, resource: str) -> dict[str, str] | NotRead:
        """Classification by permission id (both lower case) of one resource, as far as its entries are complete."""
        section = "delegatedPermissionClassifications"
        found = None if self.was_refused(section, resource) else self._classifications.get(resource.lower())
        return self.not_read(section, resource) if found is None else found

    def classification(self, resource: str, permission_id: str) -> str | NotRead:
        """The classification of one permission, lower case; empty where it has none."""
        found = self.classifications(resource)
        if isinstance(found, NotRead):
            return found
        if named := found.get(permission_id.lower()):
            return named
        return self.gap("delegatedPermissionClassifications", resource) or ""

    @cached_property
    def _principals(self) -> _Principals:
        return _principals(self.snapshot.sections.servicePrincipals)

    @cached_property
    def _app_ids_by_uri(self) -> dict[str, str]:
        return _app_ids_by_uri(self.snapshot.sections.servicePrincipals)

    @cached_property
    def _absent(self) -> frozenset[str]:
        return _lower(self.snapshot.sections.absentServicePrincipals)

    @cached_property
    def _classifications(self) -> dict[str, dict[str, str]]:
        return _classifications(self.snapshot.sections.delegatedPermissionClassifications)

    # What apps hold, and who is assigned to them.
    def grants_of(self, object_id: str | None) -> tuple[OAuth2PermissionGrant, ...]:
        """Every grant that was read of a client, whoever it is for; none without an object id."""
        sought = (object_id or "").lower()
        if self._part and self._part.lacks_grants_of(sought):
            raise LeftOut(sought)
        return self._grants_of(sought) if sought else ()

    @cached_property
    def grants_without_client(self) -> tuple[OAuth2PermissionGrant, ...]:
        """The grants of which the data doesn't say to which client they belong."""
        return self._grants_of("")

    def _grants_of(self, client: str) -> tuple[OAuth2PermissionGrant, ...]:
        section = grants_as_spelled(self.snapshot.sections.oauth2PermissionGrants)
        return tuple(row for spelled in self._clients.get(client, ()) for row in section[spelled])

    def assigned_to(self, app_id: str) -> tuple[AppRoleAssignment, ...] | NotRead:
        """Who is assigned to an app of this tenant; nobody, where the app is known to be absent."""
        return self._assignments("appRoleAssignedTo", app_id)

    def roles_held(self, app_id: str) -> tuple[AppRoleAssignment, ...] | NotRead:
        """The roles of other apps that an app holds; none, where the app is known to be absent."""
        return self._assignments("appRoleAssignments", app_id)

    def _assignments(self, section: str, app_id: str) -> tuple[AppRoleAssignment, ...] | NotRead:
        if self.was_refused(section, app_id):
            return self.not_read(section, app_id)
        found = assigned_by_app(getattr(self.snapshot.sections, section)).get(app_id.lower())
        if found is not None:
            return found
        return () if isinstance(self.service_principal(app_id), Absent) else self.not_read(section, app_id)

    @cached_property
    def _clients(self) -> dict[str, list[str]]:
        """The clients as grants spell them, by their object ids in lower case."""
        found: dict[str, list[str]] = {}
        for client in grants_as_spelled(self.snapshot.sections.oauth2PermissionGrants):
            found.setdefault(client.lower(), []).append(client)
        return found

    # Consent policies and settings.
    def assigned_policies(self) -> tuple[str, ...] | NotRead:
        """The entries of ``permissionGrantPoliciesAssigned``, as they are."""
        policy = self.snapshot.sections.authorizationPolicy
        if policy is None:
            return self.not_read("authorizationPolicy")
        role = policy.defaultUserRolePermissions
        if role is None or role.permissionGrantPoliciesAssigned is None:
            return NotRead(
                "authorizationPolicy", "authorizationPolicy has no permissionGrantPoliciesAssigned that is complete"
            )
        return role.permissionGrantPoliciesAssigned

    def grant_policy(self, policy_id: str) -> PermissionGrantPolicy | Absent | NotRead:
        """A consent policy with both its condition sets, which Graph always returns: a missing one was not read."""
        section = self.snapshot.sections.permissionGrantPolicies
        if section is None:
            return self.not_read("permissionGrantPolicies")
        policy = _policies(section).get(policy_id.lower())
        if policy is None:
            is_absent = self.covers("permissionGrantPolicies", policy_id)
            if not is_absent:
                return self.not_read("permissionGrantPolicies", policy_id)
            return self.gap("permissionGrantPolicies") or Absent()
        missing = [kind for kind in ("includes", "excludes") if getattr(policy, kind) is None]
        if missing:
            what = "condition sets" if len(missing) > 1 else missing[0]
            why = f"the {what} of policy {policy_id} were not read"
            return NotRead("permissionGrantPolicies", why, is_faulty=True)
        return policy

    def consent_setting(self, name: str) -> str | Absent | NotRead:
        """A value of the directory settings object "Consent Policy Settings", lower case."""
        return self.directory_setting(CONSENT_SETTINGS_TEMPLATE, name)

    def directory_setting(self, template: str, name: str) -> str | Absent | NotRead:
        """A value of the directory settings object with this template, lower case."""
        settings = self.snapshot.sections.directorySettings
        if settings is None:
            return self.not_read("directorySettings")
        mine = [one for one in settings if (one.templateId or "").lower() == template.lower()]
        values = _setting_values(mine)
        if name.lower() in values:
            return values[name.lower()] or NotRead("directorySettings", f"the directory setting {name} has no value")
        if not self.covers("directorySettings", template):
            return self.not_read("directorySettings")
        row = next(filter(None, (first_incomplete(one.values or ()) for one in mine)), None)
        nameless = NotRead("directorySettings", lacking("the values of a directory setting", *row)) if row else None
        return self.gap("directorySettings") or nameless or Absent()

    # People.
    def user(self, name: str) -> User | NotRead:
        """The user with this object id or user principal name."""
        return self._users.get(name.lower()) or self.not_read("users", name)

    def user_name(self, object_id: str) -> str:
        """The user principal name of the user with this object id; the id where that was not read."""
        found = self._users.get(object_id.lower())
        return (found.userPrincipalName or found.id) if found else object_id

    @cached_property
    def _users(self) -> dict[str, User]:
        return _users(self.snapshot.sections.users)


@kept
def _index(snapshot: Snapshot) -> SnapshotIndex:
    return SnapshotIndex(snapshot)


def index_of(snapshot: Snapshot | SnapshotIndex) -> SnapshotIndex:
    """The index of a snapshot, the same one for the same object; an index is returned as it is."""
    return snapshot if isinstance(snapshot, SnapshotIndex) else _index(snapshot)


class _Principals(NamedTuple):
    by_app_id: dict[str, ServicePrincipal]
    by_object_id: dict[str, ServicePrincipal]


@kept
def _principals(section: tuple[ServicePrincipal, ...] | None) -> _Principals:
    rows = tuple(section or ())[::-1]  # because of two with one id the first counts
    each = (tuple(map(attrgetter(name), rows)) for name in ("appId", "id"))
    found = _Principals(*(dict(zip(lowered(ids), rows, strict=True)) for ids in each))
    for by_id in found:
        by_id.pop("", None)
    return found


@kept
def _app_ids_by_uri(section: tuple[ServicePrincipal, ...] | None) -> dict[str, str]:
    each = ((uri.rstrip("/"), app.appId.lower()) for app in section or () for uri in app.servicePrincipalNames or ())
    return _first_by_name(each)


@kept
def _classifications(
    section: Mapping[str, tuple[DelegatedPermissionClassification, ...]] | None,
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for app_id, entries in (section or {}).items():
        each = {e.permissionId.lower(): e.classification.lower() for e in entries if e.permissionId}
        found.setdefault(app_id.lower(), each)
    return found


@kept
def grants_as_spelled(section: Sequence[OAuth2PermissionGrant] | None) -> Mapping[str, Sequence[OAuth2PermissionGrant]]:
    """The grants by the object id of their client, as they spell it."""
    if isinstance(section, GroupedGrants):
        return section.by_client
    found: dict[str, list[OAuth2PermissionGrant]] = {}
    for grant in section or ():
        found.setdefault(grant.clientId, []).append(grant)
    return found


@kept
def assigned_by_app(section: _Assigned | None) -> _Assigned:
    """Assignments by app id in lower case; of two keys that differ in letter case only, the first counts."""
    return _first_by_name((section or {}).items())


@kept
def _policies(section: tuple[PermissionGrantPolicy, ...]) -> dict[str, PermissionGrantPolicy]:
    return _first_by_name((policy.id, policy) for policy in section)


def _setting_values(settings: Iterable[DirectorySetting]) -> dict[str, str]:
    """The values by name, both in lower case; empty for a value that is missing."""
    items = ((item.name or "", item.value or "") for setting in settings for item in setting.values or ())
    return _first_by_name((name, text.lower()) for name, text in items if text or name.lower() not in EMPTY_BY_DEFAULT)


@kept
def _users(section: tuple[User, ...] | None) -> dict[str, User]:
    return _first_by_name((name, one) for one in section or () for name in (one.id, one.userPrincipalName))


@kept
def _rows_by_app(section: Mapping[str, tuple[Resource, ...]]) -> dict[str, tuple[Resource, ...]]:
    """The rows of every app by its id in lower case, and all of them by no id."""
    every = tuple(row for rows in section.values() for row in rows)
    return {"": every, **_first_by_name(section.items())}


def _first_by_name(named: Iterable[tuple[str | None, _Value]]) -> dict[str, _Value]:
    """The values by name in lower case, the first where several have one name, and none without a name."""
    found: dict[str, _Value] = {}
    for name, value in named:
        if name:
            found.setdefault(name.lower(), value)
    return found


def _lower(values: Iterable[str] | None) -> frozenset[str]:
    return frozenset(value.lower() for value in values or ())
