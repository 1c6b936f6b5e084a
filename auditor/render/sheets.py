"""The tables of a report as plain values, which become CSV or an Excel workbook."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from auditor.model.decision import Decision
from auditor.model.document import count, parse_time
from auditor.model.report import Finding, GrantRow, GrantRows, Report, StoppedUsers
from auditor.render.after_consent_view import not_checked_text, policy_lines, stopped_lines
from auditor.render.fix_view import first_fix
from auditor.render.labels import (
    FINDINGS,
    ROLE_STATES,
    VERDICTS,
    abused_list_text,
    answer_word,
    click_path,
    counts,
    error_code,
    flat,
    not_collected_text,
    plain_sentence,
    resource_label,
    screen,
    unread_text,
)
from auditor.render.report_view import assumptions, evidence_text, waiver_sentence, what_if_answers
from auditor.render.setting_view import failure_counts, setting_label
from auditor.render.text_layout import safe

SheetValue = str | int | datetime
"""Times are in UTC."""
SheetRow = tuple[SheetValue, ...]


class SheetColumn(NamedTuple):
    """A heading, and about how many characters the values have.

    A long text that doesn't set the height of its row, such as a message, isn't wrapped.
    """

    head: str
    width: int = 14
    sets_height: bool = True


class Sheet(NamedTuple):
    """One table, and the name of its file without the ending, where each table has its own.

    Every value is safe to print; the format must prevent that a cell is read as a formula.
    """

    name: str
    file: str
    columns: tuple[SheetColumn, ...]
    rows: Collection[SheetRow]


def sheets(report: Report) -> tuple[Sheet, ...]:
    """Every table of the report. Empty tables are included, so that readers always find a table in the same place."""
    return (
        Sheet(
            "Summary", "summary", (SheetColumn("Fact", 18), SheetColumn("Value", 90)), tuple(map(_safe, _facts(report)))
        ),
        Sheet("Answers", "decisions", _ANSWERS, tuple(_safe(_answer(decision)) for decision in report.decisions)),
        Sheet("What if", "what-if", _WHAT_IF, tuple(map(_safe, _what_if(report)))),
        Sheet("Scopes", "scopes", _SCOPES, tuple(map(_safe, _scopes(report)))),
        Sheet("Findings", "findings", _FINDINGS, tuple(_safe(_finding(finding)) for finding in report.findings)),
        Sheet("Grants", "grants", _GRANTS, _grants(report)),
        Sheet("Not read", "unread", _NOT_READ, tuple(map(_safe, _not_read(report)))),
        Sheet("Calls", "calls", _CALLS, tuple(map(_safe, _calls(report)))),
        Sheet("After consent", "after-consent", _AFTER_CONSENT, tuple(map(_safe, _after_consent(report)))),
        Sheet("Stopped users", "stopped-users", _STOPPED, tuple(_safe(_stopped(one)) for one in report.stopped)),
    )


def _safe(row: SheetRow) -> SheetRow:
    return tuple(_safe_text(value) if isinstance(value, str) else value for value in row)


@lru_cache(maxsize=2000)
def _safe_text(value: str) -> str:
    return safe(flat(value))


def _time(taken: str) -> SheetValue:
    """The time as a value; text that isn't a time stays as it is."""
    return parse_time(taken) or taken


def _facts(report: Report) -> Iterator[SheetRow]:
    yield "Tenant", report.tenant.name
    yield "Tenant ID", report.tenant.id
    yield "Cloud", report.cloud
    yield "Collected", _time(report.taken)
    yield "Source", report.source
    for text in report.outside:
        yield "Not covered", text
    yield "Tool", report.tool
    yield "Answer", report.summary.answer
    yield "Rules", counts(report.summary)
    if report.findings:
        yield "Failures", failure_counts(report).sentence
    for pack in report.packs:
        yield "Pack", f"{pack.name} {pack.version}"
        yield "SHA-256 of the pack", pack.digest
    for policy in report.policies:
        yield "Consent policy", policy.id
        yield "SHA-256 of the policy", policy.digest
    for file in report.waivers:
        yield "Waiver file", f"{file.name} ({count(file.count, 'waiver')})"
        yield "SHA-256 of the file", file.digest
    for abused in report.abused_apps:
        yield "List of abused apps", abused_list_text(abused)
        yield "SHA-256 of the list", abused.digest
    for one in report.disagreements:
        yield "Benchmarks disagree", "; ".join(f"{s.rule} {FINDINGS[s.outcome][0]}" for s in one.stands)


_WHO = (SheetColumn("App", 24), SheetColumn("Client ID", 38), SheetColumn("Pack", 18), SheetColumn("User", 18))
_ANSWERS = (
    *_WHO,
    SheetColumn("Answer", 24),
    SheetColumn("Outcome", 20),
    SheetColumn("Confidence", 11),
    SheetColumn("Why", 60),
    SheetColumn("User sees", 50),
    SheetColumn("Code", 13),
    SheetColumn("First fix", 50),
    SheetColumn("Link", 60),
)


def _who(decision: Decision) -> SheetRow:
    return decision.app.name, decision.app.client_id, decision.app.variant, decision.subject


def _answer(decision: Decision) -> SheetRow:
    fix = first_fix(decision)
    return (
        *_who(decision),
        answer_word(decision),
        decision.outcome.value,
        decision.confidence.value,
        plain_sentence(decision.because),
        screen(decision),
        error_code(decision.code),
        fix.title if fix else next(iter(decision.advice), ""),
        fix.link if fix else "",
    )


_WHAT_IF = (
    *_WHO,
    SheetColumn("Assumption", 40),
    SheetColumn("Now", 24),
    SheetColumn("With this change", 24),
    SheetColumn("Why", 60),
    SheetColumn("Code", 13),
)


def _what_if(report: Report) -> Iterator[SheetRow]:
    """The answers that were decided again with the assumptions."""
    for answer in what_if_answers(report):
        then = answer.then
        yield *_who(then), assumptions(report), *answer.words, plain_sentence(then.because), error_code(then.code)


_SCOPES = (
    *_WHO,
    SheetColumn("Resource", 18),
    SheetColumn("Scope", 26),
    SheetColumn("Required", 10),
    SheetColumn("Verdict", 10),
    SheetColumn("Confidence", 11),
    SheetColumn("Why", 60),
    SheetColumn("Consent policy", 38),
    SheetColumn("Condition set", 38),
    SheetColumn("Permission ID", 38),
    SheetColumn("Scope list", 10),
)


def _scopes(report: Report) -> Iterator[SheetRow]:
    for decision in report.decisions:
        for scope in decision.scopes:
            yield (
                *_who(decision),
                resource_label(scope.resource, scope.resource_name),
                scope.scope,
                scope.requested_as.value,
                VERDICTS[scope.verdict][0],
                scope.confidence.value,
                plain_sentence(scope.detail),
                scope.policy or "",
                scope.condition_set or "",
                scope.permission_id or "",
                "assumed" if scope.assumed else "",
            )
        for role in decision.app_roles:
            yield (
                *_who(decision),
                resource_label(role.resource, role.resource_name),
                role.role,
                f"application, {'required' if role.required else 'optional'}",
                ROLE_STATES[role.state][0],
                "",
                plain_sentence(role.detail),
                "",
                "",
                role.role_id,
                "assumed" if role.assumed else "",
            )


_AFTER_CONSENT = (
    SheetColumn("App", 24),
    SheetColumn("Client ID", 38),
    SheetColumn("User", 18),
    SheetColumn("About", 26),
    SheetColumn("Name", 40),
    SheetColumn("Effect", 12),
    SheetColumn("Why", 90),
    SheetColumn("Policy ID", 38),
)


def _after_consent(report: Report) -> Iterator[SheetRow]:
    """For each app and user: the answer, the Conditional Access policies, the mailbox, and what wasn't checked."""
    for one in report.after_consent:
        who = one.app.name, one.app.client_id, one.subject
        yield *who, "Conditional Access", "", one.access.value, plain_sentence(one.because), ""
        for policy, line in zip(one.policies, policy_lines(one), strict=True):
            yield *who, "Conditional Access policy", line.name, line.word, line.text, policy.id
        if one.mailbox is not None:
            yield *who, "Mailbox", "", f"licensed: {_yes_no(one.mailbox.licensed)}", one.mailbox.because, ""
        for each in one.not_checked:
            yield *who, "Not checked", each.what, "unknown", not_checked_text(each), ""


_STOPPED = (
    SheetColumn("App", 24),
    SheetColumn("Client ID", 38),
    SheetColumn("Stopped users", 14),
    SheetColumn("Waiting users", 14),
    SheetColumn("First", 20),
    SheetColumn("Last", 20),
    SheetColumn("Error codes", 24),
    SheetColumn("Request ends", 20),
    SheetColumn("Why", 90),
)


def _stopped(one: StoppedUsers) -> SheetRow:
    """Who was stopped at an app; a number that isn't known is unknown, and ``3 or more`` if there may be more."""
    users = "unknown" if one.users is None else f"{one.users} or more" if one.at_least else one.users
    waiting = "unknown" if one.waiting is None else one.waiting
    why = " ".join((one.sentence, *stopped_lines(one)))
    ends = _time(one.ends), why
    return (
        one.app.name,
        one.app.client_id,
        users,
        waiting,
        _time(one.first),
        _time(one.last),
        ", ".join(one.codes),
        *ends,
    )


_FINDINGS = (
    SheetColumn("Pack", 22),
    SheetColumn("Rule", 24),
    SheetColumn("Title", 40),
    SheetColumn("Setting", 26),
    SheetColumn("Outcome", 14),
    SheetColumn("Confidence", 12),
    SheetColumn("Severity", 10),
    SheetColumn("Reason", 60),
    SheetColumn("Waivers", 40),
    SheetColumn("How to fix it", 60),
    SheetColumn("Portal", 50),
    SheetColumn("Portal page", 40),
    SheetColumn("Link", 40),
    SheetColumn("Role", 36),
    SheetColumn("Evidence", 50),
    SheetColumn("Frameworks", 40),
    SheetColumn("Fingerprint", 38),
)


def _finding(finding: Finding) -> SheetRow:
    advice = finding.remediation
    return (
        finding.pack,
        finding.rule,
        finding.title,
        setting_label(finding),
        FINDINGS[finding.outcome][0],
        finding.confidence.value,
        finding.severity.value,
        plain_sentence(finding.reason),
        " ".join(map(waiver_sentence, finding.waivers)),
        advice.note,
        click_path(advice.portal),
        " ".join(link.address for link in advice.portal_links),
        advice.link,
        advice.role,
        "; ".join(map(evidence_text, finding.evidence)),
        ", ".join(f"{name} {control}" for name, control in finding.frameworks.items()),
        finding.fingerprint,
    )


_GRANTS = (
    SheetColumn("App", 30),
    SheetColumn("Client ID", 38),
    SheetColumn("Kind", 12),
    SheetColumn("Resource", 24),
    SheetColumn("Resource ID", 38),
    SheetColumn("Permissions", 60),
    SheetColumn("Granted for", 12),
    SheetColumn("Granted to", 36),
    SheetColumn("Verified publisher", 24),
    SheetColumn("Publisher verified", 10),
    SheetColumn("Owner tenant", 38),
    SheetColumn("Enabled", 10),
    SheetColumn("App kind", 24),
    SheetColumn("Known abused", 14),
    SheetColumn("Last sign-in", 22),
    SheetColumn("Unused", 10),
)


def _grants(report: Report) -> Collection[SheetRow]:
    rows: Sequence[GrantRow] = report.granted.rows if report.granted else ()
    return _ManyGrants(rows) if isinstance(rows, GrantRows) else tuple(map(_grant, rows))


class _ManyGrants(Collection[SheetRow]):
    """The grants of a large tenant, each row made when it is read."""

    def __init__(self, rows: GrantRows) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[SheetRow]:
        return map(_grant, self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row: object) -> bool:
        return any(one == row for one in self)


def _grant(row: GrantRow) -> SheetRow:
    return _safe(
        (
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
            row.client_kind,
            row.abused.value if row.abused else "",
            "unknown" if row.last_sign_in is None else _time(row.last_sign_in) or "none recorded",
            _yes_no(row.unused),
        )
    )


def _yes_no(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


_NOT_READ = (
    SheetColumn("Data", 40),
    SheetColumn("Section", 40),
    SheetColumn("Status", 8),
    SheetColumn("Code", 28),
    SheetColumn("Message", 60),
    SheetColumn("Allowed by", 40),
    SheetColumn("Affected rules", 30),
    SheetColumn("Request ID", 38),
)


def _not_read(report: Report) -> Iterator[SheetRow]:
    for part in report.unread:
        status = "" if part.status is None else part.status
        name = unread_text(part).title
        yield name, part.section, status, part.code, part.message, " or ".join(part.needs), "", part.request_id
    for one in report.not_collected:
        text = not_collected_text(one)
        yield text.title, one.section, "", "", text.response, " or ".join(one.needs), ", ".join(one.rules), ""


_CALLS = (
    SheetColumn("Section", 34),
    SheetColumn("Address", 90),
    SheetColumn("Status", 8),
    SheetColumn("Rows", 8),
    SheetColumn("Time", 22),
    SheetColumn("Permissions", 40),
)


def _calls(report: Report) -> Iterator[SheetRow]:
    for call in report.provenance.calls if report.provenance else ():
        status = "" if call.status is None else call.status
        rows = "" if call.rows is None else call.rows
        yield call.section, call.address, status, rows, _time(call.at), " or ".join(call.permissions)
