"""Whether an agent identity holds a permission that was granted to the principal of its blueprint only.

Sources: Entra, "Inheritable permissions and required resource access in Microsoft Entra Agent ID" (an administrator's
grant to the blueprint principal reaches every agent where the blueprint lists the resource as inheritable, and Graph
shows it on no agent); Microsoft Graph v1.0, ``inheritablePermission``.
"""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model.decision import Decision, Outcome, Reason, Verdict
from tests.consent.from_oracle import decided
from tests.oracle import pool
from tests.oracle.plain import app, tenant
from tests.oracle.pool import CLIENT, GRAPH, TENANT

Json = dict[str, Any]
BLUEPRINT, VENDOR = "b1e00000-0000-4000-8000-000000000001", "3d9f1c27-5b8e-4a60-9e14-7c2b8f0d6a11"
AGENT = pool.client(
    **{"@odata.type": "#microsoft.graph.agentIdentity"},
    displayName="Mail agent 1",
    agentIdentityBlueprintId=BLUEPRINT,
    appRoleAssignmentRequired=False,
)
PRINCIPAL = {
    "@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal",
    "id": "sp-blueprint",
    "appId": BLUEPRINT,
    "displayName": "Mail agents",
    "accountEnabled": True,
    "appOwnerOrganizationId": TENANT,
}
MAIL_READ = {**pool.grant(GRAPH, "Mail.Read"), "id": "g1", "clientId": "sp-blueprint"}


def passes_on(kind: str, *scopes: str, resource: str = GRAPH) -> Json:
    """The blueprint's principal where the list of inheritable permissions was read."""
    inherited: Json = {"@odata.type": f"#microsoft.graph.{kind}Scopes", "kind": kind}
    if scopes:
        inherited["scopes"] = list(scopes)
    return {**PRINCIPAL, "inheritablePermissions": [{"resourceAppId": resource, "inheritableScopes": inherited}]}


def agents(*principals: Json, grants: tuple[Json, ...] = (MAIL_READ,), agent: Json = AGENT) -> Json:
    """A tenant where users may consent to nothing, with an agent identity."""
    document = tenant(client=agent, oauth2PermissionGrants=list(grants))
    document["sections"]["servicePrincipals"] += principals
    return document


def asked(document: Json, *scopes: str) -> Decision:
    return decided(document, app(list(scopes)))


@pytest.mark.parametrize(
    ("principal", "says"),
    [
        pytest.param(
            PRINCIPAL,
            "blueprint Mail agents, whose list of inheritable permissions was not read",
            id="own, list not read",
        ),
        pytest.param(
            {**PRINCIPAL, "appOwnerOrganizationId": VENDOR},
            "whose list of inheritable permissions only its own tenant can read",
            id="a vendor's",
        ),
        pytest.param(
            passes_on("newKind"), "isn't of a form that this program knows", id="a kind that is new to this program"
        ),
        pytest.param(
            passes_on("enumerated", pool.PERMISSION_IDS[GRAPH]["Mail.Read"]), "may inherit", id="an id among the scopes"
        ),
    ],
)
def test_what_an_agent_may_inherit_is_unknown_and_named(principal: Json, says: str) -> None:
    decision = asked(agents(principal), "Mail.Read")
    assert decision.outcome is Outcome.DEPENDS
    assert set(decision.outcomes) == {Outcome.CONNECTS_SILENTLY, Outcome.NEEDS_ADMIN}
    assert any("Mail agent 1" in need and says in need for need in decision.depends_on)
    (verdict,) = (one for one in decision.scopes if one.scope == "Mail.Read")
    assert verdict.verdict is Verdict.UNKNOWN and "Mail agent 1" in verdict.detail


def test_a_grant_to_a_blueprint_for_one_user_is_not_documented_to_be_inherited() -> None:
    own = {**pool.grant(GRAPH, "Mail.Read", principal=pool.ALICE), "id": "g1", "clientId": "sp-blueprint"}
    alice = {"id": pool.ALICE, "userType": "Member", "roles": [], "role_actions": [], "groups": []}
    decision = decided(agents(passes_on("allAllowed"), grants=(own,)), app(["Mail.Read"]), alice)
    assert decision.outcome is Outcome.DEPENDS
    assert any("where they are granted to one user only" in need for need in decision.depends_on)


def test_a_scope_that_the_blueprint_was_not_granted_is_not_inherited() -> None:
    decision = asked(agents(PRINCIPAL), "Mail.Send")
    assert decision.outcome is Outcome.NEEDS_ADMIN
    assert {one.verdict for one in decision.scopes if one.scope == "Mail.Send"} == {Verdict.BLOCKED}


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(passes_on("none"), id="none"),
        pytest.param(passes_on("allAllowed", resource=pool.EXCHANGE), id="another resource"),
        pytest.param(passes_on("enumerated", "User.Read"), id="another scope"),
        pytest.param({**PRINCIPAL, "inheritablePermissions": []}, id="an empty list"),
    ],
)
def test_what_the_blueprint_does_not_pass_on_is_not_inherited(principal: Json) -> None:
    assert asked(agents(principal), "Mail.Read").outcome is Outcome.NEEDS_ADMIN


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(passes_on("allAllowed"), id="all"),
        pytest.param(passes_on("enumerated", "mail.read"), id="this scope"),
    ],
)
def test_what_the_blueprint_passes_on_is_held_without_a_grant(principal: Json) -> None:
    decision = asked(agents(principal), "openid", "Mail.Read")
    assert (decision.outcome, decision.reason) == (Outcome.CONNECTS_SILENTLY, Reason.GRANTED_TENANT_WIDE)
    assert any("inherits permissions of Microsoft Graph from its blueprint Mail agents" in c for c in decision.caveats)


@pytest.mark.parametrize(
    ("principals", "agent", "says"),
    [
        pytest.param((), AGENT, "", id="blueprint absent"),
        pytest.param(
            (PRINCIPAL,),
            {name: value for name, value in AGENT.items() if name != "agentIdentityBlueprintId"},
            "which blueprint that is was not read",
            id="blueprint not known",
        ),
    ],
)
def test_an_agent_whose_blueprint_is_not_there_inherits_nothing_unless_it_was_not_read(
    principals: tuple[Json, ...], agent: Json, says: str
) -> None:
    decision = asked(agents(*principals, agent=agent), "Mail.Read")
    assert decision.outcome is (Outcome.DEPENDS if says else Outcome.NEEDS_ADMIN)
    assert not says or any(says in need for need in decision.depends_on)


def test_the_blueprint_of_an_agent_outside_what_was_read_leaves_the_answer_open() -> None:
    document = agents(grants=())
    document["covers"] = {"servicePrincipals": [CLIENT, GRAPH], "oauth2PermissionGrants": [CLIENT]}
    decision = asked(document, "Mail.Read")
    assert decision.outcome is Outcome.DEPENDS
    assert any("may inherit more permissions from its blueprint" in need for need in decision.depends_on)


def test_an_agents_own_grant_needs_no_blueprint() -> None:
    own = {**pool.grant(GRAPH, "Mail.Read"), "id": "g2"}
    decision = asked(agents(PRINCIPAL, grants=(own,)), "Mail.Read")
    assert decision.outcome is Outcome.CONNECTS_SILENTLY and not decision.caveats


def test_an_ordinary_app_inherits_nothing_from_a_blueprint() -> None:
    ordinary = {name: value for name, value in AGENT.items() if name != "@odata.type"}
    assert asked(agents(passes_on("allAllowed"), agent=ordinary), "Mail.Read").outcome is Outcome.NEEDS_ADMIN
