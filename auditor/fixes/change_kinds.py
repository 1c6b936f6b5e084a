"""Every kind of change that a fix can make, and the way back from printed requests to changes.

A report stores requests only. Whoever has a report, such as the writer of a script, reads the changes from it here.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditor.fixes.app_changes import (
    AssignApp,
    CreateGrant,
    CreateServicePrincipal,
    DeleteGrant,
    DeleteServicePrincipal,
    ReplaceGrantScopes,
    SetServicePrincipalProperty,
    UnassignApp,
)
from auditor.fixes.app_role_changes import GrantAppRole, RevokeAppRole
from auditor.fixes.authorization_switches import SetAuthorizationSwitch
from auditor.fixes.change import GraphChange, NotApplicable
from auditor.fixes.policy_changes import (
    AddPolicyInclude,
    ClassifyPermission,
    CreateConsentPolicy,
    DeclassifyPermission,
    DeleteConsentPolicy,
    SetAssignedPolicies,
    SetConsentWorkflow,
)
from auditor.model.decision import GraphRequest
from auditor.model.snapshot import Snapshot

CHANGES: tuple[type[GraphChange], ...] = (
    CreateServicePrincipal,
    SetServicePrincipalProperty,
    DeleteServicePrincipal,
    AssignApp,
    UnassignApp,
    GrantAppRole,
    RevokeAppRole,
    CreateGrant,
    ReplaceGrantScopes,
    DeleteGrant,
    ClassifyPermission,
    DeclassifyPermission,
    CreateConsentPolicy,
    DeleteConsentPolicy,
    AddPolicyInclude,
    # A switch next to the list is set with the same request, so whether it's one is asked first.
    SetAuthorizationSwitch,
    SetAssignedPolicies,
    SetConsentWorkflow,
)
"""Each kind of change, by subject."""


def change_of(request: GraphRequest) -> GraphChange:
    """The change that `request` makes. Raises NotApplicable if no fix can contain it."""
    for kind in CHANGES:
        if change := kind.read(request):
            return change
    raise NotApplicable(f"{request.method} {request.url} is not a change that a fix can make")


def apply(snapshot: Snapshot, request: GraphRequest) -> Snapshot:
    """The snapshot after `request`. Raises NotApplicable and Conflict as `GraphChange.apply`."""
    return change_of(request).apply(snapshot)


def apply_all(snapshot: Snapshot, requests: Iterable[GraphRequest]) -> Snapshot:
    """The snapshot after all of `requests`, in order. Raises NotApplicable and Conflict as `GraphChange.apply`."""
    for request in requests:
        snapshot = apply(snapshot, request)
    return snapshot
