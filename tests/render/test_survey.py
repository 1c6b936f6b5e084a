"""A survey of apps in every format: the answer first, one screen on a terminal, and no number for what wasn't read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import jsonschema
import msgspec
import pytest

from auditor.apps.survey import KnownApps, survey
from auditor.model.decision import AppRef
from auditor.model.prediction import ComparedApp, Comparison, Happened, PredictedEvent, PredictionComparison
from auditor.model.snapshot import Snapshot
from auditor.model.survey import Filters, Survey
from auditor.render.survey import CSV_COLUMNS, FORMATS, as_text, render_survey, schema
from tests.apps.tenants_with_apps import UNVERIFIED, Directory, app, client_id, failed, last_used, request

MANY = 60


def tenant() -> Directory:
    """A tenant with many apps, of which three stop users, one has an unfriendly name, and one is its own."""
    found = Directory("legacy-open")
    for number in range(1, MANY + 1):
        found.with_app(app(number, f"App {number:02}"), "User.Read")
    found.with_app(app(70, "=cmd|' /C calc'!A0 <b>|", publisher=UNVERIFIED, enabled=False), "Mail.ReadWrite")
    found.with_app(app(71, "Doodle"), alice="Calendars.ReadWrite", bob="Calendars.ReadWrite")
    found.with_app(app(72, "Payroll", owner=found.tenant_id, publisher=UNVERIFIED), "Mail.Read")
    return found


def surveyed(snapshot: Snapshot | None = None, *assumptions: str, **filters: Any) -> Survey:
    logs = tenant().snapshot(
        signIns=(failed(70, "alice", code=7000112),),
        servicePrincipalSignInActivities=(last_used(1, "2026-11-20T00:00:00Z"),),
    )
    return survey(snapshot or logs, KnownApps(), Filters(**filters), assumptions=assumptions, source="a test")


def text(found: Survey, *, whole: bool = False, width: int = 80) -> list[str]:
    return as_text(found, width=width, whole=whole).decode().split("\n")


def test_a_terminal_shows_one_screen_with_the_answer_first() -> None:
    lines = text(surveyed())
    assert lines[2].strip().startswith("1 of 63 apps: users are stopped (1 for another reason). Sign-ins to 1 app")
    assert "Sign-ins to 1 app failed" in " ".join(" ".join(lines).split())
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert "And 56 more apps. To see all: add --details, or -o apps.html." in " ".join(" ".join(lines).split())


def test_with_details_every_app_is_listed_with_its_publisher_and_where_its_scopes_come_from() -> None:
    lines = text(surveyed(), whole=True)
    assert sum("App " in line for line in lines) >= MANY
    page = " ".join(lines)
    assert page.count("scopes from: grants") == MANY + 3
    assert "Vendor," in page


def test_a_screen_says_which_log_the_comparison_lacks() -> None:
    unclear = Comparison.CANNOT_TELL
    event = PredictedEvent(at="2026-11-20T00:00:00Z", happened=Happened.STOPPED, result=unclear, user="a")
    ref = AppRef(name="App", client_id=client_id(1))
    one = ComparedApp(app=ref, agrees=0, disagrees=0, cannot_tell=1, events=(event,))
    compared = PredictionComparison(
        sentence="Nothing can be said about 1 failed sign-in.",
        agrees=0,
        disagrees=0,
        cannot_tell=1,
        left_out=0,
        apps=(one,),
        not_read=("the audit log: it was refused",),
    )
    page = " ".join(" ".join(text(msgspec.structs.replace(surveyed(), comparison=compared))).split())
    assert "Nothing can be said about 1 failed sign-in. Not read: the audit log: it was refused." in page


def test_an_assumption_has_columns_before_and_after_and_says_who_keeps_working() -> None:
    lines = text(surveyed(None, "setting=managed"))
    assert " ".join("".join(lines[2:4]).split()).startswith(
        "With setting=managed, 1 more app stops new users. 2 users approved one earlier and keep working"
    )
    row = next(line for line in lines if "Doodle" in line)
    assert "connect" in row
    assert "STOPPED" in row


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_names_every_app_and_is_the_same_each_time(form: str) -> None:
    found = surveyed(None, "setting=managed")
    page = render_survey(found, form)
    assert page == render_survey(surveyed(None, "setting=managed"), form)
    assert all(f"App {number:02}".encode() in page for number in range(1, MANY + 1))


def test_the_json_form_is_what_its_schema_and_its_types_say() -> None:
    found = surveyed(None, "setting=managed")
    document = json.loads(render_survey(found, "json"))
    jsonschema.validate(document, schema())
    assert (document["format"], document["version"]) == ("consent-auditor/apps-survey", 1)
    assert msgspec.json.decode(render_survey(found, "json"), type=Survey, strict=True) == found


def test_a_spreadsheet_has_a_row_for_each_app_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(render_survey(surveyed(), "csv").decode("utf-8-sig"))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == MANY + 3
    first = rows[0]
    assert (first["client_id"], first["state"], first["failed_sign_ins"]) == (client_id(70), "stopped", "1")
    assert not first["app"].startswith("=")


def test_what_wasnt_read_is_null_empty_or_unknown_and_never_zero() -> None:
    unread = {"appConsentRequests": None, "signIns": None, "servicePrincipalSignInActivities": None}
    found = surveyed(Directory().with_app(app(1, "App"), "User.Read").snapshot(appRoleAssignedTo=None, **unread))
    (row,) = json.loads(render_survey(found, "json"))["apps"]
    assert (row["waiting"]["asking"], row["waiting"]["failed"], row["last_sign_in"]) == (None, None, None)
    assert row["holds"]["application"] is None
    (cells,) = csv.DictReader(io.StringIO(render_survey(found, "csv").decode("utf-8-sig")))
    assert (cells["asking"], cells["failed_sign_ins"], cells["last_sign_in"]) == ("", "", "")
    page = " ".join(" ".join(text(found)).split())
    assert "so unknown: which apps hold application permissions" in page
    assert "Last used" not in page


def test_a_name_in_the_tenant_is_no_markup() -> None:
    found = surveyed()
    assert b"<b>" not in render_survey(found, "html")
    assert "\\<b\\>" in render_survey(found, "markdown").decode()


def test_a_name_breaks_no_line_and_controls_no_terminal() -> None:
    hostile = Directory().with_app(app(1, "Evil\x1b[31m\u202e\n| name"), "User.Read").snapshot()
    for form in ("text", "markdown", "html"):
        page = render_survey(surveyed(hostile), form).decode()
        assert "\x1b" not in page
        assert "\u202e" not in page
    rows = [line for line in render_survey(surveyed(hostile), "markdown").decode().split("\n") if line.startswith("|")]
    assert len(rows) == 3


def test_a_request_says_how_many_ask_and_your_own_apps_are_marked() -> None:
    asked = tenant().snapshot(appConsentRequests=(request(90, "Wanted", "Mail.Read Calendars.Read", "alice", "bob"),))
    page = " ".join(" ".join(text(surveyed(asked), whole=True)).split())
    assert "Users wait for the approval of 1 app." in page
    assert "1 app that your tenant registered" in page


@pytest.mark.parametrize(
    ("snapshot", "filters", "says"),
    [
        pytest.param(Directory().snapshot(), {}, "No app to show", id="nothing in the tenant"),
        pytest.param(tenant().snapshot(), {"unverified": True, "stopped": True}, "1 of 1 app", id="one app"),
        pytest.param(
            Directory("legacy-open").with_app(app(1, "App"), "User.Read").snapshot(),
            {"stopped": True},
            "No app of this tenant is known to match the filters.",
            id="nothing matches",
        ),
    ],
)
def test_a_short_survey_says_so(snapshot: Snapshot, filters: dict[str, bool], says: str) -> None:
    assert says in " ".join(text(surveyed(snapshot, **filters)))
