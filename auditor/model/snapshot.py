"""A snapshot: everything that was read of one tenant, what could not be read, and who read it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

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
from auditor.model.sections import Sections

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


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one tenant at one time.

    `taken` is a UTC time as text (``2026-11-22T02:00:00Z``), the only time in a snapshot.
    `covers` limits sections that were read in part: app ids for service principals and grants, ``custom`` or role
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


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One read of Microsoft Graph.

    `address` is the path below Graph's host with its version (``/v1.0/policies/authorizationPolicy``). `status`
    is the status of the last response; none if there was no response. `rows` is the length of a list over all pages.
    `permissions` are those that allow the read, any one of them; `at` is the UTC time of the request.
    """

    section: Keyword
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
