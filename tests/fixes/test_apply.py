"""Requests applied to a copy of the snapshot, and taken back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from auditor.fixes import fixes_for
from auditor.fixes.change import Conflict, GraphChange, NotApplicable, states_of, undo_of
from auditor.fixes.change_kinds import apply, apply_all, change_of
from auditor.fixes.policy_changes import CreateConsentPolicy
from auditor.fixes.proposed_fix import az_commands, powershell_commands
from auditor.model.decision import GraphRequest
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample, sample_names
from tests.fixes.tenants import APP, GRAPH, HOSTILE, by_key, with_sections

MANAGED = sample("managed-default")
LISTED = sample("admin-consented")


def post(path: str, **body: object) -> GraphRequest:
    """A create."""
    return GraphRequest(method="POST", url=f"{GRAPH}{path}", body=body)


def policy_named(name: str) -> GraphChange:
    """A consent policy with this name."""
    return CreateConsentPolicy(graph=GRAPH, body={"displayName": name})


def undo_requests(snapshot: Snapshot, requests: Iterable[GraphRequest]) -> tuple[GraphRequest, ...]:
    """The requests that undo `requests`."""
    changes = tuple(map(change_of, requests))
    return tuple(change.request for change in undo_of(states_of(snapshot, changes), changes))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(GraphRequest(method="DELETE", url=f"{GRAPH}/users/1"), id="a user deleted"),
        pytest.param(
            GraphRequest(method="DELETE", url=f"{GRAPH}/servicePrincipals/nobody"), id="an absent app deleted"
        ),
        pytest.param(
            GraphRequest(method="PATCH", url=f"{GRAPH}/servicePrincipals/nobody", body={"accountEnabled": True}),
            id="an absent app changed",
        ),
        pytest.param(
            GraphRequest(method="PATCH", url=f"{GRAPH}/oauth2PermissionGrants/none", body={"scope": ""}),
            id="an absent grant changed",
        ),
        pytest.param(
            GraphRequest(method="DELETE", url=f"{GRAPH}/oauth2PermissionGrants/none"), id="an absent grant deleted"
        ),
        pytest.param(
            GraphRequest(method="DELETE", url=f"{GRAPH}/policies/permissionGrantPolicies/none"),
            id="an absent policy deleted",
        ),
        pytest.param(post("/servicePrincipals"), id="an app created from nothing"),
        pytest.param(
            post("/policies/permissionGrantPolicies/none/includes", permissionType="delegated"),
            id="a condition set for an absent policy",
        ),
        pytest.param(
            post("/servicePrincipals/nobody/appRoleAssignedTo", principalId="1"), id="an assignment to an absent app"
        ),
        pytest.param(post("/oauth2PermissionGrants", scope=7), id="a grant with a number for its scope"),
    ],
)
def test_a_request_that_no_fix_may_contain_or_that_fits_nothing_is_not_applied(request_: GraphRequest) -> None:
    with pytest.raises(NotApplicable):
        apply(MANAGED, request_)


def test_a_property_that_a_service_principal_does_not_have_is_not_set() -> None:
    (principal, *_) = LISTED.sections.servicePrincipals or ()
    url = f"{GRAPH}/servicePrincipals/{principal.id}"
    with pytest.raises(NotApplicable):
        apply(LISTED, GraphRequest(method="PATCH", url=url, body={"colour": "blue"}))


def test_what_is_there_is_not_created_again() -> None:
    (row, *_) = LISTED.sections.oauth2PermissionGrants or ()
    with pytest.raises(Conflict):
        apply(LISTED, post("/servicePrincipals", appId=APP.client_id.upper()))
    with pytest.raises(Conflict):
        apply(LISTED, post("/oauth2PermissionGrants", **msgspec.to_builtins(row)))
    with pytest.raises(Conflict):
        apply(LISTED, post("/policies/permissionGrantPolicies", id="Microsoft-User-Default-Low"))


def test_what_was_not_read_is_not_replaced() -> None:
    unread = with_sections(
        MANAGED, authorizationPolicy=None, permissionGrantPolicies=None, adminConsentRequestPolicy=None
    )
    patch: dict[str, dict[str, list[str]]] = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": []}}
    for request in (
        GraphRequest(method="PATCH", url=f"{GRAPH}/policies/authorizationPolicy", body=patch),
        GraphRequest(method="PUT", url=f"{GRAPH}/policies/adminConsentRequestPolicy", body={"isEnabled": True}),
        post("/policies/permissionGrantPolicies", id="new"),
    ):
        with pytest.raises(NotApplicable):
            apply(unread, request)
        with pytest.raises(NotApplicable):
            undo_requests(unread, (request,))


def test_deleting_a_service_principal_takes_its_grants_and_assignments_along() -> None:
    principal = next(p for p in LISTED.sections.servicePrincipals or () if p.appId == APP.client_id)
    after = apply(LISTED, GraphRequest(method="DELETE", url=f"{GRAPH}/servicePrincipals/{principal.id}"))
    assert all(row.clientId != principal.id for row in after.sections.oauth2PermissionGrants or ())
    assert APP.client_id not in (after.sections.appRoleAssignedTo or {})
    assert APP.client_id in (after.sections.absentServicePrincipals or ())


def test_the_undo_goes_backwards_and_an_include_goes_with_its_policy() -> None:
    fix = by_key("low-unclassified")["R4"]
    undo = undo_requests(sample("low-unclassified"), fix.steps.graph)
    assert [request.method for request in undo] == ["PATCH", "DELETE"]
    assert apply_all(apply_all(sample("low-unclassified"), fix.steps.graph), undo) == sample("low-unclassified")


def test_az_is_said_to_lack_permissions_only_where_it_does() -> None:
    assert by_key("low-unclassified")["R4"].steps.az.startswith("# A user's sign-in with az lacks")
    assert by_key("low-unclassified")["R3"].steps.az.startswith("az login --tenant")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_with_quotes_cannot_break_out_of_a_command(name: str) -> None:
    change = policy_named(name)
    for commands in (az_commands((change,), MANAGED), powershell_commands((change,), MANAGED)):
        assert commands.isascii()
        assert len(commands.splitlines()) == (2 if commands.startswith("Connect") else 4)
    assert powershell_commands((policy_named("O'Brien'; rm"),), MANAGED).endswith("O''Brien''; rm\"}'")
    assert """O'"'"'Brien'"'"'; rm""" in az_commands((policy_named("O'Brien'; rm"),), MANAGED)


@pytest.mark.parametrize("name", sample_names())
def test_every_fix_says_how_long_it_takes_and_whether_it_can_be_undone(name: str) -> None:
    for fix in fixes_for(sample(name), APP):
        assert fix.minutes in range(5, 65, 5)
        assert fix.reversible == bool(fix.undo_graph)
