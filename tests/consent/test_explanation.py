"""What a decision says besides its outcome: what it depends on, what the user sees, and why."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model.decision import Outcome, Verdict
from tests.consent.from_oracle import decided
from tests.oracle import pool
from tests.oracle.plain import EVERYTHING, OWN, UNVERIFIED, VERIFIED, app, tenant
from tests.oracle.pool import EXCHANGE, GRAPH, LEGACY, LOW, RECOMMENDED

Json = dict[str, Any]
LOW_MAIL = {GRAPH: pool.classified(GRAPH, EVERYTHING), EXCHANGE: []}


def test_entra_adds_scopes_to_the_first_consent_only_whatever_resource_that_was_for() -> None:
    def added(*rows: Json) -> set[str]:
        document = tenant(LEGACY, client=VERIFIED, oauth2PermissionGrants=list(rows))
        return {s.scope for s in decided(document, app(["Mail.Read"])).scopes if s.implicit}

    assert added() == {"User.Read", "offline_access"}
    assert added(pool.grant(EXCHANGE, "EWS.AccessAsUser.All")) == set()
    assert added(pool.grant(EXCHANGE, "EWS.AccessAsUser.All", principal=pool.ALICE)) != set()


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(VERIFIED, id="a vendor's app with a verified publisher"),
        pytest.param(UNVERIFIED, id="a vendor's app without one"),
        pytest.param(OWN, id="an app of this tenant"),
    ],
)
def test_a_policy_for_certified_apps_leaves_open_whether_this_one_is_and_says_where_that_is(client: Json) -> None:
    """``certification`` is a property of v1.0 ``application``, and not of ``servicePrincipal``."""
    certified = {"permissionType": "delegated", "certifiedClientApplicationsOnly": True}
    policies = [{"id": "certified", "includes": [certified], "excludes": []}]
    document = tenant("certified", client=client, risky=True, permissionGrantPolicies=policies)
    decision = decided(document, app(["Mail.Read"]))
    assert decision.outcome is Outcome.DEPENDS
    assert "whether the app is Microsoft 365 certified, which only its registration says" in decision.depends_on
    (verdict,) = (one for one in decision.scopes if one.scope == "Mail.Read")
    assert verdict.verdict is Verdict.UNKNOWN and "on its registration only" in verdict.detail


def test_an_exclusion_of_certified_apps_leaves_open_whether_it_holds_for_this_one() -> None:
    everything = {"permissionType": "delegated", "certifiedClientApplicationsOnly": False}
    excluded = {**everything, "certifiedClientApplicationsOnly": True}
    policies = [{"id": "uncertified", "includes": [everything], "excludes": [excluded]}]
    decision = decided(tenant("uncertified", client=VERIFIED, permissionGrantPolicies=policies), app(["Mail.Read"]))
    assert decision.outcome is Outcome.DEPENDS
    assert any("Microsoft 365 certified" in need for need in decision.depends_on)


REFUSED = {"permissionGrantPolicies/uncertified": {"status": 403, "code": "Authorization_RequestDenied"}}
EVERY_APP = pool.condition_set()
"""A condition set as Graph v1.0 returns it: without ``certifiedClientApplicationsOnly``."""


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(pool.policy("uncertified", [EVERY_APP]), id="in an include"),
        pytest.param(pool.policy("uncertified", [EVERY_APP], [EVERY_APP]), id="in an exclude"),
    ],
)
def test_a_condition_that_only_beta_shows_leaves_the_answer_open_if_beta_could_not_be_read(policy: Json) -> None:
    document = tenant("uncertified", client=VERIFIED, risky=True, permissionGrantPolicies=[policy])
    decision = decided({**document, "unread": REFUSED}, app(["Mail.Read"]))
    assert decision.outcome is Outcome.DEPENDS
    assert any("which only Graph's beta version shows" in need for need in decision.depends_on)
    assert decided(document, app(["Mail.Read"])).outcome is not Outcome.DEPENDS, "nobody asked beta"


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(pool.policy("uncertified", [pool.condition_set(permissionType="application")]), id="no match"),
        pytest.param(
            pool.policy("uncertified", [{**EVERY_APP, "certifiedClientApplicationsOnly": False}]), id="read before"
        ),
    ],
)
def test_an_answer_that_no_condition_of_beta_can_change_stays_if_beta_could_not_be_read(policy: Json) -> None:
    document = tenant("uncertified", client=VERIFIED, risky=True, permissionGrantPolicies=[policy])
    read, refused = (decided({**document, **more}, app(["Mail.Read"])) for more in ({}, {"unread": REFUSED}))
    assert (refused.outcome, refused.confidence) == (read.outcome, read.confidence)
    assert refused.outcome is not Outcome.DEPENDS


def test_a_built_in_policy_has_no_condition_that_only_beta_shows() -> None:
    document = tenant(LEGACY, client=VERIFIED)
    unread = {f"permissionGrantPolicies/{LEGACY}": {"status": 403, "code": "Authorization_RequestDenied"}}
    read, refused = (decided({**document, **more}) for more in ({}, {"unread": unread}))
    assert (refused.outcome, refused.confidence) == (read.outcome, read.confidence)


def test_a_policy_for_verified_publishers_leaves_open_an_app_that_nobody_connected() -> None:
    decision = decided(tenant(LOW, delegatedPermissionClassifications=LOW_MAIL))
    assert decision.outcome is Outcome.DEPENDS
    assert any("publisher" in need for need in decision.depends_on)


def test_the_screen_says_where_the_app_looks_risky() -> None:
    assert "may be risky" in decided(tenant(LEGACY, client=UNVERIFIED)).screen
    assert "may be risky" not in decided(tenant(client=UNVERIFIED)).screen


def test_a_missing_resource_is_reported_with_what_it_usually_means() -> None:
    gone = tenant(LEGACY, client=VERIFIED)
    sections = gone["sections"]
    sections["servicePrincipals"] = [one for one in sections["servicePrincipals"] if one["appId"] != EXCHANGE]
    decision = decided(gone, app(["EWS.AccessAsUser.All"], resource=EXCHANGE))
    assert decision.outcome is Outcome.BLOCKED
    assert "is not present in this tenant, which usually means that no license includes it" in decision.because


def test_two_kinds_of_refusal_are_distinguished_in_one_sentence() -> None:
    document = tenant(RECOMMENDED, client=VERIFIED)
    decision = decided(document, app(["Mail.ReadWrite", "Directory.Read.All"]))
    assert "; " in decision.because
    assert "Mail.ReadWrite" in decision.because
    assert "Directory.Read.All" in decision.because


def test_one_missing_fact_about_several_scopes_is_one_sentence() -> None:
    document = tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=None)
    decision = decided(document, app(["openid", "profile", "email", "offline_access", "User.Read"]))
    assert decision.depends_on == ("the classifications of openid, profile, email, offline_access and User.Read",)


@pytest.mark.parametrize(
    "scope", [pytest.param(".default", id="a word of requests"), pytest.param("Mail.Reed", id="a typo")]
)
def test_a_grant_of_nothing_but_unknown_names_is_said_to_give_nothing(scope: str) -> None:
    document = tenant(RECOMMENDED, client=VERIFIED, oauth2PermissionGrants=[pool.grant(GRAPH, scope)])
    decision = decided(document, app(["Mail.Read"]))
    assert decision.outcome is Outcome.NEEDS_ADMIN
    assert f"gives nothing, because Microsoft Graph has no permission {scope}" in decision.because


def test_a_grant_that_gives_something_is_not_called_useless_for_a_name_that_it_also_has() -> None:
    grant = pool.grant(GRAPH, "User.Read user_impersonation")
    document = tenant(RECOMMENDED, client=VERIFIED, oauth2PermissionGrants=[grant])
    assert "gives nothing" not in decided(document, app(["Mail.Read"])).because


def test_a_request_that_may_look_risky_depends_on_the_mark_that_is_not_known() -> None:
    """Whose app it is, where its publisher is known not to be verified."""
    ownerless = {**UNVERIFIED, "appOwnerOrganizationId": None}
    decision = decided(tenant(LEGACY, client=ownerless), app(["Mail.Send"]))
    assert decision.outcome is Outcome.DEPENDS
    assert decision.depends_on == ("which tenant owns the app",)


def test_an_answer_that_depends_on_a_fact_still_says_that_the_app_may_not_exist_in_this_cloud() -> None:
    document = {**tenant(LOW, delegatedPermissionClassifications=LOW_MAIL), "cloud": "us-gov"}
    decision = decided(document, app(["Mail.Send"]))
    assert decision.outcome is Outcome.DEPENDS
    assert any("AADSTS700016" in note for note in decision.notes)
