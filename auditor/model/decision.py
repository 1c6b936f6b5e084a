"""Decisions and fixes: would consent be granted, why, what would the user see, and what would change that."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.model.rule import PortalLink

ORDINARY_SUBJECT = "ordinary member"
"""The subject of a decision that isn't about a particular user."""


class AppOwner(StrEnum):
    """Who registered an app, by ``appOwnerOrganizationId`` of its service principal."""

    THIRD_PARTY = "third-party"
    OWN = "own"
    """Registered in this tenant. Its consent policies apply to these apps as well."""
    MICROSOFT = "microsoft"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What happens when the subject connects the app."""

    CONNECTS_SILENTLY = "connects-silently"
    CONNECTS_BUT_LACKS_SCOPES = "connects-but-lacks-scopes"
    USER_MAY_CONSENT = "user-may-consent"
    NEEDS_ADMIN = "needs-admin"
    BLOCKED = "blocked"
    DEPENDS = "depends"

    @property
    def connects(self) -> bool:
        """Whether the user ends up with a working connection without an administrator."""
        return self in (Outcome.CONNECTS_SILENTLY, Outcome.USER_MAY_CONSENT)


class Confidence(StrEnum):
    """Whether everything that decided was read and is documented."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Verdict(StrEnum):
    """What would happen to one scope."""

    GRANTED = "granted"
    CONSENTABLE = "consentable"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a scope, or the whole request, got its verdict."""

    GRANTED_TENANT_WIDE = "granted-tenant-wide"
    GRANTED_TO_USER = "granted-to-user"
    COVERED_BY_OTHER_GRANT = "covered-by-other-grant"
    APPROVED_BY_POLICY = "approved-by-policy"
    SUBJECT_IS_ADMIN = "subject-is-admin"
    SCOPE_DOES_NOT_EXIST = "scope-does-not-exist"
    SCOPE_DISABLED = "scope-disabled"
    SCOPE_REQUIRES_ADMIN = "scope-requires-admin"
    SCOPE_EXCLUDED = "scope-excluded-by-policy"
    SCOPE_NOT_CLASSIFIED = "scope-not-classified"
    PUBLISHER_NOT_VERIFIED = "publisher-not-verified"
    CLIENT_NOT_LISTED = "client-not-listed"
    SCOPE_NOT_LISTED = "scope-not-listed"
    NO_POLICY_MATCHES = "no-policy-matches"
    USER_CONSENT_DISABLED = "user-consent-disabled"
    ASSIGNMENT_REQUIRED = "assignment-required"
    NOT_ASSIGNED = "not-assigned"
    RISK_STEP_UP = "risk-step-up"
    CONSENT_FORCED = "consent-forced"
    """The app sends ``prompt=consent``, and nothing else stops the user."""
    APP_DEACTIVATED = "app-deactivated"
    APP_DISABLED_BY_MICROSOFT = "app-disabled-by-microsoft"
    APP_DISABLED_IN_TENANT = "app-disabled-in-tenant"
    RESOURCE_MISSING = "resource-missing"
    RESOURCE_DISABLED = "resource-disabled"
    NEEDED_APP_MISSING = "needed-app-missing"
    REDIRECT_URI_NOT_REGISTERED = "redirect-uri-not-registered"
    REQUEST_REFUSED = "request-refused"
    CONSENT_PAGE_FORBIDDEN = "consent-page-forbidden"
    ADMIN_CONSENT_REQUESTED = "admin-consent-requested"
    NOT_READ = "not-read"
    POLICY_UNREADABLE = "policy-unreadable"
    FACT_UNKNOWN = "fact-unknown"
    GUEST_UNDOCUMENTED = "guest-undocumented"
    NOTHING_REQUESTED = "nothing-requested"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One condition set of one policy, compared with one scope: whether it matched, and which condition decided."""

    policy: str
    kind: str
    """``include`` or ``exclude``."""
    condition_set: str
    matched: str
    """``true``, ``false`` or ``unknown``."""
    why: str


class RequestedAs(StrEnum):
    """Why a scope is part of a request. Entra adds an implicit one to a first consent, without being asked."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    IMPLICIT = "implicit"


class ScopeVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one requested scope, and which policy and condition set decided it.

    `plain` is what the app can do with the scope, in words for people: what the resource itself says to users
    (``userConsentDisplayName``), or else this program's own; empty if neither is known.
    """

    resource: str
    resource_name: str
    scope: str
    verdict: Verdict
    reason: Reason
    detail: str
    permission_id: str | None = None
    policy: str | None = None
    condition_set: str | None = None
    required: bool = True
    assumed: bool = False
    implicit: bool = False
    confidence: Confidence = Confidence.CERTAIN
    steps: tuple[Step, ...] = ()
    plain: str = ""

    @property
    def requested_as(self) -> RequestedAs:
        """Whether the app requires the scope, can do without it, or doesn't request it at all."""
        if self.implicit:
            return RequestedAs.IMPLICIT
        return RequestedAs.REQUIRED if self.required else RequestedAs.OPTIONAL


class RoleState(StrEnum):
    """Whether an administrator has granted an application permission to the app."""

    GRANTED = "granted"
    NOT_GRANTED = "not-granted"
    UNKNOWN = "unknown"


class RoleVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """An application permission that the app needs, to act without a user, and whether it has it.

    `detail` is a clause. `role_id` is empty for a permission that the resource isn't known to publish. `plain` is
    what the app can do with it, as a clause; empty if that isn't known.
    """

    resource: str
    resource_name: str
    role: str
    state: RoleState
    detail: str
    role_id: str = ""
    required: bool = True
    assumed: bool = False
    plain: str = ""


class AppRef(msgspec.Struct, frozen=True, kw_only=True):
    """The app that a decision is about.

    `variant` is the name of the pack that describes it, where a report has several descriptions of one app.
    """

    name: str
    client_id: str
    variant: str = ""


class NamedUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """A fact behind consent that decides whether the app works, and that this program can't read.

    It never changes the outcome. `why` is a sentence, `verify` a command that shows the fact, and `symptom` a sentence
    on what happens where it is in the way. `scopes` are the requested scopes that it concerns.
    """

    name: str
    why: str
    verify: str
    symptom: str
    scopes: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the subject can connect the app, with every step that led to the answer.

    `because` is one sentence. `also` lists what would still block the user after the first obstacle is removed.
    `caveats` (``doubts`` in JSON) are the reasons why the confidence isn't certain; `depends_on` are the facts
    that were not known. `outcomes` are the possible outcomes if the outcome is ``depends``. `advice` says whom to
    ask for what if nothing in the tenant's consent settings can help. `users_with_grant` counts the other users who
    have a personal grant, and `works_for` says what that means for them and for new users. `app_roles` are the
    application permissions that the app needs; the outcome is about users, so it doesn't depend on them.
    `unknowns` are facts behind consent that can't be read. `vendor_says` is the vendor's advice with a judgement of it.
    """

    app: AppRef
    subject: str
    outcome: Outcome
    confidence: Confidence
    reason: Reason
    because: str
    code: str = ""
    screen: str = ""
    scopes: tuple[ScopeVerdict, ...] = ()
    app_roles: tuple[RoleVerdict, ...] = ()
    also: tuple[str, ...] = ()
    caveats: tuple[str, ...] = msgspec.field(name="doubts", default=())
    depends_on: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    users_with_grant: int | None = None
    works_for: tuple[str, ...] = ()
    unknowns: tuple[NamedUnknown, ...] = ()
    vendor_says: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def required_scopes(self) -> tuple[ScopeVerdict, ...]:
        """The scopes that the app requests and needs."""
        return self._scopes_with(RequestedAs.REQUIRED)

    @property
    def optional_scopes(self) -> tuple[ScopeVerdict, ...]:
        """The scopes that the app requests and can do without."""
        return self._scopes_with(RequestedAs.OPTIONAL)

    @property
    def added_scopes(self) -> tuple[ScopeVerdict, ...]:
        """The scopes that Entra adds to a first consent, although the app doesn't request them."""
        return self._scopes_with(RequestedAs.IMPLICIT)

    def _scopes_with(self, requested_as: RequestedAs) -> tuple[ScopeVerdict, ...]:
        return tuple(one for one in self.scopes if one.requested_as is requested_as)


class GraphRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Microsoft Graph request of a fix. This program never sends it.

    `returns` is a placeholder: later requests use it for the id in the answer to this one.
    """

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    returns: str = ""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The same change in every way that an administrator may want to make it; an empty way is not available.

    `portal_links` are the pages that the steps in the portal name and that an address opens.
    """

    portal: tuple[str, ...] = ()
    portal_links: tuple[PortalLink, ...] = ()
    powershell: str = ""
    az: str = ""
    graph: tuple[GraphRequest, ...] = ()


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome after the fix, from a second decision on the changed snapshot, and the subject of that decision.

    `applied` are the requests that were applied to the copy: those of the fix, or those that have the same effect as
    opening its link. `doubts` are facts that the proof depends on and that could not be read.
    """

    outcome: str
    confidence: str
    because: str
    subject: str = ORDINARY_SUBJECT
    applied: tuple[GraphRequest, ...] = ()
    doubts: tuple[str, ...] = ()


ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "R1": "admin consent for the whole tenant",
        "R3": "a grant of exactly these permissions",
        "R4": "a consent policy for this app only",
        "R5": "classifying the permissions, or another user consent setting",
        "R6": "assigning users to the app, or removing the assignment requirement",
        "R7": "turning sign-in to the app on again",
        "R8": "turning on the admin consent workflow",
        "R9": "another user consent setting",
        "R13": "another setting that a rule requires",
    }
)
"""The kinds of fixes, by the route that rules and reports name."""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was proven to work on this snapshot.

    `route` names the kind of fix, `key` identifies this fix among those for one decision (``R3``, ``R3-user``,
    ``R7+R3``). `link` is the address to open, if the fix has one. `opens` says what else becomes possible.
    `minutes` is how long the administrator needs, about; 0 means that nobody estimated it. `reversible` says whether
    the previous state is known, so that it can be restored exactly.
    `undo_graph` restores the exact previous values; it is empty if they are not known. `fill_in` explains the
    placeholders in the requests that the administrator replaces.
    """

    route: str
    title: str
    role: str
    steps: Steps
    verify: str
    undo: str
    proven: Proof
    link: str = ""
    opens: Mapping[str, Any] = msgspec.field(default_factory=dict)
    expect: str = ""
    key: str = ""
    undo_graph: tuple[GraphRequest, ...] = ()
    fill_in: tuple[str, ...] = ()
    minutes: int = 0
    reversible: bool = False


class Reach(StrEnum):
    """Whether a policy applies when the subject connects the app: surely, or in cases that the data doesn't decide."""

    REACHES = "reaches"
    MAY_REACH = "may-reach"


class Effect(StrEnum):
    """What a policy does where it applies.

    ``stops``: it blocks, or demands a device, an app or a strength that a vendor's server or an unmanaged device can't
    give. ``asks``: it demands what a user can give during the sign-in, such as a second factor.
    """

    STOPS = "stops"
    ASKS = "asks"
    UNKNOWN = "unknown"


class Access(StrEnum):
    """What Conditional Access does when the subject connects the app, after consent."""

    STOPS = "stops"
    MAY_STOP = "may-stop"
    ASKS = "asks"
    PASSES = "passes"
    UNKNOWN = "unknown"


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A Conditional Access policy that applies, or may apply, to the sign-in.

    `enforced` is false for a policy that only reports, and none if its state isn't known. `demand` is a clause about
    the policy (``requires a device that …``). `applies` says to whom, to what and when it applies; `depends_on` are the
    facts that weren't read and decide whether it does. `notes` are advice about it, and `codes` the
    error codes that a user sees.
    """

    id: str
    name: str
    enforced: bool | None
    reach: Reach
    effect: Effect
    demand: str
    codes: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name in quotation marks, or the id of a policy without one, if it has at least that."""
        if self.name:
            return f'"{self.name}"'
        return f"policy {self.id}" if self.id else "a policy whose name was not read"


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a license gives the user a mailbox in Exchange Online: none means unknown. `because` is a sentence."""

    licensed: bool | None
    because: str


class NotChecked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can stop the connection and that this audit can't read; `how` is a command that shows it."""

    what: str
    why: str
    how: str = ""


class AfterConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What can stop the connection of one app after consent; no decision depends on it.

    `because` is a sentence about `access`. `mailbox` is none if the app asks for no mailbox, or for no particular user.
    """

    app: AppRef
    subject: str
    access: Access
    because: str
    policies: tuple[AccessPolicy, ...] = ()
    mailbox: Mailbox | None = None
    not_checked: tuple[NotChecked, ...] = ()
