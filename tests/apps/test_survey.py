"""A survey says of each app whether users can connect it, what it holds, and what an assumption would change."""

from __future__ import annotations

import msgspec
import pytest

from auditor.apps.asked_scopes import Description
from auditor.apps.logged_events import EventLogs
from auditor.apps.survey import KnownApps, survey
from auditor.checks.app_filter import Apps
from auditor.checks.grants import DelegatedGrants
from auditor.compare.enterprise_app_changes import name_of
from auditor.consent import Truth
from auditor.consent.decide import decide
from auditor.consent.granted_permissions import GrantNames, app_as_granted
from auditor.consent.requested_access import client_of
from auditor.consent.snapshot_index import index_of
from auditor.facts.abused_apps import shipped_list
from auditor.fixes.assumptions import AssumptionError
from auditor.model.access_resources import DirectoryAudit, LastSignIn, SignInActivity
from auditor.model.decision import AppOwner, Outcome
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import App, ScopeNeed
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant, Unread
from auditor.model.survey import (
    Approver,
    ConnectState,
    Filters,
    RiskLevel,
    ScopeSource,
    SeenIn,
    Survey,
    SurveyedApp,
)
from tests.apps.tenants_with_apps import (
    GRAPH,
    MICROSOFT,
    UNVERIFIED,
    Directory,
    app,
    client_id,
    failed,
    last_used,
    request,
)

CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The Azure CLI, whose client id Microsoft publishes."""
OWNER = "appOwnerOrganizationId"
MAIL_READ_ROLE = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"


def surveyed(snapshot: Snapshot, *assumptions: str, **filters: object) -> Survey:
    return survey(snapshot, KnownApps(), Filters(**filters), assumptions=assumptions)  # type: ignore[arg-type]  # by name


def only(found: Survey) -> SurveyedApp:
    (one,) = found.apps
    return one


def names(found: Survey) -> list[str]:
    return [one.name for one in found.apps]


# ---- What is surveyed, and by what ----------------------------------------------------------------------------------


def test_an_app_that_users_connected_before_the_setting_changed_stops_new_users() -> None:
    tenant = Directory().with_app(app(1, "Doodle"), alice="Calendars.ReadWrite User.Read", bob="Calendars.ReadWrite")
    found = only(surveyed(tenant.snapshot()))
    assert found.state is ConnectState.STOPPED
    assert found.can_connect is not None
    assert found.can_connect.approver is Approver.ADMINISTRATORS
    assert found.can_connect.stopped_by == "the consent policy excludes Calendars.ReadWrite"
    assert found.scopes_from == (ScopeSource.GRANTS,)
    assert (found.holds.users, found.holds.tenant_wide) == (2, ())


def test_the_answer_is_that_of_the_engine_for_what_was_granted() -> None:
    tenant = Directory().with_app(app(1, "Doodle"), alice="Calendars.ReadWrite User.Read").snapshot()
    found = only(surveyed(tenant)).can_connect
    decision = decide(tenant, app_as_granted(tenant, client_id(1)))
    assert found is not None
    assert (found.outcome, found.confidence, found.because) == (
        decision.outcome,
        decision.confidence,
        decision.because,
    )


def test_apps_are_microsofts_by_their_owner_and_your_own_are_marked() -> None:
    tenant = Directory()
    tenant.with_app(app(1, "Portal", owner=MICROSOFT), "Mail.Read")
    tenant.with_app(app(2, "Payroll", owner=tenant.tenant_id, publisher=UNVERIFIED), "Mail.Read")
    tenant.with_app(app(3, "Vendor"), "Mail.Read")
    found = surveyed(tenant.snapshot())
    assert {one.name: one.owner for one in found.apps} == {"Payroll": AppOwner.OWN, "Vendor": AppOwner.THIRD_PARTY}
    assert found.left_out.microsoft == 3  # Microsoft Graph and Exchange Online are in every tenant
    assert names(surveyed(tenant.snapshot(), third_party=True)) == ["Vendor"]
    assert names(surveyed(tenant.snapshot(), names=("portal",))) == ["Portal"]


def test_an_app_that_holds_nothing_and_that_nobody_waits_for_is_only_counted() -> None:
    found = surveyed(Directory().with_app(app(1, "Quiet")).snapshot())
    assert found.apps == ()
    assert found.left_out.without_access == 1


def test_requests_and_failed_sign_ins_bring_apps_that_the_tenant_doesnt_have() -> None:
    tenant = Directory().snapshot(
        appConsentRequests=(request(1, "Asked", "Mail.Read offline_access", "alice", "bob"),),
        signIns=(failed(2, "carol", name="Logged"), failed(2, "carol", at="2026-11-21T08:00:00Z"), failed(2, "dan")),
    )
    asked, logged = surveyed(tenant).apps
    assert (asked.name, asked.seen_in, asked.in_tenant) == ("Asked", (SeenIn.REQUESTS,), False)
    assert (asked.state, asked.scopes_from, asked.waiting.asking) == (ConnectState.STOPPED, (ScopeSource.REQUESTS,), 2)
    assert (logged.name, logged.seen_in, logged.waiting.failed) == ("Logged", (SeenIn.SIGN_INS,), 2)
    assert (logged.waiting.codes, logged.waiting.last) == ((90094,), "2026-11-21T08:00:00Z")
    assert logged.state is ConnectState.UNKNOWN
    assert logged.not_known["scopes"] == "no grant, request or pack says what the app asks for"


def test_sign_ins_that_failed_for_other_reasons_say_nothing_about_consent() -> None:
    assert surveyed(Directory().snapshot(signIns=(failed(1, "alice", code=50126),))).apps == ()


def test_a_user_who_left_the_page_was_not_stopped() -> None:
    log = (failed(1, "alice", code=65004, name="App"), failed(1, "bob", code=65001), failed(1, "carol", code=90094))
    found = only(surveyed(Directory().snapshot(signIns=log)))
    assert (found.waiting.failed, found.waiting.codes) == (1, (65001, 65004, 90094))


def test_an_app_on_the_list_of_known_abused_apps_comes_first_and_is_risky() -> None:
    listed = {entry.legitimate: entry for entry in shipped_list().apps}
    tenant = Directory("legacy-open").with_app(app(1, "Stopped", enabled=False), "User.Read")
    for number, is_legitimate in ((2, False), (3, True)):
        principal = app(number, f"Listed {number}")
        tenant.with_app(msgspec.structs.replace(principal, appId=listed[is_legitimate].client_id), "User.Read")
    found = {one.name: one for one in surveyed(tenant.snapshot()).apps}
    assert next(iter(found)) == "Listed 2"
    levels = {name: one.holds.risk.level for name, one in found.items() if one.holds.risk}
    assert levels == {"Listed 2": RiskLevel.HIGH, "Listed 3": RiskLevel.MEDIUM, "Stopped": RiskLevel.LOW}
    assert [one.abused.malicious for one in found.values() if one.abused] == [True, False]


def test_a_disabled_app_is_blocked_whatever_it_asks_for() -> None:
    tenant = Directory().with_app(app(1, "Off", enabled=False)).snapshot(signIns=(failed(1, "alice", code=7000112),))
    found = only(surveyed(tenant))
    assert found.state is ConnectState.STOPPED
    assert found.can_connect is not None
    assert (found.can_connect.approver, found.enabled) == (Approver.NOBODY, False)


def test_a_pack_says_what_an_app_asks_for_and_its_variant_is_the_one_that_was_granted() -> None:
    def variant(scopes: str) -> App:
        needs = tuple(ScopeNeed(resource=GRAPH, value=scope) for scope in scopes.split())
        return App(client_id=client_id(1), name="Mail client", scopes=needs)

    description = Description(
        ScopeSource.CATALOGUE, (("mail/imap", variant("User.Read")), ("mail/graph", variant("Mail.ReadWrite")))
    )
    tenant = Directory().with_app(app(1, "Mail client"), alice="Mail.ReadWrite openid")
    found = only(survey(tenant.snapshot(), KnownApps({client_id(1): description}), Filters()))
    assert (found.pack, found.scopes_from) == ("mail/graph", (ScopeSource.CATALOGUE,))
    assert found.state is ConnectState.STOPPED
    chosen = survey(Directory().snapshot(), KnownApps({client_id(1): description}, (client_id(1),)), Filters())
    assert (only(chosen).pack, only(chosen).in_tenant) == ("mail/imap", False)


def test_a_scope_that_its_resource_took_back_isnt_asked_for() -> None:
    tenant = Directory("legacy-open").with_app(app(1, "Old"), alice="User.Read Mail.Invented")
    found = only(surveyed(tenant.snapshot()))
    assert [name for one in found.scopes for name in one.names] == ["User.Read"]
    assert found.state is ConnectState.CONNECTS


# ---- What apps hold -------------------------------------------------------------------------------------------------


def test_an_app_with_application_permissions_only_works_without_users() -> None:
    found = only(surveyed(Directory().with_app(app(1, "Daemon")).with_role(1, MAIL_READ_ROLE).snapshot()))
    assert (found.state, found.can_connect) == (ConnectState.WITHOUT_USERS, None)
    assert found.holds.application is not None
    assert found.holds.application[0].names == ("Mail.Read",)
    assert found.holds.risk is not None
    assert (found.holds.risk.level, found.holds.risk.because) == (RiskLevel.HIGH, "Mail.Read without a user")


@pytest.mark.parametrize(
    ("scopes", "publisher", "tenant_wide", "level"),
    [
        pytest.param("User.Read openid", None, True, RiskLevel.LOW, id="sign-in"),
        pytest.param("Calendars.Read", None, False, RiskLevel.LOW, id="one user's calendar, to read"),
        pytest.param("Mail.Read", None, False, RiskLevel.MEDIUM, id="one user's mail"),
        pytest.param("Mail.ReadWrite", None, True, RiskLevel.HIGH, id="everybody's mail"),
        pytest.param("Calendars.ReadWrite", UNVERIFIED, True, RiskLevel.HIGH, id="everybody's calendar, unverified"),
    ],
)
def test_the_risk_follows_from_the_permissions_their_reach_and_the_publisher(
    scopes: str, publisher: object, tenant_wide: bool, level: RiskLevel
) -> None:
    principal = app(1, "App", **({"publisher": publisher} if publisher else {}))
    tenant = Directory()
    tenant = tenant.with_app(principal, scopes) if tenant_wide else tenant.with_app(principal, alice=scopes)
    risk = only(surveyed(tenant.snapshot(appRoleAssignments={client_id(1): ()}))).holds.risk
    assert risk is not None
    assert (risk.level, risk.at_least) == (level, False)


def test_what_wasnt_read_is_unknown_and_never_zero() -> None:
    tenant = Directory().with_app(app(1, "App"), "User.Read")
    found = only(
        surveyed(
            tenant.snapshot(
                appConsentRequests=None, signIns=None, servicePrincipalSignInActivities=None, appRoleAssignedTo=None
            )
        )
    )
    assert (found.waiting.asking, found.waiting.failed, found.last_sign_in) == (None, None, None)
    assert found.holds.application is None
    assert {"asking", "failed", "last_sign_in", "application"} <= set(found.not_known)
    assert found.holds.risk is not None
    assert found.holds.risk.at_least


def test_a_tenant_whose_grants_were_refused_has_unknown_apps_and_says_which_permission_it_lacks() -> None:
    tenant = (
        Directory()
        .with_app(app(1, "App"), "User.Read")
        .snapshot(oauth2PermissionGrants=None, appConsentRequests=(request(1, "App", "User.Read", "alice"),))
    )
    refused = {"oauth2PermissionGrants": Unread(status=403, needs=("DelegatedPermissionGrant.Read.All",))}
    found = surveyed(msgspec.structs.replace(tenant, unread=refused))
    assert only(found).state is ConnectState.UNKNOWN
    assert only(found).holds.users is None
    (gap,) = found.gaps
    assert "needs DelegatedPermissionGrant.Read.All" in gap.why


@pytest.mark.parametrize(
    "section",
    [
        *("authorizationPolicy", "permissionGrantPolicies", "adminConsentRequestPolicy", "servicePrincipals"),
        *("oauth2PermissionGrants", "appRoleAssignedTo", "appConsentRequests", "signIns"),
        "servicePrincipalSignInActivities",
    ],
)
def test_without_a_section_an_answer_is_the_same_or_unknown_and_a_number_the_same_or_none(section: str) -> None:
    tenant = Directory().with_app(app(1, "Doodle"), alice="Calendars.ReadWrite").with_role(1, MAIL_READ_ROLE)
    tenant.with_app(app(2, "Approved"), "Mail.Read")
    whole = tenant.snapshot(
        appConsentRequests=(request(1, "Doodle", "Calendars.ReadWrite", "bob"), request(2, "Approved", "Mail.Read")),
        signIns=(failed(1, "bob"), failed(2, "carol")),
        servicePrincipalSignInActivities=(last_used(1, "2026-11-20T00:00:00Z"),),
    )
    before = {one.client_id: one for one in surveyed(whole).apps}
    found = surveyed(
        msgspec.structs.replace(whole, sections=msgspec.structs.replace(whole.sections, **{section: None}))
    )
    for one in found.apps:
        was = before[one.client_id]
        assert one.state in (was.state, ConnectState.UNKNOWN)
        assert one.waiting.asking in (was.waiting.asking, None)
        assert one.waiting.failed in (was.waiting.failed, None)
        assert one.holds.users in (was.holds.users, None)
        assert one.holds.application in (was.holds.application, None)
        assert one.last_sign_in in (was.last_sign_in, None)
        if one.holds.risk and was.holds.risk:
            assert one.holds.risk.at_least or one.holds.risk.level is was.holds.risk.level
    assert found.gaps or section == "permissionGrantPolicies"


def test_requests_without_their_people_are_an_unknown_number() -> None:
    found = only(surveyed(Directory().snapshot(appConsentRequests=(request(1, "App", "Mail.Read"),))))
    assert found.waiting.asking is None
    assert "asking" in found.not_known


# ---- Filters and order ----------------------------------------------------------------------------------------------


def test_filters_show_what_is_known_to_match_and_count_the_rest() -> None:
    tenant = Directory()
    tenant.with_app(app(1, "Stopped"), alice="Mail.Read")
    tenant.with_app(app(2, "Unverified", publisher=UNVERIFIED), "User.Read")
    tenant.with_app(app(3, "Not read", publisher=None), "User.Read")
    tenant.with_app(app(4, "Own", publisher=UNVERIFIED, owner=tenant.tenant_id), "User.Read")
    snapshot = tenant.snapshot()
    assert names(surveyed(snapshot, stopped=True)) == ["Stopped"]
    unverified = surveyed(snapshot, unverified=True)
    assert names(unverified) == ["Unverified"]
    assert (unverified.left_out.filtered, unverified.left_out.undecided) == (2, 1)


def test_an_app_is_unused_if_nobody_used_it_for_so_long_and_it_isnt_newer() -> None:
    tenant = Directory()
    for number, name, created in (
        (1, "Used", "2020-01-01T00:00:00Z"),
        (2, "Long ago", "2020-01-01T00:00:00Z"),
        (3, "Never", "2020-01-01T00:00:00Z"),
        (4, "New", "2026-11-01T00:00:00Z"),
    ):
        tenant.with_app(app(number, name, createdDateTime=created), "User.Read")
    uses = (last_used(1, "2026-11-20T00:00:00Z"), last_used(2, "2026-05-01T00:00:00Z"))
    found = surveyed(tenant.snapshot(servicePrincipalSignInActivities=uses), unused_days=90)
    assert sorted(names(found)) == ["Long ago", "Never"]
    assert {one.name: one.last_sign_in for one in found.apps} == {"Long ago": "2026-05-01T00:00:00Z", "Never": ""}
    unread = surveyed(tenant.snapshot(servicePrincipalSignInActivities=None), unused_days=90)
    assert (unread.apps, unread.left_out.undecided) == ((), 4)


def test_apps_at_which_users_wait_come_first_and_then_what_is_risky() -> None:
    tenant = Directory()
    tenant.with_app(app(1, "Harmless"), "User.Read")
    tenant.with_app(app(2, "Risky"), "Mail.ReadWrite")
    tenant.with_app(app(3, "Stopped"), alice="Mail.Read")
    tenant.with_app(app(4, "Waited for"), alice="Mail.Read")
    found = surveyed(tenant.snapshot(appConsentRequests=(request(4, "Waited for", "Mail.Read", "bob"),)))
    assert names(found) == ["Waited for", "Stopped", "Risky", "Harmless"]


# ---- Assumptions ----------------------------------------------------------------------------------------------------


def test_before_an_admin_tightens_it_says_which_apps_stop_and_whose_users_keep_working() -> None:
    tenant = Directory("legacy-open")
    tenant.with_app(app(1, "Doodle"), alice="Calendars.ReadWrite User.Read", bob="User.Read", carol="User.Read")
    tenant.with_app(app(2, "Approved"), "Calendars.ReadWrite")
    tenant.with_app(app(3, "Sign-in only"), alice="User.Read openid")
    found = surveyed(tenant.snapshot(), "setting=managed")
    first = found.apps[0]
    assert (first.name, first.state) == ("Doodle", ConnectState.CONNECTS)
    assert first.assumed is not None
    assert (first.assumed.stops, first.assumed.users_keep, first.assumed.users_with_less) == (True, 1, 2)
    assert first.assumed.answer.outcome is Outcome.NEEDS_ADMIN
    assert (found.summary.would_stop, found.summary.keep) == (1, 1)
    assert {one.name for one in found.apps if one.assumed and one.assumed.stops is False} == {
        "Approved",
        "Sign-in only",
    }


def test_a_user_of_two_apps_that_stop_counts_once() -> None:
    tenant = Directory("legacy-open")
    tenant.with_app(app(1, "Doodle"), alice="Calendars.ReadWrite", bob="Calendars.ReadWrite")
    tenant.with_app(app(2, "Calendly"), alice="Calendars.ReadWrite")
    found = surveyed(tenant.snapshot(), "setting=managed")
    assert (found.summary.would_stop, found.summary.keep) == (2, 2)


def test_a_request_of_an_unknown_status_leaves_it_open_who_asks() -> None:
    asked = request(1, "Doodle", "Mail.Read", "alice")
    later = msgspec.structs.replace(
        asked, userConsentRequests=tuple({**one, "status": "Paused"} for one in asked.userConsentRequests)
    )
    found = only(surveyed(Directory().snapshot(appConsentRequests=(later,))))
    assert found.waiting.asking is None
    assert found.not_known["asking"] == "a request has a status that this version doesn't know"


def test_managed_is_the_setting_that_microsoft_manages() -> None:
    tenant = Directory("legacy-open").with_app(app(1, "Doodle"), alice="Calendars.ReadWrite").snapshot()
    managed, recommended = (surveyed(tenant, f"setting={name}").apps for name in ("managed", "recommended"))
    assert managed == recommended


def test_an_app_that_is_stopped_already_isnt_stopped_by_the_change() -> None:
    found = surveyed(Directory().with_app(app(1, "App"), alice="Mail.Read").snapshot(), "setting=none")
    assert found.summary.would_stop == 0


def test_an_assumption_about_one_app_is_refused_with_what_to_give() -> None:
    with pytest.raises(AssumptionError, match=r"for all apps: give one of setting=.*check --app"):
        surveyed(Directory().snapshot(), "app-enabled=true")


@pytest.mark.parametrize(
    "assumption",
    [
        pytest.param("setting=none", id="no user consent"),
        pytest.param("setting=low", id="classified permissions"),
        pytest.param("step-up=on", id="risk-based step-up"),
        pytest.param("workflow=on", id="requests for approval"),
    ],
)
def test_the_answer_after_an_assumption_is_what_a_survey_of_the_changed_tenant_says(assumption: str) -> None:
    from auditor.fixes.assumptions import assume_of_tenant

    tenant = Directory("legacy-open")
    tenant.with_app(app(1, "Doodle"), alice="Calendars.ReadWrite")
    tenant.with_app(app(2, "Unverified", publisher=UNVERIFIED), alice="Mail.Read")
    tenant.with_app(app(3, "Approved"), "Mail.Read")
    snapshot = tenant.snapshot()
    after = {one.client_id: one.can_connect for one in surveyed(assume_of_tenant(snapshot, [assumption])).apps}
    found = surveyed(snapshot, assumption)
    assert {one.client_id: one.assumed and one.assumed.answer for one in found.apps} == after


def test_an_app_without_a_recorded_use_was_not_used_in_the_year_1() -> None:
    never = LastSignIn(lastSignInDateTime="0001-01-01T00:00:00Z")
    used = LastSignIn(lastSignInDateTime="2026-11-20T08:00:00Z")
    row = SignInActivity(appId="a", lastSignInActivity=never, delegatedClientSignInActivity=never)
    assert row.last == ""
    assert msgspec.structs.replace(row, delegatedClientSignInActivity=used).last == "2026-11-20T08:00:00Z"


@pytest.mark.parametrize(
    ("display_name", "by_vendor", "expected"),
    [
        pytest.param("Our mail", "Acme Mail", "Our mail", id="the tenant's name"),
        pytest.param(None, "Acme Mail", "Acme Mail", id="the vendor's name"),
        pytest.param("", "Acme Mail", "Acme Mail", id="an empty name"),
    ],
)
def test_an_app_has_one_name_in_all_parts_of_the_program(
    display_name: str | None, by_vendor: str, expected: str
) -> None:
    client_id = "11111111-2222-4333-8444-555555555555"
    principal = ServicePrincipal(id="p1", appId=client_id, displayName=display_name, appDisplayName=by_vendor)
    consent = DirectoryAudit(
        activityDisplayName="Consent to application",
        activityDateTime="2026-11-20T08:00:00Z",
        initiatedBy={"user": {"id": "u1"}},
        targetResources=({"id": "p1", "displayName": "logged"},),
    )
    sections = Sections(servicePrincipals=(principal,), directoryAudits=(consent,))
    snapshot = Snapshot(tenant=Tenant(id="t"), sections=sections)
    index, logs = index_of(snapshot), EventLogs(snapshot)
    (logged,) = logs.events()
    names = {
        "index": index.resource_name(client_id),
        "decision": client_of(index, App(client_id=client_id)).name,
        "grants": GrantNames(index).facts("p1").client_name,
        "checks": Apps(index).name("p1"),
        "comparison": name_of(principal),
        "consents": logs.consents[0].name,
        "events": logs.name(logged),
        "survey": survey(snapshot, KnownApps(chosen=(client_id,)), Filters()).apps[0].name,
    }
    assert names == dict.fromkeys(names, expected)


@pytest.mark.parametrize(
    ("client_id", "properties", "owner", "foreign", "not_microsoft"),
    [
        pytest.param(CLI, {}, AppOwner.MICROSOFT, "false", "false", id="Microsoft publishes the client id"),
        pytest.param("a", {}, AppOwner.UNKNOWN, "unknown", "unknown", id="nobody knows whose it is"),
        pytest.param("a", {OWNER: MICROSOFT}, AppOwner.MICROSOFT, "false", "false", id="Microsoft's"),
        pytest.param("a", {OWNER: "T"}, AppOwner.OWN, "false", "true", id="this tenant's"),
        pytest.param("a", {OWNER: "x"}, AppOwner.THIRD_PARTY, "true", "true", id="a vendor's"),
        pytest.param(CLI, {OWNER: "x"}, AppOwner.THIRD_PARTY, "true", "true", id="by its owner first"),
        pytest.param("a", {"servicePrincipalType": "Legacy"}, AppOwner.OWN, "false", "true", id="no registration"),
    ],
)
def test_a_survey_and_the_checks_agree_whose_an_app_is(
    client_id: str, properties: dict[str, str], owner: AppOwner, foreign: str, not_microsoft: str
) -> None:
    principal = ServicePrincipal(id="p1", appId=client_id, **properties)  # type: ignore[arg-type]  # by name
    snapshot = Snapshot(tenant=Tenant(id="t"), sections=Sections(servicePrincipals=(principal,)))
    found = survey(snapshot, KnownApps(chosen=(client_id,)), Filters())
    assert only(found).owner is owner
    apps = Apps(index_of(snapshot))
    assert apps.matches("p1", DelegatedGrants(owner="foreign")).name.lower() == foreign
    assert apps.matches("p1", DelegatedGrants(owner="not-microsoft")).name.lower() == not_microsoft


def test_an_app_of_another_owner_is_not_microsofts_also_in_a_tenant_without_an_id() -> None:
    principal = ServicePrincipal(id="p1", appId="a", appOwnerOrganizationId="x")
    apps = Apps(index_of(Snapshot(tenant=Tenant(id=""), sections=Sections(servicePrincipals=(principal,)))))
    assert apps.matches("p1", DelegatedGrants(owner="not-microsoft")) is Truth.TRUE
    assert apps.matches("p1", DelegatedGrants(owner="foreign")) is Truth.UNKNOWN
