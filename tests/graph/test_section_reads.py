"""Every read of a plan has an address that the test server, and so Graph, knows."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import pytest

from auditor.facts.audit_activities import all_activities, drift_types
from auditor.graph.reads import Read, quoted
from auditor.graph.section_reads import CLIENT_PROPERTIES, PAGE, reads_for
from auditor.graph.transport import GetRequest, GraphClient
from auditor.model.sections import TENANT_SECTIONS, Extent, sections_read
from auditor.model.snapshot import Plan
from tests.graph.live_tenants import CLIENT, CUSTOM_ROLE, GRAPH, POLICY, TAKEN, USER, tenant, with_client
from tests.graphserver import GraphServer

EVERYTHING = Plan(
    sections=tuple(dict.fromkeys((*sections_read(Extent.TENANT), *sections_read(Extent.LOG)))),
    clients=(CLIENT,),
    resources=(GRAPH,),
    app_roles_of=(CLIENT,),
    app_roles_on=(GRAPH,),
    users=(USER,),
    beta_policies=(POLICY,),
    assignments_of=(CUSTOM_ROLE,),
    # Nothing reads all users, and the test server has no such list.
    whole=tuple(name for name in sections_read(Extent.DIRECTORY) if name != "users"),
)


@pytest.fixture(scope="module")
def reads() -> tuple[Read, ...]:
    async def use(client: GraphClient) -> tuple[Read, ...]:
        return reads_for(EVERYTHING, client.builders, TAKEN)

    with GraphServer(tenant()) as server:
        return with_client(server, use)


def test_every_address_is_known_to_graph(reads: tuple[Read, ...]) -> None:
    async def use(client: GraphClient) -> dict[str, int]:
        answers = await asyncio.gather(*(client.get(read.version, GetRequest(url=read.url)) for read in reads))
        return {read.url: answer.status for read, answer in zip(reads, answers, strict=True)}

    with GraphServer(tenant()) as server:
        refused = {url: status for url, status in with_client(server, use).items() if status != 200}
    assert refused == {}, "the address is wrong, or tests/graphserver/catalogue.py lacks a Route"


def test_every_section_that_needs_a_permission_can_be_read(reads: tuple[Read, ...]) -> None:
    assert set(TENANT_SECTIONS) - {read.section for read in reads} == set(), "reads_for in section_reads.py reads none"


def test_addresses_are_as_the_reference_writes_them(reads: tuple[Read, ...]) -> None:
    urls = {unquote(read.url) for read in reads}
    assert urls >= {
        "/organization?$select=id,displayName,tenantType,verifiedDomains",
        "/policies/authorizationPolicy",
        "/policies/permissionGrantPolicies",
        f"/policies/permissionGrantPolicies/{POLICY}",
        "/policies/adminConsentRequestPolicy",
        "/identity/conditionalAccess/policies",
        "/settings",
        f"/servicePrincipals(appId='{CLIENT}')?$select={','.join(CLIENT_PROPERTIES)}",
        f"/servicePrincipals(appId='{GRAPH}')?$select=id,appId,displayName,accountEnabled,oauth2PermissionScopes,appRoles",
        f"/servicePrincipals(appId='{CLIENT}')/oauth2PermissionGrants",
        f"/servicePrincipals(appId='{CLIENT}')/appRoleAssignedTo",
        f"/servicePrincipals(appId='{CLIENT}')/appRoleAssignments",
        f"/servicePrincipals(appId='{GRAPH}')/delegatedPermissionClassifications",
        f"/reports/servicePrincipalSignInActivities?$filter=appId eq '{CLIENT}'",
        f"/users/{USER}?$select=id,userPrincipalName,displayName,userType,accountEnabled,assignedPlans",
        f"/users/{USER}/memberOf?$select=id,displayName",
        f"/identityGovernance/appConsent/appConsentRequests?$filter=appId eq '{CLIENT}'",
        f"/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{CUSTOM_ROLE}'",
        f"/oauth2PermissionGrants?$top={PAGE}",
        "/auditLogs/directoryAudits?$filter=activityDateTime ge 2026-11-15T02:00:00Z and ("
        + " or ".join(f"activityDisplayName eq '{name}'" for name in all_activities())
        + ")",
        "/admin/configurationManagement/configurationDrifts?$filter="
        + " or ".join(f"resourceType eq '{name}'" for name in drift_types())
        + "&$select=id,resourceType,resourceInstanceIdentifier,firstReportedDateTime,status,driftedProperties",
    }


def test_key_credentials_are_never_asked_for(reads: tuple[Read, ...]) -> None:
    """They are throttled at 150 requests a minute for a whole tenant."""
    assert not [read for read in reads if "keyCredentials" in read.url]


def test_a_quote_in_a_name_cannot_end_a_filter() -> None:
    assert quoted("a' or 1 eq 1") == "'a'' or 1 eq 1'"
