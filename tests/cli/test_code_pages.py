"""A console with an old code page: the program says everything, and a character that it lacks as an escape."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.limits import HUNG_AFTER

ELLIPSIS = {"cp1252": "\u2026", "cp437": r"\u2026"}
"""What an ellipsis becomes: cp1252 has one, cp437 hasn't."""


@pytest.mark.parametrize("code_page", ELLIPSIS)
def test_a_report_reaches_a_console_with_an_old_code_page(code_page: str) -> None:
    command = (sys.executable, "-m", "auditor", "blocked", "--sample", "stopped-users", "--details")
    environment = os.environ | {"PYTHONIOENCODING": code_page, "COLUMNS": "40"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=HUNG_AFTER, check=False)
    said = done.stdout.decode(code_page)
    assert done.returncode == 1, done.stderr
    assert "TrackerRMS" in said and "Traceback" not in done.stderr.decode(code_page)
    assert said.rstrip().splitlines()[-1].strip()


@pytest.mark.parametrize("code_page", ELLIPSIS)
def test_a_message_says_a_name_that_the_code_page_lacks_as_an_escape(code_page: str) -> None:
    command = (sys.executable, "-m", "auditor", "check", "--sample", "\u0142\u2026", "--pack", "trackerrms-uk")
    environment = os.environ | {"PYTHONIOENCODING": code_page, "PYTHONUTF8": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=HUNG_AFTER, check=False)
    said = done.stderr.decode(code_page)
    assert done.returncode == 2
    assert "\\u0142" in said and ELLIPSIS[code_page].replace("\\\\", "\\") in said
