"""``make audit`` uses a sample tenant only if nothing of a credential is set, and else does what ``check`` does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import HUNG_AFTER
from tests.packaging.tree import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make") or sys.platform == "win32", reason="needs make and sh")

TENANT_AND_CLIENT = {"AZURE_TENANT_ID": "contoso.example", "AZURE_CLIENT_ID": "00000000-0000-4000-8000-000000000001"}
ERRORS = {
    "no secret": (TENANT_AND_CLIENT, "AZURE_CLIENT_SECRET"),
    "an empty secret": ({**TENANT_AND_CLIENT, "AZURE_CLIENT_SECRET": ""}, "AZURE_CLIENT_SECRET is empty"),
    "no tenant": (
        {"AZURE_CLIENT_ID": "00000000-0000-4000-8000-000000000001", "AZURE_CLIENT_SECRET": "x"},
        "AZURE_TENANT_ID is not set",
    ),
    "a certificate that does not exist": (
        {**TENANT_AND_CLIENT, "AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere/client.pem"},
        "/nowhere/client.pem",
    ),
    "a typo": ({**TENANT_AND_CLIENT, "AZURE_CLIENT_SECRT": "x"}, "AZURE_CLIENT_SECRT looks like a typo"),
    "only a typo": ({"AZURE_TENANTID": "contoso.example"}, "AZURE_TENANTID looks like a typo of AZURE_TENANT_ID"),
    "a workload without a client": (
        {"AZURE_TENANT_ID": "contoso.example", "AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"},
        "AZURE_CLIENT_ID is not set",
    ),
}


def make_audit(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The result of ``make audit`` with this interpreter in place of the virtual environment that make would create."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name, arguments in (("python", ""), ("consent-auditor", "-m auditor ")):
        script = programs / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments}"$@"\n')
        script.chmod(0o755)
    command = ["make", "-s", f"--assume-old={folder}/.run", f"VENV={folder}", "audit"]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER,
    )


@pytest.mark.parametrize(("environ", "named"), [pytest.param(*case, id=name) for name, case in ERRORS.items()])
def test_an_incomplete_credential_is_an_error(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    made = make_audit(tmp_path / "venv", **environ)
    assert made.returncode != 0
    assert named in made.stderr
    assert "sample tenant" not in made.stdout


def test_without_a_credential_it_audits_a_sample_tenant(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "venv", AZURE_CONFIG_DIR="/x", AZURE_SUBSCRIPTION_ID="x", AZURE_DEVOPS_EXT_PAT="x")
    assert (made.returncode, made.stderr) == (0, "")
    assert "This is a sample" in made.stdout
