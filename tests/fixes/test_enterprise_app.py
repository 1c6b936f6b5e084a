"""R6, R7 and R8: assignment, sign-in, and a way to ask."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.fixes.change_kinds import apply_all
from auditor.model.access_resources import RoleAssignment
from auditor.model.resources import AdminConsentRequestPolicy, ConsentReviewer, User
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample
from tests.fixes.tenants import ALICE, APP, by_key, fixes_in, with_client, with_sections

NOBODY: dict[str, Any] = {"appRoleAssignedTo": {APP.client_id: ()}}


def granted_but_unassigned() -> Snapshot:
    """An administrator has consented, assignment is required, and nobody is assigned."""
    return with_sections(with_client(sample("admin-consented"), appRoleAssignmentRequired=True), **NOBODY)


def test_an_app_that_was_switched_off_is_switched_on_again_after_asking_why() -> None:
    fix = by_key("app-disabled")["R7"]
    assert "First find out why" in fix.steps.portal[0]
    assert [r.body for r in fix.steps.graph] == [{"accountEnabled": True}]
    assert [r.body for r in fix.undo_graph] == [{"accountEnabled": False}]


def test_whom_to_assign_is_for_the_administrator_to_fill_in() -> None:
    fix = fixes_in(granted_but_unassigned())["R6-assign"]
    (request,) = fix.steps.graph
    assert (request.body or {})["principalId"] == "{object id of the user or group}"
    assert "{object id of the user or group}" in fix.fill_in[0]
    assert fix.proven.subject == "newly assigned member"
    assert [u.url.rpartition("/")[2] for u in fix.undo_graph] == ["{id of the new assignment}"]


def test_a_user_is_assigned_by_id() -> None:
    fix = fixes_in(granted_but_unassigned(), subject=ALICE)["R6-assign"]
    assert (fix.steps.graph[0].body or {})["principalId"] == ALICE.user_id
    assert fix.fill_in == ()
    assert fix.proven.subject == ALICE.label


def test_who_is_assigned_already_needs_no_assignment() -> None:
    assert not {"R6-assign", "R6-open"} & set(fixes_in(sample("admin-consented"), subject=ALICE))


def test_the_requirement_can_be_dropped_for_good_or_for_as_long_as_users_consent() -> None:
    fix = by_key("assignment-required")["R6-open"]
    assert [r.body for r in fix.steps.graph] == [{"appRoleAssignmentRequired": False}]
    assert "set it to Yes again" in fix.expect
    assert fixes_in(granted_but_unassigned())["R6-open"].expect == ""


def workflow(**settings: Any) -> Snapshot:
    """User consent is off, and the workflow has these settings."""
    return with_sections(sample("consent-off"), adminConsentRequestPolicy=AdminConsentRequestPolicy(**settings))


def body(snapshot: Snapshot) -> dict[str, Any]:
    """The settings that the fix puts."""
    (request,) = fixes_in(snapshot)["R8"].steps.graph
    return dict(request.body or {})


def test_the_workflow_lets_the_user_ask_and_the_request_reaches_somebody_who_can_approve() -> None:
    fix = by_key("consent-off")["R8"]
    after = decide(apply_all(sample("consent-off"), fix.steps.graph), APP)
    assert (after.outcome.value, after.code) == ("needs-admin", "AADSTS90095")
    assert "Request approval" in after.screen
    assert "nobody" not in after.screen
    (reviewer,) = (fix.steps.graph[0].body or {})["reviewers"]
    assert "62e90394-69f5-4237-9190-012177145e10" in reviewer["query"]
    assert "an hour" in fix.expect
    assert fix.role == "Global Administrator"


def test_reviewers_who_can_approve_are_taken_from_the_roles_that_have_holders() -> None:
    held = RoleAssignment(principalId="1", roleDefinitionId="158c047a-c907-4556-b7ef-446551a6b5f7")
    snapshot = with_sections(workflow(isEnabled=False, reviewers=()), roleAssignments=(held,))
    (reviewer,) = body(snapshot)["reviewers"]
    assert "158c047a-c907-4556-b7ef-446551a6b5f7" in reviewer["query"]


def test_reviewers_and_settings_that_are_there_stay() -> None:
    named = ConsentReviewer(query="/users/1", queryType="MicrosoftGraph", queryRoot="decisions")
    new = body(workflow(isEnabled=False, reviewers=(named,), notifyReviewers=False, requestDurationInDays=7))
    assert new == {
        "isEnabled": True,
        "notifyReviewers": True,
        "remindersEnabled": True,
        "requestDurationInDays": 7,
        "reviewers": [{"query": "/users/1", "queryType": "MicrosoftGraph", "queryRoot": "decisions"}],
    }


def test_a_workflow_without_reviewers_is_given_some() -> None:
    assert body(workflow(isEnabled=True, reviewers=()))["reviewers"]


def test_reviewers_who_hear_of_nothing_are_notified_from_then_on() -> None:
    named = ConsentReviewer(query="/users/1")
    silent = workflow(isEnabled=True, reviewers=(named,), notifyReviewers=False)
    assert "notified" in fixes_in(silent)["R8"].title
    assert body(silent)["notifyReviewers"] is True
    assert [one["query"] for one in body(silent)["reviewers"]] == ["/users/1"]


@pytest.mark.parametrize(
    "users",
    [
        pytest.param((), id="gone"),
        pytest.param((User(id="1", accountEnabled=False),), id="disabled"),
    ],
)
def test_reviewers_who_no_longer_exist_are_replaced(users: tuple[User, ...]) -> None:
    snapshot = with_sections(workflow(isEnabled=True, reviewers=(ConsentReviewer(query="/users/1"),)), users=users)
    (reviewer,) = body(snapshot)["reviewers"]
    assert "roleAssignments" in reviewer["query"]


def test_an_approval_is_not_offered_where_the_consent_page_is_forced() -> None:
    forced = msgspec.structs.replace(APP, prompt_consent=True)
    assert "R8" in by_key("consent-off") and "R8" not in by_key("consent-off", forced)


def test_the_workflow_is_left_alone_where_it_works_or_was_not_read() -> None:
    named = ConsentReviewer(query="/users/1")
    assert "R8" not in fixes_in(workflow(isEnabled=True, reviewers=(named,)))
    assert "R8" not in fixes_in(workflow(isEnabled=False, reviewers=None))
    assert "R8" not in fixes_in(workflow())
    assert "R8" not in fixes_in(with_sections(sample("consent-off"), adminConsentRequestPolicy=None))


def test_the_workflow_does_not_help_where_assignment_is_required() -> None:
    assert "R8" not in by_key("assignment-required")
    off = msgspec.structs.replace(APP, prompt_consent=False)
    assert "R8" not in by_key("app-disabled", off)
