"""Every event is a Compliance Finding as OCSF defines it, and says no more than the report."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.objects.compliance_status import StatusID

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.rule import FindingOutcome
from auditor.render import render
from auditor.render.ocsf import milliseconds
from auditor.snapshot.samples import sample
from tests.limits import examples
from tests.render.reports import depends
from tests.render.strategies import struct


def events_of(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render(report, "ocsf").splitlines()]


def audited(name: str = "managed-default", *more: str) -> Report:
    packs = chosen_packs(["trackerrms-uk", "cisa-scuba", *more])
    return build_report(sample(name), packs, source="a sample", tool="consent-auditor 1.2.3")


@pytest.mark.parametrize("name", ["managed-default", "unreadable-policies", "admin-consented"])
def test_every_finding_is_an_event_that_the_model_of_ocsf_takes(name: str) -> None:
    report = audited(name)
    events = events_of(report)
    assert [event["compliance"]["control"] for event in events] == [
        *(finding.rule for finding in report.findings),
        *(f"not-read/{part.section}" for part in report.unread),
    ]
    for event in events:
        model = ComplianceFinding.model_validate(event)
        assert (model.class_uid, model.category_uid, int(model.type_uid)) == (2003, 2, 200301)
        known = set(ComplianceFinding.model_fields)
        assert set(event) - known == {"cloud"}, "the profile cloud adds one attribute"


def test_unknown_is_neither_a_pass_nor_a_fail_but_what_ocsf_calls_a_warning() -> None:
    report = audited("unreadable-policies", "microsoft-recommended")
    pairs = list(zip(report.findings, events_of(report), strict=False))
    ids = {finding.outcome: event["compliance"]["status_id"] for finding, event in pairs}
    assert ids[FindingOutcome.UNKNOWN] == StatusID.Warning
    assert ids[FindingOutcome.FAIL] == StatusID.Fail
    assert ids[FindingOutcome.PASS] == StatusID.Pass
    for finding, event in pairs:
        unknown = finding.outcome is FindingOutcome.UNKNOWN
        assert event["status_detail"].startswith("Unknown: ") is unknown
        assert ("not_read" in event["unmapped"]) is unknown


def test_unread_data_is_listed_with_the_whole_response() -> None:
    part, *_ = depends().unread
    event, unread, _ = events_of(depends())
    assert event["unmapped"]["not_read"][0] == unread["unmapped"]["not_read"][0]
    assert unread["unmapped"]["not_read"] == [
        {
            "section": "permissionGrantPolicies",
            "http_status": 403,
            "code": part.code,
            "message": part.message,
            "request_id": part.request_id,
            "allowed_by_any_of": ["Policy.Read.PermissionGrant"],
        }
    ]
    assert (unread["status_code"], unread["compliance"]["status"]) == ("not-read", "Warning")
    assert "Policy.Read.PermissionGrant" in unread["remediation"]["desc"]


def test_an_event_says_when_it_was_seen_and_not_since_when() -> None:
    event, *_ = events_of(audited())
    assert event["finding_info"]["last_seen_time"] == event["time"] == 1_795_312_800_000
    assert "created_time" not in event["finding_info"]
    assert event["metadata"]["product"] == {
        "name": "consent-auditor",
        "vendor_name": "consent-auditor",
        "version": "1.2.3",
    }


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
    report = build_report(sample("managed-default"), chosen_packs(["trackerrms-uk", "trackerrms-us"]))
    events = events_of(report)
    assert len({event["finding_info"]["uid"] for event in events}) == len(events)
    assert {event["unmapped"]["pack_sha256"] for event in events} == {pack.digest for pack in report.packs}


@given(struct(Report))
@settings(max_examples=examples(20))
def test_any_report_becomes_events(report: Report) -> None:
    events = events_of(report)
    assert len(events) == len(report.findings) + len(report.unread)
    for event in events:
        ComplianceFinding.model_validate(event)


def test_what_is_no_time_is_the_beginning_of_time() -> None:
    assert [milliseconds(text) for text in ("", "soon", "1970-01-01T00:00:01", "1970-01-01T01:00:01+01:00")] == [
        *(0, 0),
        *(1000, 1000),
    ]
