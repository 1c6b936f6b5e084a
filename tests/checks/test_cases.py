"""Every case in a shipped pack has the outcome that the pack states."""

from __future__ import annotations

import pytest

from auditor.jobs.pack_authoring import run_case
from auditor.model.rule import FindingOutcome, Pack, Rule, RuleCase
from auditor.packs.load import list_packs, load_packs

PACKS = load_packs([pack.name for pack in list_packs(benchmarks=True)])
CASES = [
    pytest.param(pack, rule, case, id=f"{pack.name}:{rule.id}:{case.name}")
    for pack in PACKS
    for rule in pack.rules
    for case in rule.cases
]


@pytest.mark.parametrize(("pack", "rule", "case"), CASES)
def test_the_rule_says_what_its_case_expects_with_advice_where_it_is_needed(
    pack: Pack, rule: Rule, case: RuleCase
) -> None:
    result = run_case(rule, case, pack)
    assert result.problem == ""
    attention = result.finding.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)
    advice = result.finding.remediation
    assert bool(advice.portal or advice.link) == attention
    assert result.finding.reason.endswith((".", ".)"))


def test_there_are_cases_to_run() -> None:
    assert len(CASES) > 150
