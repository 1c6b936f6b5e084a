"""Every decision on every sample tenant, word for word, with the fixes that are offered; see tests/golden.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.decision import Decision, ScopeVerdict
from auditor.snapshot.samples import sample, sample_names
from tests.golden import check_golden

GOLDEN = Path(__file__).with_name("golden")


def decision_lines(one: Decision) -> Iterator[str]:
    yield f"{one.outcome.value} {one.confidence.value} {one.reason.value} {one.code}: {one.because}"
    yield f"  screen {one.screen}"
    for name, texts in (
        ("also", one.also),
        ("caveat", one.caveats),
        ("depends", one.depends_on),
        ("could be", one.outcomes),
        ("note", one.notes),
        ("advice", one.advice),
    ):
        yield from (f"  {name} {text}" for text in texts)
    for scope in one.scopes:
        yield from scope_lines(scope)
    for fix in one.fixes:
        yield f"  fix {fix.key}: {fix.title} ({fix.role})"
        yield f"    proven {fix.proven.outcome} {fix.proven.confidence} {fix.proven.subject}: {fix.proven.because}"
        yield from (f"    caveat {text}" for text in fix.proven.doubts)


def scope_lines(one: ScopeVerdict) -> Iterator[str]:
    flags = "".join(
        letter if flag else "-" for letter, flag in zip("rai", (one.required, one.assumed, one.implicit), strict=True)
    )
    yield f"  {one.scope} {flags} {one.verdict.value} {one.reason.value} {one.confidence.value}: {one.detail}"
    yield f"    {one.resource} {one.resource_name} {one.permission_id} {one.policy} {one.condition_set}"
    for step in one.steps:
        yield f"    {step.policy} {step.kind} {step.condition_set} {step.matched}: {step.why}"


@pytest.mark.parametrize("name", sample_names())
def test_the_decision_on_a_sample_is_as_it_was_read_and_approved(name: str) -> None:
    (decision,) = build_report(sample(name), chosen_packs(["trackerrms-uk"])).decisions
    check_golden(GOLDEN / f"{name}.txt", "\n".join(decision_lines(decision)) + "\n")
