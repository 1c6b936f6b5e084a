"""The text of Microsoft's built-in user consent policies, for tenants whose own could not be read.

It is used with the confidence *likely*, because Microsoft changes what an id contains without notice. The table, with
a source and a date for each policy, is in ``builtin_policies.json``; it names scopes, whose ids come from the table of
scopes.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from auditor.facts import load_table
from auditor.facts.permissions import known_scopes
from auditor.model.resources import ConditionSet, PermissionGrantPolicy


class _Client(msgspec.Struct, frozen=True):
    name: str
    id: str


class _Set(msgspec.Struct, frozen=True):
    """A condition set: `resource` is an app id, and what is left out does not restrict."""

    id: str
    permission_type: str = "delegated"
    classification: str = "all"
    resource: str = "any"
    scope_list: str = ""
    client_list: str = ""
    own_tenant_only: bool = False
    verified_publishers_only: bool = False


class _Uncertainty(msgspec.Struct, frozen=True):
    """Where Microsoft's sources disagree or are silent about a verdict of a policy; what is left out does not limit it.

    `scopes_beyond` limits it to scopes that aren't in this list, `client_list` to these apps, and `own_tenant` to apps
    that are registered in the tenant.
    """

    verdict: Literal["approves", "refuses"]
    why: str
    scopes_beyond: str = ""
    client_list: str = ""
    own_tenant: bool = False


class _Policy(msgspec.Struct, frozen=True):
    """A policy; `portal_name` is what the page "User consent settings" calls it, as Microsoft's documentation does."""

    id: str
    portal_name: str
    source: str
    date: str
    includes: tuple[_Set, ...]
    excludes: tuple[_Set, ...] = ()
    uncertain: tuple[_Uncertainty, ...] = ()


class _PolicyTable(msgspec.Struct, frozen=True):
    source: str
    policies: tuple[_Policy, ...]
    scope_lists: dict[str, dict[str, tuple[str, ...]]]
    client_lists: dict[str, tuple[_Client, ...]]


@cache
def _table() -> _PolicyTable:
    return load_table("builtin_policies", _PolicyTable)


def documented_policy(policy_id: str, tenant_id: str) -> PermissionGrantPolicy | None:
    """The documented text of a built-in user consent policy, as the tenant would have it; ``None`` for any other."""
    policy = _policy(policy_id)
    if policy is None:
        return None
    return PermissionGrantPolicy(
        id=policy_id,
        includes=tuple(_condition_set(one, tenant_id) for one in policy.includes),
        excludes=tuple(_condition_set(one, tenant_id) for one in policy.excludes),
    )


def uncertainties(
    policy_id: str, *, approves: bool, client_id: str, own_tenant: bool, resource: str, scope: str
) -> tuple[str, ...]:
    """Why the documented text of a policy isn't certain where it approves or refuses this scope for this app.

    Each reason is a clause; there are none where Microsoft's sources agree. `own_tenant`: the app is registered in
    the tenant. `resource` and `client_id` are app ids; letter case does not matter.
    """
    policy, table = _policy(policy_id), _table()
    verdict = "approves" if approves else "refuses"
    found: list[str] = []
    for one in policy.uncertain if policy else ():
        settled = table.scope_lists[one.scopes_beyond].get(resource.lower(), ()) if one.scopes_beyond else ()
        clients = [client.id for client in table.client_lists[one.client_list]] if one.client_list else ()
        applies = (
            one.verdict == verdict
            and scope.lower() not in map(str.lower, settled)
            and (not one.client_list or client_id.lower() in clients)
            and (not one.own_tenant or own_tenant)
        )
        found += [one.why] if applies else []
    return tuple(found)


def portal_name(policy_id: str) -> str:
    """What the Microsoft Entra admin center calls a built-in user consent policy; nothing for any other."""
    policy = _policy(policy_id)
    return policy.portal_name if policy else ""


def portal_names() -> dict[str, str]:
    """The name in the admin center of every built-in user consent policy, by its id."""
    return {policy.id: policy.portal_name for policy in _table().policies}


def _policy(policy_id: str) -> _Policy | None:
    return next((policy for policy in _table().policies if policy.id == policy_id.lower()), None)


def _condition_set(one: _Set, tenant_id: str) -> ConditionSet:
    table, ids = _table(), known_scopes(one.resource)
    scopes = table.scope_lists[one.scope_list][one.resource] if one.scope_list else ()
    clients = table.client_lists[one.client_list] if one.client_list else ()
    return ConditionSet(
        id=one.id,
        permissionType=one.permission_type,
        permissionClassification=one.classification,
        resourceApplication=one.resource,
        permissions=tuple(ids[scope.lower()].id for scope in scopes) or ("all",),
        clientApplicationIds=tuple(client.id for client in clients) or ("all",),
        clientApplicationTenantIds=(tenant_id,) if one.own_tenant_only else ("all",),
        clientApplicationsFromVerifiedPublisherOnly=one.verified_publishers_only,
        certifiedClientApplicationsOnly=False,
    )
