"""Every case that a shipped pack carries comes out as written."""

from __future__ import annotations

import pytest

from auditor.jobs.cases import CaseResult, run_cases
from auditor.model.finding import FindingOutcome
from auditor.packs.find import list_packs, load_packs

PACKS = load_packs([pack.name for pack in list_packs(benchmarks=True)])
RESULTS = [(pack.name, result) for pack in PACKS for result in run_cases(pack)]


@pytest.mark.parametrize(
    "result", [r for _, r in RESULTS], ids=[f"{name}:{r.rule.id}:{r.case.name}" for name, r in RESULTS]
)
def test_the_rule_says_what_its_case_expects(result: CaseResult) -> None:
    assert result.problem == ""


@pytest.mark.parametrize("result", [r for _, r in RESULTS], ids=lambda r: f"{r.rule.id}:{r.case.name}")
def test_what_needs_attention_comes_with_advice_and_the_rest_without(result: CaseResult) -> None:
    attention = result.finding.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)
    assert bool(result.finding.remediation.portal) == attention
    assert result.finding.reason.endswith((".", ".)"))


def test_there_are_cases_to_run() -> None:
    assert len(RESULTS) > 150
