"""Secrets by reference: where they are read, and that no message contains one."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from auditor.graph.credentials import CERTIFICATE_CONTENT
from auditor.jobs.secret_references import SecretError, Secrets, sign_in_method
from auditor.model.configuration import CredentialEntry, SecretKind, SecretRef, TenantEntry


def ref(kind: SecretKind, name: str) -> SecretRef:
    """A reference."""
    return SecretRef(kind=kind, name=name)


def test_a_secret_is_read_where_it_is_without_its_line_break(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one \n")
    secrets = Secrets({"VARIABLE": "two\r\n", "CREDENTIALS_DIRECTORY": str(tmp_path)}, lambda address: f"{address}!")
    assert secrets.value(ref(SecretKind.FILE, str(tmp_path / "file"))) == "one "
    assert secrets.value(ref(SecretKind.ENVIRONMENT, "VARIABLE")) == "two"
    assert secrets.value(ref(SecretKind.SYSTEMD_CREDENTIAL, "file")) == "one "
    assert secrets.value(ref(SecretKind.KEY_VAULT, "https://v/secrets/n")) == "https://v/secrets/n!"
    assert "two" not in repr(secrets)


def test_a_vault_is_asked_once() -> None:
    asked: list[str] = []

    def read(address: str) -> str:
        asked.append(address)
        return "x"

    secrets = Secrets({}, read)
    assert [secrets.value(ref(SecretKind.KEY_VAULT, "a")) for _ in range(3)] == ["x"] * 3
    assert asked == ["a"]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        pytest.param(SecretKind.ENVIRONMENT, "NONE", "the environment variable NONE isn't set", id="variable"),
        pytest.param(SecretKind.ENVIRONMENT, "EMPTY", "the environment variable EMPTY is empty", id="empty"),
        pytest.param(SecretKind.FILE, "none", "the file none can't be read: No such file", id="file"),
        pytest.param(SecretKind.SYSTEMD_CREDENTIAL, "c", "the systemd credential c can't be read", id="systemd"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(kind: SecretKind, name: str, message: str) -> None:
    with pytest.raises(SecretError, match=message) as raised:
        Secrets({"EMPTY": " "}).value(ref(kind, name))
    assert raised.value.advice


def test_bytes_that_are_no_text_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xffhunter2")
    with pytest.raises(SecretError) as raised:
        Secrets({}).value(ref(SecretKind.FILE, str(tmp_path / "file")))
    assert "hunter2" not in raised.value.explanation


def test_a_tenants_own_secret_replaces_that_of_the_environment() -> None:
    credential = CredentialEntry(client_id="own", secret=ref(SecretKind.ENVIRONMENT, "OWN"))
    entry = TenantEntry(name="a", tenant="a.example", credential=credential)
    process = {
        "AZURE_CLIENT_ID": "other",
        "AZURE_TENANT_ID": "other",
        "AZURE_CLIENT_CERTIFICATE_PATH": "other.pem",
        "OWN": "s",
        "HTTPS_PROXY": "p",
    }
    environ = Secrets(process).environment_of(entry)
    assert {key: value for key, value in environ.items() if key.startswith("AZURE")} == {
        "AZURE_CLIENT_ID": "own",
        "AZURE_TENANT_ID": "a.example",
        "AZURE_CLIENT_SECRET": "s",
    }
    assert environ["HTTPS_PROXY"] == "p"
    assert sign_in_method(credential) == "secret"


def test_a_tenant_without_a_credential_uses_the_environment() -> None:
    process = {"AZURE_CLIENT_ID": "x", "AZURE_CLIENT_SECRET": "s"}
    assert Secrets(process).environment_of(TenantEntry(name="a", tenant="a.example")) == process
    assert sign_in_method(None) == "auto"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("-----BEGIN x", b"-----BEGIN x", id="PEM"),
        pytest.param("AAEC\nAw==", b"\0\1\2\3", id="PFX in Base64"),
    ],
)
def test_a_certificate_without_a_file_is_never_written_to_one(text: str, data: bytes) -> None:
    credential = CredentialEntry(client_id="x", certificate=ref(SecretKind.ENVIRONMENT, "CERT"))
    environ = Secrets({"CERT": text}).environment_of(TenantEntry(name="a", credential=credential))
    assert base64.b64decode(environ[CERTIFICATE_CONTENT]) == data
    assert environ["AZURE_CLIENT_CERTIFICATE_PATH"] == "the environment variable CERT"
    assert sign_in_method(credential) == "certificate"
