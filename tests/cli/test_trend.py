"""``check --trend``: earlier reports make a trend in the formats that show one."""

from __future__ import annotations

import json
from pathlib import Path

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import run


def audited(folder: Path, day: int, *words: str) -> tuple[int, str]:
    """A run of the command on a sample that was read on a day of November: exit code and error output."""
    document = json.loads(dumps(sample("consent-off"))) | {"taken": f"2026-11-{day:02}T02:00:00Z"}
    (folder / "tenant.json").write_text(json.dumps(document), encoding="utf-8")
    done = run("check", "--snapshot", "tenant.json", "--pack", "cisa-scuba", *words, cwd=folder)
    return done.code, done.err


def test_the_page_shows_how_the_counts_changed_since_the_reports_of_a_folder(tmp_path: Path) -> None:
    for day in (1, 2):
        assert audited(tmp_path, day, "-o", f"day{day}.json")[0] == 1
    (tmp_path / "kept").mkdir()
    for day in (1, 2):
        (tmp_path / f"day{day}.json").rename(tmp_path / "kept" / f"day{day}.json")
    code, messages = audited(tmp_path, 3, "--trend", "kept", "-o", "kept/day3.json", "-o", "report.html")
    verdict = "Woodgrove Bank: 2 of 3 checks fail. Exit code 1: a check of severity medium or higher fails."
    assert (code, messages) == (1, f"Wrote kept/day3.json\nWrote report.html\n{verdict}\n")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "From 2026-11-01 02:00 UTC to 2026-11-03 02:00 UTC: 2 rules failed then, 2 now." in page
    assert "2026-11-02 02:00 UTC" in page
    assert "Since the last report, of 2026-11-02 02:00 UTC" in page
    assert "0 new failures, 0 fixed, 2 still failing." in page
    assert ", since 2026-11-01 02:00 UTC" in page


def test_without_a_report_to_compare_with_the_reason_is_printed(tmp_path: Path) -> None:
    assert audited(tmp_path, 1, "-o", "day1.json")[0] == 1
    code, messages = audited(tmp_path, 2, "--trend", "day1.json")
    assert code == 2
    assert "only markdown, html and pdf show a trend: add -o report.html" in messages
    code, messages = audited(tmp_path, 2, "--trend", "tenant.json", "-o", "report.html")
    assert (code, messages) == (
        2,
        "Error: tenant.json isn't a JSON report of consent-auditor: name a file written with -f json.\n",
    )
    code, messages = audited(tmp_path, 2, "--pack", "eidsca", "--trend", "day1.json", "-o", "report.html")
    assert messages.splitlines()[:2] == [
        "Trend: 1 report left out, because the tenant or the packs are different.",
        "Trend: there is no earlier report to compare with, so no trend is shown.",
    ]
    assert "Trend:" not in (tmp_path / "report.html").read_text(encoding="utf-8")
