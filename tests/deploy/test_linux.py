"""The units of systemd by systemd-analyze, and the table of cron by crontab."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

import pytest

from tests.deploy.files import CONFIGURATION, DEPLOY, PROGRAM, run, tool

SERVICE = DEPLOY / "systemd/consent-auditor.service"
TIMER = DEPLOY / "systemd/consent-auditor.timer"
CRON = DEPLOY / "cron/consent-auditor"
EXPOSURE = 15
"""The highest exposure that is accepted, in tenths; systemd-analyze calls 20 and less OK."""


def unit(path: Path) -> configparser.RawConfigParser:
    """The settings of a unit; of one that is given several times, the last."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case of keys
    parser.read(path, encoding="utf-8")
    return parser


def cron_lines() -> list[str]:
    """The jobs of the table, without the column of the user."""
    lines = CRON.read_text(encoding="utf-8").splitlines()
    return [re.sub(r"^((?:\S+\s+){5})\S+\s+", r"\1", line) for line in lines if re.match(r"[\d*]", line)]


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    for path in (SERVICE, TIMER):
        # The program of the unit isn't installed here, and systemd checks that it is.
        text = path.read_text(encoding="utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = run(analyze, "verify", "--man=no", tmp_path / SERVICE.name, tmp_path / TIMER.name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_finds_a_misspelt_setting(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    broken = tmp_path / SERVICE.name
    broken.write_text(SERVICE.read_text(encoding="utf-8").replace("DynamicUser=", "DynamicUsers="), encoding="utf-8")
    assert "DynamicUsers" in run(analyze, "verify", "--man=no", broken).stderr


def test_the_service_is_hardly_exposed() -> None:
    analyze = tool("systemd-analyze")
    if "--offline" not in run(analyze, "--help").stdout:
        pytest.skip("this version of systemd-analyze can't judge a unit that isn't loaded")
    done = run(analyze, "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE}", SERVICE)
    assert done.returncode == 0, done.stdout


def test_the_service_keeps_its_secret_and_its_data_to_itself() -> None:
    service = unit(SERVICE)["Service"]
    assert service["LoadCredential"].startswith("client.pem:/etc/consent-auditor/")
    assert (service["StateDirectoryMode"], service["UMask"], service["DynamicUser"]) == ("0700", "0077", "yes")
    assert "SECRET" not in SERVICE.read_text(encoding="utf-8")


def test_the_timer_makes_up_for_a_night_on_which_the_machine_was_off() -> None:
    assert unit(TIMER)["Timer"]["Persistent"] == "true"
    assert unit(TIMER)["Install"]["WantedBy"] == "timers.target"


def test_systemd_computes_the_next_night() -> None:
    done = run(tool("systemd-analyze"), "calendar", unit(TIMER)["Timer"]["OnCalendar"])
    assert done.returncode == 0 and "02:17:00" in done.stdout


def test_cron_understands_the_table() -> None:
    crontab = tool("crontab")
    jobs = "\n".join(cron_lines()) + "\n"
    # In other crontabs than Debian's, -n has another meaning.
    if "dry run" not in run(crontab, "-h").stderr:
        pytest.skip("this version of crontab can't check a table without installing it")
    done = run(crontab, "-n", "-", stdin=jobs)
    assert done.returncode == 0, done.stderr
    assert run(crontab, "-n", "-", stdin=jobs.replace("17 2", "77 2")).returncode != 0


def test_a_shell_understands_the_job_of_cron() -> None:
    (job,) = cron_lines()
    command = job.split(None, 5)[5]
    # In a table of cron, a percent sign ends the command.
    assert "%" not in command
    done = run(tool("shellcheck"), "--shell=sh", "-", stdin=f"#!/bin/sh\n{command}\n")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", [pytest.param(SERVICE, id="systemd"), pytest.param(CRON, id="cron")])
def test_both_run_the_same_configuration(path: Path) -> None:
    assert f"{PROGRAM} nightly run --config {CONFIGURATION}" in path.read_text(encoding="utf-8")
