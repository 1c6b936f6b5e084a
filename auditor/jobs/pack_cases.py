"""The cases that packs carry: each rule on small tenants, and whether it said what the case expects."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from auditor.checks.context import CheckContext
from auditor.checks.findings import finding
from auditor.model.app import App
from auditor.model.finding import Finding, FindingOutcome
from auditor.model.rule import Pack, Rule, RuleCase
from auditor.model.snapshot import REMOVED_BY_CASE, Snapshot, Unread
from auditor.packs.lint import lacking_of
from auditor.packs.lint import outcomes_phrase as outcomes_phrase
from auditor.packs.load import case_places, load, rule_places
from auditor.packs.pack_errors import PackError as PackError
from auditor.packs.pack_errors import Position
from auditor.packs.sources import Source
from auditor.snapshot.retarget_sample import SAMPLE_APP, publishing, retarget
from auditor.snapshot.samples import patched, sample, sample_names
from auditor.snapshot.snapshot_errors import SnapshotError

REFUSED = Unread(status=403, code="Authorization_RequestDenied", message=REMOVED_BY_CASE)


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule said of one case. `problem` is empty when it said what the case expects."""

    rule: Rule
    case: RuleCase
    finding: Finding
    problem: str


def run_cases(pack: Pack) -> Iterator[CaseResult]:
    """Every case of every rule, in the order of the pack; an abstract pack has none to run."""
    if pack.abstract:
        return
    for rule in pack.rules:
        for case in rule.cases:
            yield run_case(rule, case, pack)


def run_case(rule: Rule, case: RuleCase, pack: Pack) -> CaseResult:
    """What the rule says of the case's tenant; a tenant that Graph could not return is a problem of the case."""
    try:
        snapshot = tenant_of(case, pack.app)
    except SnapshotError as error:
        problem = f"the tenant of this case cannot be: {error}"
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
    """The tenant of a case: its sample, changed, and with parts taken away as a refused read leaves them.

    The sample's app is taken to be `app`, the one that the pack is about, also where the change speaks of it.
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
        return f"expected {case.expect.value}, the rule says {found.outcome.value}: {found.reason}"
    if case.reason and case.reason.lower() not in found.reason.lower():
        return f"the reason should hold {case.reason!r}, and is: {found.reason}"
    paths = [evidence.path for evidence in found.evidence]
    for wanted in case.evidence:
        if not any(wanted.lower() in path.lower() for path in paths):
            return f"the evidence should name {wanted!r}, and names: {', '.join(paths) or 'nothing'}"
    return ""


class Direction(StrEnum):
    """How a rule went wrong over a case."""

    MISSED = "missed"
    """It should fail, and came out otherwise: the dangerous way."""
    FALSE_ALARM = "false alarm"
    """It should not fail, and did."""
    OTHER = "other outcome"
    """Pass, unknown and not applicable were mixed up."""
    WRONG_WORDS = "other reason"
    """The outcome is right, but neither the reason nor the evidence that the case names."""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A case that came out otherwise than it says."""

    result: CaseResult
    at: Position
    direction: Direction


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What the cases of one pack showed. `gaps` are rules that no case shows failing, passing or unknown."""

    pack: Pack
    results: tuple[CaseResult, ...] = ()
    failed: tuple[Failed, ...] = ()
    gaps: tuple[tuple[Rule, tuple[FindingOutcome, ...], Position], ...] = ()

    @property
    def without_cases(self) -> int:
        """How many rules have no case at all."""
        return sum(not rule.cases for rule, _, _ in self.gaps)


def tested(source: Source, only: str = "") -> Tested:
    """The pack's cases, or those of the rule `only`, run. Raises PackError for a pack that is broken.

    An abstract pack has no app and is tested through those that extend it.
    """
    pack = load(source, samples=sample_names())
    if only:
        pack = msgspec.structs.replace(pack, rules=tuple(r for r in pack.rules if r.id.lower() == only.lower()))
    if pack.abstract:
        return Tested(pack=pack)
    results = tuple(run_cases(pack))
    places, rules = case_places(source), rule_places(source)
    here = Position(pack.origin)
    failed = tuple(
        Failed(result=r, at=places.get((r.rule.id, r.case.name), here), direction=_direction(r))
        for r in results
        if r.problem
    )
    gaps = tuple((r, lacking, rules.get(r.id, here)) for r in pack.rules if (lacking := lacking_of(r)))
    return Tested(pack=pack, results=results, failed=failed, gaps=gaps)


def _direction(result: CaseResult) -> Direction:
    wanted, found = result.case.expect, result.finding.outcome
    if wanted is found:
        return Direction.WRONG_WORDS
    if wanted is FindingOutcome.FAIL:
        return Direction.MISSED
    return Direction.FALSE_ALARM if found is FindingOutcome.FAIL else Direction.OTHER
