"""The result of one check, before it becomes a finding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from auditor.facts.ids import OPENID_SCOPES
from auditor.model.finding import Evidence, FindingOutcome, FindingSubject


class CheckResult(msgspec.Struct, frozen=True):
    """The outcome of a check, one clause that says why, and the values that it rests on.

    `subjects` are all the things that make the check fail, where it is about many: more than the evidence shows.
    `unread` says why there may be more of them.
    """

    outcome: FindingOutcome
    clause: str
    evidence: tuple[Evidence, ...] = ()
    subjects: tuple[FindingSubject, ...] = ()
    unread: str = ""

    @property
    def reason(self) -> str:
        """The clause as a sentence."""
        return sentence(self.clause)


def passed(clause: str, *evidence: Evidence) -> CheckResult:
    """The tenant meets the check."""
    return CheckResult(FindingOutcome.PASS, clause, evidence)


def failed(clause: str, *evidence: Evidence, subjects: Iterable[FindingSubject] = (), unread: str = "") -> CheckResult:
    """The tenant doesn't meet the check."""
    return CheckResult(FindingOutcome.FAIL, clause, evidence, tuple(subjects), unread)


def unknown(clause: str, *evidence: Evidence) -> CheckResult:
    """The data that the check needs was not read, or Microsoft doesn't document what it means."""
    return CheckResult(FindingOutcome.UNKNOWN, clause, evidence)


def not_applicable(clause: str, *evidence: Evidence) -> CheckResult:
    """The check doesn't apply to this tenant."""
    return CheckResult(FindingOutcome.NOT_APPLICABLE, clause, evidence)


def compared(path: str, actual: Any, expected: Any = None) -> Evidence:
    """Evidence: a value of the snapshot, and the value that the check expects."""
    return Evidence(path=path, actual=actual, expected=expected)


def shown(value: Any) -> str:
    """A value in a sentence: as JSON writes it, and a list by its entries."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "an empty list"
    return str(value).lower() if isinstance(value, bool) else str(value)


def first_names(names: Iterable[str], shown: int = 3) -> str:
    """The first names of a list, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return f"{', '.join(every[:shown])}{more}"


def sentence(clause: str) -> str:
    """A clause as a sentence: with a capital (unless it starts with a name in code) and a full stop."""
    first, rest = clause[:1], clause[1:]
    word = clause.split(" ", 1)[0]
    is_code = any(c.isupper() or c in "._" for c in word[1:]) or word.rstrip(",") in OPENID_SCOPES
    capital = first if is_code else first.upper()
    return f"{capital}{rest}" if rest.endswith(".") else f"{capital}{rest}."
