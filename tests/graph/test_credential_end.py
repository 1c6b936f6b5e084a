"""When the audit's own credential ends: from the certificate on this machine, and from the app registration."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from auditor.graph.access_tokens import TokenClaims
from auditor.graph.credential_end import LocalCredential, credential_end, local_credential
from auditor.graph.credentials import CERTIFICATE_CONTENT
from auditor.graph.fetch import ReadResult
from auditor.graph.probe import Probe, probe
from auditor.graph.section_reads import own_application
from auditor.jobs.audit_request import Interaction
from auditor.jobs.tenant_reader import read_tenant
from auditor.model.snapshot import CredentialEnd, LiveTenant
from tests.graph.live_tenants import PREFLIGHT, tenant, where
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer, Status, client_certificate

HINT = CLIENT_SECRET[:3]
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
CERTIFICATE = load_pem_x509_certificate(client_certificate().pem)
FILE_ENDS = f"{CERTIFICATE.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
EARLIER = f"{CERTIFICATE.not_valid_after_utc - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}"
THUMBPRINT = client_certificate().thumbprints["x5t"].upper()


def secret(ends: str | None, hint: str | None = HINT, key: str = "k1") -> dict[str, Any]:
    return {"keyId": key, "hint": hint, "endDateTime": ends, "displayName": "nightly", "secretText": None}


def app(**lists: Any) -> dict[str, Any]:
    return {"id": "app-object", "appId": CLIENT_ID, "displayName": "consent-auditor", **lists}


def with_secrets(*secrets: Any) -> dict[str, Any]:
    return tenant(applications=[app(passwordCredentials=list(secrets))])


def doctor(server: GraphServer, environ: Mapping[str, str] | None = None, auth: str = "auto") -> Probe:
    return asyncio.run(probe(at=where(server), environ=environ or server.env(), auth=auth))


def end_by_doctor(server: GraphServer, **options: Any) -> CredentialEnd:
    found = doctor(server, **options)
    assert found.claims is not None, found.problem
    assert found.credential is not None
    return found.credential


def test_the_end_of_the_client_secret_in_use() -> None:
    others = secret("2098-01-01T00:00:00Z", hint="zzz", key="k2"), secret("2001-01-01T00:00:00Z", key="old")
    with GraphServer(with_secrets(secret("2099-05-14T09:12:33.1234567Z"), *others)) as server:
        found = end_by_doctor(server)
        read = [request.raw_path for request in server.requests if request.path != "/"]
    assert found == CredentialEnd(kind="secret", ends="2099-05-14T09:12:33Z", why="Secret ID k1.")
    assert read == [f"/v1.0/applications(appId='{CLIENT_ID}')?$select=appId,passwordCredentials"]


def test_an_app_reads_its_own_registration_without_a_permission() -> None:
    with GraphServer(with_secrets(secret("2099-05-14T00:00:00Z")), roles=()) as server:
        assert end_by_doctor(server).ends == "2099-05-14T00:00:00Z"


def test_of_several_secrets_that_look_alike_the_first_end_counts_and_is_not_certain() -> None:
    alike = secret("2099-05-14T00:00:00Z"), secret("2097-02-03T00:00:00+02:00", hint=None, key="k2")
    with GraphServer(with_secrets(*alike)) as server:
        found = end_by_doctor(server)
    assert (found.ends, found.certain) == ("2097-02-02T22:00:00Z", False)
    assert found.why.startswith("2 client secrets of the app look like the one in use") and "Secret ID k2" in found.why


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param((), "another tenant", id="registered in another tenant"),
        pytest.param((app(passwordCredentials=[]),), "no client secret", id="none listed"),
        pytest.param((app(passwordCredentials=[secret(None)]),), "doesn't say when", id="no end"),
        pytest.param((app(passwordCredentials=[secret("soon")]),), "doesn't say when", id="not a time"),
        pytest.param((app(passwordCredentials={"k": 1}),), "isn't as documented", id="not a list"),
        pytest.param(
            (app(passwordCredentials=[secret("2099-01-01T00:00:00Z", "zzz")]),), "no client secret", id="other"
        ),
    ],
)
def test_an_end_that_is_not_known_is_unknown_and_says_why(rows: tuple[Any, ...], why: str) -> None:
    with GraphServer(tenant(applications=list(rows))) as server:
        found = end_by_doctor(server)
    assert (found.kind, found.ends, found.certain, found.never_ends) == ("secret", "", False, False)
    assert why in found.why


def test_a_registration_that_graph_refuses_costs_the_doctor_nothing_else() -> None:
    with GraphServer(with_secrets(secret("2099-01-01T00:00:00Z"))) as server:
        server.fault("/v1.0/applications", Status(403, code="Authorization_RequestDenied"), times=None)
        found = doctor(server)
    assert found.claims is not None and found.problem == ""
    assert found.credential is not None and not found.credential.certain
    assert "could not be read (403 Authorization_RequestDenied" in found.credential.why


def test_the_end_of_a_certificate_is_in_its_file() -> None:
    with GraphServer(tenant()) as server:
        assert end_by_doctor(server, environ=server.env("certificate")) == CredentialEnd(
            kind="certificate", ends=FILE_ENDS
        )


@pytest.mark.parametrize(
    "registered",
    [
        pytest.param({"customKeyIdentifier": THUMBPRINT}, id="thumbprint in hexadecimal"),
        pytest.param(
            {"customKeyIdentifier": base64.b64encode(bytes.fromhex(THUMBPRINT)).decode()}, id="thumbprint in Base64"
        ),
        pytest.param(
            {
                "customKeyIdentifier": "bmlnaHRseQ==",
                "key": base64.b64encode(CERTIFICATE.public_bytes(Encoding.DER)).decode(),
            },
            id="the certificate under another identifier",
        ),
    ],
)
def test_a_registration_can_end_before_its_certificate(registered: dict[str, str]) -> None:
    other = {"customKeyIdentifier": "00" * 20, "endDateTime": "2020-01-01T00:00:00Z"}
    keys = [other, {**registered, "endDateTime": EARLIER}]
    with GraphServer(tenant(applications=[app(keyCredentials=keys)])) as server:
        found = end_by_doctor(server, environ=server.env("certificate"))
    assert (found.ends, found.certain) == (EARLIER, True)
    assert FILE_ENDS in found.why


def test_a_certificate_that_is_registered_twice_ends_with_the_last_registration() -> None:
    keys = [{"customKeyIdentifier": THUMBPRINT, "endDateTime": ends} for ends in (EARLIER, FILE_ENDS)]
    with GraphServer(tenant(applications=[app(keyCredentials=keys)])) as server:
        assert end_by_doctor(server, environ=server.env("certificate")).ends == FILE_ENDS


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        pytest.param("workload", "workload-identity", id="workload"),
        pytest.param("managed", "managed-identity", id="managed"),
    ],
)
def test_an_identity_without_a_secret_has_no_end_and_nothing_is_read(
    way: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GraphServer(tenant()) as server:
        for name, value in server.env(way).items():
            monkeypatch.setenv(name, value)  # the library reads the endpoint of a managed identity itself
        found = end_by_doctor(server, environ=server.env(way), auth=kind)
        assert all(request.path == "/" for request in server.requests)
    assert (found.kind, found.never_ends) == (kind, True)
    assert found.why


def ends_by_audit(server: GraphServer, environ: Mapping[str, str]) -> list[CredentialEnd]:
    found: list[CredentialEnd] = []
    target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
    read_tenant(target, PREFLIGHT, interaction=Interaction(on_credential=found.append), environ=environ)
    return found


def test_an_audit_reads_it_in_its_first_batch() -> None:
    with GraphServer(with_secrets(secret("2099-05-14T00:00:00Z"))) as server:
        assert [end.ends for end in ends_by_audit(server, server.env())] == ["2099-05-14T00:00:00Z"]
        asked = len(server.requests)
        own = [item.url for item in server.requests[0].items if "/applications(" in item.url]
    assert len(own) == 1
    with GraphServer(with_secrets()) as server:
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
        snapshot = read_tenant(target, PREFLIGHT, environ=server.env())
        assert len(server.requests) == asked, "no round trip more"
        assert not any("/applications(" in item.url for request in server.requests for item in request.items)
    assert snapshot.provenance is not None


def test_the_audit_lists_the_read_and_keeps_nothing_of_it() -> None:
    with GraphServer(with_secrets(secret("2099-05-14T00:00:00Z"))) as server:
        found: list[CredentialEnd] = []
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
        snapshot = read_tenant(
            target, PREFLIGHT, interaction=Interaction(on_credential=found.append), environ=server.env()
        )
    assert snapshot.provenance is not None
    assert "applications" in {call.section.partition("/")[0] for call in snapshot.provenance.calls}
    assert not any(name.startswith("applications") for name in snapshot.unread)


def test_an_audit_with_a_registration_elsewhere_has_nothing_unread() -> None:
    with GraphServer(tenant(applications=[])) as server:
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
        found: list[CredentialEnd] = []
        snapshot = read_tenant(
            target, PREFLIGHT, interaction=Interaction(on_credential=found.append), environ=server.env()
        )
    assert [end.certain for end in found] == [False]
    assert not any(name.startswith("applications") for name in snapshot.unread)


def test_a_managed_identity_costs_an_audit_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with GraphServer(tenant()) as server:
        for name, value in server.env("managed").items():
            monkeypatch.setenv(name, value)
        target = LiveTenant(auth="managed-identity", authority_host=server.authority, graph_endpoint=server.graph)
        found: list[CredentialEnd] = []
        interaction = Interaction(on_credential=found.append)
        read_tenant(target, PREFLIGHT, interaction=interaction, environ=server.env("managed"))
        assert not any("/applications(" in item.url for request in server.requests for item in request.items)
    assert [end.never_ends for end in found] == [True]


def test_a_certificate_that_disappeared_after_the_sign_in_is_unknown(tmp_path: Any) -> None:
    environ = {"AZURE_CLIENT_CERTIFICATE_PATH": str(tmp_path / "gone.pem")}
    local = local_credential("certificate", environ, TokenClaims(app_id=CLIENT_ID))
    found = credential_end(local, None, NOW)
    assert (found.certain, found.ends) == (False, "")
    assert "gone.pem" in found.why


def test_a_person_has_nothing_to_renew() -> None:
    local = local_credential("device-code", {}, TokenClaims(app_id=CLIENT_ID, user="ada@fabrikam.example"))
    assert credential_end(local, None, NOW).never_ends


def test_the_azure_cli_does_not_show_the_end_of_an_apps_credential() -> None:
    found = credential_end(local_credential("az-cli", {}, TokenClaims(app_id=CLIENT_ID)), None, NOW)
    assert not found.certain


def test_a_secret_never_shows() -> None:
    local = local_credential("secret", {"AZURE_CLIENT_SECRET": CLIENT_SECRET}, TokenClaims(app_id=CLIENT_ID))
    assert HINT not in repr(local)
    read = own_application(CLIENT_ID, "passwordCredentials")
    value = {"passwordCredentials": [secret("2099-01-01T00:00:00Z")]}
    assert HINT not in str(credential_end(local, ReadResult(read=read, value=value), NOW))


def test_days_left_are_whole_days() -> None:
    end = CredentialEnd(kind="secret", ends="2026-11-25T01:00:00Z")
    assert end.days_left(NOW) == 2
    assert end.days_left(NOW + timedelta(days=4)) == -2
    assert CredentialEnd(kind="managed-identity").days_left(NOW) is None
    assert LocalCredential(kind="managed-identity", client_id=CLIENT_ID).credentials == ""


def test_a_certificate_that_was_read_from_elsewhere_needs_no_file() -> None:
    content = base64.b64encode(client_certificate().pem).decode()
    environ = {"AZURE_CLIENT_CERTIFICATE_PATH": "the credential client.pem of systemd", CERTIFICATE_CONTENT: content}
    local = local_credential("certificate", environ, TokenClaims(app_id=CLIENT_ID))
    assert (local.ends, local.thumbprint, local.problem) == (FILE_ENDS, THUMBPRINT, "")
