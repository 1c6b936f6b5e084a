"""What one check says, before it becomes a finding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from auditor.facts.ids import OPENID_SCOPES
from auditor.model.finding import Evidence, FindingOutcome, Subject


class Ruling(msgspec.Struct, frozen=True):
    """The outcome of a check, one clause that says why, and the values that it rests on.

    `subjects` are all the things that make it fail, where it is about many: more than the evidence shows. `unread`
    says why there may be more of them.
    """

    outcome: FindingOutcome
    clause: str
    evidence: tuple[Evidence, ...] = ()
    subjects: tuple[Subject, ...] = ()
    unread: str = ""

    @property
    def reason(self) -> str:
        """The clause as a sentence."""
        return sentence(self.clause)


def passed(reason: str, *evidence: Evidence) -> Ruling:
    """The tenant is as the rule wants it."""
    return Ruling(FindingOutcome.PASS, reason, evidence)


def failed(reason: str, *evidence: Evidence, subjects: Iterable[Subject] = (), unread: str = "") -> Ruling:
    """The tenant is not as the rule wants it."""
    return Ruling(FindingOutcome.FAIL, reason, evidence, tuple(subjects), unread)


def unknown(reason: str, *evidence: Evidence) -> Ruling:
    """What the rule asks about was not read, or is not documented."""
    return Ruling(FindingOutcome.UNKNOWN, reason, evidence)


def not_applicable(reason: str, *evidence: Evidence) -> Ruling:
    """The rule has no bearing on this tenant."""
    return Ruling(FindingOutcome.NOT_APPLICABLE, reason, evidence)


def seen(path: str, actual: Any, expected: Any = None) -> Evidence:
    """A value of the snapshot, and the one that the rule wants."""
    return Evidence(path=path, actual=actual, expected=expected)


def sentence(clause: str) -> str:
    """A clause as a sentence: with a capital (unless it starts with a name in code) and a full stop."""
    first, rest = clause[:1], clause[1:]
    word = clause.split(" ", 1)[0]
    is_code = any(c.isupper() or c in "._" for c in word[1:]) or word.rstrip(",") in OPENID_SCOPES
    capital = first if is_code else first.upper()
    return f"{capital}{rest}" if rest.endswith(".") else f"{capital}{rest}."
