"""Checks made of checks: any, all, not. They are three-valued, so that data that was not read stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.checks.kind import (
    ArgumentPath,
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    entries_at,
    is_empty_list,
    require_entries,
    shown,
)
from auditor.model.document import Point
from auditor.model.finding import Evidence, FindingOutcome, FindingSubject
from auditor.model.rule import App
from auditor.model.snapshot import Plan

_FAIL, _PASS = FindingOutcome.FAIL, FindingOutcome.PASS
_UNKNOWN, _NOT_APPLICABLE = FindingOutcome.UNKNOWN, FindingOutcome.NOT_APPLICABLE


class _Several(CheckKind, frozen=True):
    """What ``any`` and ``all`` have in common."""

    checks: tuple[CheckKind, ...]

    @property
    def inner(self) -> tuple[CheckKind, ...]:
        return self.checks

    def reads(self, app: App | None) -> Plan:
        plan = Plan()
        for one in self.checks:
            plan = plan.union(one.reads(app))
        return plan

    @classmethod
    def inner_arguments(cls, arguments: Arguments) -> Iterator[tuple[ArgumentPath, Any]]:
        yield from entries_at(arguments, "checks")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        if is_empty_list(arguments, "checks"):
            yield ArgumentProblem(("checks",), "checks is an empty list", "at least one check")

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        require_entries(definition, "checks")


class AnyOf(_Several, frozen=True, tag="any"):
    """At least one of the checks passes."""

    def sentence(self) -> Point:
        return Point("At least one of these statements is true:", tuple(one.sentence() for one in self.checks))

    def judge(self, context: CheckContext) -> CheckResult:
        """The first check that passes decides."""
        results = tuple(one.judge(context) for one in self.checks)
        passing = next((result for result in results if result.outcome is _PASS), None)
        return passing or _decided(results, (_UNKNOWN, _FAIL))

    @property
    def can_fail(self) -> bool:
        return all(one.can_fail for one in self.checks)

    @property
    def can_pass(self) -> bool:
        return any(one.can_pass for one in self.checks)


class AllOf(_Several, frozen=True, tag="all"):
    """Every one of the checks passes."""

    def sentence(self) -> Point:
        return Point("All of these statements are true:", tuple(one.sentence() for one in self.checks))

    def judge(self, context: CheckContext) -> CheckResult:
        """One check that fails decides; checks that don't apply are ignored, unless none of them applies."""
        return _decided(tuple(one.judge(context) for one in self.checks), (_FAIL, _UNKNOWN, _PASS))

    @property
    def can_fail(self) -> bool:
        return any(one.can_fail for one in self.checks)

    @property
    def can_pass(self) -> bool:
        return all(one.can_pass for one in self.checks)


class Not(CheckKind, frozen=True, tag="not"):
    """The check fails."""

    check: CheckKind

    @property
    def inner(self) -> tuple[CheckKind, ...]:
        return (self.check,)

    def reads(self, app: App | None) -> Plan:
        return self.check.reads(app)

    def sentence(self) -> Point:
        return Point("This statement is false:", (self.check.sentence(),))

    @classmethod
    def inner_arguments(cls, arguments: Arguments) -> Iterator[tuple[ArgumentPath, Any]]:
        yield ("check",), arguments.get("check")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from ()  # the check inside is validated by itself

    def judge(self, context: CheckContext) -> CheckResult:
        return opposite(self.check.judge(context))

    @property
    def can_fail(self) -> bool:
        return self.check.can_pass

    @property
    def can_pass(self) -> bool:
        return self.check.can_fail


def opposite(result: CheckResult) -> CheckResult:
    """The result with pass and fail swapped, and the expected values negated; any other outcome stays as it is."""
    if result.outcome not in (_PASS, _FAIL):
        return result
    verdict = "as required, the negated check fails" if result.outcome is _FAIL else "the negated check passes"
    evidence = tuple(Evidence(path=e.path, actual=e.actual, expected=_anything_else(e)) for e in result.evidence)
    return CheckResult(_PASS if result.outcome is _FAIL else _FAIL, f"{verdict}: {result.clause}", evidence)


def _anything_else(evidence: Evidence) -> str | None:
    return None if evidence.expected is None else f"anything but {shown(evidence.expected)}"


def _decided(results: tuple[CheckResult, ...], order: Iterable[FindingOutcome]) -> CheckResult:
    """The result with the first of these outcomes that any check has, with the reasons of all that have it."""
    for outcome in (*order, _NOT_APPLICABLE):
        deciding = [result for result in results if result.outcome is outcome]
        if deciding:
            clauses = dict.fromkeys(part for one in deciding for part in one.clause.removesuffix(".").split("; "))
            evidence: dict[str, Evidence] = {}
            for result in deciding:
                evidence |= {f"{e.path} {e.expected}": e for e in result.evidence}
            return CheckResult(outcome, "; ".join(clauses), tuple(evidence.values()), *_subjects(results, deciding))
    return CheckResult(_UNKNOWN, "the rule contains no check")


def _subjects(
    results: Sequence[CheckResult], deciding: Sequence[CheckResult]
) -> tuple[tuple[FindingSubject, ...], str]:
    """The subjects of all checks that decide, and why there may be more.

    None where one of the checks fails for another reason, which accepting the subjects would not fix.
    """
    if not all(result.subjects for result in deciding):
        return (), ""
    subjects = dict.fromkeys(subject for result in deciding for subject in result.subjects)
    unread = [result.unread or result.clause for result in results if result.unread or result.outcome is _UNKNOWN]
    return tuple(subjects), next(iter(unread), "")
