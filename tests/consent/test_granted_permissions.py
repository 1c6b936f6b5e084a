"""The list of what apps were granted: whole, in names, in one order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.consent.granted_permissions import app_as_granted, granted
from auditor.consent.requested_scopes import app_from_scopes
from auditor.consent.sign_in_address import request_from_url
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.access_resources import LastSignIn, SignInActivity
from auditor.model.report import AbusedApp, AbusedAppsList, Audience, Granted, GrantKind, GrantRow, KnownAbuse
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal, User
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample, sample_names

CONNECTED = sample("admin-consented")
PRINCIPALS = {p.appId: p for p in CONNECTED.sections.servicePrincipals or ()}
GRAPH_SP = PRINCIPALS[MICROSOFT_GRAPH]
SOMEBODY = "8d0c8a51-95d1-4b09-8f62-0f0ad1bd6c11"


def having(**sections: Any) -> Snapshot:
    """The connected tenant with other sections, its whole directory read."""
    changed = msgspec.structs.replace(CONNECTED.sections, **sections)
    return msgspec.structs.replace(CONNECTED, sections=changed, covers={})


def found(snapshot: Snapshot) -> Granted:
    """What was granted, where something was read."""
    result = granted(snapshot)
    assert result is not None
    return result


def delegated(scope: str, client: str = "gone", principal: str = "") -> OAuth2PermissionGrant:
    """A grant on Microsoft Graph."""
    kind = "Principal" if principal else "AllPrincipals"
    return OAuth2PermissionGrant(
        clientId=client, resourceId=GRAPH_SP.id, consentType=kind, scope=scope, principalId=principal or None
    )


def test_nothing_is_said_where_no_grants_were_read() -> None:
    assert granted(having(oauth2PermissionGrants=None, appRoleAssignedTo=None)) is None


def test_no_grants_is_an_answer() -> None:
    assert found(having(oauth2PermissionGrants=(), appRoleAssignedTo=None)) == Granted(rows=(), whole=True)


def test_an_app_that_is_gone_goes_by_its_object_id() -> None:
    (row,) = found(
        having(oauth2PermissionGrants=(delegated(" Mail.Read  openid Mail.Read"),), appRoleAssignedTo={})
    ).rows
    assert (row.client_id, row.client_name, row.verified, row.enabled) == ("gone", "", None, None)
    assert row.permissions == ("Mail.Read", "openid")
    assert row.resource_name == "Microsoft Graph"


SPARK = "b50c1dbd-1855-4e54-b07c-d3c3029e93d3"


def nameless(app_id: str) -> Snapshot:
    """The tenant with one app to which the tenant gives no name, and a grant that it holds."""
    app = ServicePrincipal(id="nameless", appId=app_id)
    return having(
        servicePrincipals=(*PRINCIPALS.values(), app),
        oauth2PermissionGrants=(delegated("Mail.Send", "nameless"),),
        appRoleAssignedTo={},
    )


def test_an_app_without_a_name_goes_by_the_one_that_is_known_for_its_client_id() -> None:
    for app_id, name in ((SPARK.upper(), "Spark"), (SOMEBODY, "")):
        (row,) = found(nameless(app_id)).rows
        assert (row.client_id, row.client_name) == (app_id, name)
    assert app_as_granted(nameless(SPARK), SPARK).name == "Spark"


def test_an_app_of_the_command_line_or_an_address_goes_by_its_known_name_unless_it_has_another() -> None:
    asked = app_from_scopes(SPARK, "Mail.Send")
    assert (asked.name, app_from_scopes(SPARK, "Mail.Send", name="Mail").name) == ("Spark", "Mail")
    address = f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={SPARK}&scope=Mail.Send"
    assert request_from_url(address, lambda client_id, redirect_uri: None).app.name == "Spark"
    assert app_from_scopes(SOMEBODY, "Mail.Send").label == f"app {SOMEBODY}"


def test_a_users_grant_names_the_user_where_users_were_read() -> None:
    grant = delegated("Mail.Read", principal=SOMEBODY)
    (row,) = found(having(oauth2PermissionGrants=(grant,), appRoleAssignedTo={})).rows
    assert (row.audience, row.principal) == (Audience.USER, SOMEBODY)
    users = (User(id=SOMEBODY.upper(), userPrincipalName="kim@contoso.example"),)
    (row,) = found(having(oauth2PermissionGrants=(grant,), appRoleAssignedTo={}, users=users)).rows
    assert row.principal == "kim@contoso.example"


def test_app_roles_of_one_app_on_one_resource_are_one_row_and_people_hold_none() -> None:
    mail_read, unknown = "810c84a8-4a9e-49e6-bf7d-12d183f40d01", "0f0e0d0c-0b0a-4908-8706-050403020100"
    held = (
        AppRoleAssignment(principalId="APP-1", principalType="ServicePrincipal", appRoleId=mail_read),
        AppRoleAssignment(principalId="app-1", principalType="ServicePrincipal", appRoleId=unknown),
        AppRoleAssignment(principalId="person", principalType="User", appRoleId=mail_read),
    )
    (row,) = found(having(oauth2PermissionGrants=(), appRoleAssignedTo={MICROSOFT_GRAPH: held})).rows
    assert (row.kind, row.client_id) == (GrantKind.APPLICATION, "app-1")
    assert row.permissions == (unknown, "Mail.Read")


def test_a_list_that_was_read_for_some_apps_says_for_which() -> None:
    partly = msgspec.structs.replace(CONNECTED, covers={"oauth2PermissionGrants": ("one", "two")})
    assert (found(partly).whole, found(partly).covers) == (False, ("one", "two"))


@given(st.sampled_from(sample_names()), st.randoms(use_true_random=False))
def test_the_order_of_graphs_lists_does_not_matter(name: str, random: Any) -> None:
    snapshot = sample(name)
    shuffled = {}
    for section in ("oauth2PermissionGrants", "servicePrincipals"):
        rows = list(getattr(snapshot.sections, section) or ())
        random.shuffle(rows)
        shuffled[section] = tuple(rows)
    mixed = msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **shuffled))
    assert granted(mixed) == granted(snapshot)


def test_a_row_says_who_published_the_app_and_in_which_tenant_it_is_registered() -> None:
    (row,) = [one for one in found(CONNECTED).rows if one.client_name == "TrackerRMS"]
    there = next(p for p in PRINCIPALS.values() if p.displayName == "TrackerRMS")
    assert there.verifiedPublisher is not None
    assert (row.owner, row.verified) == (there.appOwnerOrganizationId, True)
    assert row.resource_name == "Microsoft Graph"
    (gone,) = found(having(oauth2PermissionGrants=(delegated("Mail.Read"),), appRoleAssignedTo=None)).rows
    assert (gone.owner, gone.verified) == ("", None)


def test_a_row_says_where_a_grant_is_inherited_or_the_app_inherits() -> None:
    """Other kinds of app say nothing: a grant is all that they hold (``agentIdentity`` of Microsoft Graph)."""
    client = PRINCIPALS[next(app for app in PRINCIPALS if app != MICROSOFT_GRAPH)]
    kinds = {"agentIdentity": "agent identity", "agentIdentityBlueprintPrincipal": "agent identity blueprint", None: ""}
    for kind, called in kinds.items():
        changed = msgspec.structs.replace(client, odataType=kind)
        grants = (delegated("Mail.Read", client=client.id),)
        (row,) = found(
            having(servicePrincipals=(changed, GRAPH_SP), oauth2PermissionGrants=grants, appRoleAssignedTo=None)
        ).rows
        assert row.client_kind == called


EM_CLIENT = "e9a7fea1-1cc0-4cd9-a31b-9137ca5deedd"


def of_one_app(created: str | None = None, **sections: Any) -> GrantRow:
    """The only grant, which is to a listed app, in a tenant read on 2026-11-22."""
    app = ServicePrincipal(id="object", appId=EM_CLIENT.upper(), displayName="Mail", createdDateTime=created)
    principals = (app, GRAPH_SP)
    rows = (delegated("Mail.Read", "object"),)
    (row,) = found(having(oauth2PermissionGrants=rows, servicePrincipals=principals, **sections)).rows
    return row


def test_a_listed_app_is_marked_by_its_client_id_whatever_its_name_and_your_own_list_comes_first() -> None:
    assert of_one_app().abused is KnownAbuse.LEGITIMATE
    own = AbusedAppsList(name="own", digest="", read="2026-11-01", apps=(AbusedApp(client_id=EM_CLIENT),))
    rows = (delegated("Mail.Read", "object"),)
    app = ServicePrincipal(id="object", appId=EM_CLIENT)
    found_by_own = granted(having(oauth2PermissionGrants=rows, servicePrincipals=(app,)), abused=[own])
    assert found_by_own is not None
    assert [row.abused for row in found_by_own.rows if row.client_id == EM_CLIENT] == [KnownAbuse.MALICIOUS]


def used(at: str | None) -> dict[str, Any]:
    """The section of last uses with one entry, of the app."""
    return {
        "servicePrincipalSignInActivities": (
            SignInActivity(appId=EM_CLIENT, lastSignInActivity=LastSignIn(lastSignInDateTime=at)),
        )
    }


@pytest.mark.parametrize(
    ("row", "last", "unused"),
    [
        pytest.param(of_one_app(), None, None, id="not read"),
        pytest.param(of_one_app(**used("2026-11-01T00:00:00Z")), "2026-11-01T00:00:00Z", False, id="used lately"),
        pytest.param(of_one_app(**used("2026-08-01T00:00:00Z")), "2026-08-01T00:00:00Z", True, id="used long ago"),
        pytest.param(of_one_app("2025-01-01T00:00:00Z", **used(None)), "", True, id="an old app that was never used"),
        pytest.param(of_one_app("2026-11-20T00:00:00Z", **used(None)), "", False, id="a new app that was never used"),
        pytest.param(of_one_app(servicePrincipalSignInActivities=()), "", None, id="never used, of unknown age"),
    ],
)
def test_an_app_is_unused_only_if_that_was_read(row: GrantRow, last: str | None, unused: bool | None) -> None:
    assert (row.last_sign_in, row.unused) == (last, unused)
