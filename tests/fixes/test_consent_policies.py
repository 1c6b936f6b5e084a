"""R4, R5 and R9: what users may consent to is widened, for one app or for all, and nothing that was set is lost."""

from __future__ import annotations

import msgspec

from auditor.consent.subject import Subject
from auditor.model.access_resources import RoleDefinition, RolePermission
from auditor.model.decision import Outcome
from auditor.model.resources import (
    ConditionSet,
    DelegatedPermissionClassification,
    PermissionGrantPolicy,
)
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample
from tests.fixes.tenants import APP, by_key, fixes_in, with_assigned, with_client, with_sections


def assigned(snapshot: Snapshot) -> list[str]:
    """The assigned entries of a tenant."""
    policy = snapshot.sections.authorizationPolicy
    assert policy is not None and policy.defaultUserRolePermissions is not None
    return list(policy.defaultUserRolePermissions.permissionGrantPoliciesAssigned or ())


def test_a_custom_policy_keeps_every_assigned_entry_and_is_made_empty_first() -> None:
    fix = by_key("low-unclassified")["R4"]
    create, include, patch = fix.steps.graph
    before = assigned(sample("low-unclassified"))
    after = (patch.body or {})["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    assert after[1:] == before
    assert any("OwnedResource" in entry for entry in before)
    assert "includes" not in (create.body or {})
    assert (include.body or {})["clientApplicationIds"] == [APP.client_id]
    assert len((include.body or {})["permissions"]) == 9
    assert [(u.method, u.url.rpartition("/")[2]) for u in fix.undo_graph] == [
        ("PATCH", "authorizationPolicy"),
        ("DELETE", "allow-trackerrms"),
    ]
    assert (fix.undo_graph[0].body or {})["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"] == before
    assert "discarded" in fix.verify
    assert "custom role" in fix.expect


def test_a_custom_policy_takes_no_id_that_is_taken_anywhere() -> None:
    snapshot = sample("low-unclassified")
    policies = snapshot.sections.permissionGrantPolicies or ()
    role = RoleDefinition(
        id="role",
        rolePermissions=(
            RolePermission(
                allowedResourceActions=(
                    "microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.allow-trackerrms-3",
                )
            ),
        ),
    )
    crowded = with_sections(
        with_assigned(snapshot, *assigned(snapshot), "ManagePermissionGrantsForSelf.Allow-TrackerRMS-2"),
        permissionGrantPolicies=(*policies, PermissionGrantPolicy(id="allow-trackerrms", includes=(), excludes=())),
        roleDefinitions=(role,),
    )
    (create, *_), _ = fixes_in(crowded)["R4"].steps.graph, None
    assert (create.body or {})["id"] == "allow-trackerrms-4"


def test_each_resource_gets_an_include_of_its_own() -> None:
    graph, *_ = {need.resource for need in APP.scopes}
    exchange = "00000002-0000-0ff1-ce00-000000000000"
    more = msgspec.structs.replace(APP.scopes[0], resource=exchange, value="EWS.AccessAsUser.All")
    mixed = msgspec.structs.replace(APP, scopes=(*APP.scopes, more))
    includes = [
        r.body or {} for r in by_key("low-unclassified", mixed)["R4"].steps.graph if r.url.endswith("/includes")
    ]
    assert [include["resourceApplication"] for include in includes] == [graph, exchange]


def test_a_custom_policy_is_not_offered_where_the_policies_were_not_read() -> None:
    assert "R4" not in by_key("unreadable-policies")


def test_classifying_is_offered_only_where_a_policy_looks_at_classifications() -> None:
    assert "R5" in by_key("low-unclassified")
    assert "R5" not in by_key("consent-off")


def test_the_scopes_of_sign_in_are_classified_too() -> None:
    names = [(r.body or {})["permissionName"] for r in by_key("low-unclassified")["R5"].steps.graph]
    assert {"openid", "profile", "email", "offline_access", "User.Read"} <= set(names)
    bare = msgspec.structs.replace(APP, scopes=tuple(n for n in APP.scopes if n.value == "Mail.Send"))
    names = [(r.body or {})["permissionName"] for r in by_key("low-unclassified", bare)["R5"].steps.graph]
    assert names == ["Mail.Send", "User.Read", "offline_access"]


def test_what_is_classified_already_is_left_alone() -> None:
    snapshot = sample("low-unclassified")
    first, *rest = by_key("low-unclassified")["R5"].steps.graph
    graph = "00000003-0000-0000-c000-000000000000"
    body = {**(first.body or {}), "classification": "low"}
    classified = with_sections(
        snapshot,
        delegatedPermissionClassifications=msgspec.convert(
            {graph: [body]}, dict[str, tuple[DelegatedPermissionClassification, ...]]
        ),
    )
    assert [r.body for r in fixes_in(classified)["R5"].steps.graph] == [r.body for r in rest]
    body["classification"] = "high"
    on_purpose = with_sections(
        snapshot,
        delegatedPermissionClassifications=msgspec.convert(
            {graph: [body]}, dict[str, tuple[DelegatedPermissionClassification, ...]]
        ),
    )
    assert "R5" not in fixes_in(on_purpose)


def test_a_custom_policy_may_ask_for_another_classification() -> None:
    snapshot = sample("low-unclassified")
    medium = PermissionGrantPolicy(
        id="medium-only",
        includes=(ConditionSet(permissionClassification="medium", certifiedClientApplicationsOnly=False),),
        excludes=(),
    )
    policies = (*(snapshot.sections.permissionGrantPolicies or ()), medium)
    tenant = with_sections(
        with_assigned(snapshot, "ManagePermissionGrantsForSelf.medium-only"), permissionGrantPolicies=policies
    )
    fix = fixes_in(tenant)["R5-medium"]
    assert {(r.body or {})["classification"] for r in fix.steps.graph} == {"medium"}
    assert "Permission classifications > Medium" in fix.steps.portal[0]


def test_the_tenants_setting_is_changed_only_where_that_works_and_is_warned_about() -> None:
    found = by_key("low-unclassified")
    assert "R9-legacy" in found
    assert "R9-recommended" not in found
    assert "for every app" in found["R9-legacy"].title
    assert "scopes for any app" in found["R9-legacy"].opens["summary"]
    assert not any(key.startswith("R9") for key in by_key("managed-default"))


def test_a_changed_setting_keeps_every_entry() -> None:
    (request,) = by_key("low-unclassified")["R9-legacy"].steps.graph
    after = (request.body or {})["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    assert after == [
        "ManagePermissionGrantsForSelf.microsoft-user-default-legacy",
        *assigned(sample("low-unclassified")),
    ]


def test_the_portal_is_named_for_the_setting_only_where_its_choice_replaces_nothing() -> None:
    assert by_key("low-unclassified")["R9-legacy"].steps.portal == ()
    kept = [entry for entry in assigned(sample("low-unclassified")) if "OwnedResource" in entry]
    off = with_assigned(with_client(sample("low-unclassified")), *kept)
    assert "Allow user consent for apps" in fixes_in(off)["R9-legacy"].steps.portal[1]


def test_a_user_may_be_helped_by_a_policy_too() -> None:
    member = Subject(label="a member", phrase="a member", user_id="1")
    fix = by_key("low-unclassified", subject=member)["R4"]
    assert fix.proven.outcome == Outcome.USER_MAY_CONSENT.value
