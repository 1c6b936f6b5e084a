"""The runs of a tenant that a history keeps, as lists, dashboards, metrics and notifications read them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from auditor.model.decision import ORDINARY_SUBJECT, Confidence, Outcome, Reason, Verdict
from auditor.model.difference import Change, NotCompared
from auditor.model.report import PackRef, UnreadPart
from auditor.model.rule import FindingOutcome, Severity

FORMAT = "consent-auditor/history"
VERSION = 1
HISTORY_VARIABLE = "CONSENT_AUDITOR_HISTORY"
"""The variable that names a history: a file, or the URL of a PostgreSQL database."""
QUEUE_SCHEMA = "consent_auditor_queue"
"""The schema of a fleet's queue, in the PostgreSQL database of the history and outside its migrations."""


class RunState(StrEnum):
    """How far a run got."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    """No audit could be made: the credential, the network or the tenant."""
    INTERRUPTED = "interrupted"
    """The process ended before it could say how: a kill, a power failure. A later run found it."""


class RunDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a run. `subject` is ``ordinary member`` or a user."""

    app: str
    client_id: str
    outcome: Outcome
    confidence: Confidence = Confidence.CERTAIN
    subject: str = ORDINARY_SUBJECT
    because: str = ""


class RunFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of a run, without its evidence. `since` is the time of the first run of the present outcome."""

    fingerprint: str
    rule: str
    pack: str
    title: str
    severity: Severity
    outcome: FindingOutcome
    since: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one tenant, identified by the tenant and `started`. All times are UTC, as text.

    `tenant` is the tenant's id, or what the configuration names it if it was never read. `taken` is the time of the
    read; empty if the run failed. `error` says in one sentence why no audit was made. `changes` and `minor_changes`
    count what changed since the last finished run, none for a first one. `failed_by_severity` counts failing findings.
    `seconds` is how long the run took, and `credential_expires` the time at which the audit's own credential ends, if
    it is known.
    """

    id: str
    tenant: str
    name: str
    state: RunState
    started: str
    taken: str = ""
    finished: str = ""
    seconds: float | None = None
    exit_code: int | None = None
    error: str = ""
    decisions: tuple[RunDecision, ...] = ()
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0
    failed_by_severity: Mapping[str, int] = msgspec.field(default_factory=dict)
    changes: int | None = None
    minor_changes: int | None = None
    unread: tuple[UnreadPart, ...] = ()
    packs: tuple[PackRef, ...] = ()
    tool: str = ""
    tags: tuple[str, ...] = ()
    credential_expires: str = ""


class NewestRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one tenant that a report on many tenants needs.

    `key` is what runs are started for. `last` is the latest run that ended, however it ended, `audit` the latest one
    that made an audit, and `before` an earlier audit to compare with; each is none if there is none. `since` has, by
    client id, the start of the first of the kept audits in a row with the present outcome for an ordinary member; an
    app that packs describe in several ways isn't in it.
    """

    key: str
    tenant: str
    name: str
    last: Run | None = None
    audit: Run | None = None
    before: Run | None = None
    since: Mapping[str, str] = msgspec.field(default_factory=dict)


STOPPED_RUN = "The run was stopped before the tenant was audited"
"""The error of a run whose process was asked to end."""


def was_stopped(run: Run) -> bool:
    """Whether the process of a run was asked to end, or ended without a word, before the tenant was audited."""
    return run.state is RunState.INTERRUPTED or (run.state is RunState.FAILED and run.error == STOPPED_RUN)


KEPT_SECTIONS = (
    "organization",
    "authorizationPolicy",
    "permissionGrantPolicies",
    "adminConsentRequestPolicy",
    "directorySettings",
    "servicePrincipals",
    "absentServicePrincipals",
    "delegatedPermissionClassifications",
    "oauth2PermissionGrants",
    "appRoleAssignedTo",
    "directoryAudits",
)
"""The sections of a snapshot that a history keeps, because two nights are compared by them.

Not kept, because they are about people and nothing is compared by them: users, holders of roles, requests for consent
and sign-ins. Nor are configuration drifts: a night is compared as it was read, and the difference keeps the time.
"""


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, the latest first."""

    format: str = FORMAT
    version: int = VERSION
    runs: tuple[Run, ...] = ()


EXPORT_FORMAT = "consent-auditor/history-run"


class DecidedScope(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one requested scope, and which policy and condition set decide it."""

    resource: str
    resource_name: str
    scope: str
    verdict: Verdict
    reason: Reason
    permission_id: str | None = None
    policy: str | None = None
    condition_set: str | None = None


class ScopedDecision(RunDecision, frozen=True, kw_only=True):
    """One decision of a run, with the scopes."""

    scopes: tuple[DecidedScope, ...] = ()


class ExportedRun(Run, frozen=True, kw_only=True):
    """Everything that a history has about a run, except its report and its snapshot. One line of an export."""

    format: str = EXPORT_FORMAT
    version: int = VERSION
    decisions: tuple[ScopedDecision, ...] = ()
    findings: tuple[RunFinding, ...] = ()
    differences: tuple[Change, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that is kept until its target has accepted it.

    `id` is the same in every attempt, and the message shows it, so that a reader recognizes a repeated one. `target` is
    the name of a target of the configuration, never its address. `body` is Markdown, `text` says the same in plain
    text; the last paragraph of both is the footer. `event` is why it is sent. Messages of one target with the same
    `group` are sent as one. `attachment` is the path of a file. `attempts` counts the failed deliveries, the last one
    because of `error`.
    """

    id: str
    target: str
    tenant: str
    run: str
    created: str
    title: str
    body: str
    text: str
    event: str
    group: str = ""
    attachment: str = ""
    attempts: int = 0
    error: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said to a target about a tenant and that lasts: a failing rule, a run that fails, an expiry.

    `first` and `last` are the UTC times when it was said first and when it was last repeated. `ended` is when it was
    over; empty while it lasts. One entry for each target, tenant and `key`.
    """

    target: str
    tenant: str
    key: str
    first: str
    last: str
    ended: str = ""
