"""The survey of a tenant's apps: which of them users can connect, what each one holds, and what an assumption changes.

``None`` means *not known*, and the row's `not_known` says why, by the name of the field. A number is never 0 because
nothing was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from auditor.model.decision import AppOwner, Confidence, Outcome, Reason
from auditor.model.prediction import PredictionComparison
from auditor.model.snapshot import Tenant

FORMAT = "consent-auditor/apps-survey"
VERSION = 1


class ScopeSource(StrEnum):
    """Where the permissions come from that the survey expects an app to ask for."""

    PACK = "pack"
    """A pack that was named."""
    CATALOGUE = "catalogue"
    GRANTS = "grants"
    REQUESTS = "requests"


class SeenIn(StrEnum):
    """Why an app is in the survey."""

    GRANTS = "grants"
    APPLICATION_PERMISSIONS = "application-permissions"
    REQUESTS = "requests"
    SIGN_INS = "sign-ins"
    """Sign-ins that failed because of consent or assignment."""
    CHOSEN = "chosen"


class ConnectState(StrEnum):
    """Whether an ordinary user can connect an app, in short."""

    STOPPED = "stopped"
    UNKNOWN = "unknown"
    CONNECTS = "connects"
    WITHOUT_USERS = "without-users"
    """The app holds application permissions only: it works without a user, so there is nothing to connect."""

    @property
    def rank(self) -> int:
        """The position in a survey: what needs attention comes first."""
        return list(ConnectState).index(self)


class Approver(StrEnum):
    """Who may approve what an app asks for."""

    APPROVED = "approved-already"
    USERS = "users"
    ADMINISTRATORS = "administrators"
    NOBODY = "nobody"
    """Something else than consent stops users."""
    UNKNOWN = "unknown"


class RiskLevel(StrEnum):
    """How much an app can do with what it holds, in this project's view."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"
    """It holds nothing."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(RiskLevel).index(self)


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Permissions of one resource (app id)."""

    resource: str
    resource_name: str
    names: tuple[str, ...]


class ConnectAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an ordinary member can connect the app.

    `because` is one sentence, `stopped_by` the same in a few words, and empty if users connect. `depends_on` are the
    facts that weren't known. `roles` are custom roles whose holders may also consent.
    """

    outcome: Outcome
    confidence: Confidence
    reason: Reason
    because: str
    approver: Approver
    stopped_by: str = ""
    code: str = ""
    roles: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """The risk of what an app holds. With `at_least`, it may be higher, because not everything was read."""

    level: RiskLevel
    because: str
    at_least: bool = False


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What an app holds: for every user, by single users (how many of them), and for itself."""

    tenant_wide: tuple[Permissions, ...] | None
    by_users: tuple[Permissions, ...] | None
    users: int | None
    application: tuple[Permissions, ...] | None
    risk: Risk | None


class AbuseMark(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of known abused apps says about an app: a tool of attackers, or a product that they also use."""

    malicious: bool
    why: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Users who were stopped: those who ask for approval now, and those whose sign-in failed.

    `codes` are the error codes of the sign-ins, `last` is the newest of them.
    """

    asking: int | None
    failed: int | None
    codes: tuple[int, ...] = ()
    last: str = ""


class Assumed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer after the assumed change.

    `stops` says whether the change stops new users. `users_keep` approved all that the app asks for earlier, and keep
    working until it asks for more. `users_with_less` approved less.
    """

    answer: ConnectAnswer
    stops: bool | None
    users_keep: int | None
    users_with_less: int | None


class SurveyedApp(msgspec.Struct, frozen=True, kw_only=True):
    """One app of the tenant.

    `pack` describes the app, if a pack does. `scopes` are what it is expected to ask for, and `scopes_from` says where
    that comes from. `last_sign_in` is a time, or empty where Microsoft has recorded none. `can_connect` is none for an
    app that works without users.
    """

    name: str
    client_id: str
    owner: AppOwner
    state: ConnectState
    can_connect: ConnectAnswer | None
    scopes: tuple[Permissions, ...]
    scopes_from: tuple[ScopeSource, ...]
    holds: Holdings
    waiting: Waiting
    seen_in: tuple[SeenIn, ...]
    in_tenant: bool | None
    enabled: bool | None
    publisher: str
    publisher_verified: bool | None
    last_sign_in: str | None
    pack: str = ""
    abused: AbuseMark | None = None
    assumed: Assumed | None = None
    not_known: Mapping[str, str] = msgspec.field(default_factory=dict)


class NotShown(msgspec.Struct, frozen=True, kw_only=True):
    """How many apps the survey doesn't show, and why.

    `without_access` hold nothing, have no request, and stopped nobody. `filtered` don't match the filters;
    `undecided` is how many of them might, because a property wasn't read.
    """

    microsoft: int = 0
    without_access: int | None = 0
    filtered: int = 0
    undecided: int = 0


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A section of the tenant that wasn't read, or not whole, and what the survey therefore doesn't know.

    `needs` are the permissions that allow the read, any one of them.
    """

    section: str
    why: str
    unknown: str
    needs: tuple[str, ...] = ()


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which apps to show. `unused_days` are the days without a sign-in; `names` are names or client ids."""

    stopped: bool = False
    unverified: bool = False
    third_party: bool = False
    unused_days: int | None = None
    names: tuple[str, ...] = ()


class SurveySummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the apps that are shown. `would_stop` counts those whose new users the assumption stops.

    `keep` counts the users of these apps who have a grant that covers everything, each user once; none if that isn't
    known of one app.
    """

    apps: int
    stopped: int
    unknown: int
    connects: int
    without_users: int
    own: int
    would_stop: int | None = None
    would_depend: int | None = None
    keep: int | None = None


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """The apps of one tenant, those that need attention first.

    `comparison` says how the decisions for the users of the logs compare with what happened; none if neither the audit
    log nor the sign-in log was read.
    """

    format: str = FORMAT
    version: int = VERSION
    tenant: Tenant
    cloud: str
    taken: str
    source: str
    tool: str
    summary: SurveySummary
    apps: tuple[SurveyedApp, ...]
    left_out: NotShown
    filters: Filters
    assumptions: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    comparison: PredictionComparison | None = None
