"""Findings by how they stand."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model.finding import Finding, FindingOutcome


def by_standing(findings: Iterable[Finding], *wanted: FindingOutcome) -> list[Finding]:
    """The findings that stand so, in their order."""
    return [finding for finding in findings if finding.outcome in wanted]
