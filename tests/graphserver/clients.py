"""The app registrations that may ask for tokens, and how each proves itself."""

from __future__ import annotations

import functools
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from jwt.utils import base64url_decode

EXCHANGE = "api://AzureADTokenExchange"
ISSUER = "https://oidc.example.org/cluster"
SUBJECT = "system:serviceaccount:audit:consent-auditor"
_OUTSIDE_KEY = b"the key of an issuer of tokens outside this directory, known to both"


class Refused(Exception):
    """No token: an OAuth error with its AADSTS number."""

    def __init__(self, status: int, error: str, number: int, reason: str) -> None:
        super().__init__(f"AADSTS{number}: {reason}")
        self.status = status
        self.error = error
        self.number = number


class Refusal(IntEnum):
    """Why Entra gives an app no token for a tenant that exists. It answers the first two for the same cause."""

    NOT_FOUND = 700016
    """Nobody has consented to the app in the tenant, or an administrator has deleted it there."""
    NO_SERVICE_PRINCIPAL = 7000229
    """The same, as Entra answers nowadays (Azure/Commercial-Marketplace-SaaS-Accelerator issue 830)."""
    DISABLED = 7000112
    """An administrator has disabled sign-in to the app."""


@dataclass(frozen=True)
class Certificate:
    """A client certificate: `pem` holds the private key and the certificate, as credentials want it."""

    pem: bytes
    public_key: rsa.RSAPublicKey
    thumbprints: Mapping[str, str]
    """By the header that names them: `x5t` is the short one that the synchronous credential still sends."""


@functools.cache
def client_certificate() -> Certificate:
    """One certificate for the whole process: making an RSA key takes longer than a test should."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "consent-auditor tests")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = (
        builder.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    der = made.public_bytes(serialization.Encoding.DER)
    pem = private + made.public_bytes(serialization.Encoding.PEM)
    short, long = hashlib.sha1(der, usedforsecurity=False).hexdigest(), hashlib.sha256(der).hexdigest()
    return Certificate(pem, key.public_key(), {"x5t": short, "x5t#S256": long})


def federated_token(subject: str = SUBJECT, issuer: str = ISSUER, lifetime: int = 600) -> str:
    """What a workload's token file holds: a token of an outside issuer, made for the exchange."""
    now = int(time.time())
    claims = {"iss": issuer, "sub": subject, "aud": EXCHANGE, "iat": now, "nbf": now, "exp": now + lifetime}
    return jwt.encode(claims, _OUTSIDE_KEY, "HS256")


@dataclass
class Client:
    """One app registration, for any number of tenants.

    `roles_in` overrides the roles per tenant; `None` there means not present. `refused_in` says where it gets no token,
    and why. `requested` are the roles that an administrator consents to, by default `roles`; `redirect_uris` is where
    the page of that consent may lead.
    """

    client_id: str
    secret: str | None
    roles: frozenset[str]
    secret_expired: bool = False
    certificates: tuple[Certificate, ...] = ()
    federations: tuple[tuple[str, str], ...] = ()
    roles_in: dict[str, frozenset[str] | None] = field(default_factory=dict)
    refused_in: dict[str, Refusal] = field(default_factory=dict)
    requested: frozenset[str] | None = None
    redirect_uris: tuple[str, ...] = ("https://localhost/consented",)
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def roles_for(self, tenant_id: str) -> frozenset[str]:
        """What this app was granted in a tenant; refused where it is not present, or disabled."""
        if refusal := self.refused_in.get(tenant_id):
            raise self._refused(refusal, tenant_id)
        roles = self.roles_in.get(tenant_id, self.roles)
        if roles is None:
            raise unknown_client(self.client_id)
        return roles

    def _refused(self, refusal: Refusal, tenant_id: str) -> Refused:
        if refusal is Refusal.NOT_FOUND:
            return unknown_client(self.client_id)
        if refusal is Refusal.DISABLED:
            return Refused(400, "unauthorized_client", refusal, f"Application '{self.client_id}' is disabled.")
        reason = f"The client application {self.client_id} is missing service principal in the tenant {tenant_id}."
        return Refused(401, "invalid_client", refusal, reason)

    def consented(self, tenant_id: str, *, to_roles: bool = True) -> None:
        """An administrator of the tenant consented: to all that the app requests, or to delegated permissions alone.

        That doesn't enable a disabled app.
        """
        if self.refused_in.get(tenant_id) is Refusal.DISABLED:
            raise self._refused(Refusal.DISABLED, tenant_id)
        is_new = self.refused_in.pop(tenant_id, None) or self.roles_in.get(tenant_id, frozenset()) is None
        if to_roles:
            self.roles_in[tenant_id] = self.roles if self.requested is None else self.requested
        elif is_new:
            self.roles_in[tenant_id] = frozenset()

    def prove(self, form: Mapping[str, str], token_url: str, now: float) -> None:
        """Nothing, when `form` carries a proof that holds; else the refusal Entra would send."""
        if "client_secret" in form:
            self._by_secret(form["client_secret"])
        elif "client_assertion" in form:
            self._by_assertion(form["client_assertion"], token_url, now)
        else:
            raise Refused(401, "invalid_client", 7000218, "The request needs a client_secret or client_assertion.")

    def _by_secret(self, secret: str) -> None:
        if secret != self.secret:
            raise Refused(401, "invalid_client", 7000215, f"Invalid client secret for app '{self.client_id}'.")
        if self.secret_expired:
            raise Refused(401, "invalid_client", 7000222, f"The client secrets of app '{self.client_id}' are expired.")

    def _by_assertion(self, assertion: str, token_url: str, now: float) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise Refused(401, "invalid_client", 50027, "The client assertion isn't a JWT.") from None
        if claims.get("iss") == self.client_id:
            self._by_certificate(assertion, header, token_url)
        else:
            self._by_federation(assertion, claims)
        if not float(claims.get("nbf", now)) - 300 <= now <= float(claims["exp"]) + 300:
            raise Refused(401, "invalid_client", 700024, "The client assertion is not within its valid time range.")

    def _by_certificate(self, assertion: str, header: Mapping[str, Any], token_url: str) -> None:
        for certificate in self.certificates:
            if _same_thumbprint(header, certificate):
                try:
                    jwt.decode(
                        assertion,
                        certificate.public_key,
                        ["PS256", "RS256"],
                        audience=token_url,
                        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
                    )
                except jwt.InvalidAudienceError:
                    raise Refused(401, "invalid_client", 700211, "The assertion is for another audience.") from None
                except jwt.InvalidTokenError:
                    raise Refused(401, "invalid_client", 700027, "The assertion's signature is wrong.") from None
                return
        raise Refused(401, "invalid_client", 700027, "The certificate of the assertion is not registered.")

    def _by_federation(self, assertion: str, claims: Mapping[str, Any]) -> None:
        if (claims.get("iss"), claims.get("sub")) not in self.federations:
            raise Refused(401, "invalid_client", 700213, "No federated identity matches the assertion's subject.")
        try:
            jwt.decode(assertion, _OUTSIDE_KEY, ["HS256"], audience=EXCHANGE, options={"verify_exp": False})
        except jwt.InvalidTokenError:
            raise Refused(401, "invalid_client", 700211, "The federated assertion cannot be trusted.") from None


def unknown_client(client_id: str) -> Refused:
    """The app is not in this directory: a wrong id, a wrong cloud, or no consent yet."""
    return Refused(400, "unauthorized_client", 700016, f"Application '{client_id}' was not found in the directory.")


def _same_thumbprint(header: Mapping[str, Any], certificate: Certificate) -> bool:
    claimed = {name: str(header[name]).rstrip("=") for name in certificate.thumbprints if name in header}
    return bool(claimed) and all(
        base64url_decode(value).hex() == certificate.thumbprints[name] for name, value in claimed.items()
    )
