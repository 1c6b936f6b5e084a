"""Run the cases in packs: evaluate each rule on small tenants and compare the outcome with the expected one."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from auditor.checks.findings import finding
from auditor.checks.kind import CheckContext
from auditor.model.report import Finding
from auditor.model.rule import App, FindingOutcome, Pack, Rule, RuleCase
from auditor.model.snapshot import REMOVED_BY_CASE, Snapshot, Unread
from auditor.packs import PackError as PackError
from auditor.packs import Position
from auditor.packs.lint import lacking_of
from auditor.packs.lint import outcomes_phrase as outcomes_phrase
from auditor.packs.load import Source, load
from auditor.packs.parse import case_places, rule_places
from auditor.snapshot import SnapshotError
from auditor.snapshot.retarget_sample import SAMPLE_APP, publishing, retarget
from auditor.snapshot.samples import patched, sample, sample_names

REFUSED = Unread(status=403, code="Authorization_RequestDenied", message=REMOVED_BY_CASE)


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a rule on one case. `problem` is empty if it is the expected one."""

    rule: Rule
    case: RuleCase
    finding: Finding
    problem: str


def run_cases(pack: Pack) -> Iterator[CaseResult]:
    """Run every case of every rule, in the order of the pack. An abstract pack has no cases to run."""
    if pack.abstract:
        return
    for rule in pack.rules:
        for case in rule.cases:
            yield run_case(rule, case, pack)


def run_case(rule: Rule, case: RuleCase, pack: Pack) -> CaseResult:
    """Evaluate the rule on the case's tenant. A tenant that Graph could not return is a problem of the case."""
    try:
        snapshot = tenant_of(case, pack.app)
    except SnapshotError as error:
        problem = f"the tenant of this case is impossible: {error}"
        nothing = Finding(
            rule=rule.id,
            pack=pack.name,
            title=rule.title,
            severity=rule.severity,
            outcome=FindingOutcome.UNKNOWN,
            reason=problem,
            fingerprint="",
        )
        return CaseResult(rule=rule, case=case, finding=nothing, problem=problem)
    found = finding(rule, pack, CheckContext(snapshot, pack.app))
    return CaseResult(rule=rule, case=case, finding=found, problem=_problem(case, found))


def tenant_of(case: RuleCase, app: App | None = None) -> Snapshot:
    """The tenant of a case: its sample with the case's changes, and without the parts that could not be read.

    The sample's app is replaced by `app`, the one that the pack is about, also where the changes mention it.
    """
    snapshot = _about(app, sample(case.sample), case)
    covers = {name: parts for name, parts in snapshot.covers.items() if name not in case.whole}
    snapshot = msgspec.structs.replace(snapshot, covers=covers)
    for part in case.unread:
        snapshot = _without(snapshot, part)
    return snapshot


def _about(app: App | None, snapshot: Snapshot, case: RuleCase) -> Snapshot:
    if app is None or SAMPLE_APP not in str(case.set).lower():
        return patched(retarget(snapshot, app), case.set)
    if app.client_id != SAMPLE_APP:
        return retarget(patched(snapshot, case.set), app)
    return publishing(patched(retarget(snapshot, app), case.set), app)


def _without(snapshot: Snapshot, key: str) -> Snapshot:
    section, _, part = key.partition("/")
    unread = {**snapshot.unread, key: REFUSED}
    if not part:
        sections = msgspec.structs.replace(snapshot.sections, **{section: None})
        return msgspec.structs.replace(snapshot, sections=sections, unread=unread)
    part = part.lower()
    covers = {name: tuple(p for p in parts if p.lower() != part) for name, parts in snapshot.covers.items()}
    value = getattr(snapshot.sections, section)
    if isinstance(value, dict):
        value = {name: rows for name, rows in value.items() if name.lower() != part}
    else:
        covers.setdefault(section, ())
        value = tuple(row for row in value or () if str(getattr(row, "appId", "")).lower() != part)
    sections = msgspec.structs.replace(snapshot.sections, **{section: value})
    return msgspec.structs.replace(snapshot, sections=sections, unread=unread, covers=covers)


def _problem(case: RuleCase, found: Finding) -> str:
    if found.outcome is not case.expect:
        return f"expected {case.expect.value}, but the rule gives {found.outcome.value}: {found.reason}"
    if case.reason and case.reason.lower() not in found.reason.lower():
        return f"the reason should contain {case.reason!r}, but is: {found.reason}"
    paths = [evidence.path for evidence in found.evidence]
    for wanted in case.evidence:
        if not any(wanted.lower() in path.lower() for path in paths):
            return f"the evidence should name {wanted!r}, but names: {', '.join(paths) or 'nothing'}"
    return ""


class Mismatch(StrEnum):
    """How the result of a rule differs from what the case expects."""

    MISSED = "missed"
    """The rule should fail but doesn't. This is the dangerous kind."""
    FALSE_ALARM = "false alarm"
    """The rule fails but should not."""
    OTHER_OUTCOME = "other outcome"
    """Pass, unknown or not applicable in place of another of the three."""
    OTHER_REASON = "other reason"
    """The outcome is right, but the reason or the evidence is not what the case names."""


class FailedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose rule doesn't give the expected result, and where the case is in the pack."""

    result: CaseResult
    at: Position
    mismatch: Mismatch


class PackResult(msgspec.Struct, frozen=True, kw_only=True):
    """The results of one pack's cases. `gaps` are the rules that lack a failing, passing or unknown case."""

    pack: Pack
    results: tuple[CaseResult, ...] = ()
    failed: tuple[FailedCase, ...] = ()
    gaps: tuple[tuple[Rule, tuple[FindingOutcome, ...], Position], ...] = ()

    @property
    def without_cases(self) -> int:
        """How many rules have no case at all."""
        return sum(not rule.cases for rule, _, _ in self.gaps)


def run_pack(source: Source, only: str = "") -> PackResult:
    """Run the pack's cases, or only those of the rule `only`. Raises PackError for a broken pack.

    An abstract pack has no app, so its rules are tested through the packs that extend it.
    """
    pack = load(source, samples=sample_names())
    if only:
        pack = msgspec.structs.replace(pack, rules=tuple(r for r in pack.rules if r.id.lower() == only.lower()))
    if pack.abstract:
        return PackResult(pack=pack)
    results = tuple(run_cases(pack))
    places, rules = case_places(source), rule_places(source)
    here = Position(pack.origin)
    failed = tuple(
        FailedCase(result=r, at=places.get((r.rule.id, r.case.name), here), mismatch=_mismatch(r))
        for r in results
        if r.problem
    )
    gaps = tuple((r, lacking, rules.get(r.id, here)) for r in pack.rules if (lacking := lacking_of(r)))
    return PackResult(pack=pack, results=results, failed=failed, gaps=gaps)


def _mismatch(result: CaseResult) -> Mismatch:
    expected, found = result.case.expect, result.finding.outcome
    if expected is found:
        return Mismatch.OTHER_REASON
    if expected is FindingOutcome.FAIL:
        return Mismatch.MISSED
    return Mismatch.FALSE_ALARM if found is FindingOutcome.FAIL else Mismatch.OTHER_OUTCOME
