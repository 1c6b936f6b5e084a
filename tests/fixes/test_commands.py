"""The commands to paste begin with a sign-in to the tenant that was audited, and do nothing in any other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from auditor.fixes import fixes_for
from auditor.fixes.proposed_fix import az_commands, posix_quoted, powershell_commands
from auditor.model.decision import Fix
from auditor.model.snapshot import Snapshot, Tenant
from auditor.snapshot.samples import sample, sample_names
from tests.fixes.tenants import APP, HOSTILE, fixes_in
from tests.fixes.test_scripts import nobody_assigned, powershell_errors
from tests.systems import needs_scripts

TENANT = sample("managed-default").tenant.id
LOW = sample("low-unclassified").tenant.id


def with_tenant(tenant_id: str, name: str = "managed-default") -> Snapshot:
    """The sample in a tenant with this id."""
    return msgspec.structs.replace(sample(name), tenant=Tenant(id=tenant_id))


def with_commands(snapshot: Snapshot) -> list[Fix]:
    """The fixes that are more than a link."""
    return [fix for fix in fixes_for(snapshot, APP) if fix.steps.graph]


def pasted(commands: str, folder: Path, *, signed_in: str = TENANT, refused: str = "") -> list[str]:
    """The calls of az that bash makes of these commands, in the tenant `signed_in`; those of `refused` fail."""
    az = folder / "az"
    az.write_text(
        "#!/usr/bin/env bash\n"
        f"printf '%s\\n' \"$*\" >> {posix_quoted(str(folder / 'calls'))}\n"
        f'case "$1" in {posix_quoted(refused)}) exit 1 ;; account) echo {posix_quoted(signed_in)} ;; esac\n'
    )
    az.chmod(0o755)
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    subprocess.run(["bash", "-c", commands], env=path, capture_output=True, check=False)
    return (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize("name", sample_names())
def test_every_command_is_sent_to_the_tenant_of_the_snapshot(name: str) -> None:
    for fix in with_commands(sample(name)):
        tenant = sample(name).tenant.id
        sign_in, *requests = (line for line in fix.steps.az.splitlines() if not line.startswith("#"))
        assert sign_in in (
            f"az login --tenant '{tenant}' --allow-no-subscriptions &&",
            f"az account show --query tenantId --output tsv | grep -Fi -e '{tenant}' &&",
        )
        assert requests
        connect, *requests = fix.steps.powershell.splitlines()
        assert connect.startswith(f"Connect-MgGraph -TenantId '{tenant}' -Scopes ")
        assert requests
        assert not any("Connect-MgGraph" in line for line in requests)


def test_several_parts_of_a_fix_sign_in_once_with_all_permissions() -> None:
    joined = next(fix for fix in with_commands(nobody_assigned()) if "+" in fix.key)
    connect, *requests = joined.steps.powershell.splitlines()
    assert connect.count("ReadWrite") > 1
    assert not any("Connect-MgGraph" in line for line in requests)
    assert joined.steps.az.count("az login") == 1


@needs_scripts
def test_after_a_failed_sign_in_nothing_is_sent(tmp_path: Path) -> None:
    sent = pasted(fixes_in(sample("managed-default"))["R3"].steps.az, tmp_path, refused="login")
    assert sent == [f"login --tenant {TENANT} --allow-no-subscriptions"]


@needs_scripts
@pytest.mark.parametrize(
    ("signed_in", "calls"),
    [
        pytest.param(sample("low-unclassified").tenant.id, ["account", "rest", "rest", "rest"], id="in the tenant"),
        pytest.param(
            sample("low-unclassified").tenant.id.upper(), ["account", "rest", "rest", "rest"], id="in capitals"
        ),
        pytest.param(TENANT, ["account"], id="in another tenant"),
    ],
)
def test_a_service_principal_stays_signed_in_and_the_tenant_is_checked(
    tmp_path: Path, signed_in: str, calls: list[str]
) -> None:
    """A user's sign-in would replace the one that has the permissions (azure-cli issues 23906 and 33062)."""
    fix = fixes_in(sample("low-unclassified"))["R4"]
    sent = pasted(fix.steps.az, tmp_path, signed_in=signed_in)
    assert [call.split()[0] for call in sent] == calls
    assert [call.split(" --url")[0] for call in sent[1:]] == [
        f"rest --method {request.method.lower()}" for request in fix.steps.graph[: len(calls) - 1]
    ]


@needs_scripts
def test_a_snapshot_without_a_tenant_id_says_to_check_the_tenant(tmp_path: Path) -> None:
    steps = fixes_in(with_tenant(""))["R3"].steps
    assert "--tenant" not in steps.az
    assert "-TenantId" not in steps.powershell
    for commands in (steps.az, steps.powershell):
        assert "no tenant id. Continue only if this prints the id of the tenant to change" in commands
    assert "(Get-MgContext).TenantId" in steps.powershell
    assert pasted(steps.az, tmp_path)[0].startswith("account show --query tenantId")


def test_a_national_cloud_is_chosen_before_the_sign_in() -> None:
    snapshot = msgspec.structs.replace(sample("managed-default"), cloud="us-gov")
    steps = fixes_in(snapshot)["R3"].steps
    assert steps.az.startswith(f"az cloud set --name AzureUSGovernment &&\naz login --tenant '{TENANT}'")
    assert f"-TenantId '{TENANT}' -Environment USGov -Scopes" in steps.powershell


@needs_scripts
@pytest.mark.parametrize("text", HOSTILE)
def test_the_id_of_a_tenant_cannot_break_out_of_a_command(text: str, tmp_path: Path) -> None:
    fix = fixes_in(with_tenant(text))["R3"]
    assert (fix.steps.az + fix.steps.powershell).isascii()
    assert powershell_errors(fix.steps.powershell) == []
    if text:
        assert [call.split()[0] for call in pasted(fix.steps.az, tmp_path)] == [
            "login",
            *("rest" for _ in fix.steps.graph),
        ]


def test_without_changes_there_are_no_commands() -> None:
    assert az_commands((), sample("managed-default")) == powershell_commands((), sample("managed-default")) == ""
