"""What a fleet keeps of the report on one tenant, so that a thousand reports need little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from auditor.consent.deciding_setting import DecidingSetting, deciding_setting
from auditor.consent.explanation import POLICY_NAMES
from auditor.facts.ids import is_one_setting
from auditor.model.decision import ORDINARY_SUBJECT, AppRef, Confidence, Decision, Outcome
from auditor.model.difference import Change
from auditor.model.fleet import AppState, AuditState, FleetTodo
from auditor.model.history import RunDecision
from auditor.model.notification import Expiry
from auditor.model.report import Finding, PackRef, Report
from auditor.model.rule import FindingOutcome, Setting, Severity

STATES: Mapping[Outcome, AppState] = {
    Outcome.CONNECTS_SILENTLY: AppState.CONNECTS,
    Outcome.USER_MAY_CONSENT: AppState.CONNECTS,
    Outcome.CONNECTS_BUT_LACKS_SCOPES: AppState.LACKS_SCOPES,
    Outcome.NEEDS_ADMIN: AppState.NEEDS_ADMIN,
    Outcome.BLOCKED: AppState.BLOCKED,
    Outcome.DEPENDS: AppState.UNKNOWN,
}
"""Where each outcome counts. Users who can accept the permissions themselves connect; an answer that depends on
something that wasn't read is unknown."""


class AppAnswer(NamedTuple):
    """The decision about one app in one tenant.

    `variant` is the pack that describes the app, if the report has several descriptions of it; `pack` is the pack even
    then, if it's known. `depends_on` is the first fact that wasn't known, in a few words.
    """

    app: AppRef
    pack: str
    outcome: Outcome
    likely: bool
    because: str
    deciding: DecidingSetting | None
    depends_on: str

    @property
    def state(self) -> AppState:
        """Where the decision counts."""
        return STATES[self.outcome]


class JudgedRule(NamedTuple):
    """The outcome of one rule."""

    pack: str
    rule: str
    title: str
    severity: Severity
    outcome: FindingOutcome
    fingerprint: str
    setting: Setting


class JudgedValue(NamedTuple):
    """The value of one property of the tenant, as JSON, that a rule judged."""

    setting: Setting
    path: str
    value: str


class EarlierAudit(NamedTuple):
    """An earlier audit of the tenant: the UTC time of its read, its decisions, and each rule's outcome."""

    taken: str
    decisions: tuple[RunDecision, ...]
    findings: Mapping[str, FindingOutcome]


class TenantAudit(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant, and what its last audit found.

    `state` says whether the audit counts; `problem`, `advice` and `notes` are sentences, as in `FleetTenant`. `asked`
    are the apps that the tenant was to be audited for, in case there is no audit. `earlier` is the audit to compare
    with, and `changes` are the kept changes since then, the oldest first. `since` is the UTC time of the first audit
    with the present outcome, by client id. `expiries` is what ends in the tenant.
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
    apps: tuple[AppAnswer, ...] = ()
    asked: tuple[AppRef, ...] = ()
    packs: tuple[PackRef, ...] = ()
    rules: tuple[JudgedRule, ...] = ()
    values: tuple[JudgedValue, ...] = ()
    todo: FleetTodo | None = None
    earlier: EarlierAudit | None = None
    changes: tuple[Change, ...] = ()
    since: Mapping[str, str] = msgspec.field(default_factory=dict)
    expiries: tuple[Expiry, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the audit counts."""
        return self.state is AuditState.AUDITED


class SharedValues:
    """Equal texts and settings of many tenants, each kept once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._settings: dict[Setting, Setting] = {}

    def text(self, text: str) -> str:
        """The text, or the equal one that is kept."""
        return self._texts.setdefault(text, text)

    def setting(self, setting: Setting) -> Setting:
        """The setting, or the equal one that is kept."""
        return self._settings.setdefault(setting, setting)


def with_common_apps(audits: Sequence[TenantAudit]) -> tuple[TenantAudit, ...]:
    """The audits of a history without its configuration, in which nothing says what a tenant was to be audited for.

    One that was never audited counts for the apps that all others have, so that it isn't left out of their counts.
    """
    found = [{described(answer.app): answer.app for answer in one.apps} for one in audits if one.apps]
    common = tuple(app for key, app in found[0].items() if all(key in other for other in found)) if found else ()
    return tuple(
        one if one.apps or one.asked or one.is_current else msgspec.structs.replace(one, asked=common) for one in audits
    )


def described(app: AppRef) -> str:
    """How the todo of one tenant refers to an app, before the keys of all tenants are known."""
    return f"{app.client_id.lower()}/{app.variant}"


def app_answers(report: Report) -> tuple[AppAnswer, ...]:
    """The decisions for an ordinary member, each description of an app once: a named user says nothing about others."""
    packs: dict[str, list[str]] = {}
    for pack in report.packs:
        if pack.client_id:
            packs.setdefault(pack.client_id.lower(), []).append(pack.name)
    found = {
        (one.app.client_id.lower(), one.app.variant): _answer(one, packs.get(one.app.client_id.lower(), []))
        for one in report.decisions
        if one.subject == ORDINARY_SUBJECT
    }
    return tuple(found.values())


def _answer(decision: Decision, packs: list[str]) -> AppAnswer:
    return AppAnswer(
        app=decision.app,
        pack=decision.app.variant or (packs[0] if len(packs) == 1 else ""),
        outcome=decision.outcome,
        likely=decision.confidence is Confidence.LIKELY,
        because=decision.because,
        deciding=deciding_setting(decision),
        depends_on=_fact(decision.depends_on[0]) if decision.depends_on else "",
    )


def _fact(text: str) -> str:
    """A fact that isn't known, without the names in it that say nothing in another tenant.

    What couldn't be read, in parentheses, becomes the permission that is needed for it.
    """
    fact, _, why = text.partition(" (")
    needs = why.partition("(needs ")[2].partition(")")[0]
    lead, is_policy, policy = fact.partition("the contents of policy ")
    if is_policy:
        fact = f"{lead}the contents of {POLICY_NAMES.get(policy.lower(), 'a consent policy')}"
    return f"{fact} (needs {needs})" if needs else fact


def judged_rules(report: Report, shared: SharedValues) -> tuple[JudgedRule, ...]:
    """The outcome of each rule."""
    return tuple(
        JudgedRule(
            shared.text(one.pack),
            shared.text(one.rule),
            shared.text(one.title),
            one.severity,
            one.outcome,
            shared.text(one.fingerprint),
            shared.setting(one.about),
        )
        for one in report.findings
    )


def setting_values(report: Report, shared: SharedValues) -> tuple[JudgedValue, ...]:
    """The values of single settings that rules judged.

    A value of which two rules saw different parts is left out, and so is one that wasn't known.
    """
    found: dict[tuple[str, str], set[JudgedValue]] = {}
    for one in _each_value(report.findings, shared):
        found.setdefault((one.setting.id, one.path), set()).add(one)
    return tuple(values.pop() for values in found.values() if len(values) == 1)


_DECIDED = "decision."
"""The start of the path of evidence that is a decision about an app, which is compared as such."""


def _each_value(findings: Iterable[Finding], shared: SharedValues) -> Iterator[JudgedValue]:
    for finding in findings:
        if finding.outcome in (FindingOutcome.UNKNOWN, FindingOutcome.NOT_APPLICABLE) or not finding.setting:
            continue
        if not is_one_setting(finding.setting):
            continue
        paths = Counter(one.path for one in finding.evidence)
        for one in finding.evidence:
            if paths[one.path] == 1 and not one.path.startswith(_DECIDED):
                value = msgspec.json.encode(one.actual, enc_hook=_plain, order="deterministic").decode()
                yield JudgedValue(shared.setting(finding.setting), shared.text(one.path), shared.text(value))


def _plain(value: Any) -> Any:
    """What msgspec has no form for: a read-only mapping, or a sequence of a large tenant."""
    return dict(value) if isinstance(value, Mapping) else list(value)
