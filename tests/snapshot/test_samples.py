"""Every sample is a believable tenant, and is what its name says."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path

import pytest

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCES
from auditor.facts.permissions import known_scope_ids, known_scopes
from auditor.model.resources import ConditionSet, DelegatedPermissionClassification, ServicePrincipal
from auditor.model.snapshot import Snapshot, Unread
from auditor.snapshot import samples
from auditor.snapshot.samples import sample, sample_names

CLIENT = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
BASICS = {"openid", "profile", "email", "offline_access", "User.Read"}
MAIL = {"Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite", "Contacts.ReadWrite"}
WITH_LOGS = "stopped-users"
LOGS = {"users", "roleAssignments", "appConsentRequests", "signIns", "directoryAudits"}
ABSENT = {"managed-default", "consent-off", "consent-off-workflow", "unreadable-policies"}

every_sample = pytest.mark.parametrize("name", sample_names())


def client(snapshot: Snapshot) -> ServicePrincipal | None:
    return next((sp for sp in snapshot.sections.servicePrincipals or () if sp.appId == CLIENT), None)


def connected(name: str) -> ServicePrincipal:
    found = client(sample(name))
    assert found is not None
    return found


def assigned(name: str) -> set[str]:
    """The policies under which users of a sample consent for themselves."""
    policy = sample(name).sections.authorizationPolicy
    assert policy is not None
    assert policy.defaultUserRolePermissions is not None
    entries = policy.defaultUserRolePermissions.permissionGrantPoliciesAssigned or ()
    return {policy_id for prefix, _, policy_id in (e.partition(".") for e in entries) if prefix.endswith("ForSelf")}


def tenant_wide(name: str) -> set[str]:
    """What an admin granted to the app on Microsoft Graph."""
    snapshot = sample(name)
    app = client(snapshot)
    rows = snapshot.sections.oauth2PermissionGrants or ()
    found = (row for row in rows if app and row.clientId == app.id and row.consentType == "AllPrincipals")
    return {scope for row in found for scope in row.scope.split()}


def low(name: str) -> dict[str, set[str | None]]:
    """What is classified low on each resource."""
    resources = sample(name).sections.delegatedPermissionClassifications or {}
    return {app: {item.permissionName for item in items} for app, items in resources.items()}


def conditions(snapshot: Snapshot, policy_id: str) -> tuple[tuple[ConditionSet, ...], tuple[ConditionSet, ...]]:
    policies = snapshot.sections.permissionGrantPolicies or ()
    policy = next(p for p in policies if p.id == policy_id)
    return policy.includes or (), policy.excludes or ()


@every_sample
def test_a_sample_reads_what_a_check_of_one_app_needs(name: str) -> None:
    snapshot = sample(name)
    there = client(snapshot)
    read = set(json.loads((Path(samples.__file__).with_name("samples") / "base.json").read_bytes())["sections"])
    read |= LOGS if name == WITH_LOGS else set()
    read -= {"permissionGrantPolicies"} if name == "unreadable-policies" else set()
    sections = {field: getattr(snapshot.sections, field) for field in snapshot.sections.__struct_fields__}
    assert {field for field, value in sections.items() if value is not None} == read
    assert (there is None) == (name in ABSENT)
    assert sections["absentServicePrincipals"] == ((CLIENT,) if there is None else ())
    assert list(sections["appRoleAssignedTo"])[:1] == ([] if there is None else [CLIENT])
    assert sections["delegatedPermissionClassifications"].keys() == set(RESOURCES.values())
    assert (sections["roleDefinitions"], sections["directorySettings"]) == ((), ())
    if name == WITH_LOGS:
        assert snapshot.covers.keys() == {"roleDefinitions"}
    else:
        assert set(snapshot.covers["servicePrincipals"]) >= {CLIENT, MICROSOFT_GRAPH, EXCHANGE_ONLINE}
        assert CLIENT in snapshot.covers["oauth2PermissionGrants"]
    assert snapshot.covers["roleDefinitions"] == ("custom",)
    assert snapshot.taken == "2026-11-22T02:00:00Z"


@every_sample
def test_a_sample_is_one_tenant_and_knows_its_own_name(name: str) -> None:
    snapshot = sample(name)
    organization = snapshot.sections.organization
    assert organization is not None
    assert (organization.id, organization.displayName) == (snapshot.tenant.id, snapshot.tenant.name)
    assert uuid.UUID(snapshot.tenant.id).version == 4
    assert "{" not in repr(organization)
    if name != "unreadable-policies":
        own, _ = conditions(snapshot, "microsoft-user-default-low")[0]
        assert own.clientApplicationTenantIds == (snapshot.tenant.id,)


def test_no_two_samples_are_the_same_tenant() -> None:
    tenants = [sample(name).tenant for name in sample_names()]
    assert len({tenant.id for tenant in tenants}) == len({tenant.name for tenant in tenants}) == 15


@every_sample
def test_every_scope_has_microsofts_id_and_type(name: str) -> None:
    for resource in sample(name).sections.servicePrincipals or ():
        for scope in resource.oauth2PermissionScopes or ():
            known = known_scopes(resource.appId)[scope.value.lower()]
            assert (scope.id, scope.value, scope.type, scope.isEnabled) == (
                known.id,
                known.value,
                known.type,
                known.enabled,
            )


@every_sample
def test_every_permission_of_a_policy_is_published_by_its_resource(name: str) -> None:
    snapshot = sample(name)
    published = {
        (sp.appId, scope.id)
        for sp in snapshot.sections.servicePrincipals or ()
        for scope in sp.oauth2PermissionScopes or ()
    }
    for policy in snapshot.sections.permissionGrantPolicies or ():
        for item in (*(policy.includes or ()), *(policy.excludes or ())):
            assert {(item.resourceApplication, i) for i in item.permissions if i != "all"} <= published


@every_sample
def test_every_classification_and_grant_is_that_of_a_published_scope(name: str) -> None:
    sections = sample(name).sections
    by_id = {sp.id: sp for sp in sections.servicePrincipals or ()}
    for resource, items in (sections.delegatedPermissionClassifications or {}).items():
        for item in items:
            assert known_scope_ids()[item.permissionId][0] == resource
            assert known_scope_ids()[item.permissionId][1].value == item.permissionName
            assert item.id == classification_id(item)
    for grant in sections.oauth2PermissionGrants or ():
        scopes = {scope.value for scope in by_id[grant.resourceId].oauth2PermissionScopes or ()}
        assert set(grant.scope.split()) <= scopes
        assert grant.clientId in by_id
        assert grant.id == encoded(grant.clientId, grant.resourceId, *filter(None, [grant.principalId]))


def encoded(*ids: str, tail: bytes = b"") -> str:
    """How Graph makes an id of other ids."""
    data = b"".join(uuid.UUID(i).bytes_le for i in ids) + tail
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def classification_id(item: DelegatedPermissionClassification) -> str:
    return encoded(item.permissionId, tail=b"\1")


@every_sample
def test_the_app_if_there_comes_from_another_tenant_and_is_verified(name: str) -> None:
    snapshot = sample(name)
    if app := client(snapshot):
        assert app.appOwnerOrganizationId not in (None, snapshot.tenant.id)
        assert app.verifiedPublisher is not None
        assert app.verifiedPublisher.verifiedPublisherId
        assert app.replyUrls == (
            "https://ukevo.tracker-rms.com/Office365/CallBack",
            "https://usevo.tracker-rms.com/Office365/CallBack",
        )
        assert app.accountEnabled is (name != "app-disabled")
        assert app.appRoleAssignmentRequired is (name == "assignment-required")


RECOMMENDED = "microsoft-user-default-recommended"
MAIL_CLIENTS = "microsoft-user-default-allow-consent-apps"
LOW = "microsoft-user-default-low"
LEGACY = "microsoft-user-default-legacy"


POLICIES = {
    "managed-default": {RECOMMENDED, MAIL_CLIENTS},
    "legacy-open": {LEGACY},
    "low-unclassified": {LOW},
    "low-classified": {LOW},
    "consent-off": set(),
    "consent-off-workflow": set(),
    "admin-consented": set(),
    "admin-consented-partly": {RECOMMENDED, MAIL_CLIENTS},
    "app-disabled": {RECOMMENDED, MAIL_CLIENTS},
    "assignment-required": {LEGACY},
    "custom-policy": {RECOMMENDED, "contoso-allow-trackerrms"},
    "classified-on-exchange-only": {LOW},
    "unreadable-policies": {RECOMMENDED, MAIL_CLIENTS},
}
"""The assigned policies of each sample."""


@pytest.mark.parametrize("name", POLICIES)
def test_the_user_consent_setting_is_the_one_of_the_name(name: str) -> None:
    assert assigned(name) == POLICIES[name]


@every_sample
def test_team_and_chat_owners_may_consent_whatever_users_may(name: str) -> None:
    assert "ForOwnedResource.microsoft-dynamically-managed-permissions-for-team" in repr(sample(name))


def test_the_managed_policy_excludes_three_of_the_scopes_that_the_app_needs() -> None:
    (include,), (graph, exchange) = conditions(sample("managed-default"), RECOMMENDED)
    assert include.permissionType == "delegatedUserConsentable"
    excluded = {known_scope_ids()[i][1].value for i in graph.permissions}
    assert excluded & (BASICS | MAIL) == MAIL - {"Mail.Send"}
    assert len(excluded) == 32
    assert {known_scope_ids()[i][0] for i in exchange.permissions} == {EXCHANGE_ONLINE}


def test_what_is_classified_is_what_the_names_say() -> None:
    nothing = {resource: set[str]() for resource in RESOURCES.values()}
    assert low("low-classified") == nothing | {MICROSOFT_GRAPH: BASICS | MAIL}
    assert low("classified-on-exchange-only") == nothing | {MICROSOFT_GRAPH: BASICS, EXCHANGE_ONLINE: MAIL}
    others = set(sample_names()) - {"low-classified", "classified-on-exchange-only"}
    assert [low(name) for name in others] == [nothing] * 13


def test_what_admins_granted_is_what_the_names_say() -> None:
    granted = {name: tenant_wide(name) for name in sample_names()}
    assert {name: scopes for name, scopes in granted.items() if scopes} == {
        "admin-consented": BASICS | MAIL,
        "admin-consented-partly": BASICS | MAIL - {"Mail.Send", "Contacts.ReadWrite"},
        "app-disabled": BASICS | MAIL,
        "conditional-access": BASICS | MAIL,
        "stopped-users": BASICS | MAIL,
    }


def test_grants_are_spaced_as_carelessly_as_real_ones() -> None:
    full, _, _ = sample("admin-consented").sections.oauth2PermissionGrants or ()
    (partly,) = sample("admin-consented-partly").sections.oauth2PermissionGrants or ()
    assert full.scope.startswith(" ")
    assert full.clientId == connected("admin-consented").id
    assert "  " in partly.scope.strip()


def test_somebody_is_assigned_where_the_app_requires_it() -> None:
    assignments = sample("assignment-required").sections.appRoleAssignedTo
    assert assignments is not None
    (assignment,) = assignments[CLIENT]
    assert (assignment.principalType, assignment.resourceId) == ("User", connected("assignment-required").id)


def test_the_custom_policy_allows_this_app_its_scopes_and_nothing_else() -> None:
    (include,), excludes = conditions(sample("custom-policy"), "contoso-allow-trackerrms")
    assert {known_scope_ids()[i][1].value for i in include.permissions} == BASICS | MAIL
    assert (include.clientApplicationIds, include.resourceApplication) == ((CLIENT,), MICROSOFT_GRAPH)
    assert excludes == ()


@every_sample
def test_the_consent_workflow_is_on_in_two_samples_with_two_reviewers(name: str) -> None:
    workflow = sample(name).sections.adminConsentRequestPolicy
    assert workflow is not None
    assert (workflow.isEnabled, len(workflow.reviewers or ())) == (
        (True, 2) if name in ("consent-off-workflow", WITH_LOGS) else (False, 0)
    )


@every_sample
def test_only_the_unreadable_policies_were_not_read(name: str) -> None:
    unread = sample(name).unread
    if name != "unreadable-policies":
        assert unread == {}
        return
    why: Unread = unread["permissionGrantPolicies"]
    assert (why.status, why.code, why.needs) == (
        403,
        "Authorization_RequestDenied",
        ("Policy.Read.PermissionGrant",),
    )
    assert uuid.UUID(why.request_id).version == 4
