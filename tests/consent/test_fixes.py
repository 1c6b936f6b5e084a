"""Fixes: offered only where they work, computed from what is there, and never at another setting's expense."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings

from auditor.consent.decide import decide
from auditor.consent.fixes import fixes_for
from auditor.consent.fixes.apply import NotApplicable, apply
from auditor.consent.fixes.candidate import Candidate
from auditor.model.app import App
from auditor.model.decision import Outcome
from auditor.model.fix import Fix, GraphRequest
from auditor.model.snapshot import Snapshot
from auditor.packs.find import load_packs
from auditor.snapshot.samples import sample, sample_names
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle.strategies import apps, tenants

(PACK,) = load_packs(["trackerrms-uk"])
assert PACK.app is not None
APP = PACK.app
GRAPH = "https://graph.microsoft.com/v1.0"


def routes(name: str, app: App = APP) -> dict[str, Fix]:
    """The fixes offered for a sample tenant, by route."""
    return {fix.route: fix for fix in fixes_for(sample(name), app)}


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_that_does_not_connect_has_a_fix_and_no_other_has(name: str) -> None:
    connects = decide(sample(name), APP).outcome.connects
    assert bool(fixes_for(sample(name), APP)) != connects


@pytest.mark.parametrize("name", sample_names())
def test_the_printed_requests_applied_give_the_proven_outcome(name: str) -> None:
    for fix in fixes_for(sample(name), APP):
        after = sample(name)
        for request in fix.steps.graph:
            after = apply(after, request)
        if fix.steps.graph and fix.proven.subject == "ordinary member":
            assert decide(after, APP).outcome.value == fix.proven.outcome


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(document=tenants(), request=apps())
def test_every_offered_fix_ends_in_a_connection(document: dict[str, Any], request: dict[str, Any]) -> None:
    snapshot, app = snapshot_of(document), app_of(request)
    assume(not decide(snapshot, app).outcome.connects)
    for fix in fixes_for(snapshot, app):
        assert Outcome(fix.proven.outcome).connects


def test_the_link_holds_this_tenant_the_app_and_its_redirect_uri() -> None:
    link = routes("managed-default")["R1"].link
    tenant = sample("managed-default").tenant.id
    assert link == (
        f"https://login.microsoftonline.com/{tenant}/adminconsent?client_id=5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
        "&redirect_uri=https://ukevo.tracker-rms.com/Office365/CallBack"
    )


def test_an_existing_grant_is_extended_with_its_complete_new_string() -> None:
    (request,) = routes("admin-consented-partly")["R3"].steps.graph
    assert request.method == "PATCH"
    scopes = str((request.body or {})["scope"]).split()
    assert {"Contacts.ReadWrite", "Mail.Send", "Mail.ReadWrite"} <= set(scopes)
    assert len(scopes) == len({s.lower() for s in scopes})


def test_a_custom_policy_keeps_every_assigned_entry_and_is_made_empty_first() -> None:
    fix = routes("low-unclassified")["R4"]
    *_, patch = fix.steps.graph
    before = sample("low-unclassified").sections.authorizationPolicy
    assert before is not None and before.defaultUserRolePermissions is not None
    assigned = (patch.body or {})["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    assert assigned[1:] == list(before.defaultUserRolePermissions.permissionGrantPoliciesAssigned or ())
    assert "includes" not in (fix.steps.graph[0].body or {})


def test_a_forced_consent_page_cannot_be_mended_by_an_administrators_consent() -> None:
    forced = msgspec.structs.replace(APP, prompt_consent=True)
    assert "R1" not in routes("consent-off", forced)


def test_classifying_is_offered_only_where_a_policy_looks_at_classifications() -> None:
    assert "R5" in routes("low-unclassified")
    assert "R5" not in routes("consent-off")


def test_where_assignment_is_wanted_consent_for_the_assigned_users_comes_before_opening_the_app() -> None:
    found = fixes_for(sample("assignment-required"), APP)
    assert found[0].route == "R1"
    assert found[0].proven.subject == "assigned member"
    assert "R6" in [fix.route for fix in found]


def test_where_two_things_stand_in_the_way_two_fixes_are_combined() -> None:
    snapshot = sample("assignment-required")
    policy = snapshot.sections.authorizationPolicy
    assert policy is not None and policy.defaultUserRolePermissions is not None
    role = msgspec.structs.replace(policy.defaultUserRolePermissions, permissionGrantPoliciesAssigned=())
    off = msgspec.structs.replace(policy, defaultUserRolePermissions=role)
    nobody = {APP.client_id: ()}
    sections = msgspec.structs.replace(snapshot.sections, authorizationPolicy=off, appRoleAssignedTo=nobody)
    closed = msgspec.structs.replace(snapshot, sections=sections)
    found = [fix.route for fix in fixes_for(closed, APP)]
    assert "R1+R6" in found
    assert "R6" not in found


def test_names_with_quotes_cannot_break_out_of_a_command() -> None:
    request = GraphRequest(method="POST", url=f"{GRAPH}/policies", body={"displayName": "O'Brien'; rm -rf ~ #"})
    steps = Candidate(
        route="R0",
        title="",
        role="",
        portal=(),
        requests=(request,),
        verify="",
        undo="",
        opens={"summary": ""},
        promise=frozenset(),
    ).steps
    assert "O''Brien''; rm" in steps.powershell
    assert """O'"'"'Brien'"'"'; rm""" in steps.az


def test_a_request_that_no_fix_may_contain_is_not_applied() -> None:
    snapshot: Snapshot = sample("managed-default")
    with pytest.raises(NotApplicable):
        apply(snapshot, GraphRequest(method="DELETE", url=f"{GRAPH}/servicePrincipals/1"))
