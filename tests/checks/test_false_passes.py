"""What looked like an answer and was none: each of these tenants once passed a rule that could not be judged.

A snapshot may be read in part, down to half a policy; nothing that is missing may count as nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.checks.connection import AppAssignment
from auditor.checks.consent_policies import AssignedPolicies, Wording
from auditor.checks.grants import AppRolesHeld, DelegatedGrants
from auditor.checks.kind import CheckContext, CheckKind
from auditor.checks.permission_lists import Classifications
from auditor.checks.required_reads import further_reads
from auditor.consent.subject import Subject, subject_for
from auditor.facts.ids import DATAVERSE, EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCES, SHAREPOINT_ONLINE
from auditor.model.snapshot import Plan, Snapshot, Unread
from auditor.packs.load import load_packs
from tests.checks.tenants import GRAPH_SP, principal, says, tenant
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle import plain, pool

REFUSED = {"status": 403, "code": "Authorization_RequestDenied", "needs": ["Application.Read.All"]}
WIDE = DelegatedGrants(
    consent="tenant-wide", lists=("risky", "admin-only"), publisher="unverified", owner="not-microsoft"
)


def sharepoint(*published: tuple[str, str], read: bool = True, app_id: str = SHAREPOINT_ONLINE) -> dict[str, Any]:
    """A resource, with or without what it publishes: names of scopes and who may grant them."""
    scopes = [
        {"id": f"{n:08}-0000-4000-8000-000000000000", "value": v, "type": t} for n, (v, t) in enumerate(published)
    ]
    return {"id": "sp", "appId": app_id, "displayName": "A resource"} | (
        {"oauth2PermissionScopes": scopes} if read else {}
    )


def granted_on(resource: dict[str, Any], scope: str, **client: Any) -> Snapshot:
    """A tenant-wide grant of one scope to one app, everything else read."""
    row = {**pool.grant(pool.GRAPH, scope), "resourceId": "sp"}
    return tenant(oauth2PermissionGrants=[row], servicePrincipals=[principal(**client), GRAPH_SP, resource])


OTHER = "99999999-1111-4111-8111-111111111111"
UNREAD_API = sharepoint(read=False, app_id=OTHER)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(
            granted_on(sharepoint(read=False), "AllSites.FullControl"), "fail", id="SharePoint, a risky scope"
        ),
        pytest.param(granted_on(UNREAD_API, "Everything.All"), "unknown", id="unread, no verified publisher"),
        pytest.param(
            granted_on(UNREAD_API, "Everything.All", verifiedPublisher=pool.publisher("1")),
            "pass",
            id="unread, a verified publisher",
        ),
        pytest.param(
            granted_on(sharepoint(("Everything.All", "Admin"), app_id=OTHER), "everything.all"),
            "fail",
            id="read, only administrators may grant the scope",
        ),
        pytest.param(
            granted_on(sharepoint(("Everything.All", "User"), app_id=OTHER), "Everything.All"),
            "pass",
            id="read, users may grant the scope",
        ),
        pytest.param(granted_on(sharepoint(app_id=OTHER), "Withdrawn.All"), "pass", id="read, the scope is gone"),
        pytest.param(
            granted_on(UNREAD_API, "Everything.All", appOwnerOrganizationId=pool.TENANT),
            "unknown",
            id="unread, the tenant's own app",
        ),
        pytest.param(
            granted_on(UNREAD_API, "Everything.All", appOwnerOrganizationId="f8cdef31-a31e-4b4a-93e4-5f571e91255a"),
            "pass",
            id="unread, Microsoft's app",
        ),
    ],
)
def test_scopes_for_administrators_on_a_resource_whose_scopes_were_not_read(snapshot: Snapshot, expected: str) -> None:
    assert says(WIDE, snapshot) == expected


def test_a_scope_that_is_new_on_microsoft_graph_is_not_known_until_its_resource_was_read() -> None:
    unread_graph = {key: value for key, value in GRAPH_SP.items() if key != "oauth2PermissionScopes"}
    rows = [pool.grant(pool.GRAPH, "Mail.Read User.Read")], [pool.grant(pool.GRAPH, "BrandNew.Read.All")]
    reported = [
        says(
            DelegatedGrants(lists=("admin-only",)),
            tenant(oauth2PermissionGrants=one, servicePrincipals=[principal(), unread_graph]),
        )
        for one in rows
    ]
    assert reported == ["pass", "unknown"]


def test_what_a_first_look_leaves_open_is_read_next_and_only_that() -> None:
    packs = load_packs(["grants-hygiene"])
    assert further_reads(granted_on(UNREAD_API, "Everything.All"), packs) == Plan(resources=(OTHER,))
    verified = granted_on(UNREAD_API, "Everything.All", verifiedPublisher=pool.publisher("1"))
    assert WIDE.further_reads(verified).is_empty
    assert further_reads(verified, packs) == Plan(resources=(OTHER,))
    assert further_reads(granted_on(sharepoint(app_id=OTHER), "Everything.All"), packs).is_empty
    refused = granted_on(UNREAD_API, "Everything.All")
    document = {f"servicePrincipals/{OTHER}": REFUSED}
    again = tenant(
        servicePrincipals=[principal(), GRAPH_SP, UNREAD_API],
        oauth2PermissionGrants=[{**pool.grant(pool.GRAPH, "Everything.All"), "resourceId": "sp"}],
    )
    assert again.sections == refused.sections
    assert further_reads(with_unread(again, document), packs).is_empty
    assert further_reads(refused, load_packs(["cisa-scuba"])).is_empty


def with_unread(snapshot: Snapshot, unread: dict[str, Any]) -> Snapshot:
    """The same tenant, of which something is named as unread."""
    return msgspec.structs.replace(snapshot, unread=msgspec.convert(unread, dict[str, Unread]))


def classified(more: dict[str, Any] | None = None) -> Snapshot:
    """Nothing is classified on any resource of the lists, but for what is given."""
    return tenant(delegatedPermissionClassifications={one: [] for one in RESOURCES.values()} | (more or {}))


def low(name: str) -> list[dict[str, Any]]:
    return [{"permissionId": "640ddd16-e5b7-4d71-9690-3f4022699ee7", "permissionName": name, "classification": "low"}]


CISA = Classifications(lists=("risky", "cisa-risky"))
CLASSIFIED = "delegatedPermissionClassifications"


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(classified(), "pass", id="nothing classified"),
        pytest.param(classified({SHAREPOINT_ONLINE: low("AllSites.Write")}), "fail", id="risky on SharePoint"),
        pytest.param(classified({EXCHANGE_ONLINE: low("Mail.ReadWrite.All")}), "fail", id="risky on Exchange"),
        pytest.param(classified({DATAVERSE: low("user_impersonation")}), "fail", id="risky on Dataverse"),
        pytest.param(
            classified({OTHER: low("user_impersonation")}), "pass", id="another resource, a name risky elsewhere"
        ),
        pytest.param(classified({OTHER: low("Mail.Read")}), "fail", id="another resource, a risky name"),
        pytest.param(
            with_unread(classified(), {f"{CLASSIFIED}/{OTHER}": REFUSED}), "unknown", id="another resource unread"
        ),
        pytest.param(
            with_unread(classified(), {f"{CLASSIFIED}/{SHAREPOINT_ONLINE.upper()}": REFUSED}),
            "unknown",
            id="SharePoint unread, id in capitals",
        ),
        pytest.param(
            with_unread(classified({OTHER: low("Mail.Read")}), {f"{CLASSIFIED}/{SHAREPOINT_ONLINE}": REFUSED}),
            "fail",
            id="risky, and SharePoint unread",
        ),
    ],
)
def test_risky_permissions_classified_low_on_any_resource(snapshot: Snapshot, expected: str) -> None:
    assert says(CISA, snapshot) == expected


def test_a_waiver_of_one_permission_covers_no_other_of_the_same_name() -> None:
    twin = {"id": "x", "appId": OTHER, "displayName": "Microsoft Graph", "oauth2PermissionScopes": []}
    snapshot = msgspec.structs.replace(
        classified({MICROSOFT_GRAPH: low("Mail.Read"), OTHER: low("Mail.Read")}),
        sections=msgspec.structs.replace(
            classified({MICROSOFT_GRAPH: low("Mail.Read"), OTHER: low("Mail.Read")}).sections,
            servicePrincipals=tenant(servicePrincipals=[twin]).sections.servicePrincipals,
        ),
    )
    subjects = CISA.judge(CheckContext(snapshot)).subjects
    assert {s.name for s in subjects} == {"Microsoft Graph Mail.Read"}
    assert sorted(s.id for s in subjects) == [f"{MICROSOFT_GRAPH}/Mail.Read", f"{OTHER}/Mail.Read"]


def test_who_holds_a_permission_is_not_known_where_a_part_was_refused() -> None:
    check = AppRolesHeld(lists=("mail-app-only",))
    held = tenant(appRoleAssignedTo={MICROSOFT_GRAPH: [], EXCHANGE_ONLINE: []}, servicePrincipals=[GRAPH_SP])
    assert says(check, held) == "pass"
    assert says(check, with_unread(held, {f"appRoleAssignedTo/{EXCHANGE_ONLINE}": REFUSED})) == "unknown"


@pytest.mark.parametrize(
    "role", ["e2a3a72e-5f79-4c64-b1b1-878b674786c9", "dc50a0fb-09a3-484d-be87-e023b12c6440"], ids=["mail", "manage"]
)
def test_mail_permissions_of_exchange_online_count(role: str) -> None:
    row = {"principalId": pool.OBJECT_IDS[pool.CLIENT], "principalType": "ServicePrincipal", "appRoleId": role}
    tables = {MICROSOFT_GRAPH: [], EXCHANGE_ONLINE: [row]}
    assert (
        says(AppRolesHeld(lists=("mail-app-only",)), tenant(appRoleAssignedTo=tables, servicePrincipals=[principal()]))
        == "fail"
    )


def assigned(*policies: dict[str, Any], **changes: Any) -> Snapshot:
    entries = [f" ManagePermissionGrantsForSelf.{one['id']} " for one in policies]
    return tenant(
        authorizationPolicy={"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": entries}},
        permissionGrantPolicies=list(policies),
        servicePrincipals=[GRAPH_SP, pool.resource(pool.EXCHANGE)],
        **changes,
    )


NONE, LOW, NOT_ALL = (AssignedPolicies(expect=e) for e in ("none", "at-most-low", "not-everything"))
OPEN = {"id": "open", "includes": [{"permissionType": "delegated"}], "excludes": []}
DISABLED_MAIL = {
    **GRAPH_SP,
    "oauth2PermissionScopes": [
        {**scope, "isEnabled": scope["value"] != "Mail.Send"} for scope in GRAPH_SP["oauth2PermissionScopes"]
    ],
}


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        pytest.param(NONE, assigned({"id": "half", "excludes": []}), "unknown", id="none: includes not read"),
        pytest.param(
            NONE,
            assigned({"id": "half", "includes": [{"permissionType": "delegated"}]}),
            "unknown",
            id="none: excludes not read",
        ),
        pytest.param(
            NOT_ALL,
            assigned({"id": "half", "includes": [{"permissionType": "delegated"}]}),
            "unknown",
            id="not everything: excludes not read",
        ),
        pytest.param(
            NONE,
            assigned({"id": "pre", "includes": [], "excludes": [], "includeAllPreApprovedApplications": True}),
            "unknown",
            id="none: preapproved apps",
        ),
        pytest.param(NONE, assigned(OPEN), "fail", id="none: a policy that is open"),
        pytest.param(NOT_ALL, assigned(OPEN), "fail", id="not everything: a policy that is open"),
        pytest.param(
            LOW,
            assigned(OPEN, {"id": "half", "excludes": []}),
            "fail",
            id="at most low: an open one beside one half read",
        ),
    ],
)
def test_policies_of_which_a_part_was_not_read(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


def test_a_policy_keeps_nothing_where_a_scope_is_disabled_or_its_resource_is_not_there() -> None:
    disabled = assigned(OPEN)
    without = tenant(servicePrincipals=[DISABLED_MAIL], absentServicePrincipals=[EXCHANGE_ONLINE]).sections
    snapshot = msgspec.structs.replace(
        disabled,
        sections=msgspec.structs.replace(
            disabled.sections,
            servicePrincipals=without.servicePrincipals,
            absentServicePrincipals=without.absentServicePrincipals,
        ),
    )
    assert says(NOT_ALL, snapshot) == "fail"


def test_the_letter_may_ask_that_a_policy_be_among_others() -> None:
    check = AssignedPolicies(expect="at-most-low", wording=Wording(contains=("microsoft-user-default-low",)))
    nothing = {"id": "nothing", "includes": [], "excludes": []}
    assert says(check, assigned(pool.low(), nothing)) == "pass"
    reported = check.judge(CheckContext(assigned(nothing)))
    assert reported.outcome.value == "fail"
    assert "because the text requires microsoft-user-default-low among them" in reported.clause
    assert says(check, assigned()) == "pass"


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        pytest.param([], "fail", id="the user is in none"),
        pytest.param([{"id": pool.RECRUITERS}], "pass", id="the user is in the assigned one"),
        pytest.param(None, "unknown", id="the groups of the user were not read"),
    ],
)
def test_of_a_named_user_it_is_not_enough_that_others_are_assigned(groups: Any, expected: str) -> None:
    assigned = {"principalId": pool.RECRUITERS, "principalType": "Group"}
    snapshot = snapshot_of(
        plain.tenant(
            "microsoft-user-default-legacy",
            client={**plain.VERIFIED, "appRoleAssignmentRequired": True},
            users=[{"id": pool.ALICE, "userPrincipalName": "alice@contoso.example", "memberOf": groups}],
            roleAssignments=[],
            roleDefinitions=[],
            appRoleAssignedTo={pool.CLIENT: [assigned]},
        )
    )
    alice = subject_for(snapshot, pool.ALICE)
    assert isinstance(alice, Subject)
    app = app_of(plain.app())
    assert AppAssignment().judge(CheckContext(snapshot, app, subject=alice)).outcome.value == expected
    assert AppAssignment().judge(CheckContext(snapshot, app)).outcome.value == "pass", "somebody is assigned"
