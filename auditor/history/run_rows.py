"""Runs, their decisions, findings and changes as rows of the database, and back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, insert, or_, select, update

from auditor.history.kept_parts import encoded
from auditor.history.tables import decisions, findings
from auditor.model.decision import Confidence, Decision, Outcome
from auditor.model.history import DecidedScope, Run, RunDecision, RunFinding, RunState, ScopedDecision
from auditor.model.report import Finding, PackRef, Report, UnreadPart
from auditor.model.rule import FindingOutcome, Severity

_SCOPE = tuple(field.name for field in msgspec.structs.fields(DecidedScope))


def storable(text: str) -> str:
    """The text without what PostgreSQL can't hold in a column: null characters and lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "backslashreplace").decode()


def json_text(value: Any) -> str:
    """The value as JSON, for a text column."""
    return encoded(value).decode()


def inserted(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row, and return its id."""
    found = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert found is not None
    number: int = found[0]
    return number


def report_columns(report: Report) -> dict[str, Any]:
    """The columns of a run that its report fills."""
    summary = report.summary
    failing: dict[str, int] = {}
    for finding in report.findings:
        if finding.outcome is FindingOutcome.FAIL:
            failing[finding.severity.value] = failing.get(finding.severity.value, 0) + 1
    return {
        "taken": storable(report.taken),
        "passed": summary.passed,
        "failed": summary.failed,
        "unknown": summary.unknown,
        "waived": summary.waived,
        "not_applicable": summary.not_applicable,
        "failed_by_severity": json_text({one.value: failing[one.value] for one in Severity if one.value in failing}),
        "unread": json_text(report.unread),
        "packs": json_text(report.packs),
        "tool": storable(report.tool),
    }


def run_of(row: Row[Any], made: Sequence[RunDecision]) -> Run:
    """The run in a row of `runs` joined with its tenant (columns ``tenant_key``, ``tenant_read`` and ``name``)."""
    return Run(
        id=str(row.id),
        tenant=row.tenant_read or row.tenant_key,
        name=row.name,
        state=RunState(row.state),
        started=row.started,
        taken=row.taken,
        finished=row.finished,
        seconds=row.seconds,
        exit_code=row.exit_code,
        error=row.error,
        decisions=tuple(made),
        passed=row.passed,
        failed=row.failed,
        unknown=row.unknown,
        waived=row.waived,
        not_applicable=row.not_applicable,
        failed_by_severity=msgspec.json.decode(row.failed_by_severity, type=dict[str, int]),
        changes=row.changes,
        minor_changes=row.minor_changes,
        unread=msgspec.json.decode(row.unread, type=tuple[UnreadPart, ...]),
        packs=msgspec.json.decode(row.packs, type=tuple[PackRef, ...]),
        tool=row.tool,
        tags=msgspec.json.decode(row.tags, type=tuple[str, ...]),
        credential_expires=row.credential_expires,
    )


def decision_of(row: Row[Any]) -> RunDecision:
    """The decision in a row."""
    return RunDecision(
        app=row.app,
        client_id=row.client_id,
        subject=row.subject,
        outcome=Outcome(row.outcome),
        confidence=Confidence(row.confidence),
        because=row.because,
    )


def scoped_decision_of(row: Row[Any]) -> ScopedDecision:
    """The decision in a row, with its scopes."""
    scopes = msgspec.json.decode(row.scopes, type=tuple[DecidedScope, ...])
    return ScopedDecision(**msgspec.structs.asdict(decision_of(row)), scopes=scopes)


def finding_of(row: Row[Any]) -> RunFinding:
    """The finding in a row."""
    return RunFinding(
        fingerprint=row.fingerprint,
        rule=row.rule,
        pack=row.pack,
        title=row.title,
        severity=Severity(row.severity),
        outcome=FindingOutcome(row.outcome),
        since=row.since,
    )


def write_decisions(connection: Connection, tenant: int, run: int, made: Sequence[Decision]) -> None:
    """Record the decisions of a run, as the changes from those of the tenant's last finished run."""
    rows: list[dict[str, Any]] = []
    for decision in made:
        scopes = [{name: getattr(scope, name) for name in _SCOPE} for scope in decision.scopes]
        rows.append(
            {
                "position": len(rows),
                "app": storable(decision.app.name),
                "client_id": storable(decision.app.client_id),
                "subject": storable(decision.subject),
                "outcome": decision.outcome.value,
                "confidence": decision.confidence.value,
                "because": storable(decision.because),
                "scopes": json_text(scopes),
            }
        )
    _write_intervals(connection, decisions, tenant, run, rows)


def write_findings(connection: Connection, tenant: int, run: int, started: str, made: Sequence[Finding]) -> None:
    """Record the findings of a run, each with the time of the first run of its present outcome.

    An outcome that was unknown in between, because something couldn't be read, lasts on.
    """
    before: dict[str, Row[Any]] = {row.fingerprint: row for row in _open_rows(connection, findings, tenant)}
    rows = []
    for finding in made:
        outcome, fingerprint = finding.outcome.value, storable(finding.fingerprint)
        last = before.get(fingerprint)
        since = last.since if last is not None and last.outcome == outcome else started
        known, known_since = (last.known, last.known_since) if last is not None else ("", "")
        if finding.outcome is not FindingOutcome.UNKNOWN:
            since = known_since if known == outcome else started
            known, known_since = outcome, since
        rows.append(
            {
                "fingerprint": fingerprint,
                "rule": storable(finding.rule),
                "pack": storable(finding.pack),
                "title": storable(finding.title),
                "severity": finding.severity.value,
                "outcome": outcome,
                "since": since,
                "known": known,
                "known_since": known_since,
            }
        )
    _write_intervals(connection, findings, tenant, run, rows)


def _open_rows(connection: Connection, table: Table, tenant: int) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(table.c.tenant_id == tenant, table.c.until_run.is_(None))).all()


def _write_intervals(
    connection: Connection, table: Table, tenant: int, run: int, rows: Sequence[dict[str, Any]]
) -> None:
    """End the intervals whose values are no longer there, and begin those that are new."""
    names = [
        column.name for column in table.columns if column.name not in ("id", "tenant_id", "since_run", "until_run")
    ]
    still = {tuple(getattr(row, name) for name in names): row.id for row in _open_rows(connection, table, tenant)}
    wanted = {tuple(row[name] for name in names): row for row in rows}
    new = [
        {**row, "tenant_id": tenant, "since_run": run} for key, row in wanted.items() if still.pop(key, None) is None
    ]
    if still:
        connection.execute(update(table).where(table.c.id.in_(still.values())).values(until_run=run))
    if new:
        connection.execute(insert(table), new)


def at_runs(
    connection: Connection, table: Table, runs_by_tenant: Mapping[int, Iterable[int]]
) -> dict[int, list[Row[Any]]]:
    """The rows of an interval table at each of the given runs."""
    found: dict[int, list[Row[Any]]] = {}
    for tenant, ids in runs_by_tenant.items():
        wanted = sorted(ids)
        query = select(table).where(
            table.c.tenant_id == tenant,
            table.c.since_run <= wanted[-1],
            or_(table.c.until_run.is_(None), table.c.until_run > wanted[0]),
        )
        for row in connection.execute(query.order_by(table.c.id)):
            end = len(wanted) if row.until_run is None else bisect_left(wanted, row.until_run)
            for one in wanted[bisect_left(wanted, row.since_run) : end]:
                found.setdefault(one, []).append(row)
    return found
