"""What the app was granted already, for everybody and for the subject.

Source: Microsoft Graph, ``oAuth2PermissionGrant``: one row per client and resource (and user); consent adds to
the scope string in place; ``startTime`` and ``expiryTime`` are legacy and ignored. ``scope`` is a list separated by
spaces, which Graph stores without a check: names that anything else separates are one name, which no resource has
(microsoftgraph-docs-powershell issue 411, msgraph-bicep-types pull request 211).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from auditor.consent.client import Client
from auditor.consent.lookup import Absent, NotRead, SnapshotIndex
from auditor.consent.permission import Permission
from auditor.consent.truth import Truth
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.decision import Reason
from auditor.model.resources import PRINCIPAL, OAuth2PermissionGrant, ServicePrincipal, lacking

TENANT_WIDE = "allprincipals"

_SEPARATORS = {",": "commas", ";": "semicolons", "|": "vertical bars", "+": "plus signs", "%": "percent-encoding"}
"""Characters that no name of a permission has, and what to call them where they separate names."""
_IN_NO_NAME = re.compile(f"[{re.escape(''.join(_SEPARATORS))}]")


class MalformedGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant whose text has names that it doesn't grant: `names` are meant, with `separator` after each."""

    resource: str
    tenant_wide: bool
    names: tuple[str, ...]
    separator: str


class Grants(msgspec.Struct, frozen=True, kw_only=True):
    """Scopes granted, in lower case, by resource app id.

    A resource in `tenant_wide` or `own` has a row, even if its string is empty. `elsewhere` says whether the
    subject is covered by a row for a resource that was not asked about, or of which nobody knows whose it is.
    `unread` are the resources that such a row may be for, because their service principals were not read.
    `others` are the other users who have a personal grant, by object id, with their scopes by resource. `incomplete`
    says which row lacks what it grants, or to whom: it may grant anything that the others don't. `malformed` are the
    rows that grant less than was meant.
    """

    tenant_wide: dict[str, frozenset[str]]
    own: dict[str, frozenset[str]]
    elsewhere: bool = False
    unread: dict[str, NotRead] = {}
    others: dict[str, dict[str, frozenset[str]]] = {}
    incomplete: NotRead | None = None
    malformed: tuple[MalformedGrant, ...] = ()

    def unknown_on(self, resource: str) -> NotRead | None:
        """Why there may be more grants on this resource; nothing if there can't be."""
        return self.unread.get(resource) or self.incomplete

    def has_row(self, resource: str) -> Truth:
        """Whether the subject is covered by any grant for this resource."""
        if resource in self.tenant_wide or resource in self.own:
            return Truth.TRUE
        return Truth.UNKNOWN if self.unknown_on(resource) else Truth.FALSE

    def effective(self, resource: str) -> frozenset[str]:
        """What a token for this resource would hold."""
        return self.tenant_wide.get(resource, frozenset()) | self.own.get(resource, frozenset())

    @property
    def is_empty(self) -> Truth:
        """Whether the subject is covered by no grant at all, for no resource: consent would be the initial one."""
        if self.tenant_wide or self.own or self.elsewhere:
            return Truth.FALSE
        return Truth.UNKNOWN if self.incomplete else Truth.TRUE


NO_GRANTS = Grants(tenant_wide={}, own={})


def grants_of(
    index: SnapshotIndex, client: Client, resources: tuple[str, ...], user_id: str | None = None
) -> Grants | NotRead:
    """The grants of `client` on the given resources (app ids) that cover the subject.

    `user_id` is the subject's object id; ``None`` is a hypothetical member without a personal grant.
    """
    if client.presence is Truth.FALSE:
        return NO_GRANTS
    rows = index.grants_of(client.object_id)
    if unread := _unread(index, client):
        if not rows:
            return unread
        # A row that was read counts. What else there is, is not known.
        known = _granted(index, rows, resources, user_id)
        return msgspec.structs.replace(known, unread=dict.fromkeys(resources, unread))
    return _granted(index, rows, resources, user_id)


def _granted(
    index: SnapshotIndex, rows: tuple[OAuth2PermissionGrant, ...], resources: tuple[str, ...], user_id: str | None
) -> Grants:
    incomplete = _incomplete(index, rows, (user_id or "").lower())
    if not rows:
        return msgspec.structs.replace(NO_GRANTS, incomplete=incomplete)
    object_ids: dict[str, str] = {}
    not_read: dict[str, NotRead] = {}
    for resource in resources:
        match index.service_principal(resource):
            case ServicePrincipal() as principal if principal.id:
                object_ids[principal.id.lower()] = resource
            case ServicePrincipal():
                not_read[resource] = index.gap("servicePrincipals") or index.not_read("servicePrincipals", resource)
            case NotRead() as why:
                not_read[resource] = why
            case Absent():
                pass
    found = _sum(rows, object_ids, (user_id or "").lower())
    unclear = any(not getattr(index.principal_with_id(row.resourceId), "appId", "") for row in rows)
    return msgspec.structs.replace(found, unread=not_read if unclear else {}, incomplete=incomplete)


def _incomplete(index: SnapshotIndex, rows: tuple[OAuth2PermissionGrant, ...], user_id: str) -> NotRead | None:
    """Why the subject may have more than `rows` of the client say: one lacks something, or the client itself."""
    for row in (*rows, *index.grants_without_client):
        for_another = row.consentType.lower() == PRINCIPAL and row.principalId and row.principalId.lower() != user_id
        if (row.lacks or not is_known_consent(row)) and not for_another:
            return why_incomplete(index, row)
    return None


def is_known_consent(row: OAuth2PermissionGrant) -> bool:
    """Whether the grant is of a kind that is documented: for everybody, or for one user."""
    return row.consentType.lower() in (TENANT_WIDE, PRINCIPAL)


def why_incomplete(index: SnapshotIndex, row: OAuth2PermissionGrant) -> NotRead:
    """What a grant lacks, or which kind of consent it has that this program doesn't know."""
    section = "oauth2PermissionGrants"
    number = next(at for at, one in enumerate(index.snapshot.sections.oauth2PermissionGrants or ()) if one is row)
    if row.lacks:
        return NotRead(section, lacking(section, number, row))
    return NotRead(section, f"{section}[{number}] has the consent type {row.consentType}, which is new to this program")


def _sum(rows: tuple[OAuth2PermissionGrant, ...], object_ids: dict[str, str], user_id: str) -> Grants:
    tenant_wide: dict[str, frozenset[str]] = {}
    own: dict[str, frozenset[str]] = {}
    elsewhere = False
    others: dict[str, dict[str, frozenset[str]]] = {}
    malformed: list[MalformedGrant] = []
    for row in rows:
        resource = object_ids.get(row.resourceId.lower())
        principal = (row.principalId or "").lower()
        if row.consentType.lower() == TENANT_WIDE:
            bucket = tenant_wide
        elif row.consentType.lower() != PRINCIPAL:
            continue
        elif user_id and principal == user_id:
            bucket = own
        else:
            bucket = others.setdefault(principal, {})
        covers_subject = bucket is tenant_wide or bucket is own
        if resource is None:
            elsewhere = elsewhere or covers_subject
            continue
        bucket[resource] = bucket.get(resource, frozenset()) | scopes_in(row.scope)
        if covers_subject:
            malformed += _malformed(row.scope, resource, tenant_wide=bucket is tenant_wide)
    return Grants(tenant_wide=tenant_wide, own=own, elsewhere=elsewhere, others=others, malformed=tuple(malformed))


def scopes_in(text: str) -> frozenset[str]:
    """The scopes that a grant's string grants, in lower case; real data starts with a space and may hold doubles."""
    return frozenset(name.lower() for name in granted_names(text))


def granted_names(text: str) -> tuple[str, ...]:
    """The same scopes as the grant spells them, in its order."""
    return tuple(name for name in text.split() if not _IN_NO_NAME.search(name))


def names_without_effect(text: str) -> tuple[tuple[str, ...], str]:
    """The scopes that a grant's string names without granting them, and what separates them.

    Both are empty where spaces separate all names.
    """
    wrong = [name for name in text.split() if _IN_NO_NAME.search(name)]
    parts = (part for one in wrong for part in _IN_NO_NAME.split(unquote(one)))
    separator = next((_SEPARATORS[char] for one in wrong for char in one if char in _SEPARATORS), "")
    return tuple(dict.fromkeys(name for part in parts for name in part.split())), separator


def _malformed(text: str, resource: str, *, tenant_wide: bool) -> Iterator[MalformedGrant]:
    names, separator = names_without_effect(text)
    if separator:
        yield MalformedGrant(resource=resource, tenant_wide=tenant_wide, names=names, separator=separator)


def _unread(index: SnapshotIndex, client: Client) -> NotRead | None:
    if not index.covers("oauth2PermissionGrants", client.app_id):
        return index.not_read("oauth2PermissionGrants", client.app_id)
    if client.object_id is None:
        return index.not_read("servicePrincipals", client.app_id)
    return None


class GrantState(msgspec.Struct, frozen=True):
    """Whether one permission is granted already; `caveat` says why that is not certain."""

    truth: Truth
    reason: Reason = Reason.NO_POLICY_MATCHES
    caveat: str = ""


def grant_state(permission: Permission, grants: Grants | NotRead) -> GrantState:
    """Whether the subject's token would already hold this permission.

    A grant of any Microsoft Graph scope also covers openid, profile and email, whose names need not be in
    the string (live captures); for offline_access that is less sure.
    """
    if isinstance(grants, NotRead):
        return GrantState(Truth.UNKNOWN, Reason.NOT_READ)
    name = permission.value.lower()
    if name in grants.tenant_wide.get(permission.resource, ()):
        return GrantState(Truth.TRUE, Reason.GRANTED_TENANT_WIDE)
    if name in grants.own.get(permission.resource, ()):
        return GrantState(Truth.TRUE, Reason.GRANTED_TO_USER)
    if grants.incomplete:
        return GrantState(Truth.UNKNOWN, Reason.NOT_READ)
    if permission.is_openid and grants.effective(MICROSOFT_GRAPH):
        unsure = "whether another Graph grant covers offline_access is not documented"
        return GrantState(Truth.TRUE, Reason.COVERED_BY_OTHER_GRANT, unsure if name == "offline_access" else "")
    if permission.resource in grants.unread:
        return GrantState(Truth.UNKNOWN, Reason.NOT_READ)
    return GrantState(Truth.FALSE)
