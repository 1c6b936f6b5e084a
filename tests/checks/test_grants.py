"""What checks of grants, policies and reviewers say of small tenants."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.checks.app_filter import Apps
from auditor.checks.consent_policies import AssignedPolicies, UsersCanConsent
from auditor.checks.grants import AppRolesHeld, DelegatedGrants
from auditor.checks.kind import CheckContext, CheckKind
from auditor.checks.permission_lists import Classifications
from auditor.checks.user_consent import ConsentWorkflow
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.snapshot import Snapshot
from tests.checks.tenants import GRAPH_SP, PART, principal, says, tenant
from tests.oracle import pool


def granted(*rows: dict[str, Any], client: dict[str, Any] | None = None, **changes: Any) -> Snapshot:
    apps = [principal() if client is None else client, GRAPH_SP] if client != {} else [GRAPH_SP]
    return tenant(**{"oauth2PermissionGrants": list(rows), "servicePrincipals": apps, **changes})


MAIL = pool.grant(pool.GRAPH, " Mail.READ openid")
MAIL_OF_ALICE = pool.grant(pool.GRAPH, "mail.read", principal=pool.ALICE)
DIRECTORY = pool.grant(pool.GRAPH, "Directory.Read.All")
EWS = pool.grant(pool.EXCHANGE, "EWS.AccessAsUser.All")
WIDE = DelegatedGrants(consent="tenant-wide", lists=("mail",), publisher="unverified", owner="foreign")


def test_an_app_without_a_name_goes_by_the_one_that_is_known_for_its_client_id() -> None:
    spark = {**principal(), "appId": "b50c1dbd-1855-4e54-b07c-d3c3029e93d3", "displayName": None}
    index = index_of(granted(MAIL, client=spark))
    assert Apps(index).name(spark["id"]) == "Spark"


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        pytest.param(WIDE, granted(MAIL), "fail", id="a grant of a listed scope for the tenant"),
        pytest.param(WIDE, granted(), "pass", id="no grant"),
        pytest.param(WIDE, granted(MAIL_OF_ALICE), "pass", id="a grant for one user only"),
        pytest.param(
            DelegatedGrants(consent="users", lists=("mail",)),
            granted(MAIL_OF_ALICE),
            "fail",
            id="a user's grant where those are asked for",
        ),
        pytest.param(
            DelegatedGrants(consent="users", lists=("mail",)),
            granted(MAIL),
            "pass",
            id="a tenant-wide grant where users' are asked for",
        ),
        pytest.param(
            WIDE,
            granted(MAIL, client=principal(verifiedPublisher=pool.publisher("1"))),
            "pass",
            id="a verified publisher",
        ),
        pytest.param(
            WIDE,
            granted(MAIL, client=principal(appOwnerOrganizationId=pool.TENANT.upper())),
            "pass",
            id="the tenant's own app",
        ),
        pytest.param(
            WIDE,
            granted(MAIL, client=principal(appOwnerOrganizationId="F8CDEF31-A31E-4B4A-93E4-5F571E91255A")),
            "pass",
            id="an app of Microsoft's",
        ),
        pytest.param(
            WIDE,
            granted(MAIL, client=principal(appOwnerOrganizationId=None)),
            "unknown",
            id="an owner that was not read",
        ),
        pytest.param(
            WIDE,
            granted(MAIL, client=principal(appOwnerOrganizationId=None, servicePrincipalType="ManagedIdentity")),
            "pass",
            id="a managed identity has no owner",
        ),
        pytest.param(WIDE, granted(MAIL, client={}), "unknown", id="the app is gone, and whose it was isn't known"),
        pytest.param(DelegatedGrants(state="gone"), granted(MAIL, client={}), "fail", id="gone: the app is gone"),
        pytest.param(
            DelegatedGrants(state="unusable"), granted(MAIL, client={}), "fail", id="unusable: the app is gone"
        ),
        pytest.param(
            DelegatedGrants(state="disabled"), granted(MAIL, client={}), "pass", id="disabled: gone is not disabled"
        ),
        pytest.param(DelegatedGrants(state="gone"), granted(MAIL), "pass", id="gone: the app is there"),
        pytest.param(
            DelegatedGrants(state="disabled"),
            granted(MAIL, client=principal(accountEnabled=False)),
            "fail",
            id="disabled: sign-in is off",
        ),
        pytest.param(
            DelegatedGrants(state="disabled"),
            granted(MAIL, client=principal(accountEnabled=None)),
            "unknown",
            id="disabled: sign-in was not read",
        ),
        pytest.param(
            DelegatedGrants(state="unusable"),
            granted(MAIL, client=principal(isDisabled=True)),
            "fail",
            id="unusable: disabled by Microsoft",
        ),
        pytest.param(
            DelegatedGrants(lists=("admin-only",)),
            granted(DIRECTORY),
            "fail",
            id="a scope that only an administrator may grant",
        ),
        pytest.param(DelegatedGrants(lists=("admin-only",)), granted(MAIL), "pass", id="a scope that users may grant"),
        pytest.param(
            DelegatedGrants(lists=("mailbox-protocols",)),
            granted(EWS),
            "pass",
            id="a protocol of Exchange that is not on the list",
        ),
        pytest.param(
            DelegatedGrants(scopes={"microsoft-graph": ("Mail.Read",)}),
            granted(MAIL),
            "fail",
            id="a scope by the name of its resource",
        ),
        pytest.param(
            DelegatedGrants(scopes={pool.GRAPH.upper(): ("mail.read",)}),
            granted(MAIL),
            "fail",
            id="a scope by the id of its resource",
        ),
        pytest.param(DelegatedGrants(), granted(MAIL), "fail", id="any grant at all"),
        pytest.param(WIDE, granted(MAIL, oauth2PermissionGrants=None), "unknown", id="grants were not read"),
        pytest.param(WIDE, granted(MAIL, servicePrincipals=None), "unknown", id="apps were not read"),
        pytest.param(WIDE, granted(servicePrincipals=None), "pass", id="apps were not read, but there is no grant"),
        pytest.param(WIDE, granted(MAIL, covers=PART), "fail", id="grants were read in part, and one fails"),
        pytest.param(
            WIDE, granted(covers={"oauth2PermissionGrants": [pool.CLIENT]}), "unknown", id="grants were read in part"
        ),
        pytest.param(
            WIDE, granted(MAIL, client={}, covers=PART), "unknown", id="an app outside the part that was read"
        ),
        pytest.param(
            WIDE, granted(MAIL, cloud="us-gov"), "not-applicable", id="a cloud without the list of Microsoft's apps"
        ),
    ],
)
def test_delegated_grants(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


def assigned(role: str, kind: str = "ServicePrincipal") -> dict[str, Any]:
    return {"principalId": pool.OBJECT_IDS[pool.CLIENT], "principalType": kind, "appRoleId": role}


MAIL_ROLE, OTHER_ROLE = "E2A3A72E-5f79-4c64-b1b1-878b674786c9", "df021288-bdef-4463-88db-98f22de89214"
APP_ONLY = AppRolesHeld(lists=("mail-app-only",), owner="foreign")


def held(*rows: dict[str, Any], exchange: bool = True, **changes: Any) -> Snapshot:
    tables: dict[str, Any] = {MICROSOFT_GRAPH: list(rows)} | ({pool.EXCHANGE: []} if exchange else {})
    apps = [principal(), pool.resource(pool.EXCHANGE), GRAPH_SP]
    return tenant(**{"appRoleAssignedTo": tables, "servicePrincipals": apps, **changes})


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(held(assigned(MAIL_ROLE)), "fail", id="a listed role"),
        pytest.param(held(assigned(OTHER_ROLE)), "pass", id="a role not listed"),
        pytest.param(held(assigned(MAIL_ROLE, "User")), "pass", id="a listed role held by a user"),
        pytest.param(held(exchange=False), "unknown", id="one resource not read"),
        pytest.param(held(assigned(MAIL_ROLE), exchange=False), "fail", id="a listed role, another resource not read"),
        pytest.param(held(assigned(MAIL_ROLE), servicePrincipals=None), "unknown", id="service principals not read"),
        pytest.param(held(appRoleAssignedTo=None), "unknown", id="assignments not read"),
    ],
)
def test_app_only_permissions(snapshot: Snapshot, expected: str) -> None:
    assert says(APP_ONLY, snapshot) == expected


LOW = Classifications(lists=("mail",))


def classified(*, exchange: bool = True, **by_app: Any) -> Snapshot:
    tables = {pool.GRAPH: by_app.get("graph", [])} | ({pool.EXCHANGE: by_app.get("exo", [])} if exchange else {})
    return tenant(delegatedPermissionClassifications=tables | by_app.get("more", {}))


NAMELESS = {"permissionId": "11111111-1111-1111-1111-111111111111", "classification": "low"}


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(classified(), "pass", id="nothing classified"),
        pytest.param(classified(graph=pool.classified(pool.GRAPH, ["Mail.Read"], "LOW")), "fail", id="LOW in capitals"),
        pytest.param(
            classified(graph=pool.classified(pool.GRAPH, ["Mail.Read"], "high")), "pass", id="classified high"
        ),
        pytest.param(
            classified(graph=pool.classified(pool.GRAPH, ["User.Read"])), "pass", id="a permission not listed"
        ),
        pytest.param(
            classified(exo=pool.classified(pool.EXCHANGE, ["Mail.Read"])), "fail", id="low on another resource"
        ),
        pytest.param(
            classified(more={pool.OWN_API: [{**NAMELESS, "permissionName": "Mail.Read"}]}),
            "fail",
            id="low on the tenant's own API",
        ),
        pytest.param(classified(more={pool.OWN_API: [NAMELESS]}), "unknown", id="low without a name"),
        pytest.param(classified(exchange=False), "unknown", id="one resource not read"),
        pytest.param(
            classified(exchange=False, graph=pool.classified(pool.GRAPH, ["Mail.Read"])),
            "fail",
            id="low, another resource not read",
        ),
        pytest.param(tenant(), "unknown", id="no resource read"),
    ],
)
def test_classifications_on_every_resource(snapshot: Snapshot, expected: str) -> None:
    assert says(LOW, snapshot) == expected


def reviewed(*queries: str, **changes: Any) -> Snapshot:
    reviewers = [{"query": query, "queryType": "MicrosoftGraph"} for query in queries]
    return tenant(**{"adminConsentRequestPolicy": {"isEnabled": True, "reviewers": reviewers}, **changes})


ALICE = [{"id": pool.ALICE}]


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        pytest.param(ConsentWorkflow(), reviewed(f"/users/{pool.ALICE}"), "pass", id="a reviewer, users not read"),
        pytest.param(
            ConsentWorkflow(),
            reviewed(f"/v1.0/users/{pool.ALICE.upper()}", users=ALICE),
            "pass",
            id="a reviewer who is there, in other letter case",
        ),
        pytest.param(
            ConsentWorkflow(), reviewed(f"/users/{pool.BOB}", users=ALICE), "fail", id="a reviewer who is not there"
        ),
        pytest.param(
            ConsentWorkflow(),
            reviewed(f"/users/{pool.BOB}", users=ALICE, covers={"users": [pool.ALICE]}),
            "pass",
            id="a reviewer outside the part of users that was read",
        ),
        pytest.param(
            ConsentWorkflow(),
            reviewed(f"/users/{pool.BOB}", "/groups/x/members", users=ALICE),
            "pass",
            id="a group and a reviewer who does not exist",
        ),
        pytest.param(
            ConsentWorkflow(reviewers_exist=True),
            reviewed(f"/users/{pool.BOB}"),
            "unknown",
            id="their existence is asked for, users not read",
        ),
        pytest.param(
            ConsentWorkflow(reviewers_exist=True),
            reviewed(f"/users/{pool.ALICE}", users=ALICE),
            "pass",
            id="their existence is asked for, and known",
        ),
        pytest.param(
            ConsentWorkflow(),
            tenant(directorySettings=[pool.setting("EnableAdminConsentRequests", "true")]),
            "unknown",
            id="only the older setting was read",
        ),
    ],
)
def test_reviewers_who_exist(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


def consenting(*policies: dict[str, Any], **changes: Any) -> Snapshot:
    entries = [f"managePERMISSIONgrantsForSelf.{one['id']}" for one in policies]
    sections = {
        "authorizationPolicy": {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": entries}},
        "permissionGrantPolicies": list(policies),
        "servicePrincipals": [GRAPH_SP],
        "delegatedPermissionClassifications": {pool.GRAPH: pool.classified(pool.GRAPH, ["Mail.Read"])},
    }
    return tenant(**{**sections, **changes})


def asked(expect: Any, by: Any) -> UsersCanConsent:
    return UsersCanConsent(expect=expect, asked_by=by, scopes={"microsoft-graph": ("Mail.Read",)})


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        pytest.param(
            asked("nobody", "unverified-app"), consenting(pool.legacy()), "fail", id="nobody, any app: legacy"
        ),
        pytest.param(
            asked("allowed", "unverified-app"), consenting(pool.legacy()), "pass", id="allowed, any app: legacy"
        ),
        pytest.param(
            asked("nobody", "unverified-app"), consenting(pool.low()), "pass", id="nobody, unverified app: low"
        ),
        pytest.param(asked("nobody", "verified-app"), consenting(pool.low()), "fail", id="nobody, verified app: low"),
        pytest.param(asked("nobody", "own-app"), consenting(pool.low()), "fail", id="nobody, own app: low"),
        pytest.param(
            asked("allowed", "own-app"),
            consenting(pool.recommended()),
            "fail",
            id="allowed, own app: recommended excludes mail",
        ),
        pytest.param(asked("nobody", "verified-app"), consenting(), "pass", id="nobody: no policy"),
        pytest.param(
            asked("nobody", "verified-app"),
            consenting(servicePrincipals=None),
            "pass",
            id="nobody: no policy, apps not read",
        ),
        pytest.param(
            asked("nobody", "verified-app"),
            consenting(pool.legacy(), servicePrincipals=None),
            "unknown",
            id="apps not read",
        ),
        pytest.param(
            asked("nobody", "verified-app"),
            consenting(pool.legacy(), permissionGrantPolicies=None),
            "fail",
            id="policies not read, and their documentation refuses nothing",
        ),
        pytest.param(
            asked("allowed", "verified-app"),
            consenting(pool.legacy(), permissionGrantPolicies=None),
            "unknown",
            id="documentation of policies that were not read never makes a rule pass",
        ),
        pytest.param(
            asked("nobody", "verified-app"),
            consenting(pool.low(), delegatedPermissionClassifications=None),
            "unknown",
            id="classifications not read",
        ),
        pytest.param(
            asked("nobody", "verified-app"),
            consenting(pool.legacy(), authorizationPolicy=None),
            "unknown",
            id="assigned policies not read",
        ),
    ],
)
def test_what_users_may_consent_to(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


@pytest.mark.parametrize(
    ("expect", "expected"),
    [pytest.param("nobody", "fail", id="nobody"), pytest.param("allowed", "unknown", id="allowed")],
)
def test_one_scope_that_decides_is_enough_whatever_is_unknown_of_the_others(expect: Any, expected: str) -> None:
    """Mail.Read is approved for sure; of Mail.Send it is not known whether it is there at all."""
    partial = {key: value for key, value in GRAPH_SP.items() if key != "oauth2PermissionScopes"}
    scopes = [one for one in GRAPH_SP["oauth2PermissionScopes"] if one["value"] == "Mail.Read"]
    exchange = {"exchange-online": ("EWS.AccessAsUser.All",)}
    snapshot = consenting(pool.legacy(), servicePrincipals=[{**partial, "oauth2PermissionScopes": scopes}], covers=PART)
    check = UsersCanConsent(expect=expect, asked_by="own-app", scopes={"microsoft-graph": ("Mail.Read",), **exchange})
    assert says(check, snapshot) == expected


def test_the_widest_of_several_policies_is_named() -> None:
    nothing = {"id": "a-nothing", "includes": [], "excludes": []}
    result = AssignedPolicies(expect="at-most-low").judge(CheckContext(consenting(nothing, pool.low())))
    assert result.clause.startswith(
        "policy microsoft-user-default-low lets users consent to permissions classified low"
    )
    result = AssignedPolicies(expect="none").judge(CheckContext(consenting(pool.low(), pool.legacy())))
    assert result.clause.startswith("policy microsoft-user-default-legacy lets users consent to everything")


def test_reviewers_are_counted_in_words() -> None:
    assert (
        ConsentWorkflow().judge(CheckContext(reviewed(f"/users/{pool.ALICE}"))).clause.endswith("1 reviewer is named")
    )
    assert (
        ConsentWorkflow().judge(CheckContext(reviewed("/users/a", "/users/b"))).clause.endswith("2 reviewers are named")
    )
