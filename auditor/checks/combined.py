"""Checks made of checks: any, all, not; three-valued, so that what was not read stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.checks.ruling import Ruling
from auditor.checks.values import shown
from auditor.model.finding import Evidence, FindingOutcome, Subject

_FAIL, _PASS = FindingOutcome.FAIL, FindingOutcome.PASS
_UNKNOWN, _NOT_APPLICABLE = FindingOutcome.UNKNOWN, FindingOutcome.NOT_APPLICABLE


def all_hold(rulings: Iterable[Ruling]) -> Ruling:
    """One that fails decides; what is not applicable does not count, unless nothing else is left."""
    return _decided(tuple(rulings), (_FAIL, _UNKNOWN, _PASS))


def any_holds(rulings: Iterable[Ruling]) -> Ruling:
    """The first that holds decides."""
    each = tuple(rulings)
    holding = next((ruling for ruling in each if ruling.outcome is _PASS), None)
    return holding or _decided(each, (_UNKNOWN, _FAIL))


def opposite(ruling: Ruling) -> Ruling:
    """Pass and fail change places, and so does what is expected; anything else stays as it is."""
    if ruling.outcome not in (_PASS, _FAIL):
        return ruling
    told = "what should not hold does not" if ruling.outcome is _FAIL else "what should not hold does"
    evidence = tuple(Evidence(path=e.path, actual=e.actual, expected=_anything_else(e)) for e in ruling.evidence)
    return Ruling(_PASS if ruling.outcome is _FAIL else _FAIL, f"{told}: {ruling.clause}", evidence)


def _anything_else(evidence: Evidence) -> str | None:
    return None if evidence.expected is None else f"anything but {shown(evidence.expected)}"


def _decided(rulings: tuple[Ruling, ...], order: tuple[FindingOutcome, ...]) -> Ruling:
    for outcome in (*order, _NOT_APPLICABLE):
        deciding = [ruling for ruling in rulings if ruling.outcome is outcome]
        if deciding:
            clauses = dict.fromkeys(part for one in deciding for part in one.clause.removesuffix(".").split("; "))
            evidence: dict[str, Evidence] = {}
            for ruling in deciding:
                evidence |= {f"{e.path} {e.expected}": e for e in ruling.evidence}
            return Ruling(outcome, "; ".join(clauses), tuple(evidence.values()), *_many(rulings, deciding))
    return Ruling(_UNKNOWN, "the rule asks nothing")


def _many(rulings: Sequence[Ruling], deciding: Sequence[Ruling]) -> tuple[tuple[Subject, ...], str]:
    """The subjects of all parts that decide, and why there may be more.

    None where a part fails for another reason, which no accepted subject would mend.
    """
    if not all(ruling.subjects for ruling in deciding):
        return (), ""
    subjects = dict.fromkeys(subject for ruling in deciding for subject in ruling.subjects)
    unread = [ruling.unread or ruling.clause for ruling in rulings if ruling.unread or ruling.outcome is _UNKNOWN]
    return tuple(subjects), next(iter(unread), "")
