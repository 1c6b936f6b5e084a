"""The bash scripts, run by bash against a stand-in for Graph: they do what was proven, and no more when run again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.consent.subject import Subject
from auditor.fixes import bash_script, fixes_for, powershell_script
from auditor.fixes.change import Condition, Deletion, Equals, HasItems, NotEmpty, SetValue
from auditor.fixes.change_kinds import CHANGES, change_of
from auditor.fixes.script import script
from auditor.model.decision import Fix, GraphRequest
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import patched, sample, sample_names
from tests.consent import test_app_roles as app_roles
from tests.fixes.tenants import (
    ALICE,
    APP,
    HOSTILE,
    by_key,
    fixes_in,
    rule_fixes,
    with_assigned,
    with_client,
    with_sections,
)

pytest.importorskip("jmespath", reason="the stand-in evaluates az's queries with it")

from tests.fixes.graph import FakeGraph, run, serving
from tests.systems import needs_scripts

pytestmark = needs_scripts

OF_RULES: dict[str, tuple[dict[str, object], str, str]] = {
    "no user consent": ({}, "CIS-5.1.5.1", "R9-none"),
    "low-impact consent only": ({}, "ZTA-21776", "R9-low-only"),
    "no app registration": ({}, "CIS-5.1.2.2", "R13-register-apps"),
    "risky consent": ({"allowUserConsentForRiskyApps": True}, "EIDSCA.AP09", "R13-risky-apps"),
    "workflow": ({}, "CIS-5.1.5.2", "R8"),
}
"""What differs from the sample managed-default in the authorization policy, the rule that then fails, and its fix."""
SCRIPTED = [(name, key) for name in sample_names() for key, fix in by_key(name).items() if fix.steps.graph]


@contextmanager
def graph_of(snapshot: Snapshot) -> Iterator[tuple[FakeGraph, Path]]:
    """The stand-in for one tenant, and the folder to run scripts in."""
    graph = FakeGraph(snapshot)
    with tempfile.TemporaryDirectory() as name, serving(graph, Path(name)) as folder:
        yield graph, folder


@pytest.mark.parametrize(("name", "key"), SCRIPTED)
def test_a_script_brings_the_proven_outcome_about_and_changes_nothing_when_run_again(name: str, key: str) -> None:
    snapshot = sample(name)
    fix = by_key(name)[key]
    text = script(fix, "az", tenant=snapshot.tenant.id)
    with graph_of(snapshot) as (graph, folder):
        first = run(text, folder)
        assert first.returncode == 0, first.stderr
        assert [(w.method, w.url) for w in graph.writes] == [(r.method, r.url) for r in fix.steps.graph]
        if fix.proven.subject == "ordinary member":
            assert decide(graph.snapshot, APP).outcome.value == fix.proven.outcome
        after, graph.writes = graph.snapshot, []
        second = run(text, folder)
        assert second.returncode == 0, second.stderr
        assert graph.writes == []
        assert graph.snapshot == after


@pytest.mark.parametrize("case", OF_RULES)
def test_the_script_for_a_rule_makes_it_pass_and_changes_nothing_when_run_again(case: str) -> None:
    policy, rule, key = OF_RULES[case]
    snapshot = patched(sample("managed-default"), {"authorizationPolicy": policy})
    with graph_of(snapshot) as (graph, folder):
        text = script(rule_fixes(snapshot)[rule][key], "az", tenant=snapshot.tenant.id)
        first = run(text, folder)
        assert first.returncode == 0, first.stderr
        assert rule not in rule_fixes(graph.snapshot)
        graph.writes = []
        second = run(text, folder)
        assert second.returncode == 0, second.stderr
        assert graph.writes == []


def test_each_kind_of_change_is_in_a_script_that_is_run() -> None:
    fixes = [by_key(name)[key] for name, key in SCRIPTED]
    for policy, rule, key in OF_RULES.values():
        fixes.append(rule_fixes(patched(sample("managed-default"), {"authorizationPolicy": policy}))[rule][key])
    fixes += app_roles.finding(app_roles.tenant(roles=app_roles.PUBLISHED, held=())).fixes
    fixes += [fixes_in(closed())["R3+R6-assign"], fixes_in(closed(), subject=ALICE)["R3-user"]]
    found = {type(change_of(request)) for fix in fixes for request in fix.steps.graph}
    missing = [kind.__name__ for kind in CHANGES if kind not in found and not issubclass(kind, Deletion)]
    assert missing == [], "no fix proposes them (CONTRIBUTING.md), or OF_RULES lacks a rule that they fix"


def test_the_script_for_application_permissions_grants_them_once() -> None:
    snapshot = app_roles.tenant(roles=app_roles.PUBLISHED, held=())
    text = script(app_roles.finding(snapshot).fixes[0], "az", tenant=snapshot.tenant.id)
    with graph_of(snapshot) as (graph, folder):
        first = run(text, folder)
        assert first.returncode == 0, first.stderr
        assert app_roles.finding(graph.snapshot).outcome == "pass"
        second = run(text, folder)
        assert (second.returncode, len(graph.writes)) == (0, 1), second.stderr


# What holds for POLICY, what doesn't, and the former in PowerShell.
CONDITIONS: dict[str, tuple[Condition, Condition, str]] = {
    "true": (Equals("isOn", True), Equals("isOn", False), "$now.isOn -eq $true"),
    "a number": (Equals("days", 30), Equals("days", 3), "$now.days -eq 30"),
    "a text": (Equals("invites", "none"), Equals("invites", "everyone"), "$now.invites -ceq 'none'"),
    "a quoted text": (Equals("name", 'It\'s "x"'), Equals("name", "It's x"), "$now.name -ceq 'It''s \"x\"'"),
    "a text that is not ASCII": (
        Equals("city", "Zürich"),
        Equals("city", "Zurich"),
        "$now.city -ceq (ConvertFrom-Json '[\"Z\\u00fcrich\"]')[0]",
    ),
    "a text that spells a number": (Equals("digits", "30"), Equals("days", "30"), "$now.digits -ceq '30'"),
    "a text that spells null": (Equals("word", "null"), Equals("nothing", "null"), "$now.word -ceq 'null'"),
    "a list": (
        HasItems("role.list", ("b", "a")),
        HasItems("role.list", ("a",)),
        "Test-Same @($now.role.list | Where-Object { $_ }) $wanted",
    ),
    "a list with items": (
        NotEmpty("role.list"),
        NotEmpty("role.none"),
        "@($now.role.list | Where-Object { $_ }).Count -gt 0",
    ),
}
POLICY = {
    "isOn": True,
    "days": 30,
    "digits": "30",
    "invites": "none",
    "name": 'It\'s "x"',
    "city": "Zürich",
    "word": "null",
    "nothing": None,
    "role": {"list": ["a", "b"], "none": []},
}


class OnePolicy(FakeGraph):
    """A tenant that answers every read with POLICY and records what is sent."""

    def _answer(self, options: dict[str, str]) -> object:
        if options["--method"] != "get":
            self.writes.append(GraphRequest(method=options["--method"], url=options["--url"]))
        return POLICY


def test_each_type_of_condition_and_value_is_tried() -> None:
    tried = [condition for condition, _, _ in CONDITIONS.values()]
    assert set(map(type, tried)) == set(get_args(Condition))
    values = {type(condition.value) for condition in tried if isinstance(condition, Equals)}
    assert values == set(get_args(get_type_hints(Equals)["value"]))


@pytest.mark.parametrize("what", CONDITIONS)
def test_a_script_sends_the_request_only_where_the_condition_does_not_hold(what: str, tmp_path: Path) -> None:
    url = "https://graph.microsoft.com/v1.0/policies/authorizationPolicy"
    request = GraphRequest(method="PATCH", url=url, body={"x": 1})
    holds, differs, in_powershell = CONDITIONS[what]
    for condition, sent in ((holds, []), (differs, ["PATCH"])):
        step = SetValue(url=url, done=(condition,), found="It is set.")
        before = (bash_script.prologue((step,)), "graph=https://graph.microsoft.com")
        graph = OnePolicy(sample("managed-default"))
        with serving(graph, tmp_path) as folder:
            done = run("\n".join((*before, *bash_script.commands(request, step))), folder)
        assert done.returncode == 0, done.stderr
        assert [write.method for write in graph.writes] == sent
    step = SetValue(url=url, done=(holds,), found="It is set.")
    assert f"if ({in_powershell}) {{" in "\n".join(powershell_script.commands(request, step))


def test_a_dry_run_changes_nothing_and_says_what_it_would_send() -> None:
    snapshot = sample("managed-default")
    fix = by_key("managed-default")["R3"]
    with graph_of(snapshot) as (graph, folder):
        done = run(script(fix, "az"), folder, DRY_RUN="1")
    assert (done.returncode, graph.writes) == (0, [])
    assert done.stderr.count("Would send: POST") == 2


def test_a_script_refuses_to_run_in_another_tenant() -> None:
    snapshot = sample("managed-default")
    with graph_of(snapshot) as (graph, folder):
        done = run(script(by_key("managed-default")["R3"], "az", tenant="somewhere-else"), folder)
    assert done.returncode == 1
    assert "another tenant" in done.stderr
    assert graph.writes == []


def test_a_grant_that_was_made_meanwhile_is_extended_and_keeps_its_scopes() -> None:
    fix = by_key("managed-default")["R3"]
    with graph_of(sample("managed-default")) as (graph, folder):
        run(script(fix, "az"), folder)
        (row,) = graph.snapshot.sections.oauth2PermissionGrants or ()
        narrow = msgspec.structs.replace(row, scope=" Files.Read openid")
        graph.snapshot = with_sections(graph.snapshot, oauth2PermissionGrants=(narrow,))
        done = run(script(fix, "az"), folder)
        (row,) = graph.snapshot.sections.oauth2PermissionGrants or ()
    assert done.returncode == 0, done.stderr
    assert row.scope.split()[:2] == ["Files.Read", "openid"]
    assert {"Mail.ReadWrite", "Contacts.ReadWrite"} <= set(row.scope.split())
    assert len(row.scope.split()) == len({scope.lower() for scope in row.scope.split()})


def test_a_list_that_has_changed_since_the_snapshot_is_not_overwritten() -> None:
    snapshot = sample("low-unclassified")
    fix = fixes_in(snapshot)["R9-legacy"]
    with graph_of(with_assigned(snapshot, "ManagePermissionGrantsForSelf.somebody-elses")) as (graph, folder):
        done = run(script(fix, "az"), folder)
    assert done.returncode == 1
    assert "has changed since the snapshot" in done.stderr
    assert graph.writes == []


def test_a_change_that_graph_discards_is_reported() -> None:
    snapshot = sample("low-unclassified")
    with graph_of(snapshot) as (graph, folder):
        graph.discards = True
        done = run(script(fixes_in(snapshot)["R4"], "az"), folder)
    assert done.returncode == 1
    assert "discarded" in done.stderr


def test_the_first_error_stops_a_script() -> None:
    snapshot = sample("low-unclassified")
    with graph_of(with_sections(snapshot, permissionGrantPolicies=None)) as (graph, folder):
        done = run(script(fixes_in(snapshot)["R4"], "az"), folder)
    assert done.returncode == 1
    assert [write.url.rpartition("/")[2] for write in graph.writes] == ["permissionGrantPolicies"]


def test_another_policy_with_the_same_id_is_left_alone() -> None:
    snapshot = sample("low-unclassified")
    fix = fixes_in(snapshot)["R4"]
    policies = snapshot.sections.permissionGrantPolicies or ()
    other = msgspec.structs.replace(policies[0], id="allow-trackerrms", displayName="Everything for everybody")
    with graph_of(with_sections(snapshot, permissionGrantPolicies=(*policies, other))) as (graph, folder):
        done = run(script(fix, "az"), folder)
    assert "another policy with this id" in done.stderr
    assert graph.writes == []


def closed() -> Snapshot:
    """Consent is off, assignment is required, and nobody is assigned."""
    return with_sections(with_assigned(sample("assignment-required")), appRoleAssignedTo={APP.client_id: ()})


def test_whom_to_assign_is_asked_for_and_must_be_an_id() -> None:
    fix = fixes_in(closed())["R3+R6-assign"]
    text = script(fix, "az")
    with graph_of(closed()) as (graph, folder):
        without = run(text, folder)
        wrong = run(text, folder, PRINCIPAL_ID="$(id)")
        assert (without.returncode, wrong.returncode, graph.writes) == (1, 1, [])
        right = run(text, folder, PRINCIPAL_ID=str(ALICE.user_id).upper())
        assert right.returncode == 0, right.stderr
        alice = Subject(user_id=ALICE.user_id)
        assert decide(graph.snapshot, APP, alice).outcome.value == fix.proven.outcome
        writes = len(graph.writes)
        assert run(text, folder, PRINCIPAL_ID=str(ALICE.user_id)).returncode == 0
        assert len(graph.writes) == writes


def test_a_script_for_one_user_grants_and_assigns_that_user() -> None:
    snapshot = closed()
    fix: Fix = fixes_in(snapshot, subject=ALICE)["R3-user"]
    with graph_of(snapshot) as (graph, folder):
        done = run(script(fix, "az"), folder)
        assert done.returncode == 0, done.stderr
        assert decide(graph.snapshot, APP, ALICE).outcome.value == fix.proven.outcome
        assert not decide(graph.snapshot, APP).outcome.connects


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_reaches_graph_as_it_is_and_nothing_in_it_is_run(name: str) -> None:
    app = msgspec.structs.replace(APP, name=name)
    snapshot = with_client(sample("low-unclassified"), displayName=name)
    fix = next(fix for fix in fixes_for(snapshot, app) if fix.key == "R4")
    with graph_of(snapshot) as (graph, folder):
        done = run(script(fix, "az", tenant=snapshot.tenant.id), folder)
        left = {path.name for path in folder.iterdir()}
    assert done.returncode == 0, done.stderr
    *_, policy = graph.snapshot.sections.permissionGrantPolicies or ()
    if "{object id" not in name:
        assert policy.displayName == f"{name}: users may consent"
    assert left == {"az"}
    assert not Path("/tmp/owned").exists()
