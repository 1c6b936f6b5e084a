"""``history``: list, show, export and prune what nightly runs keep, as text and in stable formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from auditor.history import open_history
from auditor.jobs.kept_runs import missing_runs
from auditor.model.history import Run, RunState
from auditor.render import render
from auditor.render.run_history import export_schema, schema
from tests.cli.program import run
from tests.history.nights import TENANT, Night, difference_of, keep, night, time_of


@pytest.fixture(scope="module")
def nights() -> tuple[Night, Night]:
    return night("managed-default"), night("admin-consented")


@pytest.fixture
def folder(tmp_path: Path, nights: tuple[Night, Night]) -> Path:
    """A folder with a history of three nights: one, one that failed, and one with changes."""
    with open_history(str(tmp_path / "h.db")) as history:
        keep(history, nights[0])
        failed = history.begin(TENANT, "contoso", time_of(1))
        history.fail(failed, error="the sign-in service refused the secret", exit_code=3, finished=time_of(1))
        keep(history, nights[1], 2, difference=difference_of(2, time_of(0), time_of(2)))
    return tmp_path


def test_the_list_has_the_latest_run_first(folder: Path) -> None:
    done = run("history", "list", "--history", "h.db", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.index("CONNECTS") < done.out.index("no audit") < done.out.index("NEEDS ADMIN")
    assert "did not start when due" in done.out
    assert "the sign-in service" in " ".join(done.out.split())


def test_the_list_as_json_follows_its_schema(folder: Path) -> None:
    done = run("history", "list", "--history", "h.db", "-f", "json", cwd=folder)
    document = json.loads(done.out)
    jsonschema.validate(document, json.loads(schema()))
    assert (document["format"], document["version"]) == ("consent-auditor/history", 1)
    first = document["runs"][0]
    assert {
        "id",
        "tenant",
        "name",
        "taken",
        "finished",
        "exit_code",
        "decisions",
        "passed",
        "failed",
        "unknown",
    } <= set(first)
    assert [one["changes"] for one in document["runs"]] == [2, None, None]
    assert {"app", "client_id", "outcome"} <= set(first["decisions"][0])


def test_the_list_as_csv_has_a_row_for_each_run(folder: Path) -> None:
    done = run("history", "list", "--history", "h.db", "-f", "csv", cwd=folder)
    rows = list(csv.DictReader(io.StringIO(done.out.removeprefix("\ufeff"))))
    assert [row["exit_code"] for row in rows] == ["1", "3", "1"]
    assert rows[0]["decisions"] == "TrackerRMS: connects-silently"


def test_an_export_has_one_line_for_each_run_that_follows_its_schema(folder: Path) -> None:
    done = run("history", "export", "--history", "h.db", cwd=folder)
    lines = [json.loads(line) for line in done.out.splitlines()]
    for line in lines:
        jsonschema.validate(line, json.loads(export_schema()))
    assert [line["state"] for line in lines] == ["finished", "failed", "finished"]
    assert lines[0]["decisions"][0]["scopes"] and lines[0]["findings"]
    assert [one["key"] for one in lines[2]["differences"]] == [
        "setting/allowInvitesFrom-0",
        "setting/allowInvitesFrom-1",
    ]
    written = run("history", "export", "--history", "h.db", "-o", "runs.jsonl", cwd=folder)
    assert written.err == "Wrote runs.jsonl\n"
    assert (folder / "runs.jsonl").read_text("utf-8") == done.out


def test_a_run_is_shown_with_its_changes_and_since_when_it_fails(folder: Path) -> None:
    done = run("history", "show", "last", "--history", "h.db", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Run 3 of contoso\n")
    assert "TrackerRMS CONNECTS" in done.out and "Nobody can invite guests." in done.out
    assert "no earlier run" in run("history", "show", "1", "--history", "h.db", cwd=folder).out
    assert "refused the secret" in " ".join(run("history", "show", "2", "--history", "h.db", cwd=folder).out.split())


def test_a_report_is_written_again_as_it_was(folder: Path, nights: tuple[Night, Night]) -> None:
    done = run("history", "show", "last", "--history", "h.db", "-f", "json", cwd=folder)
    assert done.out.encode() == render(nights[1].report, "json")
    done = run("history", "show", "1", "--history", "h.db", "-o", "r.html", "-o", "r.md", cwd=folder)
    assert done.code == 0
    assert (folder / "r.html").read_bytes() == render(nights[0].report, "html")


def test_the_last_run_that_is_shown_is_said_not_to_be_the_latest_if_a_later_one_failed(folder: Path) -> None:
    command = ("history", "show", "last", "--history", "h.db")
    assert run(*command, cwd=folder).err == ""
    with open_history(str(folder / "h.db")) as history, history.lock(TENANT):
        failed = history.begin(TENANT, "contoso", time_of(3))
        history.fail(failed, error="the sign-in service refused the secret", exit_code=3, finished=time_of(3))
    done = run(*command, cwd=folder)
    assert done.out.startswith("Run 3 of contoso")
    assert done.err == "Note: run 4 started later and has no report. To see why: consent-auditor history show 4\n"


def test_pruning_says_what_it_deletes(folder: Path, nights: tuple[Night, Night]) -> None:
    dry = run("history", "prune", "--history", "h.db", "--runs", "1", "--dry-run", cwd=folder)
    assert dry.out.count("\n") == 2
    assert dry.err == "Would delete 2 runs: older than 400 days, or beyond 1 of a tenant.\n"
    assert run("history", "prune", "--history", "h.db", "--runs", "1", cwd=folder).out == dry.out
    listed = json.loads(run("history", "list", "--history", "h.db", "-f", "json", cwd=folder).out)
    assert [one["id"] for one in listed["runs"]] == ["3"]
    forgotten = run("history", "prune", "--history", "h.db", "--forget", "contoso", cwd=folder)
    assert forgotten.err == "Deleted everything about contoso: 1 run.\n"
    assert "has no runs yet" in run("history", "list", "--history", "h.db", cwd=folder).err


MISTAKES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "an unknown run": (("show", "99"), "has no run 99"),
    "an unknown tenant": (("list", "--tenant", "contosso"), 'did you mean "contoso"?'),
    "a run without a report": (("show", "2", "-f", "html"), "has no report: it is failed"),
    "an unknown tenant to forget": (
        ("prune", "--forget", "contosso"),
        '--forget: the history has no run of "contosso"',
    ),
    "an impossible date": (("list", "--since", "yesterday"), "isn't a date such as 2026-11-22"),
    "nothing kept": (("list", "--history", "other.db"), "there is no history at"),
    "two ways to prune": (("prune", "--forget", "contoso", "--days", "3"), "leave out --days and --runs"),
    "a password on the command line": (
        ("list", "--history", "postgresql://anna:hunter2@db/audit"),
        "put the URL into CONSENT_AUDITOR_HISTORY",
    ),
}


@pytest.mark.parametrize(("words", "said"), [pytest.param(*case, id=name) for name, case in MISTAKES.items()])
def test_a_mistake_is_explained(folder: Path, words: tuple[str, ...], said: str) -> None:
    verb, *rest = words
    named = rest if "--history" in rest else [*rest, "--history", "h.db"]
    done = run("history", verb, *named, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())
    assert "hunter2" not in done.err
    assert not (folder / "other.db").exists()


def test_the_history_of_the_environment_and_of_the_configuration_is_found(folder: Path) -> None:
    command = ("history", "list", "-f", "json")
    by_variable = run(*command, cwd=folder, env={"CONSENT_AUDITOR_HISTORY": "h.db"})
    assert "needs-admin" in by_variable.out
    (folder / "consent-auditor.yaml").write_text(
        "version: 1\nhistory: {file: h.db}\ntenants:\n  - {tenant: contoso.example, packs: [trackerrms-uk]}\n", "utf-8"
    )
    assert run(*command, cwd=folder).out == by_variable.out


def made(number: int, started: str) -> Run:
    return Run(id=str(number), tenant=TENANT, name="contoso", state=RunState.FINISHED, started=started)


def test_nights_whose_runs_were_deleted_are_not_missing() -> None:
    runs = [made(number, f"2026-11-{number:02}T02:00:00Z") for number in (1, 2, 20, 21)][::-1]
    assert missing_runs(runs, "2026-11-21T20:00:00Z", kept=[run.id for run in runs]) == {}
    with_other_tenants = [str(number) for number in range(1, 22)]
    assert len(missing_runs(runs, "2026-11-21T20:00:00Z", kept=with_other_tenants)["contoso"]) == 17


def test_nights_that_are_missing_are_found_by_the_usual_time_between_runs() -> None:
    days = (1, 2, 3, 6, 7)
    runs = [made(day, f"2026-11-{day:02}T02:00:00Z") for day in days][::-1]
    assert missing_runs(runs, "2026-11-07T20:00:00Z") == {"contoso": ("2026-11-04T02:00:00Z", "2026-11-05T02:00:00Z")}
    whole = [str(number) for number in range(1, 8)]
    assert set(missing_runs(runs, "2026-11-07T20:00:00Z", kept=whole)) == {"contoso"}
    late = missing_runs(runs, "2026-11-09T10:00:00Z")
    assert late["contoso"][-1] == "2026-11-08T02:00:00Z"
    assert missing_runs(runs, "2026-11-07T20:00:00Z", every_hours=24 * 7) == {}
