"""A list of which only some rows were read: its rows count, a missing row is unknown, and so is an unnamed tenant."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.consent import Truth
from auditor.consent.conditions import match, restrictions_of
from auditor.consent.decide import decide
from auditor.consent.decision_facts import looks_risky, step_up
from auditor.consent.policy_breadth import UNVERIFIED, hypothetical
from auditor.consent.requested_access import Permission
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.facts.builtin_policies import documented_policy
from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_LOW
from auditor.model.decision import Confidence, Outcome
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot, Tenant
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample

(PACK,) = load_packs(["trackerrms-uk"])
assert PACK.app is not None
APP: App = PACK.app


def with_covers(snapshot: Snapshot, **covers: tuple[str, ...]) -> Snapshot:
    return msgspec.structs.replace(snapshot, covers={**snapshot.covers, **covers})


def with_sections(snapshot: Snapshot, **sections: Any) -> Snapshot:
    return msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **sections))


def unnamed(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, tenant=Tenant(id=""))


def test_a_tenant_wide_grant_counts_in_an_incomplete_list() -> None:
    snapshot = with_covers(sample("admin-consented"), oauth2PermissionGrants=())
    decision = decide(snapshot, APP)
    assert (decision.outcome, decision.confidence) == (Outcome.CONNECTS_SILENTLY, Confidence.CERTAIN)


def test_what_an_incomplete_list_of_grants_lacks_is_unknown() -> None:
    snapshot = with_covers(sample("admin-consented-partly"), oauth2PermissionGrants=())
    decision = decide(snapshot, APP)
    assert decision.outcome is Outcome.DEPENDS
    assert Outcome.CONNECTS_SILENTLY in decision.outcomes
    assert "oauth2PermissionGrants" in " ".join(decision.depends_on)


def test_a_resource_that_was_not_read_is_one_fact_and_not_one_for_each_scope() -> None:
    snapshot = with_sections(sample("managed-default"), servicePrincipals=None, absentServicePrincipals=None)
    facts = decide(snapshot, APP).depends_on
    assert facts.count("which scopes Microsoft Graph has") == 1
    assert [fact for fact in facts if fact.startswith("whether Microsoft Graph has a scope")] == []


def test_an_incomplete_list_without_a_grant_of_the_app_says_nothing() -> None:
    full = sample("admin-consented")
    snapshot = with_covers(with_sections(full, oauth2PermissionGrants=()), oauth2PermissionGrants=())
    assert decide(snapshot, APP).outcome is Outcome.DEPENDS


def test_an_assigned_policy_that_an_incomplete_list_lacks_was_not_read() -> None:
    snapshot = with_covers(sample("low-classified"), permissionGrantPolicies=("microsoft-application-admin",))
    snapshot = with_sections(snapshot, permissionGrantPolicies=())
    assert isinstance(index_of(snapshot).grant_policy(POLICY_LOW), NotRead)


@pytest.mark.parametrize(
    ("covers", "truth"),
    [
        pytest.param({}, Truth.TRUE, id="all settings: on by default"),
        pytest.param({"directorySettings": ()}, Truth.UNKNOWN, id="some settings"),
        pytest.param({"directorySettings": ("08d542b9-071f-4e16-94b0-74abb372e3d9",)}, Truth.UNKNOWN, id="others"),
    ],
)
def test_a_directory_setting_that_an_incomplete_list_lacks_is_unknown(
    covers: dict[str, tuple[str, ...]], truth: Truth
) -> None:
    full = sample("managed-default")
    policy = full.sections.authorizationPolicy
    assert policy is not None
    silent = msgspec.structs.replace(policy, allowUserConsentForRiskyApps=None)
    snapshot = with_sections(full, directorySettings=(), authorizationPolicy=silent)
    assert step_up(with_covers(snapshot, **covers)).truth is truth


@pytest.mark.parametrize("name", ["managed-default", "low-classified", "admin-consented", "consent-off"])
def test_an_unnamed_tenant_never_makes_an_answer_firmer_or_different(name: str) -> None:
    named = decide(sample(name), APP)
    decision = decide(unnamed(sample(name)), APP)
    assert decision.outcome in (named.outcome, Outcome.DEPENDS)
    assert decision.confidence is named.confidence or decision.confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    ("tenant_id", "own"),
    [
        pytest.param("9ad9b9a2-5e78-454d-b065-a1c284cc4549", Truth.FALSE, id="another tenant's"),
        pytest.param("11112222-5e78-454d-b065-a1c284cc4549", Truth.TRUE, id="its own"),
        pytest.param("", Truth.UNKNOWN, id="the tenant isn't named"),
    ],
)
def test_whether_an_app_is_the_tenants_own_is_unknown_if_the_tenant_is(tenant_id: str, own: Truth) -> None:
    client = msgspec.structs.replace(
        hypothetical(sample("managed-default"), UNVERIFIED), owner_tenant="11112222-5e78-454d-b065-a1c284cc4549"
    )
    scope = Permission(resource=MICROSOFT_GRAPH, resource_name="Microsoft Graph", value="Mail.Read", exists=Truth.TRUE)
    low = documented_policy(POLICY_LOW, tenant_id)
    assert low is not None
    (for_own,) = [one for one in low.includes or () if one.clientApplicationTenantIds != ("all",)]
    conditions = match(restrictions_of(for_own), scope, client).conditions
    assert own in {one.truth for one in conditions if "tenant" in one.why}
    assert looks_risky(tenant_id, APP, client, (scope,)) is ~own


def test_whether_a_scope_is_enabled_is_unknown_if_the_data_does_not_say() -> None:
    snapshot = sample("legacy-open")
    (app,) = (pack.app for pack in load_packs(["trackerrms-uk"]) if pack.app)
    principals = tuple(
        msgspec.structs.replace(
            one,
            oauth2PermissionScopes=tuple(
                msgspec.structs.replace(scope, isEnabled=None) for scope in one.oauth2PermissionScopes or ()
            ),
        )
        for one in snapshot.sections.servicePrincipals or ()
    )
    decision = decide(with_sections(snapshot, servicePrincipals=principals), app)
    assert set(decision.outcomes) == {Outcome.BLOCKED, Outcome.USER_MAY_CONSENT}
    assert "whether the scope Mail.ReadWrite of Microsoft Graph is enabled" in decision.depends_on
