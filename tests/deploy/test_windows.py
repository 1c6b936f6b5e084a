"""The task of Windows Task Scheduler by xmllint, and the script that registers it by the grammar of PowerShell."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.deploy.files import DEPLOY, run, tool
from tests.fixes.test_scripts import powershell_errors

TASK = DEPLOY / "windows/consent-auditor.xml"
SCRIPT = DEPLOY / "windows/Register-ConsentAuditor.ps1"
SCHEMA = Path(__file__).parent / "task.xsd"
NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def value(path: str) -> str:
    """The text of an element of the task."""
    found = ElementTree.parse(TASK).findtext("/".join(f"{NAMESPACE}{name}" for name in path.split("/")))
    assert found is not None, path
    return found


def test_the_task_fits_the_schema_of_task_scheduler() -> None:
    done = run(tool("xmllint"), "--nonet", "--noout", "--schema", SCHEMA, TASK)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("IgnoreNew", "Ignore", id="an unknown value"),
        pytest.param("StartWhenAvailable", "StartIfMissed", id="an unknown element"),
        pytest.param('Context="Author"', 'Context="System"', id="a principal that isn't there"),
        pytest.param("<RandomDelay>PT15M</RandomDelay>", "<RandomDelay>15M</RandomDelay>", id="not a duration"),
    ],
)
def test_the_schema_finds_what_task_scheduler_refuses(old: str, new: str, tmp_path: Path) -> None:
    broken = tmp_path / "task.xml"
    text = TASK.read_text(encoding="utf-8")
    assert old in text
    broken.write_text(text.replace(old, new), encoding="utf-8")
    assert run(tool("xmllint"), "--nonet", "--noout", "--schema", SCHEMA, broken).returncode != 0


def test_a_missed_night_is_made_up_for_and_no_two_runs_overlap() -> None:
    assert value("Settings/StartWhenAvailable") == "true"
    assert value("Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert value("Principals/Principal/RunLevel") == "LeastPrivilege"


def test_the_grammar_of_powershell_takes_the_script() -> None:
    assert powershell_errors(SCRIPT.read_text(encoding="utf-8")) == []


def test_the_script_is_ascii_because_windows_powershell_reads_files_without_a_mark_in_another_encoding() -> None:
    assert SCRIPT.read_bytes().isascii()


def test_the_script_sets_what_the_task_has() -> None:
    """PowerShell in strict mode fails for an element that the XML doesn't have."""
    text = SCRIPT.read_text(encoding="utf-8")
    for element, variable in (("Actions/Exec", "exec"), ("Principals/Principal", "principal")):
        assert f"${variable} = $task.Task.{element.replace('/', '.')}" in text
        for name in re.findall(rf"\${variable}\.(\w+) =", text):
            assert value(f"{element}/{name}")
    command = re.search(r'\$exec\.Arguments = "(.*)"\n', text)
    assert command is not None
    given = command[1].replace('`"', '"').replace("$config", r"C:\ConsentAuditor\consent-auditor.yaml")
    assert given == value("Actions/Exec/Arguments")
