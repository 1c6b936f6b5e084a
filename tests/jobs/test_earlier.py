"""Which earlier reports make a trend: those of the same tenant, by the same packs, read before."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from auditor.jobs.earlier_reports import NotAReport, earlier_reports, history_of
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.rule import FindingOutcome
from auditor.packs.load import load_packs
from auditor.render import render
from auditor.snapshot.samples import sample


def report_of(day: int, name: str = "consent-off", pack: str = "cisa-scuba") -> Report:
    """What one pack says of one tenant, that was as a sample is on a day of November."""
    tenant = sample("consent-off").tenant
    read = msgspec.structs.replace(sample(name), tenant=tenant, taken=f"2026-11-{day:02}T02:00:00Z")
    return build_report(read, load_packs([pack]))


def kept(folder: Path, *reports: Report) -> Path:
    """The reports as files of a folder, in an order that is not that of their times."""
    folder.mkdir(exist_ok=True)
    for number, report in enumerate(reversed(reports)):
        (folder / f"{number}.json").write_bytes(render(report, "json"))
    return folder


def test_earlier_runs_come_oldest_first_with_their_counts(tmp_path: Path) -> None:
    folder = kept(tmp_path, report_of(3), report_of(1, "legacy-open"), report_of(2))
    history = history_of(report_of(4), earlier_reports([folder]))
    assert [taken[8:10] for taken, _ in history.runs] == ["01", "02", "03"]
    assert history.runs[0][1] == report_of(1, "legacy-open").summary
    assert history.left_out == 0


def test_another_tenant_and_other_packs_are_left_out_and_counted(tmp_path: Path) -> None:
    stranger = report_of(1)
    stranger = msgspec.structs.replace(stranger, tenant=msgspec.structs.replace(stranger.tenant, id="another"))
    folder = kept(tmp_path, stranger, report_of(2, pack="cis-m365"), report_of(3))
    history = history_of(report_of(4), earlier_reports([folder]))
    assert [taken[8:10] for taken, _ in history.runs] == ["03"]
    assert history.left_out == 2


def test_the_same_reading_counts_once_and_the_present_and_the_future_not_at_all(tmp_path: Path) -> None:
    untimed = msgspec.structs.replace(report_of(1), taken="")
    folder = kept(tmp_path, report_of(1), report_of(1), untimed, report_of(4), report_of(9))
    assert [taken[8:10] for taken, _ in history_of(report_of(4), earlier_reports([folder])).runs] == ["01"]
    assert history_of(untimed, earlier_reports([folder])).runs == ()


def test_other_files_of_a_folder_are_passed_over_and_a_named_one_must_be_a_report(tmp_path: Path) -> None:
    folder = kept(tmp_path / "reports", report_of(1))
    for name, data in {"a.json": b"[1]", "b.json": b'{"format": "x"', "c.json": b"\xff\xfe", "d.txt": b"{}"}.items():
        (folder / name).write_bytes(data)
    assert len(earlier_reports([folder])) == 1
    with pytest.raises(NotAReport, match=r"a\.json isn't a JSON report of consent-auditor: name"):
        earlier_reports([folder / "a.json"])
    (tmp_path / "empty").mkdir()
    assert earlier_reports([tmp_path / "empty"]) == ()


def test_the_newest_earlier_report_is_compared_and_each_failure_has_its_first_day(tmp_path: Path) -> None:
    folder = kept(tmp_path, report_of(1), report_of(2, "legacy-open"), report_of(3))
    now = report_of(4, "legacy-open")
    since = history_of(now, earlier_reports([folder])).since_last
    assert since is not None
    difference = since.difference
    assert difference.before.taken.startswith("2026-11-03")
    assert difference.summary.new > 0
    failing = {one.fingerprint for one in now.findings if one.outcome is FindingOutcome.FAIL}
    assert set(since.failing_since) == failing
    before = {one.fingerprint for one in report_of(3).findings if one.outcome is FindingOutcome.FAIL}
    first = {one: taken[8:10] for one, taken in since.failing_since.items()}
    assert {day for one, day in first.items() if one in before} == {"01"}
    assert {day for one, day in first.items() if one not in before} == {"04"}


def test_a_first_report_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert history_of(report_of(1), earlier_reports([tmp_path])).since_last is None


def test_a_file_that_is_gone_meanwhile_or_written_by_another_version_is_not_compared(tmp_path: Path) -> None:
    found = earlier_reports([kept(tmp_path, report_of(1))])
    (tmp_path / "0.json").unlink()
    history = history_of(report_of(2), found)
    assert (len(history.runs), history.since_last) == (1, None)
