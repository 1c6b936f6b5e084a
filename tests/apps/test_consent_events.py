"""What the directory's audit log says about consents: who gave which, and which were refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.apps.consent_events import ConsentActivity, ConsentEvent, ConsentResult, consent_events
from auditor.model.access_resources import DirectoryAudit
from auditor.model.resources import ServicePrincipal
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant
from tests.apps.log_entries import APP, GRAPH_OBJECT, OBJECT, USER, consent, grant_added, log_entry, refused

_BLOCKED = "Microsoft.Online.Security.UserConsentBlockedForRiskyAppsException"


def events(*entries: DirectoryAudit, apps: tuple[ServicePrincipal, ...] = ()) -> tuple[ConsentEvent, ...]:
    sections = Sections(directoryAudits=entries, servicePrincipals=apps)
    return consent_events(Snapshot(tenant=Tenant(id="t"), sections=sections))


def event(entry: DirectoryAudit, **more: Any) -> ConsentEvent:
    (found,) = events(entry, **more)
    return found


def test_a_users_own_consent_names_the_app_the_person_and_the_scopes() -> None:
    found = event(consent("openid User.Read Mail.Read", before="openid", correlationId="7122DA99-E242"))
    assert (found.client_id, found.object_id, found.name) == (APP, OBJECT, "TrackerRMS")
    assert found.actor is not None and (found.actor.id, found.actor.name) == (USER, "AlexW@contoso.example")
    assert (found.is_admin_consent, found.is_for_all, found.for_user) == (False, False, USER)
    assert (found.scopes, found.held_before) == (("openid", "User.Read", "Mail.Read"), ("openid",))
    assert (found.result, found.resource) == (ConsentResult.GIVEN, GRAPH_OBJECT)
    assert found.correlation_id == "7122da99-e242"


def test_an_admins_consent_can_be_for_everyone_or_for_the_admin_alone() -> None:
    for_all = event(consent(admin="True", for_all="True"))
    alone = event(consent(admin="True"))
    assert [(one.is_admin_consent, one.is_for_all) for one in (for_all, alone)] == [(True, True), (True, False)]


def test_what_an_entry_does_not_say_is_unknown() -> None:
    found = event(log_entry("Consent to application", {}, target=OBJECT))
    assert (found.is_admin_consent, found.is_for_all, found.scopes) == (None, None, None)
    assert event(consent(permissions="[] => []; ")).scopes is None
    assert event(consent(admin="", for_all="")).is_admin_consent is None


@pytest.mark.parametrize(
    ("reason", "result"),
    [
        pytest.param(_BLOCKED, ConsentResult.RISKY_BLOCKED, id="name of the exception"),
        pytest.param("Risky application detected", ConsentResult.RISKY_BLOCKED, id="words of the documentation"),
        pytest.param("Microsoft.Online.Security.UserConsentDeniedException", ConsentResult.REFUSED, id="another"),
        pytest.param("", ConsentResult.REFUSED, id="no reason"),
    ],
)
def test_a_consent_that_failed_is_refused_or_blocked_as_risky(reason: str, result: ConsentResult) -> None:
    found = event(refused(reason))
    assert (found.result, found.reason, found.scopes) == (result, reason, None)


def test_the_reason_can_be_one_of_the_properties() -> None:
    entry = log_entry(
        "Consent to application",
        {"ConsentAction.Reason": "Risky application detected"},
        target=OBJECT,
        result="failure",
    )
    assert event(entry).result is ConsentResult.RISKY_BLOCKED


def test_a_grant_names_its_resource_first_and_says_nothing_about_an_admin_unless_it_is_for_everyone() -> None:
    found = event(grant_added(" openid Mail.Read"))
    assert (found.activity, found.client_id, found.object_id) == (ConsentActivity.GRANT, APP, OBJECT)
    assert (found.resource, found.scopes) == (GRAPH_OBJECT, ("openid", "Mail.Read"))
    assert (found.is_for_all, found.is_admin_consent) == (True, True)
    own = event(grant_added(properties={"DelegatedPermissionGrant.ConsentType": "Principal"}))
    assert (own.is_for_all, own.is_admin_consent) == (False, None)


def test_an_app_role_is_granted_by_an_admin() -> None:
    entry = log_entry(
        "Add app role assignment to service principal",
        {"AppRole.Value": "Mail.Read", "ServicePrincipal.ObjectID": OBJECT, "ServicePrincipal.DisplayName": "Evo"},
        target=GRAPH_OBJECT,
        second=OBJECT,
    )
    assert event(entry).name == "Evo"
    found = event(entry, apps=(ServicePrincipal(appId=APP.upper(), id=OBJECT, displayName="TrackerRMS"),))
    assert (found.client_id, found.name, found.scopes) == (APP, "TrackerRMS", ("Mail.Read",))
    assert (found.is_admin_consent, found.resource) == (True, GRAPH_OBJECT)


def test_the_app_is_found_by_its_object_id_where_the_entry_names_no_client_id() -> None:
    entry = consent(names="https://evo.example")
    assert event(entry).client_id == ""
    assert event(entry, apps=(ServicePrincipal(appId=APP, id=OBJECT.upper()),)).client_id == APP


def test_events_are_in_the_order_of_their_times_and_other_activities_are_none() -> None:
    late, early = consent(at="2026-11-20T00:00:00Z"), grant_added(at="2026-11-19T00:00:00Z")
    other = log_entry("Update service principal", {}, target=OBJECT)
    found = events(late, other, early, consent(at="yesterday"))
    assert [one.activity for one in found] == [ConsentActivity.GRANT, ConsentActivity.CONSENT]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_an_entry_of_any_form_gives_an_event(value: Any) -> None:
    targets = ({"id": value, "modifiedProperties": [{"displayName": "ConsentAction.Permissions", "newValue": value}]},)
    entry = DirectoryAudit(
        activityDateTime="2026-11-20T00:00:00Z",
        activityDisplayName="Consent to application",
        targetResources=targets,
        additionalDetails=({"key": "AppId", "value": value},),
        initiatedBy={"user": value},
    )
    assert event(entry).scopes is None
