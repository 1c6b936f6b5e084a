"""What holds of every rule of every shipped pack, whatever the tenant."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.checks.findings import finding, judge
from auditor.checks.kind import CheckContext, kind_of, reads_of
from auditor.checks.required_reads import sections_of
from auditor.jobs.pack_authoring import REFUSED, tenant_of
from auditor.jobs.report_builder import build_report
from auditor.model.report import Finding
from auditor.model.rule import FindingOutcome, Pack, Rule
from auditor.model.snapshot import Snapshot
from auditor.packs.load import list_packs, load_packs
from auditor.render import render
from auditor.snapshot.samples import sample, sample_names
from tests.checks.test_findings import blind
from tests.consent.from_oracle import snapshot_of
from tests.limits import examples
from tests.oracle.strategies import shuffled_and_recased, tenants

PACKS = load_packs([pack.name for pack in list_packs(benchmarks=True)])
BENCHMARKS = [pack for pack in PACKS if pack.app is None]
RULES = [pytest.param(pack, rule, id=rule.id) for pack in BENCHMARKS for rule in pack.rules]
DECIDED = (FindingOutcome.PASS, FindingOutcome.FAIL)

ONLY_NAMES = {
    "MS.AAD.5.2v1": {"servicePrincipals"},
    "HYG-RISKY-CLASSIFIED-LOW": {"servicePrincipals"},
    "HYG-APP-ONLY-MAIL": {"oauth2PermissionGrants"},
    "HYG-APP-ONLY-DIRECTORY": {"oauth2PermissionGrants"},
    "HYG-APP-ONLY-FILES": {"oauth2PermissionGrants"},
    "MS-CONSENT-NOT-EVERYTHING": {"delegatedPermissionClassifications"},
    "MS-MAIL-AND-FILES": {"delegatedPermissionClassifications"},
}
"""Sections that come along with a read, or serve the wording alone, in the tenants of these rules' cases."""


def outcomes(snapshot: Snapshot) -> dict[str, str]:
    found = (f for pack in BENCHMARKS for f in judge(pack, CheckContext(snapshot)))
    return {f.rule: f.outcome.value for f in found}


def without(snapshot: Snapshot, *names: str) -> Snapshot:
    sections = msgspec.structs.replace(snapshot.sections, **dict.fromkeys(names))
    unread = {**snapshot.unread, **dict.fromkeys(names, REFUSED)}
    return msgspec.structs.replace(snapshot, sections=sections, unread=unread)


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_where_nothing_was_read_every_rule_is_unknown(pack: Pack) -> None:
    found = judge(pack, CheckContext(blind(sample("admin-consented")), pack.app))
    assert {f.outcome for f in found} == {FindingOutcome.UNKNOWN}


@pytest.mark.parametrize(("pack", "rule"), RULES)
def test_an_unread_section_gives_unknown_and_never_the_opposite(pack: Pack, rule: Rule) -> None:
    """Or what was said before, where the rest decides alone; each section that a rule reads matters somewhere."""
    reads = set(sections_of(reads_of(rule.check, None)))
    matters: set[str] = set()
    for case in rule.cases:
        if case.expect not in DECIDED:
            continue
        snapshot = tenant_of(case)
        for section in sorted(reads):
            after = finding(rule, pack, CheckContext(without(snapshot, section))).outcome
            assert after in (case.expect, FindingOutcome.UNKNOWN), (case.name, section)
            matters |= {section} if after is FindingOutcome.UNKNOWN else set()
        assert finding(rule, pack, CheckContext(without(snapshot, *reads))).outcome is FindingOutcome.UNKNOWN
    assert reads - matters == ONLY_NAMES.get(rule.id, set())


@pytest.mark.parametrize(("pack", "rule"), RULES)
def test_a_rule_looks_at_nothing_that_it_does_not_plan_to_read(pack: Pack, rule: Rule) -> None:
    reads = {*sections_of(reads_of(rule.check, None)), "absentServicePrincipals", "organization"}
    for name in sample_names():
        full = sample(name)
        blind_to = [section for section in full.sections.__struct_fields__ if section not in reads]
        later = set(sections_of(kind_of(rule.check).further_reads(without(full, *blind_to))))
        others = [section for section in blind_to if section not in later]
        before, after = (finding(rule, pack, CheckContext(s)) for s in (full, without(full, *others)))
        assert (before.outcome, before.reason) == (after.outcome, after.reason), name


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(document=tenants())
def test_no_tenant_makes_a_rule_fail_to_answer(document: dict[str, Any]) -> None:
    snapshot = snapshot_of(document)
    found: list[Finding] = [f for pack in PACKS for f in judge(pack, CheckContext(snapshot, pack.app))]
    assert len(found) == sum(len(pack.rules) for pack in PACKS)
    assert all(f.reason.endswith((".", ".)")) for f in found)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), document=tenants())
def test_neither_order_nor_letter_case_changes_an_outcome(data: st.DataObject, document: dict[str, Any]) -> None:
    twin = data.draw(shuffled_and_recased(document))
    assert outcomes(snapshot_of(document)) == outcomes(snapshot_of(twin))


@pytest.mark.parametrize("name", sample_names())
def test_a_report_of_benchmarks_alone_has_findings_and_no_decision(name: str) -> None:
    report = build_report(sample(name), BENCHMARKS)
    rules = [rule for pack in BENCHMARKS for rule in pack.rules]
    assert (len(report.findings), report.decisions, report.apps) == (len(rules), (), ())
    assert f" of {len(rules)} rules failed" in report.summary.answer
    assert render(report, "json") == render(build_report(sample(name), BENCHMARKS), "json")
    assert render(report, "text")


@pytest.mark.parametrize("name", sample_names())
def test_a_vendor_pack_says_the_same_beside_benchmarks(name: str) -> None:
    vendor = [pack for pack in PACKS if pack.app is not None]
    alone = build_report(sample(name), vendor)
    together = build_report(sample(name), [*vendor, *BENCHMARKS])
    ours = {pack.name for pack in vendor}
    assert [f for f in together.findings if f.pack in ours] == list(alone.findings)
    assert together.decisions == alone.decisions
    assert {found.note for found in alone.findings} == {""}


def test_the_view_of_a_rule_stands_beside_its_finding() -> None:
    (pack,) = load_packs(["cis-m365"])
    found = {f.rule: f for f in judge(pack, CheckContext(sample("managed-default")))}
    assert "doesn't mention the Microsoft-managed -recommended" in " ".join(found["CIS-5.1.5.1"].note.split())
