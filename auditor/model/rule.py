"""Rule packs: rules with their severities, outcomes and advice, cases that show what each rule means, and the app."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class RulePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A line in a pack's file.

    `file` is ``rules/NAME.yaml`` for a shipped pack, or else the path relative to the working directory. For a file
    outside it, only the file's name is kept, so that a report doesn't reveal anyone's home folder.
    """

    file: str
    line: int


class Severity(StrEnum):
    """How much a failing rule matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class FindingOutcome(StrEnum):
    """The outcome of a rule. Unknown is never a pass and never a fail."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASS = "pass"
    NOT_APPLICABLE = "not-applicable"

    @property
    def rank(self) -> int:
        """The position in a report: what needs attention comes first."""
        return list(FindingOutcome).index(self)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a check is about: one setting of the tenant, or one kind of object in it.

    `id` is the same in every run; for a setting of one app it ends with the app's client id. `label` is the name for
    people. `auditor.facts.ids` has the table of all.
    """

    id: str
    label: str


PLACEHOLDERS = (
    "tenant-id",
    "client-id",
    "app",
    "redirect-uri",
    "scopes",
    "admin-consent-link",
    "registered-consent-link",
    "portal",
)
"""The placeholders that the texts of a remediation can contain, in braces."""


def with_values(text: str, values: Mapping[str, str]) -> str:
    """The text with each placeholder in `values` replaced by its value."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


class PortalLink(msgspec.Struct, frozen=True, kw_only=True):
    """A page of Microsoft's portal: the path of clicks as the steps write it, and the address that opens the page."""

    path: str
    address: str


class Remediation(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule's author advises, with this tenant's values filled in.

    `portal_links` are the pages that `portal` names and that an address opens.
    """

    portal: tuple[str, ...] = ()
    portal_links: tuple[PortalLink, ...] = ()
    link: str = ""
    role: str = ""
    note: str = ""


class RequestMode(StrEnum):
    """How the app asks for permissions (Microsoft identity platform, "scopes and permissions")."""

    DYNAMIC = "dynamic"
    """Names its scopes in each request (v2.0 endpoint)."""
    DEFAULT = "default"
    """Asks for ``.default``: whatever its registration lists."""
    REGISTERED = "registered"
    """Uses the v1.0 endpoint, which also takes the list from the registration."""

    @property
    def is_static(self) -> bool:
        """Whether the request means the registered permissions rather than named scopes."""
        return self is not RequestMode.DYNAMIC


class PermissionNeed(msgspec.Struct, frozen=True, kw_only=True):
    """One permission that the app needs of one resource (app id)."""

    resource: str
    value: str
    required: bool = True
    assumed: bool = False
    source: str = ""


class ScopeNeed(PermissionNeed, frozen=True, kw_only=True):
    """A delegated permission that the app asks for, to act for the user who is signed in."""


class RoleNeed(PermissionNeed, frozen=True, kw_only=True):
    """An application permission that the app needs, to act without a user."""


class RequestFault(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake in the request itself, which Entra refuses before it asks anybody.

    `because` is a clause without a full stop. `caveat` says why it isn't certain; empty if it is.
    """

    code: str
    because: str
    caveat: str = ""


class NeededApp(msgspec.Struct, frozen=True, kw_only=True):
    """Another app that must be in the tenant before an app can be connected, such as the vendor's own API.

    `assumed` is true where the vendor doesn't say so in writing; `source` says where it comes from.
    """

    client_id: str
    name: str = ""
    assumed: bool = False
    source: str = ""

    @property
    def label(self) -> str:
        """What to call the app in a sentence."""
        return self.name or f"app {self.client_id}"


class VendorAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor advises administrators to do, and this project's judgement of it, both in full sentences."""

    says: str
    judgement: str
    source: str = ""


class ClaimSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where claims about an app come from, and the day on which that was read (ISO date; empty if not stated).

    `what` are the claims, by their keys in a pack; empty means all of them.
    """

    what: tuple[str, ...] = ()
    source: str
    read: str = ""

    @property
    def cited(self) -> str:
        """The source with its date."""
        return f"{self.source}, read on {self.read}" if self.read else self.source


class AppVariant(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which an app connects, with the scopes that it requests then, such as IMAP or EWS."""

    name: str
    title: str
    scopes: tuple[ScopeNeed, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    mode: RequestMode = RequestMode.DYNAMIC


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app as its vendor, or whoever pasted its link, describes it.

    `publisher_verified`, `owner_tenant` and `registered_before_2020_11_08` are used while the app has no service
    principal in the tenant; ``None`` means not known. `redirect_uris` are the ones this connection may use, and
    the first of them goes into an admin consent link. `also_needs` are in the order in which they must be added to the
    tenant. `default_resources` are the resources (app ids) of a request for registered permissions; empty where the
    request names none. `prompt` is the value of that parameter in the request, in lower case. `sends_no_redirect_uri`
    is true of a sign-in address that lacks one. `faults` are the mistakes in the request. `clouds` are those that
    the host of a sign-in address belongs to; empty if it isn't known.

    `category` is one of `auditor.facts.ids.app_categories`. `consent_link` is the vendor's own link for admin consent.
    `verified_publisher_id` is the partner id of the verified publisher. An app with `variants` has the scopes, the
    redirect URIs and the mode of the first one, unless another variant was chosen.
    """

    client_id: str
    name: str = ""
    redirect_uris: tuple[str, ...] = ()
    mode: RequestMode = RequestMode.DYNAMIC
    prompt_consent: bool = False
    authority: str = ""
    scopes: tuple[ScopeNeed, ...] = ()
    app_roles: tuple[RoleNeed, ...] = ()
    default_resources: tuple[str, ...] = ()
    prompt: str = ""
    sends_no_redirect_uri: bool = False
    faults: tuple[RequestFault, ...] = ()
    clouds: tuple[str, ...] = ()
    publisher_verified: bool | None = None
    owner_tenant: str | None = None
    registered_before_2020_11_08: bool | None = None
    also_needs: tuple[NeededApp, ...] = ()
    vendor_advice: tuple[VendorAdvice, ...] = ()
    vendor: str = ""
    category: str = ""
    consent_link: str = ""
    verified_publisher_id: str = ""
    variants: tuple[AppVariant, ...] = ()
    sources: tuple[ClaimSource, ...] = ()

    @property
    def label(self) -> str:
        """What to call the app in a sentence."""
        return self.name or f"app {self.client_id}"

    @property
    def required_scopes(self) -> tuple[ScopeNeed, ...]:
        """The scopes without which the app doesn't work."""
        return tuple(need for need in self.scopes if need.required)


class Check(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", rename="kebab"):
    """Base of the kinds of check: what a rule asks of a tenant. `auditor.checks` defines the kinds."""


class RuleCase(msgspec.Struct, frozen=True, kw_only=True):
    """A small tenant and the outcome that the rule must have for it.

    The tenant is the sample tenant `sample`, with `set` applied to its sections (JSON merge patch, RFC 7396)
    and the sections (or ``section/part``) in `unread` removed. The sections in `whole` count as read for the
    whole directory, where the sample covers only some apps. With `app_roles`, the pack's app requires
    these application permissions, whatever the pack says.
    """

    name: str
    sample: str
    expect: FindingOutcome
    set: Mapping[str, Any] = msgspec.field(default_factory=dict)
    unread: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    app_roles: tuple[RoleNeed, ...] | None = None
    reason: str = ""
    """Text that the finding's reason must contain."""
    evidence: tuple[str, ...] = ()
    """Texts, each of which a path of the finding's evidence must contain."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation; its id never changes meaning.

    The texts of `fix` can contain `PLACEHOLDERS`. `routes` are the engine's fixes for this rule,
    so that a finding can offer the proven ones. `view` is a note that is shown next to every finding: whose view this
    is, and who disagrees.
    """

    id: str
    title: str
    severity: Severity
    why: str
    view: str = ""
    check: Check
    fix: Remediation = msgspec.field(default_factory=Remediation)
    routes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    frameworks: Mapping[str, str] = msgspec.field(default_factory=dict)
    cases: tuple[RuleCase, ...] = ()


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that belong together, and the app that they check, if any.

    `digest` is the SHA-256 of the pack's text and of the text of every pack it extends.
    An `abstract` pack exists only for others to extend. `warnings` are the loader's warnings.
    `places` says where each rule is defined, by its id.
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
