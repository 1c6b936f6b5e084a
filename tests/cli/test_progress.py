"""How far a long read is: in a line from time to time, with rate and estimate as far as they are known."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress, ProgressColumn

from auditor.cli.terminal import Pace, ProgressBars, ProgressLines, TenantsPace, what_is_read
from auditor.jobs import audit as audit_job
from auditor.jobs import snapshot_files
from auditor.jobs.audit import audit
from auditor.jobs.audit_request import AuditRequest, Interaction, SnapshotFiles
from auditor.model.sections import TENANT_SECTIONS
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_and_the_time_left_are_those_of_this_run() -> None:
    clock = Clock()
    pace = Pace(100_000, clock)
    assert pace.text(100_000, None) == "100,000"
    assert pace.text(100_000, 300_000) == "100,000 of about 300,000"
    clock.now += 10
    assert pace.text(120_000, None) == "120,000, 2,000 a second"
    assert pace.text(120_000, 300_000) == "120,000 of about 300,000, 2,000 a second, about 90 s left"
    assert pace.text(120_000, 600_000) == "120,000 of about 600,000, 2,000 a second, about 4 min left"
    assert pace.text(300_000, 300_000) == "300,000 of about 300,000, 20,000 a second"


def test_a_line_comes_only_from_time_to_time_and_never_of_a_short_read() -> None:
    clock, said = Clock(), list[str]()
    lines = ProgressLines(said.append, clock)
    for second in range(26):
        clock.now = 100.0 + second
        lines.show("signIns", second * 1000, None)
        if second < 9:
            lines.show("users", second, None)
    assert said == [
        "Reading the sign-in log: 10,000, 1,000 a second",
        "Reading the sign-in log: 20,000, 1,000 a second",
    ]


def test_a_small_total_is_a_number_of_requests_and_exact() -> None:
    assert Pace(0, Clock()).text(2, 4) == "2 of 4"


@pytest.mark.parametrize("section", TENANT_SECTIONS)
def test_what_is_read_is_named_in_words_and_not_as_graph_does(section: str) -> None:
    text = what_is_read(f"{section}/5353a3d2-8ca9-42d2-b567-ea399ccb5e38")
    assert text.startswith("Reading ")
    assert section.islower() or section not in text


def test_the_progress_of_many_tenants_has_their_number_the_failures_and_an_estimate() -> None:
    clock = Clock()
    pace = TenantsPace(clock)
    assert pace.text(0, 0, 1000) == "0 of 1,000 tenants"
    clock.now += 60
    assert pace.text(0, 0, 1000) == "0 of 1,000 tenants"
    assert pace.text(312, 4, 1000) == "312 of 1,000 tenants, 4 failed, about 2 min left"
    assert pace.text(1000, 4, 1000) == "1,000 of 1,000 tenants, 4 failed"
    assert pace.text(1, 0, 1) == "1 of 1 tenant"


def test_a_line_about_the_tenants_comes_only_from_time_to_time_and_not_at_the_end() -> None:
    clock, said = Clock(), list[str]()
    lines = ProgressLines(said.append, clock)
    for second in range(41):
        clock.now = 100.0 + second
        lines.show_tenants(second, 0, 40)
    assert said == [
        "Checking the tenants: 10 of 40 tenants, about 30 s left",
        "Checking the tenants: 20 of 40 tenants, about 20 s left",
        "Checking the tenants: 30 of 40 tenants, about 10 s left",
    ]


def waits_of(tmp_path: Path, **request: Any) -> list[str]:
    """What a person at a terminal reads while a snapshot file is evaluated."""
    said: list[str] = []
    (tmp_path / "tenant.json").write_bytes(dumps(sample("managed-default")))
    source = SnapshotFiles((str(tmp_path / "tenant.json"),))
    audit(AuditRequest(source=source, packs=("trackerrms-uk",), **request), Interaction(on_wait=said.append))
    return said


def test_a_small_file_is_read_without_a_word(tmp_path: Path) -> None:
    assert waits_of(tmp_path) == []


def test_a_large_file_and_many_grants_are_announced_before_they_are_read_and_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_files, "LONG_READ", 100)
    monkeypatch.setattr(audit_job, "MANY_GRANTS", -1)
    assert waits_of(tmp_path) == [f"Reading {tmp_path / 'tenant.json'}…", "Evaluating 0 permission grants…"]


def test_a_pause_is_shown_at_once_however_short_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bars are drawn ten times a second, and a sign-in can be over in less."""
    shown = io.StringIO()

    def never_by_itself(*columns: ProgressColumn, **_: Any) -> Progress:
        console = Console(file=shown, force_terminal=True, width=120)
        return Progress(*columns, console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    monkeypatch.setattr("rich.progress.Progress", never_by_itself)
    bars = ProgressBars()
    bars.show_wait("Signing in…")
    bars.show_pause("The sign-in service", 0.01, is_asked_for=True)
    bars.show("servicePrincipals", 1, 3)
    bars.stop()
    assert "The sign-in service is busy and asks to wait 1 second. Waiting." in shown.getvalue()
