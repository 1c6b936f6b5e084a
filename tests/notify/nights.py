"""Nights of a tenant named contoso, as a nightly run hands them to the notifications."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

import auditor
from auditor.model.configuration import Event, NotifyTarget, SecretKind, SecretRef, TenantEntry
from auditor.model.decision import Outcome
from auditor.model.difference import Actor, ActorKind, Change, ChangeKind, Difference, Side, Since, Transition
from auditor.model.history import Run, RunDecision, RunFinding, RunState
from auditor.model.notification import NightOfTenant
from auditor.model.report import Report
from auditor.model.rule import FindingOutcome, Severity

NOW = "2026-11-22T02:00:40Z"
ENTRY = TenantEntry(name="contoso", tenant="9ad9b9a2-5e78-454d-b065-a1c284cc4549", tags=("gold",))
REASON = "Mail.ReadWrite is excluded by the Microsoft-managed policy"


def target(name: str = "admins", *on: str, **changes: Any) -> NotifyTarget:
    """A target that hears of these events; of changes, failures, recoveries and expiries without any."""
    events = tuple(map(Event, on)) or (Event.CHANGE, Event.FAILURE, Event.RECOVERY, Event.EXPIRY)
    url = SecretRef(kind=SecretKind.ENVIRONMENT, name="NOTIFY_URL")
    return NotifyTarget(name=name, url=url, on=events, **changes)


@cache
def report(sample: str = "managed-default") -> Report:
    """The report on a sample tenant."""
    return auditor.check(auditor.sample(sample), auditor.load_packs(["trackerrms-uk"]))


def finished(sample: str = "managed-default", started: str = "2026-11-22T02:00:00Z", **changes: Any) -> Run:
    """A run that made this report."""
    made = report(sample)
    decisions = tuple(
        RunDecision(app=one.app.name, client_id=one.app.client_id, outcome=one.outcome, because=one.because)
        for one in made.decisions
    )
    whole = Run(
        id=f"run-{started}",
        tenant=made.tenant.id,
        name="contoso",
        state=RunState.FINISHED,
        started=started,
        taken=started,
        exit_code=1,
        decisions=decisions,
        passed=made.summary.passed,
        failed=made.summary.failed,
        unknown=made.summary.unknown,
        waived=made.summary.waived,
        unread=made.unread,
    )
    return msgspec.structs.replace(whole, **changes)


def failed(started: str = "2026-11-22T02:00:00Z", error: str = "The client secret has expired (AADSTS7000222)") -> Run:
    """A run that made no audit."""
    return Run(
        id=f"run-{started}",
        tenant=report().tenant.id,
        name="contoso",
        state=RunState.FAILED,
        started=started,
        exit_code=3,
        error=error,
    )


def findings(sample: str = "managed-default") -> tuple[RunFinding, ...]:
    """The findings of the run that made this report."""
    return tuple(
        RunFinding(
            fingerprint=one.fingerprint,
            rule=one.rule,
            pack=one.pack,
            title=one.title,
            severity=one.severity,
            outcome=one.outcome,
            since="2026-11-22T02:00:00Z",
        )
        for one in report(sample).findings
    )


def night(run: Run | None = None, *changes: Change, **more: Any) -> NightOfTenant:
    """A night with these changes; with no difference at all if there are none and none is given."""
    run = run or finished()
    if changes:
        more["difference"] = difference(*changes)
    if run.state is RunState.FINISHED:
        more = {"report": report(), "findings": findings(), **more}
    return NightOfTenant(entry=more.pop("entry", ENTRY), run=run, **more)


def difference(*changes: Change) -> Difference:
    """A difference with these changes."""
    side = Side(tenant=report().tenant)
    return Difference(before=side, after=side, changes=changes)


def decision(before: Outcome, after: Outcome, **changes: Any) -> Change:
    """The app's decision changed, between two reads."""
    app = report().decisions[0].app
    whole = Change(
        kind=ChangeKind.DECISION,
        key=f"decision/{app.client_id}/ordinary member",
        what=f"Whether an ordinary user can connect {app.name}",
        transition=Transition.CHANGED,
        before={"outcome": before.value},
        after={"outcome": after.value},
        means=f"Users can no longer connect {app.name}: {REASON}.",
        since=Since(source="reads", after="2026-11-21T02:00:00Z", before="2026-11-22T02:00:00Z"),
        client_id=app.client_id,
    )
    return msgspec.structs.replace(whole, **changes)


def broke(**changes: Any) -> Change:
    """Users can no longer connect the app."""
    return decision(Outcome.USER_MAY_CONSENT, Outcome.NEEDS_ADMIN, **changes)


def policy_changed() -> Change:
    """Microsoft changed the content of its policy under the same id."""
    return Change(
        kind=ChangeKind.POLICY,
        key="policy/microsoft-user-default-recommended",
        what="The content of the policy microsoft-user-default-recommended",
        transition=Transition.CHANGED,
        means=f"Users can no longer connect TrackerRMS: {REASON}.",
        since=Since(source="directory audit", at="2026-11-21T23:14:00Z"),
        by=Actor(kind=ActorKind.MICROSOFT, inferred=True),
    )


def setting_changed() -> Change:
    """An administrator turned the workflow off."""
    return Change(
        kind=ChangeKind.SETTING,
        key="setting/adminConsentWorkflow/isEnabled",
        what="The admin consent workflow",
        transition=Transition.CHANGED,
        before=True,
        after=False,
        means="Users can't request approval.",
        since=Since(source="directory audit", at="2026-11-21T15:02:00Z"),
        by=Actor(kind=ActorKind.USER, name="olga@contoso.example"),
    )


def finding(
    place: int = 0, transition: Transition = Transition.APPEARED, outcome: FindingOutcome = FindingOutcome.FAIL
) -> Change:
    """The finding at this place of the report changed."""
    one = report().findings[place]
    return Change(
        kind=ChangeKind.FINDING,
        key=f"finding/{one.fingerprint}",
        what=f"{one.rule}: {one.title}",
        transition=transition,
        after={"outcome": outcome.value},
        means=one.reason,
        severity=one.severity,
    )


def app_appeared(name: str = "Acme Mail", severity: Severity | None = None) -> Change:
    """An app is new in the tenant."""
    return Change(
        kind=ChangeKind.APP,
        key=f"app/{name}",
        what=f"The app {name}",
        transition=Transition.APPEARED,
        means="Someone added it to the tenant.",
        severity=severity,
    )
