"""A report says who was stopped at its apps and who waits, in each format, if requests or sign-ins were read."""

from __future__ import annotations

import json
from functools import cache

import pytest

from auditor.consent.requested_scopes import app_from_scopes
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.render import render
from auditor.render.sheets import sheets
from auditor.snapshot.samples import patched, sample

ELEMENT, NEW = "01f1a5b4-34ce-42e2-acbc-d1dfe46dba94", "aaaaaaaa-0000-4000-8000-000000000001"
TITLE = "Who was stopped and who waits"


@cache
def report(app: str = ELEMENT, **unread: bool) -> Report:
    return _report(patched(sample("stopped-users"), dict.fromkeys(unread)), app)


def _report(snapshot: Snapshot, app: str) -> Report:
    return build_report(snapshot, chosen_packs((), app_from_scopes(app, "Calendars.ReadWrite", name="Element451")))


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_readable_format_has_the_sentence_the_reviewers_and_the_end(form: str) -> None:
    text = " ".join(render(report(), form).decode().replace("\\", "").replace("&gt;", ">").split())
    assert TITLE in text
    assert "2 users wait for approval; a request expires in 3 days." in text
    assert "Admin consent requests. Reviewers: " in text
    assert "The first request expires on 2026-11-25 13:22 UTC." in text


def test_json_and_tables_have_the_numbers() -> None:
    (one,) = json.loads(render(report(), "json"))["stopped"]
    assert (one["users"], one["waiting"], one["codes"], one["ends"]) == (3, 2, ["AADSTS90095"], "2026-11-25T13:22:05Z")
    (row,) = next(table for table in sheets(report()) if table.name == "Stopped users").rows
    assert row[:4] == ("Element451", ELEMENT, 3, 2)


def test_that_nobody_was_stopped_is_said_if_everything_was_read() -> None:
    (one,) = report(NEW).stopped
    assert (one.sentence, one.users, one.waiting) == ("Nobody was stopped, and nobody waits.", 0, 0)


def test_what_was_not_read_is_not_nobody() -> None:
    (one,) = report(NEW, signIns=True).stopped
    assert one.sentence == "Nobody was stopped, and nobody waits, as far as was read."
    assert (one.users, one.at_least, one.waiting) == (None, True, 0)
    assert "Whose sign-in failed isn't known" in " ".join(render(report(NEW, signIns=True), "text").decode().split())
    (row,) = next(table for table in sheets(report(NEW, appConsentRequests=True)) if table.name == "Stopped users").rows
    assert row[2:4] == ("unknown", "unknown")


def test_without_requests_and_sign_ins_there_is_no_section() -> None:
    made = report(appConsentRequests=True, signIns=True)
    assert made.stopped == ()
    assert TITLE not in render(made, "text").decode()
    assert _report(sample("managed-default"), ELEMENT).stopped == ()


def test_several_apps_are_named() -> None:
    packs = chosen_packs(["trackerrms-uk", "trackerrms-us"], app_from_scopes(ELEMENT, "Calendars.ReadWrite", name="E"))
    made = build_report(sample("stopped-users"), packs)
    assert [one.app.name for one in made.stopped] == ["TrackerRMS", "Element451"]
    assert "\n  TrackerRMS\n  3 users were stopped on Tuesday" in render(made, "text").decode()
