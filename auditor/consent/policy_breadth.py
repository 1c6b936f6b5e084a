"""How far a consent policy reaches, told from its condition sets and never from its name."""

from __future__ import annotations

from enum import IntEnum

from auditor.model.resources import ConditionSet, PermissionGrantPolicy


class Reach(IntEnum):
    """What a policy lets users consent to, from nothing to everything."""

    NOTHING = 0
    LOW = 1
    """Permissions classified low, for apps of this tenant, of verified or of listed publishers."""
    LIMITED = 2
    """Some permissions, or some apps."""
    ALL_BUT = 3
    """Every permission that publishers leave to users, for any app, except what the policy excludes."""
    EVERYTHING = 4


SAYS = {
    Reach.NOTHING: "lets users consent to nothing",
    Reach.LOW: "lets users consent to permissions classified low, for apps of this tenant or of verified publishers",
    Reach.LIMITED: "lets users consent to some permissions or for some apps",
    Reach.ALL_BUT: "lets users consent to everything that it does not exclude, for any app",
    Reach.EVERYTHING: "lets users consent to everything that publishers leave to users, for any app",
}

_DELEGATED = ("delegated", "delegateduserconsentable")


def reach(policy: PermissionGrantPolicy, tenant_id: str) -> Reach | None:
    """How far the policy reaches; ``None`` where a condition is new to this program, or its sets were not read."""
    includes, excludes = policy.includes, policy.excludes
    if includes is None or excludes is None:
        return None
    if any(one.permissionType.lower() == "delegated" and _is_open(one) for one in excludes):
        return Reach.NOTHING
    known = (*_DELEGATED, "application")
    if any(one.permissionType.lower() not in known for one in includes):
        return None
    widest = max((_of(one, tenant_id) for one in includes), default=Reach.NOTHING)
    about_delegated = any(one.permissionType.lower() in _DELEGATED for one in excludes)
    return Reach.ALL_BUT if widest is Reach.EVERYTHING and about_delegated else widest


def hides_conditions(policy: PermissionGrantPolicy) -> bool:
    """Whether a v1.0 read may have hidden conditions of it that only beta shows."""
    return any(one.certifiedClientApplicationsOnly is None for one in policy.includes or ())


def _of(one: ConditionSet, tenant_id: str) -> Reach:
    if one.permissionType.lower() not in _DELEGATED:
        return Reach.NOTHING
    if _is_open(one):
        return Reach.EVERYTHING
    if one.permissionClassification.lower() == "low" and _is_trusted(one, tenant_id):
        return Reach.LOW
    return Reach.LIMITED


def _is_trusted(one: ConditionSet, tenant_id: str) -> bool:
    """Whether the set asks for a publisher that somebody vouches for."""
    tenants = _listed(one.clientApplicationTenantIds)
    return (
        one.clientApplicationsFromVerifiedPublisherOnly
        or bool(tenants and tenants <= {tenant_id.lower()})
        or bool(_listed(one.clientApplicationPublisherIds))
        or one.certifiedClientApplicationsOnly is True
    )


def _is_open(one: ConditionSet) -> bool:
    """Whether no condition but the type of permission restricts the set."""
    lists = (
        one.permissions,
        one.clientApplicationIds,
        one.clientApplicationTenantIds,
        one.clientApplicationPublisherIds,
    )
    return (
        one.permissionClassification.lower() in ("", "all")
        and one.resourceApplication.lower() in ("", "any")
        and not any(_listed(values) for values in lists)
        and not one.clientApplicationsFromVerifiedPublisherOnly
        and not one.certifiedClientApplicationsOnly
    )


def _listed(values: tuple[str, ...]) -> frozenset[str]:
    """The ids that a condition lists, in lower case; none when it means everything."""
    listed = frozenset(value.lower() for value in values)
    return frozenset() if listed & {"all", "any"} else listed
