"""A report as tables of plain values, before it is known whether they become CSV or a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from auditor.model.decision import Decision
from auditor.model.finding import Finding
from auditor.model.report import Report
from auditor.render.evidence import said
from auditor.render.layout import safe
from auditor.render.moment import moment
from auditor.render.waived import waived
from auditor.render.what_if import assumed, changes, was_and_would_be
from auditor.render.words import (
    FINDINGS,
    VERDICTS,
    answer_word,
    click_path,
    code,
    count,
    counts,
    flat,
    resource,
    screen,
    sentence,
)

Value = str | int | datetime
"""Times are in UTC."""
Row = tuple[Value, ...]


class Column(NamedTuple):
    """A heading, and about how many characters its values have."""

    head: str
    width: int = 14


class Sheet(NamedTuple):
    """One table. Every value is safe to print; whether a cell could be taken for a formula is for the format."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def sheets(report: Report) -> tuple[Sheet, ...]:
    """Every table of the report, those without a row too, so that a reader finds them at the same place each time."""
    return (
        Sheet("Summary", (Column("Fact", 18), Column("Value", 90)), tuple(map(_safe, _facts(report)))),
        Sheet("Answers", _ANSWERS, tuple(_safe(_answer(decision)) for decision in report.decisions)),
        Sheet("If it were so", _SUPPOSED, tuple(map(_safe, _supposed(report)))),
        Sheet("Scopes", _SCOPES, tuple(map(_safe, _scopes(report)))),
        Sheet("Findings", _FINDINGS, tuple(_safe(_finding(finding)) for finding in report.findings)),
        Sheet("Grants", _GRANTS, tuple(map(_safe, _grants(report)))),
        Sheet("Not read", _NOT_READ, tuple(map(_safe, _not_read(report)))),
        Sheet("Calls", _CALLS, tuple(map(_safe, _calls(report)))),
    )


def _safe(row: Row) -> Row:
    return tuple(safe(flat(value)) if isinstance(value, str) else value for value in row)


def _time(taken: str) -> Value:
    """The time as a time; what is none stays as it is."""
    return moment(taken) or taken


def _facts(report: Report) -> Iterator[Row]:
    yield "Tenant", report.tenant.name
    yield "Tenant id", report.tenant.id
    yield "Cloud", report.cloud
    yield "Read at", _time(report.taken)
    yield "Source", report.source
    yield "Tool", report.tool
    yield "Answer", report.summary.answer
    yield "Rules", counts(report.summary)
    for pack in report.packs:
        yield "Pack", f"{pack.name} {pack.version}"
        yield "SHA-256 of the pack", pack.digest
    for policy in report.policies:
        yield "Consent policy", policy.id
        yield "SHA-256 of the policy", policy.digest
    for file in report.waivers:
        yield "Waiver file", f"{file.name} ({count(file.count, 'waiver')})"
        yield "SHA-256 of the file", file.digest
    for one in report.disagreements:
        yield "Benchmarks disagree", "; ".join(f"{s.rule} {FINDINGS[s.outcome][0]}" for s in one.stands)


_WHO = (Column("App", 24), Column("Client id", 38), Column("Pack", 18), Column("For", 18))
_ANSWERS = (
    *_WHO,
    Column("Answer", 24),
    Column("Outcome", 20),
    Column("Confidence", 11),
    Column("Why", 60),
    Column("User sees", 50),
    Column("Code", 13),
    Column("First fix", 50),
    Column("Link", 60),
)


def _who(decision: Decision) -> Row:
    return decision.app.name, decision.app.client_id, decision.app.variant, decision.subject


def _answer(decision: Decision) -> Row:
    fix = decision.fixes[0] if decision.fixes else None
    return (
        *_who(decision),
        answer_word(decision),
        decision.outcome.value,
        decision.confidence.value,
        sentence(decision.because),
        screen(decision),
        code(decision.code),
        fix.title if fix else "",
        fix.link if fix else "",
    )


_SUPPOSED = (
    *_WHO,
    Column("Supposed", 40),
    Column("As it is", 24),
    Column("If it were so", 24),
    Column("Why", 60),
    Column("Code", 13),
)


def _supposed(report: Report) -> Iterator[Row]:
    """The answers that were decided again, for a change that nobody made."""
    for change in changes(report):
        then = change.then
        yield *_who(then), assumed(report), *was_and_would_be(change), sentence(then.because), code(then.code)


_SCOPES = (
    *_WHO,
    Column("Resource", 18),
    Column("Scope", 26),
    Column("Needed", 10),
    Column("Verdict", 10),
    Column("Confidence", 11),
    Column("Why", 60),
    Column("Consent policy", 38),
    Column("Condition set", 38),
    Column("Permission id", 38),
    Column("Scope list", 10),
)


def _scopes(report: Report) -> Iterator[Row]:
    for decision in report.decisions:
        for scope in decision.scopes:
            yield (
                *_who(decision),
                resource(scope.resource, scope.resource_name),
                scope.scope,
                "implicit" if scope.implicit else "required" if scope.required else "optional",
                VERDICTS[scope.verdict][0],
                scope.confidence.value,
                sentence(scope.detail),
                scope.policy or "",
                scope.condition_set or "",
                scope.permission_id or "",
                "assumed" if scope.assumed else "",
            )


_FINDINGS = (
    Column("Pack", 22),
    Column("Rule", 24),
    Column("Title", 40),
    Column("Outcome", 14),
    Column("Severity", 10),
    Column("Found", 60),
    Column("Waivers", 40),
    Column("How to fix it", 60),
    Column("Portal", 50),
    Column("Link", 40),
    Column("Role", 36),
    Column("Evidence", 50),
    Column("Frameworks", 40),
    Column("Fingerprint", 38),
)


def _finding(finding: Finding) -> Row:
    advice = finding.remediation
    return (
        finding.pack,
        finding.rule,
        finding.title,
        FINDINGS[finding.outcome][0],
        finding.severity.value,
        sentence(finding.reason),
        " ".join(map(waived, finding.waivers)),
        advice.note,
        click_path(advice.portal),
        advice.link,
        advice.role,
        "; ".join(map(said, finding.evidence)),
        ", ".join(f"{name} {control}" for name, control in finding.frameworks.items()),
        finding.fingerprint,
    )


_GRANTS = (
    Column("App", 30),
    Column("Client id", 38),
    Column("Kind", 12),
    Column("Resource", 24),
    Column("Resource id", 38),
    Column("Permissions", 60),
    Column("For", 10),
    Column("User", 36),
    Column("Verified publisher", 24),
    Column("Publisher verified", 10),
    Column("Owner tenant", 38),
    Column("Enabled", 10),
)


def _grants(report: Report) -> Iterator[Row]:
    for row in report.granted.rows if report.granted else ():
        yield (
            row.client_name,
            row.client_id,
            row.kind.value,
            row.resource_name,
            row.resource_id,
            " ".join(row.permissions),
            row.audience.value,
            row.principal,
            row.publisher,
            _yes_no(row.verified),
            row.owner,
            _yes_no(row.enabled),
        )


def _yes_no(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


_NOT_READ = (
    Column("Part", 40),
    Column("Status", 8),
    Column("Code", 28),
    Column("Message", 60),
    Column("Allowed by", 40),
    Column("Request id", 38),
)


def _not_read(report: Report) -> Iterator[Row]:
    for part in report.unread:
        status = "" if part.status is None else part.status
        yield part.section, status, part.code, part.message, " or ".join(part.needs), part.request_id


_CALLS = (
    Column("Part", 34),
    Column("Address", 90),
    Column("Status", 8),
    Column("Rows", 8),
    Column("At", 22),
    Column("Permissions", 40),
)


def _calls(report: Report) -> Iterator[Row]:
    for call in report.provenance.calls if report.provenance else ():
        status = "" if call.status is None else call.status
        rows = "" if call.rows is None else call.rows
        yield call.section, call.address, status, rows, _time(call.at), " or ".join(call.permissions)
