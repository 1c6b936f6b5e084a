"""The findings and what couldn't be read, as OCSF events for a SIEM: one JSON object of Compliance Finding per line.

Source: Open Cybersecurity Schema Framework 1.5, class Compliance Finding (2003) with the profile ``cloud``. The
format is JSON Lines because collectors take events one by one, and files of them can be joined.
"""

from __future__ import annotations

from typing import Any

from auditor.model.document import parse_time, sentence
from auditor.model.report import Finding, PackRef, Report, UnreadPart
from auditor.model.rule import FindingOutcome, Severity
from auditor.render.labels import click_path, encoded, flat, plain_sentence, unread_text
from auditor.render.report_view import evidence_text, waiver_sentence
from auditor.render.text_layout import safe

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
    FindingOutcome.UNKNOWN: (2, "Warning"),
    FindingOutcome.NOT_APPLICABLE: (99, "Not applicable"),
}
"""A waived finding still fails; the status of the event says that it's accepted. OCSF defines Warning as "did not
yield a result due to missing information"."""
_NOT_READ = "not-read"
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_ENTRA = 6
"""The account type of Microsoft Entra ID."""


def render(report: Report) -> bytes:
    """One event for each finding, in the order of the report, then one for each part that couldn't be read.

    The same report gives the same bytes.
    """
    packs = {pack.name: pack for pack in report.packs}
    events = [_event(finding, report, packs.get(finding.pack)) for finding in report.findings]
    events += [_unread_event(part, report) for part in report.unread]
    return b"".join(encoded(event) + b"\n" for event in events)


def _event(finding: Finding, report: Report, pack: PackRef | None) -> dict[str, Any]:
    unknown = finding.outcome is FindingOutcome.UNKNOWN
    status_id, status = _SUPPRESSED if finding.outcome is FindingOutcome.WAIVED else _NEW
    severity_id, severity = _SEVERITIES[finding.severity]
    message = _line(f"{'Unknown: ' if unknown else ''}{plain_sentence(finding.reason)}")
    return {
        **_frame(report),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": finding.outcome.value,
        "status_detail": message,
        "message": _line(f"{finding.rule}: {message}"),
        "compliance": _compliance(finding, pack),
        "finding_info": {
            "uid": f"{finding.fingerprint or finding.rule}/{_line(finding.pack)}",
            "title": _line(finding.title),
            "desc": _line(finding.note or plain_sentence(finding.reason)),
            **_seen(report),
            "types": [finding.pack],
        },
        **_remediation(finding),
        "resources": [_resource(report, pack)],
        "unmapped": {
            "pack_sha256": pack.digest if pack else "",
            "confidence": finding.confidence.value,
            "evidence": [_line(evidence_text(one)) for one in finding.evidence],
            **({"waivers": [_line(waiver_sentence(one)) for one in finding.waivers]} if finding.waivers else {}),
            **({"not_read": [_not_read(part) for part in report.unread]} if unknown and report.unread else {}),
        },
    }


def _unread_event(part: UnreadPart, report: Report) -> dict[str, Any]:
    """Data that couldn't be read, even if no rule depends on it: a SIEM must not take silence for a pass."""
    text = unread_text(part)
    message = _line(f"{text.title} ({part.section}) couldn't be read. {text.response}")
    title = _line(f"{text.title} can be read")
    allowed = _line(text.allowed_by)
    return {
        **_frame(report),
        "severity_id": 1,
        "severity": "Informational",
        "status_id": 1,
        "status": "New",
        "status_code": _NOT_READ,
        "status_detail": message,
        "message": message,
        "compliance": {
            "control": _line(f"{_NOT_READ}/{part.section}"),
            "desc": title,
            "standards": [_line(f"{pack.name} {pack.version}") for pack in report.packs],
            "status_id": 2,
            "status": "Warning",
        },
        "finding_info": {
            "uid": _line(f"{report.tenant.id}/{_NOT_READ}/{part.section}"),
            "title": title,
            "desc": _line(text.unknown) or message,
            **_seen(report),
            "types": [_NOT_READ],
        },
        **({"remediation": {"desc": f"Allowed by: {allowed}", "references": []}} if allowed else {}),
        "resources": [_resource(report, None)],
        "unmapped": {"not_read": [_not_read(part)]},
    }


def _not_read(part: UnreadPart) -> dict[str, Any]:
    return {
        "section": _line(part.section),
        "http_status": part.status,
        "code": _line(part.code),
        "message": _line(part.message),
        "request_id": _line(part.request_id),
        "allowed_by_any_of": [_line(need) for need in part.needs],
    }


def _frame(report: Report) -> dict[str, Any]:
    """What every event says. The program keeps no record, so every run creates; the uid identifies known findings."""
    return {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Compliance Finding: Create",
        "time": milliseconds(report.taken),
        "metadata": _metadata(report),
        "cloud": {"provider": "Microsoft Entra ID", "account": _account(report)},
    }


def _seen(report: Report) -> dict[str, Any]:
    """When the finding was last seen; when it was first seen isn't known."""
    time = milliseconds(report.taken)
    return {**({"last_seen_time": time} if time else {}), "data_sources": ["Microsoft Graph"]}


def _metadata(report: Report) -> dict[str, Any]:
    name, _, version = report.tool.rpartition(" ")
    return {
        "version": VERSION,
        "profiles": ["cloud"],
        "tenant_uid": report.tenant.id,
        "product": {
            "name": _line(name) or "consent-auditor",
            "vendor_name": "consent-auditor",
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
    texts = [advice.note, click_path(advice.portal), advice.role and f"Least role: {advice.role}", advice.link]
    desc = " ".join(sentence(_line(text)) for text in texts if text)
    links = [url for url in finding.references if url]
    return {"remediation": {"desc": desc, "references": links}} if desc else {}


def _resource(report: Report, pack: PackRef | None) -> dict[str, Any]:
    """The app that the rule is about, or the tenant."""
    app = next((one for one in report.apps if pack and pack.client_id and one.client_id == pack.client_id), None)
    if app is None:
        return {"uid": report.tenant.id, "name": _line(report.tenant.name), "type": "Microsoft Entra tenant"}
    return {"uid": app.client_id, "name": _line(app.label), "type": "Service principal"}


def _line(text: str) -> str:
    return safe(flat(text))


def milliseconds(taken: str) -> int:
    """The time since 1970 in milliseconds; 0 if it isn't a time."""
    at = parse_time(taken)
    return int(at.timestamp() * 1000) if at else 0
