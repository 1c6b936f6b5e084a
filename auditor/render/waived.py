"""Who answers for a failure that is waived, in words."""

from __future__ import annotations

from auditor.model.finding import Finding, Waiver
from auditor.render.words import sentence


def waived(waiver: Waiver) -> str:
    """``Waived for X by OWNER until DAY (TICKET): reason.``"""
    subject = f" for {waiver.subject}" if waiver.subject else ""
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return f"Waived{subject} by {waiver.owner} until {waiver.expires}{ticket}: {sentence(waiver.reason)}"


def found(finding: Finding) -> str:
    """The finding's reason, and who answers for it, where somebody does."""
    return " ".join((sentence(finding.reason), *map(waived, finding.waivers)))
