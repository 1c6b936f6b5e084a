"""R1 and R3: the links that are opened, and the grants that are made."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from auditor.consent.advice import browser_redirect_uri
from auditor.consent.decision_facts import gather
from auditor.consent.snapshot_index import SnapshotIndex
from auditor.consent.subject import ORDINARY_MEMBER
from auditor.facts.ids import EXCHANGE_ONLINE
from auditor.fixes import fixes_for
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App, RequestMode, ScopeNeed
from auditor.snapshot.samples import sample
from tests.fixes.tenants import (
    ALICE,
    APP,
    ROLES_FOR_USERS,
    by_key,
    fixes_in,
    with_assigned,
    with_client,
    with_sections,
)

PUBLISHED = msgspec.structs.replace(
    APP, scopes=tuple(msgspec.structs.replace(need, assumed=False) for need in APP.scopes)
)


REGISTERED = msgspec.structs.replace(PUBLISHED, mode=RequestMode.REGISTERED)


def test_the_link_holds_this_tenant_the_app_and_its_redirect_uri() -> None:
    link = by_key("managed-default", REGISTERED)["R1"].link
    tenant = sample("managed-default").tenant.id
    assert link == (
        f"https://login.microsoftonline.com/{tenant}/adminconsent?client_id=5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
        "&redirect_uri=https://ukevo.tracker-rms.com/Office365/CallBack"
    )


def test_the_other_link_names_every_scope_with_its_resource() -> None:
    mixed = msgspec.structs.replace(
        APP, scopes=(*APP.scopes, ScopeNeed(resource=EXCHANGE_ONLINE, value="EWS.AccessAsUser.All"))
    )
    address = urlsplit(by_key("managed-default", mixed)["R1-scopes"].link)
    query = parse_qs(address.query, strict_parsing=True)
    assert address.path == f"/{sample('managed-default').tenant.id}/v2.0/adminconsent"
    scopes = query["scope"][0].split()
    assert {"openid", "offline_access", "https://graph.microsoft.com/Mail.ReadWrite"} <= set(scopes)
    assert "https://outlook.office365.com/EWS.AccessAsUser.All" in scopes
    assert "https://graph.microsoft.com/MailboxSettings.Read" not in scopes
    assert query["redirect_uri"] == ["https://ukevo.tracker-rms.com/Office365/CallBack"]


def test_the_other_link_needs_a_redirect_uri() -> None:
    without = msgspec.structs.replace(APP, redirect_uris=())
    assert "R1-scopes" not in by_key("managed-default", without)
    assert "redirect_uri" not in by_key("managed-default", without)["R1"].link


@pytest.mark.parametrize(
    ("own", "registered", "chosen"),
    [
        pytest.param((), ("https://a.example/cb",), "https://a.example/cb", id="a reply URL"),
        pytest.param(("https://b.example/cb",), None, "https://b.example/cb", id="the pack's, nothing read"),
        pytest.param(
            ("https://b.example/cb",), ("https://a.example", "https://B.example/cb"), "https://B.example/cb", id="both"
        ),
        pytest.param(
            ("msauth.app://auth",), ("msauth.app://auth", "https://a.example"), "https://a.example", id="own scheme"
        ),
        pytest.param((), ("http://localhost", "https://a.example"), "https://a.example", id="localhost comes last"),
        pytest.param((), ("urn:ietf:wg:oauth:2.0:oob", "http://localhost"), "http://localhost", id="localhost"),
        pytest.param((), ("urn:ietf:wg:oauth:2.0:oob", "brk-multihub://x"), "", id="none that a browser opens"),
        pytest.param((), ("https://*.a.example/cb", "https://[half"), "", id="a pattern and a malformed one"),
    ],
)
def test_the_redirect_uri_is_one_that_is_registered_and_that_a_browser_can_open(
    own: tuple[str, ...], registered: tuple[str, ...] | None, chosen: str
) -> None:
    app = msgspec.structs.replace(PUBLISHED, redirect_uris=own)
    tenant = with_client(sample("admin-consented-partly"), replyUrls=registered)
    assert browser_redirect_uri(gather(tenant, app, ORDINARY_MEMBER)) == chosen
    offered = fixes_in(tenant, app)
    assert ("R1-scopes" in offered) == bool(chosen)
    assert "R3" in offered and "R1" not in offered


def test_the_other_link_keeps_what_is_granted_already() -> None:
    link = by_key("admin-consented-partly")["R1-scopes"].link
    (row,) = sample("admin-consented-partly").sections.oauth2PermissionGrants or ()
    scopes = {one.rpartition("/")[2].lower() for one in parse_qs(urlsplit(link).query)["scope"][0].split()}
    assert {one.lower() for one in row.scope.split()} <= scopes


@pytest.mark.parametrize(
    "without_effect",
    [
        pytest.param(".default", id="a word of requests"),
        pytest.param("user_impersonation", id="a scope of another API"),
        pytest.param("Mail.Reed", id="a typo"),
        pytest.param("e1fe6dd8-ba31-4d61-89e7-88639da4683d", id="the id of a permission"),
        pytest.param("00000003-0000-0000-c000-000000000000/User.Read", id="the resource and its scope"),
    ],
)
def test_neither_the_link_nor_the_grant_repeats_a_name_that_the_resource_does_not_have(without_effect: str) -> None:
    """Entra refuses a request for such a name (AADSTS650053, AADSTS70011); a grant holds it without effect."""
    tenant = sample("admin-consented-partly")
    (row,) = tenant.sections.oauth2PermissionGrants or ()
    row = msgspec.structs.replace(row, scope=f"{row.scope} {without_effect}")
    fixes = fixes_in(with_sections(tenant, oauth2PermissionGrants=(row,)))
    assert fixes["R1-scopes"].link == by_key("admin-consented-partly")["R1-scopes"].link
    (request,) = fixes["R3"].steps.graph
    assert without_effect not in str((request.body or {})["scope"]).split()


def test_an_app_that_names_its_scopes_gets_the_link_that_names_them_first() -> None:
    """Source: Otter, help article 26338981397783: the registration can list less than the app requests."""
    assert list(by_key("managed-default"))[:3] == ["R1-scopes", "R3", "R1"]
    assert list(by_key("managed-default", PUBLISHED))[:2] == ["R1-scopes", "R3"]
    assert "R1" not in by_key("managed-default", PUBLISHED)


def test_a_consent_that_left_scopes_out_is_not_offered_again() -> None:
    assert "R1" not in by_key("admin-consented-partly")
    assert next(iter(by_key("admin-consented-partly"))) == "R1-scopes"


def test_the_registrations_list_is_a_caveat_if_the_app_names_its_scopes() -> None:
    dynamic = by_key("managed-default")
    assert dynamic["R1"].proven.confidence == "likely"
    assert "registration" in dynamic["R1"].proven.doubts[0]
    assert dynamic["R1-scopes"].proven.confidence == "certain"
    assert by_key("managed-default", REGISTERED)["R1"].proven.confidence == "certain"


@pytest.mark.parametrize("app", [pytest.param(APP, id="named"), pytest.param(REGISTERED, id="registered")])
def test_what_the_vendor_registered_is_never_stated_as_a_fact(app: App) -> None:
    opens = by_key("managed-default", app)["R1"].opens
    assert "its registration lists" in opens["summary"]
    assert "more scope" not in opens["summary"]
    assert (opens["granted"], opens["breadth"]) == ({}, "everybody")


def test_every_link_says_that_the_page_after_it_may_be_an_error() -> None:
    for fix in by_key("managed-default").values():
        assert bool(fix.link) == any("may be an error" in step for step in fix.steps.portal)


def test_the_portals_button_is_named_only_where_the_app_is_listed() -> None:
    assert not any("Grant admin consent" in step for step in by_key("managed-default", REGISTERED)["R1"].steps.portal)
    listed = with_client(sample("admin-consented-partly"), displayName="Tracker (UK)")
    static = msgspec.structs.replace(REGISTERED, prompt_consent=False)
    (step,) = (step for step in fixes_in(listed, static)["R1"].steps.portal if "Grant admin consent" in step)
    assert "All applications > Tracker (UK) >" in step


def test_an_existing_grant_is_extended_with_its_complete_new_string_and_restored_to_the_letter() -> None:
    fix = by_key("admin-consented-partly")["R3"]
    (request,), (undo,) = fix.steps.graph, fix.undo_graph
    (row,) = sample("admin-consented-partly").sections.oauth2PermissionGrants or ()
    assert (request.method, undo.method, request.url) == ("PATCH", "PATCH", undo.url)
    scopes = str((request.body or {})["scope"]).split()
    assert {"Contacts.ReadWrite", "Mail.Send", "Mail.ReadWrite"} <= set(scopes)
    assert len(scopes) == len({s.lower() for s in scopes})
    assert (undo.body or {})["scope"] == row.scope
    assert f'"{row.scope}"' in fix.undo


def test_a_new_grant_is_deleted_by_the_id_that_its_creation_returned() -> None:
    fix = by_key("managed-default")["R3"]
    assert [r.returns for r in fix.steps.graph] == ["{object id of the new service principal}", "{id of the new grant}"]
    assert [r.url.partition("/v1.0")[2] for r in fix.undo_graph] == [
        "/oauth2PermissionGrants/{id of the new grant}",
        "/servicePrincipals/{object id of the new service principal}",
    ]


def test_a_grant_that_was_read_without_its_id_is_named_by_the_id_that_graph_gives_it() -> None:
    snapshot = sample("admin-consented-partly")
    (row,) = snapshot.sections.oauth2PermissionGrants or ()
    nameless = msgspec.structs.replace(row, id=None)
    (request,) = fixes_in(with_sections(snapshot, oauth2PermissionGrants=(nameless,)))["R3"].steps.graph
    assert len(request.url.rpartition("/")[2]) == 43


def test_the_grant_itself_is_not_offered_where_existing_grants_were_not_read() -> None:
    found = fixes_in(with_sections(sample("admin-consented-partly"), oauth2PermissionGrants=None))
    assert "R3" not in found
    assert found["R1-scopes"].undo_graph == ()


def test_one_user_is_granted_and_assigned_and_nobody_else_is_touched() -> None:
    closed = with_sections(with_assigned(sample("assignment-required")), appRoleAssignedTo={APP.client_id: ()})
    fix = fixes_in(closed, subject=ALICE)["R3-user"]
    grant, assignment = fix.steps.graph
    assert (grant.body or {})["consentType"] == "Principal"
    assert (grant.body or {})["principalId"] == (assignment.body or {})["principalId"] == ALICE.user_id
    assert (assignment.body or {})["appRoleId"] == "00000000-0000-0000-0000-000000000000"


def test_a_users_own_grant_is_extended_and_others_are_left_alone() -> None:
    snapshot = with_assigned(sample("admin-consented-partly"))
    (row,) = snapshot.sections.oauth2PermissionGrants or ()

    def own(user: str) -> OAuth2PermissionGrant:
        changes = {"consentType": "Principal", "principalId": user, "id": f"of-{user}", "scope": " User.Read"}
        return msgspec.structs.replace(row, **changes)

    rows = (own("somebody else"), own(str(ALICE.user_id)))
    (request,) = fixes_in(with_sections(snapshot, oauth2PermissionGrants=rows), subject=ALICE)["R3-user"].steps.graph
    assert request.url.endswith(f"/of-{ALICE.user_id}")
    assert str((request.body or {})["scope"]).startswith("User.Read ")


def test_an_app_with_several_roles_leaves_the_choice_to_the_administrator() -> None:
    closed = with_sections(with_assigned(sample("assignment-required")), appRoleAssignedTo={APP.client_id: ()})
    fix = fixes_in(with_client(closed, appRoles=ROLES_FOR_USERS), subject=ALICE)["R3-user"]
    assert (fix.steps.graph[-1].body or {})["appRoleId"] == "{id of the app role to assign}"
    assert "Reader" in fix.fill_in[0]
    (one, _) = ROLES_FOR_USERS
    fix = fixes_in(with_client(closed, appRoles=(one,)), subject=ALICE)["R3-user"]
    assert (fix.steps.graph[-1].body or {})["appRoleId"] == one.id


def test_the_grants_are_not_gone_through_again_for_every_app_of_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    grants_of = SnapshotIndex.grants_of

    def counted(*given: Any) -> Any:
        looks[-1] += 1
        return grants_of(*given)

    monkeypatch.setattr(SnapshotIndex, "grants_of", counted)
    for number in (1, 50):
        more = tuple(ServicePrincipal(id=f"sp-{n}", appId=f"app-{n}") for n in range(number))
        tenant = sample("admin-consented-partly")
        looks.append(0)
        fixes_for(with_sections(tenant, servicePrincipals=(*(tenant.sections.servicePrincipals or ()), *more)), APP)
    assert looks[0] == looks[1] > 0
