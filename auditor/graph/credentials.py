"""Ways to sign in: with the environment variables of azure-identity, or interactively for an admin."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from auditor.facts.ids import CLOUDS
from auditor.graph.graph_errors import CredentialError
from auditor.graph.network import NetworkSettings
from auditor.model.snapshot import AUTH_METHODS

GRAPH_COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
"""Microsoft's own public client, with which an admin signs in if no app is registered for the audit."""

_MANAGED_IDENTITY = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
_MICROSOFT = frozenset(urlsplit(cloud.authority).hostname for cloud in CLOUDS.values()) | {"login.chinacloudapi.cn"}

Prompt = Callable[[str, str, datetime], None]
"""Called with the address, the code to enter there, and when the code expires."""


class SignInSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where to sign in and how; `environ` contains the secrets, which are never shown."""

    auth: str
    authority: str
    tenant_id: str
    environ: Mapping[str, str]
    network: NetworkSettings
    prompt: Prompt | None = None

    def __repr__(self) -> str:
        return f"<SignInSettings by {self.auth} at {self.authority}>"

    def options(self) -> dict[str, Any]:
        """Options of every credential. Certificates and proxy are explicit, so that requests does not look for them."""
        proxy = self.network.proxy_for(self.authority)
        return {
            "authority": self.authority,
            "connection_verify": self.network.trust or True,
            "connection_timeout": 30,
            "use_env_settings": False,
            "proxies": {"http": proxy, "https": proxy} if proxy else {},
            "retry_total": 3,
            "retry_connect": 2,
            "retry_backoff_factor": 0.4,
        }

    def value(self, name: str) -> str:
        """The variable `name`, stripped, because a line break at the end of a secret is a common mistake."""
        return self.environ.get(name, "").strip()

    def need(self, *names: str) -> list[str]:
        """The values of these variables. The tenant may also come from `tenant_id`. Raises `CredentialError`."""
        values = {name: self.value(name) for name in names}
        if "AZURE_TENANT_ID" in values and self.tenant_id:
            values["AZURE_TENANT_ID"] = self.tenant_id
        if missing := [name for name, value in values.items() if not value]:
            raise CredentialError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                advice=f"--auth {self.auth} takes {', '.join(names)} from the environment"
                " (the tenant also from --tenant).",
            )
        return list(values.values())


def resolve_auth(auth: str, environ: Mapping[str, str]) -> str:
    """The way to sign in: `auth`, or what ``auto`` means in this environment."""
    if auth != "auto":
        if auth not in AUTH_METHODS:
            raise CredentialError(
                f"unknown value of --auth: {auth}", advice=f"Choose one of {', '.join(AUTH_METHODS)}."
            )
        return auth
    for name, way in (
        ("AZURE_CLIENT_SECRET", "secret"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "certificate"),
        ("AZURE_FEDERATED_TOKEN_FILE", "workload-identity"),
        *((name, "managed-identity") for name in _MANAGED_IDENTITY),
    ):
        if environ.get(name, "").strip():
            return way
    raise CredentialError(
        "no credential is set",
        advice=(
            "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or "
            "AZURE_CLIENT_CERTIFICATE_PATH), or sign in yourself with --auth az-cli or --auth device-code."
        ),
    )


def open_credential(sign_in: SignInSettings) -> Any:
    """A credential of azure-identity, asynchronous if the library has an equivalent asynchronous one.

    The asynchronous ones send one request to Entra ID; the others use MSAL, which discovers the endpoints first.
    """
    match sign_in.auth:
        case "secret":
            return _secret(sign_in)
        case "certificate":
            return _certificate(sign_in)
        case "workload-identity":
            return _workload(sign_in)
        case "managed-identity":
            from azure.identity.aio import ManagedIdentityCredential

            options = sign_in.options() | {"client_id": sign_in.value("AZURE_CLIENT_ID") or None}
            # The endpoint is plain HTTP on a link-local address: without proxy and authority.
            for name in ("authority", "proxies", "retry_total", "retry_backoff_factor", "connection_timeout"):
                del options[name]
            return ManagedIdentityCredential(transport=_transport(sign_in), **options)
        case "az-cli":
            from azure.identity.aio import AzureCliCredential

            return AzureCliCredential(tenant_id=sign_in.tenant_id, process_timeout=30)
        case _:
            return _device_code(sign_in)


def _secret(sign_in: SignInSettings) -> Any:
    tenant, client, secret = sign_in.need("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    from azure.identity.aio import ClientSecretCredential

    return ClientSecretCredential(tenant, client, secret, transport=_transport(sign_in), **sign_in.options())


def _certificate(sign_in: SignInSettings) -> Any:
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")
    tenant, client, path = sign_in.need(*names)
    data = _bytes_of(path, "AZURE_CLIENT_CERTIFICATE_PATH")
    # The password is not stripped, because it may end in a blank.
    options = sign_in.options() | {
        "certificate_data": data,
        "password": sign_in.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD") or None,
    }
    try:
        if sign_in.value("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN").lower() in ("1", "true", "yes"):
            # Only the synchronous credential can send the chain.
            from azure.identity import CertificateCredential as WithChain

            return WithChain(tenant, client, send_certificate_chain=True, **_msal(sign_in, options))
        from azure.identity.aio import CertificateCredential

        return CertificateCredential(tenant, client, transport=_transport(sign_in), **options)
    except (ValueError, TypeError):
        # Without the library's message, which may quote the file.
        raise CredentialError(
            f"{path} (AZURE_CLIENT_CERTIFICATE_PATH) cannot be used as a certificate",
            advice=(
                "It must be PEM or PFX with an RSA private key and the certificate. If it has a password, set "
                "AZURE_CLIENT_CERTIFICATE_PASSWORD."
            ),
        ) from None


def _workload(sign_in: SignInSettings) -> Any:
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
    tenant, client, path = sign_in.need(*names)
    _bytes_of(path, "AZURE_FEDERATED_TOKEN_FILE")
    from azure.identity.aio import WorkloadIdentityCredential

    return WorkloadIdentityCredential(
        tenant_id=tenant,
        client_id=client,
        token_file_path=path,
        transport=_transport(sign_in),
        **sign_in.options(),
    )


def _device_code(sign_in: SignInSettings) -> Any:
    from azure.identity import DeviceCodeCredential

    return DeviceCodeCredential(
        sign_in.value("AZURE_CLIENT_ID") or GRAPH_COMMAND_LINE_TOOLS,
        tenant_id=sign_in.tenant_id or "organizations",
        prompt_callback=sign_in.prompt or _show,
        **_msal(sign_in, sign_in.options()),
    )


def _msal(sign_in: SignInSettings, options: dict[str, Any]) -> dict[str, Any]:
    """`options` for a credential that uses MSAL, which asks Microsoft whether the authority exists."""
    foreign = urlsplit(sign_in.authority).hostname not in _MICROSOFT
    return options | {"disable_instance_discovery": foreign}


def _transport(sign_in: SignInSettings) -> Any:
    """A transport with requests in a thread; aiohttp would start 0.1 s later."""
    from azure.core.pipeline.transport import AsyncioRequestsTransport

    return AsyncioRequestsTransport(
        connection_verify=sign_in.network.trust or True, connection_timeout=30, use_env_settings=False
    )


def _bytes_of(path: str, variable: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CredentialError(
            f"{variable} names {path}, which cannot be read: {error.strerror}", advice=f"Correct {variable}."
        ) from None


def _show(address: str, code: str, until: datetime) -> None:
    """Print the code to standard error, where no report goes."""
    sys.stderr.write(f"To sign in, open {address} and enter the code {code} (until {until:%H:%M} UTC).\n")
