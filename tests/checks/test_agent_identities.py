"""Agent identities inherit what the principal of their blueprint was granted, without a grant that Graph shows.

Sources: Entra, "Inheritable permissions and required resource access in Microsoft Entra Agent ID" (29 April 2026);
Microsoft Graph v1.0, ``agentIdentity`` (which has no appId, and servicePrincipalType ServiceIdentity) and
``agentIdentityBlueprintPrincipal``.
"""

from __future__ import annotations

from typing import Any

import pytest

from auditor.checks.grants import DelegatedGrants
from auditor.checks.kind import CheckContext, CheckResult
from auditor.model.resources import AGENT_IDENTITY
from auditor.snapshot.graph_json import decode_section
from tests.checks.tenants import GRAPH_SP, principal, tenant
from tests.oracle import pool

VENDOR = "3d9f1c27-5b8e-4a60-9e14-7c2b8f0d6a11"
AGENT = "5e0a2d38-6c9f-4b71-8f25-8d3c9a1e7b22"
WIDE = DelegatedGrants(consent="tenant-wide", lists=("mail",), publisher="unverified", owner="foreign")


def blueprint(**facts: Any) -> dict[str, Any]:
    """The principal of a blueprint that another tenant registered."""
    kind = {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "appOwnerOrganizationId": VENDOR}
    return principal(**kind, displayName="Mail agents", **facts)


OWN_BLUEPRINT = blueprint() | {"appOwnerOrganizationId": pool.TENANT}


def agent(**facts: Any) -> dict[str, Any]:
    """An agent identity as Graph's reference shows it."""
    return {
        "@odata.type": "#microsoft.graph.agentIdentity",
        "id": AGENT,
        "displayName": "Mail agent 1",
        "accountEnabled": True,
        "servicePrincipalType": "ServiceIdentity",
        "agentIdentityBlueprintId": pool.CLIENT,
        "tags": [],
        **facts,
    }


def judged(*apps: dict[str, Any], client: str | None = None) -> CheckResult:
    grant = pool.grant(pool.GRAPH, "Mail.Read")
    if client:
        grant = {**grant, "clientId": client}
    snapshot = tenant(servicePrincipals=[*apps, GRAPH_SP], oauth2PermissionGrants=[grant])
    return WIDE.judge(CheckContext(snapshot, None))


@pytest.mark.parametrize(
    ("agents", "says"),
    [
        pytest.param((agent(),), "1 of them is in this tenant", id="one agent"),
        pytest.param((), "0 of them are in this tenant", id="no agent yet"),
        pytest.param((agent(agentIdentityBlueprintId=VENDOR),), "0 of them are", id="an agent of another blueprint"),
        pytest.param((agent(agentIdentityBlueprintId=None),), "was not read", id="an agent of an unread blueprint"),
    ],
)
def test_a_grant_to_a_blueprint_is_reported_with_the_agents_that_may_inherit_it(
    agents: tuple[dict[str, Any], ...], says: str
) -> None:
    result = judged(blueprint(), *agents)
    assert result.outcome.value == "fail"
    assert "Mail agents is an agent identity blueprint" in result.reason and says in result.reason
    assert "another tenant's registration says" in result.reason


def test_a_blueprint_of_this_tenant_could_be_read_and_was_not() -> None:
    grants = DelegatedGrants(consent="tenant-wide", lists=("mail",))
    snapshot = tenant(
        servicePrincipals=[OWN_BLUEPRINT, GRAPH_SP], oauth2PermissionGrants=[pool.grant(pool.GRAPH, "Mail.Read")]
    )
    assert "inherit it, which was not read" in grants.judge(CheckContext(snapshot, None)).reason


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param([], "lets them inherit it: nothing;", id="nothing"),
        pytest.param([("allAllowed", None)], "lets them inherit it: all of Microsoft Graph;", id="all of a resource"),
        pytest.param([("enumerated", ["Mail.Read"])], "inherit it: 1 permission of Microsoft Graph;", id="one scope"),
        pytest.param([("none", None)], "lets them inherit it: nothing;", id="a resource without scopes"),
        pytest.param([("newKind", None)], "an unknown part of Microsoft Graph;", id="a new kind"),
    ],
)
def test_what_a_blueprint_of_this_tenant_passes_on_is_said(rows: list[tuple[str, Any]], says: str) -> None:
    inherited = [
        {"resourceAppId": pool.GRAPH, "inheritableScopes": {"kind": kind, "scopes": scopes}} for kind, scopes in rows
    ]
    grants = DelegatedGrants(consent="tenant-wide", lists=("mail",))
    snapshot = tenant(
        servicePrincipals=[{**OWN_BLUEPRINT, "inheritablePermissions": inherited}, GRAPH_SP],
        oauth2PermissionGrants=[pool.grant(pool.GRAPH, "Mail.Read")],
    )
    assert says in grants.judge(CheckContext(snapshot, None)).reason


@pytest.mark.parametrize(
    ("apps", "outcome"),
    [
        pytest.param((blueprint(), agent()), "fail", id="its blueprint is another tenant's and unverified"),
        pytest.param(
            (blueprint() | {"appOwnerOrganizationId": pool.TENANT}, agent()), "pass", id="its blueprint is own"
        ),
        pytest.param((agent(),), "unknown", id="its blueprint was not read"),
        pytest.param((blueprint(), agent(agentIdentityBlueprintId=None)), "unknown", id="its blueprint is not known"),
    ],
)
def test_an_agents_own_grant_is_judged_by_the_publisher_and_owner_of_its_blueprint(
    apps: tuple[dict[str, Any], ...], outcome: str
) -> None:
    assert judged(*apps, client=AGENT).outcome.value == outcome


def test_an_agent_without_an_app_id_does_not_make_the_list_unreadable() -> None:
    (found,) = decode_section("servicePrincipals", {"value": [agent()]})
    assert (found.id, found.appId, found.displayName) == (AGENT, AGENT, "Mail agent 1")
    assert (found.odataType, found.agentIdentityBlueprintId) == (AGENT_IDENTITY, pool.CLIENT)


def test_the_kind_of_other_service_principals_is_not_kept() -> None:
    (found,) = decode_section(
        "servicePrincipals", [{"@odata.type": "#microsoft.graph.servicePrincipal", "id": "1", "appId": "2"}]
    )
    assert found.odataType is None
