"""Read the secrets that a configuration refers to. No error and no log contains one."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from auditor.graph.credentials import CERTIFICATE_CONTENT, resolve_auth
from auditor.graph.graph_errors import NoCredential
from auditor.model.configuration import CredentialEntry, SecretKind, SecretRef, TenantEntry
from auditor.model.errors import NO_AUDIT, AuditorError
from auditor.model.snapshot import LiveTenant

CREDENTIALS_FOLDER = "CREDENTIALS_DIRECTORY"
"""The variable that systemd sets for a unit with ``LoadCredential=`` (systemd.exec(5))."""
_LARGEST = 2**20
_WHAT_TO_SET = (
    "Set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH) where the run starts, or name the"
    " tenant's credential in the configuration: credential: {client-id: …, secret: {env: NAME}}."
)
_APP_VARIABLES = (
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
)


class SecretError(AuditorError):
    """A secret that can't be read; the message names the place, and never the secret."""

    exit_code = NO_AUDIT
    heading = "No audit was made"


VaultReader = Callable[[str], str]
"""Reads the secret at an address of Azure Key Vault."""


class Secrets:
    """Reads secrets, each once. `environ` are the variables of this process, `read_vault` reads Azure Key Vault."""

    def __init__(self, environ: Mapping[str, str] | None = None, read_vault: VaultReader | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._read_vault = read_vault or _vault_secret
        self._known: dict[tuple[SecretKind, str], str] = {}
        self._is_complete = False

    def __repr__(self) -> str:
        return f"<Secrets, {len(self._known)} read>"

    def value(self, ref: SecretRef) -> str:
        """The secret, without the line break at its end. Raises SecretError."""
        key = (ref.kind, ref.name)
        if key not in self._known:
            value = self._read(ref).rstrip("\r\n")
            if not value.strip():
                raise SecretError(f"{described(ref)} is empty", advice=f"Set {described(ref)}.")
            self._known[key] = value
        return self._known[key]

    def environment_of(self, entry: TenantEntry) -> Mapping[str, str]:
        """The variables with which azure-identity signs in to the tenant. Raises SecretError and CredentialError.

        A tenant without a credential uses those of this process.
        """
        found = self._environ if entry.credential is None else self._of_credential(entry, entry.credential)
        # Those of this process are searched once: decoding them for each of many tenants takes long.
        if found is self._environ and self._is_complete:
            return found
        try:
            resolve_auth(sign_in_method(entry.credential), found, entry.tenant)
        except NoCredential as error:
            raise NoCredential(error.problem, advice=_WHAT_TO_SET) from None
        self._is_complete = self._is_complete or found is self._environ
        return found

    def _of_credential(self, entry: TenantEntry, credential: CredentialEntry) -> Mapping[str, str]:
        """The variables of this process with those of the entry's credential in their place."""
        given = credential.secret or credential.certificate
        environ = {
            name: value
            for name, value in self._environ.items()
            # A tenant's own secret replaces that of the environment; a managed or workload identity stays.
            if not (given and name in _APP_VARIABLES)
        }
        if credential.client_id:
            environ["AZURE_CLIENT_ID"] = credential.client_id
        if entry.tenant:
            environ["AZURE_TENANT_ID"] = entry.tenant
        if credential.secret:
            environ["AZURE_CLIENT_SECRET"] = self.value(credential.secret)
        if credential.certificate:
            environ |= self._certificate(credential.certificate)
        if credential.certificate_password:
            environ["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = self.value(credential.certificate_password)
        return environ

    def has_read(self, entry: TenantEntry) -> bool:
        """Whether `environment_of` needs to read no file and no vault for the tenant."""
        credential = entry.credential or CredentialEntry()
        refs = (credential.secret, credential.certificate, credential.certificate_password)
        places = [ref for ref in refs if ref is not None and ref.kind is not SecretKind.ENVIRONMENT]
        return all((ref.kind, ref.name) in self._known for ref in places)

    def _certificate(self, ref: SecretRef) -> Mapping[str, str]:
        if ref.kind in (SecretKind.FILE, SecretKind.SYSTEMD_CREDENTIAL):
            return {"AZURE_CLIENT_CERTIFICATE_PATH": str(self._path(ref))}
        text = self.value(ref)
        # PEM as it is; PFX in Base64, as Azure Key Vault returns it.
        content = base64.b64encode(text.encode()).decode() if "-----BEGIN" in text else "".join(text.split())
        return {"AZURE_CLIENT_CERTIFICATE_PATH": described(ref), CERTIFICATE_CONTENT: content}

    def _read(self, ref: SecretRef) -> str:
        match ref.kind:
            case SecretKind.ENVIRONMENT:
                if ref.name not in self._environ:
                    raise SecretError(f"{described(ref)} isn't set", advice=f"Set {ref.name} where the run starts.")
                return self._environ[ref.name]
            case SecretKind.KEY_VAULT:
                return self._read_vault(ref.name)
            case _:
                return _text_of(self._path(ref), ref)

    def _path(self, ref: SecretRef) -> Path:
        if ref.kind is SecretKind.FILE:
            return Path(ref.name)
        folder = self._environ.get(CREDENTIALS_FOLDER, "")
        if not folder:
            raise SecretError(
                f"{described(ref)} can't be read: {CREDENTIALS_FOLDER} isn't set",
                advice=f"Add LoadCredential={ref.name}:PATH to the systemd unit, and start the run as that unit.",
            )
        return Path(folder) / ref.name


def sign_in_method(credential: CredentialEntry | None) -> str:
    """The value of ``--auth`` for the credential."""
    if credential is None:
        return "auto"
    if credential.auth == "auto" and credential.certificate:
        return "certificate"
    return "secret" if credential.auth == "auto" and credential.secret else credential.auth


def live_tenant_of(entry: TenantEntry) -> LiveTenant:
    """The live tenant that the entry describes."""
    return LiveTenant(
        tenant=entry.tenant,
        cloud=entry.cloud,
        auth=sign_in_method(entry.credential),
        authority_host=entry.authority_host,
        graph_endpoint=entry.graph_endpoint,
        timeout=entry.timeout,
    )


def described(ref: SecretRef) -> str:
    """What a message calls the place of a secret."""
    match ref.kind:
        case SecretKind.ENVIRONMENT:
            return f"the environment variable {ref.name}"
        case SecretKind.FILE:
            return f"the file {ref.name}"
        case SecretKind.SYSTEMD_CREDENTIAL:
            return f"the systemd credential {ref.name}"
        case SecretKind.KEY_VAULT:
            return f"the secret {ref.name}"


def _text_of(path: Path, ref: SecretRef) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) <= _LARGEST:
            return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    except OSError as error:
        raise SecretError(
            f"{described(ref)} can't be read: {error.strerror}", advice="Correct the path, or its permissions."
        ) from None
    raise SecretError(f"{described(ref)} isn't a text of at most 1 MiB", advice="Name the file that holds the secret.")


def _vault_secret(address: str) -> str:
    """A secret of Azure Key Vault, with the identity of this process. Raises SecretError."""
    try:
        from azure.keyvault.secrets import SecretClient
    except ImportError:
        from auditor.render import how_to_install

        raise SecretError(
            f"the secret {address} needs azure-keyvault-secrets, which isn't installed",
            advice=f"{how_to_install('azure-keyvault-secrets').capitalize()}.",
        ) from None
    from azure.core.exceptions import AzureError
    from azure.identity import DefaultAzureCredential

    parts = urlsplit(address)
    _, name, *version = parts.path.strip("/").split("/")
    try:
        credential = DefaultAzureCredential(exclude_interactive_browser_credential=True)
        with credential, SecretClient(f"https://{parts.hostname}", credential) as client:
            return client.get_secret(name, version[0] if version else None).value or ""
    except (AzureError, ValueError) as error:
        # Without the library's message, which may quote a request.
        status = getattr(error, "status_code", None)
        why = f"the vault answered {status}" if status else type(error).__name__
        raise SecretError(
            f"the secret {address} can't be read: {why}",
            advice="Give the identity of this machine the role Key Vault Secrets User, or correct the address.",
        ) from None
