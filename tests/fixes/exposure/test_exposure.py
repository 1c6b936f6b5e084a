"""Examples: what each kind of change opens in a tenant with every scope that Microsoft publishes."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.checks.app_filter import Apps
from auditor.consent import Truth
from auditor.consent.policies import Approval, GoverningPolicy, approval
from auditor.consent.requested_access import Client, Permission, requested
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import (
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    POLICY_LEGACY,
    POLICY_LOW,
    POLICY_MAIL_CLIENTS,
    POLICY_RECOMMENDED,
)
from auditor.facts.permissions import KnownScope, known_scopes
from auditor.fixes.exposure import Breadth, as_opens, exposure
from auditor.fixes.exposure_classes import AppClass
from auditor.fixes.exposure_openings import published_scopes
from auditor.model.resources import ConditionSet, DelegatedScope, ServicePrincipal
from auditor.model.rule import App, ScopeNeed
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant
from tests.fixes.exposure.changes import (
    APP,
    LISTS,
    assigned,
    classified,
    full,
    names,
    nothing_for_others,
    with_policy,
    with_principal,
    with_sections,
)

USER_SCOPES = [s for s in known_scopes(MICROSOFT_GRAPH).values() if s.type == "User" and s.enabled]
LOW = full("low-unclassified")


@settings(deadline=None)
@given(scope=st.sampled_from(USER_SCOPES))
def test_classifying_a_scope_opens_it_alone_to_verified_publishers_and_apps_of_the_tenant(scope: KnownScope) -> None:
    found = exposure(LOW, classified(LOW, MICROSOFT_GRAPH, scope.id), APP)
    for kind in (AppClass.VERIFIED, AppClass.OWN):
        assert names(found.classes[kind].opened) == {scope.value}
    assert found.classes[AppClass.UNVERIFIED].is_empty
    assert not found.consent_policy_changes
    assert "nothing more for unverified apps" in found.summary


def test_the_open_setting_opens_every_user_scope_to_anybody() -> None:
    closed = full("consent-off")
    found = exposure(closed, assigned(closed, POLICY_LEGACY), APP)
    every = {s.value for r in (MICROSOFT_GRAPH, EXCHANGE_ONLINE) for s in known_scopes(r).values() if s.type == "User"}
    for kind in (AppClass.UNVERIFIED, AppClass.VERIFIED, AppClass.OWN, AppClass.THIS):
        assert names(found.classes[kind].opened) == every
    assert found.consent_policy_changes
    assert "Users could then consent to 166 more scopes for any app: mail (28), calendars (11)," in found.summary
    assert "Risk-based step-up consent would likely still require an administrator" in found.summary


@pytest.mark.parametrize(
    ("scope_type", "expected"),
    [
        pytest.param("User", Truth.TRUE, id="for users"),
        pytest.param("admin", Truth.FALSE, id="for administrators"),
        pytest.param(None, Truth.UNKNOWN, id="not read"),
        pytest.param("Everyone", Truth.UNKNOWN, id="not documented"),
    ],
)
def test_a_scope_of_a_type_that_nobody_documents_is_not_one_for_administrators(
    scope_type: str | None, expected: Truth
) -> None:
    scope = DelegatedScope(id="s1", value="Read", type=scope_type)
    resource = ServicePrincipal(id="p1", appId="a1", oauth2PermissionScopes=(scope,))
    snapshot = Snapshot(tenant=Tenant(id="t"), sections=Sections(servicePrincipals=(resource,)))
    (asked,) = requested(snapshot, App(client_id="c", scopes=(ScopeNeed(resource="a1", value="Read"),)))
    checked = Apps(index_of(snapshot)).users_may_grant(resource, "read")
    assert (asked.user_type, checked, published_scopes(snapshot)["a1", "read"].user_type) == (expected,) * 3


def test_a_policy_for_one_app_opens_its_scopes_to_that_app_alone() -> None:
    before = full("consent-off")
    found = exposure(before, assigned(with_policy(before, "one", LISTS), "one", keep=True), APP)
    assert nothing_for_others(found)
    assert names(found.classes[AppClass.THIS].opened) == {"Mail.ReadWrite", "Mail.Send"}
    assert found.breadth is Breadth.EVERYBODY
    assert found.summary == (
        "Nothing for other apps. Users could consent to 2 more scopes for TrackerRMS alone: mail (2)."
    )


def test_a_policy_for_any_delegated_permission_opens_admin_scopes_too() -> None:
    before = full("consent-off")
    everything = ConditionSet(certifiedClientApplicationsOnly=False)
    found = exposure(before, assigned(with_policy(before, "all", everything), "all"), APP)
    assert "Directory.ReadWrite.All" in names(found.classes[AppClass.UNVERIFIED].opened)
    assert "AgentCard.Read.All" not in names(found.classes[AppClass.UNVERIFIED].opened), "the scope is disabled"


def test_a_policy_that_names_another_app_opens_to_that_app_and_not_to_any() -> None:
    before = full("consent-off")
    found = exposure(before, assigned(before, POLICY_MAIL_CLIENTS), APP)
    assert found.classes[AppClass.UNVERIFIED].is_empty
    assert "Mail.ReadWrite" in names(found.classes[AppClass.NAMED].opened)
    assert "for other apps that a policy names: mail" in found.summary
    assert found.weight > 0


def test_what_opens_to_every_app_is_not_repeated_for_the_apps_that_a_policy_names() -> None:
    before = full("consent-off")
    found = exposure(before, assigned(before, POLICY_LEGACY, POLICY_MAIL_CLIENTS), APP)
    assert found.classes[AppClass.NAMED].is_empty


def test_switching_step_up_off_opens_what_it_shielded() -> None:
    before = full("legacy-open")
    policy = before.sections.authorizationPolicy
    assert policy is not None
    off = msgspec.structs.replace(policy, allowUserConsentForRiskyApps=True)
    found = exposure(before, with_sections(before, authorizationPolicy=off), APP)
    opened = names(found.classes[AppClass.UNVERIFIED].opened)
    assert "Mail.Read" in opened and "openid" not in opened
    assert found.classes[AppClass.VERIFIED].is_empty and found.classes[AppClass.OWN].is_empty
    assert "would no longer protect users from unverified apps" in found.summary


def test_a_stricter_setting_opens_nothing_and_says_what_closes() -> None:
    before = full("legacy-open")
    found = exposure(before, assigned(before, POLICY_LOW), APP)
    assert all(not one.opened for one in found.classes.values()) and found.weight == 0
    assert found.summary == "Nothing for other apps. Users could no longer consent to 166 scopes for any app."


def test_a_policy_that_cannot_be_read_is_counted_apart_as_not_known() -> None:
    before = full("consent-off")
    found = exposure(before, assigned(before, "somebody-deleted-it"), APP)
    one = found.classes[AppClass.UNVERIFIED]
    assert not one.opened and "Mail.Read" in names(one.not_known)
    assert found.weight > 0, "what may open weighs as much as what does"
    assert "for any app is not known" in found.summary


def test_what_was_unknown_before_and_hangs_on_the_same_facts_is_no_change() -> None:
    before = assigned(full("consent-off"), "somebody-deleted-it")
    one_more = with_policy(before, "one", LISTS)
    found = exposure(before, assigned(one_more, "one", keep=True), APP)
    assert nothing_for_others(found)
    assert names(found.classes[AppClass.THIS].opened) == {"Mail.ReadWrite", "Mail.Send"}


def test_the_published_table_stands_in_for_scopes_that_were_not_read_and_the_notes_say_so() -> None:
    before = with_principal(full("consent-off"), EXCHANGE_ONLINE, oauth2PermissionScopes=None)
    found = exposure(before, assigned(before, POLICY_LEGACY), APP)
    exchange = {r.scope for r in found.classes[AppClass.OWN].opened if r.resource == EXCHANGE_ONLINE}
    assert "EWS.AccessAsUser.All" in exchange
    assert "The scopes of Office 365 Exchange Online were not read; the published list is used instead." in found.notes
    assert "The scopes of other resources were not read and are not counted." in found.notes


def test_where_publishers_cannot_be_verified_there_is_no_such_class() -> None:
    before = msgspec.structs.replace(full("low-unclassified"), cloud="us-gov")
    scope = known_scopes(MICROSOFT_GRAPH)["mail.read"]
    found = exposure(before, classified(before, MICROSOFT_GRAPH, scope.id), APP)
    assert found.classes[AppClass.VERIFIED].is_empty
    assert names(found.classes[AppClass.OWN].opened) == {"Mail.Read"}
    assert "verified publisher" not in found.summary


def test_where_publishers_cannot_be_verified_none_that_a_policy_names_gets_anything() -> None:
    before = msgspec.structs.replace(full("consent-off"), cloud="us-gov")
    one = ConditionSet(clientApplicationPublisherIds=("1234567",), certifiedClientApplicationsOnly=False)
    for cloud, opens in (("us-gov", False), ("global", True)):
        here = msgspec.structs.replace(before, cloud=cloud)
        found = exposure(here, assigned(with_policy(here, "one", one), "one"), APP)
        assert bool(found.classes[AppClass.NAMED].opened) is opens


def test_the_managed_default_opens_less_than_the_open_setting() -> None:
    before = full("consent-off")
    managed = exposure(before, assigned(before, POLICY_RECOMMENDED), APP)
    legacy = exposure(before, assigned(before, POLICY_LEGACY), APP)
    assert 0 < managed.weight < legacy.weight
    unverified = AppClass.UNVERIFIED
    excluded = set(legacy.classes[unverified].opened) - set(managed.classes[unverified].opened)
    on_graph = {ref.scope for ref in excluded if ref.resource == MICROSOFT_GRAPH}
    assert {"Mail.Read", "Chat.Read", "People.Read"} <= on_graph
    assert "Mail.Send" not in on_graph


def test_the_report_holds_every_scope_by_name_and_only_what_changes() -> None:
    before = full("low-unclassified")
    scope = known_scopes(MICROSOFT_GRAPH)["mail.read"]
    opens = as_opens(exposure(before, classified(before, MICROSOFT_GRAPH, scope.id), APP))
    assert json.loads(msgspec.json.encode(opens)) == opens
    assert opens["consent_policy_changes"] is False
    assert (
        {"verified-publisher", "own-tenant"}
        <= set(opens["by_class"])
        <= {"verified-publisher", "own-tenant", "this-app"}
    )
    assert opens["by_class"]["own-tenant"] == {
        "opened": {"Microsoft Graph": ["Mail.Read"]},
        "closed": {},
        "not_known": {},
        "by_kind": {"mail": 1},
    }
    assert opens["weight"] == 2 * 2 + 2 * 1
    assert "own view" in opens["weighed_by"]


@pytest.mark.parametrize("setting", [POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED])
def test_800_scopes_take_no_more_than_a_few_hundred_verdicts(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, they would be 821 scopes × 4 classes × 2 sides; a scope's group is asked once."""
    asked = 0

    def counted(permission: Permission, client: Client, policies: tuple[GoverningPolicy, ...]) -> Approval:
        nonlocal asked
        asked += 1
        return approval(permission, client, policies)

    monkeypatch.setattr("auditor.fixes.exposure_openings.approval", counted)
    before = full("managed-default")
    exposure(before, assigned(before, setting), APP)
    assert asked <= 300
