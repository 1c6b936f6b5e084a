"""What the app was granted already, for everybody and for the subject.

Source: Microsoft Graph, ``oAuth2PermissionGrant``: one row per client and resource (and user); consent adds to
the scope string in place; ``startTime`` and ``expiryTime`` are legacy and ignored. ``scope`` is a list separated by
spaces, which Graph stores without a check: names that anything else separates are one name, which no resource has
(microsoftgraph-docs-powershell issue 411, msgraph-bicep-types pull request 211).

An agent identity also holds what was granted to the principal of its blueprint, where the blueprint lists that as
inheritable; Graph shows it on the principal only, and the agent's own grants add to it (Entra, "Inheritable permissions
and required resource access in Microsoft Entra Agent ID").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from auditor.consent import Truth
from auditor.consent.requested_access import Client, Permission
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex, kept
from auditor.facts.ids import FALSE_SEPARATORS, MICROSOFT_GRAPH, is_guid
from auditor.model.decision import Reason
from auditor.model.resources import AGENT_IDENTITY, PRINCIPAL, OAuth2PermissionGrant, ServicePrincipal, lacking
from auditor.model.snapshot import GroupedGrants

ALL_PRINCIPALS = "allprincipals"

_FAULTS = {
    **{sign: f"separated by {name} instead of spaces" for sign, name in FALSE_SEPARATORS.items()},
    "%": "separated by percent-encoding instead of spaces",
    '"': "written in quotation marks",
    "://": "written as addresses instead of names",
}
"""What no name of a permission has, and what is wrong with names where a grant has it."""
_IN_NO_NAME = re.compile("|".join(map(re.escape, _FAULTS)))


class MalformedGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant whose text has names that it doesn't grant: `names` are meant, and `fault` says how they are written.

    Without a fault, they are the only names, and the resource has none of them.
    """

    resource: str
    tenant_wide: bool
    names: tuple[str, ...]
    fault: str


class Inherited(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent identity inherits on one resource, in lower case.

    It certainly inherits the scopes in `sure`, and perhaps those in `perhaps`; ``None`` means any. `why` is a clause
    about either.
    """

    why: NotRead
    sure: frozenset[str] = frozenset()
    perhaps: frozenset[str] | None = frozenset()


class Grants(msgspec.Struct, frozen=True, kw_only=True):
    """Scopes granted, in lower case, by resource app id.

    A resource in `tenant_wide` or `own` has a row, even if its string is empty. `elsewhere` says whether the
    subject is covered by a row for a resource that was not asked about, or of which nobody knows whose it is.
    `unread` are the resources that such a row may be for, because their service principals were not read.
    `others` are the other users who have a personal grant, by object id, with their scopes by resource. `incomplete`
    says which row lacks what it grants, or to whom: it may grant anything that the others don't. `malformed` are the
    rows that grant less than was meant. `inherited` is, by resource, what an agent identity also has or may have.
    """

    tenant_wide: dict[str, frozenset[str]]
    own: dict[str, frozenset[str]]
    elsewhere: bool = False
    unread: dict[str, NotRead] = {}
    others: dict[str, dict[str, frozenset[str]]] = {}
    incomplete: NotRead | None = None
    malformed: tuple[MalformedGrant, ...] = ()
    inherited: dict[str, Inherited] = {}

    def unknown_on(self, resource: str) -> NotRead | None:
        """Why there may be more grants on this resource; nothing if there can't be."""
        inherited = self.inherited.get(resource)
        return self.unread.get(resource) or self.incomplete or (inherited.why if inherited else None)

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
        return Truth.UNKNOWN if self.incomplete or self.inherited else Truth.TRUE


NO_GRANTS = Grants(tenant_wide={}, own={})


def grants_of(
    index: SnapshotIndex, client: Client, resources: tuple[str, ...], user_id: str | None = None
) -> Grants | NotRead:
    """The grants of `client` on the given resources (app ids) that cover the subject.

    `user_id` is the subject's object id; ``None`` is a hypothetical member without a personal grant.
    """
    if client.presence is Truth.FALSE:
        return NO_GRANTS
    found = _rows_of(index, client.app_id, client.object_id, resources, user_id)
    agent = index.principal_with_id(client.object_id or "")
    if isinstance(found, NotRead) or agent is None or agent.odataType != AGENT_IDENTITY:
        return found
    return msgspec.structs.replace(found, inherited=_inherited(index, agent, resources, user_id))


def grants_on(
    index: SnapshotIndex,
    client: Client,
    asked: tuple[Permission, ...],
    user_id: str | None = None,
    defaults: tuple[str, ...] = (),
) -> Grants | NotRead:
    """The grants of `client` on the resources that it asks for, and on Microsoft Graph."""
    resources = tuple(dict.fromkeys((MICROSOFT_GRAPH, *(p.resource for p in asked), *defaults)))
    return grants_of(index, client, resources, user_id)


def granted_resources(index: SnapshotIndex, client: Client) -> tuple[str, ...]:
    """The resources (app ids) of the grants of `client`, as far as it's known whose they are."""
    found = (index.principal_with_id(row.resourceId) for row in index.grants_of(client.object_id))
    return tuple(dict.fromkeys(one.appId.lower() for one in found if one and one.appId))


def _rows_of(
    index: SnapshotIndex, app_id: str, object_id: str | None, resources: tuple[str, ...], user_id: str | None
) -> Grants | NotRead:
    """What the grants of one app say, and why there may be more."""
    rows = index.grants_of(object_id)
    if unread := _unread(index, app_id, object_id):
        if not rows:
            return unread
        # A row that was read counts. What else there is, is not known.
        known = _granted(index, rows, resources, user_id)
        return msgspec.structs.replace(known, unread=dict.fromkeys(resources, unread))
    return _granted(index, rows, resources, user_id)


def _inherited(
    index: SnapshotIndex, agent: ServicePrincipal, resources: tuple[str, ...], user_id: str | None
) -> dict[str, Inherited]:
    """What the agent has or may have by its blueprint, for the resources where that is anything."""
    name = agent.own_name or "the agent identity"
    if not agent.agentIdentityBlueprintId:
        unnamed = NotRead("servicePrincipals", "which blueprint that is was not read")
        return dict.fromkeys(resources, _perhaps_anything(name, unnamed))
    blueprint = index.service_principal(agent.agentIdentityBlueprintId)
    if isinstance(blueprint, Absent):
        return {}
    if isinstance(blueprint, NotRead):
        return dict.fromkeys(resources, _perhaps_anything(name, blueprint))
    granted = _rows_of(index, blueprint.appId, blueprint.id or None, resources, user_id)
    if isinstance(granted, NotRead):
        return dict.fromkeys(resources, _perhaps_anything(name, granted))
    found = ((one, _inherited_on(index, one, granted, name, blueprint)) for one in resources)
    return {resource: inherited for resource, inherited in found if inherited}


def _perhaps_anything(agent: str, unread: NotRead, sure: frozenset[str] = frozenset()) -> Inherited:
    text = f"{agent} may inherit more permissions from its blueprint; {unread.why}"
    return Inherited(why=NotRead(unread.section, text), sure=sure, perhaps=None)


def _inherited_on(
    index: SnapshotIndex, resource: str, granted: Grants, agent: str, blueprint: ServicePrincipal
) -> Inherited | None:
    """The scopes of one resource that were granted to the blueprint's principal, as far as it may pass them on."""
    listed, passes_all = inheritable(blueprint, resource)
    scopes = granted.effective(resource)
    unread = granted.unknown_on(resource)
    # An administrator's grant is documented to be inherited; of a user's own grant to a blueprint nothing is said.
    sure = granted.tenant_wide.get(resource, frozenset()) & (scopes if passes_all is Truth.TRUE else listed)
    perhaps = scopes - sure if passes_all is not Truth.FALSE else scopes & listed - sure
    if unread and (listed or passes_all is not Truth.FALSE):
        return _perhaps_anything(agent, unread, sure)
    if not sure and not perhaps:
        return None
    name, where = blueprint.name or blueprint.appId, index.resource_name(resource)
    what = f"permissions of {where} from its blueprint {name}"
    if not perhaps:
        text = f"{agent} inherits {what}, without a grant of its own"
    elif passes_all is Truth.UNKNOWN:
        unclear = why_inheritance_unclear(index, blueprint)
        text = f"{agent} may inherit {what}, whose list of inheritable permissions {unclear}"
    else:
        text = f"{agent} may inherit {what}, where they are granted to one user only"
    return Inherited(why=NotRead("servicePrincipals", text), sure=sure, perhaps=perhaps)


def why_inheritance_unclear(index: SnapshotIndex, blueprint: ServicePrincipal) -> str:
    """Why it isn't known what the blueprint's list of inheritable permissions says; a clause without its subject."""
    if blueprint.inheritablePermissions is not None:
        return "isn't of a form that this program knows"
    owner = (blueprint.appOwnerOrganizationId or "").lower()
    return "was not read" if owner in ("", index.snapshot.tenant.id.lower()) else "only its own tenant can read"


def inheritable(blueprint: ServicePrincipal, resource: str) -> tuple[frozenset[str], Truth]:
    """The scopes of a resource (lower case) that agents of the blueprint inherit, and whether they inherit all of them.

    Source: Graph v1.0, ``inheritablePermission``: ``allAllowed``, ``enumerated`` or ``none`` for each resource. It
    calls the enumerated scopes identifiers and shows names, so the other scopes are unknown next to an id.
    """
    rows = blueprint.inheritablePermissions
    if rows is None or any(row.lacks for row in rows):
        return frozenset(), Truth.UNKNOWN
    found = next((row for row in rows if row.resourceAppId.lower() == resource), None)
    scopes = found.inheritableScopes if found else None
    if found is None or (scopes and scopes.kind.lower() == "none"):
        return frozenset(), Truth.FALSE
    if scopes and scopes.kind.lower() == "allallowed":
        return frozenset(), Truth.TRUE
    if scopes is None or scopes.kind.lower() != "enumerated" or scopes.scopes is None:
        return frozenset(), Truth.UNKNOWN
    listed = frozenset(name.lower() for name in scopes.scopes)
    return listed, Truth.UNKNOWN if any(map(is_guid, listed)) else Truth.FALSE


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
    found = _sum(index, rows, object_ids, (user_id or "").lower())
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
    return row.consentType.lower() in (ALL_PRINCIPALS, PRINCIPAL)


def why_incomplete(index: SnapshotIndex, row: OAuth2PermissionGrant) -> NotRead:
    """What a grant lacks, or which kind of consent it has that this program doesn't know."""
    section = "oauth2PermissionGrants"
    number = next(at for at, one in enumerate(index.snapshot.sections.oauth2PermissionGrants or ()) if one is row)
    if row.lacks:
        return NotRead(section, lacking(section, number, row))
    return NotRead(section, f"{section}[{number}] has the consent type {row.consentType}, which is new to this program")


def _sum(
    index: SnapshotIndex, rows: tuple[OAuth2PermissionGrant, ...], object_ids: dict[str, str], user_id: str
) -> Grants:
    tenant_wide: dict[str, frozenset[str]] = {}
    own: dict[str, frozenset[str]] = {}
    elsewhere = False
    others: dict[str, dict[str, frozenset[str]]] = {}
    malformed: list[MalformedGrant] = []
    for row in rows:
        resource = object_ids.get(row.resourceId.lower())
        principal = (row.principalId or "").lower()
        if row.consentType.lower() == ALL_PRINCIPALS:
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
            malformed += _malformed(index, row.scope, resource, tenant_wide=bucket is tenant_wide)
    return Grants(tenant_wide=tenant_wide, own=own, elsewhere=elsewhere, others=others, malformed=tuple(malformed))


class Alike(NamedTuple):
    """What grants have in common that differ in their clients and users only. Ids are as the grants spell them."""

    resource: str
    consent: str
    scope: str

    @property
    def is_tenant_wide(self) -> bool:
        """Whether the grants are for everybody."""
        return self.consent.lower() == ALL_PRINCIPALS

    @property
    def is_known_kind(self) -> bool:
        """Whether the grants are of a kind that is documented: for everybody, or for one user."""
        return self.consent.lower() in (ALL_PRINCIPALS, PRINCIPAL)


@kept
def alike_grants(section: Sequence[OAuth2PermissionGrant] | None) -> dict[Alike, dict[str, None]]:
    """The clients (object ids) of the grants that are alike: a tenant has few kinds of grants, for many apps."""
    grouped = section.users if isinstance(section, GroupedGrants) else dict.fromkeys(map(_COMMON, section or ()))
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for resource, consent, scope, client in grouped:
        found.setdefault((resource, consent, scope), {})[client] = None
    return {Alike(*common): clients for common, clients in found.items()}


_COMMON = attrgetter("resourceId", "consentType", "scope", "clientId")


def scopes_in(text: str) -> frozenset[str]:
    """The scopes that a grant's string grants, in lower case; real data starts with a space and may hold doubles."""
    return frozenset(name.lower() for name in granted_names(text))


def granted_names(text: str) -> tuple[str, ...]:
    """The same scopes as the grant spells them, in its order."""
    return tuple(name for name in text.split() if not _IN_NO_NAME.search(name))


def names_without_effect(text: str) -> tuple[tuple[str, ...], str]:
    """The scopes that a grant's string names without granting them, and how they are written.

    Both are empty where all names are plain, with spaces between them.
    """
    wrong = [one for one in text.split() if _IN_NO_NAME.search(one)]
    parts = (part.strip("[]") for one in wrong for part in _meant(one))
    fault = next((_FAULTS[found[0]] for one in wrong if (found := _IN_NO_NAME.search(one))), "")
    return tuple(dict.fromkeys(name for part in parts for name in part.split())), fault


def _meant(text: str) -> list[str]:
    """The names that are meant; of an address, what follows the resource."""
    decoded = unquote(text)
    return [decoded.rpartition("/")[2]] if "://" in decoded else _IN_NO_NAME.split(decoded)


def gives_nothing(index: SnapshotIndex, resource: str, name: str) -> bool:
    """Whether the resource certainly has no permission with this name, so that a grant of it has no effect.

    ``.default`` is a word of requests and no permission (Microsoft identity platform, "Scopes and permissions").
    """
    published = index.published_scopes(resource)
    is_known = isinstance(published, NotRead | Absent) or name.lower() in published
    return name.lower() == ".default" or not (is_known or index.nameless_scope(resource))


def _malformed(index: SnapshotIndex, text: str, resource: str, *, tenant_wide: bool) -> Iterator[MalformedGrant]:
    names, fault = names_without_effect(text)
    if not fault:
        names = granted_names(text)
        if not all(gives_nothing(index, resource, name) for name in names):
            return
    if names:
        yield MalformedGrant(resource=resource, tenant_wide=tenant_wide, names=names, fault=fault)


def _unread(index: SnapshotIndex, app_id: str, object_id: str | None) -> NotRead | None:
    if not index.covers("oauth2PermissionGrants", app_id):
        return index.not_read("oauth2PermissionGrants", app_id)
    if object_id is None:
        return index.not_read("servicePrincipals", app_id)
    return None


class GrantState(msgspec.Struct, frozen=True):
    """Whether one permission is granted already; `caveat` says why that is not certain, `why` why it is not known."""

    truth: Truth
    reason: Reason = Reason.NO_POLICY_MATCHES
    caveat: str = ""
    why: str = "existing grants were not read"


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
    return _inherited_state(permission, grants.inherited.get(permission.resource))


def _inherited_state(permission: Permission, inherited: Inherited | None) -> GrantState:
    """Whether an agent identity inherits a permission that it was not granted itself."""
    name = permission.value.lower()
    if inherited and name in inherited.sure:
        return GrantState(Truth.TRUE, Reason.GRANTED_TENANT_WIDE, inherited.why.why)
    if inherited and permission.is_openid and inherited.sure:
        return GrantState(Truth.TRUE, Reason.COVERED_BY_OTHER_GRANT, inherited.why.why)
    if inherited and (inherited.perhaps is None or name in inherited.perhaps or permission.is_openid):
        return GrantState(Truth.UNKNOWN, Reason.NOT_READ, why=inherited.why.why)
    return GrantState(Truth.FALSE)
