"""How much a consent policy lets users consent to: read from its condition sets, never from its name."""

from __future__ import annotations

from enum import IntEnum

from auditor.consent.conditions import APPLICATION, Restrictions, restrictions_of
from auditor.model.resources import PermissionGrantPolicy


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
    return any(restrictions_of(one).certified_only is None for one in policy.includes or ())


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
