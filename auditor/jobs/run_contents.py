"""A tenant's run in a night: its findings since when, its exit code, and its reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.compare.earlier_reads import not_read_then, was_read
from auditor.jobs.audit import NEVER, exit_code
from auditor.jobs.audit_request import Outputs, rendered, write_files
from auditor.model.configuration import TenantEntry
from auditor.model.difference import ChangeKind, Difference, SinceLast, Transition
from auditor.model.errors import FAILING
from auditor.model.history import Run, RunDecision, RunFinding, RunState
from auditor.model.report import Report, Summary
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.snapshot import Snapshot
from auditor.render import files_in_folder

if TYPE_CHECKING:
    from auditor.history import History

_TREND = 60
"""The most earlier runs in the trend of a report."""
_LOADED = 20
"""The most earlier snapshots that are loaded to find what the last run couldn't read."""


def earlier_reads(history: History, tenant: str, last: Run, before: Snapshot, after: Snapshot) -> tuple[Snapshot, ...]:
    """The earlier snapshots of a tenant that have what the last run couldn't read, the latest first.

    `before` is the snapshot of the last run, `after` the present one. Raises HistoryError.
    """
    wanted = not_read_then(before, after)
    found: list[Snapshot] = []
    if not wanted:
        return ()
    older = dropwhile(lambda run: run.id != last.id, history.runs(tenant))
    for run in (one for one in older if one.state is RunState.FINISHED and one.id != last.id):
        failed = {part.section for part in run.unread}
        if failed.issuperset(wanted):
            continue
        _, snapshot = history.comparable_parts(run.id)
        found.append(snapshot)
        wanted = tuple(key for key in wanted if not was_read(snapshot, key))
        if not wanted or len(found) == _LOADED:
            break
    return tuple(found)


def run_findings(report: Report, before: Iterable[RunFinding], started: str) -> tuple[RunFinding, ...]:
    """The findings of the report, each with the time of the first run of its present outcome."""
    earlier = {one.fingerprint: one for one in before}
    return tuple(
        RunFinding(
            fingerprint=one.fingerprint,
            rule=one.rule,
            pack=one.pack,
            title=one.title,
            severity=one.severity,
            outcome=one.outcome,
            since=last.since if (last := earlier.get(one.fingerprint)) and last.outcome is one.outcome else started,
        )
        for one in report.findings
    )


def finished_run(run: Run, report: Report, difference: Difference | None, code: int, finished: str) -> Run:
    """The run in progress as it will be recorded, for the messages that are recorded with it."""
    failed: dict[str, int] = {}
    for one in report.findings:
        if one.outcome is FindingOutcome.FAIL:
            failed[one.severity.value] = failed.get(one.severity.value, 0) + 1
    summary = report.summary
    return msgspec.structs.replace(
        run,
        state=RunState.FINISHED,
        taken=report.taken,
        finished=finished,
        exit_code=code,
        decisions=tuple(
            RunDecision(
                app=one.app.name,
                client_id=one.app.client_id,
                outcome=one.outcome,
                confidence=one.confidence,
                subject=one.subject,
                because=one.because,
            )
            for one in report.decisions
        ),
        passed=summary.passed,
        failed=summary.failed,
        unknown=summary.unknown,
        waived=summary.waived,
        not_applicable=summary.not_applicable,
        failed_by_severity=failed,
        changes=len(difference.major) if difference else None,
        minor_changes=len(difference.changes) - len(difference.major) if difference else None,
        unread=report.unread,
        packs=report.packs,
    )


def exit_code_for(entry: TenantEntry, report: Report, difference: Difference | None) -> int:
    """The exit code of the tenant: that of `check`, or with ``fail-on-new`` and ``fail-on-change`` that of changes.

    These two replace ``fail-on``. Without an earlier run, nothing is new and nothing changed.
    """
    if not (entry.fail_on_new or entry.fail_on_change):
        return exit_code(report, fail_on=entry.fail_on, strict=entry.strict)
    if difference is not None:
        if entry.fail_on_change and difference.major:
            return FAILING
        if entry.fail_on_new and _has_new(difference, Severity(entry.fail_on_new)):
            return FAILING
    return exit_code(report, fail_on=NEVER, strict=entry.strict)


def _has_new(difference: Difference, least: Severity) -> bool:
    """Whether a rule of this severity or a higher one started to fail."""
    return any(
        change.kind is ChangeKind.FINDING
        and change.transition is Transition.APPEARED
        and change.severity is not None
        and change.severity.rank <= least.rank
        for change in difference.major
    )


def report_files(entry: TenantEntry) -> tuple[tuple[str, Path], ...]:
    """The file of each report of the tenant, and its format or, as ``FORMAT/TABLE``, its table."""
    if not entry.reports.folder:
        return ()
    folder = Path(entry.reports.folder) / entry.name
    return tuple((form, folder / file) for name in entry.reports.formats for form, file in files_in_folder(name))


def since_last_of(difference: Difference | None, findings: Iterable[RunFinding]) -> SinceLast | None:
    """What changed since the last run and since when each rule fails, for the first page of a report."""
    if difference is None:
        return None
    failing = {one.fingerprint: one.since for one in findings if one.outcome is FindingOutcome.FAIL}
    return SinceLast(difference=difference, failing_since=failing)


def write_reports(
    entry: TenantEntry,
    report: Report,
    trend: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
) -> tuple[str, ...]:
    """Replace the reports of the tenant, each in one step, and return their paths in the order of the formats.

    Raises OSError, and InvalidRequest for a place that isn't safe.
    """
    files = report_files(entry)
    if not files:
        return ()
    folder = files[0][1].parent
    # What a killed run left: the caller holds the lock of the tenant, so nobody else writes here.
    for leftover in folder.glob(".consent-auditor-*.tmp"):
        leftover.unlink(missing_ok=True)
    outputs = Outputs(formats=entry.reports.formats, files=files, folder=folder)
    return tuple(map(str, write_files(report, rendered(report, outputs, trend, since_last), outputs)))


def attachable(entry: TenantEntry, written: Iterable[str]) -> dict[str, str]:
    """By format, the files of `write_reports` that hold a whole report: CSV has a file for each table."""
    found = zip(report_files(entry), written, strict=False)
    return {name: path for (name, _), path in found if name in entry.reports.formats}


def trend_of(runs: Iterable[Run]) -> tuple[tuple[str, Summary], ...]:
    """The time and the counts of the finished runs, the oldest first, as reports show a trend."""
    finished = [run for run in runs if run.state is RunState.FINISHED and run.taken][:_TREND]
    return tuple(
        (
            run.taken,
            Summary(
                answer="",
                passed=run.passed,
                failed=run.failed,
                unknown=run.unknown,
                waived=run.waived,
                not_applicable=run.not_applicable,
            ),
        )
        for run in reversed(finished)
    )
