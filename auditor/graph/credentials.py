"""Ways to sign in: with the environment variables of azure-identity, or interactively for an admin."""

from __future__ import annotations

import base64
import errno
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from auditor.facts.ids import CLOUDS
from auditor.graph.graph_errors import CredentialError, NoCredential
from auditor.graph.network import NetworkSettings
from auditor.input_files import input_bytes
from auditor.model.document import series
from auditor.model.snapshot import AUTH_METHODS

if TYPE_CHECKING:
    from auditor.graph.sign_in_sharing import Hook, SharedSignIn

GRAPH_COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
"""Microsoft's own public client, with which an admin signs in if no app is registered for the audit."""

CERTIFICATE_CONTENT = "AUDIT_CERTIFICATE_CONTENT"
"""Where the variables of one tenant have the content of a certificate without a file, in Base64. Never set outside."""

_APP = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")
_SECRETS = {
    "AZURE_CLIENT_SECRET": "secret",
    "AZURE_CLIENT_CERTIFICATE_PATH": "certificate",
    "AZURE_FEDERATED_TOKEN_FILE": "workload-identity",
}
"""The variables that decide what ``auto`` means; the first one that is set counts."""
_MANAGED_IDENTITY = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
"""Variables that Azure sets on a machine or service with a managed identity."""
_OPTIONAL = ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
_VARIABLES = (*_APP, *_SECRETS, *_OPTIONAL)
_TYPO = 0.83
"""The least similarity of a typo to a variable's name: ``AZURE_TENANT`` is one, and ``AZURE_TENANT_NAME`` isn't."""
_OTHER_NAMES = {
    "APPID": "AZURE_CLIENT_ID",
    "APPLICATIONID": "AZURE_CLIENT_ID",
    "DIRECTORYID": "AZURE_TENANT_ID",
    "SECRET": "AZURE_CLIENT_SECRET",
    "APPSECRET": "AZURE_CLIENT_SECRET",
    "CLIENTKEY": "AZURE_CLIENT_SECRET",
    "CLIENTPASSWORD": "AZURE_CLIENT_SECRET",
    "CERTIFICATE": "AZURE_CLIENT_CERTIFICATE_PATH",
    "CERTPATH": "AZURE_CLIENT_CERTIFICATE_PATH",
    "CLIENTCERT": "AZURE_CLIENT_CERTIFICATE_PATH",
    "TOKENFILE": "AZURE_FEDERATED_TOKEN_FILE",
}
"""Names that people make of the portal's words (*Application (client) ID*, *Directory (tenant) ID*), and short forms.

Without ``AZURE`` and underscores. As typos they would not be found, or taken for another variable.
"""
_OTHER_TOOLS = ("AZUREAD", "AZUREB2C")
"""The beginnings of names that other sign-in libraries use (``AZURE_AD_CLIENT_ID``), without underscores."""
_MICROSOFT = frozenset(urlsplit(cloud.authority).hostname for cloud in CLOUDS.values()) | {"login.chinacloudapi.cn"}

Prompt = Callable[[str, str, datetime], None]
"""Called with the address, the code to enter there, and when the code expires."""


class SignInSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where to sign in and how; `environ` contains the secrets, which are never shown.

    `seconds_left` says how long the run may still take. `shared` is for the sign-ins to many tenants.
    """

    auth: str
    authority: str
    tenant_id: str
    environ: Mapping[str, str]
    network: NetworkSettings
    prompt: Prompt | None = None
    on_response: Callable[[Any], None] | None = None
    seconds_left: Callable[[], float] = lambda: _PATIENCE
    shared: SharedSignIn | None = None

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
            "raw_response_hook": self.on_response,
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
                series([_what_is_missing(name, self.environ) for name in missing]),
                advice=f"The sign-in with {self.auth} takes {', '.join(names)} from the environment"
                f"{' (the tenant also from --tenant)' if 'AZURE_TENANT_ID' in missing else ''}.",
            )
        return list(values.values())


def resolve_auth(auth: str, environ: Mapping[str, str], tenant_id: str = "") -> str:
    """The way to sign in: `auth`, or what ``auto`` means in this environment. `tenant_id` replaces AZURE_TENANT_ID.

    Raises `CredentialError` that names what is missing or misspelt; `NoCredential` if nothing is misspelt.
    """
    if auth != "auto":
        if auth not in AUTH_METHODS:
            raise CredentialError(
                f"unknown value of --auth: {auth}", advice=f"Choose one of {', '.join(AUTH_METHODS)}."
            )
        return auth
    if tenant_id:
        environ = {**environ, "AZURE_TENANT_ID": tenant_id}
    ways = (*_SECRETS.items(), *((name, "managed-identity") for name in _MANAGED_IDENTITY))
    found = next((way for name, way in ways if environ.get(name, "").strip()), "")
    if misspelt := misspelt_variables(environ, _doubtful(found, environ)):
        raise CredentialError(
            series([f"{name} looks like a typo of {meant}, which isn't set" for name, meant in misspelt.items()]),
            advice="Correct the name of the variable, or unset it.",
        )
    if found:
        return found
    if any(name in environ for name in _VARIABLES):
        raise NoCredential(f"the credential is incomplete: {series(_lacking(environ))}", advice=_WHAT_TO_SET)
    raise NoCredential("no credential is set", advice=_WHAT_TO_SET)


_WHAT_TO_SET = (
    "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or "
    "AZURE_CLIENT_CERTIFICATE_PATH), or sign in yourself with --auth az-cli or --auth device-code."
)


def mentions_credential(environ: Mapping[str, str]) -> bool:
    """Whether somebody set a variable of a credential, also if it is empty or its name is misspelt.

    Then an audit is meant to read a tenant, and what is missing is an error.
    """
    return any(name in environ for name in _VARIABLES + _MANAGED_IDENTITY) or bool(misspelt_variables(environ))


def misspelt_variables(environ: Mapping[str, str], names: Iterable[str] = _VARIABLES) -> dict[str, str]:
    """Each variable whose name is nearly, or is another word for, one of `names` that isn't set, with what it means.

    Variables of other tools, such as ``AZURE_CONFIG_DIR`` and ``AZURE_SUBSCRIPTION_ID``, are not near enough.
    """
    from difflib import get_close_matches

    unset = {name.replace("_", ""): name for name in names if not environ.get(name, "").strip()}
    found: dict[str, str] = {}
    for name in environ:
        if not {"A", "Z"}.issubset(upper := name.upper()):
            continue
        plain = "".join(c for c in upper if c.isalnum())
        if name in _VARIABLES or "AZ" not in plain[:3] or plain.startswith(_OTHER_TOOLS):
            continue
        if other := _OTHER_NAMES.get(plain.removeprefix("AZURE")):
            if other in unset.values():
                found[name] = other
        elif close := get_close_matches(plain, unset, n=1, cutoff=_TYPO):
            found[name] = unset[close[0]]
    return found


def _doubtful(way: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables of which a typo matters: if the credential is complete, only the optional ones that it takes."""
    complete = all(environ.get(name, "").strip() for name in _APP)
    if not complete or way not in _SECRETS.values():
        return _VARIABLES
    return _OPTIONAL if way == "certificate" else ()


def _lacking(environ: Mapping[str, str]) -> list[str]:
    """What is missing of a credential without a secret, as clauses."""
    app = [_what_is_missing(name, environ) for name in _APP if not environ.get(name, "").strip()]
    empty = [_what_is_missing(name, environ) for name in _SECRETS if name in environ]
    return [*app, *(empty or [f"none of {series(tuple(_SECRETS))} is set"])]


def _what_is_missing(name: str, environ: Mapping[str, str]) -> str:
    """A clause about a variable without a value: it is empty, its name has a typo, or it isn't there."""
    if name in environ:
        return f"{name} is empty"
    typo = next((found for found, meant in misspelt_variables(environ).items() if meant == name), "")
    return f"{name} is not set{f' ({typo} looks like a typo of it)' if typo else ''}"


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

            _check_managed_identity(sign_in)
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


_CERTIFICATE_FILE = (
    "It must be PEM or PFX with an RSA private key and the certificate. If it has a password, set "
    "AZURE_CLIENT_CERTIFICATE_PASSWORD."
)


def _secret(sign_in: SignInSettings) -> Any:
    tenant, client, secret = sign_in.need("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    from azure.identity.aio import ClientSecretCredential

    return ClientSecretCredential(tenant, client, secret, transport=_transport(sign_in), **sign_in.options())


def _certificate(sign_in: SignInSettings) -> Any:
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")
    tenant, client, path = sign_in.need(*names)
    data = _certificate_bytes(path, sign_in.environ, sign_in.seconds_left())
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
        return _by_certificate(sign_in, tenant, client, options)
    except (ValueError, TypeError):
        # Without the library's message, which may quote the file.
        raise CredentialError(
            f"{path} (AZURE_CLIENT_CERTIFICATE_PATH) cannot be used as a certificate", advice=_CERTIFICATE_FILE
        ) from None


def _by_certificate(sign_in: SignInSettings, tenant: str, client: str, options: dict[str, Any]) -> Any:
    """The credential for a certificate; of many tenants with the same one, one that all of them use."""
    from azure.identity.aio import CertificateCredential

    transport = _transport(sign_in)
    if sign_in.shared is None:
        return CertificateCredential(tenant, client, transport=transport, **options)
    key = (sign_in.authority, client.lower(), options["certificate_data"], options["password"])
    options |= {"additionally_allowed_tenants": ["*"]}

    def make(on_response: Hook | None) -> Any:
        return CertificateCredential(
            tenant, client, transport=transport, **{**options, "raw_response_hook": on_response}
        )

    return sign_in.shared.for_tenant(key, tenant.lower(), make, sign_in.on_response)


def certificate_of(environ: Mapping[str, str]) -> tuple[str, datetime]:
    """The SHA-1 thumbprint, in upper-case hexadecimal, and the end of the certificate that AZURE_… variables name.

    It is the certificate that azure-identity uses: the first one of a PEM file, or the one of the key of a PFX file.
    Raises `CredentialError`.
    """
    path = environ.get("AZURE_CLIENT_CERTIFICATE_PATH", "").strip()
    # A pipe was read when the program signed in, so that nothing more comes.
    data = _certificate_bytes(path, environ, 0)
    password = environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD") or None
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import pkcs12

        if b"-----BEGIN" in data:
            found: x509.Certificate | None = x509.load_pem_x509_certificate(data)
        else:
            found = pkcs12.load_key_and_certificates(data, password.encode() if password else None)[1]
        if found is None:
            raise ValueError("no certificate")
        return found.fingerprint(hashes.SHA1()).hex().upper(), found.not_valid_after_utc  # noqa: S303 -- Entra's identifier
    except (ValueError, TypeError):
        raise CredentialError(
            f"{path} (AZURE_CLIENT_CERTIFICATE_PATH) cannot be used as a certificate", advice=_CERTIFICATE_FILE
        ) from None


def _workload(sign_in: SignInSettings) -> Any:
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
    tenant, client, path = sign_in.need(*names)
    _bytes_of(path, "AZURE_FEDERATED_TOKEN_FILE", sign_in.seconds_left(), is_read_again=True)
    from azure.identity.aio import WorkloadIdentityCredential

    return WorkloadIdentityCredential(
        tenant_id=tenant,
        client_id=client,
        token_file_path=path,
        transport=_transport(sign_in),
        **sign_in.options(),
    )


def _check_managed_identity(sign_in: SignInSettings) -> None:
    """Raise `CredentialError` for an endpoint without its other variable.

    azure-identity ignores such an endpoint, and waits for the one of a virtual machine.
    """
    if sign_in.value("IDENTITY_ENDPOINT") and not (sign_in.value("IDENTITY_HEADER") or sign_in.value("IMDS_ENDPOINT")):
        raise CredentialError(
            "IDENTITY_ENDPOINT is set, but neither IDENTITY_HEADER nor IMDS_ENDPOINT is",
            advice="Pass on all variables of the machine's managed identity, or unset IDENTITY_ENDPOINT.",
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
    """A transport with requests in a thread; aiohttp would start 0.1 s later. Many tenants share one transport."""
    if sign_in.shared is not None and sign_in.auth != "managed-identity":
        return sign_in.shared.transport(sign_in.authority)
    from azure.core.pipeline.transport import AsyncioRequestsTransport

    return AsyncioRequestsTransport(
        connection_verify=sign_in.network.trust or True, connection_timeout=30, use_env_settings=False
    )


_LARGEST = 2**20
"""In bytes. A certificate with its chain, or a token, has a few thousand; a device has no end."""


def _certificate_bytes(path: str, environ: Mapping[str, str], seconds: float) -> bytes:
    """The certificate: the file, or the content if the environment has that."""
    content = environ.get(CERTIFICATE_CONTENT, "")
    if not content:
        return _bytes_of(path, "AZURE_CLIENT_CERTIFICATE_PATH", seconds)
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        raise CredentialError(
            f"{path} is neither a PEM certificate nor a PFX file in Base64", advice="Correct what it contains."
        ) from None


_PATIENCE = 30.0
"""In seconds. A program that makes a certificate, and passes it through a pipe, takes less."""


def _bytes_of(path: str, variable: str, seconds: float, *, is_read_again: bool = False) -> bytes:
    """The content of the file that a variable names; a pipe must bring it within `seconds`.

    With `is_read_again`, a library reads the file as well, so that it can't be a pipe.
    """
    try:
        if is_read_again and Path(path).is_fifo():
            raise OSError(errno.EINVAL, "it is a pipe, which can be read only once")
        data = input_bytes(path, _LARGEST, patience=min(_PATIENCE, seconds))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CredentialError(
            f"{variable} names {path}, which cannot be read: {why}", advice=f"Correct {variable}."
        ) from None
    if len(data) > _LARGEST:
        raise CredentialError(f"{variable} names {path}, which is too large for it", advice=f"Correct {variable}.")
    return data


def _show(address: str, code: str, until: datetime) -> None:
    """Print the code to standard error, where no report goes."""
    sys.stderr.write(f"To sign in, open {address} and enter the code {code} (until {until:%H:%M} UTC).\n")
