"""Examples: what changes for the users of the one app that a fix is for."""

from __future__ import annotations

import msgspec
import pytest

from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_LOW
from auditor.facts.permissions import known_scopes
from auditor.fixes.exposure import Breadth, exposure
from auditor.fixes.exposure_classes import AppClass
from auditor.model.resources import AppRoleAssignment, VerifiedPublisher
from tests.fixes.exposure.changes import (
    APP,
    LISTS,
    assigned,
    classified,
    created,
    full,
    names,
    nothing_for_others,
    object_id,
    with_grant,
    with_policy,
    with_principal,
    with_sections,
)


def test_an_administrators_grant_opens_nothing_but_the_use_of_this_app() -> None:
    before = full("managed-default")
    there = created(before)
    graph = object_id(before, MICROSOFT_GRAPH)
    found = exposure(before, with_grant(there, object_id(there, APP.client_id), graph, "openid Mail.Send"), APP)
    assert nothing_for_others(found) and found.classes[AppClass.THIS].is_empty
    assert names(found.use.granted) == {"openid", "Mail.Send"}
    assert found.breadth is Breadth.EVERYBODY
    assert found.summary == (
        "Nothing for other apps. Every user of the tenant could use TrackerRMS with 2 more scopes:"
        " mail (1), sign-in and profile (1)."
    )


def test_a_grant_for_one_user_is_narrower_than_one_for_everybody() -> None:
    before = full("admin-consented-partly")
    app, graph = object_id(before, APP.client_id), object_id(before, MICROSOFT_GRAPH)
    found = exposure(before, with_grant(before, app, graph, "Mail.Send", principal="somebody"), APP)
    assert (found.breadth, found.use.users, found.use.granted) == (Breadth.NAMED, 1, ())
    assert "1 user could use TrackerRMS with more scopes, granted only to them." in found.summary


def test_only_the_scopes_that_a_grant_did_not_hold_are_more() -> None:
    before = full("admin-consented-partly")
    app, graph = object_id(before, APP.client_id), object_id(before, MICROSOFT_GRAPH)
    after = with_grant(before, app, graph, " MAIL.SEND  Mail.Read openid mail.read")
    had = " ".join(row.scope for row in before.sections.oauth2PermissionGrants or ()).lower().split()
    assert {n.lower() for n in names(exposure(before, after, APP).use.granted)} == {
        s for s in ("mail.send", "mail.read", "openid") if s not in had
    }


def test_switching_sign_in_on_brings_earlier_grants_back() -> None:
    before = full("app-disabled")
    found = exposure(before, with_principal(before, APP.client_id, accountEnabled=True), APP)
    assert nothing_for_others(found)
    assert found.use.switched_on and len(found.use.reached) == 9 and not found.use.granted
    assert "Every user of the tenant could use TrackerRMS again with 9 scopes granted before: mail" in found.summary


def test_dropping_the_assignment_lets_everybody_in() -> None:
    before = full("assignment-required")
    found = exposure(before, with_principal(before, APP.client_id, appRoleAssignmentRequired=False), APP)
    assert nothing_for_others(found)
    assert found.use.opened_to_all and found.breadth is Breadth.EVERYBODY
    assert "could use TrackerRMS, not only those assigned to it" in found.summary


def test_a_grant_reaches_only_those_assigned_where_assignment_is_required() -> None:
    before = full("assignment-required")
    app, graph = object_id(before, APP.client_id), object_id(before, MICROSOFT_GRAPH)
    found = exposure(before, with_grant(before, app, graph, "Mail.Send"), APP)
    assert found.breadth is Breadth.ASSIGNED
    assert "Every user who is assigned to it could use TrackerRMS" in found.summary


def test_assigning_somebody_is_counted() -> None:
    before = full("assignment-required")
    section = before.sections.appRoleAssignedTo or {}
    entry = AppRoleAssignment(principalId="somebody new", principalType="User")
    more = {key: (*entries, entry) for key, entries in section.items()}
    found = exposure(before, with_sections(before, appRoleAssignedTo=more), APP)
    assert (found.use.assigned, found.breadth) == (1, Breadth.NAMED)
    assert "1 more user or group could use TrackerRMS." in found.summary


def test_users_can_then_consent_to_an_app_that_was_off_or_only_for_those_assigned() -> None:
    for name, property_, value in (
        ("app-disabled", "accountEnabled", True),
        ("assignment-required", "appRoleAssignmentRequired", False),
    ):
        before = full(name)
        after = with_principal(before, APP.client_id, **{property_: value})
        assert "Mail.Send" in names(exposure(before, after, APP).classes[AppClass.THIS].opened)
        assert "Mail.Send" in names(exposure(after, before, APP).classes[AppClass.THIS].closed)


def test_a_policy_opens_nothing_to_an_app_that_is_only_for_those_assigned() -> None:
    before = assigned(full("assignment-required"))
    found = exposure(before, assigned(with_policy(before, "one", LISTS), "one"), APP)
    assert found.classes[AppClass.THIS].is_empty and found.breadth is Breadth.NOBODY


def test_a_verified_publisher_opens_what_the_tenant_classified_as_low() -> None:
    before = full("low-unclassified")
    before = classified(before, MICROSOFT_GRAPH, known_scopes(MICROSOFT_GRAPH)["mail.read"].id)
    there = created(before)
    unverified = with_principal(there, APP.client_id, verifiedPublisher=VerifiedPublisher())
    verified = with_principal(there, APP.client_id, verifiedPublisher=VerifiedPublisher(verifiedPublisherId="1"))
    found = exposure(unverified, verified, APP)
    assert names(found.classes[AppClass.THIS].opened) == {"Mail.Read"}
    assert nothing_for_others(found)


@pytest.mark.parametrize("verified", [True, False])
def test_a_service_principal_that_was_just_created_says_no_more_than_the_vendor_stated(verified: bool) -> None:
    before = assigned(full("managed-default"), POLICY_LOW)
    before = classified(before, MICROSOFT_GRAPH, known_scopes(MICROSOFT_GRAPH)["mail.read"].id)
    stated = msgspec.structs.replace(APP, publisher_verified=verified, owner_tenant="the vendor's tenant")
    assert exposure(before, created(before), stated).is_empty
