"""Where reports go: by format, by ending, into folders; whole or not at all, and for their owner's eyes."""

from __future__ import annotations

import configparser
import json
import re
import stat
import sys
from pathlib import Path

import click
import pytest

from auditor.cli.check import binary_needs_file, write_report
from auditor.jobs import kept_runs
from auditor.jobs.audit_request import Outputs, format_of_ending, outputs_for
from auditor.model.configuration import HistoryPlace
from auditor.model.rule import FindingOutcome, RulePlace
from auditor.render import EXTRAS, FORMATS, Format, FormatUnavailable, must_be_available
from tests.cli.program import run
from tests.render.parts import finding, report
from tests.render.reports import needs_admin


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(place: Outputs) -> list[str]:
    write_report(needs_admin(), place)
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def test_formats_go_to_a_folder_that_is_made() -> None:
    assert written(outputs_for(("text", "json", "text"), ("new/deep/",))) == [
        "new/deep/report.json",
        "new/deep/report.txt",
    ]


def test_several_files_get_the_formats_of_their_endings() -> None:
    assert written(outputs_for((), ("a.txt", "b.JSON"))) == ["a.txt", "b.JSON"]
    assert Path("b.JSON").read_bytes().startswith(b"{")


def test_a_format_that_is_named_goes_over_the_ending() -> None:
    assert outputs_for(("json",), ("ticket.log",)).files == (("json", Path("ticket.log")),)


def test_a_folder_that_is_there_needs_no_slash() -> None:
    Path("there").mkdir()
    assert written(outputs_for((), ("there",))) == ["there/report.txt"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_ending_leads_to_its_format(name: str) -> None:
    assert format_of_ending(f"REPORT{FORMATS[name].ending.upper()}") == name


def test_endings_are_different() -> None:
    endings = [ending for form in FORMATS.values() for ending in (form.ending, *form.other_endings)]
    assert len(set(endings)) == len(endings)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        pytest.param("report.sarif.json", "sarif", id="sarif.json"),
        pytest.param("report.json", "json", id="json"),
        pytest.param("my.sarif.report.json", "json", id="json after sarif"),
        pytest.param("report.htm", "html", id="htm"),
        pytest.param("report.markdown", "markdown", id="markdown"),
        pytest.param("events.jsonl", "ocsf", id="jsonl"),
    ],
)
def test_other_endings_that_people_use_are_known(file: str, name: str) -> None:
    assert format_of_ending(file) == name


def test_one_file_that_is_named_in_two_ways_is_written_once(tmp_path: Path) -> None:
    assert outputs_for((), ("a.html", "./a.html", f"{tmp_path}/a.html")).files == (("html", Path("a.html")),)
    assert outputs_for((), ("-", "-")).is_standard_output
    assert len(outputs_for((), ("a.html", "./b.html")).files) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_a_new_report_is_for_its_owner_and_a_replaced_one_keeps_its_readers() -> None:
    Path("old.json").write_text("old", encoding="utf-8")
    Path("old.json").chmod(0o644)
    write_report(needs_admin(), outputs_for((), ("new.json", "old.json")))
    assert [stat.S_IMODE(Path(name).stat().st_mode) for name in ("new.json", "old.json")] == [0o600, 0o644]


def test_where_one_format_cannot_be_made_no_file_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text("old", encoding="utf-8")
    place = Outputs(formats=("text", "nowhere"), files=(("text", Path("a.txt")), ("nowhere", Path("b"))))
    with pytest.raises(LookupError):
        write_report(needs_admin(), place)
    assert Path("a.txt").read_text(encoding="utf-8") == "old"


def test_a_missing_package_is_named_with_the_commands_that_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "auditor.render.FORMATS", {"odd": Format("auditor.render.json", ".odd", ("no_such_module",), "odd")}
    )
    with pytest.raises(FormatUnavailable, match=r"no_such_module.*pipx inject .*pip install no_such_module"):
        must_be_available("odd")


def test_the_packages_of_an_extra_are_those_that_the_installation_has() -> None:
    declared = configparser.ConfigParser()
    declared.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
    for name, packages in EXTRAS.items():
        lines = declared["options.extras_require"][name].split("\n")
        assert {re.split(r"[ ;<>=]", line)[0] for line in lines if line} == set(packages)


def test_a_missing_extra_is_named_with_all_that_it_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_runs, "find_spec", lambda name: None)
    with pytest.raises(kept_runs.HistoryUnavailable) as raised:
        kept_runs.open_place(HistoryPlace())
    assert str(raised.value) == "a history needs sqlalchemy, alembic and platformdirs, which aren't installed"
    assert "Install the extra nightly: run 'pipx inject consent-auditor" in raised.value.advice
    assert "apprise" in raised.value.advice


def test_what_is_no_text_does_not_go_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.cli.check.FORMATS", {"odd": Format("auditor.render.json", ".odd", is_binary=True)})
    monkeypatch.setattr("auditor.render.FORMATS", {"odd": Format("auditor.render.json", ".odd", is_binary=True)})
    outputs = outputs_for(("odd",), ())
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(click.UsageError, match=r"add -o report\.odd"):
        binary_needs_file(outputs)
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    binary_needs_file(outputs)
    assert outputs.is_standard_output


def uris_of(file: str, at: str = "report.sarif") -> list[str]:
    """The addresses in a SARIF report on a rule of a pack that the report says lies here."""
    one = finding("r", "T", FindingOutcome.FAIL, "B.", place=RulePlace(file=file, line=1))
    write_report(report(findings=(one,)), outputs_for((), (at,)))
    return re.findall(r'"uri": "([^"]*)"', Path(at).read_text(encoding="utf-8"))


def test_sarif_points_at_files_from_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "audit"
    inner.mkdir()
    (inner / "ours.yaml").touch()
    monkeypatch.chdir(inner)
    assert uris_of("ours.yaml") == ["audit/ours.yaml"]
    assert uris_of("rules/trackerrms.yaml") == ["rules/trackerrms.yaml"]
    assert uris_of("theirs.yaml") == ["packs-elsewhere/theirs.yaml"]


def test_sarif_takes_the_root_that_the_runner_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "ours.yaml").touch()
    monkeypatch.chdir(tmp_path / "a" / "b")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert uris_of("ours.yaml") == ["a/b/ours.yaml"]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    assert uris_of("ours.yaml") == ["ours.yaml"]


def test_of_files_the_verdict_is_one_line_on_standard_error(tmp_path: Path) -> None:
    words = ("check", "--sample", "managed-default", "--pack", "trackerrms-uk")
    done = run(*words, "-o", "a.json", "-o", "a.txt", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    *wrote, verdict = done.err.splitlines()
    assert wrote == ["Wrote a.json", "Wrote a.txt"]
    assert verdict == (
        "TrackerRMS in Contoso Talent: NEEDS ADMIN. An administrator must approve the app first. 4 of 11 checks fail;"
        " 1 setting explains 3. Exit code 1: a check of severity medium or higher fails."
    )
    assert "Findings: the result of each rule" in (tmp_path / "a.txt").read_text(encoding="utf-8")


def test_a_program_that_reads_a_report_gets_nothing_else(tmp_path: Path) -> None:
    words = ("check", "--sample", "managed-default", "--pack", "trackerrms-uk", "-f", "json")
    done = run(*words, cwd=tmp_path)
    assert done.err == ""
    assert json.loads(done.out)["summary"]["failed"] == 4


def test_details_are_for_the_terminal(tmp_path: Path) -> None:
    words = ("check", "--sample", "managed-default", "--pack", "trackerrms-uk", "--details", "-o", "a.html")
    done = run(*words, cwd=tmp_path)
    assert done.code == 2
    assert "--details is for the report on the terminal, and files have all of it: leave it out" in done.err
