"""Findings by setting: every finding is in one card, their order is stable, and the counts agree."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Disagreement, Finding, Report, Stand
from auditor.model.rule import FindingOutcome, Setting, Severity
from auditor.packs.load import shipped_names
from auditor.render.setting_view import failure_counts, setting_cards, setting_label
from auditor.snapshot.samples import sample, sample_names
from tests.render.parts import finding, report

CONSENT = Setting(id="user-consent", label="User consent setting")
WORKFLOW = Setting(id="admin-consent-workflow", label="Admin consent workflow")
GRANTS = Setting(id="delegated-permissions", label="Delegated permissions of apps")
FAIL, PASS, UNKNOWN = FindingOutcome.FAIL, FindingOutcome.PASS, FindingOutcome.UNKNOWN


def found(
    rule: str,
    outcome: FindingOutcome,
    setting: Setting | None = CONSENT,
    severity: Severity = Severity.HIGH,
    pack: str = "cis-m365",
) -> Finding:
    return finding(rule, f"The title of {rule}.", outcome, "why", setting=setting, severity=severity, pack=pack)


def counted(*findings: Finding) -> str:
    return failure_counts(report(findings=findings)).sentence


def every_pack(name: str) -> Report:
    packs = chosen_packs([one for one in shipped_names() if one not in ("vendor-app", "trackerrms")])
    return build_report(sample(name), packs)


def test_a_card_holds_every_rule_about_the_setting_with_its_severity() -> None:
    (card,) = setting_cards(
        report(
            findings=(
                found("CIS-1", FAIL, severity=Severity.MEDIUM),
                found("ZTA-1", FAIL),
                found("MS-1", PASS, severity=Severity.CRITICAL),
            )
        )
    )
    assert (card.setting, card.outcome, card.severity) == (CONSENT, FAIL, Severity.HIGH)
    assert [(chip.label, chip.severity, chip.word) for chip in card.chips] == [
        ("CIS-1", Severity.MEDIUM, "fail"),
        ("ZTA-1", Severity.HIGH, "fail"),
        ("MS-1", Severity.CRITICAL, "pass"),
    ]
    assert card.counts == {FAIL: 2, PASS: 1}
    assert card.summary == "fails CIS-1 and ZTA-1; passes MS-1"


def test_a_rule_of_two_packs_is_named_with_its_pack() -> None:
    (card,) = setting_cards(report(findings=(found("V", FAIL, pack="uk"), found("V", FAIL, pack="us"))))
    assert [chip.label for chip in card.chips] == ["V (uk)", "V (us)"]


def test_cards_that_need_attention_come_first() -> None:
    findings = (
        found("A", PASS, CONSENT),
        found("B", UNKNOWN, GRANTS, Severity.CRITICAL),
        found("C", FAIL, WORKFLOW, Severity.LOW),
    )
    assert [card.setting for card in setting_cards(report(findings=findings))] == [WORKFLOW, GRANTS, CONSENT]


def test_a_disagreement_is_in_the_card_of_its_first_rule() -> None:
    stands = (
        Stand(rule="A", pack="cis-m365", outcome=FAIL),
        Stand(rule="B", pack="eidsca", outcome=PASS),
    )
    one = Disagreement(about="Consent", stands=stands)
    findings = (found("A", FAIL), found("B", PASS, WORKFLOW, pack="eidsca"))
    cards = setting_cards(report(findings=findings, disagreements=(one,)))
    assert [(card.setting.id, card.disagreements) for card in cards] == [
        ("user-consent", (one,)),
        ("admin-consent-workflow", ()),
    ]


def test_a_finding_of_an_earlier_version_has_a_card_of_its_own() -> None:
    old = found("OLD", FAIL, None)
    (card,) = setting_cards(report(findings=(old,)))
    assert card.setting.label == "The title of OLD"
    assert setting_label(old) == ""


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        pytest.param((), "No checks were made.", id="no rules"),
        pytest.param((found("A", PASS),), "The check doesn't fail.", id="nothing of one fails"),
        pytest.param(
            (found("A", PASS), found("B", UNKNOWN)), "None of the 2 checks fails; 1 is unknown.", id="nothing fails"
        ),
        pytest.param(
            (found("A", FAIL), found("B", PASS)), "1 of 2 checks fails.", id="one failure explains only itself"
        ),
        pytest.param(
            (found("A", FAIL), found("B", FAIL), found("C", FAIL, WORKFLOW)),
            "3 of 3 checks fail; 1 setting explains 2.",
            id="two failures about one setting",
        ),
        pytest.param(
            (found("A", FAIL, GRANTS), found("B", FAIL, GRANTS)),
            "2 of 2 checks fail.",
            id="the grants of all apps are not one setting",
        ),
    ],
)
def test_the_count_says_how_few_settings_explain_the_failures(findings: tuple[Finding, ...], said: str) -> None:
    assert counted(*findings) == said


@pytest.mark.parametrize("name", sample_names())
def test_with_every_pack_each_finding_is_in_one_card_and_the_counts_agree(name: str) -> None:
    one = every_pack(name)
    cards = setting_cards(one)
    in_cards = [chip.finding.fingerprint for card in cards for chip in card.chips]
    assert sorted(in_cards) == sorted(finding.fingerprint for finding in one.findings)
    assert sum(len(card.disagreements) for card in cards) == len(one.disagreements)
    counts = failure_counts(one)
    assert counts.failed == one.summary.failed == sum(card.counts.get(FAIL, 0) for card in cards)
    assert counts.total == len(one.findings)
    assert counts.explained <= counts.failed


def test_with_every_pack_a_default_tenant_fails_because_of_few_settings() -> None:
    assert (
        failure_counts(every_pack("managed-default")).sentence
        == "22 of 56 checks fail; 4 settings explain 22; 10 are unknown."
    )


FIVE = (
    found("A", FAIL),
    found("B", FAIL, WORKFLOW),
    found("C", PASS, GRANTS),
    found("D", UNKNOWN, WORKFLOW),
    found("E", FAIL, GRANTS),
)


@given(st.permutations(FIVE))
def test_the_order_of_the_cards_does_not_depend_on_that_of_the_findings(findings: list[Finding]) -> None:
    cards = setting_cards(report(findings=tuple(findings)))
    assert [card.setting for card in cards] == [card.setting for card in setting_cards(report(findings=FIVE))]


def test_the_setting_survives_the_json_report() -> None:
    one = every_pack("managed-default")
    assert msgspec.json.decode(msgspec.json.encode(one), type=Report).findings == one.findings
