"""One row per rule: how it came out and why."""

from __future__ import annotations

from auditor.model.finding import Finding
from auditor.model.report import Report
from auditor.render.page import Page
from auditor.render.tables import Cell, Column, table
from auditor.render.waived import found
from auditor.render.words import FINDINGS, SEVERE

_HEADS = (
    Column("Outcome", 7),
    Column("Severity", 8),
    Column("Rule", 12),
    Column("Expected, and what was found", 20, wish=37),
)


def findings_table(page: Page, report: Report) -> None:
    """All findings in their given order; the pack is named where more than one was applied."""
    if not report.findings:
        return
    several = len({finding.pack for finding in report.findings}) > 1
    page.heading("Findings: the rules that were applied")
    rows = [_row(finding, several) for finding in report.findings]
    page.lines(table(_HEADS, rows, width=page.width - 2, palette=page.palette))


def _row(finding: Finding, several: bool) -> list[Cell]:
    word, style = FINDINGS[finding.outcome]
    severe = style == "bad" and finding.severity in SEVERE
    return [
        Cell(word, style),
        Cell(finding.severity.value, "bad" if severe else ""),
        Cell(finding.rule, below=f"({finding.pack})" if several else ""),
        Cell(
            finding.title.rstrip("."),
            "strong",
            below=found(finding),
        ),
    ]
