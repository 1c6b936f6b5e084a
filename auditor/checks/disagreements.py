"""Where benchmarks contradict each other over a tenant: told, and not decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.model.finding import Disagreement, Finding, FindingOutcome, Stand

ALIKE = 2
"""Controls that two rules must name in common to be about the same thing: one of several may be kin only."""

_PASS, _FAIL = FindingOutcome.PASS, FindingOutcome.FAIL


def disagreements(findings: Iterable[Finding]) -> tuple[Disagreement, ...]:
    """Every group of rules about the same controls of which some pass and some fail, in the order of the findings.

    What is unknown or not applicable contradicts nobody, and rules of one pack do not contradict each other.
    """
    judged = [one for one in findings if one.outcome in (_PASS, _FAIL) and one.frameworks]
    return tuple(map(_told, filter(_is_split, _groups(judged))))


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """The findings that are alike, directly or through another one."""
    left = list(findings)
    while left:
        group = [left.pop(0)]
        for one in group:  # grows while it is walked
            near = [other for other in left if _alike(one, other)]
            group += near
            left = [other for other in left if other not in near]
        yield sorted(group, key=findings.index)


def _alike(one: Finding, other: Finding) -> bool:
    mine, others = set(one.frameworks.items()), set(other.frameworks.items())
    return mine == others or len(mine & others) >= ALIKE


def _is_split(group: Sequence[Finding]) -> bool:
    packs = {outcome: {one.pack for one in group if one.outcome is outcome} for outcome in (_PASS, _FAIL)}
    return any(passing != failing for passing in packs[_PASS] for failing in packs[_FAIL])


def _told(group: Sequence[Finding]) -> Disagreement:
    return Disagreement(
        about=group[0].title,
        stands=tuple(Stand(rule=one.rule, pack=one.pack, outcome=one.outcome, view=one.note) for one in group),
    )
