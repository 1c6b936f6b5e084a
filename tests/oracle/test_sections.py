"""Cases of sections 1 to 4 that the worked examples leave out, against the oracle itself."""

from __future__ import annotations

import pytest

from . import pool
from .evaluator import judge
from .plain import EVERYTHING, FULL_GRANT, MEMBER, OWN, UNVERIFIED, VERIFIED, app, blocked, tenant
from .pool import CLIENT, EXCHANGE, GRAPH, LEGACY, LOW, OWN_API, RECOMMENDED
from .reading import Json

LOW_MAIL = {GRAPH: pool.classified(GRAPH, EVERYTHING)}


def test_the_publisher_of_an_app_never_seen_decides_under_low_unless_the_vendor_states_it() -> None:
    snapshot = tenant(LOW, delegatedPermissionClassifications=LOW_MAIL)
    assert judge(snapshot, app()).outcomes == {"user-may-consent", "needs-admin"}
    assert judge(snapshot, app(publisher_verified=True)).outcome == "user-may-consent"
    elsewhere = app(publisher_verified=False, owner_tenant=pool.VENDOR_TENANT)
    assert judge(snapshot, elsewhere).outcome == "needs-admin"
    snapshot["cloud"] = "us-gov"
    stated = app(publisher_verified=True, owner_tenant=pool.VENDOR_TENANT)
    assert judge(snapshot, stated).outcome == "needs-admin"


def test_a_custom_delegated_policy_lets_users_consent_to_an_admin_type_scope() -> None:
    custom = pool.policy(pool.CUSTOM, [pool.condition_set(clientApplicationIds=[CLIENT.upper()])])
    assigned = tenant(pool.CUSTOM, client=OWN, permissionGrantPolicies=[custom])
    assert judge(assigned, app(["Directory.Read.All"])).outcome == "user-may-consent"
    assert judge(tenant(LEGACY, client=OWN), app(["Directory.Read.All"])).outcome == "needs-admin"


def test_an_exclude_of_one_policy_does_not_veto_another() -> None:
    both = tenant(
        RECOMMENDED,
        pool.MAIL_CLIENTS,
        client=VERIFIED,
        permissionGrantPolicies=[pool.recommended(), pool.mail_clients(CLIENT)],
    )
    scopes = ["User.Read", "Mail.Read", "Mail.Send"]
    assert judge(both, app(scopes)).outcome == "user-may-consent"


def test_a_request_for_one_scope_also_asks_for_the_implicit_two_the_first_time_only() -> None:
    unasked = pool.policy(pool.CUSTOM, [pool.condition_set(permissions=[pool.PERMISSION_IDS[GRAPH]["Mail.Send"]])])
    first = tenant(pool.CUSTOM, client=VERIFIED, permissionGrantPolicies=[unasked])
    assert judge(first, app(["Mail.Send"])).outcome == "needs-admin"
    later = tenant(
        pool.CUSTOM,
        client=VERIFIED,
        permissionGrantPolicies=[unasked],
        oauth2PermissionGrants=[pool.grant(EXCHANGE, "")],
    )
    assert judge(later, app(["Mail.Send"])).outcome == "user-may-consent"


def test_default_requests_connect_with_any_grant_and_then_lack_scopes() -> None:
    some = tenant(client=VERIFIED, oauth2PermissionGrants=[pool.grant(GRAPH, " User.Read")])
    assert judge(some, app(mode="default")).outcome == "connects-but-lacks-scopes"
    assert judge(some, app(["openid", "User.Read"], mode="registered")).outcome == "connects-silently"
    assert judge(some, app()).outcome == "needs-admin"


def test_a_grant_on_one_resource_says_nothing_about_the_same_name_on_another() -> None:
    exchange = tenant(client=VERIFIED, oauth2PermissionGrants=[pool.grant(EXCHANGE, "Mail.Read")])
    assert judge(exchange, app(["Mail.Read"])).outcome == "needs-admin"
    assert judge(exchange, app(["Mail.Read"], EXCHANGE)).outcome == "connects-silently"


def test_a_users_own_grant_counts_for_that_user_alone() -> None:
    own = tenant(
        client=VERIFIED,
        oauth2PermissionGrants=[pool.grant(GRAPH, " ".join(EVERYTHING), principal=pool.ALICE)],
    )
    assert judge(own, app(), MEMBER).outcome == "connects-silently"
    assert judge(own, app()).outcome == "needs-admin"
    assert judge(own, app(), {**MEMBER, "id": pool.BOB}).outcome == "needs-admin"


def test_a_forced_prompt_blocks_users_even_after_admin_consent() -> None:
    granted = tenant(client=VERIFIED, oauth2PermissionGrants=FULL_GRANT)
    assert judge(granted, app(prompt_consent=True)).outcome == "needs-admin"


def test_with_consent_in_place_assignment_decides() -> None:
    person = [{"principalId": pool.RECRUITERS, "principalType": "Group"}]
    client = {**VERIFIED, "appRoleAssignmentRequired": True}
    nobody = tenant(client=client, oauth2PermissionGrants=FULL_GRANT)
    group = tenant(client=client, oauth2PermissionGrants=FULL_GRANT, appRoleAssignedTo={CLIENT: person})
    recruiter, admin = (
        {**MEMBER, "groups": [pool.RECRUITERS]},
        {**MEMBER, "roles": [pool.GLOBAL_ADMINISTRATOR]},
    )
    assert judge(nobody, app()).codes == {"AADSTS50105"}
    assert judge(nobody, app(), admin).outcome == "connects-silently"
    assert judge(group, app()).outcomes == {"connects-silently", "blocked"}
    assert judge(group, app(), recruiter).outcome == "connects-silently"
    assert judge(group, app(), MEMBER).outcome == "blocked"


def test_of_a_guest_it_is_not_documented_whether_the_default_users_policies_hold() -> None:
    snapshot = tenant(LEGACY, client=VERIFIED)
    guest = {**MEMBER, "userType": "Guest"}
    assert judge(snapshot, app(), guest).outcomes == {"user-may-consent", "needs-admin"}
    snapshot["sections"]["authorizationPolicy"]["guestUserRoleId"] = pool.MEMBER_ROLE.upper()
    assert judge(snapshot, app(), guest).outcome == "user-may-consent"


@pytest.mark.parametrize("kind", ["ForSelf", "ForAll"])
def test_a_custom_role_lets_its_holder_consent_though_the_default_list_is_empty(kind: str) -> None:
    action = f"microsoft.directory/servicePrincipals/managePermissionGrants{kind}.{LEGACY}"
    holder = {**MEMBER, "role_actions": [action]}
    assert judge(tenant(client=VERIFIED), app(), holder).outcome == "user-may-consent"


@pytest.mark.parametrize(
    ("risky", "setting", "outcome"),
    [
        pytest.param(None, None, "needs-admin", id="neither"),
        pytest.param(True, None, "user-may-consent", id="policy off"),
        pytest.param(True, "False", "user-may-consent", id="policy off, setting off"),
        pytest.param(True, "True", "needs-admin", id="policy off, setting on"),
        pytest.param(False, "false", "needs-admin", id="policy on, setting off"),
        pytest.param(None, "false", "user-may-consent", id="setting off"),
    ],
)
def test_step_up_is_on_unless_every_indicator_present_says_off(
    risky: bool | None, setting: str | None, outcome: str
) -> None:
    settings = [pool.setting("BlockUserConsentForRiskyApps", setting)] if setting else []
    snapshot = tenant(LEGACY, client=UNVERIFIED, risky=risky, directorySettings=settings)
    assert judge(snapshot, app()).outcome == outcome


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        pytest.param({"isDisabled": True, "accountEnabled": False}, set(), id="switched off by the tenant"),
        pytest.param(
            {"disabledByMicrosoftStatus": "DisabledDueToViolationOfServicesAgreement"},
            {70001, 700016},
            id="disabled by Microsoft",
        ),
        pytest.param({"replyUrls": ["https://other.example.com"]}, {50011}, id="another reply address"),
        pytest.param({"replyUrls": []}, {500113}, id="no reply address"),
    ],
)
def test_a_gate_blocks_before_any_grant_counts(changes: Json, codes: set[int]) -> None:
    snapshot = tenant(LEGACY, client={**VERIFIED, **changes}, oauth2PermissionGrants=FULL_GRANT)
    verdict = judge(snapshot, app(redirect_uris=["https://mailer.example.com"]))
    assert verdict.outcome == "blocked"
    assert verdict.codes == {f"AADSTS{code}" for code in codes}


def test_a_resource_that_is_missing_or_disabled_blocks_and_one_not_read_leaves_it_open() -> None:
    def with_api(*api: Json) -> Json:
        return tenant(LEGACY, servicePrincipals=[pool.resource(GRAPH), VERIFIED, *api])

    order = app(["Orders.Read"], OWN_API)
    assert judge(with_api(), order).codes == {"AADSTS650052", "AADSTS500011", "AADSTS65005"}
    off = {**pool.resource(OWN_API), "accountEnabled": False}
    assert judge(with_api(off), order).codes == {"AADSTS500014"}
    unread = {**with_api(), "covers": {"servicePrincipals": [GRAPH, CLIENT]}}
    assert judge(unread, order).outcomes == {"blocked", "needs-admin", "user-may-consent"}
    wrong = judge(with_api(pool.resource(OWN_API)), app(["Orders.Raed"], OWN_API))
    assert wrong.codes == {"AADSTS650053"}
    assert judge(with_api(), app(["AgentCard.Read.All"])).codes == {"AADSTS650053"}


def test_the_workflow_changes_what_the_refused_user_sees() -> None:
    assert judge(tenant(adminConsentRequestPolicy={"isEnabled": True}), app()).codes == {"AADSTS90095"}
    assert judge(tenant(adminConsentRequestPolicy=None), app()).codes == {"AADSTS90094", "AADSTS90095"}


def test_optional_scopes_get_a_verdict_but_do_not_decide() -> None:
    wanted = app(["User.Read", "Mail.Send", "Mail.Read"])
    wanted["scopes"][2]["required"] = False
    verdict = judge(tenant(RECOMMENDED, client=VERIFIED), wanted)
    assert verdict.outcome == "user-may-consent"
    assert blocked(verdict) == {"mail.read"}
