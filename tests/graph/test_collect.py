"""A plan in, a snapshot out: what is read, what it costs, and what happens to what cannot be read."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from auditor.graph.graph_errors import NotJson, Unreachable
from auditor.graph.reads import Read
from auditor.graph.section_reads import CLIENT_PROPERTIES, NOT_IN_EVERY_CLOUD
from auditor.model.access_resources import DriftedProperty
from auditor.model.snapshot import Plan, Unread
from auditor.model.unread_messages import NOT_IN_CLOUD
from tests.graph.live_tenants import (
    ABSENT,
    CLIENT,
    CUSTOM_ROLE,
    GRAPH,
    MAIL_READ_ROLE,
    POLICY,
    PREFLIGHT,
    TENANT,
    USER,
    Sleeps,
    read,
    tenant,
)
from tests.graphserver import AUDIT_ROLES, Body, GraphServer, HtmlPage, NextLink, Reset, Status


def test_a_vendors_preflight_is_exactly_one_request() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, PREFLIGHT)
        assert [(request.method, request.version, request.path) for request in server.requests] == [
            ("POST", "v1.0", "/$batch")
        ]
        assert (server.connections, len(server.token_requests)) == (1, 1)
        assert not server.refused_writes
    assert snapshot.unread == {}
    assert (snapshot.tenant.id, snapshot.tenant.name) == (TENANT, "Fabrikam")


def test_a_preflight_holds_everything_it_was_asked_for_and_says_how_far_it_reaches() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, PREFLIGHT)
    sections = snapshot.sections
    assert sections.authorizationPolicy is not None and sections.adminConsentRequestPolicy is not None
    assert [policy.id for policy in sections.permissionGrantPolicies or ()] == [POLICY]
    assert {row.appId for row in sections.servicePrincipals or ()} == {CLIENT, GRAPH}
    assert len(sections.oauth2PermissionGrants or ()) == 5
    assert list(sections.appRoleAssignedTo or {}) == [CLIENT]
    assert list(sections.delegatedPermissionClassifications or {}) == [GRAPH]
    assert [role.id for role in sections.roleDefinitions or ()] == [CUSTOM_ROLE]
    assert snapshot.covers == {
        "oauth2PermissionGrants": (CLIENT,),
        "roleDefinitions": ("custom",),
        "servicePrincipals": (CLIENT, GRAPH),
    }


def test_the_answers_of_a_batch_come_in_any_order() -> None:
    snapshots = []
    for seed in range(5):
        with GraphServer(tenant(), seed=seed) as server:
            snapshots.append(read(server, PREFLIGHT))
    assert all(snapshot == snapshots[0] for snapshot in snapshots)


def test_an_app_without_service_principal_is_absent_and_so_is_all_that_would_hang_on_it() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(clients=(ABSENT,), resources=(ABSENT.upper(),)))
    sections = snapshot.sections
    assert sections.absentServicePrincipals == (ABSENT,)
    assert sections.servicePrincipals == () and sections.oauth2PermissionGrants == ()
    assert sections.appRoleAssignedTo == {ABSENT: ()}
    assert sections.delegatedPermissionClassifications == {ABSENT: ()}
    assert snapshot.covers["servicePrincipals"] == (ABSENT, ABSENT.upper())
    assert snapshot.covers["oauth2PermissionGrants"] == (ABSENT,)
    assert snapshot.unread == {}


def test_a_404_with_another_code_is_an_error_and_not_an_absence() -> None:
    with GraphServer(tenant()) as server:
        server.fault(f"appId='{CLIENT}')?", Status(404, code="ResourceNotFound"))
        snapshot = read(server, Plan(clients=(CLIENT,)))
    assert snapshot.sections.absentServicePrincipals is None
    assert snapshot.unread[f"servicePrincipals/{CLIENT}"].status == 404
    assert snapshot.sections.oauth2PermissionGrants is not None


def test_a_404_below_an_app_that_is_there_is_an_error() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/appRoleAssignedTo", Status(404))
        snapshot = read(server, Plan(clients=(CLIENT,)))
    assert snapshot.sections.appRoleAssignedTo is None
    assert snapshot.unread[f"appRoleAssignedTo/{CLIENT}"].code == "Request_ResourceNotFound"


def test_what_is_forbidden_is_unread_with_the_permission_that_would_allow_it() -> None:
    roles = set(AUDIT_ROLES) - {"Policy.Read.PermissionGrant"}
    with GraphServer(tenant(), roles=roles) as server:
        snapshot = read(server, PREFLIGHT)
    assert snapshot.sections.permissionGrantPolicies is None
    unread = snapshot.unread["permissionGrantPolicies"]
    assert (unread.status, unread.code, unread.needs) == (
        403,
        "Authorization_RequestDenied",
        ("Policy.Read.PermissionGrant",),
    )
    assert unread.request_id
    assert list(snapshot.unread) == ["permissionGrantPolicies"]


def test_a_missing_license_differs_from_a_missing_permission() -> None:
    with GraphServer(tenant(), premium=False) as server:
        snapshot = read(server, Plan(sections=("signIns",), clients=(CLIENT,)))
    unread = snapshot.unread["signIns"]
    assert unread.message == "needs a Microsoft Entra ID P1 or P2 license" and unread.needs == ()


def test_a_token_without_any_role_gives_a_snapshot_in_which_everything_is_unread() -> None:
    with GraphServer(tenant(), roles=()) as server:
        snapshot = read(server, PREFLIGHT)
    assert snapshot.sections.servicePrincipals is None and snapshot.sections.oauth2PermissionGrants is None
    assert {unread.status for unread in snapshot.unread.values()} == {403}
    assert snapshot.covers == {} and snapshot.tenant.id == TENANT


def test_a_run_in_which_graph_never_answered_is_an_error() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", HtmlPage(), times=None)
        with pytest.raises(NotJson, match="titled “Sign in”") as caught:
            read(server, PREFLIGHT)
        assert "proxy" in caught.value.advice
        server.fault("/", Reset(), times=None)
        with pytest.raises((Unreachable, NotJson)):
            read(server, PREFLIGHT)


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(("isDisabled",), id="one property"),
        pytest.param(("createdDateTime",), id="another property"),
        pytest.param(("verifiedPublisher", "isDisabled"), id="two, which Graph names one after the other"),
        pytest.param(NOT_IN_EVERY_CLOUD, id="all of them"),
    ],
)
def test_a_cloud_that_does_not_know_a_property_is_asked_again_without_it(refused: tuple[str, ...]) -> None:
    with GraphServer(tenant(), unknown_properties=refused) as server:
        snapshot = read(server, PREFLIGHT)
        assert snapshot.unread == {} and len(snapshot.sections.servicePrincipals or ()) == 2
    with GraphServer(tenant(), unknown_properties=refused) as server:
        snapshot = read(server, Plan(whole=("servicePrincipals",)))
        asked = [unquote(call.query["$select"]).split(",") for call in server.requests]
    assert snapshot.unread == {} and snapshot.sections.servicePrincipals
    assert len(asked) == len(refused) + 1
    assert set(CLIENT_PROPERTIES) - set(asked[-1]) == set(refused)


def test_a_refusal_that_names_no_property_costs_all_that_a_cloud_may_refuse_and_no_more() -> None:
    read = Read(
        section="servicePrincipals",
        url="/servicePrincipals?$select=id,isDisabled,tags&$top=9",
        optional=("isDisabled",),
    )
    again = read.after_refusal("Bad Request")
    assert again is not None and again.url == "/servicePrincipals?$select=id,tags&$top=9"
    assert again.after_refusal("Bad Request") is None


def test_an_app_that_is_both_client_and_resource_is_read_once_with_everything() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(clients=(GRAPH,), resources=(GRAPH,)))
    (principal,) = snapshot.sections.servicePrincipals or ()
    assert principal.oauth2PermissionScopes


def test_a_user_comes_with_the_groups_and_may_have_any_name() -> None:
    with GraphServer(tenant()) as server:
        name = "ada#EXT#@fabrikam.example"
        snapshot = read(server, Plan(users=(name,)))
    (user,) = snapshot.sections.users or ()
    assert (user.id, user.userType) == (USER, "Guest")
    assert [group.displayName for group in user.memberOf or ()] == ["Recruiters"]
    assert snapshot.covers == {"users": (name,)} and snapshot.unread == {}


def test_a_user_whose_groups_may_not_be_read_is_still_a_user() -> None:
    with GraphServer(tenant(), roles=("User.Read.All",)) as server:
        snapshot = read(server, Plan(users=(USER,)))
    (user,) = snapshot.sections.users or ()
    assert user.memberOf is None
    assert snapshot.unread[f"users/{USER}"].needs == ("Directory.Read.All",)


def test_holders_of_a_role_are_asked_for_by_role() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(assignments_of=(CUSTOM_ROLE,)))
    assert [row.principalId for row in snapshot.sections.roleAssignments or ()] == [USER]
    assert snapshot.covers == {"roleAssignments": (CUSTOM_ROLE,)}


def test_requests_for_consent_come_with_those_who_asked() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(sections=("appConsentRequests",), clients=(CLIENT,)))
    (request,) = snapshot.sections.appConsentRequests or ()
    assert [asked["id"] for asked in request.userConsentRequests] == ["w1"]
    assert snapshot.covers["appConsentRequests"] == (CLIENT,)


def test_logs_are_read_for_the_app_the_window_and_the_codes_that_matter() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(sections=("signIns", "directoryAudits"), clients=(CLIENT,), log_days=7))
    assert [row.id for row in snapshot.sections.signIns or ()] == ["n1"]
    assert [row.id for row in snapshot.sections.directoryAudits or ()] == ["d1"]


@pytest.mark.parametrize(
    ("is_refused", "found"),
    [
        pytest.param(False, ["f1"], id="those of what decides about consent"),
        pytest.param(True, ["f1", "f3"], id="those of the directory, if Graph refuses so many alternatives"),
    ],
)
def test_drifts_come_with_what_drifted_and_without_its_values(is_refused: bool, found: list[str]) -> None:
    with GraphServer(tenant()) as server:
        if is_refused:
            server.fault("/configurationDrifts", Status(400, code="Request_UnsupportedQuery"))
        snapshot = read(server, Plan(sections=("configurationDrifts",)))
    drifts = snapshot.sections.configurationDrifts or ()
    assert [row.id for row in drifts] == found
    assert drifts[0].driftedProperties == (DriftedProperty(propertyName="GuestUserRole"),)
    assert drifts[0].resourceInstanceIdentifier == {"isSingleInstance": "Yes"}
    assert snapshot.unread == {}


def test_what_only_beta_tells_is_added_to_the_policy_of_v1() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(sections=("permissionGrantPolicies",), beta_policies=(POLICY,)))
    (policy,) = snapshot.sections.permissionGrantPolicies or ()
    (conditions,) = policy.includes or ()
    assert conditions.permissionClassification == "low"
    assert conditions.certifiedClientApplicationsOnly is True
    assert conditions.scopeSensitivityLabels is not None
    assert policy.resourceScopeType == "tenant"


def test_v1_and_beta_travel_apart_and_at_the_same_time() -> None:
    plan = Plan(
        sections=("authorizationPolicy", "permissionGrantPolicies", "directorySettings"), beta_policies=(POLICY,)
    )
    with GraphServer(tenant()) as server:
        snapshot = read(server, plan)
        assert sorted(request.version for request in server.requests) == ["beta", "v1.0"]
    assert snapshot.unread == {} and snapshot.sections.directorySettings


def test_more_than_twenty_reads_take_more_than_one_batch() -> None:
    apps = tuple(f"c1000000-0000-4000-8000-{number:012d}" for number in range(10, 25))
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(clients=apps))
        assert sorted(len(request.items) for request in server.requests) == [5, 20, 20]
    assert len(snapshot.sections.absentServicePrincipals or ()) == 15


def test_a_follow_up_is_added_to_the_snapshot_it_continues() -> None:
    with GraphServer(tenant(), roles=set(AUDIT_ROLES) - {"Policy.Read.PermissionGrant"}) as server:
        first = read(server, PREFLIGHT)
        assert "permissionGrantPolicies" in first.unread
        server.roles = AUDIT_ROLES
        more = Plan(sections=("permissionGrantPolicies",), clients=(ABSENT,), resources=(CLIENT,))
        second = read(server, more, onto=first)
    assert second.unread == {}
    assert second.covers["servicePrincipals"] == (CLIENT, GRAPH, ABSENT)
    client = next(row for row in second.sections.servicePrincipals or () if row.appId == CLIENT)
    assert client.replyUrls, "a second read of the same app must not lose what the first one returned"
    assert second.sections.oauth2PermissionGrants == first.sections.oauth2PermissionGrants
    assert second.sections.authorizationPolicy == first.sections.authorizationPolicy


def test_a_follow_up_may_fail_without_harm() -> None:
    with GraphServer(tenant()) as server:
        first = read(server, PREFLIGHT)
        server.fault("/", HtmlPage(), times=None)
        second = read(server, Plan(users=(USER,)), onto=first)
    assert second.sections == first.sections
    assert "instead of JSON" in second.unread[f"users/{USER}"].message


def test_whole_sections_are_complete_and_reported_page_by_page() -> None:
    seen: list[tuple[str, int, int | None]] = []
    with GraphServer(tenant(), page_size=2) as server:
        plan = Plan(whole=("oauth2PermissionGrants", "servicePrincipals"), resources=(GRAPH,))
        snapshot = read(server, plan, progress=lambda *step: seen.append(step))
        assert all(request.query.get("$top") for request in server.requests if request.path == "/servicePrincipals")
    assert len(snapshot.sections.oauth2PermissionGrants or ()) == 5
    assert snapshot.covers == {}
    assert [step for step in seen if step[0] == "oauth2PermissionGrants"] == [
        ("oauth2PermissionGrants", 2, None),
        ("oauth2PermissionGrants", 4, None),
        ("oauth2PermissionGrants", 5, None),
    ]
    graph = next(row for row in snapshot.sections.servicePrincipals or () if row.appId == GRAPH)
    assert graph.oauth2PermissionScopes, "the resource was asked for its scopes, too"


def test_progress_counts_reads_per_section() -> None:
    seen: list[tuple[str, int, int | None]] = []
    with GraphServer(tenant()) as server:
        read(server, PREFLIGHT, progress=lambda *step: seen.append(step))
    assert ("servicePrincipals", 2, 2) in seen and ("organization", 1, 1) in seen


def test_a_response_in_the_wrong_form_is_unread_and_the_other_reads_succeed() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", Body({"defaultUserRolePermissions": "yes"}))
        server.fault("/oauth2PermissionGrants", Body({"value": "none"}))
        snapshot = read(server, PREFLIGHT)
    assert "defaultUserRolePermissions" in snapshot.unread["authorizationPolicy"].message
    assert "not a list" in snapshot.unread[f"oauth2PermissionGrants/{CLIENT}"].message
    assert snapshot.sections.oauth2PermissionGrants is None
    assert snapshot.sections.servicePrincipals is not None


def test_a_list_whose_later_page_fails_is_not_read_at_all() -> None:
    with GraphServer(tenant(), page_size=2) as server:
        server.fault("$skiptoken", Status(403))
        snapshot = read(server, Plan(clients=(CLIENT,)))
    assert snapshot.sections.oauth2PermissionGrants is None
    assert snapshot.unread[f"oauth2PermissionGrants/{CLIENT}"].status == 403


def test_a_next_link_inside_a_batch_is_followed_outside_it() -> None:
    with GraphServer(tenant(), page_size=2) as server:
        snapshot = read(server, Plan(clients=(CLIENT,)))
        assert [request.method for request in server.requests] == ["POST", "GET", "GET"]
    assert len(snapshot.sections.oauth2PermissionGrants or ()) == 5


def test_a_plan_that_cannot_be_carried_out_is_an_error_of_its_maker() -> None:
    with GraphServer(tenant()) as server:
        with pytest.raises(ValueError, match="appRoleAssignedTo"):
            read(server, Plan(whole=("appRoleAssignedTo",)))
        with pytest.raises(ValueError, match="users"):
            read(server, Plan(sections=("users",)))
        assert read(server, Plan()).sections.organization is None


def test_the_deadline_is_the_runs_and_not_each_reads() -> None:
    sleeps = Sleeps()
    with GraphServer(tenant()) as server:
        server.fault("/policies/", Status(429, retry_after=100), times=None)
        snapshot = read(server, PREFLIGHT, retry=sleeps.retry(250))
    assert sleeps.slept == [100, 100]
    assert snapshot.unread["authorizationPolicy"].status == 429
    assert snapshot.sections.organization is not None


def test_an_endless_list_is_unread() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", NextLink(), times=None)
        snapshot = read(server, Plan(clients=(CLIENT,)))
    assert "already read" in snapshot.unread[f"oauth2PermissionGrants/{CLIENT}"].message


LAST_USE = "servicePrincipalSignInActivities"


def test_the_last_use_of_apps_is_read_for_one_app_and_for_all() -> None:
    with GraphServer(tenant()) as server:
        one = read(server, Plan(sections=(LAST_USE,), clients=(CLIENT,)))
        every = read(server, Plan(whole=(LAST_USE,)))
    assert [row.appId for row in one.sections.servicePrincipalSignInActivities or ()] == [CLIENT]
    assert one.covers[LAST_USE] == (CLIENT,)
    assert len(every.sections.servicePrincipalSignInActivities or ()) == 2
    assert LAST_USE not in every.covers


def test_what_the_graph_of_another_cloud_lacks_is_unread_and_not_asked_for() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(sections=("organization",), whole=(LAST_USE,)), cloud="us-gov")
        assert not [request for request in server.requests if request.version == "beta"]
    assert snapshot.sections.servicePrincipalSignInActivities is None
    assert snapshot.unread == {LAST_USE: Unread(message=NOT_IN_CLOUD)}


def test_the_application_permissions_of_an_app_are_read_with_their_names() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, Plan(app_roles_of=(CLIENT, ABSENT), app_roles_on=(GRAPH,), clients=(ABSENT,)))
    held = snapshot.sections.appRoleAssignments or {}
    roles = {app: [row.appRoleId for row in rows] for app, rows in held.items()}
    assert roles == {CLIENT: [MAIL_READ_ROLE], ABSENT: []}
    (graph,) = snapshot.sections.servicePrincipals or ()
    assert [role.value for role in graph.appRoles or ()] == ["Mail.Read"]
