"""The scopes that users might consent to, put into groups that no condition of any policy can tell apart.

A resource has hundreds of scopes, a policy tells a handful of kinds of them apart. The engine judges one scope
of each group, which is the same verdict for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from auditor.consent.lookup import NotRead, classifications, resource_name, service_principal
from auditor.consent.permission import Permission
from auditor.consent.truth import Truth, known
from auditor.facts.ids import BASIC_SCOPES, MAILBOX_RESOURCES, MICROSOFT_GRAPH
from auditor.facts.scopes import known_scopes
from auditor.fixes.exposure.result import ScopeRef
from auditor.model.resources import ConditionSet, ServicePrincipal
from auditor.model.snapshot import Snapshot


class Offered(NamedTuple):
    """A scope that can be asked for. `user_type` is ``None`` where the resource did not say."""

    resource: str
    value: str
    id: str
    user_type: bool | None

    @property
    def is_basic(self) -> bool:
        """Whether it is about signing in and reading one's own profile only."""
        return self.resource == MICROSOFT_GRAPH and self.value.lower() in BASIC_SCOPES


Scopes = Mapping[tuple[str, str], Offered]
"""By resource and scope, both in lower case."""
Listed = Mapping[str, tuple[int, ...]]
"""For each permission id that some condition set lists, the numbers of these sets."""


class Facts(NamedTuple):
    """All that a condition set may ask of a scope, but for its id."""

    resource: str
    user_type: bool | None
    classification: str | NotRead


class Group(NamedTuple):
    """Scopes with the same facts before, the same facts after, and listed by the same condition sets."""

    before: Facts | None
    after: Facts | None
    listed: tuple[int, ...]


def from_table(snapshot: Snapshot) -> tuple[str, ...]:
    """The well-known resources whose scopes were not read, so that the published table stands in."""
    return tuple(resource for resource in MAILBOX_RESOURCES if _not_read(snapshot, resource))


def _not_read(snapshot: Snapshot, resource: str) -> bool:
    match service_principal(snapshot, resource):
        case ServicePrincipal() as principal:
            return principal.oauth2PermissionScopes is None
        case NotRead():
            return True
        case _:
            return False


def offered(snapshot: Snapshot) -> Scopes:
    """Every enabled scope of every resource of the tenant."""
    found: dict[tuple[str, str], Offered] = {}
    for principal in snapshot.sections.servicePrincipals or ():
        resource = principal.appId.lower()
        for scope in principal.oauth2PermissionScopes or ():
            if scope.isEnabled is not False and scope.value:
                user_type = None if scope.type is None else scope.type.lower() == "user"
                found[resource, scope.value.lower()] = Offered(resource, scope.value, scope.id.lower(), user_type)
    for resource in from_table(snapshot):
        for name, published in known_scopes(resource).items():
            if published.enabled:
                found[resource, name] = Offered(resource, published.value, published.id, published.type == "User")
    return found


def same_scopes(before: Snapshot, after: Snapshot) -> bool:
    """Whether both surely offer the same scopes, because they hold the very same objects."""
    return (
        before.sections.servicePrincipals is after.sections.servicePrincipals
        and before.sections.absentServicePrincipals is after.sections.absentServicePrincipals
        and before.covers.get("servicePrincipals") == after.covers.get("servicePrincipals")
    )


def listed_by(sets: Iterable[ConditionSet]) -> Listed:
    """Which sets list which permission id."""
    found: dict[str, tuple[int, ...]] = {}
    for number, conditions in enumerate(sets):
        for permission_id in {p.lower() for p in conditions.permissions}:
            found[permission_id] = (*found.get(permission_id, ()), number)
    return found


def grouped(before: Snapshot, after: Snapshot, listed: Listed) -> dict[Group, list[Offered]]:
    """The scopes of both snapshots, by group."""
    there = offered(before)
    then = there if same_scopes(before, after) else offered(after)
    was, now = _Classified(before), _Classified(after)
    groups: dict[Group, list[Offered]] = {}
    for key in there if then is there else {**there, **then}:
        old, new = there.get(key), then.get(key)
        scope = new or old
        assert scope is not None
        group = Group(was.facts(old), now.facts(new), listed.get(scope.id, ()))
        groups.setdefault(group, []).append(scope)
    return groups


class _Classified:
    """The classifications of one snapshot, looked up once for each resource."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._found: dict[str, dict[str, str] | NotRead] = {}

    def facts(self, scope: Offered | None) -> Facts | None:
        if scope is None:
            return None
        if scope.resource not in self._found:
            self._found[scope.resource] = classifications(self._snapshot, scope.resource)
        levels = self._found[scope.resource]
        level = levels if isinstance(levels, NotRead) else levels.get(scope.id, "")
        return Facts(scope.resource, scope.user_type, level)


def permission(facts: Facts, scope_id: str) -> Permission:
    """The one permission that stands for a group; nameless, for no verdict may depend on the name."""
    return Permission(
        resource=facts.resource,
        resource_name=facts.resource,
        value="a scope",
        exists=Truth.TRUE,
        id=scope_id,
        user_type=known(facts.user_type),
        classification=facts.classification,
    )


def refs(snapshot: Snapshot, scopes: Iterable[Offered]) -> tuple[ScopeRef, ...]:
    """The scopes as a report names them, once each, in an order of their own."""
    each = {(scope.resource, scope.value.lower()): scope for scope in scopes}
    names = {resource: resource_name(snapshot, resource) for resource, _ in each}
    return tuple(ScopeRef(each[key].resource, each[key].value, names[key[0]]) for key in sorted(each))
