"""What the app was granted already, for everybody and for the subject.

Source: Microsoft Graph, ``oAuth2PermissionGrant``: one row per client and resource (and user); consent adds to
the scope string in place; ``startTime`` and ``expiryTime`` are legacy and ignored.
"""

from __future__ import annotations

import msgspec

from auditor.consent.client import Client
from auditor.consent.lookup import Absent, NotRead, SnapshotIndex
from auditor.consent.permission import Permission
from auditor.consent.truth import Truth
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.decision import Reason
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal

TENANT_WIDE = "allprincipals"


class Grants(msgspec.Struct, frozen=True, kw_only=True):
    """Scopes granted, in lower case, by resource app id.

    A resource in `tenant_wide` or `own` has a row, even if its string is empty. `elsewhere` says whether the
    subject is covered by a row for a resource that was not asked about, or of which nobody knows whose it is.
    `unread` are the resources that such a row may be for, because their service principals were not read.
    `others` are the other users who have a personal grant, by object id, with their scopes by resource.
    """

    tenant_wide: dict[str, frozenset[str]]
    own: dict[str, frozenset[str]]
    elsewhere: bool = False
    unread: dict[str, NotRead] = {}
    others: dict[str, dict[str, frozenset[str]]] = {}

    def has_row(self, resource: str) -> Truth:
        """Whether the subject is covered by any grant for this resource."""
        if resource in self.tenant_wide or resource in self.own:
            return Truth.TRUE
        return Truth.UNKNOWN if resource in self.unread else Truth.FALSE

    def effective(self, resource: str) -> frozenset[str]:
        """What a token for this resource would hold."""
        return self.tenant_wide.get(resource, frozenset()) | self.own.get(resource, frozenset())

    @property
    def is_empty(self) -> bool:
        """Whether the subject is covered by no grant at all, for no resource: consent would be the initial one."""
        return not (self.tenant_wide or self.own or self.elsewhere)


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
    return _granted(index, rows, resources, user_id) if rows else NO_GRANTS


def _granted(
    index: SnapshotIndex, rows: tuple[OAuth2PermissionGrant, ...], resources: tuple[str, ...], user_id: str | None
) -> Grants:
    object_ids: dict[str, str] = {}
    not_read: dict[str, NotRead] = {}
    for resource in resources:
        match index.service_principal(resource):
            case ServicePrincipal() as principal:
                object_ids[principal.id.lower()] = resource
            case NotRead() as why:
                not_read[resource] = why
            case Absent():
                pass
    found = _sum(rows, object_ids, (user_id or "").lower())
    unclear = any(index.principal_with_id(row.resourceId) is None for row in rows)
    return msgspec.structs.replace(found, unread=not_read) if unclear else found


def _sum(rows: tuple[OAuth2PermissionGrant, ...], object_ids: dict[str, str], user_id: str) -> Grants:
    tenant_wide: dict[str, frozenset[str]] = {}
    own: dict[str, frozenset[str]] = {}
    elsewhere = False
    others: dict[str, dict[str, frozenset[str]]] = {}
    for row in rows:
        resource = object_ids.get(row.resourceId.lower())
        principal = (row.principalId or "").lower()
        if row.consentType.lower() == TENANT_WIDE:
            bucket = tenant_wide
        elif user_id and principal == user_id:
            bucket = own
        else:
            bucket = others.setdefault(principal, {})
        if resource is None:
            elsewhere = elsewhere or bucket is tenant_wide or bucket is own
        else:
            bucket[resource] = bucket.get(resource, frozenset()) | scopes_in(row.scope)
    return Grants(tenant_wide=tenant_wide, own=own, elsewhere=elsewhere, others=others)


def scopes_in(text: str) -> frozenset[str]:
    """The scopes of a grant's string, in lower case; real data starts with a space and may hold doubles."""
    return frozenset(text.lower().split())


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
    if permission.is_openid and grants.effective(MICROSOFT_GRAPH):
        unsure = "whether another Graph grant covers offline_access is not documented"
        return GrantState(Truth.TRUE, Reason.COVERED_BY_OTHER_GRANT, unsure if name == "offline_access" else "")
    if permission.resource in grants.unread:
        return GrantState(Truth.UNKNOWN, Reason.NOT_READ)
    return GrantState(Truth.FALSE)
