"""The command that each schedule runs is run, on a tenant in a file: an option that doesn't exist fails here."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from auditor.history import open_history
from auditor.jobs.nightly_config import load_configuration
from auditor.model.configuration import SecretKind
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import COMMAND, environment
from tests.deploy.files import CONFIGURATION, DEPLOY, PROGRAM
from tests.deploy.test_container import last
from tests.deploy.test_github import JOB
from tests.deploy.test_kubernetes import CONTAINER, OBJECTS
from tests.deploy.test_linux import SERVICE, cron_lines, unit
from tests.deploy.test_windows import NAMESPACE, TASK
from tests.limits import HUNG_AFTER
from tests.systems import needs_scripts

pytestmark = needs_scripts

FAILING = 1
"""The exit code on a tenant whose users can't connect the app."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration of one tenant, which is a file."""
    (tmp_path / "tenant.json").write_bytes(dumps(sample("managed-default")))
    (tmp_path / "consent-auditor.yaml").write_text(
        "version: 1\n"
        "defaults: {packs: [trackerrms-uk], reports: {folder: reports/, formats: [html]}}\n"
        "tenants: [{name: contoso, snapshot: tenant.json}]\n",
        encoding="utf-8",
    )
    return tmp_path


def run_at(
    place: Path, command: list[str] | str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run words, or a line of a shell, in the folder."""
    return subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=place,
        env={**environment(place, {"CONSENT_AUDITOR_STATE": str(place / "state"), **(more or {})})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=HUNG_AFTER,
        check=False,
    )


def here(place: Path, text: str) -> str:
    """A command with the paths of this test in place of those of an installation."""
    configuration = str(place / "consent-auditor.yaml")
    return text.replace(PROGRAM, str(COMMAND)).replace(CONFIGURATION, configuration)


def assert_one_night(place: Path, done: subprocess.CompletedProcess[str], code: int = FAILING) -> None:
    """The night was kept in the state folder, and its report is where the configuration says."""
    assert done.returncode == code, done.stderr
    assert "contoso" in done.stdout
    assert (place / "reports/contoso/report.html").stat().st_size > 10_000
    with open_history(str(place / "state/history.db"), must_exist=True) as history:
        (run,) = history.runs("contoso")
    assert run.exit_code == FAILING


def test_the_service_of_systemd(place: Path) -> None:
    service = unit(SERVICE)["Service"]
    variables = dict(word.split("=", 1) for word in service["Environment"].replace("%S", str(place)).split())
    variables["CONSENT_AUDITOR_STATE"] = variables["CONSENT_AUDITOR_STATE"].replace("/consent-auditor", "/state")
    done = run_at(place, shlex.split(here(place, service["ExecStart"])), variables)
    assert_one_night(place, done)
    assert str(FAILING) in service["SuccessExitStatus"].split(), "a rule that fails is a result"


def test_the_job_of_cron(place: Path) -> None:
    (job,) = cron_lines()
    done = run_at(place, here(place, job.split(None, 5)[5]))
    assert_one_night(place, done, code=0)
    assert "exit code 1" in done.stdout


def test_the_container_and_kubernetes(place: Path) -> None:
    command = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    assert command[1:] == CONTAINER["args"]
    done = run_at(place, [str(COMMAND), *(here(place, word) for word in CONTAINER["args"])])
    assert_one_night(place, done)
    assert {"night", "event"} <= json.loads(done.stderr.splitlines()[0]).keys()


def test_the_task_of_windows(place: Path) -> None:
    found = ElementTree.parse(TASK).findtext(f".//{NAMESPACE}Arguments")
    assert found is not None
    words = shlex.split(found.replace(r"C:\ConsentAuditor", place.as_posix()).replace("\\", "/"))
    assert_one_night(place, run_at(place, [str(COMMAND), *words]))


def script_of(name: str) -> str:
    """The script of a step of the workflow."""
    (script,) = (step["run"] for step in JOB["steps"] if step.get("name") == name)
    return str(script)


def stub(folder: Path, name: str, python: str) -> None:
    """A program for the PATH of a step."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{python}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def in_workflow(place: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does, with the programs in ``bin`` first."""
    path = os.pathsep.join((str(place / "bin"), str(COMMAND.parent), os.environ["PATH"]))
    given = {
        "PATH": path,
        "RUNNER_TEMP": str(place),
        "GITHUB_REPOSITORY": "contoso/tenant-audit",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://localhost/token?v=2",
    }
    (place / "step.sh").write_text(script, encoding="utf-8")
    return run_at(place, ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"], given)


def test_the_steps_of_github(place: Path) -> None:
    stub(place, "curl", 'print(\'{"value": "the-token"}\')')
    stub(place, "jq", "import json, sys; print(json.load(sys.stdin)['value'])")
    done = in_workflow(place, script_of("Audit"))
    assert_one_night(place, done)
    token = place / "federated-token"
    assert token.read_text() == "the-token\n"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_github_without_a_token_for_the_workload_runs_nothing(place: Path) -> None:
    stub(place, "curl", "raise SystemExit(22)")
    stub(place, "jq", "raise SystemExit(0)")
    done = in_workflow(place, script_of("Audit"))
    assert done.returncode == 22
    assert not (place / "state").exists()


def test_the_first_night_of_github_has_no_history_and_the_next_one_has(place: Path) -> None:
    step = script_of("Continue the history of the last night")
    stub(place, "gh", "")
    done = in_workflow(place, step)
    assert (done.returncode, "first night" in done.stdout) == (0, True)
    download = (
        "import pathlib, sys\n"
        "if sys.argv[1] == 'api': print('4711')\n"
        "else:\n"
        "    assert sys.argv[1:4] == ['run', 'download', '4711'], sys.argv\n"
        "    folder = pathlib.Path(sys.argv[sys.argv.index('--dir') + 1])\n"
        "    folder.mkdir(); (folder / 'history.db').write_bytes(b'')"
    )
    stub(place, "gh", download)
    assert in_workflow(place, step).returncode == 0
    assert (place / "state/history.db").exists()


def test_a_history_that_cannot_be_fetched_stops_the_workflow(place: Path) -> None:
    """Otherwise the night would begin a new history, and replace the old one."""
    stub(place, "gh", "raise SystemExit(1)")
    assert in_workflow(place, script_of("Continue the history of the last night")).returncode != 0


def test_the_configuration_in_the_manifest_of_kubernetes_is_valid(tmp_path: Path) -> None:
    (text,) = next(one for one in OBJECTS if one["kind"] == "ConfigMap")["data"].values()
    path = tmp_path / "consent-auditor.yaml"
    path.write_text(text, encoding="utf-8")
    configuration = load_configuration(str(path))
    (tenant,) = configuration.tenants
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert tenant.credential is not None and tenant.credential.certificate is not None
    assert tenant.credential.certificate.name.startswith(f"{mounts['credential']}/")
    assert tenant.reports.folder.startswith(f"{mounts['state']}/")
    assert configuration.history.file.startswith(f"{mounts['state']}/")


def test_the_reference_to_the_credential_of_systemd_is_valid(tmp_path: Path) -> None:
    text = SERVICE.read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith("#   credential:"))
    entry = {"tenant": "contoso.onmicrosoft.com", "packs": ["trackerrms-uk"], **yaml.safe_load(line.lstrip("# "))}
    path = tmp_path / "consent-auditor.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "tenants": [entry]}), encoding="utf-8")
    (tenant,) = load_configuration(str(path)).tenants
    assert tenant.credential is not None and tenant.credential.certificate is not None
    found = tenant.credential.certificate
    assert found.kind is SecretKind.SYSTEMD_CREDENTIAL
    assert unit(SERVICE)["Service"]["LoadCredential"].partition(":")[0] == found.name


def test_every_schedule_is_tested() -> None:
    folders = {path.relative_to(DEPLOY).parts[0] for path in DEPLOY.rglob("*") if path.is_file()}
    assert folders - {"prometheus"} == {"Containerfile", "cron", "github", "kubernetes", "systemd", "windows"}
