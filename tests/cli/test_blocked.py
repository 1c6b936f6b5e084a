"""``blocked``: the screen with its exit code, files in each format, filters, redaction, and mistakes in options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.cli.program import program
from tests.cli.program import run

SAMPLE = ("--sample", "stopped-users")


def test_the_answer_comes_first_and_the_exit_code_last(tmp_path: Path) -> None:
    done = run("blocked", *SAMPLE, cwd=tmp_path)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == "Who was stopped and who waits in Relecloud Recruitment"
    assert lines[-1] == "Exit code 1: users are stopped, or wait for approval."
    assert len(lines) <= 46 and max(map(len, lines)) <= 100


def test_one_app_is_described_whole_and_nobody_stopped_now_is_success(tmp_path: Path) -> None:
    done = run("blocked", *SAMPLE, "--app", "tracker", cwd=tmp_path)
    assert done.code == 0
    text = " ".join(done.out.split())
    assert "granted for all users on Wednesday, 18 November by grace@relecloudhr.onmicrosoft.com" in text
    assert "AADSTS65001: Nobody has consented" in text


def test_each_file_gets_the_format_of_its_ending_and_redaction_removes_people(tmp_path: Path) -> None:
    files = [str(tmp_path / f"blocked.{ending}") for ending in ("json", "csv", "md", "html", "txt")]
    done = run("blocked", *SAMPLE, "--redact", *(part for file in files for part in ("-o", file)), cwd=tmp_path)
    assert done.code == 1
    texts = [Path(file).read_text(encoding="utf-8-sig") for file in files]
    assert json.loads(texts[0])["format"] == "consent-auditor/blocked"
    assert not [text for text in texts if "relecloud" in text.lower() or "grace@" in text or "Interview" in text]
    assert all("Wednesday, 18 November" in text for text in texts if text is not texts[1])


def test_a_redacted_table_calls_a_vendors_app_what_its_fix_calls_it(tmp_path: Path) -> None:
    done = run("blocked", *SAMPLE, "--redact", "-f", "json", cwd=tmp_path)
    names = {one["app"]["client_id"]: one["app"]["name"] for one in json.loads(done.out)["apps"]}
    assert names["01f1a5b4-34ce-42e2-acbc-d1dfe46dba94"] == "Element451 Appointments", "the log says Element451"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--since", "soon"), "isn't a time: give for example 7d, 12h, 2026-11-15", id="no time"),
        pytest.param(("--since", "0d"), "isn't a time", id="no days"),
        pytest.param(("--correlation", "123"), "isn't a correlation ID", id="no correlation id"),
        pytest.param(("--user", ""), "--user is empty: is a variable not set?", id="an empty value"),
        pytest.param(("--snapshot", "a.json"), "exclude each other", id="two tenants"),
        pytest.param(("-f", "text", "-f", "json"), "several formats need several files", id="two formats"),
    ],
)
def test_mistakes_say_what_to_give_instead(options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(program, ["blocked", *SAMPLE, *options])
    assert done.exit_code == 2
    assert said in done.output


def test_an_unread_tenant_exits_with_unknown() -> None:
    done = CliRunner().invoke(program, ["blocked", "--sample", "managed-default"], standalone_mode=False)
    assert done.return_value == 4
    assert "Exit code 4: not all that decides could be read." in done.output


@pytest.mark.parametrize(
    ("since", "apps"), [pytest.param("1w", "at 6 apps", id="a week"), pytest.param("8w", "at 7 apps", id="two months")]
)
def test_since_takes_weeks(since: str, apps: str) -> None:
    done = CliRunner().invoke(program, ["blocked", *SAMPLE, "--since", since, "-f", "markdown"])
    assert apps in done.output
