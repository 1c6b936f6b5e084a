"""The manifests of Kubernetes, by the schemas of Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from auditor.cli.program import program
from auditor.jobs.nightly_config import load_configuration
from tests.deploy.files import DEPLOY, run, tool

MANIFEST = DEPLOY / "kubernetes/consent-auditor.yaml"
OLDEST, NEWEST = "1.31", "1.37"
"""Pod failure policies are part of Kubernetes without a feature gate since 1.31."""
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))
CRON_JOB = next(one for one in OBJECTS if one["kind"] == "CronJob")["spec"]
POD = CRON_JOB["jobTemplate"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
FLEET = DEPLOY / "kubernetes/fleet.yaml"
FLEET_OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(FLEET.read_text(encoding="utf-8")))
WORKER = next(one for one in FLEET_OBJECTS if one["kind"] == "Deployment")["spec"]["template"]
SCHEDULER_JOB = next(one for one in FLEET_OBJECTS if one["kind"] == "CronJob")["spec"]
SCHEDULER = SCHEDULER_JOB["jobTemplate"]["spec"]["template"]
PODS = [
    pytest.param(POD, id="nightly run"),
    pytest.param(WORKER["spec"], id="worker"),
    pytest.param(SCHEDULER["spec"], id="scheduler"),
]


@pytest.mark.parametrize("version", [pytest.param(OLDEST, id="oldest"), pytest.param(NEWEST, id="newest")])
def test_kubernetes_knows_every_field(version: str) -> None:
    done = run(tool("kubernetes-validate"), "--strict", "--kubernetes-version", version, MANIFEST, FLEET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("passed for resource") == len(OBJECTS) + len(FLEET_OBJECTS)


def test_a_misspelt_field_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    text = MANIFEST.read_text(encoding="utf-8")
    broken.write_text(text.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"), encoding="utf-8")
    assert run(tool("kubernetes-validate"), "--strict", broken).returncode != 0


def test_one_run_at_a_time_and_only_a_tenant_that_was_not_read_is_tried_again() -> None:
    assert CRON_JOB["concurrencyPolicy"] == "Forbid"
    job = CRON_JOB["jobTemplate"]["spec"]
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [1, 2, 4]
    assert POD["restartPolicy"] == "Never", "a pod failure policy requires it"


@pytest.mark.parametrize("pod", PODS)
def test_the_pod_meets_the_restricted_standard(pod: dict[str, Any]) -> None:
    """Pod Security Standards, "Restricted" (Kubernetes documentation), and a read-only root file system."""
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert not any("hostPath" in volume for volume in pod["volumes"])


@pytest.mark.parametrize("pod", PODS)
def test_every_mount_has_a_volume_and_secrets_are_read_only(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts.keys() == volumes.keys()
    assert mounts["credential"]["readOnly"] is True and volumes["credential"]["secret"]["defaultMode"] == 0o440
    assert {"cpu", "memory"} == container["resources"]["requests"].keys() and container["resources"]["limits"]


def test_workers_and_scheduler_have_the_same_configuration_and_reach_the_database() -> None:
    policy = next(one for one in FLEET_OBJECTS if one["kind"] == "NetworkPolicy")["spec"]
    assert {"port": 5432, "protocol": "TCP"} in policy["egress"][0]["ports"]
    (chosen,) = policy["podSelector"]["matchLabels"].items()
    for template in (WORKER, SCHEDULER):
        assert chosen in template["metadata"]["labels"].items()
        (container,) = template["spec"]["containers"]
        assert container["env"] == WORKER["spec"]["containers"][0]["env"]
        assert container["args"][0] == "fleet" and "/etc/consent-auditor/fleet.yaml" in container["args"]
        assert container["image"] == CONTAINER["image"]
        shown = CliRunner().invoke(program, [*container["args"], "--help"])
        assert shown.exit_code == 0, shown.output
    assert SCHEDULER_JOB["concurrencyPolicy"] == "Forbid"


def test_the_configuration_of_the_workers_can_be_loaded(tmp_path: Path) -> None:
    files = next(one for one in FLEET_OBJECTS if one["kind"] == "ConfigMap")["data"]
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    configuration = load_configuration(str(tmp_path / "fleet.yaml"))
    assert [one.name for one in configuration.tenants] == ["contoso"]
    assert configuration.history.url is not None
    assert configuration.history.url.name == WORKER["spec"]["containers"][0]["env"][0]["name"]


def test_the_manifest_contains_no_secret() -> None:
    assert not any(one["kind"] == "Secret" for one in (*OBJECTS, *FLEET_OBJECTS))
    assert not any("BEGIN" in file.read_text(encoding="utf-8") for file in (MANIFEST, FLEET))
