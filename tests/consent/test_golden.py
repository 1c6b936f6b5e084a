"""Every decision and every fix on every sample tenant, to the letter: steps, proofs, undo, requests and scripts.

After a change that is meant, write them anew and read the difference before committing it:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/consent/test_golden.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.fixes.script import NoScript, Shell, script
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.decision import Decision, ScopeVerdict
from auditor.model.fix import Fix, GraphRequest
from auditor.snapshot.samples import sample, sample_names

GOLDEN = Path(__file__).with_name("golden")


def decision_lines(one: Decision) -> Iterator[str]:
    yield f"{one.outcome.value} {one.confidence.value} {one.reason.value} {one.code}: {one.because}"
    yield f"  screen {one.screen}"
    for name, texts in (
        ("also", one.also),
        ("doubt", one.doubts),
        ("depends", one.depends_on),
        ("could be", one.outcomes),
        ("note", one.notes),
        ("advice", one.advice),
    ):
        yield from (f"  {name} {text}" for text in texts)
    for scope in one.scopes:
        yield from scope_lines(scope)


def scope_lines(one: ScopeVerdict) -> Iterator[str]:
    flags = "".join(
        letter if flag else "-" for letter, flag in zip("rai", (one.required, one.assumed, one.implicit), strict=True)
    )
    yield f"  {one.scope} {flags} {one.verdict.value} {one.reason.value} {one.confidence.value}: {one.detail}"
    yield f"    {one.resource} {one.resource_name} {one.permission_id} {one.policy} {one.condition_set}"
    for step in one.steps:
        yield f"    {step.policy} {step.kind} {step.condition_set} {step.matched}: {step.why}"


def fix_lines(one: Fix, tenant: str) -> Iterator[str]:
    yield f"{one.key} {one.route}: {one.title} ({one.role})"
    for name, text in (("link", one.link), ("verify", one.verify), ("undo", one.undo), ("expect", one.expect)):
        yield f"  {name} {text}"
    yield f"  proven {one.proven.outcome} {one.proven.confidence} {one.proven.subject}: {one.proven.because}"
    yield from (f"  doubt {text}" for text in one.proven.doubts)
    yield f"  opens {json.dumps(one.opens, sort_keys=True, default=dict)}"
    yield from (f"  portal {step}" for step in one.steps.portal)
    for name, requests in (
        ("graph", one.steps.graph),
        ("undo graph", one.undo_graph),
        ("applied", one.proven.applied),
    ):
        yield from (f"  {name} {request_line(request)}" for request in requests)
    yield from (f"  fill in {text}" for text in one.fill_in)
    for shell in Shell:
        try:
            text = script(one, shell, tenant=tenant)
        except NoScript as why:
            text = f"no script: {why}"
        yield from (f"  {shell.value}| {line}".rstrip() for line in text.splitlines())


def request_line(one: GraphRequest) -> str:
    return f"{one.method} {one.url} {json.dumps(one.body, default=dict)} {one.returns}".rstrip()


@pytest.mark.parametrize("name", sample_names())
def test_decisions_and_fixes_on_a_sample_are_as_they_were_read_and_approved(name: str) -> None:
    (decision,) = build_report(sample(name), chosen_packs(["trackerrms-uk"])).decisions
    fixes = [line for fix in decision.fixes for line in fix_lines(fix, sample(name).tenant.id)]
    text = "\n".join((*decision_lines(decision), *fixes)) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")
