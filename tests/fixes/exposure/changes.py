"""Changes to a tenant: snapshots with every scope in them, and one thing made different."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.facts.permissions import known_scopes
from auditor.fixes.change_kinds import apply
from auditor.fixes.exposure import Exposure
from auditor.fixes.exposure_classes import AppClass, ScopeRef
from auditor.model.decision import GraphRequest
from auditor.model.resources import (
    ConditionSet,
    DelegatedPermissionClassification,
    DelegatedScope,
    OAuth2PermissionGrant,
    PermissionGrantPolicy,
    ServicePrincipal,
)
from auditor.model.snapshot import Snapshot
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample
from tests.oracle import pool
from tests.oracle.condition_strategies import condition_sets
from tests.oracle.strategies import POLICY_IDS, tenants

Json = dict[str, Any]
replace = msgspec.structs.replace

(PACK,) = load_packs(["trackerrms-uk"])
assert PACK.app is not None
APP = PACK.app
FOR_SELF = "ManagePermissionGrantsForSelf."
LISTS = ConditionSet(
    clientApplicationIds=(APP.client_id.upper(),),
    resourceApplication=MICROSOFT_GRAPH,
    permissions=(known_scopes(MICROSOFT_GRAPH)["mail.readwrite"].id, known_scopes(MICROSOFT_GRAPH)["mail.send"].id),
    certifiedClientApplicationsOnly=False,
)
OTHERS = [kind for kind in AppClass if kind is not AppClass.THIS]


def names(refs: tuple[ScopeRef, ...]) -> set[str]:
    return {ref.scope for ref in refs}


def nothing_for_others(found: Exposure) -> bool:
    return all(found.classes[kind].is_empty for kind in OTHERS) and found.weight == 0


def full(name: str) -> Snapshot:
    """A sample tenant whose resources have every scope that Microsoft publishes."""
    snapshot = sample(name)
    principals = snapshot.sections.servicePrincipals or ()
    return with_sections(snapshot, servicePrincipals=tuple(_with_all_scopes(p) for p in principals))


def _with_all_scopes(principal: ServicePrincipal) -> ServicePrincipal:
    table = known_scopes(principal.appId)
    if not table:
        return principal
    scopes = tuple(DelegatedScope(id=s.id, value=s.value, type=s.type, isEnabled=s.enabled) for s in table.values())
    return replace(principal, oauth2PermissionScopes=scopes)


def with_sections(snapshot: Snapshot, **changed: Any) -> Snapshot:
    return replace(snapshot, sections=replace(snapshot.sections, **changed))


def assigned(snapshot: Snapshot, *policy_ids: str, keep: bool = False) -> Snapshot:
    """With these policies assigned for users' own consent, instead of or besides the others."""
    policy = snapshot.sections.authorizationPolicy
    assert policy is not None and policy.defaultUserRolePermissions is not None
    role = policy.defaultUserRolePermissions
    kept = (role.permissionGrantPoliciesAssigned or ()) if keep else ()
    role = replace(role, permissionGrantPoliciesAssigned=(*kept, *(FOR_SELF + i for i in policy_ids)))
    return with_sections(snapshot, authorizationPolicy=replace(policy, defaultUserRolePermissions=role))


def with_policy(snapshot: Snapshot, policy_id: str, *includes: ConditionSet) -> Snapshot:
    """With one more consent policy, not assigned yet."""
    policy = PermissionGrantPolicy(id=policy_id, includes=includes, excludes=())
    return with_sections(snapshot, permissionGrantPolicies=(*(snapshot.sections.permissionGrantPolicies or ()), policy))


def classified(snapshot: Snapshot, resource: str, permission_id: str) -> Snapshot:
    """With one more permission classified low."""
    section = snapshot.sections.delegatedPermissionClassifications or {}
    entry = DelegatedPermissionClassification(permissionId=permission_id, classification="low")
    return with_sections(
        snapshot, delegatedPermissionClassifications={**section, resource: (*section.get(resource, ()), entry)}
    )


def with_principal(snapshot: Snapshot, app_id: str, **properties: Any) -> Snapshot:
    """With other properties of one service principal."""
    principals = snapshot.sections.servicePrincipals or ()
    assert any(p.appId.lower() == app_id.lower() for p in principals)
    return with_sections(
        snapshot,
        servicePrincipals=tuple(
            replace(p, **properties) if p.appId.lower() == app_id.lower() else p for p in principals
        ),
    )


def with_grant(snapshot: Snapshot, client: str, resource: str, scope: str, principal: str | None = None) -> Snapshot:
    """With one more grant, for everybody or for one user."""
    row = OAuth2PermissionGrant(
        clientId=client,
        resourceId=resource,
        consentType="Principal" if principal else "AllPrincipals",
        principalId=principal,
        scope=scope,
    )
    return with_sections(snapshot, oauth2PermissionGrants=(*(snapshot.sections.oauth2PermissionGrants or ()), row))


def object_id(snapshot: Snapshot, app_id: str) -> str:
    return next(p.id for p in snapshot.sections.servicePrincipals or () if p.appId.lower() == app_id.lower())


@st.composite
def additions(draw: DrawFn, document: Json) -> Json:
    """The tenant with something added that can only allow more: an include, an assignment, or both."""
    copy = deepcopy(document)
    role = copy["sections"].get("authorizationPolicy", {}).get("defaultUserRolePermissions", {})
    if "permissionGrantPoliciesAssigned" in role:
        role["permissionGrantPoliciesAssigned"].append(FOR_SELF + draw(st.sampled_from(POLICY_IDS)))
    found = copy["sections"].get("permissionGrantPolicies", [])
    if found and draw(st.booleans()):
        draw(st.sampled_from(found))["includes"].append(draw(condition_sets()))
    return copy


@st.composite
def mixtures(draw: DrawFn, document: Json) -> Json:
    """The tenant with some sections of another: as different as two snapshots of one tenant may be."""
    copy, other = deepcopy(document), draw(tenants())
    for name in draw(st.lists(st.sampled_from(sorted(other["sections"])), max_size=3, unique=True)):
        copy["sections"][name] = other["sections"][name]
        if name == "servicePrincipals":
            copy["sections"]["absentServicePrincipals"] = other["sections"].get("absentServicePrincipals", [])
            copy["covers"]["servicePrincipals"] = other["covers"]["servicePrincipals"]
    return copy


def for_this_app_only(document: Json, permissions: list[str]) -> Json:
    """The tenant with an assigned policy that approves permissions for the client of the pool alone."""
    copy = deepcopy(document)
    include = pool.condition_set(clientApplicationIds=[pool.CLIENT], permissions=permissions)
    copy["sections"]["permissionGrantPolicies"].append(pool.policy("for-one-app", [include]))
    role = copy["sections"]["authorizationPolicy"]["defaultUserRolePermissions"]
    role["permissionGrantPoliciesAssigned"].append(f"{FOR_SELF}for-one-app")
    return copy


def created(snapshot: Snapshot) -> Snapshot:
    """With the app's service principal, as a fix leaves it; where it is there already, as it was not yet."""
    others = tuple(p for p in snapshot.sections.servicePrincipals or () if p.appId != APP.client_id)
    new = GraphRequest(
        method="POST", url="https://graph.microsoft.com/v1.0/servicePrincipals", body={"appId": APP.client_id}
    )
    return apply(with_sections(snapshot, servicePrincipals=others), new)
