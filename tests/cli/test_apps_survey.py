"""``apps survey``: the answer on a terminal, files in several formats, exit codes and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.cli.apps_survey import command
from tests.cli.program import run

SAMPLE = ("--sample", "stopped-users")


def test_the_answer_comes_first_and_the_exit_code_is_explained_last(tmp_path: Path) -> None:
    done = run("apps", "survey", *SAMPLE, cwd=tmp_path)
    assert (done.code, done.err) == (1, "")
    lines = done.out.rstrip().split("\n")
    assert "apps: users are stopped" in lines[2]
    assert lines[-1] == "Exit code 1: users are stopped at one of these apps or more."
    assert len(lines) <= 45


def test_files_get_the_format_of_their_ending(tmp_path: Path) -> None:
    files = ("apps.json", "apps.html", "apps.md", "apps.csv")
    done = run("apps", "survey", *SAMPLE, "--redact", *(part for one in files for part in ("-o", one)), cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert all(f"Wrote {one}" in done.err for one in files)
    document = json.loads((tmp_path / "apps.json").read_bytes())
    assert document["format"] == "consent-auditor/apps-survey"
    assert "Relecloud" not in "".join((tmp_path / one).read_text(encoding="utf-8") for one in files)


@pytest.mark.parametrize(
    "app",
    [
        pytest.param("decisions", id="with scopes that the sample doesn't publish"),
        pytest.param("signi", id="one that the sample seems to refuse"),
    ],
)
def test_a_survey_of_a_sample_says_about_an_app_of_the_catalogue_what_check_says(app: str, tmp_path: Path) -> None:
    sample = ("--sample", "managed-default", "-f", "json")
    surveyed = json.loads(run("apps", "survey", "--with", app, *sample, cwd=tmp_path).out)
    report = json.loads(run("check", "--app", app, *sample, cwd=tmp_path).out)
    client_id = report["apps"][0]["client_id"]
    answer = next(one["can_connect"] for one in surveyed["apps"] if one["client_id"] == client_id)
    for field in ("outcome", "reason", "because"):
        assert answer[field] == report["decisions"][0][field]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(("--unused", "soon"), "'soon' isn't a number of days: give for example 90d or 12w.", id="days"),
        pytest.param(("--unused", "0d"), "isn't a number of days", id="no days"),
        pytest.param(("--app", ""), "--app is empty", id="an empty name"),
        pytest.param(("--app", "jotfrm"), "did you mean 'Jotform'?", id="a misspelt name"),
        pytest.param(("--with", "nothing at all"), "apps list", id="not in the catalogue"),
        pytest.param(("--assume", "app-enabled=true"), "for all apps: give one of setting=", id="about one app"),
        pytest.param(("--assume", "setting=loose"), "the tenant has no consent policy", id="no such setting"),
        pytest.param(("-f", "json", "-f", "csv"), "add -o FILE for each", id="several formats"),
    ],
)
def test_a_mistake_says_what_to_give(options: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(command, [*SAMPLE, *options])
    text = f"{done.output}{done.exception or ''}"
    assert says in " ".join(text.split())
    assert done.exit_code != 0
