"""Where benchmarks contradict each other about a tenant: reported, and not decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.model.finding import Disagreement, Finding, FindingOutcome, Stand

SHARED_CONTROLS = 2
"""The controls that two rules must share to be about the same thing: a single one of several may only be related."""

_PASS, _FAIL = FindingOutcome.PASS, FindingOutcome.FAIL


def disagreements(findings: Iterable[Finding]) -> tuple[Disagreement, ...]:
    """Every group of rules about the same controls of which some pass and some fail, in the order of the findings.

    Unknown and not applicable findings contradict nothing, and rules of one pack don't contradict each other.
    """
    judged = [one for one in findings if one.outcome in (_PASS, _FAIL) and one.frameworks]
    return tuple(map(_disagreement, filter(_is_split, _groups(judged))))


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Groups of findings about the same thing, directly or through another finding."""
    left = list(findings)
    while left:
        group = [left.pop(0)]
        for one in group:  # grows during the loop
            near = [other for other in left if _same_controls(one, other)]
            group += near
            left = [other for other in left if other not in near]
        yield sorted(group, key=findings.index)


def _same_controls(one: Finding, other: Finding) -> bool:
    mine, others = set(one.frameworks.items()), set(other.frameworks.items())
    return mine == others or len(mine & others) >= SHARED_CONTROLS


def _is_split(group: Sequence[Finding]) -> bool:
    packs = {outcome: {one.pack for one in group if one.outcome is outcome} for outcome in (_PASS, _FAIL)}
    return any(passing != failing for passing in packs[_PASS] for failing in packs[_FAIL])


def _disagreement(group: Sequence[Finding]) -> Disagreement:
    return Disagreement(
        about=group[0].title,
        stands=tuple(Stand(rule=one.rule, pack=one.pack, outcome=one.outcome, view=one.note) for one in group),
    )
