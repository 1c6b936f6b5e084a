"""When the audit's own credential ends: by the local certificate, and by the audit's own app registration in Graph.

Microsoft lists the client secrets of an app registration without their values. A secret is recognized by ``hint``,
which "contains the first three characters of the password" (Graph v1.0, ``passwordCredential``): two can look alike.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from auditor.graph.access_tokens import TokenClaims
from auditor.graph.credentials import certificate_of, resolve_auth
from auditor.graph.graph_errors import CredentialError, GraphError
from auditor.model.document import parse_time, utc_text
from auditor.model.snapshot import CredentialEnd

if TYPE_CHECKING:
    from auditor.graph.fetch import ReadResult
    from auditor.graph.transport import GraphClient

_SECRET, _CERTIFICATE = "secret", "certificate"
_LISTS = {_SECRET: "passwordCredentials", _CERTIFICATE: "keyCredentials"}
"""The property of an app registration that lists the credentials of this kind."""
_NOTHING_ENDS = {
    "workload-identity": "A workload identity has no secret that ends: the app trusts the tokens of the platform.",
    "managed-identity": "Azure renews the credential of a managed identity.",
    "device-code": "A person signed in.",
}
_HINT = 3
"""Characters of a client secret that Microsoft Graph shows."""


class _PasswordCredential(msgspec.Struct, frozen=True):
    keyId: str | None = None
    hint: str | None = None
    endDateTime: str | None = None


class _KeyCredential(msgspec.Struct, frozen=True):
    keyId: str | None = None
    customKeyIdentifier: str | None = None
    key: str | None = None
    endDateTime: str | None = None


class _Application(msgspec.Struct, frozen=True):
    passwordCredentials: tuple[_PasswordCredential, ...] = ()
    keyCredentials: tuple[_KeyCredential, ...] = ()


class LocalCredential(msgspec.Struct, frozen=True, kw_only=True):
    """What this machine knows of its own credential; never the secret or the key.

    `hint` is the beginning of the client secret. `thumbprint` (SHA-1, upper-case hexadecimal) and `ends` are those of
    the certificate, or `problem` says why they can't be read. `is_person` says that a person signed in.
    """

    kind: str
    client_id: str = ""
    hint: str = ""
    thumbprint: str = ""
    ends: str = ""
    problem: str = ""
    is_person: bool = False

    def __repr__(self) -> str:
        return f"<LocalCredential by {self.kind}>"

    @property
    def credentials(self) -> str:
        """The list of the app registration in which this credential is; empty if there is nothing to look up."""
        return "" if self.is_person or not self.client_id else _LISTS.get(self.kind, "")


def local_credential(
    auth: str, environ: Mapping[str, str], claims: TokenClaims, tenant_id: str = ""
) -> LocalCredential:
    """The credential with which `auth` signed in, whose token has these `claims`."""
    kind = resolve_auth(auth, environ, tenant_id)
    found = LocalCredential(kind=kind, client_id=claims.app_id, is_person=bool(claims.user))
    if kind == _SECRET:
        return msgspec.structs.replace(found, hint=environ.get("AZURE_CLIENT_SECRET", "").strip()[:_HINT])
    if kind != _CERTIFICATE:
        return found
    try:
        thumbprint, ends = certificate_of(environ)
    except CredentialError as error:  # replaced since the sign-in
        return msgspec.structs.replace(found, problem=f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return msgspec.structs.replace(found, thumbprint=thumbprint, ends=utc_text(ends))


async def read_credential_end(client: GraphClient, local: LocalCredential, now: datetime) -> CredentialEnd:
    """When the credential ends, with at most one request for it."""
    if not local.credentials:
        return credential_end(local, None, now)
    from auditor.graph.fetch import Fetcher
    from auditor.graph.section_reads import own_application

    try:
        (result,) = await Fetcher(client).fetch([own_application(local.client_id, local.credentials)])
    except GraphError as error:
        return _unknown(local, f"The app registration could not be read ({error}).")
    return credential_end(local, result, now)


def credential_end(local: LocalCredential, read: ReadResult | None, now: datetime) -> CredentialEnd:
    """When the credential ends. `read` is the result of reading the app registration, none if that wasn't needed.

    Secrets that ended before `now` can't be the one in use.
    """
    if local.is_person:
        return CredentialEnd(kind=local.kind, why=_NOTHING_ENDS["device-code"])
    if local.kind in _NOTHING_ENDS:
        return CredentialEnd(kind=local.kind, why=_NOTHING_ENDS[local.kind])
    if local.kind not in _LISTS:
        return _unknown(local, "The Azure CLI holds the credential and doesn't show when it ends.")
    if local.problem:
        return _unknown(local, local.problem)
    application, problem = _application(read)
    if local.kind == _CERTIFICATE:
        return _of_certificate(local, application)
    return _unknown(local, problem) if application is None else _of_secret(local, application, now)


def _unknown(local: LocalCredential, why: str) -> CredentialEnd:
    return CredentialEnd(kind=local.kind, certain=False, why=why)


def _application(read: ReadResult | None) -> tuple[_Application | None, str]:
    """The app registration, or why it isn't known."""
    if read is None:
        return None, "The app registration was not read."
    if read.absent:
        return None, "The app is registered in another tenant, and only that tenant shows when its secrets end."
    if read.unread is not None:
        status = f"{read.unread.status or ''} {read.unread.code}".strip() or read.unread.message
        request = f", request id {read.unread.request_id}" if read.unread.request_id else ""
        return None, f"The app registration could not be read ({status}{request})."
    try:
        return msgspec.convert(read.value, _Application), ""
    except msgspec.ValidationError:
        return None, "Microsoft Graph's answer about the app registration isn't as documented."


def _of_secret(local: LocalCredential, application: _Application, now: datetime) -> CredentialEnd:
    alike = [one for one in application.passwordCredentials if one.hint in (None, "", local.hint)]
    ends = [parse_time(one.endDateTime or "") for one in alike]
    in_use = [(end, one) for end, one in zip(ends, alike, strict=True) if end is None or end > now]
    dated = [(end, one) for end, one in in_use if end is not None]
    if not in_use:
        return _unknown(local, "The app registration lists no client secret that can be the one in use.")
    if not dated:
        return _unknown(local, "The app registration doesn't say when the client secret ends.")
    end, first = min(dated, key=lambda pair: pair[0])
    which = f"Secret ID {first.keyId}." if first.keyId else ""
    if len(in_use) == 1:
        return CredentialEnd(kind=local.kind, ends=utc_text(end), why=which)
    several = f"{len(in_use)} client secrets of the app look like the one in use, and this is the first that ends."
    return CredentialEnd(kind=local.kind, ends=utc_text(end), certain=False, why=f"{several} {which}".strip())


def _of_certificate(local: LocalCredential, application: _Application | None) -> CredentialEnd:
    registered = [one for one in (application.keyCredentials if application else ()) if _is_of(one, local.thumbprint)]
    ends = [end for one in registered if (end := parse_time(one.endDateTime or "")) is not None]
    of_file = datetime.fromisoformat(local.ends)
    # The same certificate can be registered twice, and one registration is enough to sign in.
    if ends and max(ends) < of_file:
        why = f"The app registration accepts the certificate only until then, and the certificate says {local.ends}."
        return CredentialEnd(kind=local.kind, ends=utc_text(max(ends)), why=why)
    return CredentialEnd(kind=local.kind, ends=local.ends)


def _is_of(registered: _KeyCredential, thumbprint: str) -> bool:
    """Whether this is the certificate with the thumbprint.

    ``customKeyIdentifier`` is the thumbprint if whoever uploaded the certificate gave no other one; Graph returns it in
    hexadecimal digits or in Base64. ``key`` is the certificate itself.
    """
    identifier = registered.customKeyIdentifier or ""
    return thumbprint in {identifier.upper(), *_digests(identifier, registered.key or "")}


def _digests(identifier: str, key: str) -> Iterable[str]:
    import hashlib

    for text, is_certificate in ((identifier, False), (key, True)):
        try:
            decoded = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        yield (hashlib.sha1(decoded, usedforsecurity=False).hexdigest() if is_certificate else decoded.hex()).upper()
