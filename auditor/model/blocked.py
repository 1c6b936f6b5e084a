"""Who was stopped and who waits: per app the people, the error codes, the requests, and what would happen now.

``None`` means *not known*, and `not_known` says why, by the name of the field. A number is never 0 because nothing was
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from auditor.model.decision import AppRef, Confidence, Fix, Outcome, Reason
from auditor.model.difference import Actor
from auditor.model.prediction import PredictionComparison
from auditor.model.rule import PortalLink
from auditor.model.snapshot import Tenant
from auditor.model.survey import AbuseMark, Permissions, ScopeSource

FORMAT = "consent-auditor/blocked"
VERSION = 1


class BlockedSource(StrEnum):
    """Where a fact comes from."""

    REQUESTS = "requests"
    """Requests for admin consent."""
    SIGN_INS = "sign-ins"
    AUDITS = "audits"
    """The directory's audit log."""


class RequestStatus(StrEnum):
    """What became of a user's request for admin consent; those that wait come first."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    DENIED = "denied"
    APPROVED = "approved"
    COMPLETED = "completed"
    """Decided, and the data doesn't say how."""

    @property
    def rank(self) -> int:
        """0 for what waits."""
        return list(RequestStatus).index(self)


class StoppedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A user who was stopped, or who waits for an approval. `first` and `last` are times of the logs and requests.

    `stopped` is none where the codes don't say whether the user was stopped: before a consent page, and after a page
    that the user left.
    """

    id: str
    name: str
    stopped: bool | None
    waits: bool
    codes: tuple[str, ...]
    first: str
    last: str


class StopCode(msgspec.Struct, frozen=True, kw_only=True):
    """An error code of the sign-in log (``AADSTS90094``): how often, for how many users, and from when to when.

    `stops` is false for the entry that is normal before a consent page, and none where the user may have cancelled.
    """

    code: str
    title: str
    stops: bool | None
    times: int
    users: int
    first: str
    last: str
    resources: tuple[str, ...] = ()


class UserRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A user's request for admin consent.

    `ends` is when it expires, and `days_left` counts whole days from the read to then; none if it doesn't wait, and if
    the length of the workflow isn't known. `soon` says that this is at most three days.
    """

    status: RequestStatus
    user: str
    user_id: str
    created: str
    ends: str = ""
    days_left: int | None = None
    soon: bool = False
    reason: str = ""
    reviewed_by: str = ""
    reviewed: str = ""
    justification: str = ""


class LoggedConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent in the audit log. `result` is ``given``, ``refused`` or ``risky-blocked``.

    `for_all` is none where the entry doesn't say whether it is for every user, `scopes` where it names none.
    """

    at: str
    result: str
    by: Actor | None
    for_all: bool | None
    scopes: tuple[str, ...] | None
    reason: str = ""
    correlation_id: str = ""


class VerdictNow(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen if the subject connected the app now.

    `would_connect` is none if that isn't known. `because` is one sentence, `stopped_by` the same in a few words, and
    `since` a clause on what changed after the last stop, where the audit log says it.
    """

    subject: str
    would_connect: bool | None
    outcome: Outcome
    confidence: Confidence
    reason: Reason
    because: str
    code: str = ""
    stopped_by: str = ""
    since: str = ""


class BlockedApp(msgspec.Struct, frozen=True, kw_only=True):
    """One app to which users were stopped.

    `users` counts the people who were stopped or wait, by all that was read; with `at_least`, there may be more.
    `unclear` counts people of whom the codes don't say whether they were stopped.
    `stopped` counts those of the sign-in log, `waiting` those with a request that waits, `refused` those whose consent
    the audit log records as refused or blocked as risky. `sentence` says all of it in one line. `scopes` are what the
    app is expected to ask for, and `scopes_from` says where that comes from. `reviewers` decide about the requests,
    under the portal path `review`. `fix` is the one with the least access. `abused` is its entry in the list of known
    abused apps; no fix is looked for that lets users connect a malicious one.
    """

    app: AppRef
    sentence: str
    now: VerdictNow
    users: int | None
    at_least: bool
    unclear: int
    stopped: int | None
    waiting: int | None
    refused: int | None
    first: str
    last: str
    people: tuple[StoppedPerson, ...] = ()
    codes: tuple[StopCode, ...] = ()
    requests: tuple[UserRequest, ...] = ()
    consents: tuple[LoggedConsent, ...] = ()
    scopes: tuple[Permissions, ...] = ()
    scopes_from: tuple[ScopeSource, ...] = ()
    pack: str = ""
    fix: Fix | None = None
    other_fixes: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    links: tuple[PortalLink, ...] = ()
    abused: AbuseMark | None = None
    not_known: Mapping[str, str] = msgspec.field(default_factory=dict)


class SourceRead(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one source: how many rows, and if it isn't all, why, what that hides, and what allows the read.

    `rows` is none if nothing was read.
    """

    source: BlockedSource
    section: str
    rows: int | None
    complete: bool
    why: str = ""
    hides: str = ""
    needs: tuple[str, ...] = ()


class BlockedFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: a user, an app, a correlation ID, and from when on (UTC time as text)."""

    user: str = ""
    app: str = ""
    correlation_id: str = ""
    since: str = ""


class BlockedSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over all apps that are shown; none for a count that depends on a source that was not read.

    `connect_now` counts the apps that users could connect now, `stopped_now` those that they can't, `unknown_now` the
    others. `ends_soon` counts the requests that expire within three days.
    """

    apps: int
    users: int | None
    at_least: bool
    waiting: int | None
    ends_soon: int | None
    connect_now: int
    stopped_now: int
    unknown_now: int


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Who was stopped and who waits in one tenant; the apps that need attention first.

    `comparison` says how the decisions for the users of the logs compare with what happened, if that was asked for.
    """

    tenant: Tenant
    cloud: str
    taken: str
    source: str
    tool: str
    asked: BlockedFilter
    summary: BlockedSummary
    apps: tuple[BlockedApp, ...]
    sources: tuple[SourceRead, ...]
    comparison: PredictionComparison | None = None
    format: str = FORMAT
    version: int = VERSION

    @property
    def is_complete(self) -> bool:
        """Whether every source was read whole."""
        return all(one.complete for one in self.sources)
