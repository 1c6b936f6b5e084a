"""A snapshot and its tenant: how to reach it, what to read, what was read and what could not be, and the origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import overload

import msgspec

from auditor.facts.ids import NO_ID, is_guid, is_redacted_tenant
from auditor.model.document import ENDS_SOON_DAYS, days_left
from auditor.model.field_types import (
    ErrorMessage,
    GraphPath,
    Id,
    Keyword,
    NameOrId,
    PermissionNames,
    ProgramName,
    SectionPart,
    TenantName,
    Timestamp,
)
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.sections import Sections

SIGN_INS = "signIns"
"""The section that a plan can limit to some errors, to a user, or to a correlation id."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read. The cost of a plan does not depend on the size of the tenant, unless `whole` names a section.

    `sections` are read for the tenant in one small request each (`Extent.TENANT`), or are logs (`Extent.LOG`).
    `clients` and `resources` are app ids: of a client the service principal, its grants and its assignments are
    read; of a resource the service principal with its delegated scopes, and their classifications. `app_roles_of` are
    client app ids whose application permissions are needed, and `app_roles_on` resources (app ids) whose application
    permissions must be known by name. `users` are object ids or user principal names. `beta_policies` are consent
    policies whose beta-only conditions are needed. `assignments_of` are role definition ids whose holders are needed.
    `whole` are sections to read directory-wide, page by page. `log_days` is how many days of the logs to read. Sign-ins
    are read that ended in one of `log_codes`, by default in one that the table of codes marks as logged; with
    `log_user` (object id or user principal name) only those of this user, and with `log_correlation` all with this
    correlation id. A log is about the `clients`, or about all apps if it is in `whole` or there are no clients.
    """

    sections: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    app_roles_of: tuple[str, ...] = ()
    app_roles_on: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    beta_policies: tuple[str, ...] = ()
    assignments_of: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    log_days: int = 7
    log_codes: tuple[int, ...] = ()
    log_user: str = ""
    log_correlation: str = ""

    def union(self, other: Plan) -> Plan:
        """The plan that reads everything in either plan, in a stable order."""

        def both(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys((*a, *b)))

        logs = [plan for plan in (self, other) if SIGN_INS in (*plan.sections, *plan.whole)]
        users, correlations = ({getattr(plan, name) for plan in logs} for name in ("log_user", "log_correlation"))

        return Plan(
            sections=both(self.sections, other.sections),
            clients=both(self.clients, other.clients),
            resources=both(self.resources, other.resources),
            app_roles_of=both(self.app_roles_of, other.app_roles_of),
            app_roles_on=both(self.app_roles_on, other.app_roles_on),
            users=both(self.users, other.users),
            beta_policies=both(self.beta_policies, other.beta_policies),
            assignments_of=both(self.assignments_of, other.assignments_of),
            whole=both(self.whole, other.whole),
            log_days=max(self.log_days, other.log_days),
            log_codes=tuple(dict.fromkeys((*self.log_codes, *other.log_codes))),
            log_user=users.pop() if len(users) == 1 else "",
            log_correlation=correlations.pop() if len(correlations) == 1 else "",
        )

    @property
    def is_empty(self) -> bool:
        """Whether the plan reads nothing."""
        return not any(
            (
                self.sections,
                self.clients,
                self.resources,
                self.app_roles_of,
                self.app_roles_on,
                self.users,
                self.beta_policies,
                self.assignments_of,
                self.whole,
            )
        )


FORMAT = "consent-auditor/snapshot"
VERSION = 1


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant that was read."""

    id: Id
    name: TenantName = ""


class Unread(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why something could not be read, and which permissions would allow it (any one of `needs`)."""

    status: int | None = None
    code: Keyword = ""
    message: ErrorMessage = ""
    needs: tuple[PermissionNames, ...] = ()
    request_id: Id = ""

    @property
    def says_absent(self) -> bool:
        """Whether Graph said that the tenant doesn't have the object.

        A 404 with another code, or a page of a gateway with that status, says nothing about the tenant. Source:
        Microsoft Graph, error codes of directory objects.
        """
        return self.status == 404 and self.code == "Request_ResourceNotFound"

    @property
    def lacks_license(self) -> bool:
        """Whether Graph refused because the tenant has no license for it, so that no permission would help.

        Graph has a code for this, ``Authentication_RequestFromNonPremiumTenantOrB2CTenant``, and some services only a
        sentence: "Neither tenant is B2C or tenant doesn't have premium license", "Your tenant is not licensed for this
        feature". Files of earlier versions have the message of this program in another spelling.
        """
        said = self.message.lower().replace("licence", "license")
        says_so = any(words in said for words in ("premium license", "p1 or p2 license", "not licensed"))
        return "nonpremiumtenant" in self.code.lower() or (self.status == 403 and says_so)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one tenant at one time.

    `taken` is a UTC time as text (``2026-11-22T02:00:00Z``), the only time in a snapshot.
    `covers` limits sections that were read in part: app ids for service principals, grants and logs, ``custom`` or role
    and principal ids for roles, the given names or ids for users.
    `unread` is keyed by section, or by ``section/part`` if only a part failed.
    """

    tenant: Tenant
    format: ProgramName = FORMAT
    version: int = VERSION
    cloud: Keyword = "global"
    taken: Timestamp = ""
    tool: ProgramName = ""
    sections: Sections = msgspec.field(default_factory=Sections)
    covers: Mapping[SectionPart, tuple[NameOrId, ...]] = msgspec.field(default_factory=dict)
    unread: Mapping[SectionPart, Unread] = msgspec.field(default_factory=dict)
    provenance: Provenance | None = None

    @property
    def domains(self) -> frozenset[str]:
        """The verified domains of the tenant, in lower case; none if they were not read."""
        organization = self.sections.organization
        return frozenset(row.name.lower() for row in (organization.verifiedDomains if organization else ()) if row.name)

    def is_other_tenant(self, named: str) -> bool | None:
        """Whether an id or a domain is that of another tenant; ``None`` if the data doesn't say, false for no name.

        Redaction replaces ids and domains, so it doesn't say then either.
        """
        name, own = named.lower(), self.tenant.id.lower()
        if not name or name == own or name in self.domains:
            return False
        of_same_kind = {own} - {"", NO_ID} if is_guid(name) else self.domains
        is_known = bool(of_same_kind) and not any(map(is_redacted_tenant, (name, *of_same_kind)))
        return True if is_known and (is_guid(own) or not is_guid(name)) else None


class PartOfSnapshot(Snapshot, frozen=True, kw_only=True):
    """A snapshot without rows on which no answer to one question depends.

    The rows were chosen by the ids and identifier URIs that are `named`. `apps_left_out` are the app ids and object ids
    of the service principals that were left out. `grants_of` are the object ids of the apps of which every grant was
    kept; none if all grants were. All are in lower case.
    """

    named: frozenset[str]
    apps_left_out: frozenset[str] = frozenset()
    grants_of: frozenset[str] | None = None

    def lacks_grants_of(self, object_id: str) -> bool:
        """Whether grants of the app with this object id may have been left out; one that a fix creates has none."""
        return self.grants_of is not None and object_id not in self.grants_of and is_guid(object_id)

    def may_lack_address(self, name: str) -> bool:
        """Whether a service principal that was left out may have this identifier URI."""
        return bool(self.apps_left_out) and name not in self.named


def lowered(ids: Sequence[str]) -> Sequence[str]:
    """The ids in lower case, without a copy of each where all are: Graph writes them so."""
    together = "".join(ids)
    return ids if together == together.lower() else list(map(str.lower, ids))


CommonOfGrants = tuple[str, str, str, str]
"""The resource, the kind of consent, the scope and the client of grants that differ in their users only."""


class GroupedGrants(Sequence[OAuth2PermissionGrant]):
    """The delegated grants of a large tenant, as the users of those that have everything else in common.

    It takes the place of the tuple in `Sections`, whose type says how a file is decoded.

    No grant lacks anything, and each is for everybody or for one user. They are in the order of their clients, and are
    made when they are read, without an id. Only the `kept` ones, by client, have an id and are always the same objects.
    """

    def __init__(
        self,
        users: Mapping[CommonOfGrants, Sequence[str | None]],
        kept: Mapping[str, Sequence[OAuth2PermissionGrant]],
    ) -> None:
        self.users = users
        """The users of grants, in the order in which the grants were read."""
        self.by_client: Mapping[str, Sequence[OAuth2PermissionGrant]] = _ByClient(users, kept)
        """The grants by the object id of their client, as they spell it."""
        self._length = sum(map(len, users.values()))

    def __iter__(self) -> Iterator[OAuth2PermissionGrant]:
        return chain.from_iterable(self.by_client.values())

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> OAuth2PermissionGrant: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[OAuth2PermissionGrant]: ...
    def __getitem__(self, at: int | slice) -> OAuth2PermissionGrant | Sequence[OAuth2PermissionGrant]:
        return tuple(self)[at]


class _ByClient(Mapping[str, Sequence[OAuth2PermissionGrant]]):
    """The grants of each client, made when they are looked up."""

    def __init__(
        self,
        users: Mapping[CommonOfGrants, Sequence[str | None]],
        kept: Mapping[str, Sequence[OAuth2PermissionGrant]],
    ) -> None:
        self._users = users
        self._kept = kept

    @cached_property
    def _common(self) -> dict[str, list[CommonOfGrants]]:
        found: dict[str, list[CommonOfGrants]] = {}
        for common in self._users:
            found.setdefault(common[-1], []).append(common)
        return found

    def __getitem__(self, client: str) -> Sequence[OAuth2PermissionGrant]:
        return self._kept.get(client) or list(self._made(client))

    def _made(self, client: str) -> Iterator[OAuth2PermissionGrant]:
        for common in self._common[client]:
            resource, consent, scope, _ = common
            for user in self._users[common]:
                yield OAuth2PermissionGrant(
                    clientId=client, resourceId=resource, consentType=consent, scope=scope, principalId=user
                )

    def __iter__(self) -> Iterator[str]:
        return iter(self._common)

    def __len__(self) -> int:
        return len(self._common)


class LeftOut(LookupError):
    """The answer depends on a row that was left out of a `PartOfSnapshot`: read the snapshot as a whole."""


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One read of Microsoft Graph.

    `address` is the path below Graph's host with its version (``/v1.0/policies/authorizationPolicy``). `status`
    is the status of the last response; none if there was no response. `rows` is the length of a list over all pages.
    `permissions` are those that allow the read, any one of them; `at` is the UTC time of the request.
    """

    section: SectionPart
    address: GraphPath
    status: int | None = None
    rows: int | None = None
    at: Timestamp = ""
    permissions: tuple[PermissionNames, ...] = ()


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who read the tenant, and every read.

    `reader` is the app id of the credential (or of the tool with which a person signed in), `permissions` are those
    in its token. A snapshot made by hand has no provenance.
    """

    reader: Id = ""
    permissions: tuple[PermissionNames, ...] = ()
    calls: tuple[Call, ...] = ()


AUTH_METHODS = (
    "auto",
    "secret",
    "certificate",
    "workload-identity",
    "managed-identity",
    "az-cli",
    "device-code",
)
"""The values of ``--auth``. ``auto`` is the credential that the AZURE_… variables describe."""


class CredentialEnd(msgspec.Struct, frozen=True, kw_only=True):
    """When the audit's own credential ends.

    `kind` is one of `AUTH_METHODS`, resolved. `ends` is the UTC time as text (``2027-05-14T09:12:33Z``), empty if
    nothing ends or the time is not known: `certain` distinguishes these. With `ends`, `certain` is false if the
    credential may end later. `why` is a sentence about what the rest doesn't say.
    """

    kind: str
    ends: str = ""
    certain: bool = True
    why: str = ""

    @property
    def never_ends(self) -> bool:
        """Whether this way to sign in has nothing that ends."""
        return self.certain and not self.ends

    def days_left(self, now: datetime) -> int | None:
        """Whole days from `now` to the end, negative after it; none if nothing ends or the end is not known."""
        return days_left(self.ends, now)

    def needs_no_renewal(self, now: datetime) -> bool:
        """Whether it's known that it doesn't end soon."""
        days = self.days_left(now)
        return self.never_ends or (days is not None and days > ENDS_SOON_DAYS)


DEFAULT_TIMEOUT = 120
"""The time limit for all requests to Microsoft together, in seconds."""
DEFAULT_WAIT = 3600
"""The time limit, in seconds, for a run that reads the tenant until a change has arrived."""


class LiveTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant to read through Microsoft Graph.

    `tenant` is an id or a domain; empty means AZURE_TENANT_ID, or the credential's own tenant. `authority_host` and
    `graph_endpoint` replace the addresses of `cloud`, for example with those of a proxy or a test server. `timeout` is
    the limit for the whole read, in seconds, or for all reads if the run waits for a change. With `waits_as_asked`, the
    pauses that Microsoft asks for (throttling) don't count.
    """

    tenant: str = ""
    cloud: str = "global"
    auth: str = "auto"
    authority_host: str = ""
    graph_endpoint: str = ""
    timeout: float = DEFAULT_TIMEOUT
    waits_as_asked: bool = False
