"""A row that may be about somebody who was stopped, and lacks what a count needs, makes no number 0."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.apps.stopped_users import blocked, stopped_at
from auditor.jobs.blocked import blocked_exit_code
from auditor.model.blocked import Blocked, BlockedFilter
from auditor.model.rule import App
from auditor.snapshot.samples import patched, sample
from tests.apps.test_survey import surveyed

SAMPLE = "stopped-users"
APP, OTHER = "01f1a5b4-34ce-42e2-acbc-d1dfe46dba94", "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
AT = "2026-11-20T10:00:00Z"
SIGN_IN: dict[str, Any] = {
    "id": "s1",
    "createdDateTime": AT,
    "appId": APP,
    "userId": "u1",
    "correlationId": "c1",
    "status": {"errorCode": 90094},
}
CONSENT: dict[str, Any] = {
    "id": "a1",
    "activityDateTime": AT,
    "activityDisplayName": "Consent to application",
    "result": "failure",
    "correlationId": "c1",
    "initiatedBy": {"user": {"id": "u1", "userPrincipalName": "u1@contoso.example"}},
    "targetResources": [
        {"id": "o1", "modifiedProperties": [{"displayName": "TargetId.ServicePrincipalNames", "newValue": f'"{APP}"'}]}
    ],
}
REQUEST: dict[str, Any] = {
    "id": "r1",
    "appId": APP,
    "userConsentRequests": [
        {"status": "InProgress", "createdDateTime": AT, "createdBy": {"user": {"id": "u1", "displayName": "U"}}}
    ],
}
NOTHING: dict[str, Any] = {"signIns": [], "directoryAudits": [], "appConsentRequests": []}
ROWS = {"signIns": SIGN_IN, "directoryAudits": CONSENT, "appConsentRequests": REQUEST}
NAMELESS = [{"status": "InProgress", "createdDateTime": AT}]


def found(section: str, changed: dict[str, Any], **asked: str) -> Blocked:
    """Who was stopped in a tenant with one row."""
    snapshot = patched(sample(SAMPLE), {**NOTHING, section: [{**ROWS[section], **changed}]})
    return blocked(snapshot, BlockedFilter(**asked), with_fixes=False)


INCOMPLETE = {
    "a sign-in without an app": ("signIns", {"appId": None}, {}, "appId"),
    "a sign-in without a status": ("signIns", {"status": None}, {}, "status.errorCode"),
    "a sign-in with an empty status": ("signIns", {"status": {}}, {}, "status.errorCode"),
    "a sign-in without a user, if one is asked for": ("signIns", {"userId": None}, {"user": "u1"}, "user"),
    "a sign-in without a correlation id, if one is asked for": (
        *("signIns", {"correlationId": None}),
        *({"correlation_id": "C1"}, "correlationId"),
    ),
    "an entry without an activity": ("directoryAudits", {"activityDisplayName": None}, {}, "activityDisplayName"),
    "a refused consent without a time": ("directoryAudits", {"activityDateTime": None}, {}, "activityDateTime"),
    "a refused consent without an app": ("directoryAudits", {"targetResources": []}, {}, "app"),
    "a consent without a result": ("directoryAudits", {"result": None}, {}, "result"),
    "a refused consent without a user": ("directoryAudits", {"initiatedBy": None}, {"user": "u1"}, "user"),
    "a request without an app": ("appConsentRequests", {"appId": ""}, {}, "appId"),
    "a request without a user": (
        *("appConsentRequests", {"userConsentRequests": NAMELESS}),
        *({"user": "u1"}, "user in one of its requests"),
    ),
}


@pytest.mark.parametrize(
    ("section", "changed", "asked", "missing"), [pytest.param(*row, id=name) for name, row in INCOMPLETE.items()]
)
def test_a_row_that_cannot_be_counted_makes_its_source_incomplete(
    section: str, changed: dict[str, Any], asked: dict[str, str], missing: str
) -> None:
    assert found(section, {}, **asked).is_complete
    made = found(section, changed, **asked)
    (gap,) = (one for one in made.sources if not one.complete)
    assert gap.section == section
    assert gap.why == f"{section}[0] (id {ROWS[section]['id']}) has no {missing}"
    assert (made.summary.at_least, made.summary.users) in ((True, None), (True, 1))
    assert blocked_exit_code(made) != 0


COMPLETE = {
    "a sign-in whose code is counted nowhere": ("signIns", {"appId": None, "status": {"errorCode": 50126}}, {}),
    "a sign-in from before the time": ("signIns", {"appId": None}, {"since": "2026-11-21T00:00:00Z"}),
    "a sign-in of another correlation id": ("signIns", {"appId": None}, {"correlation_id": "c2"}),
    "a sign-in of another app": ("signIns", {"status": None}, {"app": OTHER}),
    "another activity": ("directoryAudits", {"activityDisplayName": "Add user", "targetResources": []}, {}),
    "a consent that was given": ("directoryAudits", {"result": "success", "targetResources": []}, {}),
}


@pytest.mark.parametrize(
    ("section", "changed", "asked"), [pytest.param(*row, id=name) for name, row in COMPLETE.items()]
)
def test_a_row_that_would_not_be_counted_anyway_leaves_its_source_complete(
    section: str, changed: dict[str, Any], asked: dict[str, str]
) -> None:
    made = found(section, changed, **asked)
    assert made.is_complete
    assert (made.summary.users, blocked_exit_code(made)) == (0, 0)


def test_only_apps_that_the_row_may_be_about_are_not_known() -> None:
    """In short as well, as in a report on the app."""
    apps = [("one", App(client_id=APP, name="One")), ("other", App(client_id=OTHER, name="Other"))]
    for changed, users in (({"status": None}, [None, 0]), ({"appId": None}, [None, None])):
        snapshot = patched(sample(SAMPLE), {**NOTHING, "signIns": [{**SIGN_IN, **changed}]})
        short = stopped_at(snapshot, apps)
        assert [one.users for one in short] == users
        assert ["as far as was read" in one.sentence for one in short] == [one is None for one in users]


def test_a_survey_counts_no_0_failed_sign_ins_or_requests_because_of_such_a_row() -> None:
    for section, field in (("signIns", "failed"), ("appConsentRequests", "asking")):
        whole = surveyed(patched(sample(SAMPLE), NOTHING))
        empty = "" if section == "appConsentRequests" else None
        made = surveyed(patched(sample(SAMPLE), {**NOTHING, section: [{**ROWS[section], "appId": empty}]}))
        assert {getattr(one.waiting, field) for one in whole.apps} == {0}
        assert {getattr(one.waiting, field) for one in made.apps if one.client_id} == {None}
        assert all(field in one.not_known for one in made.apps if one.client_id)
