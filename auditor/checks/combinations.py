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
    likely,
    require_entries,
    shown,
)
from auditor.model.decision import Confidence
from auditor.model.document import Point
from auditor.model.report import Evidence, FindingSubject
from auditor.model.rule import App, FindingOutcome, Setting
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

    def setting(self, app: App | None) -> Setting:
        """The setting of the first check: the others say what else must hold, or what replaces it."""
        return self.checks[0].setting(app)

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
        """The first check that passes decides; a certain pass comes before a likely one."""
        results = tuple(one.judge(context) for one in self.checks)
        passing = sorted((result for result in results if result.outcome is _PASS), key=_is_likely)
        return passing[0] if passing else _decided(results, (_UNKNOWN, _FAIL))

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
        return _decided(tuple(one.judge(context) for one in self.checks), (_FAIL, _UNKNOWN, _PASS), one_decides=_FAIL)

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

    def setting(self, app: App | None) -> Setting:
        return self.check.setting(app)

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
    """The result with pass and fail swapped, and the expected values negated; any other outcome stays as it is.

    The opposite of a likely failure is unknown: what was not read never lets a rule pass.
    """
    if result.outcome not in (_PASS, _FAIL):
        return result
    if result.outcome is _FAIL and _is_likely(result):
        return CheckResult(_UNKNOWN, result.clause, result.evidence)
    verdict = "as required, the negated check fails" if result.outcome is _FAIL else "the negated check passes"
    evidence = tuple(Evidence(path=e.path, actual=e.actual, expected=_anything_else(e)) for e in result.evidence)
    outcome = _PASS if result.outcome is _FAIL else _FAIL
    return CheckResult(outcome, f"{verdict}: {result.clause}", evidence, confidence=result.confidence)


def _is_likely(result: CheckResult) -> bool:
    return result.confidence is Confidence.LIKELY


def _anything_else(evidence: Evidence) -> str | None:
    return None if evidence.expected is None else f"anything but {shown(evidence.expected)}"


def _decided(
    results: tuple[CheckResult, ...], order: Iterable[FindingOutcome], one_decides: FindingOutcome | None = None
) -> CheckResult:
    """The result with the first of these outcomes that any check has, with the reasons of all that have it.

    It is as certain as the least certain of them; for the outcome that one check alone decides, as the most certain.
    """
    for outcome in (*order, _NOT_APPLICABLE):
        deciding = [result for result in results if result.outcome is outcome]
        if deciding:
            is_likely = (all if outcome is one_decides else any)(map(_is_likely, deciding))
            clauses = dict.fromkeys(part for one in deciding for part in one.clause.removesuffix(".").split("; "))
            evidence: dict[str, Evidence] = {}
            for result in deciding:
                evidence |= {f"{e.path} {e.expected}": e for e in result.evidence}
            found = CheckResult(outcome, "; ".join(clauses), tuple(evidence.values()), *_subjects(results, deciding))
            return likely(found) if is_likely else found
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
