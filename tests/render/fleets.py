"""Fleets for the page, the workbook and the dashboard: tenants with the settings of the sample tenants."""

from __future__ import annotations

from functools import cache

import msgspec

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.decision import Outcome
from auditor.model.difference import Transition
from auditor.model.fleet import (
    AppState,
    AuditState,
    EndingKind,
    FleetAction,
    FleetApp,
    FleetBenchmark,
    FleetChange,
    FleetEnding,
    FleetOutcome,
    FleetOutlier,
    FleetReason,
    FleetReport,
    FleetSetting,
    FleetSource,
    FleetTenant,
    FleetTodo,
    NotAudited,
    OutlierTenant,
    StateCounts,
    TenantCounts,
)
from auditor.model.report import Report
from auditor.model.rule import FindingOutcome
from auditor.render.fix_view import first_thing
from auditor.render.message import message
from auditor.render.setting_view import setting_cards
from auditor.snapshot.samples import sample
from tests.render.nightly_runs import NAMES

_AT = "2026-11-22T06:00:00Z"
PACKS = ("trackerrms-uk", "cisa-scuba", "eidsca")
_STATES = {
    Outcome.CONNECTS_SILENTLY: AppState.CONNECTS,
    Outcome.USER_MAY_CONSENT: AppState.CONNECTS,
    Outcome.CONNECTS_BUT_LACKS_SCOPES: AppState.LACKS_SCOPES,
    Outcome.NEEDS_ADMIN: AppState.NEEDS_ADMIN,
    Outcome.BLOCKED: AppState.BLOCKED,
    Outcome.DEPENDS: AppState.UNKNOWN,
}
_SAMPLES = (
    *("managed-default",) * 12,
    "low-classified",
    "admin-consented",
    "app-disabled",
    "low-unclassified",
    "custom-policy",
    "unreadable-policies",
    "admin-consented-partly",
)


@cache
def audited(name: str) -> Report:
    return build_report(sample(name), chosen_packs(PACKS), source="", tool="consent-auditor 0.1.0")


def named(number: int) -> str:
    turn = number // len(NAMES)
    return NAMES[number % len(NAMES)] + (f" {turn + 1}" if turn else "")


def fleet(size: int, *, name: str = "{}", failed: int = 1) -> FleetReport:
    """So many tenants; `name` is how their names are written, and the last `failed` could not be audited."""
    failed = min(failed, size - 1)
    tenants = [_tenant(n, name, "" if n < size - failed else "The credential was refused.") for n in range(size)]
    order = list(AppState)
    tenants.sort(key=lambda one: (one.state is AuditState.AUDITED, order.index(one.apps[0].state)))
    app = _app(tenants)
    return FleetReport(
        tool="consent-auditor 0.1.0",
        at=_AT,
        source=FleetSource.HISTORY,
        place="/var/lib/consent-auditor/history.db",
        answer=f"Users can connect TrackerRMS UK in {app.connects} of {size} tenants; {app.needs_admin} need an"
        f" administrator, {app.blocked} are blocked and {app.unknown} are unknown.",
        exit_code=1,
        apps=(app,),
        tenants=tuple(tenants),
        actions=_actions(tenants),
        changes=tuple(_changes(tenants)),
        benchmarks=_benchmarks(tenants),
        settings=_settings(tenants),
        outliers=_outliers(tenants),
        ending=_ending(tenants),
        not_audited=_not_audited(tenants),
        notes=("Alder Recruitment and Alder Recruitment Ltd have the same tenant ID, and are counted twice.",),
    )


def _sample_of(number: int) -> str:
    return _SAMPLES[(number * 7) % len(_SAMPLES)]


def _tenant(number: int, pattern: str, error: str) -> FleetTenant:
    name = pattern.format(named(number))
    key = f"{number:08x}-0000-4000-8000-000000000000"
    report = audited(_sample_of(number))
    tenant = msgspec.structs.replace(report.tenant, id=key, name=name)
    report = msgspec.structs.replace(report, tenant=tenant)
    (decision, *_) = report.decisions
    state = AppState.UNKNOWN if error else _STATES[decision.outcome]
    outcome = FleetOutcome(
        app=decision.app.client_id,
        name="TrackerRMS UK",
        client_id=decision.app.client_id,
        outcome=None if error else decision.outcome,
        state=state,
        setting="" if error else _setting(report),
        because="" if error else decision.because,
        before=AppState.CONNECTS if number % 9 == 4 else state,
        since="2026-11-20T02:00:00Z",
    )
    return FleetTenant(
        name=name,
        id=key,
        state=AuditState.FAILED if error else AuditState.AUDITED,
        tags=(("gold",), ("silver", "uk"), ())[number % 3],
        taken="" if error else "2026-11-22T02:00:00Z",
        started="2026-11-22T02:00:00Z",
        exit_code=3 if error else 1,
        problem=error,
        advice="Give the app a new secret, and run the audit again." if error else "",
        answer=report.summary.answer,
        before="2026-11-21T02:00:00Z",
        apps=(outcome,),
        todo=None if error or state is AppState.CONNECTS else _todo(report, decision.app.client_id),
    )


def _setting(report: Report) -> str:
    return {
        Outcome.NEEDS_ADMIN: "the managed default excludes Mail.ReadWrite, Calendars.ReadWrite and 2 more",
        Outcome.BLOCKED: "the enterprise application is disabled",
        Outcome.DEPENDS: "the consent policies weren't read",
        Outcome.CONNECTS_BUT_LACKS_SCOPES: "an administrator granted only a part of the permissions",
    }.get(report.decisions[0].outcome, "")


def _todo(report: Report, app: str) -> FleetTodo:
    first, said = first_thing(report, report.decisions[0]), message(report)
    assert first is not None
    what = first.says[0].replace(report.tenant.name, "the tenant")
    return FleetTodo(
        action=what,
        what=what,
        role=first.role,
        link=first.link,
        message=said.text if first.fix else "",
        subject=said.subject if first.fix else "",
        proven=first.fix is not None,
        apps=(app,),
    )


def _app(tenants: list[FleetTenant]) -> FleetApp:
    of = [one.apps[0] for one in tenants]
    reasons = []
    for state in AppState:
        if state is AppState.CONNECTS:
            continue
        by_setting: dict[str, list[str]] = {}
        for one in tenants:
            if one.apps[0].state is state:
                by_setting.setdefault(one.apps[0].setting or "no audit could be made", []).append(one.name)
        reasons += [
            FleetReason(key=f"{state}/{setting}", setting=setting, state=state, tenants=tuple(names), of=len(of))
            for setting, names in sorted(by_setting.items(), key=lambda each: -len(each[1]))
        ]
    return FleetApp(
        key=of[0].app,
        name="TrackerRMS UK",
        client_id=of[0].client_id,
        why=tuple(reasons),
        before=_counts([one.before for one in of if one.before]),
        compared=len(of),
        **msgspec.structs.asdict(_counts([one.state for one in of])),
    )


def _counts(states: list[AppState]) -> StateCounts:
    return StateCounts(tenants=len(states), **{one.value.replace("-", "_"): states.count(one) for one in AppState})


def _actions(tenants: list[FleetTenant]) -> tuple[FleetAction, ...]:
    by_key: dict[str, list[FleetTenant]] = {}
    for one in tenants:
        if one.todo:
            by_key.setdefault(one.todo.action, []).append(one)
    made = []
    for key, found in by_key.items():
        todo = found[0].todo
        assert todo is not None
        made.append(
            FleetAction(
                key=key,
                what=todo.what,
                role=todo.role,
                proven=todo.proven,
                tenants=tuple(one.name for one in found),
                apps=todo.apps,
            )
        )
    return tuple(sorted(made, key=lambda one: -len(one.tenants)))


def _changes(tenants: list[FleetTenant]) -> list[FleetChange]:
    made = []
    for one in tenants:
        app = one.apps[0]
        if app.before and app.before is not app.state:
            made.append(
                FleetChange(
                    tenant=one.name,
                    kind="decision",
                    what=app.name,
                    transition=Transition.CHANGED,
                    before=app.before.value,
                    after=app.state.value,
                    app=app.app,
                    means="Users can no longer connect: the managed default excludes Mail.ReadWrite.",
                    worse=True,
                    since="2026-11-22T02:00:00Z",
                )
            )
    return made


def _benchmarks(tenants: list[FleetTenant]) -> tuple[FleetBenchmark, ...]:
    made = []
    for pack in PACKS[1:]:
        rows = []
        for number, one in enumerate(tenants):
            if one.state is AuditState.AUDITED:
                found = [each.outcome for each in audited(_sample_of(number)).findings if each.pack == pack]
                rows.append(
                    TenantCounts(
                        tenant=one.name,
                        passed=found.count(FindingOutcome.PASS),
                        failed=found.count(FindingOutcome.FAIL),
                        unknown=found.count(FindingOutcome.UNKNOWN),
                        not_applicable=found.count(FindingOutcome.NOT_APPLICABLE),
                        failed_before=found.count(FindingOutcome.FAIL) + number % 2,
                    )
                )
        missing = tuple(one.name for one in tenants if one.state is not AuditState.AUDITED)
        made.append(FleetBenchmark(pack=pack, title=pack.upper(), tenants=tuple(rows), not_audited=missing))
    return tuple(made)


def _settings(tenants: list[FleetTenant]) -> tuple[FleetSetting, ...]:
    found: dict[str, dict[FindingOutcome, list[str]]] = {}
    about = {}
    for number, one in enumerate(tenants):
        if one.state is AuditState.AUDITED:
            for card in setting_cards(audited(_sample_of(number))):
                about[card.setting.id] = card
                found.setdefault(card.setting.id, {}).setdefault(card.outcome, []).append(one.name)
    made = [
        FleetSetting(
            id=key,
            label=about[key].setting.label,
            severity=about[key].severity if FindingOutcome.FAIL in by else None,
            rules=tuple(f"{chip.finding.pack}/{chip.finding.rule}" for chip in about[key].chips),
            failing=tuple(by.get(FindingOutcome.FAIL, ())),
            unknown=tuple(by.get(FindingOutcome.UNKNOWN, ())),
            waived=tuple(by.get(FindingOutcome.WAIVED, ())),
            passing=tuple(by.get(FindingOutcome.PASS, ())),
        )
        for key, by in found.items()
    ]
    return tuple(sorted(made, key=lambda one: -len(one.failing)))


def _outliers(tenants: list[FleetTenant]) -> tuple[FleetOutlier, ...]:
    if len(tenants) < 10:
        return ()
    return (
        FleetOutlier(
            setting="adminConsentWorkflow",
            label="Admin consent workflow",
            usual_value="on",
            usual=len(tenants) - 2,
            known=len(tenants) - 1,
            tenants=(OutlierTenant(tenant=tenants[3].name, value="off"),),
        ),
    )


def _ending(tenants: list[FleetTenant]) -> tuple[FleetEnding, ...]:
    every = tuple(one.name for one in tenants)
    return (
        FleetEnding(
            kind=EndingKind.CREDENTIAL,
            what="the secret of the audit's app",
            ends="2026-11-30T00:00:00Z",
            days=8,
            tenants=every,
            then="No tenant can be audited afterwards: add a new secret before.",
        ),
        FleetEnding(
            kind=EndingKind.RELATIONSHIP,
            what="GDAP relationship Support 2024",
            ends="2026-11-20T00:00:00Z",
            days=-2,
            tenants=every[:1],
            then="You no longer have the roles of this relationship.",
        ),
    )


def _not_audited(tenants: list[FleetTenant]) -> tuple[NotAudited, ...]:
    failed = tuple(one.name for one in tenants if one.state is not AuditState.AUDITED)
    if not failed:
        return ()
    return (
        NotAudited(
            reason="The credential was refused.",
            advice="Give the app a new secret, and run the audit again.",
            tenants=failed,
        ),
    )
