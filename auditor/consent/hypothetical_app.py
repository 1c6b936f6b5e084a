"""Hypothetical apps: what policies would let users grant to an app of which only the kind is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from auditor.consent import Truth
from auditor.consent.lookup import NotRead, SnapshotIndex, index_of
from auditor.consent.policies import Approval, GoverningPolicy, approval
from auditor.consent.requested_access import Client, Permission, requested, resource_app
from auditor.facts.ids import NO_ID
from auditor.model.decision import Reason
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot

UNVERIFIED, VERIFIED, OWN = "unverified-app", "verified-app", "own-app"


def hypothetical(snapshot: Snapshot, kind: str) -> Client:
    """An enabled app that no policy names: of another tenant and unverified or verified, or of this tenant."""
    verified = kind == VERIFIED
    return Client(
        app_id=NO_ID,
        presence=Truth.TRUE,
        object_id=NO_ID,
        enabled=Truth.TRUE,
        deactivated=Truth.FALSE,
        disabled_by_microsoft=Truth.FALSE,
        assignment_required=Truth.FALSE,
        owner_tenant=(snapshot.tenant.id or None) if kind == OWN else NO_ID,
        publisher_verified=Truth.TRUE if verified else Truth.FALSE,
        publisher_id="a publisher that no policy names" if verified else "",
    )


def approvals(
    snapshot: Snapshot | SnapshotIndex,
    client: Client,
    needs: Iterable[ScopeNeed],
    assigned: tuple[GoverningPolicy, ...],
    *,
    with_documentation: bool = False,
) -> Iterator[tuple[Permission, Approval]]:
    """What the policies say of each scope, asked for by itself.

    Documented text never replaces a policy that was not read, unless `with_documentation`. The approval is then
    unknown, unless the policies that were read decide it.
    """
    if not with_documentation:
        assigned = tuple(msgspec.structs.replace(a, policy=None) if a.documented else a for a in assigned)
    index = index_of(snapshot)
    app = App(client_id=client.app_id, scopes=tuple(needs))
    for permission in requested(index, app):
        yield permission, _approval(index, permission, client, assigned)


def _approval(
    index: SnapshotIndex,
    permission: Permission,
    client: Client,
    assigned: tuple[GoverningPolicy, ...],
) -> Approval:
    if not assigned:
        return approval(permission, client, assigned)
    if resource_app(index, permission.resource).missing is Truth.TRUE:
        detail = f"{permission.resource_name} is not in this tenant, so no app can request its scopes"
        return Approval(truth=Truth.FALSE, reason=Reason.RESOURCE_MISSING, detail=detail)
    if permission.exists is Truth.FALSE or permission.enabled is Truth.FALSE:
        detail = f"{permission.resource_name} has no scope {permission.value} that an app can request"
        return Approval(truth=Truth.FALSE, reason=Reason.SCOPE_DOES_NOT_EXIST, detail=detail)
    if permission.exists is Truth.UNKNOWN or permission.from_table:
        why = index.not_read("servicePrincipals", permission.resource).why
        return Approval(truth=Truth.UNKNOWN, reason=Reason.NOT_READ, detail=why)
    found = approval(permission, client, assigned)
    if found.truth is Truth.UNKNOWN and isinstance(permission.classification, NotRead):
        return msgspec.structs.replace(found, detail=permission.classification.why)
    return found
