"""Assumptions change exactly what they say, and an assumption that makes no sense is refused with a reason."""

from __future__ import annotations

import pytest

from auditor.consent.decide import decide
from auditor.consent.policies import self_consent_ids
from auditor.consent.snapshot_index import index_of
from auditor.fixes.assumptions import AssumptionError, assume
from auditor.model.decision import Outcome
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample

(PACK,) = load_packs(["trackerrms-uk"])
assert PACK.app is not None
APP = PACK.app
EVERYTHING = " ".join(need.value for need in APP.scopes if need.required)


@pytest.mark.parametrize(
    ("name", "assumed", "outcome"),
    [
        pytest.param("managed-default", ["fix:R1"], Outcome.CONNECTS_SILENTLY, id="a fix"),
        pytest.param("managed-default", ["setting=legacy"], Outcome.DEPENDS, id="legacy, publisher not known"),
        pytest.param(
            "managed-default",
            ["setting=legacy", "publisher-verified=true"],
            Outcome.USER_MAY_CONSENT,
            id="legacy, publisher verified",
        ),
        pytest.param(
            "managed-default",
            ["setting=legacy", "publisher-verified=no", "step-up=off"],
            Outcome.USER_MAY_CONSENT,
            id="legacy, not verified, no step-up",
        ),
        pytest.param("legacy-open", ["setting=none"], Outcome.NEEDS_ADMIN, id="no policy"),
        pytest.param("legacy-open", ["setting=microsoft-user-default-low"], Outcome.NEEDS_ADMIN, id="low by its name"),
        pytest.param(
            "legacy-open",
            ["setting=ManagePermissionGrantsForSelf.microsoft-user-default-low"],
            Outcome.NEEDS_ADMIN,
            id="low by its entry",
        ),
        pytest.param("low-unclassified", [f"classified={EVERYTHING}"], Outcome.USER_MAY_CONSENT, id="all classified"),
        pytest.param("low-classified", ["publisher-verified=false"], Outcome.NEEDS_ADMIN, id="publisher not verified"),
        pytest.param("app-disabled", ["app-enabled=true"], Outcome.CONNECTS_SILENTLY, id="app switched on"),
        pytest.param(
            "assignment-required", ["assignment-required=false"], Outcome.USER_MAY_CONSENT, id="no assignment"
        ),
        pytest.param(
            "admin-consented-partly",
            ["granted=Contacts.ReadWrite Mail.Send"],
            Outcome.CONNECTS_SILENTLY,
            id="the missing scopes granted",
        ),
    ],
)
def test_an_assumption_is_decided_like_the_change_itself(name: str, assumed: list[str], outcome: Outcome) -> None:
    assert decide(*assume(sample(name), APP, assumed)).outcome is outcome


def test_no_assumption_changes_nothing() -> None:
    assert assume(sample("managed-default"), APP, []) == (sample("managed-default"), APP)


def test_another_setting_keeps_the_entries_of_team_and_chat_owners() -> None:
    def others(entries: object) -> set[str]:
        assert isinstance(entries, tuple)
        return {e for e in entries if "OwnedResource" in e}

    after, _ = assume(sample("managed-default"), APP, ["setting=low"])
    assert (
        others(index_of(after).assigned_policies())
        == others(index_of(sample("managed-default")).assigned_policies())
        != set()
    )
    assert self_consent_ids(index_of(after).assigned_policies()) == ("microsoft-user-default-low",)  # type: ignore[arg-type]  # read


def test_a_workflow_assumed_to_be_on_changes_what_the_user_sees() -> None:
    assert decide(*assume(sample("consent-off"), APP, ["workflow=on"])).code == "AADSTS90095"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param("managed-default", "rain", "give fix:ROUTE or one of publisher-verified=true", id="no kind"),
        pytest.param("managed-default", "setting=", "can't assume", id="no value"),
        pytest.param("managed-default", "publisher-verified=perhaps", "neither true nor false", id="no yes or no"),
        pytest.param("managed-default", "fix:R7", "offered: fix:R1", id="a fix that is not offered"),
        pytest.param(
            "managed-default", "setting=contoso-own", "no consent policy 'contoso-own'", id="a policy that is not there"
        ),
        pytest.param("managed-default", "app-enabled=true", "not in the tenant", id="an app that is not there"),
        pytest.param(
            "managed-default", "granted=Mail.Send", "assume fix:R1 instead", id="a grant to an app that is not there"
        ),
        pytest.param(
            "low-unclassified",
            "classified=Mail.Reed",
            "the scope Mail.Reed of .* was not read",
            id="a scope that is not there",
        ),
        pytest.param("low-unclassified", "classified=.default Mail.Read", "AADSTS70011", id="default and a scope"),
    ],
)
def test_what_cannot_be_assumed_is_refused_with_what_to_give_instead(name: str, text: str, says: str) -> None:
    with pytest.raises(AssumptionError, match=says):
        assume(sample(name), APP, [text])


def test_a_publisher_assumed_to_be_verified_is_the_publisher_of_the_existing_app() -> None:
    unverified, _ = assume(sample("low-classified"), APP, ["publisher-verified=false"])
    assert decide(unverified, APP).outcome is Outcome.NEEDS_ADMIN
    assert decide(*assume(unverified, APP, ["publisher-verified=true"])).outcome is Outcome.USER_MAY_CONSENT


def test_a_workflow_assumed_to_be_on_has_a_reviewer() -> None:
    assumed, _ = assume(sample("consent-off"), APP, ["workflow=on"])
    policy = assumed.sections.adminConsentRequestPolicy
    assert policy is not None
    assert [(one.query, one.queryType) for one in policy.reviewers or ()] == [("/users/assumed", "MicrosoftGraph")]


def test_scopes_assumed_to_be_granted_are_added_to_the_grant_for_the_whole_tenant() -> None:
    before = sample("admin-consented")
    assumed, _ = assume(before, APP, ["granted=Files.Read.All"])
    scopes = {row.id: row.scope for row in assumed.sections.oauth2PermissionGrants or ()}
    was = {row.id: (row.scope, row.consentType) for row in before.sections.oauth2PermissionGrants or ()}
    (changed,) = [key for key, scope in scopes.items() if scope != was[key][0]]
    assert was[changed][1] == "AllPrincipals"
    assert scopes[changed].split()[-1] == "Files.Read.All"
