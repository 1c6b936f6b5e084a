"""Findings: the result of a rule in a tenant, the waivers that cover it, and rules that disagree."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from auditor.model.decision import Confidence, Fix


class RulePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A line in a pack's file.

    `file` is ``rules/NAME.yaml`` for a shipped pack, or else the path relative to the working directory. For a file
    outside it, only the file's name is kept, so that a report doesn't reveal anyone's home folder.
    """

    file: str
    line: int


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a waiver file.

    `rule` is a rule's id, in any pack or only in `pack`. `subject` is the name or id of the one app, permission or
    other thing that is accepted; without it, the whole rule is. `expires` is the last day on which the waiver is valid
    (``2027-03-31``).
    """

    rule: str
    reason: str
    owner: str
    expires: str
    pack: str = ""
    subject: str = ""
    ticket: str = ""
    place: RulePlace | None = None


class WaiverFile(msgspec.Struct, frozen=True, kw_only=True):
    """The waivers in a file, with the file's name and the SHA-256 of its text."""

    name: str
    digest: str
    waivers: tuple[Waiver, ...] = ()


class WaiverFileRef(msgspec.Struct, frozen=True, kw_only=True):
    """The waiver file that was applied, identified by its digest."""

    name: str
    digest: str
    count: int


class Severity(StrEnum):
    """How much a failing rule matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class FindingOutcome(StrEnum):
    """The outcome of a rule. Unknown is never a pass and never a fail."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASS = "pass"
    NOT_APPLICABLE = "not-applicable"

    @property
    def rank(self) -> int:
        """The position in a report: what needs attention comes first."""
        return list(FindingOutcome).index(self)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A value in the snapshot that a finding is based on, and the expected value."""

    path: str
    actual: Any = None
    expected: Any = None


class FindingSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things that make a rule fail, such as an app: its name, and its id where it has one."""

    name: str
    id: str = ""


PLACEHOLDERS = ("tenant-id", "client-id", "app", "redirect-uri", "scopes", "admin-consent-link", "portal")
"""The placeholders that the texts of a remediation can contain, in braces."""


def with_values(text: str, values: Mapping[str, str]) -> str:
    """The text with each placeholder in `values` replaced by its value."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


class Remediation(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule's author advises, with this tenant's values filled in."""

    portal: tuple[str, ...] = ()
    link: str = ""
    role: str = ""
    note: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one rule. `reason` is one sentence; `fingerprint` is the same in every run.

    `confidence` is likely where the outcome rests on Microsoft's documentation of something that was not read.

    `note` is the opinion of the rule's author and who disagrees, if the rule has one. `place` is the position of the
    rule in its pack, if known. If the rule is about many things and not about one setting, `subjects` are those that
    make it fail, and `unread` says why there may be more. `waivers` are those that cover the finding or some of its
    subjects.
    """

    rule: str
    pack: str
    title: str
    severity: Severity
    outcome: FindingOutcome
    reason: str
    fingerprint: str
    confidence: Confidence = Confidence.CERTAIN
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    remediation: Remediation = msgspec.field(default_factory=Remediation)
    fixes: tuple[Fix, ...] = ()
    references: tuple[str, ...] = ()
    frameworks: dict[str, str] = msgspec.field(default_factory=dict)
    note: str = ""
    place: RulePlace | None = None
    subjects: tuple[FindingSubject, ...] = ()
    unread: str = ""
    waivers: tuple[Waiver, ...] = ()


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one rule in a disagreement, and whose view the rule is."""

    rule: str
    pack: str
    outcome: FindingOutcome
    view: str = ""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Rules for the same controls, some of which pass and some fail. `about` is the title of the first."""

    about: str
    stands: tuple[Stand, ...]
