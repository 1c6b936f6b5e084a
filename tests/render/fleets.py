"""Fleets for the page, the workbook and the dashboard: many tenants with the settings of the sample tenants."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec

from auditor.fleet.answer import Fleet, fleet_report
from auditor.fleet.tenant_audit import (
    EarlierAudit,
    SharedValues,
    TenantAudit,
    app_answers,
    described,
    judged_rules,
    setting_values,
)
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.decision import Outcome
from auditor.model.fleet import AuditState, FleetReport, FleetSource, FleetTodo, TodoPart
from auditor.model.history import RunDecision
from auditor.model.notification import Expiry, ExpiryKind
from auditor.model.report import Report
from auditor.model.rule import FindingOutcome
from auditor.render.fix_view import first_thing
from auditor.render.message import message
from auditor.snapshot.samples import sample
from tests.render.nightly_runs import NAMES

AT = "2026-11-22T06:00:00Z"
ONE_APP = ("trackerrms-uk", "cisa-scuba", "eidsca")
TWO_APPS = (*ONE_APP, "trackerrms-us")
_SAMPLES = (
    *("managed-default",) * 11,
    *("low-classified", "admin-consented", "app-disabled", "low-unclassified"),
    *("custom-policy", "unreadable-policies", "admin-consented-partly", "consent-off"),
)
_REFUSED = "The credential was refused (AADSTS7000215): the secret has expired."


@cache
def audited(name: str, packs: tuple[str, ...] = ONE_APP) -> Report:
    """The report on a sample."""
    return build_report(sample(name), chosen_packs(packs), source="", tool="consent-auditor 0.1.0")


_TOOL = "consent-auditor 0.1.0"


def fleet(
    size: int, *, name: str = "{}", packs: tuple[str, ...] = ONE_APP, failed: int = 1, tool: str = _TOOL
) -> FleetReport:
    """So many tenants, the last `failed` of which could not be audited. `name` is how their names are written."""
    shared = SharedValues()
    audits = (
        _without_audit(number, name, packs) if number >= max(1, size - failed) else _audit(number, name, packs, shared)
        for number in range(size)
    )
    about = Fleet(
        tool=tool,
        at=AT,
        source=FleetSource.HISTORY,
        place="/var/lib/consent-auditor/history.db",
        notes=("Two tenants of the configuration have the same tenant ID, and are counted twice.",),
    )
    return fleet_report(audits, about)


def _named(number: int, pattern: str) -> str:
    turn = number // len(NAMES)
    return pattern.format(NAMES[number % len(NAMES)] + (f" {turn + 1}" if turn else ""))


def _key(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def _sample_of(number: int) -> str:
    return _SAMPLES[(number * 7) % len(_SAMPLES)]


def _audit(number: int, pattern: str, packs: tuple[str, ...], shared: SharedValues) -> TenantAudit:
    report = audited(_sample_of(number), packs)
    return TenantAudit(
        name=_named(number, pattern),
        id=_key(number),
        state=AuditState.AUDITED,
        tags=(("gold",), ("silver", "uk"), ())[number % 3],
        taken="2026-11-22T02:00:00Z",
        started="2026-11-22T02:00:00Z",
        exit_code=1,
        answer=report.summary.answer,
        apps=app_answers(report),
        packs=report.packs,
        rules=judged_rules(report, shared),
        values=setting_values(report, shared),
        todo=_todo(number, pattern, report),
        earlier=_earlier(number, report),
        expiries=tuple(_expiries(number)),
    )


def _without_audit(number: int, pattern: str, packs: tuple[str, ...]) -> TenantAudit:
    return TenantAudit(
        name=_named(number, pattern),
        id=_key(number),
        state=AuditState.FAILED,
        exit_code=3,
        problem=_REFUSED,
        advice="Give the app a new secret, and run the audit again.",
        asked=tuple(one.app for one in audited("managed-default", packs).decisions),
        packs=audited("managed-default", packs).packs,
    )


def _earlier(number: int, report: Report) -> EarlierAudit:
    """The night before, in which users of some tenants could connect, and one rule more failed in others."""
    decisions = tuple(
        RunDecision(
            app=one.app.name,
            client_id=one.app.client_id,
            outcome=Outcome.USER_MAY_CONSENT if number % 9 == 4 else one.outcome,
        )
        for one in report.decisions
    )
    findings = {one.fingerprint: one.outcome for one in report.findings}
    passing = [fingerprint for fingerprint, outcome in findings.items() if outcome is FindingOutcome.PASS]
    if number % 5 == 1 and passing:
        findings[passing[0]] = FindingOutcome.FAIL
    return EarlierAudit("2026-11-21T02:00:00Z", decisions, findings)


def _expiries(number: int) -> Iterator[Expiry]:
    yield Expiry(
        what="the secret of the audit's app",
        ends="2026-11-30T00:00:00Z",
        kind=ExpiryKind.CREDENTIAL,
        then="No tenant can be audited afterwards: add a new secret before.",
    )
    if number == 2:
        what, then = "the waiver of MS.AAD.5.1", "The rule counts as failing again."
        yield Expiry(what=what, ends="2026-11-20", kind=ExpiryKind.WAIVER, then=then)


def _todo(number: int, pattern: str, report: Report) -> FleetTodo | None:
    """The first thing to do for each app, and the message of the tenant's own report."""
    parts = []
    for decision in report.decisions:
        first = first_thing(report, decision)
        if decision.outcome.connects and decision.outcome is not Outcome.CONNECTS_BUT_LACKS_SCOPES:
            continue
        if first is not None and first.says:
            part = TodoPart(
                action=first.fix.route if first.fix else first.says[0],
                what=first.says[0],
                role=first.role,
                link=_of_tenant(number, first.link, report),
                proven=first.fix is not None,
                apps=(described(decision.app),),
            )
            parts.append(part)
    if not parts:
        return None
    named = msgspec.structs.replace(report.tenant, name=_named(number, pattern))
    said = message(msgspec.structs.replace(report, tenant=named)).text
    is_proven = any(part.proven for part in parts)
    return FleetTodo(
        what=parts[0].what,
        role=parts[0].role,
        link=parts[0].link,
        message=_of_tenant(number, said, report) if is_proven else "",
        parts=tuple(parts),
    )


def _of_tenant(number: int, text: str, report: Report) -> str:
    return text.replace(report.tenant.id, _key(number))
