"""One app in many tenants: each answers from its own document, in its own state, with its own trouble."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.graphserver import CLIENT_ID, CLIENT_SECRET, PARTNER_ROLES, GraphServer, Refusal, Status, Tenant
from tests.graphserver.example import DOCUMENT, TENANT, VENDOR, batch, code, fetch, ids
from tests.limits import HUNG_AFTER

OTHER = "22222222-2222-4222-8222-222222222222"
PARTNER = "99999999-9999-4999-8999-999999999999"


def asked(server: GraphServer, tenant: str) -> int | str:
    """The AADSTS number with which Entra refuses the app a token for a tenant, or the token."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    url, scope = f"{server.authority}/{tenant}/oauth2/v2.0/token", {"scope": f"{server.graph}/.default"}
    answer = httpx.post(url, data={**form, **scope}, verify=server.trust).json()
    return str(answer["access_token"]) if "access_token" in answer else int(answer["error_codes"][0])


def test_one_secret_gets_a_token_for_each_tenant_and_the_token_decides_which_document_answers(
    server: GraphServer,
) -> None:
    added = server.add_tenant(server.tenant, tenant_id=OTHER, name="Other", domain="other.example")
    added.put("servicePrincipals", [{"id": "sp-only", "appId": VENDOR}])
    for authority, tenant, principal in (
        (TENANT, TENANT, "sp-vendor"),
        (OTHER, OTHER, "sp-only"),
        ("OTHER.example", OTHER, "sp-only"),
    ):
        token = str(asked(server, authority))
        (row,) = fetch(server, "/v1.0/organization", token).json()["value"]
        assert row["id"] == tenant
        assert fetch(server, f"/v1.0/servicePrincipals(appId='{VENDOR}')", token).json()["id"] == principal
    assert [one.tenant_id for one in server.requests[::2]] == [TENANT, OTHER, OTHER]
    assert row["displayName"] == "Other"


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        pytest.param(Refusal.NOT_FOUND, 400, id="not consented"),
        pytest.param(Refusal.NO_SERVICE_PRINCIPAL, 401, id="not consented in the newer words"),
        pytest.param(Refusal.DISABLED, 400, id="disabled"),
    ],
)
def test_a_tenant_can_refuse_the_app_and_the_others_do_not(server: GraphServer, refused: Refusal, status: int) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER, refused=refused)
    assert asked(server, OTHER) == refused
    assert server.token_requests[-1].status == status
    assert isinstance(asked(server, TENANT), str)


def test_consent_can_be_partly_given_lost_and_given_again_and_a_tenant_can_go(server: GraphServer) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER, roles=["Policy.Read.All"])
    token = str(asked(server, OTHER))
    assert fetch(server, "/v1.0/policies/authorizationPolicy", token).status_code == 200
    assert fetch(server, "/v1.0/servicePrincipals", token).status_code == 403
    server.set_consent(OTHER, refused=Refusal.NOT_FOUND)
    assert asked(server, OTHER) == 700016
    server.set_consent(OTHER)
    assert fetch(server, "/v1.0/servicePrincipals", str(asked(server, OTHER))).status_code == 200
    server.remove_tenant(OTHER)
    assert asked(server, OTHER) == 90002
    assert code(fetch(server, "/v1.0/organization", token)) == (401, "InvalidAuthenticationToken")


def test_trouble_and_latency_can_befall_one_tenant_alone_also_in_a_batch(server: GraphServer) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER, latency_seconds=0.05)
    server.fault("/organization", Status(403), tenant=OTHER, times=None)
    for tenant, status in ((TENANT, 200), (OTHER, 403)):
        with httpx.Client(
            base_url=server.graph,
            verify=server.trust,
            headers=server.bearer(tenant_id=tenant),
            timeout=HUNG_AFTER,
        ) as client:
            started = time.monotonic()
            assert client.get("/v1.0/organization").status_code == status
            assert batch(client, "/organization")["0"]["status"] == status
            assert tenant == TENANT or time.monotonic() - started >= 0.1


@pytest.mark.parametrize(
    ("scope", "hit"),
    [
        pytest.param("Tenant_Application", [OTHER], id="of the app in one tenant"),
        pytest.param("Tenant", [OTHER], id="of one tenant"),
        pytest.param("Application", [TENANT, OTHER], id="of the app in every tenant"),
    ],
)
def test_throttling_says_whose_requests_are_too_many(server: GraphServer, scope: Any, hit: list[str]) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER)
    server.throttle(7, tenant=OTHER, scope=scope, times=None)
    for tenant in (TENANT, OTHER):
        answer = fetch(server, "/v1.0/organization", tenant_id=tenant)
        assert answer.status_code == (429 if tenant in hit else 200)
        if tenant in hit:
            assert answer.headers["Retry-After"] == "7"
            assert answer.headers["x-ms-throttle-scope"] == f"{scope}/ReadWrite/{CLIENT_ID}/{OTHER}"


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("/{tenant}/adminconsent?client_id={app}&state=s1", id="of the tenant"),
        pytest.param("/organizations/adminconsent?client_id={app}&state=s1", id="of any tenant"),
        pytest.param(
            "/organizations/v2.0/adminconsent?client_id={app}&state=s1&scope=https://graph.microsoft.com/.default",
            id="version 2 of any tenant",
        ),
    ],
)
def test_an_administrator_consents_to_what_the_app_requests(server: GraphServer, link: str) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER, refused=Refusal.NO_SERVICE_PRINCIPAL)
    server.client.requested = frozenset({"Policy.Read.All"})
    place = server.consent_as_admin(server.authority + link.format(tenant=OTHER, app=CLIENT_ID), OTHER)
    said = httpx.URL(place).params
    assert (said["admin_consent"], said["tenant"], said["state"]) == ("True", OTHER, "s1")
    token = str(asked(server, OTHER))
    assert fetch(server, "/v1.0/policies/authorizationPolicy", token).status_code == 200
    assert fetch(server, "/v1.0/servicePrincipals", token).status_code == 403


@pytest.mark.parametrize(
    ("link", "session", "is_admin", "error"),
    [
        pytest.param("/{tenant}/adminconsent?client_id={app}", OTHER, False, "AADSTS90094", id="a user"),
        pytest.param("/{tenant}/adminconsent?client_id={app}", TENANT, True, "AADSTS50020", id="an admin of another"),
        pytest.param("/{tenant}/adminconsent?client_id=unknown", OTHER, True, "AADSTS700016", id="unknown app"),
        pytest.param(
            "/{tenant}/adminconsent?client_id={app}&redirect_uri=https://evil.example",
            OTHER,
            True,
            "AADSTS50011",
            id="foreign redirect URI",
        ),
        pytest.param("/{tenant}/v2.0/adminconsent?client_id={app}", OTHER, True, "AADSTS900144", id="no scope"),
        pytest.param("/gone.example/adminconsent?client_id={app}", OTHER, True, "AADSTS90002", id="no such tenant"),
        pytest.param("/{tenant}/adminconsent?client_id={app}", "", True, "Sign in", id="nobody signed in"),
    ],
)
def test_the_page_refuses_who_may_not_consent_and_changes_nothing(
    server: GraphServer, link: str, session: str, is_admin: bool, error: str
) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER, refused=Refusal.NOT_FOUND)
    with pytest.raises(ValueError, match=error):
        server.consent_as_admin(server.authority + link.format(tenant=OTHER, app=CLIENT_ID), session, is_admin=is_admin)
    assert asked(server, OTHER) == 700016


def test_consent_neither_enables_a_disabled_app_nor_gives_roles_for_delegated_scopes(server: GraphServer) -> None:
    server.add_tenant(server.tenant, tenant_id=OTHER, refused=Refusal.DISABLED)
    link = f"{server.authority}/{OTHER}/adminconsent?client_id={CLIENT_ID}"
    with pytest.raises(ValueError, match="AADSTS7000112"):
        server.consent_as_admin(link, OTHER)
    server.set_consent(OTHER, refused=Refusal.NOT_FOUND)
    delegated = f"{server.authority}/{OTHER}/v2.0/adminconsent?client_id={CLIENT_ID}&scope=User.Read"
    server.consent_as_admin(delegated, OTHER)
    assert fetch(server, "/v1.0/servicePrincipals", str(asked(server, OTHER))).status_code == 403


def test_a_partner_lists_its_customers_with_its_own_permissions() -> None:
    relationship = {
        "id": "r1",
        "status": "active",
        "customer": {"tenantId": OTHER, "displayName": "Other"},
        "accessAssignments": [{"id": "a1", "status": "active"}],
    }
    sections = {
        "delegatedAdminCustomers": [{"id": OTHER, "tenantId": OTHER, "displayName": "Other"}],
        "delegatedAdminRelationships": [relationship, {**relationship, "id": "r2", "status": "expired"}],
        "contracts": [{"id": "c1", "customerId": OTHER, "displayName": "Other"}],
    }
    partner = {"tenant": {"id": PARTNER, "name": "Partner"}, "sections": sections}
    relationships = "/v1.0/tenantRelationships/delegatedAdminRelationships"
    paths = {
        "/v1.0/tenantRelationships/delegatedAdminCustomers": [OTHER],
        relationships: ["r1", "r2"],
        f"{relationships}?$filter=status eq 'active'": ["r1"],
        f"{relationships}/r1/accessAssignments": ["a1"],
        "/v1.0/contracts": ["c1"],
    }
    with GraphServer(DOCUMENT) as server:
        server.add_tenant(partner, roles=PARTNER_ROLES)
        token = str(asked(server, PARTNER))
        assert {path: ids(fetch(server, path, token)) for path in paths} == paths
        assert "accessAssignments" not in fetch(server, f"{relationships}/r1", token).json()
        customer = str(asked(server, TENANT))
        assert {fetch(server, path, customer).status_code for path in list(paths)[:-1]} == {403}
        assert fetch(server, f"{relationships}?$top=301", token).status_code == 400


def test_a_thousand_tenants_share_what_they_have_in_common() -> None:
    with GraphServer(DOCUMENT) as server:
        common = Tenant(DOCUMENT)
        for number in range(1000):
            server.add_tenant(common, tenant_id=f"00000000-0000-4000-8000-{number:012}", domain=f"n{number}.example")
        last = server.tenants["00000000-0000-4000-8000-000000000999"]
        first = server.tenants["00000000-0000-4000-8000-000000000000"]
        assert last.rows("servicePrincipals") is common.rows("servicePrincipals")
        assert last.first("servicePrincipals", "appId", VENDOR) is first.first("servicePrincipals", "appId", VENDOR)
        assert ids(fetch(server, "/v1.0/organization", str(asked(server, "n999.example")))) == [last.id]
        first.put("servicePrincipals", [])
        assert first.first("servicePrincipals", "appId", VENDOR) is None
        assert last.first("servicePrincipals", "appId", VENDOR) is not None
