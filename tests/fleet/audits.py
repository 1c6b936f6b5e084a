"""Audits of invented tenants, from the few things that a test is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.consent.deciding_setting import DecidingSetting
from auditor.fleet.answer import Fleet, fleet_report
from auditor.fleet.tenant_audit import AppAnswer, EarlierAudit, JudgedRule, JudgedValue, TenantAudit
from auditor.model.decision import AppRef, Outcome, Reason
from auditor.model.fleet import AuditState, FleetReport, FleetSource
from auditor.model.history import RunDecision
from auditor.model.report import PackRef
from auditor.model.rule import FindingOutcome, Setting, Severity

AT = "2026-11-27T06:00:00Z"
APP = AppRef(name="Acme Mail", client_id="0a000000-0000-4000-8000-000000000001")
MANAGED = DecidingSetting(
    Reason.SCOPE_EXCLUDED, "microsoft-user-default-recommended", ("Mail.ReadWrite", "Contacts.ReadWrite")
)
DISABLED = DecidingSetting(Reason.APP_DISABLED_IN_TENANT)


def answer(
    outcome: Outcome,
    deciding: DecidingSetting | None = None,
    *,
    app: AppRef = APP,
    depends_on: str = "",
    pack: str = "acme",
) -> AppAnswer:
    """The decision about an app."""
    return AppAnswer(app, pack, outcome, False, f"Because of {outcome.value}.", deciding, depends_on)


def audit(name: str, *apps: AppAnswer, state: AuditState = AuditState.AUDITED, **fields: Any) -> TenantAudit:
    """The audit of a tenant that was to be asked about the app."""
    return TenantAudit(
        name=name, id=f"id-of-{name}", state=state, apps=apps, asked=fields.pop("asked", (APP,)), **fields
    )


def rule(
    outcome: FindingOutcome, name: str = "R1", setting: str = "user-consent", severity: Severity = Severity.HIGH
) -> JudgedRule:
    """The outcome of a rule of a benchmark."""
    return JudgedRule(
        "cis", name, f"Title of {name}", severity, outcome, f"fingerprint-{name}", Setting(id=setting, label=setting)
    )


def value(of: str, path: str = "authorizationPolicy.allowInvites") -> JudgedValue:
    """A value of a setting, as JSON."""
    return JudgedValue(Setting(id="user-consent", label="User consent setting"), path, of)


def earlier(outcome: Outcome | None = None, findings: Mapping[str, FindingOutcome] | None = None) -> EarlierAudit:
    """An earlier audit."""
    made = (RunDecision(app=APP.name, client_id=APP.client_id, outcome=outcome),) if outcome else ()
    return EarlierAudit("2026-11-26T02:00:00Z", made, findings or {})


CIS = PackRef(name="cis", version="1.0", digest="sha256:0")


def report(audits: Iterable[TenantAudit], **about: Any) -> FleetReport:
    """The answer over these tenants."""
    return fleet_report(audits, Fleet(tool="consent-auditor", at=AT, source=FleetSource.HISTORY, **about))
