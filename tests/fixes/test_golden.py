"""One fix of each kind, word for word: steps, proof, undo, requests and both scripts; see tests/golden.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from auditor.fixes.script import NoScript, Shell, script
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.decision import Fix, GraphRequest
from auditor.snapshot.samples import sample, sample_names
from tests.fixes.tenants import rule_fixes
from tests.golden import check_golden

GOLDEN = Path(__file__).with_name("golden")
ENDINGS = {Shell.POWERSHELL: "ps1", Shell.AZ: "sh"}


class Offered(NamedTuple):
    """A fix that is offered on a sample, and what its golden files are called."""

    golden: str
    sample: str
    key: str


FIXES = (
    Offered("consent-by-the-registration", "managed-default", "R1"),
    Offered("consent-by-a-link-with-scopes", "managed-default", "R1-scopes"),
    Offered("new-app-with-a-grant", "managed-default", "R3"),
    Offered("new-grant", "low-unclassified", "R3"),
    Offered("longer-grant", "admin-consented-partly", "R3"),
    Offered("consent-policy-for-the-app", "low-unclassified", "R4"),
    Offered("classification", "classified-on-exchange-only", "R5"),
    Offered("no-assignment", "assignment-required", "R6-open"),
    Offered("enabled-app", "app-disabled", "R7"),
    Offered("consent-workflow", "managed-default", "R8"),
    Offered("user-consent-setting", "low-unclassified", "R9-legacy"),
    Offered("no-user-consent", "managed-default", "R9-none"),
    Offered("low-impact-consent-only", "managed-default", "R9-low-only"),
    Offered("no-app-registration", "managed-default", "R13-register-apps"),
)


@cache
def offered(name: str) -> dict[str, Fix]:
    (decision,) = build_report(sample(name), chosen_packs(["trackerrms-uk"])).decisions
    of_rules = [fix for fixes in rule_fixes(sample(name)).values() for fix in fixes.values()]
    return {fix.key: fix for fix in (*of_rules, *decision.fixes)}


def lines(one: Fix) -> Iterator[str]:
    yield f"{one.key} {one.route}: {one.title} ({one.role})"
    for name, text in (("link", one.link), ("verify", one.verify), ("undo", one.undo), ("expect", one.expect)):
        yield f"  {name} {text}"
    yield f"  proven {one.proven.outcome} {one.proven.confidence} {one.proven.subject}: {one.proven.because}"
    yield from (f"  caveat {text}" for text in one.proven.doubts)
    yield f"  opens {json.dumps(one.opens, sort_keys=True, default=dict)}"
    yield from (f"  portal {step}" for step in one.steps.portal)
    for name, requests in (
        ("graph", one.steps.graph),
        ("undo graph", one.undo_graph),
        ("applied", one.proven.applied),
    ):
        yield from (f"  {name} {request_line(request)}" for request in requests)
    yield from (f"  fill in {text}" for text in one.fill_in)


def request_line(one: GraphRequest) -> str:
    return f"{one.method} {one.url} {json.dumps(one.body, default=dict)} {one.returns}".rstrip()


@pytest.mark.parametrize("one", FIXES, ids=lambda one: one.golden)
def test_a_fix_is_as_it_was_read_and_approved(one: Offered) -> None:
    check_golden(GOLDEN / f"{one.golden}.txt", "\n".join(lines(offered(one.sample)[one.key])) + "\n")


@pytest.mark.parametrize("shell", ENDINGS)
@pytest.mark.parametrize("one", FIXES, ids=lambda one: one.golden)
def test_the_script_of_a_fix_is_as_it_was_read_and_approved(one: Offered, shell: Shell) -> None:
    path = GOLDEN / f"{one.golden}.{ENDINGS[shell]}"
    try:
        text = script(offered(one.sample)[one.key], shell, tenant=sample(one.sample).tenant.id)
    except NoScript as why:
        assert str(why) == "it is a link that an administrator opens, so there is nothing to run"
        assert not path.exists()
    else:
        check_golden(path, text)


def test_every_kind_of_fix_that_a_sample_is_offered_has_its_golden_files() -> None:
    assert {one.key for one in FIXES} == {key for name in sample_names() for key in offered(name)}
    assert {path.stem for path in GOLDEN.iterdir()} == {one.golden for one in FIXES}
