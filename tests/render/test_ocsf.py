"""Every event is a Compliance Finding as OCSF defines it, and says no more than the report."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from auditor.jobs.assemble import assemble
from auditor.jobs.choose import chosen_packs
from auditor.model.finding import FindingOutcome
from auditor.model.report import Report
from auditor.render import render
from auditor.render.ocsf import milliseconds
from auditor.snapshot.samples import sample
from tests.render.strategies import struct


def events_of(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render(report, "ocsf").splitlines()]


def audited(name: str = "managed-default") -> Report:
    packs = chosen_packs(["trackerrms-uk", "cisa-scuba"])
    return assemble(sample(name), packs, source="a sample", tool="consent-auditor 1.2.3")


@pytest.mark.parametrize("name", ["managed-default", "unreadable-policies", "admin-consented"])
def test_every_finding_is_an_event_that_the_model_of_ocsf_takes(name: str) -> None:
    report = audited(name)
    events = events_of(report)
    assert [event["compliance"]["control"] for event in events] == [finding.rule for finding in report.findings]
    for event in events:
        model = ComplianceFinding.model_validate(event)
        assert (model.class_uid, model.category_uid, int(model.type_uid)) == (2003, 2, 200301)
        known = set(ComplianceFinding.model_fields)
        assert set(event) - known == {"cloud"}, "the profile cloud adds one attribute"


def test_unknown_is_neither_a_pass_nor_a_fail() -> None:
    report = audited("unreadable-policies")
    ids = {f.outcome: e["compliance"]["status_id"] for f, e in zip(report.findings, events_of(report), strict=True)}
    assert ids[FindingOutcome.UNKNOWN] == 0
    assert ids[FindingOutcome.FAIL] == 3
    assert ids[FindingOutcome.PASS] == 1


def test_what_was_waived_still_fails_and_is_suppressed() -> None:
    report = audited()
    waived = msgspec.structs.replace(report.findings[0], outcome=FindingOutcome.WAIVED)
    event, *_ = events_of(msgspec.structs.replace(report, findings=(waived,)))
    assert (event["compliance"]["status_id"], event["status_id"], event["status"]) == (3, 3, "Suppressed")


def test_an_event_names_the_app_or_the_tenant_that_it_is_about() -> None:
    by_control = {event["compliance"]["control"]: event for event in events_of(audited())}
    assert by_control["VENDOR-CONNECT"]["resources"][0]["name"] == "TrackerRMS"
    assert by_control["MS.AAD.5.1v1"]["resources"][0]["uid"] == sample("managed-default").tenant.id
    assert by_control["MS.AAD.5.1v1"]["compliance"]["requirements"] == [
        "scuba MS.AAD.5.1v1",
        "cis-m365 5.1.2.2",
        "eidsca AP10",
    ]
    assert by_control["VENDOR-CONNECT"]["metadata"]["product"]["version"] == "1.2.3"
    assert by_control["VENDOR-CONNECT"]["time"] == 1_795_312_800_000


def test_two_packs_about_one_app_make_events_that_a_siem_keeps_apart() -> None:
    report = assemble(sample("managed-default"), chosen_packs(["trackerrms-uk", "trackerrms-us"]))
    events = events_of(report)
    assert len({event["finding_info"]["uid"] for event in events}) == len(events)
    assert {event["unmapped"]["pack_sha256"] for event in events} == {pack.digest for pack in report.packs}


@given(struct(Report))
@settings(max_examples=60)
def test_any_report_becomes_events(report: Report) -> None:
    events = events_of(report)
    assert len(events) == len(report.findings)
    for event in events:
        ComplianceFinding.model_validate(event)


def test_what_is_no_time_is_the_beginning_of_time() -> None:
    assert [milliseconds(text) for text in ("", "soon", "1970-01-01T00:00:01", "1970-01-01T01:00:01+01:00")] == [
        *(0, 0),
        *(1000, 1000),
    ]
