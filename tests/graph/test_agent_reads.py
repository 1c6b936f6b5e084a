"""What is read of agent identities: which blueprint they have, and what it lets them inherit.

Sources: Microsoft Graph v1.0, ``agentIdentity``, "Get agentIdentity" and "List inheritablePermission objects".
"""

from __future__ import annotations

from typing import Any

import pytest

from auditor.graph.reads import BLUEPRINT_OF_AGENT, Read
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Plan, Snapshot
from tests.graph.live_tenants import CLIENT, GRAPH, SECTIONS, TENANT, read, tenant
from tests.graphserver import GraphServer, Status

VENDOR = "3d9f1c27-5b8e-4a60-9e14-7c2b8f0d6a11"
AGENT, BLUEPRINT = "a6e00000-0000-4000-8000-000000000001", "b1e00000-0000-4000-8000-000000000001"
INHERITABLE = f"/applications(appId='{BLUEPRINT}')/microsoft.graph.agentIdentityBlueprint/inheritablePermissions"
LIST = [
    {
        "resourceAppId": GRAPH,
        "inheritableScopes": {
            "@odata.type": "microsoft.graph.enumeratedScopes",
            "kind": "enumerated",
            "scopes": ["User.Read", "Mail.Read"],
        },
    },
    {"resourceAppId": CLIENT, "inheritableScopes": {"@odata.type": "microsoft.graph.noScopes", "kind": "none"}},
]
GRANT = {
    "id": "g-blueprint",
    "clientId": "sp-blueprint",
    "consentType": "AllPrincipals",
    "resourceId": "sp-graph",
    "scope": "Mail.Read",
}


def with_agents(owner: str = TENANT) -> dict[str, Any]:
    """The usual tenant with an agent identity, and the principal of its blueprint, which this tenant registered."""
    agent = {
        "@odata.type": "#microsoft.graph.agentIdentity",
        "id": AGENT,
        "appId": AGENT,
        "displayName": "Mail agent 1",
        "agentIdentityBlueprintId": BLUEPRINT,
    }
    blueprint = {
        "@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal",
        "id": "sp-blueprint",
        "appId": BLUEPRINT,
        "displayName": "Mail agents",
        "appOwnerOrganizationId": owner,
        "inheritablePermissions": LIST,
    }
    return tenant(
        servicePrincipals=[*SECTIONS["servicePrincipals"], agent, blueprint],
        oauth2PermissionGrants=[*SECTIONS["oauth2PermissionGrants"], GRANT],
    )


def apps(snapshot: Snapshot) -> dict[str, ServicePrincipal]:
    return {row.appId: row for row in snapshot.sections.servicePrincipals or ()}


def paths(server: GraphServer) -> list[str]:
    """The paths of all reads."""
    return [path for request in server.requests for path in request.paths]


WHOLE = Plan(sections=("organization",), whole=("servicePrincipals", "oauth2PermissionGrants"))


def test_a_whole_tenant_tells_the_blueprint_of_each_agent_and_what_own_blueprints_pass_on() -> None:
    with GraphServer(with_agents()) as server:
        snapshot = read(server, WHOLE)
        assert INHERITABLE in paths(server)
        assert not [path for path in paths(server) if path.endswith("microsoft.graph.agentIdentity")]
    found = apps(snapshot)
    assert found[AGENT].agentIdentityBlueprintId == BLUEPRINT
    passed_on = found[BLUEPRINT].inheritablePermissions or ()
    kinds = [(one.resourceAppId, one.inheritableScopes and one.inheritableScopes.kind) for one in passed_on]
    assert kinds == [(GRAPH, "enumerated"), (CLIENT, "none")]
    assert passed_on[0].inheritableScopes and passed_on[0].inheritableScopes.scopes == ("User.Read", "Mail.Read")
    assert snapshot.unread == {} and snapshot.covers == {}


def test_what_a_vendors_blueprint_passes_on_is_not_asked_for() -> None:
    with GraphServer(with_agents(VENDOR)) as server:
        snapshot = read(server, WHOLE)
        assert not [path for path in paths(server) if path.startswith("/applications")]
    assert apps(snapshot)[BLUEPRINT].inheritablePermissions is None


def test_a_refused_list_of_inheritable_permissions_leaves_only_that_unknown() -> None:
    with GraphServer(with_agents()) as server:
        server.fault("/applications", Status(403), times=None)
        snapshot = read(server, WHOLE)
    assert apps(snapshot)[BLUEPRINT].inheritablePermissions is None
    assert snapshot.unread == {} and snapshot.covers == {}
    assert snapshot.provenance is not None and 403 in {call.status for call in snapshot.provenance.calls}


def test_a_cloud_without_agents_is_asked_again_without_their_blueprint() -> None:
    with GraphServer(tenant(), unknown_properties=(BLUEPRINT_OF_AGENT,)) as server:
        snapshot = read(server, Plan(whole=("servicePrincipals",)))
        assert len(server.requests) == 2
    assert snapshot.unread == {} and apps(snapshot)[CLIENT].verifiedPublisher is not None


def test_a_refusal_that_names_no_property_costs_the_blueprint_of_agents_first() -> None:
    url = f"/servicePrincipals?$select=id,isDisabled,{BLUEPRINT_OF_AGENT}"
    first = Read(section="servicePrincipals", url=url, optional=("isDisabled", BLUEPRINT_OF_AGENT))
    second = first.after_refusal("Bad Request")
    assert second is not None and second.url == "/servicePrincipals?$select=id,isDisabled"
    third = second.after_refusal("Bad Request")
    assert third is not None and third.url == "/servicePrincipals?$select=id"


@pytest.mark.parametrize(
    ("owner", "reads_list"),
    [
        pytest.param(TENANT, True, id="own blueprint"),
        pytest.param(VENDOR, False, id="a vendor's blueprint"),
    ],
)
def test_a_preflight_of_an_agent_reads_its_blueprint_and_what_that_was_granted(owner: str, reads_list: bool) -> None:
    plan = Plan(sections=("organization",), clients=(AGENT,), resources=(GRAPH,))
    with GraphServer(with_agents(owner)) as server:
        snapshot = read(server, plan)
        assert (INHERITABLE in paths(server)) is reads_list
    found = apps(snapshot)
    assert found[AGENT].agentIdentityBlueprintId == BLUEPRINT
    assert (found[BLUEPRINT].inheritablePermissions is not None) is reads_list
    assert [row.clientId for row in snapshot.sections.oauth2PermissionGrants or ()] == ["sp-blueprint"]
    assert snapshot.covers["oauth2PermissionGrants"] == (AGENT, BLUEPRINT)
    assert snapshot.unread == {}
