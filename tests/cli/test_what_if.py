"""``check --assume`` and ``check --fix-script``, as an admin who tries a change before making it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from auditor.fixes.script import Shell, script
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.snapshot.samples import sample
from tests.cli.program import Done, all_of, run, scrubbed
from tests.golden import check_section
from tests.systems import needs_bash

GOLDEN = Path(__file__).parent / "golden/what-if.txt"
MANAGED = ("check", "--sample", "managed-default", "--pack", "trackerrms-uk")
LOW = ("check", "--sample", "low-unclassified", "--pack", "trackerrms-uk")
CASES = {
    "assume-fix": (*MANAGED, "--assume", "fix:R1", "--details"),
    "assume-setting": (*LOW, "--assume", "setting=legacy", "--details"),
    "assume-json": (*LOW, "--assume", "setting=legacy", "-f", "json"),
    "assume-nonsense": (*LOW, "--assume", "rain"),
    "script-az": (*LOW, "--fix-script", "az", "--fix", "R3"),
    "script-powershell": (*LOW, "--fix-script", "powershell", "--fix", "R5"),
    "script-unknown-fix": (*LOW, "--fix-script", "az", "--fix", "R7"),
    "script-unknown-number": (*LOW, "--fix-script", "az", "--fix", "99"),
    "fix-without-script": (*LOW, "--fix", "R3"),
    "script-of-a-link": (*LOW, "--fix-script", "az", "--fix", "R1"),
    "script-nothing-to-fix": ("check", "--sample", "legacy-open", "--pack", "grants-hygiene", "--fix-script", "az"),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Done]]:
    folder = tmp_path_factory.mktemp("what-if")
    with all_of({name: partial(run, *words, cwd=folder) for name, words in CASES.items()}) as outcome:
        yield outcome


@pytest.mark.parametrize("name", ["assume-fix", "assume-setting"])
def test_a_supposed_change_stands_beside_the_tenant_as_it_is(done: Callable[[str], Done], name: str) -> None:
    page = done(name).out
    start = page.index("What if")
    check_section(GOLDEN, name, scrubbed(page[start : page.index("\nScopes:", start)]))
    assert done(name).code == 1


def test_the_screen_says_in_a_sentence_what_the_change_would_bring(tmp_path: Path) -> None:
    screen = run(*LOW, "--assume", "setting=legacy", cwd=tmp_path).out
    assert "With setting=legacy, TrackerRMS" in screen
    assert "NEEDS ADMIN to CONNECTS" in " ".join(screen.split())


def test_in_json_the_findings_stay_about_the_tenant_as_it_is(done: Callable[[str], Done]) -> None:
    report = json.loads(done("assume-json").out)
    assert report["decisions"][0]["outcome"] == "needs-admin"
    assert report["what_if"]["decisions"][0]["outcome"] == "user-may-consent"
    assert report["what_if"]["assumed"] == ["setting=legacy"]


@pytest.mark.parametrize(
    "name",
    [
        "assume-nonsense",
        "script-unknown-fix",
        "fix-without-script",
        "script-unknown-number",
        "script-of-a-link",
        "script-nothing-to-fix",
    ],
)
def test_what_cannot_be_done_is_reported_with_what_can(done: Callable[[str], Done], name: str) -> None:
    assert (done(name).code, done(name).out) == (2, "")
    check_section(GOLDEN, name, done(name).session)


@pytest.mark.parametrize(
    ("name", "fix", "shell"),
    [
        pytest.param("script-az", "R3", Shell.AZ, id="az"),
        pytest.param("script-powershell", "R5", Shell.POWERSHELL, id="PowerShell"),
    ],
)
def test_a_script_stands_alone_on_standard_output(
    done: Callable[[str], Done], name: str, fix: str, shell: Shell
) -> None:
    tenant = sample("low-unclassified")
    (decision,) = build_report(tenant, chosen_packs(["trackerrms-uk"])).decisions
    (wanted,) = (one for one in decision.fixes if one.key == fix)
    assert (done(name).code, done(name).err) == (0, "")
    assert done(name).out == script(wanted, shell, tenant=tenant.tenant.id)


@needs_bash
def test_the_az_script_is_bash(done: Callable[[str], Done]) -> None:
    checked = subprocess.run(["bash", "-n"], input=done("script-az").out, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_script_is_written_to_a_file_with_a_word_of_caution(tmp_path: Path) -> None:
    ended = run(*LOW, "--fix-script", "az", "--fix", "R3", "-o", "fix.sh", cwd=tmp_path)
    assert ended.code == 0
    assert re.match(r"Wrote fix\.sh: fix \d+, Grant TrackerRMS exactly these scopes", ended.err)
    assert "Read it before you run it" in ended.err
    assert (tmp_path / "fix.sh").read_text().startswith("#!/usr/bin/env bash\n")


def test_a_message_stands_alone_and_the_exit_code_is_that_of_the_check(tmp_path: Path) -> None:
    shown = run(*MANAGED, "--message", cwd=tmp_path)
    assert (shown.code, shown.err) == (1, "")
    assert shown.out.startswith("Subject: Please approve TrackerRMS (Contoso Talent)\n\nPlease open this link")
    filed = run(*MANAGED, "--message", "-o", "message.txt", cwd=tmp_path)
    assert (filed.code, filed.out) == (1, "")
    assert "Read it before you send it" in filed.err
    assert (tmp_path / "message.txt").read_text() == shown.out


def test_without_an_app_there_is_nothing_to_decide_again(tmp_path: Path) -> None:
    words = ("check", "--sample", "managed-default", "--pack", "cisa-scuba", "--assume", "nonsense=1")
    done = run(*words, cwd=tmp_path)
    assert done.code == 2
    assert "none of the packs is about an app: add a --pack" in done.err
