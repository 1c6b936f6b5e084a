"""Rules about the same control that disagree are reported together, with the position of each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditor.checks.findings import disagreements
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Disagreement, Finding
from auditor.model.rule import FindingOutcome, Severity
from auditor.packs.load import list_packs
from auditor.snapshot.samples import sample, sample_names

A, B, C = {"cis": "1", "scuba": "1"}, {"cis": "1", "scuba": "1", "eidsca": "1"}, {"eidsca": "1", "zta": "1", "cis": "2"}
PASS, FAIL = FindingOutcome.PASS, FindingOutcome.FAIL


def found(rule: str, outcome: FindingOutcome, frameworks: dict[str, str], pack: str = "") -> Finding:
    return Finding(
        rule=rule,
        pack=pack or rule.lower(),
        title=f"title of {rule}",
        severity=Severity.LOW,
        outcome=outcome,
        reason="r",
        fingerprint=rule,
        frameworks=frameworks,
        note=f"view of {rule}",
    )


def reported(*findings: Finding) -> list[list[str]]:
    return [[stand.rule for stand in one.stands] for one in disagreements(findings)]


def test_two_rules_about_the_same_controls_that_come_out_otherwise_disagree() -> None:
    (one,) = disagreements([found("X", FAIL, A), found("Y", PASS, B), found("Z", PASS, C)])
    assert one.about == "title of X"
    assert [(s.rule, s.pack, s.outcome, s.view) for s in one.stands] == [
        ("X", "x", FAIL, "view of X"),
        ("Y", "y", PASS, "view of Y"),
    ]


def test_what_is_unknown_takes_no_side() -> None:
    assert reported(found("X", FAIL, A), found("U", FindingOutcome.UNKNOWN, B), found("Y", PASS, B)) == [["X", "Y"]]
    assert reported(found("X", FAIL, {}), found("U", PASS, {}), found("Y", PASS, B)) == []


def test_what_agrees_is_unknown_of_one_pack_or_only_kin_is_no_contradiction() -> None:
    assert reported(found("X", PASS, A), found("Y", PASS, B)) == []
    assert reported(found("X", PASS, A), found("Y", FindingOutcome.UNKNOWN, B)) == []
    assert reported(found("X", PASS, A), found("Y", FindingOutcome.NOT_APPLICABLE, B)) == []
    assert reported(found("X", PASS, A, "p"), found("Y", FAIL, B, "p")) == []
    assert reported(found("X", PASS, A), found("Y", FAIL, {"cis": "1"})) == []
    assert reported(found("X", PASS, {}), found("Y", FAIL, {})) == []


def test_rules_are_joined_through_a_third() -> None:
    through = {"cis": "1", "scuba": "1", "zta": "1", "x": "1"}
    assert reported(found("X", PASS, A), found("Y", FAIL, {"zta": "1", "x": "1"}), found("Z", PASS, through)) == [
        ["X", "Y", "Z"]
    ]


def test_the_benchmarks_that_ship_are_seen_to_disagree_over_the_low_setting() -> None:
    names = [pack.name for pack in list_packs(benchmarks=True) if pack.app is None]
    by_sample = {name: build_report(sample(name), chosen_packs(names)).disagreements for name in sample_names()}
    (low,) = (one for one in by_sample["low-unclassified"] if "EIDSCA.AP08" in {s.rule for s in one.stands})
    assert {s.rule: s.outcome for s in low.stands} == {
        "CIS-5.1.5.1": FAIL,
        "MS.AAD.5.2v1": PASS,
        "EIDSCA.AP08": PASS,
        "ZTA-21776": PASS,
        "MS-CONSENT-NOT-EVERYTHING": PASS,
    }
    assert all(stand.view for one in by_sample["low-unclassified"] for stand in one.stands)


@given(st.lists(st.tuples(st.sampled_from("UVWXYZ"), st.sampled_from([PASS, FAIL]), st.sampled_from([A, B, C]))))
def test_every_contradiction_has_both_sides_and_no_rule_is_in_two(
    rows: list[tuple[str, FindingOutcome, dict[str, str]]],
) -> None:
    findings = [found(f"{name}{n}", outcome, controls) for n, (name, outcome, controls) in enumerate(rows)]
    groups: tuple[Disagreement, ...] = disagreements(findings)
    rules = [stand.rule for one in groups for stand in one.stands]
    assert len(rules) == len(set(rules))
    assert all({stand.outcome for stand in one.stands} == {PASS, FAIL} for one in groups)
