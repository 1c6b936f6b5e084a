"""SARIF: valid, and what GitHub makes of it is what was found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

import auditor
from auditor.model.report import PackRef, Report, UnreadPart, Waiver
from auditor.model.rule import FindingOutcome, RulePlace, Severity
from auditor.model.snapshot import Tenant
from auditor.render import render as render_in
from auditor.render.sarif import render
from tests.limits import examples
from tests.render.parts import TENANT, finding, report
from tests.render.reports import ALL, HOSTILE, depends, empty
from tests.render.strategies import REPORTS

# Where it is from: schemas/README.md.
SCHEMA = msgspec.json.decode((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_bytes())
VALIDATOR = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
ROOT = Path(__file__).parents[2]


def run_of(made: Report, **options: Any) -> dict[str, Any]:
    """The one run of the log, which is valid."""
    log = msgspec.json.decode(render(made, **options))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


WAIVER = Waiver(rule="r-waived", reason="accepted", owner="Anna", expires="2027-03-31", ticket="SEC-1")
EVERY_OUTCOME = report(
    findings=tuple(
        finding(
            f"r-{outcome}",
            "T",
            outcome,
            "Because.",
            place=RulePlace(file="rules/a b.yaml", line=7),
            waivers=(WAIVER,) if outcome is FindingOutcome.WAIVED else (),
        )
        for outcome in FindingOutcome
    )
)


def test_the_schema_can_say_no() -> None:
    VALIDATOR.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]})


@pytest.mark.parametrize("name", list(ALL))
def test_a_report_is_valid(name: str) -> None:
    run_of(ALL[name]())
    run_of(ALL[name](), passed=True)


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(REPORTS)
def test_any_report_is_valid_and_complete(made: Report) -> None:
    run = run_of(made, passed=True)
    assert len(run["results"]) == len(made.findings)
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(made.unread)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"]


def test_kinds_and_levels_are_as_the_standard_pairs_them() -> None:
    results = run_of(EVERY_OUTCOME, passed=True)["results"]
    reported = {each["ruleId"].removeprefix("trackerrms-uk/r-"): (each["kind"], each["level"]) for each in results}
    assert reported == {
        "fail": ("fail", "error"),
        "waived": ("fail", "error"),
        "unknown": ("open", "none"),
        "pass": ("pass", "none"),
        "not-applicable": ("notApplicable", "none"),
    }


def test_what_passed_becomes_no_alert_unless_it_is_asked_for() -> None:
    outcomes = [each["properties"]["outcome"] for each in run_of(EVERY_OUTCOME)["results"]]
    assert outcomes == ["fail", "unknown", "waived"]


def test_only_what_is_waived_is_suppressed() -> None:
    suppressed = {each["properties"]["outcome"]: each.get("suppressions") for each in run_of(EVERY_OUTCOME)["results"]}
    assert suppressed["fail"] is suppressed["unknown"] is None
    reported = "Waived by Anna until 2027-03-31 (SEC-1): Accepted."
    assert suppressed["waived"] == [{"kind": "external", "status": "accepted", "justification": reported}]


def test_two_waivers_with_one_reason_suppress_once() -> None:
    waived = finding("r", "T", FindingOutcome.WAIVED, "Because.", waivers=(WAIVER, msgspec.structs.replace(WAIVER)))
    (result,) = run_of(report(findings=(waived,)))["results"]
    assert len(result["suppressions"]) == 1


def test_an_unknown_rule_says_so() -> None:
    unknown = next(each for each in run_of(EVERY_OUTCOME)["results"] if each["kind"] == "open")
    assert unknown["message"]["text"] == "Unknown: Because."


@pytest.mark.parametrize(
    ("severity", "level", "score"),
    [
        pytest.param(Severity.CRITICAL, "error", "9.5", id="critical"),
        pytest.param(Severity.HIGH, "error", "8.0", id="high"),
        pytest.param(Severity.MEDIUM, "warning", "5.5", id="medium"),
        pytest.param(Severity.LOW, "note", "2.0", id="low"),
        pytest.param(Severity.INFO, "note", None, id="info"),
    ],
)
def test_severity_is_the_level_and_the_score(severity: Severity, level: str, score: str | None) -> None:
    run = run_of(report(findings=(finding("r", "T", FindingOutcome.FAIL, "Because.", severity=severity),)))
    assert run["results"][0]["level"] == level
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"]["level"] == level
    assert rule["properties"].get("security-severity") == score


def test_a_result_points_at_the_line_of_its_rule() -> None:
    (location,) = run_of(EVERY_OUTCOME)["results"][0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/a%20b.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7},
    }


def test_a_result_without_a_known_line_points_at_its_pack() -> None:
    run = run_of(report(findings=(finding("r", "T", FindingOutcome.FAIL, "Because."),)))
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "trackerrms-uk"
    assert physical["region"] == {"startLine": 1}


def test_the_lines_of_shipped_packs_are_those_of_the_repository() -> None:
    made = auditor.check(auditor.sample("managed-default"), auditor.load_packs(["trackerrms-uk", "cisa-scuba"]))
    results = run_of(made, passed=True)["results"]
    assert results
    for result in results:
        physical = result["locations"][0]["physicalLocation"]
        lines = (ROOT / physical["artifactLocation"]["uri"]).read_text(encoding="utf-8").splitlines()
        rule = result["ruleId"].partition("/")[2]
        assert re.search(rf"\b{re.escape(rule)}\b", lines[physical["region"]["startLine"] - 1])


def test_one_rule_in_two_packs_is_two_rules() -> None:
    made = report(findings=tuple(finding("r", "T", FindingOutcome.FAIL, "B.", pack=pack) for pack in ("a", "b")))
    assert [rule["id"] for rule in run_of(made)["tool"]["driver"]["rules"]] == ["a/r", "b/r"]


def test_one_rule_about_two_apps_is_one_rule_with_two_results() -> None:
    made = report(findings=tuple(finding("r", "T", FindingOutcome.FAIL, "B.", fingerprint=app) for app in "xy"))
    run = run_of(made)
    assert len(run["tool"]["driver"]["rules"]) == 1
    assert [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]] == [
        "x/trackerrms-uk",
        "y/trackerrms-uk",
    ]


def test_one_rule_that_two_packs_extend_keeps_two_alerts_apart() -> None:
    packs = auditor.load_packs(["trackerrms-uk", "trackerrms-us"])
    results = run_of(auditor.check(auditor.sample("managed-default"), packs))["results"]
    assert len({each["partialFingerprints"]["primaryLocationLineHash"] for each in results}) == len(results)


def test_unread_data_is_listed_and_the_audit_still_counts_as_executed() -> None:
    (invocation,) = run_of(depends())["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["startTimeUtc"] == "2026-11-22T02:00:00Z"
    said = [each["message"]["text"] for each in invocation["toolExecutionNotifications"]]
    assert said[0].startswith("The consent policies (permissionGrantPolicies) couldn't be read. HTTP 403,")
    assert "Policy.Read.PermissionGrant" in said[0]


def test_a_time_that_was_not_recorded_is_left_out() -> None:
    assert "startTimeUtc" not in run_of(empty())["invocations"][0]


def test_a_category_is_that_of_the_tenant_and_the_packs() -> None:
    def category(made: Report) -> str:
        return str(run_of(made)["automationDetails"]["id"])

    assert category(EVERY_OUTCOME) == f"consent-auditor/{TENANT.id}/trackerrms-uk/"
    assert category(msgspec.structs.replace(EVERY_OUTCOME, tenant=Tenant(id="other/one"))) == (
        "consent-auditor/other%2Fone/trackerrms-uk/"
    )
    packs = tuple(PackRef(name=name, version="1", digest="d", client_id="app-1") for name in ("vendor-app", "a b"))
    assert category(msgspec.structs.replace(EVERY_OUTCOME, packs=packs)).endswith("/a%20b+vendor-app:app-1/")
    assert category(empty()) == f"consent-auditor/{TENANT.id}/"


def test_braces_in_a_name_are_no_placeholder() -> None:
    name = "App {0} of {x}"
    made = report(
        findings=(finding("r", name, FindingOutcome.FAIL, name, why=name),), unread=(UnreadPart(section="{0}"),)
    )
    run = run_of(made)
    (rule,) = run["tool"]["driver"]["rules"]
    assert run["results"][0]["message"]["text"] == "App {{0}} of {{x}}."
    assert rule["shortDescription"]["text"] == "App {{0}} of {{x}}"
    assert "App {{0}} of {{x}}" in rule["help"]["text"]
    assert r"App \{{0\}} of \{{x\}}" in rule["help"]["markdown"]
    assert "({{0}})" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_pack_that_lies_elsewhere_claims_no_file_of_the_repository() -> None:
    place = RulePlace(file="ours.yaml", line=3)
    made = report(findings=(finding("r", "T", FindingOutcome.FAIL, "B.", place=place),))

    def file_of(**places: str) -> Any:
        (location,) = run_of(made, places={"ours.yaml": places["at"]} if places else {})["results"][0]["locations"]
        return location["physicalLocation"]["artifactLocation"]

    assert file_of() == {"uri": "ours.yaml", "uriBaseId": "%SRCROOT%"}
    assert file_of(at="audit/ours.yaml") == {"uri": "audit/ours.yaml", "uriBaseId": "%SRCROOT%"}
    assert file_of(at="") == {"uri": "packs-elsewhere/ours.yaml"}


def test_names_make_no_links_and_no_control_characters() -> None:
    name = f"[x](https://evil.example) {HOSTILE} \ud800"
    made = report(findings=(finding("r", name, FindingOutcome.FAIL, name, why=name),), tenant=Tenant(id=name))
    written = render(made).decode()
    assert "](https" not in written.replace(r"\\](", "")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", written)
    VALIDATOR.validate(msgspec.json.decode(written))


def test_the_registry_makes_it_by_its_name() -> None:
    assert render_in(EVERY_OUTCOME, "sarif") == render(EVERY_OUTCOME)
