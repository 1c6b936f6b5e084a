"""Generated nights for the dashboard: tenants drift, runs fail, nights are missed. They are the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import msgspec

from auditor.fleet.answer import Fleet, fleet_report
from auditor.fleet.freshness import freshness
from auditor.fleet.tenant_audit import AppAnswer, TenantAudit
from auditor.model.decision import AppRef, Confidence, Outcome
from auditor.model.difference import (
    Actor,
    ActorKind,
    Change,
    ChangeKind,
    Difference,
    DifferenceSummary,
    NotCompared,
    Side,
    Since,
    Transition,
    Weight,
)
from auditor.model.fleet import FleetSource
from auditor.model.history import Run, RunDecision, RunFinding, RunState
from auditor.model.night import missed_starts
from auditor.model.report import PackRef
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.site import SiteData, SiteTenant
from auditor.model.snapshot import Tenant

TOOL = "consent-auditor 0.1.0"
LAST_NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
AT = "2026-11-22T06:00:00Z"
PACK = PackRef(name="trackerrms-uk", version="1", digest="sha256:" + "ab" * 32, client_id="11111111-aaaa")

APPS = (("TrackerRMS UK", "11111111-aaaa"), ("TrackerRMS US", "22222222-bbbb"))
NAMES = (
    *("Alder Recruitment", "Birch & Sons", "Contoso", "Dunmore Partners", "Elm Street Staffing", "Fabrikam"),
    *("Garrick Search", "Halden Group", "Inverness Talent", "Juniper Hiring", "Kestrel People", "Larkfield"),
    *("Moorgate Careers", "Northwind"),
)
ERROR = "The credential was refused (AADSTS7000215): the secret has expired."
_RULES = tuple(
    (f"RULE-{number:03}", severity, title)
    for number, (severity, title) in enumerate(
        (
            (Severity.CRITICAL, "Users can't consent to apps from unverified publishers for any permission"),
            (Severity.HIGH, "The admin consent workflow is on"),
            (Severity.HIGH, "No app has tenant-wide access to all mailboxes"),
            (Severity.MEDIUM, "Admin consent requests are reviewed by at least two people"),
            (Severity.MEDIUM, "Group owners can't consent for their groups"),
            (Severity.LOW, "Requests for consent expire within 30 days"),
            (Severity.INFO, "Every enterprise app has an owner"),
        ),
        start=1,
    )
)
_BECAUSE = {
    Outcome.USER_MAY_CONSENT: "The assigned policy microsoft-user-default-low lets users accept all the permissions",
    Outcome.NEEDS_ADMIN: "The managed policy microsoft-user-default-recommended excludes Mail.ReadWrite",
    Outcome.BLOCKED: "The enterprise application is disabled in this tenant",
    Outcome.CONNECTS_BUT_LACKS_SCOPES: "An administrator granted permissions, but not Calendars.ReadWrite",
    Outcome.DEPENDS: "The consent policies couldn't be read",
}


class Nights(NamedTuple):
    """The data of a dashboard, and the differences of the runs in which something changed, by run id."""

    data: SiteData
    differences: Mapping[str, Difference]

    def without_last_night(self) -> Nights:
        """The same, one night earlier, read a day earlier."""
        earlier = [
            msgspec.structs.replace(tenant, runs=tuple(r for r in tenant.runs if r.started < f"{LAST_NIGHT:%Y-%m-%d}"))
            for tenant in self.data.tenants
        ]
        at = f"{LAST_NIGHT - timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}"
        tenants = tuple(_with_changes(tenant, self.differences) for tenant in earlier)
        return Nights(with_fleets(msgspec.structs.replace(self.data, at=at, tenants=tenants)), self.differences)


def nights(tenants: int, number: int, seed: int = 1) -> Nights:
    """So many tenants over so many nights, up to 2026-11-22."""
    source = random.Random(seed)
    differences: dict[str, Difference] = {}
    made = tuple(_tenant(n, number, source, differences) for n in range(tenants))
    return Nights(with_fleets(SiteData(at=AT, tool=TOOL, tenants=made)), differences)


def with_fleets(data: SiteData, fewest: int = 2) -> SiteData:
    """The dashboard's data with the apps of all tenants and of each tag, as if their reports had been kept."""
    tags = {"", *(tag for one in data.tenants for tag in one.tags)}
    made = {tag: [_kept(one) for one in data.tenants if not tag or tag in one.tags] for tag in sorted(tags)}
    about = Fleet(tool=data.tool, at=data.at, source=FleetSource.HISTORY)
    fleets = {tag: fleet_report(audits, about) for tag, audits in made.items() if len(audits) >= fewest}
    return msgspec.structs.replace(data, fleets=fleets)


def _kept(tenant: SiteTenant) -> TenantAudit:
    audit = tenant.last_finished
    state, problem, _ = freshness(tenant.last, audit)
    apps = tuple(
        AppAnswer(
            app=AppRef(name=one.app, client_id=one.client_id),
            pack="",
            outcome=one.outcome,
            likely=False,
            because=one.because,
            deciding=None,
            depends_on="",
        )
        for one in (audit.decisions if audit else ())
    )
    return TenantAudit(name=tenant.key, id="", state=state, problem=problem, apps=apps)


def _tenant(n: int, number: int, source: random.Random, differences: dict[str, Difference]) -> SiteTenant:
    key = f"{n:08x}-0000-4000-8000-000000000000"
    name = NAMES[n % len(NAMES)] + (f" {n // len(NAMES) + 1}" if n >= len(NAMES) else "")
    runs: list[Run] = []
    outcomes = [source.choice((Outcome.USER_MAY_CONSENT,) * 12 + tuple(_BECAUSE)) for _ in APPS[: 1 + n % 2]]
    failing = {rule: source.random() < 0.12 for rule, _, _ in _RULES}
    since: dict[str, str] = {}
    outage = range(0)
    for night in range(number):
        at = LAST_NIGHT - timedelta(days=number - 1 - night) + timedelta(minutes=n)
        if night not in outage and source.random() < 0.006:
            outage = range(night, night + source.randint(1, 5))
        if source.random() < 0.01:
            continue
        if night in outage:
            runs.append(failed_run(key, name, at, ERROR))
            continue
        changes = list(_drift(source, outcomes, failing))
        run = _run(key, name, at, outcomes, failing, since, changes if runs else None, n)
        if changes and runs:
            differences[run.id] = _difference(key, name, runs[-1].started, run.started, changes)
        runs.append(run)
    findings = tuple(_findings(failing, since))
    tags = (("gold",), ("silver", "uk"), ())[n % 3]
    return _with_changes(SiteTenant(key=key, name=name, tags=tags, runs=tuple(runs), findings=findings), differences)


def _with_changes(tenant: SiteTenant, differences: Mapping[str, Difference]) -> SiteTenant:
    changed = tenant.last_changed
    starts = [run.started for run in tenant.runs]
    return msgspec.structs.replace(
        tenant, changes=differences.get(changed.id) if changed else None, missed=missed(starts, AT, 24)
    )


def missed(starts: Sequence[str], at: str, hours: float) -> tuple[str, ...]:
    """When a run was due and none started."""
    return tuple(time for one, other in pairwise((*starts, at)) for time in missed_starts(one, other, hours))


def _drift(source: random.Random, outcomes: list[Outcome], failing: dict[str, bool]) -> Iterator[Change]:
    for place, before in enumerate(outcomes):
        # A tenant in which users can't connect is fixed after some nights.
        if source.random() < (0.006 if before.connects else 0.06):
            others = [each for each in _BECAUSE if each is not before]
            outcomes[place] = source.choice(others) if before.connects else Outcome.USER_MAY_CONSENT
            yield decision_change(APPS[place], before, outcomes[place])
    for rule, severity, title in _RULES:
        if source.random() < (0.03 if failing[rule] else 0.003):
            failing[rule] = not failing[rule]
            yield Change(
                kind=ChangeKind.FINDING,
                key=f"finding/{rule}",
                what=title,
                transition=Transition.APPEARED if failing[rule] else Transition.FIXED,
                before={"outcome": "pass" if failing[rule] else "fail"},
                after={"outcome": "fail" if failing[rule] else "pass"},
                means="The rule now fails." if failing[rule] else "The rule no longer fails.",
                severity=severity,
            )
    if source.random() < 0.01:
        yield Change(
            kind=ChangeKind.APP,
            key="app/x",
            what="TrackerRMS UK has a new name",
            transition=Transition.CHANGED,
            before="Tracker",
            after="TrackerRMS UK",
            weight=Weight.MINOR,
        )


def decision_change(app: tuple[str, str], before: Outcome, after: Outcome) -> Change:
    return Change(
        kind=ChangeKind.DECISION,
        key=f"decision/{app[1]}/ordinary member",
        what=f"{app[0]}: {before.value} is now {after.value}",
        transition=Transition.CHANGED,
        before={"outcome": before.value},
        after={"outcome": after.value},
        means=f"{_BECAUSE[after]} (condition set 1 of microsoft-user-default-recommended).",
        since=Since(source="reads", after="2026-11-21T02:00:00Z", before="2026-11-22T02:00:00Z"),
        by=Actor(kind=ActorKind.MICROSOFT, inferred=True),
        client_id=app[1],
    )


def failed_run(key: str, name: str, at: datetime, error: str, state: RunState = RunState.FAILED) -> Run:
    started = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return Run(id=f"{key}/{started}", tenant=key, name=name, state=state, started=started, exit_code=3, error=error)


def _run(
    key: str,
    name: str,
    at: datetime,
    outcomes: Sequence[Outcome],
    failing: Mapping[str, bool],
    since: dict[str, str],
    changes: Sequence[Change] | None,
    n: int,
) -> Run:
    started = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    for rule, fails in failing.items():
        if not fails:
            since.pop(rule, None)
        else:
            since.setdefault(rule, started)
    failed = [severity for rule, severity, _ in _RULES if failing[rule]]
    minor = sum(change.weight is Weight.MINOR for change in changes or ())
    return Run(
        id=f"{key}/{started}",
        tenant=key,
        name=name,
        state=RunState.FINISHED,
        started=started,
        taken=started,
        finished=started,
        seconds=3.2,
        exit_code=1,
        decisions=tuple(
            RunDecision(
                app=APPS[place][0],
                client_id=APPS[place][1],
                outcome=outcome,
                because=_BECAUSE[outcome],
                confidence=Confidence.LIKELY if n % 7 == 5 else Confidence.CERTAIN,
            )
            for place, outcome in enumerate(outcomes)
        ),
        passed=len(_RULES) - len(failed),
        failed=len(failed),
        unknown=n % 3,
        failed_by_severity={each.value: failed.count(each) for each in Severity if each in failed},
        changes=None if changes is None else len(changes) - minor,
        minor_changes=None if changes is None else minor,
        packs=(PACK,),
        tool=TOOL,
        credential_expires="2026-12-05T00:00:00Z" if n % 11 == 3 else "",
    )


def _findings(failing: Mapping[str, bool], since: Mapping[str, str]) -> Iterator[RunFinding]:
    for rule, severity, title in _RULES:
        outcome = FindingOutcome.FAIL if failing[rule] else FindingOutcome.PASS
        yield RunFinding(
            fingerprint=f"f-{rule}",
            rule=rule,
            pack="cisa-scuba",
            title=title,
            severity=severity,
            outcome=outcome,
            since=since.get(rule, ""),
        )


def _difference(key: str, name: str, before: str, after: str, changes: Sequence[Change]) -> Difference:
    tenant = Tenant(id=key, name=name)
    found = [change for change in changes if change.kind is ChangeKind.FINDING]
    return Difference(
        before=Side(tenant=tenant, taken=before),
        after=Side(tenant=tenant, taken=after),
        changes=tuple(changes),
        not_compared=(NotCompared(section="directorySettings", why="the earlier audit didn't read it"),),
        summary=DifferenceSummary(
            new=sum(change.transition is Transition.APPEARED for change in found),
            fixed=sum(change.transition is Transition.FIXED for change in found),
            changed=sum(change.weight is Weight.MAJOR for change in changes),
        ),
    )
