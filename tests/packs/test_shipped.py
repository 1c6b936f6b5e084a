"""The packs that ship: complete, referenced, explained, and shown by cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor import __version__, facts
from auditor.jobs.pack_authoring import run_cases
from auditor.model.rule import FindingOutcome, Pack, Rule, Severity
from auditor.packs.load import Source, every_shipped_name, load, load_packs, shipped_names, shipped_source
from auditor.packs.pack_texts import shipped_digests
from auditor.snapshot.samples import sample_names

PACKS = [load(shipped_source(name), samples=sample_names()) for name in shipped_names()]
RULES = [
    pytest.param(pack, rule, id=f"{pack.name}-{rule.id}") for pack in PACKS if not pack.abstract for rule in pack.rules
]

VENDOR_PACKS = [pack for pack in PACKS if pack.name == "vendor-app" or pack.app is not None]
BENCHMARKS = [pack for pack in PACKS if pack not in VENDOR_PACKS]
CANNOT_FAIL = {"VENDOR-CONSENT-SETTING": "it allows every setting and only asks that it be known"}


def test_the_digests_of_the_packs_of_every_release_ship() -> None:
    """``bundle verify`` needs them. UPDATE_DOCS writes those of this version; tests/docs fails if they are outdated."""
    changes = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"(?m)^## \[(\d[^\]]*)\]", changes)
    for version in (*released, __version__):
        digests = shipped_digests(version)
        assert digests, f"no digests of {version}"
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests.values())
    assert set(shipped_digests(__version__) or ()) == set(every_shipped_name())
    assert shipped_digests("0.0.1") is None


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_is_called_what_its_file_is(pack: Pack) -> None:
    assert pack.origin.endswith(f"/{pack.name}.yaml")


def test_the_rules_of_a_vendor_pack_keep_their_ids_and_severities() -> None:
    for pack in VENDOR_PACKS:
        assert {rule.id: rule.severity for rule in pack.rules} == {
            "VENDOR-CONNECT": Severity.HIGH,
            "VENDOR-SCOPES": Severity.MEDIUM,
            "VENDOR-CLASSIFIED": Severity.LOW,
            "VENDOR-ADMIN-CONSENT": Severity.MEDIUM,
            "VENDOR-APP-ENABLED": Severity.HIGH,
            "VENDOR-ASSIGNMENT": Severity.MEDIUM,
            "VENDOR-PUBLISHER": Severity.INFO,
            "VENDOR-CONSENT-SETTING": Severity.INFO,
            "VENDOR-WORKFLOW": Severity.LOW,
            "VENDOR-APP-ROLES": Severity.HIGH,
            "VENDOR-AFTER-CONSENT": Severity.LOW,
        }


@pytest.mark.parametrize(("pack", "rule"), RULES)
def test_a_rule_is_shown_failing_passing_and_unknown(pack: Pack, rule: Rule) -> None:
    shown = {case.expect for case in rule.cases}
    wanted = {FindingOutcome.FAIL, FindingOutcome.PASS, FindingOutcome.UNKNOWN}
    assert wanted - shown == ({FindingOutcome.FAIL} if rule.id in CANNOT_FAIL else set())


@pytest.mark.parametrize(("pack", "rule"), RULES)
def test_a_rule_tells_why_and_what_to_do(pack: Pack, rule: Rule) -> None:
    assert len(rule.why.split()) > 20
    assert rule.fix.role
    assert rule.fix.note
    assert rule.fix.portal[:2] == ("{portal}", "Entra ID")
    assert rule.fix.portal[2] in ("Enterprise apps", "Users", "Conditional Access")
    assert any(url.startswith("https://learn.microsoft.com/") for url in rule.references)
    assert not any(re.search(r"/[a-z]{2}-[a-z]{2}/", url) for url in rule.references), "no language in addresses"


def test_the_benchmarks_hold_the_controls_that_they_should() -> None:
    by_name = {pack.name: [rule.id for rule in pack.rules] for pack in BENCHMARKS}
    assert by_name["cisa-scuba"] == ["MS.AAD.5.1v1", "MS.AAD.5.2v1", "MS.AAD.5.3v1"]
    assert by_name["cis-m365"] == ["CIS-5.1.5.1", "CIS-5.1.5.2", "CIS-5.1.2.2"]
    assert by_name["zero-trust-assessment"] == ["ZTA-21776", "ZTA-21809"]
    assert [rule.removeprefix("EIDSCA.") for rule in by_name["eidsca"]] == [
        *("AP08", "AP09", "AP10", "CP01", "CP03", "CP04", "CR01", "CR02", "CR03", "CR04"),
    ]
    assert all(rule.startswith("MS-") for rule in by_name["microsoft-recommended"])
    assert all(rule.startswith("HYG-") for rule in by_name["grants-hygiene"])


def test_a_rule_id_belongs_to_one_benchmark() -> None:
    ids = [rule.id for pack in BENCHMARKS for rule in pack.rules]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("pack", BENCHMARKS, ids=lambda pack: pack.name)
def test_a_benchmark_says_whose_view_each_of_its_rules_is(pack: Pack) -> None:
    assert not pack.warnings
    for rule in pack.rules:
        assert " view" in rule.view, rule.id


def test_uk_and_us_differ_in_the_address_alone() -> None:
    uk, us = load_packs(["trackerrms-uk", "trackerrms-us"])
    assert uk.app is not None
    assert us.app is not None
    assert uk.app.redirect_uris == ("https://ukevo.tracker-rms.com/Office365/CallBack",)
    assert us.app.redirect_uris == ("https://usevo.tracker-rms.com/Office365/CallBack",)
    assert (uk.app.client_id, uk.app.scopes, uk.rules) == (us.app.client_id, us.app.scopes, us.rules)
    assert uk.digest != us.digest


def test_the_scopes_of_trackerrms_are_an_assumption_and_say_so() -> None:
    (uk,) = load_packs(["trackerrms-uk"])
    assert uk.app is not None
    assert uk.app.client_id == "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
    assert [scope.value for scope in uk.app.scopes if scope.required] == [
        *("openid", "profile", "email", "offline_access", "User.Read"),
        *("Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite", "Contacts.ReadWrite"),
    ]
    assert [scope.value for scope in uk.app.scopes if not scope.required] == ["MailboxSettings.Read"]
    assert all(scope.assumed and "picture" in scope.source for scope in uk.app.scopes)
    assert "https://academy.tracker-rms.com/Home/Lesson/1063" in uk.references


@pytest.mark.parametrize(
    "asked",
    [
        "request: dynamic\n  scopes: {microsoft-graph: [User.Read, Mail.Send]}",
        "request: dynamic\n  scopes: {microsoft-graph: [openid]}",
        "request: dynamic\n  prompt-consent: true\n  scopes: {microsoft-graph: [Mail.Read]}",
        "publisher-verified: true\n  owner-tenant: unknown\n  scopes: {microsoft-graph: [Mail.Read]}",
        "publisher-verified: false\n  owner-tenant: unknown\n  scopes: {microsoft-graph: [Mail.Read]}",
        "request: dynamic\n  redirect-uris: [https://another.example/cb]\n  scopes: {exchange-online: [Mail.Read]}",
        "request: default\n  scopes: {00000003-0000-0ff1-ce00-000000000000: [Sites.Read], microsoft-graph: [openid]}",
        "request: dynamic\n  scopes: {11111111-1111-4111-8111-111111111111: [user_impersonation]}",
    ],
)
def test_another_vendor_needs_a_dozen_lines_and_the_cases_are_about_its_app(asked: str) -> None:
    text = f"""\
format: consent-auditor/pack
format-version: 1
pack: another
version: "1.0"
title: Another product
extends: vendor-app
app:
  name: Another
  client-id: 11111111-2222-3333-4444-555555555555
  {asked}
"""
    pack = load(Source("another.yaml", text.encode(), Path()))
    assert len(pack.rules) == 11
    assert {rule.id: len(rule.cases) > 1 for rule in pack.rules} == {rule.id: True for rule in pack.rules}
    assert [result.problem for result in run_cases(pack) if result.problem] == []


def test_shipped_data_is_beside_the_package_or_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "auditor"
    package.mkdir()
    monkeypatch.setattr(facts, "PACKAGE", package)
    monkeypatch.setattr(facts, "_in_archive", lambda tree: None)
    with pytest.raises(facts.ShippedDataMissing, match="no rules/ next to the auditor package"):
        facts.shipped_tree("rules")
    (tmp_path / "rules").mkdir()
    with pytest.raises(facts.ShippedDataMissing):
        facts.shipped_tree("rules")
    (tmp_path / "setup.cfg").touch()
    assert facts.shipped_tree("rules") == tmp_path / "rules"
    assert facts.tree_label("rules") == "rules"
    (package / "rules").mkdir()
    assert facts.shipped_tree("rules") == package / "rules"
    assert facts.tree_label("rules") == "auditor:rules"
