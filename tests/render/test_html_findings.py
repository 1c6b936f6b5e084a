"""The findings of the HTML page: values, undo, waivers, fixes."""

from __future__ import annotations

import re

from auditor.model.report import Disagreement, Evidence, FindingSubject, Stand, Waiver, WaiverFileRef
from auditor.model.rule import FindingOutcome, Remediation, Setting, Severity
from auditor.render.html import render
from tests.render.pages import element_by_id, replaced, shown, words_of
from tests.render.parts import CONSENT_BY_LINK, finding, report
from tests.render.reports import depends, needs_admin, several
from tests.render.tracker import NEEDS_ADMIN_DECISION


def test_what_is_unknown_counts_neither_as_passed_nor_as_failed() -> None:
    page = render(depends())
    root = element_by_id(page, "finding-1")
    assert root.get("data-outcome") == "unknown"
    assert "tone-unsure" in root.get("class", "")
    assert "Missing data never counts as a pass or a fail." in words_of(page)


def test_a_waived_finding_is_neither_a_pass_nor_a_fail_and_says_who_answers_for_it() -> None:
    waiver = Waiver(rule="r", reason="the vendor leaves in spring", owner="Anna", expires="2027-03-31", ticket="SEC-1")
    one = replaced(
        finding("r", "No old app is left", FindingOutcome.WAIVED, "Two are left."),
        waivers=(waiver,),
        subjects=(
            FindingSubject(name="Old app", id="11112222-bbbb-3333-cccc-4444dddd5555"),
            FindingSubject(name="Older app"),
        ),
        unread="the grants were read in part only",
    )
    files = (WaiverFileRef(name="waivers.yaml", digest="sha256:0123456789abcdef", count=1),)
    page = render(replaced(report(findings=(one,)), waivers=files))
    shown = element_by_id(page, "finding-1")
    words = " ".join("".join(shown.itertext()).split())
    assert shown.get("data-outcome") == "waived"
    assert "tone-waived" in shown.get("class", "")
    assert "Waived by Anna until 2027-03-31 (SEC-1): The vendor leaves in spring." in words
    assert "Old app 11112222-bbbb-3333-cccc-4444dddd5555" in words
    assert "There might be more: The grants were read in part only." in words
    assert "sha256:0123456789abcdef" in words_of(page)


def test_expected_values_that_are_said_in_words_are_no_code_and_the_same_value_stands_once() -> None:
    evidence = (
        Evidence(path="decision.outcome", actual="blocked", expected="connects-silently or user-may-consent"),
        Evidence(path="authorizationPolicy.allowedToCreateApps", actual=True, expected=False),
        Evidence(path="authorizationPolicy.allowedToCreateApps", actual=True, expected=False),
        Evidence(path="authorizationPolicy.id", actual="a"),
    )
    one = finding("r", "It is off", FindingOutcome.FAIL, "It is on.", evidence=evidence)
    root = element_by_id(render(report(findings=(one,))), "finding-1")
    cells = [list(row.iter("td"))[-1] for row in root.findall(".//tbody/tr")]
    assert ["".join(cell.itertext()) for cell in cells] == [
        "connects-silently or user-may-consent",
        "false",
        "see the rule title",
    ]
    assert [cell.find("code") is not None for cell in cells] == [False, True, False]
    assert "".join(root.itertext()).count("Restore the previous value") == 1


def test_what_was_found_is_no_code_either_where_it_is_said_in_words_and_a_name_with_blanks_is() -> None:
    evidence = (
        Evidence(path="permissionGrantPolicies/own", actual="lets users consent to everything"),
        Evidence(path="servicePrincipals/displayName", actual="Some App", expected="Other"),
    )
    one = finding("r", "It is off", FindingOutcome.FAIL, "It is on.", evidence=evidence)
    words, name = element_by_id(render(report(findings=(one,))), "finding-1").findall(".//tbody/tr/td[1]")
    assert (words.find("code"), "".join(words.itertext())) == (None, "lets users consent to everything")
    assert [code.text for code in name.iter("code")] == ['"Some App"']


def test_where_no_value_is_expected_there_is_no_column_for_it() -> None:
    one = finding("r", "Few", FindingOutcome.FAIL, "Many.", evidence=(Evidence(path="apps", actual=31),))
    assert "Expected value" not in shown(render(report(findings=(one,))), "finding-1")


def test_a_setting_that_fails_can_be_put_back_and_a_verdict_cannot() -> None:
    setting = Evidence(path="authorizationPolicy.allowedToCreateApps", actual=True, expected=False)
    verdict = Evidence(path="decision.outcome", actual="needs-admin", expected="user-may-consent")
    one = finding(
        "r", "Only administrators register apps", FindingOutcome.FAIL, "It is on.", evidence=(setting, verdict)
    )
    words = " ".join("".join(element_by_id(render(report(findings=(one,))), "finding-1").itertext()).split())
    assert "Restore the previous value: authorizationPolicy.allowedToCreateApps was true." in words
    assert words.count("Restore the previous value") == 1
    assert "Verify Run the audit again and check that r passes." in words


def test_a_fix_is_shown_once_and_named_wherever_else_it_helps() -> None:
    page = render(several())
    assert len(re.findall('<details class="fix"', page)) == len({fix.link for fix in NEEDS_ADMIN_DECISION.fixes})
    assert 'href="#fix-1"' in page


def test_a_link_that_a_fix_tells_stands_there_alone_with_the_role_that_the_fix_names() -> None:
    link = CONSENT_BY_LINK.link
    one = finding(
        "r",
        "They connect",
        FindingOutcome.FAIL,
        "They do not.",
        remediation=Remediation(link=link, role="Some other role"),
        fixes=(CONSENT_BY_LINK,),
    )
    reported = shown(render(report(findings=(one,))), "finding-1")
    assert reported.count(link) == 1
    assert "Some other role" not in reported


def test_fixes_stand_side_by_side_with_result_access_role_effort_and_how_to_go_back() -> None:
    page = render(needs_admin())
    rows = [
        [" ".join("".join(cell.itertext()).split()) for cell in row.iter("td")]
        for row in element_by_id(page, "fixes").iter("tr")
        if row.find("td") is not None
    ]
    assert rows == [
        ["CONNECTS", "Nothing else.", "Cloud Application Administrator.", "10 min", "Yes, by hand"],
        ["CONNECTS (likely)", "Nothing else.", "Privileged Role Administrator.", "15 min", "Yes, by hand"],
    ]


def test_rules_about_one_setting_are_one_row_with_their_disagreement_inside() -> None:
    setting = Setting(id="user-consent", label="User consent setting")
    findings = (
        finding("CIS-1", "It is narrow", FindingOutcome.FAIL, "It is not.", setting=setting),
        finding("ZTA-1", "It is low", FindingOutcome.FAIL, "It is not.", setting=setting, severity=Severity.LOW),
        finding("EID-1", "It is set", FindingOutcome.PASS, "It is.", setting=setting),
    )
    stands = tuple(Stand(rule=one.rule, pack=one.pack, outcome=one.outcome, view="A view.") for one in findings)
    page = render(report(findings=findings, disagreements=(Disagreement(about="It is narrow", stands=stands),)))
    row = element_by_id(page, "setting-1")
    summary = row.find("summary")
    assert summary is not None
    assert " ".join("".join(summary.itertext()).split()) == "fail User consent setting fails CIS-1 ZTA-1 +1 more high"
    assert "EID-1 passes; CIS-1 and ZTA-1 fail." in shown(page, "setting-1")
    assert 'id="disagreements"' not in page
    assert "2 of 3 checks fail; 1 setting explains 2." in shown(page, "answer")
    assert "User consent setting: fails CIS-1, ZTA-1" in shown(page, "answer")
