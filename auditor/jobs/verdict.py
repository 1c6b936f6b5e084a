"""What a report means to a pipeline: one exit code."""

from __future__ import annotations

from auditor.model.decision import Outcome
from auditor.model.finding import FindingOutcome, Severity
from auditor.model.report import Report

NEVER = "never"


def exit_code(report: Report, *, fail_on: str, strict: bool) -> int:
    """0 nothing failing at or above `fail_on` (a severity, or ``never``), 1 something failing, 4 unknown.

    An unknown decision always counts; `strict` lets every unknown finding count.
    """
    if fail_on != NEVER:
        limit = Severity(fail_on).rank
        if any(f.outcome is FindingOutcome.FAIL and f.severity.rank <= limit for f in report.findings):
            return 1
    if any(d.outcome is Outcome.DEPENDS for d in report.decisions):
        return 4
    if strict and any(f.outcome is FindingOutcome.UNKNOWN for f in report.findings):
        return 4
    return 0
