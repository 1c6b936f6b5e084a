"""What the requests about consent policies, classifications and the workflow change.

Source: Microsoft Graph v1.0, ``permissionGrantPolicy``, ``authorizationPolicy``,
``delegatedPermissionClassification`` and ``adminConsentRequestPolicy``.
"""

from __future__ import annotations

import msgspec

from auditor.fixes.errors import Conflict, NotApplicable
from auditor.model.fix import GraphRequest
from auditor.model.resources import (
    AdminConsentRequestPolicy,
    ConditionSet,
    DelegatedPermissionClassification,
    PermissionGrantPolicy,
)
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot

replace = msgspec.structs.replace


def create(before: Snapshot, _: tuple[str, ...], request: GraphRequest) -> Sections:
    """A consent policy more, without includes."""
    existing = _read(before)
    body = request.body or {}
    if any(policy.id.lower() == str(body["id"]).lower() for policy in existing):
        raise Conflict(f"there is a policy {body['id']}")
    policy = PermissionGrantPolicy(
        id=str(body["id"]),
        displayName=body.get("displayName"),
        description=body.get("description"),
        includes=(),
        excludes=(),
    )
    return replace(before.sections, permissionGrantPolicies=(*existing, policy))


def delete(before: Snapshot, ids: tuple[str, ...], _: GraphRequest) -> Sections:
    """A consent policy less."""
    gone = _one(before, ids[0])
    return replace(before.sections, permissionGrantPolicies=tuple(p for p in _read(before) if p is not gone))


def add_include(before: Snapshot, ids: tuple[str, ...], request: GraphRequest) -> Sections:
    """A consent policy approves more. What this program writes has no condition that only beta shows."""
    found = _one(before, ids[0])
    added = msgspec.convert({**(request.body or {}), "certifiedClientApplicationsOnly": False}, ConditionSet)
    if added in (found.includes or ()):
        raise Conflict(f"policy {ids[0]} has the same include")
    changed = replace(found, includes=(*(found.includes or ()), added))
    policies = tuple(changed if policy is found else policy for policy in _read(before))
    return replace(before.sections, permissionGrantPolicies=policies)


def assign(before: Snapshot, _: tuple[str, ...], request: GraphRequest) -> Sections:
    """The list of assigned consent policies is another."""
    policy = before.sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    if policy is None or role is None:
        raise NotApplicable("the authorization policy was not read")
    entries = tuple((request.body or {})["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"])
    role = replace(role, permissionGrantPoliciesAssigned=entries)
    return replace(before.sections, authorizationPolicy=replace(policy, defaultUserRolePermissions=role))


def classify(before: Snapshot, ids: tuple[str, ...], request: GraphRequest) -> Sections:
    """A permission is in a bucket; one that is in a bucket already has to be taken out first."""
    resource = _app_id(ids[0])
    entry = msgspec.convert({"id": request.returns or None, **(request.body or {})}, DelegatedPermissionClassification)
    entries = _classified(before, resource)
    if any(e.permissionId.lower() == entry.permissionId.lower() for e in entries):
        raise Conflict(f"{entry.permissionId} is classified")
    return _with_classified(before, resource, (*entries, entry))


def declassify(before: Snapshot, ids: tuple[str, ...], _: GraphRequest) -> Sections:
    """A permission is in no bucket any more."""
    resource = _app_id(ids[0])
    entries = _classified(before, resource)
    kept = tuple(e for e in entries if e.id != ids[1])
    if len(kept) == len(entries):
        raise NotApplicable(f"no classification {ids[1]}")
    return _with_classified(before, resource, kept)


def set_workflow(before: Snapshot, _: tuple[str, ...], request: GraphRequest) -> Sections:
    """The workflow has other settings; its version is Graph's own counter and is left alone."""
    old = before.sections.adminConsentRequestPolicy
    if old is None:
        raise NotApplicable("the admin consent workflow was not read")
    new = msgspec.convert(request.body or {}, AdminConsentRequestPolicy)
    return replace(before.sections, adminConsentRequestPolicy=replace(new, version=old.version))


def _read(before: Snapshot) -> tuple[PermissionGrantPolicy, ...]:
    if before.sections.permissionGrantPolicies is None:
        raise NotApplicable("the consent policies were not read")
    return before.sections.permissionGrantPolicies


def _one(before: Snapshot, policy_id: str) -> PermissionGrantPolicy:
    for policy in _read(before):
        if policy.id.lower() == policy_id.lower():
            return policy
    raise NotApplicable(f"no consent policy {policy_id}")


def _app_id(text: str) -> str:
    return text.replace("''", "'").lower()


def _classified(before: Snapshot, resource: str) -> tuple[DelegatedPermissionClassification, ...]:
    section = before.sections.delegatedPermissionClassifications or {}
    return next((entries for app_id, entries in section.items() if app_id.lower() == resource), ())


def _with_classified(
    before: Snapshot, resource: str, entries: tuple[DelegatedPermissionClassification, ...]
) -> Sections:
    section = before.sections.delegatedPermissionClassifications or {}
    others = {app_id: kept for app_id, kept in section.items() if app_id.lower() != resource}
    return replace(before.sections, delegatedPermissionClassifications={**others, resource: entries})
