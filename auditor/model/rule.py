"""Rules: what a tenant should be like, and the cases that show what each rule means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.model.app import App
from auditor.model.checks import (
    AdminConsentCovers as AdminConsentCovers,
)
from auditor.model.checks import (
    AllOf as AllOf,
)
from auditor.model.checks import (
    AnyCheck as AnyCheck,
)
from auditor.model.checks import (
    AnyOf as AnyOf,
)
from auditor.model.checks import (
    AppAssignment as AppAssignment,
)
from auditor.model.checks import (
    AppEnabled as AppEnabled,
)
from auditor.model.checks import (
    AppRolesHeld as AppRolesHeld,
)
from auditor.model.checks import (
    AssignedPolicies as AssignedPolicies,
)
from auditor.model.checks import (
    Check as Check,
)
from auditor.model.checks import (
    Classifications as Classifications,
)
from auditor.model.checks import (
    ConsentWorkflow as ConsentWorkflow,
)
from auditor.model.checks import (
    Contains as Contains,
)
from auditor.model.checks import (
    Count as Count,
)
from auditor.model.checks import (
    DelegatedGrants as DelegatedGrants,
)
from auditor.model.checks import (
    DirectorySettingIs as DirectorySettingIs,
)
from auditor.model.checks import (
    Every as Every,
)
from auditor.model.checks import (
    Not as Not,
)
from auditor.model.checks import (
    PublisherVerified as PublisherVerified,
)
from auditor.model.checks import (
    ScopesClassified as ScopesClassified,
)
from auditor.model.checks import (
    ScopesUserConsentable as ScopesUserConsentable,
)
from auditor.model.checks import (
    Setting as Setting,
)
from auditor.model.checks import (
    Test as Test,
)
from auditor.model.checks import (
    UserConsentSetting as UserConsentSetting,
)
from auditor.model.checks import (
    UsersCanConnect as UsersCanConnect,
)
from auditor.model.checks import (
    UsersCanConsent as UsersCanConsent,
)
from auditor.model.checks import (
    Wording as Wording,
)
from auditor.model.finding import FindingOutcome, Remediation, RulePlace, Severity


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A small tenant and what the rule must say of it.

    The tenant is the sample tenant `sample`, with `set` laid over its sections (JSON merge patch, RFC 7396)
    and the sections (or ``section/part``) of `unread` taken away. The sections of `whole` count as read for the
    whole directory, where the sample covers some apps only.
    """

    name: str
    sample: str
    expect: FindingOutcome
    set: Mapping[str, Any] = msgspec.field(default_factory=dict)
    unread: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    reason: str = ""
    """Text that the finding's reason must contain."""
    evidence: tuple[str, ...] = ()
    """Texts, each of which a path of the finding's evidence must contain."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation; its id never changes meaning.

    `fix.portal` and `fix.link` may hold the placeholders ``{tenant-id}``, ``{client-id}``, ``{app}``,
    ``{redirect-uri}``, ``{scopes}``, ``{admin-consent-link}``, ``{portal}``. `routes` are the engine's
    fixes that mend this rule, so that a finding can offer the proven ones. `view` is what the rule's author
    wants read beside every finding: whose view this is, and who sees it otherwise.
    """

    id: str
    title: str
    severity: Severity
    why: str
    view: str = ""
    check: AnyCheck
    fix: Remediation = msgspec.field(default_factory=Remediation)
    routes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    frameworks: Mapping[str, str] = msgspec.field(default_factory=dict)
    cases: tuple[Case, ...] = ()


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that belong together, and the app that they are about, if any.

    `digest` is the SHA-256 of the pack's text and of the text of every pack it extends.
    An `abstract` pack only serves others that extend it. `warnings` is what the loader doubts and lets pass.
    `places` tells where each rule is written, by its id.
    """

    name: str
    version: str
    title: str
    about: str = ""
    extends: str = ""
    abstract: bool = False
    app: App | None = None
    rules: tuple[Rule, ...] = ()
    references: tuple[str, ...] = ()
    digest: str = ""
    origin: str = ""
    warnings: tuple[str, ...] = ()
    places: Mapping[str, RulePlace] = msgspec.field(default_factory=dict)
