"""What docs/scheduling.md shows besides the files of deploy/: configurations, and the pipeline of Azure DevOps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.jobs.nightly_config import load_configuration
from tests.deploy.files import DEPLOY, ROOT, run, tool
from tests.docs.pages import fences, read

PAGE = read(ROOT / "docs/scheduling.md")
BLOCKS = [fence.text for fence in fences(PAGE) if fence.language == "yaml"]
CONFIGURATIONS = [text for text in BLOCKS if text.startswith("version: 1\n")]
SCHEMA = ("--builtin-schema", "vendor.azure-pipelines")
(PIPELINE,) = (text for text in BLOCKS if "AzureCLI@2" in text)
(STEP,) = (text for text in BLOCKS if "OWNER/consent-auditor@COMMIT" in text)


@pytest.mark.parametrize("text", [pytest.param(text, id=f"number {i}") for i, text in enumerate(CONFIGURATIONS, 1)])
def test_every_configuration_is_valid(text: str, tmp_path: Path) -> None:
    path = tmp_path / "consent-auditor.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_configuration(str(path)).tenants


def test_every_block_is_tested() -> None:
    assert len(CONFIGURATIONS) == 4
    assert len(BLOCKS) == len(CONFIGURATIONS) + 2


def test_the_step_gives_inputs_that_the_action_has_and_the_permission_that_it_needs() -> None:
    (job,) = yaml.safe_load(STEP)["jobs"].values()
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert set(job["steps"][0]["with"]) <= set(action["inputs"])
    assert job["permissions"]["id-token"] == "write"


def test_the_pipeline_fits_the_schema_of_azure_pipelines(tmp_path: Path) -> None:
    # The schema's regular expressions are in a dialect that the default engine of the tool refuses.
    check = (tool("check-jsonschema"), "--regex-variant=python", "--data-transform=azure-pipelines", *SCHEMA)
    path = tmp_path / "azure-pipelines.yml"
    path.write_text(PIPELINE, encoding="utf-8")
    done = run(*check, path)
    assert done.returncode == 0, done.stdout
    path.write_text(PIPELINE.replace("inputs:", "input:"), encoding="utf-8")
    assert run(*check, path).returncode != 0


def test_shellcheck_finds_nothing_in_the_pipeline() -> None:
    steps: list[dict[str, Any]] = yaml.safe_load(PIPELINE)["steps"]
    scripts = [step["script"] for step in steps if "script" in step]
    scripts += [step["inputs"]["inlineScript"] for step in steps if "inlineScript" in step.get("inputs", {})]
    assert len(scripts) == 2
    for script in scripts:
        # The task sets these variables (AzureCLI@2, addSpnToEnvironment).
        given = "export idToken=x tenantId=x servicePrincipalId=x\n"
        done = run(tool("shellcheck"), "--shell=bash", "-", stdin=given + script)
        assert (done.returncode, done.stdout) == (0, "")


def test_the_page_names_every_file() -> None:
    missing = [path.name for path in DEPLOY.rglob("*") if path.is_file() and path.name not in PAGE]
    assert missing == []


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(name, id=name)
        for name in (
            "systemd",
            "cron",
            "Windows Task Scheduler",
            "Kubernetes",
            "Azure Container Apps",
            "GitHub Actions",
        )
    ]
    + [pytest.param("Azure DevOps", id="Azure DevOps")],
)
def test_each_schedule_says_where_the_report_is_what_to_watch_and_how_to_delete_everything(section: str) -> None:
    (found,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    text = " ".join(found.split())
    for wanted in ("The report", "What to watch:", "Delete everything:", "irst night"):
        assert wanted in text or (wanted == "irst night" and "job start" in text), wanted


def test_the_page_says_the_exposure_that_systemd_computes() -> None:
    analyze = tool("systemd-analyze")
    if "--offline" not in run(analyze, "--help").stdout:
        pytest.skip("this version of systemd-analyze can't judge a unit that isn't loaded")
    done = run(analyze, "security", "--no-pager", "--offline=true", DEPLOY / "systemd/consent-auditor.service")
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None
    # Newer versions judge more settings, and can only be stricter.
    assert float(found[1]) >= 1.2 - 0.5 and "rates it 1.2" in PAGE.replace("\n", " ")
