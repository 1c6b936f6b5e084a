"""The comparison of predictions with the logs, in each format of ``blocked``: the same numbers, and why."""

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
from auditor.model.blocked import Blocked
from auditor.model.decision import AppRef, Outcome
from auditor.model.prediction import ComparedApp, Comparison, Happened, PredictedEvent, PredictionComparison
from auditor.render.blocked import COMPARISON_COLUMNS, CSV_COLUMNS, as_text, render_blocked, schema
from auditor.snapshot.samples import sample
from tests.golden import check_golden

GOLDEN = Path(__file__).parent / "golden_blocked"
EVENT = PredictedEvent(
    at="2026-11-20T08:00:00Z",
    happened=Happened.STOPPED,
    result=Comparison.DISAGREES,
    user="tom@contoso.example",
    code="AADSTS90094",
    predicted=Outcome.USER_MAY_CONSENT,
    because="tom@contoso.example can connect Mailer and accepts the permissions.",
    reasons=("the app asked for other scopes than this program knows", "a fault of this program: …"),
)
CONSENTED = msgspec.structs.replace(EVENT, happened=Happened.CONSENTED, result=Comparison.AGREES, code="", reasons=())
UNCLEAR = msgspec.structs.replace(EVENT, result=Comparison.CANNOT_TELL, predicted=None, because="the <b> user|name")
MAILER = ComparedApp(
    app=AppRef(name="=Mailer", client_id="a1"),
    agrees=1,
    disagrees=1,
    cannot_tell=1,
    events=(EVENT, CONSENTED, UNCLEAR),
)
FOUND = PredictionComparison(
    sentence="1 of 2 consents and failed sign-ins of the last 2 days came out as predicted.",
    agrees=1,
    disagrees=1,
    cannot_tell=1,
    left_out=2,
    apps=(MAILER,),
    earlier_reads=("2026-11-01T00:00:00Z",),
)


@cache
def compared() -> Blocked:
    made = blocked(sample("stopped-users"), source="sample stopped-users", tool="test", with_fixes=False)
    return msgspec.structs.replace(made, comparison=FOUND)


@pytest.mark.parametrize("whole", [pytest.param(False, id="one screen"), pytest.param(True, id="details")])
def test_the_sentence_the_table_and_the_reasons_are_as_they_were_read_and_approved(whole: bool) -> None:
    lines = as_text(compared(), width=80, whole=whole).decode().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("Predictions compared"))
    part = "".join(lines[start : start + 30])
    check_golden(GOLDEN / f"comparison-{'details' if whole else 'screen'}.txt", part.encode())
    assert whole or len(lines) <= 42


def test_json_has_the_comparison_under_its_own_key_and_fits_the_schema() -> None:
    document = json.loads(render_blocked(compared(), "json"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert (document["comparison"]["agrees"], document["comparison"]["apps"][0]["disagrees"]) == (1, 1)
    assert msgspec.json.decode(render_blocked(compared(), "json"), type=Blocked) == compared()
    without = msgspec.structs.replace(compared(), comparison=None)
    assert json.loads(render_blocked(without, "json"))["comparison"] is None


def test_csv_has_a_row_for_each_event_after_the_people() -> None:
    rows = list(csv.DictReader(io.StringIO(render_blocked(compared(), "csv").decode("utf-8-sig"))))
    assert tuple(rows[0]) == (*CSV_COLUMNS, *COMPARISON_COLUMNS)
    assert [row["comparison"] for row in rows if row["happened"]] == ["disagrees", "agrees", "cannot-tell"]
    assert rows[-3]["app"] == "'=Mailer"
    assert rows[-3]["likely_reasons"].startswith("the app asked for other scopes than this program knows; ")


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_pages_say_what_agrees_and_names_cannot_break_out(form: str) -> None:
    page = render_blocked(compared(), form).decode()
    assert "1 of 2 consents and failed sign-ins of the last 2 days came out as predicted." in page
    assert "the <b> user" not in page.lower()
    assert "2 consents of administrators are left out." in page
