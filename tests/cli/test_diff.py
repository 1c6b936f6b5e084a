"""``diff``: two reports, snapshots or nights, in every format, with the exit codes of a gate."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from auditor.history import open_history
from auditor.jobs.report_builder import build_report
from auditor.model.difference import Difference
from auditor.model.snapshot import Snapshot
from auditor.render import render
from auditor.render.difference import CSV_COLUMNS, FORMATS, schema
from auditor.snapshot.write import save
from tests.cli.program import run
from tests.compare.states import FIRST, SECOND, judged, packs, tenant
from tests.compare.test_compare import assigned

PACK = ("--pack", "trackerrms-uk")


def before() -> Snapshot:
    return tenant("legacy-open")


def after() -> Snapshot:
    return tenant("legacy-open", SECOND, **assigned())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two snapshots and two reports of the same tenant."""
    for name, snapshot in (("a", before()), ("b", after())):
        save(snapshot, tmp_path / f"{name}.json")
        report = build_report(snapshot, packs()[:1])
        (tmp_path / f"report-{name}.json").write_bytes(render(report, "json"))
    return tmp_path


def test_snapshots_are_judged_by_a_pack_and_the_answer_comes_first(folder: Path) -> None:
    done = run("diff", "a.json", "b.json", *PACK, cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("What changed in Contoso Talent\n")
    means = "Users can no longer connect TrackerRMS: user consent is switched off in this tenant."
    assert means in " ".join(done.out.split())
    headings = [done.out.index(f"\n{one}\n") for one in ("Whether users can connect", "Findings", "Consent settings")]
    assert headings == sorted(headings)


def test_snapshots_without_a_pack_show_settings_only(folder: Path) -> None:
    out = run("diff", "a.json", "b.json", cwd=folder).out
    assert "Consent settings" in out
    assert "Findings\n" not in out


def test_reports_are_compared_with_what_they_hold(folder: Path) -> None:
    out = run("diff", "report-a.json", "report-b.json", cwd=folder).out
    assert "New failure: VENDOR-CONNECT" in out
    assert "a report doesn't hold them" in " ".join(out.split())


@pytest.mark.parametrize(
    ("gate", "files", "code"),
    [
        pytest.param(("--fail-on-new", "high"), ("a.json", "b.json"), 1, id="a new failure of that severity"),
        pytest.param(("--fail-on-new", "critical"), ("a.json", "b.json"), 0, id="none so severe"),
        pytest.param(("--fail-on-new", "info"), ("b.json", "a.json"), 0, id="only fixed"),
        pytest.param(("--fail-on-change",), ("b.json", "a.json"), 1, id="any change"),
        pytest.param(("--fail-on-change",), ("a.json", "a.json"), 0, id="no change"),
        pytest.param((), ("a.json", "b.json"), 0, id="no gate"),
    ],
)
def test_gates_decide_the_exit_code(folder: Path, gate: tuple[str, ...], files: tuple[str, str], code: int) -> None:
    assert run("diff", *files, *PACK, *gate, cwd=folder).code == code


def test_every_format_is_written_by_the_ending_of_its_file(folder: Path) -> None:
    files = ("d.txt", "d.json", "d.md", "d.html", "d.csv")
    done = run("diff", "a.json", "b.json", *PACK, *(word for file in files for word in ("-o", file)), cwd=folder)
    assert (done.code, done.out) == (0, "")
    *wrote, answer, ending = done.err.splitlines()
    assert wrote == [f"Wrote {file}" for file in files]
    assert "3 new failures" in answer and ending == "Exit code 0: the two were compared."
    document = json.loads((folder / "d.json").read_bytes())
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["format"] == "consent-auditor/diff"
    assert document["summary"]["new"] == 3
    rows = list(csv.DictReader(io.StringIO((folder / "d.csv").read_text(encoding="utf-8-sig"))))
    assert [row["key"] for row in rows] == [one["key"] for one in document["changes"]]
    assert tuple(rows[0]) == CSV_COLUMNS
    page = (folder / "d.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "Users can no longer connect TrackerRMS" in page
    assert (folder / "d.md").read_text(encoding="utf-8").startswith("# What changed in Contoso Talent\n")


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_difference_gives_the_same_bytes(form: str) -> None:
    from auditor.compare import compare

    first, second = (compare(judged(before()), judged(after())) for _ in range(2))
    assert FORMATS[form](first) == FORMATS[form](second)
    assert isinstance(first, Difference)


def test_a_hostile_name_neither_becomes_markup_nor_a_formula(folder: Path) -> None:
    document = json.loads((folder / "b.json").read_bytes())
    document["tenant"]["name"] = "<script>alert(1)</script>"
    document["sections"]["authorizationPolicy"]["allowInvitesFrom"] = "=1+1"
    (folder / "b.json").write_text(json.dumps(document), encoding="utf-8")
    run("diff", "a.json", "b.json", "-o", "d.html", "-o", "d.csv", cwd=folder)
    assert "<script>" not in (folder / "d.html").read_text(encoding="utf-8")
    assert ",=1+1" not in (folder / "d.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("a.json", "none.json"), "there is no file none.json", id="no such file"),
        pytest.param(
            ("report-a.json", "b.json", *PACK), "is a report, which is judged already", id="packs and a report"
        ),
        pytest.param(("report-a.json", "b.json"), "nothing to compare: name two reports", id="a report and a snapshot"),
        pytest.param(
            ("a.json", "report-b.json"),
            "check --snapshot a.json --pack trackerrms-uk -o FILE.json",
            id="a snapshot and a report",
        ),
        pytest.param(
            ("a.json", "b.json", "--fail-on-new", "low"), "snapshots alone have none: add --pack", id="no findings"
        ),
        pytest.param(
            ("report-a.json", "report-none.json", "--fail-on-new", "low"), "no pack in common", id="no common findings"
        ),
        pytest.param(("-", "-"), "only one side can come from standard input", id="both from standard input"),
        pytest.param(("a.json", "b.json", "-o", "d.xyz"), "has no ending of .txt", id="unknown ending"),
        pytest.param(
            ("a.json", "b.json", "-f", "json", "-f", "csv"), "several formats need several files", id="formats"
        ),
        pytest.param(("a.json", ""), "is empty", id="empty name"),
        pytest.param(("a.json", "other.json"), "these are two tenants", id="two tenants"),
    ],
)
def test_mistakes_are_usage_errors_that_say_what_to_do(folder: Path, words: tuple[str, ...], message: str) -> None:
    other = json.loads((folder / "b.json").read_bytes())
    other["tenant"]["id"] = "11111111-2222-4333-8444-555555555555"
    (folder / "other.json").write_text(json.dumps(other), encoding="utf-8")
    without = build_report(after(), packs()[1:2])
    (folder / "report-none.json").write_bytes(render(without, "json"))
    done = run("diff", *words, cwd=folder)
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_nights_of_a_history_are_named_by_run_last_previous_or_tenant(tmp_path: Path) -> None:
    place = tmp_path / "history.db"
    with open_history(str(place)) as history:
        for snapshot, started in ((before(), FIRST), (after(), SECOND)):
            with history.lock("t1"):
                run_id = history.begin("t1", "contoso", started)
                report = build_report(snapshot, packs()[:1])
                history.finish(run_id, report=report, snapshot=snapshot, difference=None, exit_code=0, finished=started)
    options = ("--history", str(place))
    by_name = run("diff", "previous", "last", *options, cwd=tmp_path)
    assert by_name.code == 0
    assert "Users can no longer connect TrackerRMS" in by_name.out
    assert run("diff", "1", "2", *options, cwd=tmp_path).out == by_name.out
    assert run("diff", "1", "contoso", *options, cwd=tmp_path).out == by_name.out
    with open_history(str(tmp_path / "empty.db")):
        pass
    empty = run("diff", "previous", "last", "--history", str(tmp_path / "empty.db"), cwd=tmp_path)
    assert empty.code == 2
    assert "has no runs yet: name two files" in " ".join(empty.err.split())
    missing = run("diff", "previous", "fabrikam", *options, cwd=tmp_path)
    assert missing.code == 2
    assert "tenants: contoso" in " ".join(missing.err.split())
