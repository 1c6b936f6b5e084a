"""Every format reports an assumed change as an assumption, not as something that was found."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from junitparser import JUnitXml

from auditor.cli.check import write_report
from auditor.jobs.audit_request import outputs_for
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report, with_assumptions
from auditor.model.report import Report
from auditor.render import FORMATS, render
from auditor.snapshot.samples import sample
from tests.render.reports import needs_admin

BECOMES = (
    "With setting=legacy, TrackerRMS (5353a3d2-8ca9-42d2-b567-ea399ccb5e38) changes from NEEDS ADMIN to CONNECTS. "
)


def supposed(*packs: str) -> Report:
    snapshot, chosen = sample("low-unclassified"), chosen_packs(packs or ["trackerrms-uk"])
    return with_assumptions(build_report(snapshot, chosen), snapshot, chosen, ["setting=legacy"])


def test_markdown_has_a_table_of_its_own() -> None:
    page = render(supposed(), "markdown").decode()
    part = page.partition("### What if: setting=legacy\n")[2].partition("###")[0]
    assert "Nothing was changed." in part
    assert "| NEEDS ADMIN | CONNECTS |" in part


@pytest.mark.parametrize(
    "packs",
    [pytest.param(("trackerrms-uk",), id="one pack"), pytest.param(("trackerrms-uk", "trackerrms-us"), id="two packs")],
)
def test_tables_have_a_row_for_each_answer(packs: tuple[str, ...]) -> None:
    text = render(supposed(*packs), "csv").decode("utf-8-sig")
    rows = [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["Table"] == "What if"]
    assert [(row["Assumption"], row["Now"], row["With this change"]) for row in rows] == [
        ("setting=legacy", "NEEDS ADMIN", "CONNECTS") for _ in packs
    ]


def test_sarif_and_junit_tell_it_in_their_properties() -> None:
    (run,) = json.loads(render(supposed(), "sarif"))["runs"]
    assert run["properties"]["ifItWereSo"][0].startswith(BECOMES)
    reported = {one.name: one.value for one in _only(JUnitXml.fromstring(render(supposed(), "junit"))).properties()}
    assert reported["if-it-were-so-1"].startswith(BECOMES)


def _only(suites: Any) -> Any:
    (suite,) = suites
    return suite


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.shows_what_if and not form.is_binary])
def test_a_format_that_shows_it_names_what_was_supposed(name: str) -> None:
    assert b"setting=legacy" in render(supposed(), name)
    assert b"setting=legacy" not in render(needs_admin(), name)


def test_a_format_that_leaves_it_out_is_named_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = supposed()
    assert render(made, "ocsf") == render(msgspec.structs.replace(made, what_if=None), "ocsf")
    write_report(made, outputs_for((), (f"{tmp_path}/a.ocsf.jsonl", f"{tmp_path}/a.json")))
    reported = capsys.readouterr().err
    assert "Note: ocsf doesn't show --assume, because the change wasn't made.\n" in reported
    write_report(needs_admin(), outputs_for((), (f"{tmp_path}/a.ocsf.jsonl",)))
    assert "Note" not in capsys.readouterr().err
