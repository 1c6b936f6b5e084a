"""A report: every decision, finding and grant of one tenant, ready to be printed."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.app import App
from auditor.model.decision import Decision
from auditor.model.finding import Disagreement, Finding, WaiverFileRef
from auditor.model.snapshot import Provenance, Tenant, Unread

FORMAT = "consent-auditor/report"
VERSION = 1


class UnreadPart(Unread, frozen=True, kw_only=True, omit_defaults=False):
    """Something that could not be read, by section or ``section/part``."""

    section: str


class PackRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules were applied, to the byte.

    `client_id` is that of the app that the pack is about, if it is about one.
    """

    name: str
    version: str
    digest: str
    client_id: str = ""


class PolicyRef(msgspec.Struct, frozen=True, kw_only=True):
    """A consent policy as it was when it was judged: Microsoft changes the managed ones without notice."""

    id: str
    digest: str


class ScopeDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack assumes that the app needs, against what this tenant granted to it."""

    resource: str
    resource_name: str
    assumed_not_granted: tuple[str, ...] = ()
    granted_not_assumed: tuple[str, ...] = ()


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of one app's assumed scopes with its tenant-wide grant."""

    app: str
    client_id: str
    pack: str
    differences: tuple[ScopeDifference, ...] = ()


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions for an ordinary member if all of `assumed` were so. Findings stay about the tenant as it is."""

    assumed: tuple[str, ...]
    decisions: tuple[Decision, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, and the one sentence that answers the question."""

    answer: str
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is said about a tenant. The same inputs give the same bytes.

    `granted` is none where no grants were read, `provenance` where a snapshot does not say how it came to be.
    """

    format: str = FORMAT
    version: int = VERSION
    tenant: Tenant
    summary: Summary
    cloud: str = "global"
    taken: str = ""
    tool: str = ""
    source: str = ""
    apps: tuple[App, ...] = ()
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    packs: tuple[PackRef, ...] = ()
    policies: tuple[PolicyRef, ...] = ()
    what_if: WhatIf | None = None
    granted: Granted | None = None
    provenance: Provenance | None = None
    disagreements: tuple[Disagreement, ...] = ()
    waivers: tuple[WaiverFileRef, ...] = ()


class GrantKind(StrEnum):
    """``delegated`` (an oauth2PermissionGrant: the app acts for a user), or ``application`` (app roles it holds)."""

    DELEGATED = "delegated"
    APPLICATION = "application"


class Audience(StrEnum):
    """Whom a grant covers: everybody (or the app itself), or one user."""

    TENANT = "tenant"
    USER = "user"


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """One grant of permissions on one resource to one app, in names that a person can read.

    `principal` is whose grant it is where it is one user's: a user principal name where users were read, else
    an object id.
    `client_id` is an app id, or the service principal's object id where it was not read; `publisher` is the
    verified publisher's name and `verified` whether there is one, none where that is not known. `owner` is the
    tenant that owns the app (``appOwnerOrganizationId``).
    """

    client_id: str
    client_name: str
    kind: GrantKind
    resource_id: str
    resource_name: str
    permissions: tuple[str, ...]
    audience: Audience = Audience.TENANT
    principal: str = ""
    publisher: str = ""
    verified: bool | None = None
    owner: str = ""
    enabled: bool | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The grants that were read.

    `covers` names the apps (app ids) whose grants were read, where it was not the whole directory; `whole` is
    whether the delegated grants of the whole directory were.
    """

    rows: tuple[GrantRow, ...] = ()
    whole: bool = False
    covers: tuple[str, ...] = ()
