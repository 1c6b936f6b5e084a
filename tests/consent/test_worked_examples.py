"""The worked examples of the consent model: outcome, reason, code and the scopes that decide."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import pytest

from auditor.model.decision import Confidence, Decision, Outcome, Reason, Verdict
from tests.consent.from_oracle import decided
from tests.oracle import pool
from tests.oracle.plain import EVERYTHING, FULL_GRANT, MEMBER, OWN, UNVERIFIED, VERIFIED, app, tenant
from tests.oracle.pool import EXCHANGE, GRAPH, LEGACY, LOW, MAIL_CLIENTS, RECOMMENDED

Json = dict[str, Any]
LOW_MAIL = {GRAPH: pool.classified(GRAPH, EVERYTHING), EXCHANGE: []}
OUTSIDE = {"Mail.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite"}
ALL = set(EVERYTHING)


def blocked(decision: Decision) -> set[str]:
    """The requested scopes that users may not consent to."""
    return {s.scope for s in decision.scopes if s.verdict is Verdict.BLOCKED and not s.implicit}


REQUIRED_ASSIGNMENT = {**VERIFIED, "appRoleAssignmentRequired": True}
DISABLED = {**VERIFIED, "accountEnabled": False}
OLD_TEXT = [pool.recommended_2023()]
NEEDS, MAY, SILENT = Outcome.NEEDS_ADMIN, Outcome.USER_MAY_CONSENT, Outcome.CONNECTS_SILENTLY


class Example(NamedTuple):
    """A tenant and an app that ask for consent in it, and what the decision says."""

    name: str
    tenant: Json
    outcome: Outcome
    reason: Reason
    request: Json = app()
    code: str = ""
    not_grantable: Collection[str] = frozenset()


EXAMPLES = [
    Example(
        "1 consent off",
        tenant=tenant(),
        outcome=NEEDS,
        reason=Reason.USER_CONSENT_DISABLED,
        code="AADSTS90094",
        not_grantable=ALL,
    ),
    Example(
        "3 managed, not connected yet",
        tenant=tenant(RECOMMENDED, MAIL_CLIENTS),
        outcome=NEEDS,
        reason=Reason.SCOPE_EXCLUDED,
        code="AADSTS90094",
        not_grantable=OUTSIDE,
    ),
    Example(
        "4 managed with its text of 2023, unverified",
        tenant=tenant(RECOMMENDED, client=UNVERIFIED, permissionGrantPolicies=OLD_TEXT),
        outcome=NEEDS,
        reason=Reason.PUBLISHER_NOT_VERIFIED,
        code="AADSTS90094",
        not_grantable=ALL,
    ),
    Example(
        "5 managed, sending only",
        tenant=tenant(RECOMMENDED, client=VERIFIED),
        request=app(["User.Read", "Mail.Send"]),
        outcome=MAY,
        reason=Reason.APPROVED_BY_POLICY,
    ),
    Example(
        "6 legacy, verified", tenant=tenant(LEGACY, client=VERIFIED), outcome=MAY, reason=Reason.APPROVED_BY_POLICY
    ),
    Example(
        "7 legacy, unverified",
        tenant=tenant(LEGACY, client=UNVERIFIED),
        outcome=NEEDS,
        reason=Reason.RISK_STEP_UP,
        code="AADSTS90094 or AADSTS900941",
    ),
    Example(
        "8 legacy, unverified, step-up off",
        tenant=tenant(LEGACY, client=UNVERIFIED, risky=True),
        outcome=MAY,
        reason=Reason.APPROVED_BY_POLICY,
    ),
    Example(
        "9 low, nothing classified",
        tenant=tenant(LOW, client=VERIFIED),
        outcome=NEEDS,
        reason=Reason.SCOPE_NOT_CLASSIFIED,
        code="AADSTS90094",
        not_grantable=ALL,
    ),
    Example(
        "10 low, classified, verified",
        tenant=tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=LOW_MAIL),
        outcome=MAY,
        reason=Reason.APPROVED_BY_POLICY,
    ),
    Example(
        "11 low, classified, unverified",
        tenant=tenant(LOW, client=UNVERIFIED, delegatedPermissionClassifications=LOW_MAIL),
        outcome=NEEDS,
        reason=Reason.PUBLISHER_NOT_VERIFIED,
        code="AADSTS90094",
        not_grantable=ALL,
    ),
    Example(
        "12 low, classified, own app",
        tenant=tenant(LOW, client=OWN, delegatedPermissionClassifications=LOW_MAIL),
        outcome=MAY,
        reason=Reason.APPROVED_BY_POLICY,
    ),
    Example(
        "16 legacy, assignment required",
        tenant=tenant(LEGACY, client=REQUIRED_ASSIGNMENT),
        outcome=NEEDS,
        reason=Reason.ASSIGNMENT_REQUIRED,
        code="AADSTS90094",
    ),
    Example(
        "17 disabled, though all is granted",
        tenant=tenant(LEGACY, client=DISABLED, oauth2PermissionGrants=FULL_GRANT),
        outcome=Outcome.BLOCKED,
        reason=Reason.APP_DISABLED_IN_TENANT,
        code="AADSTS7000112",
    ),
    Example(
        "19 consent off, all granted",
        tenant=tenant(client=VERIFIED, oauth2PermissionGrants=FULL_GRANT),
        outcome=SILENT,
        reason=Reason.GRANTED_TENANT_WIDE,
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_worked_examples_come_out_as_the_model_says(example: Example) -> None:
    decision = decided(example.tenant, example.request)
    assert (decision.outcome, decision.reason, decision.code) == (example.outcome, example.reason, example.code)
    assert blocked(decision) == example.not_grantable


def test_example_2_an_empty_list_and_owned_resource_entries_alone_both_switch_user_consent_off() -> None:
    document = tenant()
    role = document["sections"]["authorizationPolicy"]["defaultUserRolePermissions"]
    role["permissionGrantPoliciesAssigned"] = ["ManagePermissionGrantsForOwnedResource.anything"]
    assert decided(document).because == decided(tenant()).because


def test_example_26_an_unread_policy_is_judged_by_microsofts_text_and_says_so() -> None:
    decision = decided(tenant(RECOMMENDED, client=VERIFIED, permissionGrantPolicies=None))
    assert (decision.outcome, decision.confidence) == (Outcome.NEEDS_ADMIN, Confidence.LIKELY)
    assert blocked(decision) == OUTSIDE
    assert any("Microsoft's documentation of the built-in policies" in caveat for caveat in decision.caveats)


def test_a_refused_read_of_the_policies_names_the_permission_that_is_missing() -> None:
    document = tenant(RECOMMENDED, client=VERIFIED, permissionGrantPolicies=None)
    document["unread"] = {"permissionGrantPolicies": {"status": 403, "code": "Authorization_RequestDenied"}}
    assert any("Policy.Read.PermissionGrant" in caveat for caveat in decided(document).caveats)


def test_an_unread_custom_policy_leaves_the_outcome_open_and_names_it() -> None:
    decision = decided(tenant("contoso-custom", client=VERIFIED, permissionGrantPolicies=None))
    assert decision.outcome is Outcome.DEPENDS
    assert decision.depends_on == ("the contents of policy contoso-custom",)


def test_the_sentence_names_the_scopes_and_the_policy() -> None:
    assert decided(tenant(RECOMMENDED)).because == (
        "An ordinary user cannot connect Mailer: Mail.ReadWrite, Calendars.ReadWrite and Contacts.ReadWrite are"
        " excluded by the Microsoft-managed policy."
    )


def test_each_blocked_scope_names_the_policy_and_the_condition_set_that_decided() -> None:
    document = tenant(RECOMMENDED)
    policy = document["sections"]["permissionGrantPolicies"][2]
    policy["excludes"][0]["id"] = "the-exclude"
    by_name = {s.scope: s for s in decided(document).scopes}
    assert by_name["Mail.ReadWrite"].policy == RECOMMENDED
    assert by_name["Mail.ReadWrite"].condition_set == "the-exclude"
    matched = [s for s in by_name["Mail.ReadWrite"].steps if s.kind == "exclude" and s.matched == "true"]
    assert [s.condition_set for s in matched] == ["the-exclude"]


def test_with_the_workflow_on_the_user_may_ask_and_without_a_reviewer_nobody_hears() -> None:
    on = tenant(adminConsentRequestPolicy={"isEnabled": True, "reviewers": []})
    decision = decided(on)
    assert decision.code == "AADSTS90095"
    assert "Nobody receives the request" in decision.screen
    assert any("no reviewer" in note for note in decision.notes)


def test_with_the_workflow_unread_both_codes_are_named() -> None:
    assert decided(tenant(adminConsentRequestPolicy=None)).code == "AADSTS90094 or AADSTS90095"


def test_a_grant_with_odd_spacing_and_case_counts_and_openid_needs_no_name_in_it() -> None:
    grant = [pool.grant(GRAPH, "  mail.readwrite  Mail.Send CALENDARS.READWRITE Contacts.ReadWrite User.Read ")]
    request = app(["openid", "profile", "email", "User.Read", *sorted(OUTSIDE), "Mail.Send"])
    decision = decided(tenant(client=VERIFIED, oauth2PermissionGrants=grant), request)
    assert (decision.outcome, decision.confidence) == (Outcome.CONNECTS_SILENTLY, Confidence.CERTAIN)


def test_a_grant_on_exchange_says_nothing_about_the_same_scope_on_graph() -> None:
    grant = [pool.grant(EXCHANGE, " ".join(EVERYTHING))]
    decision = decided(tenant(client=VERIFIED, oauth2PermissionGrants=grant))
    assert (decision.outcome, decision.reason) == (Outcome.NEEDS_ADMIN, Reason.USER_CONSENT_DISABLED)


def test_a_grant_to_one_user_covers_that_user_and_nobody_else() -> None:
    document = tenant(client=VERIFIED, oauth2PermissionGrants=[pool.grant(GRAPH, " ".join(EVERYTHING), pool.ALICE)])
    assert decided(document, subject=MEMBER).outcome is Outcome.CONNECTS_SILENTLY
    everybody = decided(document)
    assert everybody.outcome is Outcome.NEEDS_ADMIN
    assert everybody.users_with_grant == 1
    assert "still works for the one user who has a personal grant" in everybody.works_for[0]


def test_a_default_request_with_too_small_a_grant_connects_and_lacks_scopes() -> None:
    document = tenant(client=VERIFIED, oauth2PermissionGrants=[pool.grant(GRAPH, " User.Read")])
    decision = decided(document, app(mode="default"))
    assert decision.outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES
    assert "Mail.ReadWrite" in decision.because


def test_a_forced_consent_page_stops_users_even_after_admin_consent() -> None:
    document = tenant(client=VERIFIED, oauth2PermissionGrants=FULL_GRANT)
    assert decided(document, app(prompt_consent=True)).outcome is Outcome.NEEDS_ADMIN


def test_consent_in_place_helps_only_assigned_users_where_assignment_is_required() -> None:
    client = REQUIRED_ASSIGNMENT
    nobody = tenant(client=client, oauth2PermissionGrants=FULL_GRANT)
    assert decided(nobody).code == "AADSTS50105"
    someone = {pool.CLIENT: [{"principalId": pool.ALICE, "principalType": "User"}]}
    some = tenant(client=client, oauth2PermissionGrants=FULL_GRANT, appRoleAssignedTo=someone)
    assert decided(some).outcome is Outcome.DEPENDS
    assert decided(some, subject=MEMBER).outcome is Outcome.CONNECTS_SILENTLY


def test_a_group_assignment_counts_and_nesting_is_not_followed() -> None:
    group = {pool.CLIENT: [{"principalId": pool.RECRUITERS, "principalType": "Group"}]}
    document = tenant(client=REQUIRED_ASSIGNMENT, oauth2PermissionGrants=FULL_GRANT, appRoleAssignedTo=group)
    assert decided(document, subject={**MEMBER, "groups": [pool.RECRUITERS]}).outcome is Outcome.CONNECTS_SILENTLY
    assert decided(document, subject=MEMBER).reason is Reason.NOT_ASSIGNED


def test_an_absent_app_of_unknown_publisher_depends_under_low_and_is_settled_by_the_vendors_word() -> None:
    document = tenant(LOW, delegatedPermissionClassifications=LOW_MAIL)
    assert "verified" in decided(document).because
    assert decided(document, app(publisher_verified=True)).outcome is Outcome.USER_MAY_CONSENT
    refused = decided(document, app(publisher_verified=False, owner_tenant=pool.VENDOR_TENANT))
    assert refused.reason is Reason.PUBLISHER_NOT_VERIFIED


def test_outside_the_global_cloud_no_publisher_counts_as_verified() -> None:
    document = tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=LOW_MAIL)
    document["cloud"] = "us-gov"
    assert decided(document).reason is Reason.PUBLISHER_NOT_VERIFIED


def test_a_custom_delegated_policy_lets_users_consent_to_an_admin_type_scope() -> None:
    policy = pool.policy("contoso-all", [pool.condition_set(permissionType="delegated")])
    document = tenant("contoso-all", client=OWN, permissionGrantPolicies=[policy])
    assert decided(document, app(["Directory.Read.All"])).outcome is Outcome.USER_MAY_CONSENT
    legacy = decided(tenant(LEGACY, client=OWN), app(["Directory.Read.All"]))
    assert legacy.reason is Reason.SCOPE_REQUIRES_ADMIN


def test_two_policies_that_only_together_approve_a_request_make_it_likely() -> None:
    graph = [pool.condition_set(permissions=pool.permission_ids(GRAPH, [*pool.BASIC]))]
    mail = [pool.condition_set(permissions=pool.permission_ids(GRAPH, ["Mail.Read"]))]
    document = tenant(
        "basics", "mail", client=OWN, permissionGrantPolicies=[pool.policy("basics", graph), pool.policy("mail", mail)]
    )
    decision = decided(document, app([*pool.BASIC, "Mail.Read"]))
    assert (decision.outcome, decision.confidence) == (Outcome.USER_MAY_CONSENT, Confidence.LIKELY)
    assert any("together" in caveat for caveat in decision.caveats)


def test_an_unclassified_openid_scope_alone_blocks_likely_and_not_certainly() -> None:
    but_one = [value for value in EVERYTHING if value != "offline_access"]
    classified = {GRAPH: pool.classified(GRAPH, but_one), EXCHANGE: []}
    decision = decided(tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=classified))
    assert (decision.outcome, decision.confidence) == (Outcome.NEEDS_ADMIN, Confidence.LIKELY)


def test_a_scope_that_entra_adds_by_itself_blocks_likely_and_not_certainly() -> None:
    classified = {GRAPH: pool.classified(GRAPH, ["Mail.Send"]), EXCHANGE: []}
    decision = decided(tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=classified), app(["Mail.Send"]))
    assert (decision.outcome, decision.confidence) == (Outcome.NEEDS_ADMIN, Confidence.LIKELY)
    assert {s.scope for s in decision.scopes if s.implicit} == {"User.Read", "offline_access"}


def test_a_misspelt_scope_is_the_vendors_mistake_and_not_a_missing_consent() -> None:
    decision = decided(tenant(LEGACY, client=VERIFIED), app(["Mail.Reed"]))
    assert (decision.outcome, decision.code) == (Outcome.BLOCKED, "AADSTS650053")


def test_a_redirect_uri_that_is_not_registered_blocks_before_consent() -> None:
    client = {**VERIFIED, "replyUrls": ["https://app.example/callback"]}
    request = app(redirect_uris=["https://other.example/callback"])
    assert decided(tenant(LEGACY, client=client), request).code == "AADSTS50011"
    right = app(redirect_uris=["https://app.example/callback"])
    assert decided(tenant(LEGACY, client=client), right).outcome is Outcome.USER_MAY_CONSENT


def test_gates_shut_in_order_and_the_later_ones_are_also_reported() -> None:
    client = {**DISABLED, "isDisabled": True, "appRoleAssignmentRequired": True}
    decision = decided(tenant(client=client))
    assert decision.reason is Reason.APP_DEACTIVATED
    assert any("switched off" in other for other in decision.also)
    assert any("assignment" in other for other in decision.also)


def test_an_administrator_may_consent_where_users_may_not() -> None:
    admin = {**MEMBER, "roles": [pool.CLOUD_APPLICATION_ADMINISTRATOR]}
    decision = decided(tenant(client=REQUIRED_ASSIGNMENT), subject=admin)
    assert (decision.outcome, decision.reason) == (Outcome.USER_MAY_CONSENT, Reason.SUBJECT_IS_ADMIN)


def test_of_a_guest_it_is_not_known_whether_he_may_consent() -> None:
    guest = {**MEMBER, "userType": "Guest"}
    decision = decided(tenant(LEGACY, client=VERIFIED), subject=guest)
    assert decision.outcome is Outcome.DEPENDS
    assert any("guest" in need for need in decision.depends_on)


@pytest.mark.parametrize("verb", ["ForSelf", "ForAll"])
def test_a_custom_role_lets_its_holder_consent_where_the_default_does_not(verb: str) -> None:
    action = f"microsoft.directory/servicePrincipals/managePermissionGrants{verb}.{LEGACY}"
    holder = {**MEMBER, "role_actions": [action]}
    assert decided(tenant(client=VERIFIED), subject=holder).outcome is Outcome.USER_MAY_CONSENT


def test_a_custom_role_that_lets_some_consent_is_reported_to_the_ordinary_user() -> None:
    action = f"microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.{LEGACY}"
    role = {
        "id": "r1",
        "displayName": "Mail pioneers",
        "isBuiltIn": False,
        "isEnabled": True,
        "rolePermissions": [{"allowedResourceActions": [action]}],
    }
    decision = decided(tenant(client=VERIFIED, roleDefinitions=[role]))
    assert any("Mail pioneers" in note for note in decision.notes)
