"""``packs test``: the cases of a pack, each run, and what they leave unshown."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.jobs.cases import CaseResult, run_cases
from auditor.model.finding import FindingOutcome
from auditor.model.rule import Pack, Rule
from auditor.packs.lint import lacking_of
from auditor.packs.load import case_places, load, rule_places
from auditor.packs.pack_errors import Position
from auditor.packs.sources import Source
from auditor.snapshot.samples import sample_names


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
