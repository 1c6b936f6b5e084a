"""Which fixes are offered, for whom, and how many are needed together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.fixes import fixes_for
from auditor.fixes.change_kinds import apply_all
from auditor.model.decision import Outcome
from auditor.model.rule import RequestMode
from auditor.snapshot.samples import sample, sample_names
from tests.fixes.tenants import ALICE, APP, by_key, fixes_in, with_assigned, with_client, with_sections

NOBODY: dict[str, Any] = {"appRoleAssignedTo": {APP.client_id: ()}}


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_that_does_not_connect_has_a_fix_and_no_other_has(name: str) -> None:
    connects = decide(sample(name), APP).outcome.connects
    assert bool(fixes_for(sample(name), APP)) != connects


@pytest.mark.parametrize("name", sample_names())
def test_the_printed_requests_applied_give_the_proven_outcome(name: str) -> None:
    for fix in fixes_for(sample(name), APP):
        after = apply_all(sample(name), fix.steps.graph)
        if fix.steps.graph and fix.proven.subject == "ordinary member":
            assert decide(after, APP).outcome.value == fix.proven.outcome


@pytest.mark.parametrize("name", sample_names())
def test_every_fix_has_a_key_of_its_own_and_says_all_that_an_administrator_needs(name: str) -> None:
    fixes = fixes_for(sample(name), APP)
    assert len({fix.key for fix in fixes}) == len(fixes)
    for fix in fixes:
        assert fix.role and fix.verify and fix.undo and fix.undo_graph and fix.opens["summary"]
        assert fix.steps.portal or fix.steps.graph
        assert bool(fix.steps.graph) == bool(fix.steps.powershell) == bool(fix.steps.az)


def test_a_change_for_every_app_comes_after_the_others_and_what_lets_the_user_ask_comes_last() -> None:
    routes = [fix.route for fix in fixes_for(sample("low-unclassified"), APP)]
    assert routes[-2:] == ["R9", "R8"]
    assert routes[0] == "R1"


def test_where_assignment_is_wanted_consent_for_the_assigned_users_comes_before_opening_the_app() -> None:
    found = fixes_for(sample("assignment-required"), APP)
    assert found[0].route == "R1"
    assert found[0].proven.subject == "assigned member"
    assert "R6-open" in [fix.key for fix in found]


def test_where_two_things_stand_in_the_way_two_fixes_are_combined() -> None:
    closed = with_sections(with_assigned(sample("assignment-required")), **NOBODY)
    found = fixes_in(closed)
    assert {"R1-scopes+R6-assign", "R1-scopes+R6-open", "R3+R6-assign", "R3+R6-open"} <= set(found)
    assert not {"R1-scopes", "R6-open"} & set(found)


def test_where_nobody_is_assigned_assigning_comes_before_letting_everybody_in() -> None:
    """Also if letting everybody in would be enough, because users may consent for themselves."""
    found = list(fixes_in(with_sections(sample("assignment-required"), **NOBODY)))
    legacy = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"
    open_tenant = list(fixes_in(with_assigned(with_sections(sample("assignment-required"), **NOBODY), legacy)))
    for keys in (found, open_tenant):
        assigning = [keys.index(key) for key in keys if key.endswith("R6-assign")]
        opening = [keys.index(key) for key in keys if key.endswith("R6-open")]
        assert assigning and opening and max(assigning) < min(opening)
    assert "R6-open" in open_tenant


def test_where_three_things_stand_in_the_way_three_fixes_are_combined() -> None:
    closed = with_client(with_sections(with_assigned(sample("assignment-required")), **NOBODY), accountEnabled=False)
    found = fixes_in(closed)
    assert {"R7+R3+R6-assign", "R7+R3+R6-open"} <= set(found)
    assert all(fix.route.count("+") == 2 for fix in found.values() if fix.key != "R8")
    fix = found["R7+R3+R6-assign"]
    assert [r.method for r in fix.steps.graph] == ["PATCH", "POST", "POST"]
    assert [r.method for r in fix.undo_graph] == ["DELETE", "DELETE", "PATCH"]
    assert fix.steps.portal == ()


def test_alternatives_are_never_combined() -> None:
    for name in sample_names():
        for fix in fixes_for(sample(name), APP):
            consents = set(fix.route.split("+")) & {"R1", "R3", "R4", "R5", "R9"}
            assert len(consents) <= 1


def test_a_set_with_a_link_in_it_shows_clicks_and_no_commands() -> None:
    fix = fixes_in(with_sections(with_assigned(sample("assignment-required")), **NOBODY))["R1-scopes+R6-open"]
    assert fix.link
    assert (fix.steps.powershell, fix.steps.az, fix.steps.graph) == ("", "", ())
    assert len(fix.proven.applied) == 2


def test_a_forced_consent_page_cannot_be_fixed_by_an_administrators_consent() -> None:
    forced = msgspec.structs.replace(APP, prompt_consent=True)
    assert not {"R1", "R1-scopes", "R3"} & set(by_key("consent-off", forced))


def test_an_app_that_lacks_scopes_gets_them_granted() -> None:
    static = msgspec.structs.replace(APP, mode=RequestMode.DEFAULT)
    snapshot = sample("admin-consented-partly")
    assert decide(snapshot, static).outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES
    assert {"R1", "R3"} <= set(fixes_in(snapshot, static))


def test_a_fix_for_one_user_is_offered_to_that_user_alone() -> None:
    assert "R3-user" in by_key("consent-off", subject=ALICE)
    assert "R3-user" not in by_key("consent-off")
