"""The server issues tokens by the rules of Entra, and lets each token read what Graph lets it read."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.identity
import azure.identity.aio
import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer, Status
from tests.graphserver.example import DOCUMENT, TENANT, VENDOR, code, fetch, ids


@pytest.mark.parametrize(
    ("roles", "path", "expected"),
    [
        pytest.param(["Policy.Read.All"], "/v1.0/policies/authorizationPolicy", 200, id="policy with its permission"),
        pytest.param(
            ["Directory.Read.All"],
            "/v1.0/policies/authorizationPolicy",
            "AccessDenied",
            id="policy with the directory's",
        ),
        pytest.param(
            ["Policy.Read.All", "Directory.Read.All"],
            "/v1.0/policies/permissionGrantPolicies",
            "Authorization_RequestDenied",
            id="grant policies with neither",
        ),
        pytest.param(
            ["Policy.Read.PermissionGrant"],
            "/v1.0/policies/permissionGrantPolicies/custom-mail/includes",
            200,
            id="grant policy",
        ),
        pytest.param(["DelegatedPermissionGrant.Read.All"], "/v1.0/oauth2PermissionGrants", 200, id="grants"),
        pytest.param(
            ["Application.Read.All"],
            "/v1.0/oauth2PermissionGrants",
            "Authorization_RequestDenied",
            id="grants with the permission for apps",
        ),
        pytest.param(["Directory.Read.All"], f"/v1.0/servicePrincipals(appId='{VENDOR}')", 200, id="an app by app id"),
        pytest.param(
            [],
            f"/v1.0/servicePrincipals(appId='{VENDOR}')",
            "Authorization_RequestDenied",
            id="another's app without a role",
        ),
        pytest.param([], f"/v1.0/servicePrincipals(appId='{CLIENT_ID}')", 200, id="its own app by app id"),
        pytest.param([], "/v1.0/servicePrincipals/sp-self", 200, id="its own app by id"),
        pytest.param([], "/v1.0/servicePrincipals", "Authorization_RequestDenied", id="all apps without a role"),
        pytest.param(
            ["User.Read.All"], "/v1.0/users/u1/memberOf", "Authorization_RequestDenied", id="groups of a user"
        ),
        pytest.param([], "/v1.0/auditLogs/signIns", "Authentication_MSGraphPermissionMissing", id="sign-ins"),
    ],
)
def test_each_endpoint_wants_its_own_permission(
    server: GraphServer, roles: list[str], path: str, expected: int | str
) -> None:
    answer = fetch(server, path, roles=roles)
    assert (200 if answer.status_code == 200 else code(answer)[1]) == expected
    assert answer.status_code in (200, 403)


def test_a_bad_token_is_answered_401(server: GraphServer) -> None:
    stale = server.bearer()
    server.expire_tokens()
    bad = [{}, stale, server.bearer(lifetime=-10), server.bearer(foreign=True), server.bearer(tenant_id="elsewhere")]
    bad += [server.bearer(audience="https://graph.microsoft.com"), {"Authorization": "Bearer rubbish"}]
    for headers in bad:
        answer = httpx.get(f"{server.graph}/v1.0/organization", verify=server.trust, headers=headers)
        assert code(answer) == (401, "InvalidAuthenticationToken")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert [one.authorized for one in server.requests] == [False] + [True] * 6
    assert not any("authorization" in one.headers for one in server.requests)


def test_a_users_token_may_read_what_its_scopes_allow(server: GraphServer) -> None:
    assert ids(fetch(server, "/v1.0/users/u1/memberOf", scopes=["User.Read.All"])) == ["group-1"]


def test_two_tenants_are_distinguished_by_the_token() -> None:
    other = {"tenant": {"id": "another", "name": "Other"}, "sections": {}}
    with GraphServer(DOCUMENT, other) as server:
        assert ids(fetch(server, "/v1.0/organization", tenant_id="another")) == ["another"]
        assert server.requests[0].tenant_id == "another"


def credential(server: GraphServer, kind: str, module: Any = azure.identity, **changed: str) -> Any:
    common: dict[str, Any] = {
        "authority": server.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(server.ca_file),
        "retry_total": 0,
    }
    who = {"tenant_id": TENANT, "client_id": CLIENT_ID}
    if kind == "secret":
        return module.ClientSecretCredential(**{**who, "client_secret": CLIENT_SECRET, **changed}, **common)
    if kind == "certificate":
        return module.CertificateCredential(**who, certificate_path=str(server.certificate_file()), **common)
    path = server.env("workload")["AZURE_FEDERATED_TOKEN_FILE"]
    return module.WorkloadIdentityCredential(**who, token_file_path=path, **common)


@pytest.mark.parametrize("kind", ["secret", "certificate", "workload"])
def test_azure_identity_gets_a_token_that_graph_takes(server: GraphServer, kind: str) -> None:
    with credential(server, kind) as one:
        token = one.get_token(f"{server.graph}/.default", enable_cae=True).token
    assert ids(fetch(server, "/v1.0/organization", token)) == [TENANT]


@pytest.mark.parametrize("kind", ["secret", "certificate", "workload"])
def test_azure_identity_gets_its_token_asynchronously_in_one_request(server: GraphServer, kind: str) -> None:
    async def token() -> str:
        async with credential(server, kind, azure.identity.aio) as one:
            return str((await one.get_token(f"{server.graph}/.default")).token)

    assert asyncio.run(token()).count(".") == 2
    (asked,) = server.token_requests
    assert (asked.grant_type, asked.client_id, asked.status) == ("client_credentials", CLIENT_ID, 200)


def test_a_user_signs_in_by_device_code(server: GraphServer, capsys: pytest.CaptureFixture[str]) -> None:
    with azure.identity.DeviceCodeCredential(
        CLIENT_ID,
        tenant_id=TENANT,
        authority=server.authority,
        disable_instance_discovery=True,
        connection_verify=str(server.ca_file),
    ) as one:
        token = one.get_token(f"{server.graph}/Directory.Read.All").token
    assert [asked.error for asked in server.token_requests if asked.grant_type] == [70016, None]
    assert "ABCD1234E" in capsys.readouterr().out
    assert ids(fetch(server, "/v1.0/users/u1/memberOf", token)) == ["group-1"]


def test_a_machine_gets_its_token_from_the_metadata_endpoint(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.env("managed").items():
        monkeypatch.setenv(name, value)
    with azure.identity.ManagedIdentityCredential() as one:
        token = one.get_token(f"{server.graph}/.default").token

    async def asynchronously() -> str:
        async with azure.identity.aio.ManagedIdentityCredential() as other:
            return str((await other.get_token(f"{server.graph}/.default")).token)

    for held in (token, asyncio.run(asynchronously())):
        assert ids(fetch(server, "/v1.0/organization", held)) == [TENANT]


@pytest.mark.parametrize(
    ("changed", "number", "status"),
    [
        pytest.param({"client_secret": "wrong"}, 7000215, 401, id="secret"),
        pytest.param({"client_id": "99999999-0000-4000-8000-000000000000"}, 700016, 400, id="app"),
        pytest.param({"tenant_id": "99999999-0000-4000-8000-000000000000"}, 90002, 400, id="tenant"),
    ],
)
def test_a_wrong_credential_gets_its_aadsts_number(
    server: GraphServer, changed: dict[str, str], number: int, status: int
) -> None:
    async def token() -> None:
        async with credential(server, "secret", azure.identity.aio, **changed) as one:
            await one.get_token(f"{server.graph}/.default")

    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}"):
        asyncio.run(token())
    assert (server.token_requests[-1].error, server.token_requests[-1].status) == (number, status)


def test_expired_secrets_foreign_assertions_and_absent_apps_are_refused(server: GraphServer) -> None:
    url, form = (
        f"{server.authority}/{TENANT}/oauth2/v2.0/token",
        {"grant_type": "client_credentials", "client_id": CLIENT_ID},
    )

    def numbers(**more: str) -> list[int]:
        scope = {"scope": f"{server.graph}/.default"}
        answer = httpx.post(url, data={**form, **scope, **more}, verify=server.trust)
        return list(answer.json().get("error_codes", []))

    assert numbers(client_secret=CLIENT_SECRET) == []
    assert numbers(client_secret=CLIENT_SECRET, scope="https://elsewhere.example/.default") == [500011]
    assert numbers(client_assertion="rubbish") == [50027]
    assert numbers() == [7000218]
    server.client.secret_expired = True
    assert numbers(client_secret=CLIENT_SECRET) == [7000222]
    server.client.roles_in[TENANT] = None
    assert numbers(client_secret=CLIENT_SECRET) == [700016]
    server.token_fault(Status(503))
    assert numbers() == [90033]


def test_the_environment_is_all_a_client_needs(server: GraphServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.env().items():
        monkeypatch.setenv(name, value)
    with azure.identity.EnvironmentCredential(authority=server.authority, disable_instance_discovery=True) as one:
        token = one.get_token(f"{server.graph}/.default").token
    assert ids(httpx.get(f"{server.graph}/v1.0/organization", headers={"Authorization": f"Bearer {token}"})) == [TENANT]
