"""The findings as OCSF events for a SIEM: Compliance Finding, one JSON object a line.

Source: Open Cybersecurity Schema Framework 1.5, class Compliance Finding (2003) with the profile ``cloud``. JSON
Lines because collectors take events one by one, and a file of them can be appended to another.
"""

from __future__ import annotations

from typing import Any

from auditor.model.finding import Finding, FindingOutcome, Severity
from auditor.model.report import PackRef, Report
from auditor.render.encoded import encoded
from auditor.render.evidence import said
from auditor.render.layout import safe
from auditor.render.moment import moment
from auditor.render.waived import waived
from auditor.render.words import click_path, flat, sentence

VERSION = "1.5.0"
CLASS, CATEGORY, CREATE = 2003, 2, 1
_SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_COMPLIANCE = {
    FindingOutcome.PASS: (1, "Pass"),
    FindingOutcome.FAIL: (3, "Fail"),
    FindingOutcome.WAIVED: (3, "Fail"),
    FindingOutcome.UNKNOWN: (0, "Unknown"),
    FindingOutcome.NOT_APPLICABLE: (99, "Not applicable"),
}
"""A waived finding fails all the same; that somebody accepted it is the status of the event."""
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_ENTRA = 6
"""Type of an account of Microsoft Entra ID."""


def render(report: Report) -> bytes:
    """One event for each finding, in the order of the report. The same report gives the same bytes."""
    packs = {pack.name: pack for pack in report.packs}
    events = (_event(finding, report, packs.get(finding.pack)) for finding in report.findings)
    return b"".join(encoded(event) + b"\n" for event in events)


def _event(finding: Finding, report: Report, pack: PackRef | None) -> dict[str, Any]:
    severity_id, severity = _SEVERITIES[finding.severity]
    status_id, status = _SUPPRESSED if finding.outcome is FindingOutcome.WAIVED else _NEW
    time = milliseconds(report.taken)
    return {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Compliance Finding: Create",
        "time": time,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": finding.outcome.value,
        "status_detail": _line(sentence(finding.reason)),
        "message": _line(f"{finding.rule}: {sentence(finding.reason)}"),
        "metadata": _metadata(report),
        "cloud": {"provider": "Microsoft Entra ID", "account": _account(report)},
        "compliance": _compliance(finding, pack),
        "finding_info": {
            "uid": f"{finding.fingerprint or finding.rule}/{_line(finding.pack)}",
            "title": _line(finding.title),
            "desc": _line(finding.note or sentence(finding.reason)),
            "created_time": time,
            "data_sources": ["Microsoft Graph"],
            "types": [finding.pack],
        },
        **_remediation(finding),
        "resources": [_resource(report, pack)],
        "unmapped": {
            "pack_sha256": pack.digest if pack else "",
            "evidence": [_line(said(one)) for one in finding.evidence],
            **({"waivers": [_line(waived(one)) for one in finding.waivers]} if finding.waivers else {}),
        },
    }


def _metadata(report: Report) -> dict[str, Any]:
    name, _, version = report.tool.rpartition(" ")
    return {
        "version": VERSION,
        "profiles": ["cloud"],
        "tenant_uid": report.tenant.id,
        "product": {
            "name": "consent-auditor",
            "vendor_name": _line(name) or "consent-auditor",
            "version": _line(version) or "unknown",
        },
    }


def _account(report: Report) -> dict[str, Any]:
    return {
        "uid": report.tenant.id,
        "name": _line(report.tenant.name) or report.tenant.id,
        "type_id": _ENTRA,
        "type": "Azure AD Account",
    }


def _compliance(finding: Finding, pack: PackRef | None) -> dict[str, Any]:
    status_id, status = _COMPLIANCE[finding.outcome]
    version = f" {pack.version}" if pack else ""
    return {
        "control": _line(finding.rule),
        "desc": _line(finding.title),
        "standards": [_line(f"{finding.pack}{version}")],
        "requirements": [_line(f"{name} {control}") for name, control in finding.frameworks.items()],
        "status_id": status_id,
        "status": status,
    }


def _remediation(finding: Finding) -> dict[str, Any]:
    advice = finding.remediation
    told = [advice.note, click_path(advice.portal), advice.role and f"Least role: {advice.role}", advice.link]
    desc = " ".join(sentence(_line(text)) for text in told if text)
    links = [url for url in finding.references if url]
    return {"remediation": {"desc": desc, "references": links}} if desc else {}


def _resource(report: Report, pack: PackRef | None) -> dict[str, Any]:
    """The app that the rule is about, else the tenant."""
    app = next((one for one in report.apps if pack and pack.client_id and one.client_id == pack.client_id), None)
    if app is None:
        return {"uid": report.tenant.id, "name": _line(report.tenant.name), "type": "Microsoft Entra tenant"}
    return {"uid": app.client_id, "name": _line(app.label), "type": "Service principal"}


def _line(text: str) -> str:
    return safe(flat(text))


def milliseconds(taken: str) -> int:
    """The time since 1970 in milliseconds; 0 for what is no time."""
    found = moment(taken)
    return int(found.timestamp() * 1000) if found else 0
