"""How much a consent policy lets users consent to, read from its condition sets and never from its name.

Also for hypothetical apps: what policies would let users grant to an app of which only the kind is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum

import msgspec

from auditor.consent import Truth
from auditor.consent.conditions import APPLICATION, Restrictions, restrictions_of
from auditor.consent.policies import Approval, GoverningPolicy, approval
from auditor.consent.requested_access import Client, Permission, requested, resource_app
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, index_of
from auditor.facts.ids import NO_ID
from auditor.model.decision import Reason
from auditor.model.resources import PermissionGrantPolicy
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot


class PolicyBreadth(IntEnum):
    """What a policy lets users consent to, from nothing to everything."""

    NOTHING = 0
    LOW = 1
    """Permissions classified low, for apps of this tenant, of verified or of listed publishers."""
    LIMITED = 2
    """Some permissions, or some apps."""
    ALL_BUT = 3
    """Every permission that publishers leave to users, for any app, except what the policy excludes."""
    EVERYTHING = 4


MEANS = {
    PolicyBreadth.NOTHING: "lets users consent to nothing",
    PolicyBreadth.LOW: (
        "lets users consent to permissions classified low, for apps of this tenant or of verified publishers"
    ),
    PolicyBreadth.LIMITED: "lets users consent to some permissions or for some apps",
    PolicyBreadth.ALL_BUT: "lets users consent to everything that it does not exclude, for any app",
    PolicyBreadth.EVERYTHING: "lets users consent to everything that publishers leave to users, for any app",
}


def policy_breadth(policy: PermissionGrantPolicy, tenant_id: str) -> PolicyBreadth | None:
    """How much the policy lets users consent to in the tenant with this id.

    ``None`` where its sets were not read, or where it depends on a condition that is new to this program.
    """
    if policy.includes is None or policy.excludes is None:
        return None
    excludes = [one for one in map(restrictions_of, policy.excludes) if one.permission_type != APPLICATION]
    # An include of which everything is excluded approves nothing.
    includes = [
        one for one in map(restrictions_of, policy.includes) if not any(exclude.includes(one) for exclude in excludes)
    ]
    if not all(one.is_known for one in includes):
        return None
    widest = max((_breadth(one, tenant_id) for one in includes), default=PolicyBreadth.NOTHING)
    if widest is PolicyBreadth.NOTHING:
        return widest
    # What an exclude that isn't known excludes at most may be all that a limited include approves.
    unknown = [one for one in excludes if not one.is_known]
    if unknown and (widest is not PolicyBreadth.EVERYTHING or any(one.is_open for one in unknown)):
        return None
    return PolicyBreadth.ALL_BUT if widest is PolicyBreadth.EVERYTHING and excludes else widest


def hides_include_conditions(policy: PermissionGrantPolicy) -> bool:
    """Whether a v1.0 read may have hidden conditions of its includes, which only beta shows."""
    return any(restrictions_of(one).may_hide_conditions for one in policy.includes or ())


def _breadth(include: Restrictions, tenant_id: str) -> PolicyBreadth:
    if not include.is_delegated:
        return PolicyBreadth.NOTHING
    if include.is_open:
        return PolicyBreadth.EVERYTHING
    if include.classification == "low" and _asks_for_a_known_publisher(include, tenant_id):
        return PolicyBreadth.LOW
    return PolicyBreadth.LIMITED


def _asks_for_a_known_publisher(include: Restrictions, tenant_id: str) -> bool:
    """Whether the set is only for apps of this tenant, of verified or listed publishers, or certified ones."""
    own_tenant_only = bool(include.client_tenants) and include.client_tenants <= {tenant_id.lower()}
    return bool(own_tenant_only or include.publishers or include.verified_only or include.certified_only)


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
