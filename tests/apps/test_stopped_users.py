"""Who was stopped and who waits: what each source says, what is unknown without it, and what would happen now."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest

from auditor.apps.admin_consent_requests import user_requests
from auditor.apps.stopped_users import blocked
from auditor.apps.survey import KnownApps, survey
from auditor.consent.snapshot_index import index_of
from auditor.jobs.blocked import blocked_exit_code, described_apps
from auditor.model.access_resources import AppConsentRequest
from auditor.model.blocked import Blocked, BlockedApp, BlockedFilter, RequestStatus
from auditor.model.report import AbusedApp, AbusedAppsList
from auditor.model.resources import ServicePrincipal
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant, Unread
from auditor.model.survey import Filters, ScopeSource
from auditor.snapshot.samples import patched, sample

SAMPLE = "stopped-users"
LOGS = ("appConsentRequests", "signIns", "directoryAudits")
TRACKER, ELEMENT = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "01f1a5b4-34ce-42e2-acbc-d1dfe46dba94"
LEGACY = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"
DOMAIN = "relecloudhr.onmicrosoft.com"
JONAS = f"jonas@{DOMAIN}"


def without(*sections: str, **why: Unread) -> Snapshot:
    """The sample in which these sections were not read, and why."""
    changed = patched(sample(SAMPLE), dict.fromkeys(sections))
    return msgspec.structs.replace(changed, unread=why)


@cache
def whole() -> Blocked:
    """What is found in the sample, with fixes."""
    return blocked(sample(SAMPLE), source="sample", tool="test")


def rows_of(section: str) -> list[dict[str, Any]]:
    """The rows of a section of the sample as JSON."""
    rows: list[dict[str, Any]] = msgspec.to_builtins(getattr(sample(SAMPLE).sections, section))
    return rows


def found(snapshot: Snapshot | None = None, **asked: Any) -> dict[str, BlockedApp]:
    made = blocked(snapshot or sample(SAMPLE), BlockedFilter(**asked), with_fixes=False)
    return {app.app.name: app for app in made.apps}


def one(name: str) -> BlockedApp:
    return next(app for app in whole().apps if app.app.name == name)


def names(app: BlockedApp) -> list[str]:
    return [person.name.partition("@")[0] for person in app.people]


def test_who_was_stopped_on_tuesday_would_connect_today_because_of_a_grant_on_wednesday() -> None:
    app = one("TrackerRMS")
    assert names(app) == ["priya", "tom", "elena"]
    assert [(code.code, code.times, code.users, code.stops) for code in app.codes] == [
        ("AADSTS90095", 3, 3, True),
        ("AADSTS65001", 1, 1, False),
    ]
    assert app.now.would_connect is True
    assert app.fix is None
    assert app.sentence == (
        "3 users were stopped on Tuesday, 17 November (AADSTS90095). Would connect now, without being asked: granted"
        " for all users on Wednesday, 18 November by grace@relecloudhr.onmicrosoft.com."
    )
    assert [(consent.result, consent.for_all) for consent in app.consents] == [("given", True)]


def test_requests_that_wait_name_reviewers_the_end_and_the_page() -> None:
    app = one("Element451")
    assert (app.users, app.stopped, app.waiting, app.refused) == (3, 3, 2, 0)
    assert [(row.status, row.days_left, row.soon) for row in app.requests] == [
        (RequestStatus.PENDING, 3, True),
        (RequestStatus.PENDING, 27, False),
    ]
    assert [name.partition("@")[0] for name in app.reviewers] == ["grace", "henrik"]
    assert app.review == ("Entra ID", "Enterprise apps", "Activity", "Admin consent requests")
    assert (app.scopes_from, app.now.code) == ((ScopeSource.REQUESTS,), "AADSTS90095")
    assert app.fix is not None and "Nothing for other apps" in app.fix.opens["summary"]


def test_what_became_of_other_requests_is_said() -> None:
    denied, expired = one("Harbor Sync").requests[0], one("Littlebird").requests[0]
    assert (denied.status, denied.reviewed_by, denied.justification) == (
        RequestStatus.DENIED,
        "grace@relecloudhr.onmicrosoft.com",
        "Not an approved product",
    )
    assert (expired.status, expired.ends, expired.days_left) == (RequestStatus.EXPIRED, "", None)


def test_a_blocked_risky_consent_counts_as_refused() -> None:
    app = one("Spike")
    assert (app.users, app.stopped, app.refused, names(app)) == (1, 1, 1, ["daniel"])
    assert [consent.result for consent in app.consents] == ["risky-blocked"]


def test_an_answer_that_depends_on_the_user_is_that_of_the_people_who_were_stopped() -> None:
    now = one("Payroll Portal").now
    assert (now.subject, now.would_connect) == ("sofia@relecloudhr.onmicrosoft.com", False)
    assert now.stopped_by == "only assigned users can sign in"


def payroll(*users: str) -> tuple[dict[str, Any], ...]:
    """Sign-ins of users who aren't assigned to an app that requires it."""
    (row,) = (row for row in rows_of("signIns") if row["appDisplayName"] == "Payroll Portal")
    return tuple({**row, "id": user, "userId": None, "userPrincipalName": f"{user}@{DOMAIN}"} for user in users)


def test_a_fix_for_several_users_is_none_that_helps_only_one_of_them() -> None:
    made = blocked(patched(sample(SAMPLE), {"signIns": payroll("sofia", "tom", "priya")}))
    (app,) = (app for app in made.apps if app.app.name == "Payroll Portal")
    assert app.now.subject == "each of the 3 users who were stopped"
    assert app.fix is not None
    assert app.fix.title == "Let every user use Payroll Portal without being assigned to it"
    assert app.other_fixes == ()


def test_fixes_for_the_first_apps_only_change_nothing_else() -> None:
    few = blocked(sample(SAMPLE), source="sample", tool="test", most_fixed=2)
    assert few.apps[:2] == whole().apps[:2]
    assert [app.fix for app in few.apps[2:]] == [None] * 5
    assert [app.app for app in few.apps] == [app.app for app in whole().apps]
    assert few.summary == whole().summary


def test_a_request_that_has_expired_doesnt_expire_soon() -> None:
    later = msgspec.structs.replace(sample(SAMPLE), taken="2026-12-01T00:00:00Z")
    made = blocked(later, with_fixes=False)
    assert (made.summary.waiting, made.summary.ends_soon) == (2, 0)


def test_a_user_of_whom_nothing_is_decided_gets_no_fix_that_stands_for_all() -> None:
    unread = patched(sample(SAMPLE), {"authorizationPolicy": None})
    (app,) = (app for app in blocked(unread).apps if app.app.name == "Element451")
    assert (app.now.subject, app.now.would_connect) == ("ordinary member", None)
    assert app.fix is None or "alone" not in app.fix.title


def test_a_user_who_left_the_consent_page_was_not_stopped_for_sure() -> None:
    app = one("Jotform")
    assert (app.users, app.unclear, app.now.would_connect) == (0, 1, True)
    assert [person.stopped for person in app.people] == [None]


def test_the_summary_counts_people_once_and_what_is_so_now() -> None:
    made = whole().summary
    assert (made.apps, made.users, made.at_least) == (7, 6, False)
    assert (made.waiting, made.ends_soon) == (2, 1)
    assert (made.connect_now, made.stopped_now, made.unknown_now) == (2, 5, 0)
    assert blocked_exit_code(whole()) == 1


def test_apps_that_need_attention_come_first() -> None:
    assert [app.app.name for app in whole().apps] == [
        *("Element451", "Harbor Sync", "Littlebird", "Payroll Portal", "Spike"),
        *("TrackerRMS", "Jotform"),
    ]


def test_a_pack_says_what_its_app_asks_for() -> None:
    described = described_apps([TRACKER])
    made = blocked(sample(SAMPLE), BlockedFilter(app=TRACKER), described, with_fixes=False)
    (app,) = made.apps
    assert (app.scopes_from, app.pack in ("trackerrms-uk", "trackerrms-us")) == ((ScopeSource.CATALOGUE,), True)


@pytest.mark.parametrize(
    ("asked", "apps"),
    [
        pytest.param({"app": "element"}, {"Element451"}, id="a part of a name"),
        pytest.param({"app": TRACKER.upper()}, {"TrackerRMS"}, id="a client id"),
        pytest.param({"user": "Sofia Marques"}, {"Element451", "Payroll Portal"}, id="a display name"),
        pytest.param({"user": JONAS.upper()}, {"Element451", "Harbor Sync", "Jotform"}, id="a user principal name"),
        pytest.param(
            {"since": "2026-11-19T00:00:00Z"},
            {"Element451", "Harbor Sync", "Payroll Portal"},
            id="a time: what waits stays",
        ),
        pytest.param({"app": "nothing"}, set(), id="an app that nobody met"),
    ],
)
def test_filters_leave_what_was_asked_for(asked: dict[str, Any], apps: set[str]) -> None:
    assert found(**asked).keys() == apps


def test_one_user_is_decided_for_and_counted_alone() -> None:
    app = found(user=JONAS)["Element451"]
    assert (app.users, app.waiting, app.now.subject, names(app)) == (1, 0, JONAS, ["jonas"])


def test_a_correlation_id_finds_its_sign_in_and_its_consent() -> None:
    log = sample(SAMPLE).sections.signIns or ()
    row = next(row for row in log if row.appDisplayName == "Spike")
    apps = found(correlation_id=str(row.correlationId).upper())
    assert apps.keys() == {"Spike"}
    assert (apps["Spike"].stopped, apps["Spike"].refused) == (1, 1)
    assert found(correlation_id="7f3f9d0c-6f6d-4f0b-9d8a-3f1d2c5b7a90") == {}


@pytest.mark.parametrize(
    ("section", "field", "needs"),
    [
        pytest.param("appConsentRequests", "waiting", "ConsentRequest.Read.All", id="requests"),
        pytest.param("signIns", "stopped", "AuditLog.Read.All", id="sign-ins"),
        pytest.param("directoryAudits", "refused", "AuditLog.Read.All", id="audit log"),
    ],
)
def test_a_count_of_a_source_that_was_not_read_is_unknown(section: str, field: str, needs: str) -> None:
    made = blocked(without(section), with_fixes=False)
    gap = next(one for one in made.sources if one.section == section)
    assert (gap.rows, gap.complete, gap.needs) == (None, False, (needs,))
    for app in made.apps:
        assert getattr(app, field) is None, app.app.name
        assert app.not_known[field]
        assert app.at_least
        assert app.users != 0 or app.unclear
    assert made.summary.at_least


def test_without_the_license_the_reason_is_the_license() -> None:
    refused = Unread(
        status=403,
        code="Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        message="needs a Microsoft Entra ID P1 or P2 license",
    )
    made = blocked(without("signIns", signIns=refused), with_fixes=False)
    gap = next(one for one in made.sources if one.section == "signIns")
    assert "P1 or P2 license" in gap.why
    assert {app.app.name for app in made.apps} >= {"TrackerRMS", "Element451"}


def test_nothing_read_is_not_nobody() -> None:
    made = blocked(without(*LOGS), with_fixes=False)
    assert (made.apps, made.summary.users, made.summary.waiting) == ((), None, None)
    assert blocked_exit_code(made) == 4
    nobody = blocked(patched(sample(SAMPLE), {name: [] for name in LOGS}), with_fixes=False)
    assert (nobody.summary.users, nobody.summary.waiting, blocked_exit_code(nobody)) == (0, 0, 0)


def test_an_unread_audit_log_leaves_it_open_since_when_users_connect() -> None:
    app = found(without("directoryAudits"))["TrackerRMS"]
    assert (app.now.would_connect, app.now.since) == (True, "")
    assert "directoryAudits" in app.not_known["since"]


def test_a_changed_setting_explains_a_connection_that_no_grant_explains() -> None:
    entry = {
        "activityDisplayName": "Update authorization policy",
        "activityDateTime": "2026-11-16T08:00:00Z",
        "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": "grace@contoso.example"}},
    }
    app = found(patched(sample(SAMPLE), {"directoryAudits": [entry]}))["Jotform"]
    assert app.now.since == "the consent settings changed on Monday, 16 November by grace@contoso.example"


@pytest.mark.parametrize(
    ("activity", "changed"),
    [
        pytest.param("Update authorization policy", "AllowInvitesFrom", id="who may invite guests"),
        pytest.param("Update service principal", "KeyDescription", id="a key of the app"),
        pytest.param("Add service principal", "DisplayName", id="that the app was added"),
    ],
)
def test_a_change_that_has_nothing_to_do_with_consent_explains_no_connection(activity: str, changed: str) -> None:
    snapshot = sample(SAMPLE)
    principal = index_of(snapshot).service_principal(found()["Jotform"].app.client_id)
    assert isinstance(principal, ServicePrincipal)
    entry = {
        "activityDisplayName": activity,
        "activityDateTime": "2026-11-16T08:00:00Z",
        "result": "success",
        "targetResources": [{"id": principal.id, "modifiedProperties": [{"displayName": changed, "newValue": '"x"'}]}],
    }
    assert found(patched(snapshot, {"directoryAudits": [entry]}))["Jotform"].now.since == ""
    enabled = {**entry, "activityDisplayName": "Update service principal"}
    enabled["targetResources"] = [
        {"id": principal.id, "modifiedProperties": [{"displayName": "AccountEnabled", "newValue": "[true]"}]}
    ]
    since = found(patched(snapshot, {"directoryAudits": [entry, enabled]}))["Jotform"].now.since
    assert since == "the app changed on Monday, 16 November"


def test_an_app_of_which_nobody_knows_what_it_asks_for_is_unknown() -> None:
    row = {"appId": "aaaaaaaa-0000-4000-8000-000000000001", "createdDateTime": "2026-11-20T08:00:00Z", "userId": "u1"}
    made = found(patched(sample(SAMPLE), {"signIns": [{**row, "status": {"errorCode": 90094}}]}))
    app = made["app aaaaaaaa-0000-4000-8000-000000000001"]
    assert (app.users, app.now.would_connect) == (1, None)
    assert app.not_known["would_connect"] == "no grant, request or pack says what the app asks for"


def test_requests_without_their_people_make_their_number_unknown() -> None:
    requests = [{"appId": ELEMENT, "id": "r1", "appDisplayName": "E", "pendingScopes": [{"displayName": "Mail.Read"}]}]
    app = found(patched(sample(SAMPLE), {"appConsentRequests": requests, "signIns": []}))["E"]
    assert (app.users, app.waiting, app.people) == (None, None, ())
    assert app.reviewers
    assert app.sentence.startswith("Users asked for approval; who they are, and whether they wait, wasn't read. Would")


def test_a_request_of_an_unknown_status_leaves_it_open_who_waits() -> None:
    rows = [{**row, "status": "Paused"} for row in rows_of("appConsentRequests")[0]["userConsentRequests"]]
    request = {**rows_of("appConsentRequests")[0], "userConsentRequests": rows}
    (app,) = found(
        patched(sample(SAMPLE), {"appConsentRequests": [request], "signIns": [], "directoryAudits": []})
    ).values()
    assert (app.waiting, app.users) == (None, len(rows))
    assert app.not_known["waiting"] == "a request has a status that this version doesn't know"


def test_entries_without_times_leave_no_gap_in_the_sentence() -> None:
    rows = [{**row, "createdDateTime": None} for row in rows_of("signIns")]
    app = found(patched(sample(SAMPLE), {"signIns": rows}))["Payroll Portal"]
    assert app.sentence.startswith("1 user was stopped (AADSTS50105). ")


def test_what_an_answer_depends_on_is_short_in_the_sentence_and_whole_in_the_reason() -> None:
    app = found(patched(sample(SAMPLE), {"servicePrincipals": None}))["Element451"]
    assert app.sentence.count("(servicePrincipals of") == 2
    assert "more facts" in app.sentence
    assert app.not_known["would_connect"].count("(servicePrincipals of") > 4


@pytest.mark.parametrize(
    ("client_id", "malicious"),
    [
        pytest.param("b1c4926a-5fb6-4aad-b920-709c957be148", True, id="malicious"),
        pytest.param("946c777c-bc85-489e-b034-392389ae23d6", False, id="legitimate"),
    ],
)
def test_a_request_for_a_known_abused_app_says_so_and_a_malicious_one_gets_no_fix(
    client_id: str, malicious: bool
) -> None:
    request = {**rows_of("appConsentRequests")[0], "appId": client_id}
    snapshot = patched(sample(SAMPLE), {"appConsentRequests": [request], "signIns": [], "directoryAudits": []})
    (app,) = blocked(snapshot).apps
    assert app.abused is not None
    assert (app.abused.malicious, app.fix is None) == (malicious, malicious)
    assert not (malicious and app.other_fixes)


def test_your_own_list_of_abused_apps_counts() -> None:
    entry = AbusedApp(
        client_id=ELEMENT, name="Element451", legitimate=False, why="Seen in an incident.", sources=("us",)
    )
    own = AbusedAppsList(name="own", digest="", read="2026-11-20", apps=(entry,))
    first = blocked(sample(SAMPLE), abused=(own,)).apps[0]
    assert (first.app.client_id, first.fix) == (ELEMENT, None)
    assert first.abused is not None and first.abused.malicious
    (row,) = (
        row for row in survey(sample(SAMPLE), KnownApps(), Filters(), abused=(own,)).apps if row.client_id == ELEMENT
    )
    assert row.abused == first.abused


def test_a_malicious_app_comes_first_even_if_users_can_connect_it() -> None:
    row = {**rows_of("signIns")[0], "appId": "b1c4926a-5fb6-4aad-b920-709c957be148", "appDisplayName": "Z"}
    legacy = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [LEGACY]}}
    changed = patched(sample(SAMPLE), {"signIns": [*rows_of("signIns"), row], "authorizationPolicy": legacy})
    assert next(iter(found(changed))) == "Z"


def test_an_app_is_found_by_its_name_however_that_is_written() -> None:
    assert set(found(app="element-451")) == set(found(app="ELEMENT 451")) == {"Element451"}


@pytest.mark.parametrize(
    ("row", "status"),
    [
        pytest.param({"status": "InProgress"}, RequestStatus.PENDING, id="in progress"),
        pytest.param({"status": "Completed"}, RequestStatus.COMPLETED, id="decided, not how"),
        pytest.param({"status": "Completed", "approval": {"stages": "x"}}, RequestStatus.COMPLETED, id="broken stages"),
        pytest.param({"status": "Later"}, RequestStatus.UNKNOWN, id="a word of tomorrow"),
        pytest.param({"status": 3, "createdBy": [], "createdDateTime": None}, RequestStatus.UNKNOWN, id="other types"),
        pytest.param({}, RequestStatus.UNKNOWN, id="nothing"),
    ],
)
def test_a_request_of_any_form_has_a_status(row: dict[str, Any], status: RequestStatus) -> None:
    snapshot = Snapshot(tenant=Tenant(id="t"), sections=Sections())
    (made,) = user_requests(index_of(snapshot), AppConsentRequest(appId=TRACKER, userConsentRequests=(row,)))
    assert (made.status, made.ends, made.days_left) == (status, "", None)


def test_a_request_with_the_date_that_graph_writes_for_none_has_no_time() -> None:
    row = {"status": "InProgress", "createdDateTime": "0001-01-01T00:00:00Z"}
    stage = {"reviewResult": "Deny", "reviewedDateTime": "0001-01-01T00:00:00Z"}
    decided = {**row, "status": "Completed", "approval": {"stages": [stage]}}
    policy = {"isEnabled": True, "requestDurationInDays": 30}
    snapshot = patched(sample(SAMPLE), {"adminConsentRequestPolicy": policy})
    request = AppConsentRequest(appId=TRACKER, userConsentRequests=(row, decided))
    waits, denied = user_requests(index_of(snapshot), request)
    assert (waits.created, waits.ends, waits.days_left, waits.soon) == ("", "", None, False)
    assert (denied.status, denied.reviewed) == (RequestStatus.DENIED, "")


def log_of(*codes: int, app: str = "Jotform", user: str = "ab198217-f387-4e7c-a51d-1c16c3224c73") -> Snapshot:
    """The sample in which only this user (Sofia, who consented to Jotform) met codes, at one app."""
    app_id = next(one.appId for one in sample(SAMPLE).sections.servicePrincipals or () if one.displayName == app)
    rows = [
        {"id": str(code), "appId": app_id, "createdDateTime": "2026-11-14T13:37:00Z", "userId": user}
        | {"status": {"errorCode": code}}
        for code in codes
    ]
    return patched(sample(SAMPLE), {"signIns": rows, "appConsentRequests": []})


def test_the_normal_entry_before_a_consent_is_nobody_stopped() -> None:
    assert "Jotform" not in found(log_of(65001)), "the user consented on the page"
    assert "Jotform" not in found(log_of(65001, user="u2")), "users may consent themselves"


def test_the_same_entry_is_unclear_where_users_would_be_stopped() -> None:
    app = found(log_of(65001, app="Wino Mail", user="u2"))["Wino Mail"]
    assert (app.users, app.unclear, app.now.would_connect) == (0, 1, False)


SUCCESS: dict[str, Any] = {"at": "2026-11-14T13:37:20Z", "code": 0, "correlation": "c1"}
FINISHED = {
    "the same sign-in": (65001, SUCCESS, True),
    "the same sign-in after hours": (65001, SUCCESS | {"at": "2026-11-14T23:00:00Z"}, True),
    "another sign-in of the user to the app minutes later": (
        *(65001, SUCCESS | {"at": "2026-11-14T13:42:00Z", "correlation": "c2"}, True),
    ),
    "after the user had left the page": (65004, SUCCESS, True),
    "the next day": (65001, SUCCESS | {"at": "2026-11-15T13:37:00Z", "correlation": "c2"}, False),
    "before": (65001, SUCCESS | {"at": "2026-11-14T13:30:00Z", "correlation": "c2"}, False),
    "another user": (65001, SUCCESS | {"user": "u3"}, False),
    "another app": (65001, SUCCESS | {"app": TRACKER}, False),
    "another failure": (65001, SUCCESS | {"code": 50126}, False),
    "a user who was stopped": (90094, SUCCESS, False),
}


@pytest.mark.parametrize(
    ("code", "later", "is_finished"), [pytest.param(*row, id=name) for name, row in FINISHED.items()]
)
def test_a_sign_in_that_succeeded_later_was_not_abandoned(code: int, later: dict[str, Any], is_finished: bool) -> None:
    wino = next(one.appId for one in sample(SAMPLE).sections.servicePrincipals or () if one.displayName == "Wino Mail")
    rows = [
        {
            "id": str(number),
            "appId": row.get("app", wino),
            "createdDateTime": row["at"],
            "userId": row.get("user", "u2"),
            "correlationId": row["correlation"],
            "status": {"errorCode": row["code"]},
        }
        for number, row in enumerate(({"at": "2026-11-14T13:37:00Z", "code": code, "correlation": "c1"}, later))
    ]
    for log in (rows, rows[::-1]):
        assert ("Wino Mail" not in found(patched(sample(SAMPLE), {"signIns": log}))) is is_finished
