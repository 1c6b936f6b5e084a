"""Every way to sign in, against a token side that keeps Entra's rules, and every way in which it fails."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from auditor.graph.access_tokens import TokenClaims, decode_claims
from auditor.graph.credentials import (
    SignInSettings,
    mentions_credential,
    misspelt_variables,
    open_credential,
    resolve_auth,
)
from auditor.graph.graph_errors import CredentialError
from auditor.graph.network import NetworkSettings
from auditor.graph.sign_in_errors import credential_error
from auditor.graph.transport import GraphClient
from tests.graph.live_tenants import TENANT, tenant, with_client
from tests.graphserver import AUDIT_ROLES, CLIENT_ID, GraphServer, Status, client_certificate
from tests.systems import needs_scripts

Environ = dict[str, str]


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with GraphServer(tenant()) as server:
        yield server


def sign_in(server: GraphServer, environ: Environ, auth: str = "auto", **options: Any) -> TokenClaims:
    async def use(client: GraphClient) -> TokenClaims:
        return await client.tokens.claims()

    return with_client(server, use, environ=environ, auth=auth, **options)


def failure(server: GraphServer, environ: Environ, auth: str = "auto", **options: Any) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        sign_in(server, environ, auth, **options)
    assert caught.value.advice
    assert str(server.client.secret) not in f"{caught.value} {caught.value.advice} {caught.value.__cause__}"
    return caught.value


@pytest.mark.parametrize("auth", ["auto", "secret"])
def test_a_secret(server: GraphServer, auth: str) -> None:
    claims = sign_in(server, server.env(), auth)
    assert (claims.tenant_id, claims.app_id, claims.scopes) == (TENANT, CLIENT_ID, ())
    assert set(claims.roles) == set(AUDIT_ROLES) == set(claims.allowed)
    assert [request.path for request in server.token_requests] == [f"/{TENANT}/oauth2/v2.0/token"]


def test_a_secret_with_a_line_break_at_its_end(server: GraphServer) -> None:
    assert sign_in(server, server.env() | {"AZURE_CLIENT_SECRET": f"{server.client.secret}\n"}).roles


@pytest.mark.parametrize("auth", ["auto", "certificate"])
def test_a_certificate_in_pem(server: GraphServer, auth: str) -> None:
    assert sign_in(server, server.env("certificate"), auth).roles


def pfx(tmp_path: Path, password: bytes | None) -> Path:
    pem = client_certificate().pem
    key: Any = load_pem_private_key(pem, None)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    path = tmp_path / "client.pfx"
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, load_pem_x509_certificate(pem), None, encryption))
    return path


@pytest.mark.parametrize("password", [None, "hunter2 "])
def test_a_certificate_in_pfx(server: GraphServer, tmp_path: Path, password: str | None) -> None:
    path = pfx(tmp_path, password.encode() if password else None)
    environ = server.env("certificate") | {"AZURE_CLIENT_CERTIFICATE_PATH": str(path)}
    if password:
        environ["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = password
    assert sign_in(server, environ).roles


def test_a_certificate_in_pem_with_a_password(server: GraphServer, tmp_path: Path) -> None:
    pem = client_certificate().pem
    key = load_pem_private_key(pem, None)
    path = tmp_path / "client.pem"
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    path.write_bytes(sealed + pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    environ = server.env("certificate") | {"AZURE_CLIENT_CERTIFICATE_PATH": str(path)}
    assert sign_in(server, environ | {"AZURE_CLIENT_CERTIFICATE_PASSWORD": "hunter2"}).roles
    wrong = failure(server, environ | {"AZURE_CLIENT_CERTIFICATE_PASSWORD": "wrong"})
    assert "AZURE_CLIENT_CERTIFICATE_PASSWORD" in wrong.advice and "wrong" not in str(wrong)


def test_a_certificate_with_its_chain(server: GraphServer) -> None:
    environ = server.env("certificate") | {"AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"}
    assert sign_in(server, environ).roles


@pytest.mark.parametrize("auth", ["auto", "workload-identity"])
def test_a_federated_token(server: GraphServer, auth: str) -> None:
    assert sign_in(server, server.env("workload"), auth).roles


@pytest.mark.parametrize("auth", ["auto", "managed-identity"])
def test_a_managed_identity(server: GraphServer, auth: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = server.env("managed")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)  # the library reads this variable itself
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # and must not send this address through a proxy
    claims = sign_in(server, environ, auth)
    assert claims.roles and claims.tenant_id == TENANT


def test_a_device_code_is_shown_and_waited_for(server: GraphServer) -> None:
    shown: list[tuple[str, str]] = []

    def prompt(address: str, code: str, until: datetime) -> None:
        shown.append((address, code))

    environ = {name: value for name, value in server.env().items() if name != "AZURE_CLIENT_SECRET"}
    claims = sign_in(server, environ, "device-code", prompt=prompt)
    assert len(shown) == 1 and shown[0][0].startswith("https://")
    assert claims.scopes and claims.roles == () and claims.allowed == claims.scopes and claims.user


def test_a_sign_in_with_a_code_says_at_once_that_it_would_have_to_wait_too_long(server: GraphServer) -> None:
    environ = {name: value for name, value in server.env().items() if name != "AZURE_CLIENT_SECRET"}
    server.token_fault(Status(429, retry_after=3600), match="", times=None)
    with pytest.raises(CredentialError, match=r"the sign-in service .* asks to wait 3600 seconds"):
        sign_in(server, environ, "device-code", prompt=lambda *shown: None)


def fake_az(folder: Path, script: str) -> None:
    path = folder / "az"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@needs_scripts
def test_the_azure_cli(server: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"accessToken": server.token(scopes=("Policy.Read.All",)), "expires_on": 4_000_000_000}
    fake_az(tmp_path, f"echo '{json.dumps(answer)}'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert sign_in(server, server.env(), "az-cli").scopes == ("Policy.Read.All",)


@needs_scripts
def test_the_azure_cli_without_a_login(server: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_az(tmp_path, "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "az login" in failure(server, server.env(), "az-cli").advice


def test_no_azure_cli(server: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Install the Azure CLI" in failure(server, server.env(), "az-cli").advice


def test_a_wrong_secret_says_which_of_the_two_strings_is_meant(server: GraphServer) -> None:
    error = failure(server, server.env() | {"AZURE_CLIENT_SECRET": "hunter2"})
    assert error.code == "AADSTS7000215" and "Value" in error.advice and "Secret ID" in error.advice
    assert "hunter2" not in str(error) and "Trace ID" not in str(error)


def test_an_expired_secret(server: GraphServer) -> None:
    server.client.secret_expired = True
    assert failure(server, server.env()).code == "AADSTS7000222"


def test_an_app_that_is_not_in_the_tenant(server: GraphServer) -> None:
    error = failure(server, server.env() | {"AZURE_CLIENT_ID": "11111111-1111-4111-8111-111111111111"})
    assert error.code == "AADSTS700016" and "--cloud" in error.advice


def test_a_tenant_that_does_not_exist(server: GraphServer) -> None:
    error = failure(server, server.env(), tenant_id="nowhere.example")
    assert error.code == "AADSTS90002" and "AZURE_TENANT_ID" in error.advice


def test_a_certificate_that_is_not_the_apps(server: GraphServer) -> None:
    environ = server.env("certificate")
    server.client.certificates = ()
    assert failure(server, environ).code == "AADSTS700027"


def test_a_federated_token_of_another_workload(server: GraphServer) -> None:
    environ = server.env("workload")
    server.client.federations = ()
    assert failure(server, environ).code == "AADSTS700213"


def test_a_certificate_file_that_is_none_is_not_quoted(server: GraphServer, tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    path.write_text("-----BEGIN PRIVATE KEY-----\ntopsecretkeymaterial\n-----END PRIVATE KEY-----\n")
    error = failure(server, server.env("certificate") | {"AZURE_CLIENT_CERTIFICATE_PATH": str(path)})
    assert "cannot be used as a certificate" in str(error) and "topsecret" not in str(error)
    assert error.__cause__ is None and error.__suppress_context__


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
@pytest.mark.parametrize("variable", ["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"])
def test_a_file_without_an_end_is_not_read_to_its_end(variable: str) -> None:
    environ = {"AZURE_TENANT_ID": "t.example", "AZURE_CLIENT_ID": "c", variable: "/dev/zero"}
    auth = "certificate" if "CERTIFICATE" in variable else "workload-identity"
    sign_in = SignInSettings(
        auth=auth, authority="https://login.example", tenant_id="", environ=environ, network=NetworkSettings()
    )
    with pytest.raises(CredentialError, match=f"{variable} names /dev/zero, which is too large for it"):
        open_credential(sign_in)


def test_a_certificate_file_that_is_not_there(server: GraphServer) -> None:
    error = failure(server, server.env("certificate") | {"AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere/client.pem"})
    assert "/nowhere/client.pem" in str(error) and "AZURE_CLIENT_CERTIFICATE_PATH" in str(error)


def test_a_token_file_that_is_not_there(server: GraphServer) -> None:
    error = failure(server, server.env("workload") | {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"})
    assert "AZURE_FEDERATED_TOKEN_FILE" in str(error)


@pytest.mark.parametrize("missing", ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"])
def test_each_missing_variable_is_named(server: GraphServer, missing: str) -> None:
    environ = {name: value for name, value in server.env().items() if name != missing}
    assert missing in str(failure(server, environ, "secret"))


def test_no_credential_at_all(server: GraphServer) -> None:
    assert "AZURE_CLIENT_SECRET" in failure(server, {}).advice


TENANT_AND_CLIENT = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT_ID}
INCOMPLETE = {
    "no secret": (TENANT_AND_CLIENT, ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH")),
    "an empty secret": ({**TENANT_AND_CLIENT, "AZURE_CLIENT_SECRET": " "}, ("AZURE_CLIENT_SECRET is empty",)),
    "only the tenant": ({"AZURE_TENANT_ID": TENANT}, ("AZURE_CLIENT_ID is not set", "AZURE_CLIENT_SECRET")),
    "only the client": ({"AZURE_CLIENT_ID": CLIENT_ID}, ("AZURE_TENANT_ID is not set", "AZURE_CLIENT_SECRET")),
    "only a secret": (
        {"AZURE_CLIENT_SECRET": "hunter2"},
        ("AZURE_TENANT_ID is not set", "AZURE_CLIENT_ID is not set"),
    ),
    "a secret without a tenant": (
        {"AZURE_CLIENT_ID": CLIENT_ID, "AZURE_CLIENT_SECRET": "hunter2"},
        ("AZURE_TENANT_ID is not set",),
    ),
    "an empty tenant": (
        {"AZURE_TENANT_ID": "", "AZURE_CLIENT_ID": CLIENT_ID, "AZURE_CLIENT_SECRET": "hunter2"},
        ("AZURE_TENANT_ID is empty",),
    ),
    "all empty": (
        {"AZURE_TENANT_ID": "", "AZURE_CLIENT_ID": "", "AZURE_CLIENT_SECRET": ""},
        ("AZURE_TENANT_ID is empty", "AZURE_CLIENT_ID is empty", "AZURE_CLIENT_SECRET is empty"),
    ),
    "a certificate without a client": (
        {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere/client.pem"},
        ("AZURE_CLIENT_ID is not set",),
    ),
    "a certificate that does not exist": (
        {**TENANT_AND_CLIENT, "AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere/client.pem"},
        ("/nowhere/client.pem", "AZURE_CLIENT_CERTIFICATE_PATH"),
    ),
    "a password without a certificate": (
        {**TENANT_AND_CLIENT, "AZURE_CLIENT_CERTIFICATE_PASSWORD": "hunter2"},
        ("AZURE_CLIENT_CERTIFICATE_PATH",),
    ),
    "a workload without a client": (
        {"AZURE_TENANT_ID": TENANT, "AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"},
        ("AZURE_CLIENT_ID is not set",),
    ),
    "a managed identity without its header": ({"IDENTITY_ENDPOINT": "http://127.0.0.1:1"}, ("IDENTITY_HEADER",)),
    "a typo in the secret": (
        {**TENANT_AND_CLIENT, "AZURE_CLIENT_SECRT": "hunter2"},
        ("AZURE_CLIENT_SECRT", "AZURE_CLIENT_SECRET"),
    ),
    "a typo in the tenant": (
        {"AZURE_TENANTID": TENANT, "AZURE_CLIENT_ID": CLIENT_ID, "AZURE_CLIENT_SECRET": "hunter2"},
        ("AZURE_TENANTID", "AZURE_TENANT_ID"),
    ),
    "the portal's word for the client": ({"AZURE_APP_ID": "x"}, ("AZURE_APP_ID", "AZURE_CLIENT_ID")),
    "the portal's word for the tenant": ({"AZURE_DIRECTORY_ID": "x"}, ("AZURE_DIRECTORY_ID", "AZURE_TENANT_ID")),
    "a short form of the secret": ({"AZURE_SECRET": "x"}, ("AZURE_SECRET", "AZURE_CLIENT_SECRET")),
    "a short form of the certificate": (
        {"AZURE_CLIENT_CERT": "x"},
        ("AZURE_CLIENT_CERT", "AZURE_CLIENT_CERTIFICATE_PATH"),
    ),
    "only a typo": ({"AZURE_TENANTID": TENANT}, ("AZURE_TENANTID", "AZURE_TENANT_ID")),
    "a typo on a machine with an identity": (
        {"IDENTITY_ENDPOINT": "http://127.0.0.1:1", "AZURE_CLIENT_SECRT": "hunter2"},
        ("AZURE_CLIENT_SECRT",),
    ),
    "lowercase letters": (
        {"azure_tenant_id": TENANT, "AZURE_CLIENT_ID": CLIENT_ID, "AZURE_CLIENT_SECRET": "hunter2"},
        ("azure_tenant_id", "AZURE_TENANT_ID"),
    ),
    "a typo in the password": (
        {
            **TENANT_AND_CLIENT,
            "AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere/client.pem",
            "AZURE_CLIENT_CERTIFICATE_PASSWD": "hunter2",
        },
        ("AZURE_CLIENT_CERTIFICATE_PASSWD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    ),
}
OTHER_TOOLS = dict.fromkeys(
    (
        *("AZURE_CONFIG_DIR", "AZURE_DEVOPS_EXT_PAT", "AZURE_SUBSCRIPTION_ID", "AZURE_EXTENSION_DIR"),
        *("AZURE_HTTP_USER_AGENT", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_CORE_OUTPUT"),
        *(
            "AZURE_AUTHORITY_HOST",
            "AZURE_CREDENTIALS",
            "AZURE_RESOURCE_GROUP",
            "AZURE_LOCATION",
            "AZURE_OPENAI_API_KEY",
        ),
        *("AZURE_AD_CLIENT_ID", "AZURE_AD_TENANT_ID", "AZURE_TENANT_NAME", "AZURE_CLIENT_OBJECT_ID", "AZURE_USERNAME"),
        *("ARM_CLIENT_ID", "ARM_TENANT_ID", "AZURE_KUBERNETES_CA_FILE", "AZURE_LOG_LEVEL", "AZURE_PRINCIPAL_ID"),
    ),
    "x",
)


@pytest.mark.parametrize(("environ", "named"), [pytest.param(*case, id=name) for name, case in INCOMPLETE.items()])
def test_an_incomplete_credential_names_what_is_missing(
    server: GraphServer, environ: Environ, named: tuple[str, ...]
) -> None:
    error = failure(server, {**environ, **OTHER_TOOLS})
    assert [one for one in named if one not in str(error)] == []
    assert "hunter2" not in f"{error} {error.advice}"
    assert mentions_credential(environ)


def test_variables_of_other_tools_are_no_typos(server: GraphServer) -> None:
    assert misspelt_variables(OTHER_TOOLS) == {}
    assert not mentions_credential(OTHER_TOOLS)
    others = {name: value for name, value in OTHER_TOOLS.items() if name != "AZURE_AUTHORITY_HOST"}
    assert sign_in(server, server.env() | others).roles


def test_a_complete_credential_is_used_next_to_one_with_a_typo(server: GraphServer) -> None:
    assert sign_in(server, server.env() | {"AZURE_TENANT": TENANT, "AZURE_CERTIFICATE_PATH": "x.pem"}).roles


def test_the_tenant_of_the_command_line_is_not_missing(server: GraphServer) -> None:
    environ = server.env()
    environ["AZURE_TENANT"] = environ.pop("AZURE_TENANT_ID")
    assert sign_in(server, environ, tenant_id=TENANT).roles


def test_a_way_that_does_not_exist(server: GraphServer) -> None:
    assert "device-code" in failure(server, {}, "password").advice


def test_auto_prefers_what_was_set_on_purpose() -> None:
    everything = dict.fromkeys(
        ("IDENTITY_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_SECRET"), "x"
    )
    found = []
    while everything:
        found.append(resolve_auth("auto", everything))
        everything.popitem()
    assert found == ["secret", "certificate", "workload-identity", "managed-identity"]


def test_a_device_code_that_is_declined_or_runs_out() -> None:
    for said in ("Authentication failed: authorization_declined", "Timed out waiting for user to authenticate"):
        error = credential_error(RuntimeError(said), "https://login.example", NetworkSettings())
        assert "run the command again" in error.advice


def test_a_token_side_in_passing_trouble_is_asked_again(server: GraphServer) -> None:
    server.token_fault(Status(503), times=2)
    assert sign_in(server, server.env()).roles
    assert len(server.token_requests) == 3


def test_nothing_shows_a_secret(server: GraphServer) -> None:
    async def use(client: GraphClient) -> str:
        return f"{client!r} {client.tokens!r} {vars(client.tokens)['_credential']!r}"

    shown = with_client(server, use)
    assert str(server.client.secret) not in shown and "eyJ" not in shown


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.W10.c", "a.bm90IGpzb24.c"])
def test_a_token_that_cannot_be_decoded_says_nothing(token: str) -> None:
    assert decode_claims(token) == TokenClaims()
