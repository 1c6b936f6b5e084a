"""What the apps of a tenant hold, and how much they can do with it.

The risk is this project's own view. A permission counts by its name as `auditor.fixes.exposure_classes` weighs it (1 to
5), and one more for each of: it gives access to mail, files or chats; the app holds it for every user, or without a
user; it holds it without a user; its publisher isn't verified and isn't this tenant. 5 or more is high, 3 or 4 medium.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from auditor.apps.asked_scopes import by_resource
from auditor.consent.existing_grants import ALL_PRINCIPALS, granted_names
from auditor.consent.granted_permissions import GrantNames
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, assigned_by_app
from auditor.facts.ids import OPENID_SCOPES, cloud_named
from auditor.facts.permissions import APP_ROLES
from auditor.fixes.exposure_classes import DataKind, data_kind, scope_weight
from auditor.model.decision import AppOwner
from auditor.model.report import AbusedApp
from auditor.model.resources import PRINCIPAL, ServicePrincipal
from auditor.model.survey import Holdings, Permissions, Risk, RiskLevel

_SENSITIVE = (DataKind.MAIL, DataKind.FILES, DataKind.CHATS)
_HIGH, _MEDIUM = 5, 3
_APP = "serviceprincipal"
_OF_APP = "appRoleAssignments"

APIS = tuple(sorted({role.resource for roles in APP_ROLES.values() for role in roles}))
"""Microsoft's APIs (app ids) whose application permissions give access to data or to other apps."""

APPLICATION, USERS, TENANT = "application", "users", "tenant_wide"
"""The fields of `Holdings` that can be unknown, as `SurveyedApp.not_known` names them."""


class FoundHoldings(NamedTuple):
    """What one app holds, and why parts of it aren't known, by the field."""

    holdings: Holdings
    not_known: dict[str, str]


class AppHoldings:
    """What each app of a tenant holds; the rows of all apps are grouped once."""

    def __init__(self, index: SnapshotIndex) -> None:
        self._index = index
        self._names = GrantNames(index)
        self._verifies_publishers = cloud_named(index.snapshot.cloud).verifies_publishers

    def held_by(self, client_id: str, owner: AppOwner, abused: AbusedApp | None = None) -> FoundHoldings:
        """What the app with this client id (lower case) holds; `abused` is its entry in the list of such apps."""
        principal = self._index.service_principal(client_id)
        if not isinstance(principal, ServicePrincipal):
            return self._without_principal(client_id)
        not_known: dict[str, str] = {}
        wide, single, people = self._delegated(principal)
        roles = self._application(principal, not_known)
        if not self._index.covers("oauth2PermissionGrants", client_id):
            not_known[TENANT] = not_known[USERS] = self._index.not_read("oauth2PermissionGrants").why
        are_known = TENANT not in not_known
        if None in people:
            not_known[USERS] = "a grant doesn't say which user it is for"
        risk = self._risk(principal, owner, wide, single, roles, is_whole=not not_known)
        found = Holdings(
            tenant_wide=wide if are_known or wide else None,
            by_users=single if are_known or single else None,
            users=None if USERS in not_known else len(people),
            application=roles,
            risk=_raised(risk, abused) if abused else risk,
        )
        return FoundHoldings(found, not_known)

    def _without_principal(self, client_id: str) -> FoundHoldings:
        """An app that isn't in the tenant holds nothing; one that wasn't looked up may hold anything."""
        absent = self._index.service_principal(client_id)
        why = getattr(absent, "why", "")
        if why:
            unknown = Holdings(tenant_wide=None, by_users=None, users=None, application=None, risk=None)
            return FoundHoldings(unknown, dict.fromkeys((TENANT, USERS, APPLICATION), why))
        nothing = Risk(level=RiskLevel.NONE, because="it holds nothing")
        return FoundHoldings(Holdings(tenant_wide=(), by_users=(), users=0, application=(), risk=nothing), {})

    def _delegated(
        self, principal: ServicePrincipal
    ) -> tuple[tuple[Permissions, ...], tuple[Permissions, ...], set[str | None]]:
        """What the app holds for every user, what for single users, and who these are."""
        wide: dict[tuple[str, str], None] = {}
        single: dict[tuple[str, str], None] = {}
        people: set[str | None] = set()
        for row in self._index.grants_of(principal.id):
            is_wide = row.consentType.lower() == ALL_PRINCIPALS
            resource = self._names.resource_with_id(row.resourceId)[1].lower()
            (wide if is_wide else single).update(dict.fromkeys((resource, name) for name in granted_names(row.scope)))
            if row.consentType.lower() == PRINCIPAL:
                people.add(row.principalId.lower() if row.principalId else None)
        return by_resource(self._index, wide), by_resource(self._index, single), people

    def _application(self, principal: ServicePrincipal, not_known: dict[str, str]) -> tuple[Permissions, ...] | None:
        """The application permissions of the app; none if it isn't known whether it has those of Microsoft's APIs.

        Permissions on other APIs count where they were read.
        """
        client_id = principal.appId.lower()
        own = None if self._index.was_refused(_OF_APP, client_id) else self._of_app.get(client_id)
        held = (*self._roles.get(principal.id.lower(), ()), *(own or ()))
        if own is None and self._why_apis_unread:
            not_known[APPLICATION] = self._why_apis_unread
        return None if not held and APPLICATION in not_known else by_resource(self._index, held)

    @cached_property
    def _why_apis_unread(self) -> str:
        """Why it isn't known which apps hold application permissions of Microsoft's APIs; empty if it is."""
        read = (self._index.assigned_to(api) for api in APIS)
        return next((rows.why for rows in read if isinstance(rows, NotRead)), "")

    @cached_property
    def _of_app(self) -> dict[str, list[tuple[str, str]]]:
        """Resource and application permission of each app of which all were read, by client id in lower case."""
        found: dict[str, list[tuple[str, str]]] = {}
        for client_id, rows in assigned_by_app(self._index.snapshot.sections.appRoleAssignments).items():
            held = found.setdefault(client_id, [])
            for row in rows:
                _, resource = self._names.resource_with_id(row.resourceId or "")
                held.append((resource.lower(), self._names.role(resource.lower(), row.appRoleId or "")))
        return found

    @cached_property
    def _roles(self) -> dict[str, list[tuple[str, str]]]:
        """Resource and application permission, by the object id of the app that holds it."""
        found: dict[str, list[tuple[str, str]]] = {}
        for resource, rows in assigned_by_app(self._index.snapshot.sections.appRoleAssignedTo).items():
            for row in rows:
                if (row.principalType or "").lower() == _APP:
                    name = self._names.role(resource, row.appRoleId or "")
                    found.setdefault(row.principalId.lower(), []).append((resource, name))
        return found

    @cached_property
    def holders(self) -> frozenset[str]:
        """The object ids of the apps that are known to hold application permissions."""
        own = (self._index.service_principal(client_id) for client_id, held in self._of_app.items() if held)
        return frozenset((*self._roles, *(one.id.lower() for one in own if isinstance(one, ServicePrincipal))))

    def _risk(
        self,
        principal: ServicePrincipal,
        owner: AppOwner,
        wide: tuple[Permissions, ...],
        single: tuple[Permissions, ...],
        roles: tuple[Permissions, ...] | None,
        *,
        is_whole: bool,
    ) -> Risk | None:
        publisher = principal.verifiedPublisher
        verified = publisher.is_verified if publisher else None
        is_foreign = owner is not AppOwner.OWN and self._verifies_publishers
        more = 1 if verified is False and is_foreign else 0
        found = [
            *_weights(roles or (), 2 + more, "without a user"),
            *_weights(wide, 1 + more, "for every user"),
            *_weights(single, more, "for single users"),
        ]
        at_least = not is_whole or (is_foreign and verified is None)
        if not found:
            return Risk(level=RiskLevel.NONE, because="it holds nothing") if is_whole else None
        weight, name, whom = max(found, key=lambda one: one[0])
        level = RiskLevel.HIGH if weight >= _HIGH else RiskLevel.MEDIUM if weight >= _MEDIUM else RiskLevel.LOW
        others = len({one for _, one, _ in found}) - 1
        because = f"{name} {whom}{f' and {others} more' if others else ''}"
        if more:
            because += "; publisher not verified"
        return Risk(level=level, because=because, at_least=at_least and level is not RiskLevel.HIGH)


def _raised(risk: Risk | None, abused: AbusedApp) -> Risk | None:
    """The risk of what an app on the list of known abused apps holds: high, or of a legitimate product medium."""
    if risk is None or risk.level is RiskLevel.NONE:
        return risk
    least = RiskLevel.MEDIUM if abused.legitimate else RiskLevel.HIGH
    level = min(risk.level, least, key=lambda one: one.rank)
    return Risk(
        level=level,
        because=f"on the list of known abused apps; {risk.because}",
        at_least=risk.at_least and level is not RiskLevel.HIGH,
    )


def _weights(permissions: tuple[Permissions, ...], more: int, whom: str) -> Iterator[tuple[int, str, str]]:
    """The weight of each permission, its name, and for whom the app holds it."""
    for of_resource in permissions:
        for name in of_resource.names:
            if name.lower() in OPENID_SCOPES:
                yield 1, name, whom
            else:
                yield scope_weight(name) + more + (data_kind(name) in _SENSITIVE), name, whom
