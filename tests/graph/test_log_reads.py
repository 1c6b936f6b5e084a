"""The logs of a tenant: which entries are read, in how many requests, and how often Graph is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.sign_in_codes import logged_codes
from auditor.graph.fetch import why_unread
from auditor.graph.reads import Read
from auditor.graph.response import GraphResponse
from auditor.graph.retry import REPORT_SECONDS, REPORTS_AT_ONCE
from auditor.graph.transport import is_report
from auditor.model.snapshot import Plan, Snapshot
from auditor.model.unread_messages import NO_LICENSE
from tests.graph.live_tenants import CLIENT, GRAPH, USER, Sleeps, read, tenant
from tests.graph.test_directory_lists import Stopped, read_lists
from tests.graphserver import GraphServer, Status
from tests.graphserver.call import Call

CODES = tuple(range(650_000, 650_040))
"""More codes than one filter can name."""
SIGN_INS = Plan(whole=("signIns",), log_codes=CODES)


def sign_in(number: int, code: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"n{number}",
        "appId": CLIENT,
        "createdDateTime": "2026-11-20T09:00:00Z",
        "status": {"errorCode": code},
        **more,
    }


def log(*rows: dict[str, Any]) -> dict[str, Any]:
    """The tenant with this sign-in log."""
    return tenant(signIns=list(rows))


ONE_OF_EACH = log(*(sign_in(code, code) for code in (*CODES, 0, 50126)))
"""A sign-in for each code, a successful one, and one with a wrong password."""


def found(snapshot: Snapshot) -> list[str]:
    """The ids of the sign-ins that were read."""
    return sorted(row.id or "" for row in snapshot.sections.signIns or ())


def filters(server: GraphServer) -> list[str]:
    """The filters of the sign-ins that were asked for, alone or in a batch, without those of later pages."""
    calls = [request.query for request in server.requests if request.path.endswith("/signIns")]
    return [query["$filter"] for query in calls if "$skiptoken" not in query]


def too_many(most: int) -> Any:
    """Whether a filter names more codes than Graph allows here."""

    def matches(call: Call) -> bool:
        return call.text.count("errorCode eq") > most

    return matches


def test_more_codes_than_one_filter_can_name_are_asked_for_in_parts() -> None:
    with GraphServer(ONE_OF_EACH, page_size=4) as server:
        snapshot = read(server, SIGN_INS)
        asked = filters(server)
    assert found(snapshot) == sorted(f"n{code}" for code in CODES)
    assert [one.count("errorCode eq") for one in asked] == [15, 15, 10]
    assert snapshot.unread == {} and snapshot.covers == {}


def test_shorter_filters_are_tried_once_where_graph_refuses_the_usual_ones() -> None:
    with GraphServer(ONE_OF_EACH) as server:
        server.fault(too_many(5), Status(400), times=None)
        snapshot = read(server, SIGN_INS)
        assert [one.count("errorCode eq") for one in filters(server)] == [15, *[5] * 8]
    assert found(snapshot) == sorted(f"n{code}" for code in CODES)


def test_a_log_that_cannot_be_filtered_is_unread_and_never_read_whole() -> None:
    with GraphServer(ONE_OF_EACH) as server:
        server.fault("errorCode", Status(400, code="Request_UnsupportedQuery"), times=None)
        snapshot = read(server, SIGN_INS)
        asked = filters(server)
    assert snapshot.sections.signIns is None
    assert (snapshot.unread["signIns"].status, snapshot.unread["signIns"].code) == (400, "Request_UnsupportedQuery")
    assert len(asked) == 2 and all("errorCode" in one for one in asked)


def test_a_refusal_in_the_middle_reads_everything_in_smaller_parts_and_nothing_twice() -> None:
    with GraphServer(ONE_OF_EACH) as server:
        server.fault(lambda call: too_many(5)(call) and "650020" in call.text, Status(400))
        snapshot = read(server, SIGN_INS)
    assert [row.id for row in snapshot.sections.signIns or ()] == [f"n{code}" for code in CODES]


def test_without_codes_the_sign_ins_that_failed_because_of_consent_are_read() -> None:
    with GraphServer(log(sign_in(1, logged_codes()[-1]), sign_in(2, 50126))) as server:
        assert found(read(server, Plan(sections=("signIns",), clients=(CLIENT,)))) == ["n1"]


@pytest.mark.parametrize(
    ("plan", "ids"),
    [
        pytest.param({"log_user": USER}, ["n1"], id="of a user, by object id"),
        pytest.param({"log_user": "Ada@Fabrikam.example"}, ["n1"], id="of a user, by name"),
        pytest.param({"log_correlation": "c-1"}, ["n2", "n3"], id="of a correlation id, whatever their outcome"),
        pytest.param({"clients": (GRAPH,)}, ["n4"], id="to one app"),
        pytest.param({}, ["n1", "n2", "n4"], id="to any app"),
        pytest.param({"log_days": 1}, [], id="of a shorter time"),
    ],
)
def test_a_plan_can_ask_for_some_sign_ins(plan: dict[str, Any], ids: list[str]) -> None:
    document = log(
        sign_in(1, 65001, userId=USER, userPrincipalName="ada@fabrikam.example"),
        sign_in(2, 90094, correlationId="c-1"),
        sign_in(3, 0, correlationId="c-1"),
        sign_in(4, 90094, appId=GRAPH),
    )
    with GraphServer(document) as server:
        snapshot = read(server, Plan(sections=("signIns",), **plan))
    assert found(snapshot) == ids


def test_plans_with_different_users_read_the_sign_ins_of_all() -> None:
    one, other = (Plan(sections=("signIns",), log_user=name, log_codes=(65001,)) for name in ("ada", "bob"))
    assert one.union(Plan(sections=("organization",))).log_user == "ada"
    assert one.union(one) == one
    assert one.union(other).log_user == ""
    assert one.union(Plan(whole=("signIns",), log_codes=(90094,))).log_codes == (65001, 90094)


def test_changes_are_read_with_shorter_filters_too_and_never_without() -> None:
    changes = Plan(whole=("directoryAudits",))
    with GraphServer(tenant()) as server:
        server.fault("/directoryAudits", Status(400))
        assert [row.id for row in read(server, changes).sections.directoryAudits or ()] == ["d1"]
        server.fault("/directoryAudits", Status(400), times=None)
        assert list(read(server, changes).unread) == ["directoryAudits"]


@pytest.mark.parametrize(
    ("code", "message", "is_license"),
    [
        pytest.param("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "", True, id="the documented code"),
        pytest.param("Forbidden", "Tenant is not B2C and doesn't have premium license.", True, id="another code"),
        pytest.param("Forbidden", "Your tenant is not licensed for this feature.", True, id="another message"),
        pytest.param("Forbidden", "You may not.", False, id="a missing permission"),
    ],
)
def test_a_missing_license_is_known_by_its_code_or_its_message(code: str, message: str, is_license: bool) -> None:
    response = GraphResponse(status=403, body={"error": {"code": code, "message": message}})
    unread = why_unread(Read(section="signIns", url="/auditLogs/signIns"), response)
    assert (unread.message == NO_LICENSE, unread.needs == ()) == (is_license, is_license)


# ---- Into files -----------------------------------------------------------------------------------------------------


def test_a_stopped_read_continues_in_the_part_where_it_was(tmp_path: Path) -> None:
    def stop(section: str, rows: int, total: int | None) -> None:
        if rows >= 20:
            raise Stopped

    with GraphServer(ONE_OF_EACH, page_size=4) as server:
        with pytest.raises(Stopped):
            read_lists(server, tmp_path, SIGN_INS, progress=stop)
        server.forget()
        rest = read_lists(server, tmp_path, SIGN_INS)
        assert [one.count("errorCode eq") for one in filters(server)] == [10]
    assert [row["id"] for row in rest.rows["signIns"]] == [f"n{code}" for code in CODES]


def test_shorter_filters_are_remembered_by_a_read_that_was_stopped(tmp_path: Path) -> None:
    def stop(section: str, rows: int, total: int | None) -> None:
        if rows >= 20:
            raise Stopped

    with GraphServer(ONE_OF_EACH) as server:
        server.fault(too_many(5), Status(400), times=None)
        with pytest.raises(Stopped):
            read_lists(server, tmp_path, SIGN_INS, progress=stop)
        server.forget()
        rest = read_lists(server, tmp_path, SIGN_INS)
        assert {one.count("errorCode eq") for one in filters(server)} == {5}
    assert [row["id"] for row in rest.rows["signIns"]] == [f"n{code}" for code in CODES]


def test_a_list_that_cannot_be_filtered_is_unread(tmp_path: Path) -> None:
    with GraphServer(ONE_OF_EACH) as server:
        server.fault("errorCode", Status(400), times=None)
        rest = read_lists(server, tmp_path, SIGN_INS)
        assert len(filters(server)) == 2 and rest.said == []
    assert rest.snapshot.unread["signIns"].status == 400


# ---- How often Graph is asked ---------------------------------------------------------------------------------------


def test_a_long_log_is_read_page_by_page_within_the_limit_of_graphs_reports() -> None:
    sleeps = Sleeps()
    rows = [sign_in(number, CODES[number % len(CODES)]) for number in range(1_500)]
    with GraphServer(log(*rows), page_size=150) as server:
        server.fault(lambda call: "skiptoken" in call.text, Status(429, retry_after=3))
        snapshot = read(server, SIGN_INS, retry=sleeps.retry(120))
        requests = len(server.requests)
    assert len(snapshot.sections.signIns or ()) == 1_500
    assert requests == 12, "eleven pages, one of them twice"
    assert sleeps.slept[0] == 3 and sum(sleeps.slept) == 20


@given(st.lists(st.tuples(st.integers(1, 7), st.floats(0, 12)), max_size=12))
def test_no_ten_seconds_have_more_requests_for_reports_than_graph_answers(steps: list[tuple[int, float]]) -> None:
    sleeps, sent = Sleeps(), list[float]()

    async def run() -> None:
        retry = sleeps.retry(10_000)
        for requests, pause in steps:
            await retry.wait_for_reports(requests)
            sent.extend([sleeps.now] * min(requests, REPORTS_AT_ONCE))
            sleeps.now += pause

    asyncio.run(run())
    for early, late in zip(sent, sent[REPORTS_AT_ONCE:], strict=False):
        assert late - early >= REPORT_SECONDS - 1e-6


def test_the_wait_for_reports_ends_with_the_run() -> None:
    sleeps = Sleeps()

    async def run() -> None:
        retry = sleeps.retry(4)
        for _ in range(REPORTS_AT_ONCE + 1):
            await retry.wait_for_reports(1)

    asyncio.run(run())
    assert sleeps.slept == [4]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("/auditLogs/signIns?$top=1", True, id="a log"),
        pytest.param("https://graph.microsoft.com/v1.0/auditLogs/directoryAudits?$skiptoken=x", True, id="a page"),
        pytest.param("https://localhost:1234/beta/reports/servicePrincipalSignInActivities", True, id="a report"),
        pytest.param("/users?$filter=displayName eq '/auditLogs/'", False, id="something else that names one"),
        pytest.param("https://graph.microsoft.com/v1.0/$batch", False, id="a batch"),
    ],
)
def test_requests_for_logs_and_reports_are_known_by_their_address(url: str, expected: bool) -> None:
    assert is_report(url) is expected


def test_logs_in_a_batch_count_and_more_of_them_than_graph_answers_at_once_go_alone() -> None:
    sleeps = Sleeps()
    apps = tuple(f"c1000000-0000-4000-8000-0000000000{number:02d}" for number in range(8))
    with GraphServer(tenant()) as server:
        plan = Plan(sections=("signIns", "organization"), clients=apps, log_codes=(65001,))
        snapshot = read(server, plan, retry=sleeps.retry(120))
        in_batch = [len(request.items) for request in server.requests if request.path == "/$batch"]
    assert snapshot.unread == {} and len(snapshot.covers["signIns"]) == len(apps)
    assert sum(sleeps.slept) == pytest.approx(10) and max(in_batch) <= 20
