"""The answer over many tenants: where users can connect which app, what decides it, and the one thing to send each.

A tenant that wasn't read, or whose last read failed, counts as unknown with its reason: never as blocked, and never
left out of the total. Tables refer to a tenant by `FleetTenant.name`, which no two tenants of a report share.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.decision import Outcome
from auditor.model.difference import ChangeKind, Transition
from auditor.model.rule import Severity

FORMAT = "consent-auditor/fleet"
VERSION = 1

USUAL_SHARE = 0.9
"""The share of the tenants that must have the same value before another one is an outlier."""
FEWEST_FOR_USUAL = 10
"""The fewest tenants of which the value is known, before one of them can be an outlier."""


class FleetSource(StrEnum):
    """Where the reports come from."""

    HISTORY = "history"
    """The last finished run of each tenant."""
    LIVE = "live"
    """The tenants were read for this report."""
    FILES = "files"
    """Snapshots and bundles, without any access to the tenants."""


class AppState(StrEnum):
    """Whether ordinary users of a tenant can connect an app, as a fleet counts it: what needs attention comes first.

    Each tenant counts once for each app.
    """

    BLOCKED = "blocked"
    NEEDS_ADMIN = "needs-admin"
    LACKS_SCOPES = "lacks-scopes"
    """Users can connect, but the app lacks permissions that it requires."""
    UNKNOWN = "unknown"
    """The decision depends on something that wasn't read, or there is no current audit with this app."""
    CONNECTS = "connects"

    @property
    def rank(self) -> int:
        """0 for what needs attention most."""
        return list(AppState).index(self)

    @property
    def is_known(self) -> bool:
        """Whether it's known that users can connect the app, or that they can't."""
        return self is not AppState.UNKNOWN


class AuditState(StrEnum):
    """How current the audit of a tenant is."""

    AUDITED = "audited"
    STALE = "stale"
    """The last run made no audit, or is too old. The earlier answer is shown, but counts as unknown."""
    FAILED = "failed"
    """No audit could be made, and there is no earlier one."""
    NEVER = "never"
    """No run has ended yet."""
    UNREADABLE = "unreadable"
    """The file couldn't be read."""


class StateCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tenants have each state; `tenants` is the sum of the others."""

    tenants: int = 0
    connects: int = 0
    lacks_scopes: int = 0
    needs_admin: int = 0
    blocked: int = 0
    unknown: int = 0


class FleetReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an app has this state in these tenants, by the setting that decides.

    `setting` names what decides in a few words ("the managed default excludes Mail.ReadWrite"), `key` identifies it in
    every report. `of` is the number of tenants that have the app. `example` is the reason of the first tenant, as a
    sentence.
    """

    key: str
    setting: str
    state: AppState
    tenants: tuple[str, ...]
    of: int
    example: str = ""

    @property
    def text(self) -> str:
        """``31 of 40: the managed default excludes Mail.ReadWrite``."""
        return f"{len(self.tenants)} of {self.of}: {self.setting}"


class FleetApp(StateCounts, frozen=True, kw_only=True):
    """One app in all tenants that have it in their configuration.

    `name` has the pack in brackets where several packs describe one app. `before` are the counts at the earlier date
    of the tenants that have a current audit too, none without such a tenant; `compared` says how many there are. `why`
    are the reasons for every state but ``connects``: the states in the order of `AppState`, in each the most frequent
    reason first.
    """

    key: str
    name: str
    client_id: str
    why: tuple[FleetReason, ...] = ()
    before: StateCounts | None = None
    compared: int = 0


class FleetOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One app in one tenant.

    `app` is the key of the `FleetApp`. `outcome` is that of the last audit, none without one; `state` is what the fleet
    counts, so that it's ``unknown`` for an old audit. `likely` says that the outcome isn't certain. `setting` names
    what decides and `because` is the reason, as a sentence. `before` is the state at the earlier date, none if there is
    no audit from then. `since` is the UTC time at which the present outcome was first found, empty if that isn't known.
    """

    app: str
    name: str
    client_id: str
    outcome: Outcome | None
    state: AppState
    setting: str = ""
    because: str = ""
    likely: bool = False
    before: AppState | None = None
    since: str = ""


class TodoPart(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do in one tenant. Several apps that need different things are several parts.

    `action` is the key of the `FleetAction`, `apps` are the keys of the apps that it helps. `what` is one sentence
    without a name of the tenant. `role` is the least role that can do it, `link` the address to open; each is empty if
    there is none. `proven` says whether the change was tested on a copy of the settings; without that, `what` says whom
    to ask or what to find out.
    """

    action: str
    what: str
    role: str = ""
    link: str = ""
    proven: bool = False
    apps: tuple[str, ...] = ()


class FleetTodo(msgspec.Struct, frozen=True, kw_only=True):
    """What to do in one tenant, and the message to send to whoever does it there.

    `what`, `role` and `link` are those of the first of the `parts`. `message` is plain text with its subject on the
    first line, covers all parts, and holds nothing about another tenant; it is empty unless a change is proven.
    """

    what: str
    role: str = ""
    link: str = ""
    message: str = ""
    parts: tuple[TodoPart, ...] = ()

    @property
    def subject(self) -> str:
        """The subject of the message."""
        return self.message.partition("\n")[0].removeprefix("Subject: ")


class FleetTenant(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant.

    `name` is unique in the report: of two tenants with one name, each has its id in brackets. `taken` is the UTC time
    of the read that counts, `started` that of its run. `exit_code` is that of the last run, none without one. `problem`
    is a sentence that says why there is no current audit, and `advice` what to do. `source` is the file, if the answer
    comes from one. `before` is the UTC time of the audit that it's compared with. `todo` is none if nothing needs to be
    done. `answer` is the answer of the tenant's own report. `notes` are sentences.
    """

    name: str
    id: str
    state: AuditState
    tags: tuple[str, ...] = ()
    taken: str = ""
    started: str = ""
    exit_code: int | None = None
    problem: str = ""
    advice: str = ""
    source: str = ""
    answer: str = ""
    before: str = ""
    apps: tuple[FleetOutcome, ...] = ()
    todo: FleetTodo | None = None
    notes: tuple[str, ...] = ()


class FleetAction(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do in several tenants, the one that helps most tenants first.

    `what` and `role` are those of a part of the todo of each tenant in `tenants`; the links and messages are with the
    tenants.
    """

    key: str
    what: str
    role: str
    proven: bool
    tenants: tuple[str, ...]
    apps: tuple[str, ...] = ()


class FleetChange(msgspec.Struct, frozen=True, kw_only=True):
    """Something that changed in one tenant since the earlier date.

    `app` is the key of the app for a decision; `before` and `after` are the states of the app, or outcomes of a rule.
    Other changes of settings have their values as JSON. `means` is a sentence. `worse` says whether users can do less
    or a rule started to fail, none if it isn't known or is neither better nor worse. `since` is the UTC time of the
    change if a log has it, or else of the first read that found it, and `by` who made it, if a log says it.
    """

    tenant: str
    kind: ChangeKind
    what: str
    transition: Transition
    before: str
    after: str
    app: str = ""
    means: str = ""
    worse: bool | None = None
    since: str = ""
    by: str = ""


class TenantCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one benchmark in one tenant; `failed_before` is none without an earlier audit."""

    tenant: str
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0
    failed_before: int | None = None


class FleetBenchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One rule pack in all tenants that it was evaluated for.

    `client_id` is the app that the pack is about, empty for a benchmark. `not_audited` are tenants without a current
    audit, of which an earlier audit used the pack.
    """

    pack: str
    client_id: str = ""
    versions: tuple[str, ...] = ()
    tenants: tuple[TenantCounts, ...] = ()
    not_audited: tuple[str, ...] = ()


class FleetSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting, or one kind of object, in all tenants that a rule judged, as the groups of findings in a report.

    `severity` is the worst one of the rules that fail, none if none does. `rules` are the ids of the rules about it, as
    ``pack/rule``. Each tenant is in one of `failing`, `unknown`, `waived` and `passing`, by the first of these that any
    rule about the setting has there.
    """

    id: str
    label: str
    severity: Severity | None
    rules: tuple[str, ...]
    failing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()


class OutlierTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant with a value that nearly no other tenant has."""

    tenant: str
    value: str


class FleetOutlier(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that nearly all tenants have alike (`USUAL_SHARE` of at least `FEWEST_FOR_USUAL`), and who differs.

    `usual` of the `known` tenants have the value `usual_value`. Tenants of which the value isn't known don't count.
    """

    setting: str
    label: str
    usual_value: str
    usual: int
    known: int
    tenants: tuple[OutlierTenant, ...]


class EndingKind(StrEnum):
    """What ends soon or has ended."""

    CREDENTIAL = "credential"
    """The secret or certificate with which the audit signs in."""
    RELATIONSHIP = "relationship"
    """A GDAP relationship with a customer."""
    WAIVER = "waiver"
    CONSENT_REQUEST = "consent-request"


class FleetEnding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ends within 30 days, or has ended. `days` are whole days, and negative for what has ended.

    `tenants` are several if one thing is shared, such as the credential of all. `then` is a sentence: what happens, or
    what to do before.
    """

    kind: EndingKind
    what: str
    ends: str
    days: int
    tenants: tuple[str, ...]
    then: str = ""


class NotAudited(msgspec.Struct, frozen=True, kw_only=True):
    """Why tenants, or files, have no current audit: those with the same reason together."""

    reason: str
    advice: str
    tenants: tuple[str, ...]


class FleetReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer over all tenants. The same inputs give the same bytes: every age is counted up to `at`.

    `answer` is one sentence. `source` says where the reports come from, `place` which history, configuration or files.
    `since` is the date that it's compared with; empty means each tenant's audit before the last one. `exit_code` is 0
    if users of every tenant can connect every app, 1 if somewhere they can't, 4 if neither is so, and 3 if there is no
    audit at all. `tenants` are sorted with those that need attention first. `notes` are sentences about the data, such
    as that a tenant was left out, or may be counted twice.
    """

    format: str = FORMAT
    version: int = VERSION
    tool: str
    at: str
    source: FleetSource
    place: str = ""
    since: str = ""
    answer: str
    exit_code: int
    redacted: bool = False
    apps: tuple[FleetApp, ...] = ()
    tenants: tuple[FleetTenant, ...] = ()
    actions: tuple[FleetAction, ...] = ()
    changes: tuple[FleetChange, ...] = ()
    benchmarks: tuple[FleetBenchmark, ...] = ()
    settings: tuple[FleetSetting, ...] = ()
    outliers: tuple[FleetOutlier, ...] = ()
    ending: tuple[FleetEnding, ...] = ()
    not_audited: tuple[NotAudited, ...] = ()
    notes: tuple[str, ...] = ()
