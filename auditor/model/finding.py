"""Findings: what a rule reports about a tenant, the waivers that cover it, and where rules disagree."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from auditor.model.fix import Fix


class RulePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a pack's file.

    `file` is ``rules/NAME.yaml`` for a shipped pack, else the path below the working directory, or the file's name
    alone where it lies elsewhere: a report does not tell where somebody's home folder is.
    """

    file: str
    line: int


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a waiver file.

    `rule` is a rule's id, of any pack or of `pack` alone. `subject` is the name or id of the one app, permission or
    the like that is accepted; without it the whole rule is. `expires` is the last day on which it holds
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
    """A file of waivers: how it is called, and the SHA-256 of its text."""

    name: str
    digest: str
    waivers: tuple[Waiver, ...] = ()


class WaiverFileRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which waivers were applied, to the byte."""

    name: str
    digest: str
    count: int


class Severity(StrEnum):
    """How much a failing rule matters, worst first."""

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
    """How a rule came out. Unknown is never a pass and never a fail."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASS = "pass"
    NOT_APPLICABLE = "not-applicable"

    @property
    def rank(self) -> int:
        """The order of a report: what needs attention first."""
        return list(FindingOutcome).index(self)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One value of the snapshot that a finding rests on, and the one it should have."""

    path: str
    actual: Any = None
    expected: Any = None


class FindingSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things that make a rule fail, such as an app: its name, and its id where it has one."""

    name: str
    id: str = ""


class Remediation(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule's author advises, with this tenant's values filled in."""

    portal: tuple[str, ...] = ()
    link: str = ""
    role: str = ""
    note: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one rule. `reason` is one sentence; `fingerprint` is the same in every run.

    `note` is the view of the rule's author, and who sees it otherwise; empty where the rule has none. `place` is
    where the rule is written, none where that is not known. `subjects` are all that make it fail, where it is about
    many things and not about one setting; `unread` says why there may be more of them. `waivers` are those that
    cover it, or some of its subjects.
    """

    rule: str
    pack: str
    title: str
    severity: Severity
    outcome: FindingOutcome
    reason: str
    fingerprint: str
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
    """How one rule comes out, and whose view it is."""

    rule: str
    pack: str
    outcome: FindingOutcome
    view: str = ""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that name the same controls, of which some pass and some fail. `about` is the title of the first."""

    about: str
    stands: tuple[Stand, ...]
