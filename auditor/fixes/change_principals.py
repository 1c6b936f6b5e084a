"""What the requests about service principals and their assignments change.

Source: Microsoft Graph v1.0, ``servicePrincipal`` and ``appRoleAssignment``.
"""

from __future__ import annotations

import msgspec

from auditor.fixes.errors import Conflict, NotApplicable
from auditor.fixes.requests import NEW_SERVICE_PRINCIPAL
from auditor.model.fix import GraphRequest
from auditor.model.resources import AppRoleAssignment, ServicePrincipal
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot

replace = msgspec.structs.replace


def create(before: Snapshot, _: tuple[str, ...], request: GraphRequest) -> Sections:
    """A new service principal starts enabled and without assignment requirement."""
    app_id = str((request.body or {})["appId"]).lower()
    principals = before.sections.servicePrincipals or ()
    if any(p.appId.lower() == app_id for p in principals):
        raise Conflict(f"app {app_id} has a service principal")
    created = ServicePrincipal(
        id=request.returns or NEW_SERVICE_PRINCIPAL, appId=app_id, accountEnabled=True, appRoleAssignmentRequired=False
    )
    absent = before.sections.absentServicePrincipals
    return replace(
        before.sections,
        servicePrincipals=(*principals, created),
        absentServicePrincipals=absent and tuple(a for a in absent if a.lower() != app_id),
        appRoleAssignedTo={**_assigned(before), app_id: ()},
    )


def change(before: Snapshot, ids: tuple[str, ...], request: GraphRequest) -> Sections:
    """Some of its properties have new values."""
    found = _one(before, ids[0])
    changed = replace(found, **(request.body or {}))
    principals = tuple(changed if p is found else p for p in before.sections.servicePrincipals or ())
    return replace(before.sections, servicePrincipals=principals)


def delete(before: Snapshot, ids: tuple[str, ...], _: GraphRequest) -> Sections:
    """Its grants and assignments go with it."""
    found = _one(before, ids[0])
    app_id = found.appId.lower()
    rows = before.sections.oauth2PermissionGrants
    absent = before.sections.absentServicePrincipals
    return replace(
        before.sections,
        servicePrincipals=tuple(p for p in before.sections.servicePrincipals or () if p is not found),
        absentServicePrincipals=(*(absent or ()), app_id),
        oauth2PermissionGrants=rows and tuple(r for r in rows if found.id not in (r.clientId, r.resourceId)),
        appRoleAssignedTo={k: v for k, v in _assigned(before).items() if k != app_id},
    )


def assign(before: Snapshot, ids: tuple[str, ...], request: GraphRequest) -> Sections:
    """A user or group more; what kind the principal is, the request does not say."""
    app_id = _one(before, ids[0]).appId.lower()
    entry = msgspec.convert(
        {"principalType": "User", "id": request.returns or None, **(request.body or {})}, AppRoleAssignment
    )
    entries = _assigned(before).get(app_id, ())
    if any(e.principalId.lower() == entry.principalId.lower() for e in entries):
        raise Conflict(f"{entry.principalId} is assigned")
    return replace(before.sections, appRoleAssignedTo={**_assigned(before), app_id: (*entries, entry)})


def unassign(before: Snapshot, ids: tuple[str, ...], _: GraphRequest) -> Sections:
    """An assignment less."""
    app_id = _one(before, ids[0]).appId.lower()
    entries = _assigned(before).get(app_id, ())
    kept = tuple(e for e in entries if e.id != ids[1])
    if len(kept) == len(entries):
        raise NotApplicable(f"no assignment {ids[1]}")
    return replace(before.sections, appRoleAssignedTo={**_assigned(before), app_id: kept})


def _one(before: Snapshot, object_id: str) -> ServicePrincipal:
    for principal in before.sections.servicePrincipals or ():
        if principal.id.lower() == object_id.lower():
            return principal
    raise NotApplicable(f"no service principal {object_id}")


def _assigned(before: Snapshot) -> dict[str, tuple[AppRoleAssignment, ...]]:
    return {app_id.lower(): entries for app_id, entries in (before.sections.appRoleAssignedTo or {}).items()}
