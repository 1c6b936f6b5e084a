"""Who was stopped and who waits, in each format: the same facts, and nothing that isn't known as a number."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path

import jsonschema
import msgspec
import pytest

from auditor.apps.stopped_users import blocked
from auditor.model.blocked import Blocked, BlockedFilter
from auditor.render.blocked import CSV_COLUMNS, FORMATS, as_text, render_blocked, schema
from auditor.render.blocked_view import tone
from auditor.snapshot.samples import patched, sample
from tests.golden import check_golden

GOLDEN = Path(__file__).parent / "golden_blocked"
UNREAD = ("appConsentRequests", "signIns", "directoryAudits")


@cache
def whole() -> Blocked:
    return blocked(sample("stopped-users"), source="sample stopped-users", tool="test")


@cache
def unread(*sections: str) -> Blocked:
    return blocked(patched(sample("stopped-users"), dict.fromkeys(sections)), source="a file", with_fixes=False)


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_what_a_format_shows_is_as_it_was_read_and_approved(form: str) -> None:
    ending = {"text": "txt", "markdown": "md", "csv": "csv"}[form]
    check_golden(GOLDEN / f"stopped-users.{ending}", render_blocked(whole(), form))


def test_one_screen_has_at_most_forty_lines_of_eighty_columns() -> None:
    lines = as_text(whole(), width=80, whole=False).decode().splitlines()
    assert len(lines) <= 42
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith("  6 users were stopped, at 7 apps. 2 users wait for approval; 1 request expires")
    check_golden(GOLDEN / "screen.txt", as_text(whole(), width=80, whole=False))


def test_without_any_source_the_answer_is_unknown_and_says_what_allows_the_reads() -> None:
    text = " ".join(as_text(unread(*UNREAD), width=80, whole=False).decode().split())
    assert "Not known: neither the requests for consent nor the logs were read." in text
    assert "Allows the read: ConsentRequest.Read.All." in text
    assert "AuditLog.Read.All, with a Microsoft Entra ID P1 or P2 license of the tenant" in text
    assert "Nobody" not in text
    assert tone(unread(*UNREAD)) == "unsure"


def test_a_narrow_terminal_has_fewer_columns_and_breaks_no_word() -> None:
    lines = as_text(whole(), width=40, whole=False).decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert "App Users Last Now" in (" ".join(line.split()) for line in lines)
    assert sum(line.endswith("  stopped") for line in lines) == 5


def test_a_number_that_may_be_larger_has_a_plus() -> None:
    text = as_text(unread("appConsentRequests"), width=100, whole=True).decode()
    assert "At least 6 users were stopped" in text
    assert "Who waits for approval wasn't read." in text
    assert "3+" in text


def test_json_has_null_and_the_reason_for_what_is_not_known_and_fits_its_schema() -> None:
    for made in (whole(), unread("signIns"), unread(*UNREAD)):
        document = json.loads(render_blocked(made, "json"))
        jsonschema.Draft202012Validator(schema()).validate(document)
        assert msgspec.json.decode(render_blocked(made, "json"), type=Blocked) == made
    app = next(one for one in json.loads(render_blocked(unread("signIns"), "json"))["apps"])
    assert app["stopped"] is None
    assert "signIns" in app["not_known"]["stopped"]


def test_csv_has_a_row_for_each_person_and_app() -> None:
    rows = list(csv.DictReader(io.StringIO(render_blocked(whole(), "csv").decode("utf-8-sig"))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == sum(len(app.people) for app in whole().apps)
    tom = next(row for row in rows if row["user"].startswith("tom@") and row["app"] == "Element451")
    assert (tom["waits"], tom["request_status"], tom["days_left"]) == ("yes", "pending", "3")
    jonas = next(row for row in rows if row["user"].startswith("jonas@") and row["app"] == "Jotform")
    assert (jonas["stopped"], jonas["would_connect"]) == ("", "yes")


def test_html_is_a_page_with_the_verdict() -> None:
    page = render_blocked(whole(), "html").decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert "Element451" in page and "granted for all users on Wednesday, 18 November" in page
    assert FORMATS.keys() == {"text", "json", "markdown", "html", "csv"}


def test_nobody_who_matches_is_not_nobody_at_all() -> None:
    made = blocked(sample("stopped-users"), BlockedFilter(app="no such app"))
    text = as_text(made).decode()
    assert "Nobody who matches was stopped, and nobody who matches waits. Check the" in text


def test_names_cannot_break_out_of_a_format() -> None:
    row = {"appId": "a1", "appDisplayName": "=1+1|<script>\n# x", "userId": "u", "userPrincipalName": "*a*|b@x.example"}
    log = [{**row, "createdDateTime": "2026-11-20T00:00:00Z", "status": {"errorCode": 90094}}]
    made = blocked(patched(sample("stopped-users"), {"signIns": log, "appConsentRequests": [], "directoryAudits": []}))
    assert "<script>" not in render_blocked(made, "html").decode()
    assert "\n# x" not in render_blocked(made, "markdown").decode()
    assert "\"'=1+1" in render_blocked(made, "csv").decode("utf-8-sig")


def test_apps_with_one_name_are_told_apart_and_a_long_name_is_cut() -> None:
    rows = [
        {"appId": f"a{number}", "appDisplayName": "Twin " * 40, "userId": "u", "status": {"errorCode": 90094}}
        for number in (1, 2)
    ]
    made = blocked(patched(sample("stopped-users"), {"signIns": rows, "appConsentRequests": [], "directoryAudits": []}))
    for text in (as_text(made, whole=False).decode(), as_text(made).decode(), render_blocked(made, "html").decode()):
        assert "client ID a1" in text
        assert "client ID a2" in text
        assert "not record " not in text
    assert as_text(made, width=80, whole=False).count(b"\n") < 40


def test_an_app_of_attackers_comes_with_advice_and_not_with_a_fix() -> None:
    row = {"appId": "b1c4926a-5fb6-4aad-b920-709c957be148", "userId": "u", "status": {"errorCode": 90094}}
    made = blocked(
        patched(sample("stopped-users"), {"signIns": [row], "appConsentRequests": [], "directoryAudits": []})
    )
    text = " ".join(as_text(made, whole=False).decode().split())
    assert "(known malicious)" in text
    assert "Don't approve it; deny its requests." in text
    assert "Fix:" not in text
    assert "malicious" in render_blocked(made, "csv").decode("utf-8-sig").splitlines()[1]
