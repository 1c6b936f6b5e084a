"""Rules: what a tenant should be like, and the cases that show what each rule means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.model.app import App
from auditor.model.finding import FindingOutcome, Remediation, Severity


class Check(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", rename="kebab"):
    """Base of the closed set of check kinds; a kind is a question that `judge` knows how to answer."""


class UsersCanConnect(Check, frozen=True, tag="users-can-connect"):
    """An ordinary member can connect the pack's app without an administrator."""


class ScopesUserConsentable(Check, frozen=True, tag="scopes-user-consentable"):
    """Every required scope exists on its resource and a user may be asked for it."""


class ScopesClassified(Check, frozen=True, tag="scopes-classified"):
    """Required scopes are classified `level`, where an assigned consent policy depends on that."""

    level: str = "low"


class AdminConsentCovers(Check, frozen=True, tag="admin-consent-covers"):
    """A tenant-wide grant of the app covers every required scope."""


class AppEnabled(Check, frozen=True, tag="app-enabled"):
    """Nobody switched the app off: not this tenant, not its publisher, not Microsoft."""


class AppAssignment(Check, frozen=True, tag="app-assignment"):
    """The app needs no assignment, or somebody is assigned to it."""


class PublisherVerified(Check, frozen=True, tag="publisher-verified"):
    """The app's publisher is verified, where an assigned consent policy or risk step-up depends on that."""


class UserConsentSetting(Check, frozen=True, tag="user-consent-setting"):
    """What the tenant's user consent setting is, by its name in the portal, is one of `allowed`.

    Names: ``none``, ``low``, ``recommended``, ``legacy``, ``custom``. Judged for being known, if `allowed`
    holds every name.
    """

    allowed: tuple[str, ...] = ("none", "low", "recommended", "legacy", "custom")


class ConsentWorkflow(Check, frozen=True, tag="consent-workflow"):
    """The admin consent workflow is on and its requests reach somebody."""


AnyCheck = (
    UsersCanConnect
    | ScopesUserConsentable
    | ScopesClassified
    | AdminConsentCovers
    | AppEnabled
    | AppAssignment
    | PublisherVerified
    | UserConsentSetting
    | ConsentWorkflow
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A small tenant and what the rule must say of it.

    The tenant is the sample tenant `sample`, with `set` laid over its sections (JSON merge patch, RFC 7396)
    and the sections (or ``section/part``) of `unread` taken away.
    """

    name: str
    sample: str
    expect: FindingOutcome
    set: Mapping[str, Any] = msgspec.field(default_factory=dict)
    unread: tuple[str, ...] = ()
    reason: str = ""
    """Text that the finding's reason must contain."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation; its id never changes meaning.

    `fix.portal` and `fix.link` may hold the placeholders ``{tenant-id}``, ``{client-id}``, ``{app}``,
    ``{redirect-uri}``, ``{scopes}``, ``{admin-consent-link}``, ``{portal}``. `routes` are the engine's
    fixes that mend this rule, so that a finding can offer the proven ones.
    """

    id: str
    title: str
    severity: Severity
    why: str
    check: AnyCheck
    fix: Remediation = msgspec.field(default_factory=Remediation)
    routes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    frameworks: Mapping[str, str] = msgspec.field(default_factory=dict)
    cases: tuple[Case, ...] = ()


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that belong together, and the app that they are about, if any.

    `digest` is the SHA-256 of the pack's text and of the text of every pack it extends.
    An `abstract` pack only serves others that extend it.
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
