"""JUnit XML: what a build server reads is what was found, and no text breaks the file."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from auditor.jobs.audit_request import format_of_ending
from auditor.model.report import Evidence, Report
from auditor.model.rule import FindingOutcome, Remediation, Severity
from auditor.model.snapshot import Tenant
from auditor.render import render as render_in
from auditor.render.junit import render
from tests.limits import examples
from tests.render.parts import finding, report
from tests.render.reports import ALL, HOSTILE, connects, depends, empty, needs_admin, several
from tests.render.strategies import REPORTS
from tests.render.tracker import NEEDS_ADMIN_DECISION

FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2028]")


def forbidden(written: bytes) -> re.Match[str] | None:
    """A character that must not be there; tabs are no more than indentation."""
    return FORBIDDEN.search(re.sub("^\t+", "", written.decode(), flags=re.MULTILINE))


def suites_of(made: Report) -> list[TestSuite]:
    """The suites as junitparser reads them back."""
    return list(JUnitXml.fromstring(render(made)))


def properties_of(suite: TestSuite) -> dict[str, str]:
    """The facts in the properties of the suite."""
    return {each.name: each.value for each in suite.properties()}  # type: ignore[no-untyped-call]


def case_of(outcome: FindingOutcome, **more: object) -> TestCase:
    """The one case of a report with one finding."""
    (suite,) = suites_of(report(findings=(finding("R-1", "A title.", outcome, "because", **more),)))
    (case,) = suite
    assert isinstance(case, TestCase)
    return case


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        pytest.param(FindingOutcome.FAIL, Failure, "Because.", id="fail"),
        pytest.param(FindingOutcome.UNKNOWN, Error, "Unknown: Because.", id="unknown"),
        pytest.param(FindingOutcome.WAIVED, Skipped, "Waived: Because.", id="waived"),
        pytest.param(FindingOutcome.NOT_APPLICABLE, Skipped, "Not applicable: Because.", id="not applicable"),
    ],
)
def test_each_outcome_has_its_kind(outcome: FindingOutcome, kind: type, message: str) -> None:
    case = case_of(outcome)
    assert case.name == "R-1: A title"
    assert case.classname == "trackerrms-uk"
    (result,) = case.result
    assert type(result) is kind
    assert result.message == message


def test_a_pass_has_no_result() -> None:
    assert case_of(FindingOutcome.PASS).result == []


def test_a_failure_tells_why_and_what_to_do() -> None:
    case = case_of(
        FindingOutcome.FAIL,
        severity=Severity.CRITICAL,
        why="It matters\nto us.",
        evidence=(Evidence(path="a.b", actual=1, expected=2),),
        remediation=Remediation(portal=("Do this.", "Then that."), link="https://x.test/?a=1&b=2", role="Reader"),
    )
    (result,) = case.result
    assert result.type == "critical"
    assert result.text.strip().split("\n") == [
        "Expected: A title.",
        "Found: Because.",
        "Severity: critical",
        "Why: It matters to us.",
        "Evidence: a.b: 1; expected 2",
        "To do 1: Do this.",
        "To do 2: Then that.",
        "Address: https://x.test/?a=1&b=2",
        "Role: Reader.",
    ]


def test_the_advice_of_an_unknown_rule_is_not_taken_for_a_finding() -> None:
    reported = case_of(FindingOutcome.UNKNOWN, remediation=Remediation(portal=("Do this.",))).result[0].text.split("\n")
    assert reported.index("The following steps apply only if this check fails.") < reported.index("To do 1: Do this.")


def test_every_pack_is_a_suite_with_its_counts() -> None:
    first, second = suites_of(several())
    assert (first.name, second.name) == ("trackerrms-uk", "trackerrms-us")
    assert (first.tests, first.failures, first.errors, first.skipped) == (1, 1, 0, 0)
    assert first.timestamp == "2026-11-22T02:00:00"
    reported = properties_of(first)
    assert reported["pack-version"] == "1"
    assert reported["tenant"] == "Contoso Ltd"


def test_the_counts_of_the_file_are_those_of_the_summary() -> None:
    made = needs_admin()
    whole = JUnitXml.fromstring(render(made))
    assert whole.failures == made.summary.failed
    assert whole.errors == made.summary.unknown
    assert sum(suite.skipped for suite in whole) == made.summary.waived + made.summary.not_applicable
    assert whole.tests == len(made.findings)


def test_the_root_has_only_attributes_that_every_schema_of_junit_knows() -> None:
    root = ElementTree.fromstring(render(needs_admin()))
    assert set(root.attrib) == {"name", "tests", "failures", "errors", "time"}


def test_unread_data_is_listed() -> None:
    (suite,) = suites_of(depends())
    reported = properties_of(suite)
    assert reported["not-read-1"].startswith(
        "The consent policies (permissionGrantPolicies) couldn't be read. HTTP 403"
    )
    assert "Policy.Read.PermissionGrant" in reported["not-read-1"]


def test_without_rules_the_answers_are_the_cases() -> None:
    (suite,) = suites_of(report(NEEDS_ADMIN_DECISION, *depends().decisions, *connects().decisions))
    assert suite.name == "answers"
    assert [[type(result) for result in case.result] for case in suite] == [[Failure], [Error], []]
    first = next(iter(suite))
    assert first.name == "Can users connect TrackerRMS?"
    assert NEEDS_ADMIN_DECISION.fixes[0].link in first.result[0].text


def test_with_rules_the_answers_are_not_reported_twice() -> None:
    assert [suite.name for suite in suites_of(needs_admin())] == ["trackerrms-uk"]


def test_a_report_of_nothing_is_a_file_all_the_same() -> None:
    assert suites_of(empty()) == []


@pytest.mark.parametrize("name", list(ALL))
def test_a_report_holds_no_control_character(name: str) -> None:
    assert not forbidden(render(ALL[name]()))


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(REPORTS)
def test_any_report_can_be_read_back_with_every_case(made: Report) -> None:
    cases = [case for suite in suites_of(made) for case in suite]
    assert len(cases) == (len(made.findings) or len(made.decisions))
    assert not forbidden(render(made))


@pytest.mark.parametrize(
    "name", ["]]><x/>", "&amp;<b a='1'>\"", HOSTILE, "\ufffe\uffff\ud800\x00\x0b", "x" * 40_000, "<!-- --> <?pi?>"]
)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    found = [
        finding(name, name, outcome, name, pack=name, why=name, remediation=Remediation(portal=(name,), role=name))
        for outcome in FindingOutcome
    ]
    written = render(report(findings=tuple(found), tenant=Tenant(id=name, name=name), source=name, tool=name))
    assert not forbidden(written)
    tags = {element.tag for element in ElementTree.fromstring(written).iter()}
    allowed = {"testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped"}
    assert tags == allowed
    if name.isprintable():
        (suite,) = JUnitXml.fromstring(written)
        assert suite.name == name


def test_the_ending_xml_means_junit() -> None:
    assert format_of_ending("report.xml") == "junit"
    assert render_in(needs_admin(), "junit") == render(needs_admin())
