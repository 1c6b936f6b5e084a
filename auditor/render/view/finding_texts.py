"""The findings of a report, where benchmarks disagree, and the data that couldn't be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from auditor.facts.permissions import PERMISSIONS
from auditor.model.finding import Disagreement, Evidence, Finding, FindingOutcome, Stand, Waiver
from auditor.model.report import Report, UnreadPart
from auditor.model.sections import SECTIONS
from auditor.render.json import encoded
from auditor.render.labels import sentence, series
from auditor.render.layout import clip

VALUE_WIDTH = 160
"""Columns of a value in the evidence; the JSON report has all of it."""

DISAGREEMENTS = "Where the benchmarks disagree"
ABOUT_DISAGREEMENTS = "These rules check the same control and disagree. You decide which view applies."

_DIGEST_LENGTH = 12
"""Characters of a digest: enough to distinguish two, few enough to read aloud."""


def with_outcome(findings: Iterable[Finding], *wanted: FindingOutcome) -> list[Finding]:
    """The findings with one of these outcomes, in their order."""
    return [finding for finding in findings if finding.outcome in wanted]


def from_several_packs(report: Report) -> bool:
    """Whether a rule's ID needs its pack next to it."""
    return len({finding.pack for finding in report.findings}) > 1


def waiver_sentence(waiver: Waiver) -> str:
    """``Waived for X by OWNER until DAY (TICKET): reason.``"""
    subject = f" for {waiver.subject}" if waiver.subject else ""
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return f"Waived{subject} by {waiver.owner} until {waiver.expires}{ticket}: {sentence(waiver.reason)}"


def reason_with_waivers(finding: Finding) -> str:
    """The finding's reason, and the waivers that cover it."""
    return " ".join((sentence(finding.reason), *map(waiver_sentence, finding.waivers)))


def evidence_text(one: Evidence, width: int = VALUE_WIDTH) -> str:
    """``PATH is VALUE, should be VALUE``, each value as JSON and cut to `width` columns."""
    expected = "" if one.expected is None else f", should be {json_value(one.expected, width)}"
    return f"{one.path} is {json_value(one.actual, width)}{expected}"


def json_value(value: Any, width: int = VALUE_WIDTH) -> str:
    """A value of the snapshot as JSON, on one line, safe to print."""
    return clip(encoded(value, str).decode(), width)


def disagreement_sentence(one: Disagreement) -> str:
    """``EIDSCA.AP08 passes; CIS-5.1.5.1 and ZTA-21776 fail.``"""
    passing, failing = ([s for s in one.stands if s.outcome is o] for o in (FindingOutcome.PASS, FindingOutcome.FAIL))
    return f"{_rules_do(passing, 'passes', 'pass')}; {_rules_do(failing, 'fails', 'fail')}."


def _rules_do(stands: list[Stand], one: str, many: str) -> str:
    return f"{series([stand.rule for stand in stands])} {one if len(stands) == 1 else many}"


class UnreadText(NamedTuple):
    """Data that couldn't be read, in words; what there is nothing to say about is empty."""

    title: str
    response: str
    allowed_by: str
    """The permissions, any one of which allows the read."""
    unknown: str
    """What the audit doesn't know without the data."""

    def in_one_line(self, section: str) -> str:
        """All of it as one paragraph."""
        allowed = f"Allowed by: {self.allowed_by}" if self.allowed_by else ""
        unknown = f"Unknown: {self.unknown}" if self.unknown else ""
        parts = (f"{self.title} ({section}) couldn't be read.", self.response, allowed, unknown)
        return " ".join(filter(None, parts))


def unread_text(part: UnreadPart) -> UnreadText:
    """The part in words."""
    status = f"HTTP {part.status}" if part.status is not None else ""
    section = SECTIONS.get(part.section.partition("/")[0])
    known = next((PERMISSIONS[need] for need in part.needs if need in PERMISSIONS), None)
    return UnreadText(
        title=(section.label if section else "") or "A part of the tenant",
        response=sentence(": ".join(filter(None, (", ".join(filter(None, (status, part.code))), part.message)))),
        allowed_by=f"{series(part.needs, 'or')} (a Microsoft Graph application permission)." if part.needs else "",
        unknown=sentence(known.without) if known else "",
    )


def short_digest(digest: str) -> str:
    """The start of a digest, in brackets; nothing if there is none."""
    return f"(digest {digest.removeprefix('sha256:')[:_DIGEST_LENGTH]})" if digest else ""
