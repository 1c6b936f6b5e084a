"""A report: all decisions, findings, waivers and grants of one tenant."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from auditor.model.decision import AfterConsent, AppRef, Confidence, Decision, Fix
from auditor.model.rule import App, FindingOutcome, Remediation, RulePlace, Setting, Severity
from auditor.model.snapshot import Provenance, Tenant, Unread

FORMAT = "consent-auditor/report"
VERSION = 1


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a waiver file.

    `rule` is a rule's id, in any pack or only in `pack`. `subject` is the name or id of the one app, permission or
    other thing that is accepted; without it, the whole rule is. `expires` is the last day on which the waiver is valid
    (``2027-03-31``).
    """

    rule: str
    reason: str
    owner: str
    expires: str
    pack: str = ""
    subject: str = ""
    ticket: str = ""
    place: RulePlace | None = None


class WaiverFile(msgspec.Struct, frozen=True, kw_only=True):
    """The waivers in a file, with the file's name and the SHA-256 of its text."""

    name: str
    digest: str
    waivers: tuple[Waiver, ...] = ()


class WaiverFileRef(msgspec.Struct, frozen=True, kw_only=True):
    """The waiver file that was applied, identified by its digest."""

    name: str
    digest: str
    count: int


class AbusedApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app that attackers are known to use, as a list of such apps describes it.

    `legitimate` products have honest users, too; every other app is malicious. `why` and `doubtful` are full sentences,
    `doubtful` says where the claim rests on little. Only consents from the day `since` on count; empty means all.
    """

    client_id: str
    name: str = ""
    legitimate: bool = False
    why: str = ""
    since: str = ""
    doubtful: str = ""
    sources: tuple[str, ...] = ()


SHIPPED_ABUSED_APPS = "abused-apps"
"""The name of the list of known abused apps that ships with the program."""
LIST_IS_OLD_AFTER = 180
"""Days after which a list of known abused apps is called old: new apps of this kind appear every month."""


class AbusedAppsList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of known abused apps, with the SHA-256 of its text, and the day on which its sources were last read."""

    name: str
    digest: str
    read: str
    apps: tuple[AbusedApp, ...] = ()


class AbusedAppsRef(msgspec.Struct, frozen=True, kw_only=True):
    """The list of known abused apps that was applied, identified by its digest.

    `days_old` is its age in days when the tenant was read, or none if the snapshot has no time.
    """

    name: str
    digest: str
    read: str
    count: int
    days_old: int | None = None

    @property
    def is_old(self) -> bool:
        """Whether the list probably lacks newer apps."""
        return self.days_old is not None and self.days_old > LIST_IS_OLD_AFTER


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A value in the snapshot that a finding is based on, and the expected value."""

    path: str
    actual: Any = None
    expected: Any = None


class FindingSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things that make a rule fail, such as an app: its name, and its id where it has one."""

    name: str
    id: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one rule. `reason` is one sentence; `fingerprint` is the same in every run.

    `setting` is what the rule is about; reports of earlier versions don't say it.

    `confidence` is likely where the outcome rests on Microsoft's documentation of something that was not read.

    `note` is the opinion of the rule's author and who disagrees, if the rule has one. `place` is the position of the
    rule in its pack, if known. If the rule is about many things and not about one setting, `subjects` are those that
    make it fail, and `unread` says why there may be more. `waivers` are those that cover the finding or some of its
    subjects.
    """

    rule: str
    pack: str
    title: str
    severity: Severity
    outcome: FindingOutcome
    reason: str
    fingerprint: str
    confidence: Confidence = Confidence.CERTAIN
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    remediation: Remediation = msgspec.field(default_factory=Remediation)
    fixes: tuple[Fix, ...] = ()
    references: tuple[str, ...] = ()
    frameworks: dict[str, str] = msgspec.field(default_factory=dict)
    note: str = ""
    place: RulePlace | None = None
    subjects: tuple[FindingSubject, ...] = ()
    unread: str = ""
    waivers: tuple[Waiver, ...] = ()
    setting: Setting | None = None

    @property
    def about(self) -> Setting:
        """The setting; a finding of an earlier version names none, and has a separate one."""
        return self.setting or Setting(id=f"{self.pack}/{self.rule}", label=self.title.rstrip("."))


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one rule in a disagreement, and whose view the rule is."""

    rule: str
    pack: str
    outcome: FindingOutcome
    view: str = ""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Rules for the same controls, some of which pass and some fail. `about` is the title of the first."""

    about: str
    stands: tuple[Stand, ...]


class UnreadPart(Unread, frozen=True, kw_only=True, omit_defaults=False):
    """Something that could not be read, by section or ``section/part``."""

    section: str


class NotCollected(msgspec.Struct, frozen=True, kw_only=True):
    """Data that rules needed and that was not requested, or only for some apps; a read that failed is an `UnreadPart`.

    `section` is a section of the snapshot or ``section/part``. Any one of `needs` allows the read. `rules` are the
    rules that are unknown without it.
    """

    section: str
    needs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class PackRef(msgspec.Struct, frozen=True, kw_only=True):
    """The pack that was evaluated, identified by its digest.

    `client_id` is the client id of the app that the pack is about, if any.
    """

    name: str
    version: str
    digest: str
    client_id: str = ""


class PolicyRef(msgspec.Struct, frozen=True, kw_only=True):
    """The digest of a consent policy at the time of the audit: Microsoft changes the managed ones without notice."""

    id: str
    digest: str


class ScopeDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The differences between the scopes that a pack assumes for its app and those that this tenant granted to it."""

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
    """The decisions for an ordinary member under all of `assumed`. Findings are always about the tenant as it is."""

    assumed: tuple[str, ...]
    decisions: tuple[Decision, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The counts, and the sentence that answers the question."""

    answer: str
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0


class StoppedUsers(msgspec.Struct, frozen=True, kw_only=True):
    """Who was stopped at one app and who waits, as far as the requests for admin consent and the logs were read.

    `sentence` says all of it, also that nobody was stopped. `users` counts the people who were stopped or wait, and
    with `at_least` there may be more; `waiting` those who wait for approval. A number is none if it isn't known, and
    `not_known` says why. `codes` are the error codes of the sign-ins, `ends` is when the first request that waits
    expires, and `reviewers` decide about the requests under the portal path `review`.
    """

    app: AppRef
    sentence: str
    users: int | None
    at_least: bool
    waiting: int | None
    first: str = ""
    last: str = ""
    codes: tuple[str, ...] = ()
    ends: str = ""
    reviewers: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    not_known: dict[str, str] = msgspec.field(default_factory=dict)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The results of an audit. The same inputs give the same bytes.

    `after_consent` says for each app and subject of the decisions what can stop the connection after consent. `stopped`
    has each app of the decisions if requests for consent or logs were read.
    `granted` is none if no grants were read, `provenance` if the snapshot doesn't say how it was made. `outside` says
    what no audit by this program covers, in full sentences. `abused_apps` are the lists of known abused apps that a
    rule or the list of grants used.
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
    after_consent: tuple[AfterConsent, ...] = ()
    stopped: tuple[StoppedUsers, ...] = ()
    findings: tuple[Finding, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    not_collected: tuple[NotCollected, ...] = ()
    packs: tuple[PackRef, ...] = ()
    policies: tuple[PolicyRef, ...] = ()
    what_if: WhatIf | None = None
    granted: Granted | None = None
    provenance: Provenance | None = None
    disagreements: tuple[Disagreement, ...] = ()
    waivers: tuple[WaiverFileRef, ...] = ()
    abused_apps: tuple[AbusedAppsRef, ...] = ()
    outside: tuple[str, ...] = ()


class GrantKind(StrEnum):
    """``delegated`` (an oauth2PermissionGrant: the app acts for a user), or ``application`` (app roles it holds)."""

    DELEGATED = "delegated"
    APPLICATION = "application"


class Audience(StrEnum):
    """Whom a grant covers: all users (or the app itself), or one user."""

    TENANT = "tenant"
    USER = "user"


class KnownAbuse(StrEnum):
    """What a list of known abused apps says about an app."""

    MALICIOUS = "malicious"
    LEGITIMATE = "legitimate"
    """A product with honest users that attackers use, too."""


UNUSED_DAYS = 90
"""Days without a sign-in after which an app is called unused."""


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A grant of permissions on one resource to one app, with readable names.

    `principal` is the user of a grant for one user: the user principal name if users were read, or else the object id.
    `client_id` is the app id, or the object id of a service principal that was not read. `publisher` is the verified
    publisher's name; `verified` says whether there is one, or is none if that isn't known. `owner` is the tenant that
    owns the app (``appOwnerOrganizationId``). `client_kind` is ``agent identity`` or ``agent identity blueprint`` for
    the kinds of app where a grant can be inherited, and empty for others. `abused` is none for an app that isn't in a
    list of known abused apps, which doesn't mean that it is safe. `last_sign_in` is the time of the app's last use,
    empty if none is recorded, and none if that isn't known; `unused` says whether it was unused for `UNUSED_DAYS` days.
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
    client_kind: str = ""
    abused: KnownAbuse | None = None
    last_sign_in: str | None = None
    unused: bool | None = None


class AlikeGrants(NamedTuple):
    """Grants of the same permissions to the same app, which differ in their users only.

    `number` says how many rows they are. `made` returns one of them without its user, and all users who have it, in the
    order of the rows. `is_abused` says whether the app is in a list of known abused apps.
    """

    kind: GrantKind
    audience: Audience
    client_id: str
    number: int
    made: Callable[[], tuple[GrantRow, list[str]]]
    is_abused: bool = False


class GrantRows(Sequence[GrantRow]):
    """The rows of a large tenant, each made when it is read: a million of them need more memory than the grants."""

    @abstractmethod
    def alike(self) -> Iterator[AlikeGrants]:
        """The rows that differ in their users only, together, in the order of the rows. No row is made for this."""


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The grants that were read.

    If they aren't those of the whole directory, `covers` lists the apps (app ids) whose grants were read. `whole` says
    whether the delegated grants of the whole directory were read. The `rows` of a large tenant are a sequence that
    makes each row when it is read, not a tuple.
    """

    rows: tuple[GrantRow, ...] = ()
    whole: bool = False
    covers: tuple[str, ...] = ()
