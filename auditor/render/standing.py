"""How a finding stands: its outcome, but that a waived one stands apart from those that fail."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model.finding import Finding, FindingOutcome


def standing(finding: Finding) -> FindingOutcome:
    """The outcome; waived where somebody took responsibility for the failure."""
    # A waived finding keeps its outcome, so that a waiver that ends changes nothing but this.
    waived = getattr(finding, "waiver", None) is not None and finding.outcome is FindingOutcome.FAIL
    return FindingOutcome.WAIVED if waived else finding.outcome


def by_standing(findings: Iterable[Finding], *wanted: FindingOutcome) -> list[Finding]:
    """The findings that stand so, in their order."""
    return [finding for finding in findings if standing(finding) in wanted]
