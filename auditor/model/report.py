"""A report: every decision and finding about one tenant, ready to be printed."""

from __future__ import annotations

import msgspec

from auditor.model.app import App
from auditor.model.decision import Decision
from auditor.model.disagreement import Disagreement
from auditor.model.finding import Finding
from auditor.model.granted import Granted
from auditor.model.provenance import Provenance
from auditor.model.snapshot import Tenant, Unread
from auditor.model.waiver import WaiverFileRef

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
