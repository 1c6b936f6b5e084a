"""A Graph request applied to a copy of the snapshot: what the tenant would look like afterwards.

Only the requests that a fix may contain are known. Applying the very bodies that are printed is what makes a
fix's proof a proof of its instructions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from auditor.consent.fixes.commands import NEW_SERVICE_PRINCIPAL
from auditor.model.fix import GraphRequest
from auditor.model.resources import (
    AdminConsentRequestPolicy,
    AppRoleAssignment,
    AuthorizationPolicy,
    ConditionSet,
    DefaultUserRolePermissions,
    DelegatedPermissionClassification,
    OAuth2PermissionGrant,
    PermissionGrantPolicy,
    ServicePrincipal,
)
from auditor.model.snapshot import Sections, Snapshot

Body = Mapping[str, Any]
replace = msgspec.structs.replace


class NotApplicable(Exception):
    """The request is none of those that a fix may contain, or does not fit the snapshot."""


def apply(snapshot: Snapshot, request: GraphRequest) -> Snapshot:
    """The snapshot after `request`.

    Raises NotApplicable where the request is unknown or what it changes was not read.
    """
    path = re.sub(r"^https://[^/]+/v1\.0", "", request.url)
    for method, pattern, change in _CHANGES:
        found = re.fullmatch(pattern, path)
        if found and method == request.method:
            sections = change(snapshot, found.groups(), request.body or {})
            return _covering(replace(snapshot, sections=sections), sections)
    raise NotApplicable(f"{request.method} {path}")


def _covering(after: Snapshot, sections: Sections) -> Snapshot:
    """What was created is known, so a section that covers named apps only covers the new one too."""
    covered = after.covers.get("oauth2PermissionGrants")
    if covered is None:
        return after
    clients = {row.clientId.lower() for row in sections.oauth2PermissionGrants or ()}
    apps = (p.appId.lower() for p in sections.servicePrincipals or () if p.id.lower() in clients)
    return replace(after, covers={**after.covers, "oauth2PermissionGrants": tuple(dict.fromkeys((*covered, *apps)))})


def _create_service_principal(before: Snapshot, _: tuple[str, ...], body: Body) -> Sections:
    app_id = str(body["appId"])
    created = ServicePrincipal(
        id=NEW_SERVICE_PRINCIPAL, appId=app_id, accountEnabled=True, appRoleAssignmentRequired=False
    )
    absent = tuple(a for a in before.sections.absentServicePrincipals or () if a.lower() != app_id.lower())
    return replace(
        before.sections,
        servicePrincipals=(*(before.sections.servicePrincipals or ()), created),
        absentServicePrincipals=absent,
        appRoleAssignedTo={**(before.sections.appRoleAssignedTo or {}), app_id.lower(): ()},
    )


def _change_service_principal(before: Snapshot, ids: tuple[str, ...], body: Body) -> Sections:
    principals = before.sections.servicePrincipals or ()
    if not any(p.id.lower() == ids[0].lower() for p in principals):
        raise NotApplicable(f"no service principal {ids[0]}")
    changed = tuple(replace(p, **body) if p.id.lower() == ids[0].lower() else p for p in principals)
    return replace(before.sections, servicePrincipals=changed)


def _create_grant(before: Snapshot, _: tuple[str, ...], body: Body) -> Sections:
    row = msgspec.convert(body, OAuth2PermissionGrant)
    return replace(before.sections, oauth2PermissionGrants=(*(before.sections.oauth2PermissionGrants or ()), row))


def _change_grant(before: Snapshot, ids: tuple[str, ...], body: Body) -> Sections:
    rows = before.sections.oauth2PermissionGrants or ()
    if not any(row.id == ids[0] for row in rows):
        raise NotApplicable(f"no grant {ids[0]}")
    changed = tuple(replace(row, scope=str(body["scope"])) if row.id == ids[0] else row for row in rows)
    return replace(before.sections, oauth2PermissionGrants=changed)


def _create_policy(before: Snapshot, _: tuple[str, ...], body: Body) -> Sections:
    if before.sections.permissionGrantPolicies is None:
        raise NotApplicable("the consent policies were not read")
    policy = PermissionGrantPolicy(id=str(body["id"]), displayName=body.get("displayName"), includes=(), excludes=())
    return replace(before.sections, permissionGrantPolicies=(*before.sections.permissionGrantPolicies, policy))


def _add_include(before: Snapshot, ids: tuple[str, ...], body: Body) -> Sections:
    # What this program writes has no beta-only condition.
    added = msgspec.convert({**body, "certifiedClientApplicationsOnly": False}, ConditionSet)
    policies = before.sections.permissionGrantPolicies or ()
    changed = tuple(replace(p, includes=(*(p.includes or ()), added)) if p.id == ids[0] else p for p in policies)
    return replace(before.sections, permissionGrantPolicies=changed)


def _change_authorization(before: Snapshot, _: tuple[str, ...], body: Body) -> Sections:
    policy = before.sections.authorizationPolicy or AuthorizationPolicy()
    role = policy.defaultUserRolePermissions or DefaultUserRolePermissions()
    assigned = tuple(body["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"])
    role = replace(role, permissionGrantPoliciesAssigned=assigned)
    return replace(before.sections, authorizationPolicy=replace(policy, defaultUserRolePermissions=role))


def _classify(before: Snapshot, ids: tuple[str, ...], body: Body) -> Sections:
    resource = ids[0].lower()
    entry = msgspec.convert(body, DelegatedPermissionClassification)
    section = {k.lower(): v for k, v in (before.sections.delegatedPermissionClassifications or {}).items()}
    kept = tuple(e for e in section.get(resource, ()) if e.permissionId.lower() != entry.permissionId.lower())
    return replace(before.sections, delegatedPermissionClassifications={**section, resource: (*kept, entry)})


def _assign(before: Snapshot, ids: tuple[str, ...], body: Body) -> Sections:
    owner = next((p for p in before.sections.servicePrincipals or () if p.id.lower() == ids[0].lower()), None)
    if owner is None:
        raise NotApplicable(f"no service principal {ids[0]}")
    entry = msgspec.convert({"principalType": "User", **body}, AppRoleAssignment)
    section = {k.lower(): v for k, v in (before.sections.appRoleAssignedTo or {}).items()}
    app_id = owner.appId.lower()
    return replace(before.sections, appRoleAssignedTo={**section, app_id: (*section.get(app_id, ()), entry)})


def _set_workflow(before: Snapshot, _: tuple[str, ...], body: Body) -> Sections:
    return replace(before.sections, adminConsentRequestPolicy=msgspec.convert(body, AdminConsentRequestPolicy))


_CHANGES: tuple[tuple[str, str, Callable[[Snapshot, tuple[str, ...], Body], Sections]], ...] = (
    ("POST", r"/servicePrincipals", _create_service_principal),
    ("PATCH", r"/servicePrincipals/([^/]+)", _change_service_principal),
    ("POST", r"/servicePrincipals/([^/]+)/appRoleAssignedTo", _assign),
    ("POST", r"/servicePrincipals\(appId='([^']+)'\)/delegatedPermissionClassifications", _classify),
    ("POST", r"/oauth2PermissionGrants", _create_grant),
    ("PATCH", r"/oauth2PermissionGrants/([^/]+)", _change_grant),
    ("POST", r"/policies/permissionGrantPolicies", _create_policy),
    ("POST", r"/policies/permissionGrantPolicies/([^/]+)/includes", _add_include),
    ("PATCH", r"/policies/authorizationPolicy", _change_authorization),
    ("PUT", r"/policies/adminConsentRequestPolicy", _set_workflow),
)
