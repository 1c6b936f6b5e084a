"""The manifest of Kubernetes, by the schemas of Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.files import DEPLOY, run, tool

MANIFEST = DEPLOY / "kubernetes/consent-auditor.yaml"
OLDEST, NEWEST = "1.31", "1.37"
"""Pod failure policies are part of Kubernetes without a feature gate since 1.31."""
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))
CRON_JOB = next(one for one in OBJECTS if one["kind"] == "CronJob")["spec"]
POD = CRON_JOB["jobTemplate"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("version", [pytest.param(OLDEST, id="oldest"), pytest.param(NEWEST, id="newest")])
def test_kubernetes_knows_every_field(version: str) -> None:
    done = run(tool("kubernetes-validate"), "--strict", "--kubernetes-version", version, MANIFEST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("passed for resource") == len(OBJECTS)


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


def test_the_pod_meets_the_restricted_standard() -> None:
    """Pod Security Standards, "Restricted" (Kubernetes documentation), and a read-only root file system."""
    assert POD["securityContext"]["runAsNonRoot"] is True and POD["securityContext"]["runAsUser"] > 0
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["automountServiceAccountToken"] is False
    assert not any("hostPath" in volume for volume in POD["volumes"])


def test_every_mount_has_a_volume_and_secrets_are_read_only() -> None:
    volumes = {volume["name"]: volume for volume in POD["volumes"]}
    mounts = {mount["name"]: mount for mount in CONTAINER["volumeMounts"]}
    assert mounts.keys() == volumes.keys()
    assert mounts["credential"]["readOnly"] is True and volumes["credential"]["secret"]["defaultMode"] == 0o440
    assert {"cpu", "memory"} == CONTAINER["resources"]["requests"].keys() and CONTAINER["resources"]["limits"]


def test_the_manifest_contains_no_secret() -> None:
    assert not any(one["kind"] == "Secret" for one in OBJECTS)
    assert Path(MANIFEST).read_text(encoding="utf-8").count("BEGIN") == 0
