"""Answers of Graph that can't be used: each is unread with its reason, or ends the audit with one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from auditor.graph.graph_errors import BatchRefused, GraphError, NotJson, TokenRefused
from auditor.model.snapshot import Plan, Snapshot, Unread
from tests.graph.live_tenants import ABSENT, CLIENT, GRAPH, POLICY, PREFLIGHT, TENANT, read, tenant
from tests.graphserver import (
    Body,
    Challenge,
    Changed,
    ContentType,
    EmptyPage,
    Fault,
    GraphServer,
    HtmlPage,
    NextLink,
    Redirect,
    Status,
)
from tests.graphserver.call import Call

BATCHES = Plan(sections=PREFLIGHT.sections, clients=(CLIENT, ABSENT), resources=(GRAPH,), beta_policies=(POLICY,))
"""A batch of v1.0, of which an app is absent, and one read of beta."""

REFUSED_BATCHES = {
    "404, as for an object that does not exist": Status(404),
    "404 of a gateway": Status(404, code="ResourceNotFound"),
    "403": Status(403),
    "400": Status(400),
    "400 that names a property": Body({"error": {"code": "BadRequest", "message": "no property 'isDisabled'"}}, 400),
    "405": Status(405),
    "410": Status(410),
    "501": Status(501),
    "a web page": HtmlPage(),
    "a web page with status 404": HtmlPage(404),
    "a web page with status 403": HtmlPage(403),
    "an empty body": Body(b""),
    "an empty body with status 204": Body(b"", 204),
    "an empty object": Body({}),
    "a list": Body([]),
    "null": Body(None),
    "one object in place of a batch": Body({"value": []}),
    "responses that are text": Body({"responses": "none"}),
    "responses that are null": Body({"responses": None}),
    "responses that are an object": Body({"responses": {"0": {"status": 200}}}),
    "responses that are numbers": Body({"responses": [1, 2, 3]}),
    "no responses": Body({"responses": []}),
    "the answer and an error": Changed(lambda batch: {**batch, "error": {"code": "Oops", "message": "no"}}),
    "responses twice": Body(b'{"responses": [], "responses": [{"id": "0", "status": 404}]}'),
    "text in place of JSON": ContentType(),
    "a redirect": Redirect("https://elsewhere.example/"),
}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in REFUSED_BATCHES.items()])
def test_a_batch_that_is_refused_as_a_whole_was_not_read(fault: Fault) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/v1.0/$batch", fault, times=None)
        with pytest.raises(GraphError) as caught:
            read(server, PREFLIGHT)
    assert str(caught.value) and caught.value.advice
    with GraphServer(tenant()) as server:
        server.fault("/v1.0/$batch", fault, times=None)
        snapshot = read(server, Plan(sections=("directorySettings",), clients=(CLIENT, ABSENT)))
    assert snapshot.sections.absentServicePrincipals is None and snapshot.sections.oauth2PermissionGrants is None
    assert set(snapshot.unread) == {
        f"{section}/{app}"
        for section in ("servicePrincipals", "oauth2PermissionGrants", "appRoleAssignedTo")
        for app in (CLIENT, ABSENT)
    }
    assert all(unread.message and not unread.needs for unread in snapshot.unread.values())
    assert {unread.status for unread in snapshot.unread.values()} == {None}, "the status is the batch's, not the app's"
    assert snapshot.sections.directorySettings, "beta was answered"


def test_a_refused_batch_is_reported_with_the_status_and_the_id_for_microsofts_support() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(404))
        with pytest.raises(BatchRefused, match=r"404 Request_ResourceNotFound.*request id \S+\)") as caught:
            read(server, PREFLIGHT)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        pytest.param(400, "Check --cloud and --graph-endpoint", id="400"),
        pytest.param(403, "with admin consent, and is it enabled?.*Conditional Access", id="403"),
        pytest.param(404, "Check --cloud and --graph-endpoint", id="404"),
        pytest.param(418, "Give Microsoft's support the request id", id="418"),
    ],
)
def test_what_to_do_about_a_refused_batch_depends_on_the_refusal(status: int, advice: str) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Status(status))
        with pytest.raises(BatchRefused) as caught:
            read(server, PREFLIGHT)
    assert re.search(advice, caught.value.advice) and "again later" not in caught.value.advice


@pytest.mark.parametrize(
    "fault", [pytest.param(Status(404), id="refused"), pytest.param(HtmlPage(), id="answered by a proxy")]
)
def test_a_second_batch_that_is_refused_costs_only_what_it_asked_for(fault: Fault) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", Status(429, retry_after=1))
        server.fault("/$batch", Changed(lambda batch: batch))
        server.fault("/$batch", fault, times=None)
        snapshot = read(server, PREFLIGHT)
    assert list(snapshot.unread) == ["authorizationPolicy"]
    assert snapshot.sections.oauth2PermissionGrants and snapshot.sections.organization


def _each(change: Callable[[dict[str, Any]], dict[str, Any] | None], *, which: str = "authorizationPolicy") -> Changed:
    """A batch in which `change` makes another response of the one about `which`; none leaves it out."""

    def changed(batch: Any) -> Any:
        rows = [change(row) if which in str(row["body"]) else row for row in batch["responses"]]
        return {"responses": [row for row in rows if row is not None]}

    return Changed(changed)


def _with(**values: Any) -> Changed:
    return _each(lambda row: {**row, **values})


def _without(name: str) -> Changed:
    return _each(lambda row: {key: value for key, value in row.items() if key != name})


def _twice(batch: Any) -> Any:
    rows = batch["responses"]
    return {"responses": [*rows, *({**row, "body": {}} for row in rows if "authorizationPolicy" in str(row["body"]))]}


BAD_ITEMS = {
    "no answer": _each(lambda row: None),
    "two answers": Changed(_twice),
    "an answer without an id": _without("id"),
    "an id that nobody sent": _with(id="99"),
    "an id that is a list": _with(id=["0"]),
    "no status": _without("status"),
    "a status that is null": _with(status=None),
    "a status that is text": _with(status="200"),
    "a status that is true": _with(status=True),
    "a status that is a fraction": _with(status=200.5),
    "a status out of range": _with(status=99999),
    "a negative status": _with(status=-200),
    "no body": _without("body"),
    "a body that is null": _with(body=None),
    "a body that is text": _with(body="eyJpZCI6IDF9"),
    "a body that is a list": _with(body=[{"id": "authorizationPolicy"}]),
    "a body that is a number": _with(body=200),
    "an error with status 200": _with(body={"error": {"code": "Oops", "message": "not now"}}),
    "headers that are text": _with(status=404, headers="none"),
    "status 204": _with(status=204, body=None),
    "status 206": _with(status=206),
    "status 302": _with(status=302),
}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in BAD_ITEMS.items()])
def test_a_bad_answer_in_a_batch_is_unread_and_the_others_are_read(fault: Fault) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", fault, times=None)
        snapshot = read(server, PREFLIGHT)
    assert snapshot.sections.authorizationPolicy is None
    assert list(snapshot.unread) == ["authorizationPolicy"]
    assert snapshot.unread["authorizationPolicy"].message or snapshot.unread["authorizationPolicy"].code


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(_each(lambda row: None, which="organization"), id="no answer"),
        pytest.param(Changed(lambda batch: {"responses": batch["responses"] * 2}), id="two answers to each"),
        pytest.param(_with(status="200"), id="a status that is text"),
    ],
)
def test_a_bad_answer_in_a_batch_is_asked_for_again(fault: Fault) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", fault)
        assert read(server, PREFLIGHT).unread == {}
        assert len(server.requests) == 2


def _deep(levels: int) -> bytes:
    return b'{"id": "a", "x": ' + b"[" * levels + b"]" * levels + b"}"


BODIES = {
    "Latin-1": b'{"id": "authorizationPolicy", "displayName": "Caf\xe9"}',
    "UTF-16": '{"id": "authorizationPolicy"}'.encode("utf-16"),
    "a surrogate": b'{"id": "\xed\xa0\x80"}',
    "half of a surrogate pair": b'{"id": "\\ud800"}',
    "nested as deep as later steps can't follow": _deep(500),
    "nested deeper than Python's stack": _deep(100_000),
    "NaN": b'{"id": "authorizationPolicy", "x": NaN}',
    "Infinity": b'{"id": "authorizationPolicy", "x": -Infinity}',
    "a number that is too large": b'{"id": "authorizationPolicy", "x": 1e999}',
    "a number of five thousand digits": b'{"id": "a", "x": ' + b"9" * 5000 + b"}",
    "a name twice": b'{"id": "a", "allowedToUseSSPR": true, "allowedToUseSSPR": false}',
    "a name twice within": b'{"id": "a", "defaultUserRolePermissions": {"a": 1, "a": 2}}',
    "a name twice, once escaped": b'{"id": "a", "\\u0069d": "b"}',
    "two documents": b'{"id": "a"}{"id": "b"}',
    "a comment": b'{"id": "a" /* b */}',
    "a trailing comma": b'{"id": "a",}',
    "single quotes": b"{'id': 'a'}",
    "cut off": b'{"id": "auth',
    "blanks": b"  \n ",
    "zeros": b"\0" * 100,
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
def test_a_body_that_cannot_be_read_in_one_way_is_unread(body: bytes) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/directorySettings", Body(body), times=None)
        server.fault("/beta/settings", Body(body), times=None)
        snapshot = read(server, Plan(sections=("directorySettings", "organization")))
    assert list(snapshot.unread) == ["directorySettings"] and snapshot.unread["directorySettings"].message
    assert snapshot.sections.organization


@pytest.mark.parametrize(
    "name",
    [
        "Latin-1",
        "a surrogate",
        "nested as deep as later steps can't follow",
        "a number that is too large",
        "a name twice",
        "a name twice within",
    ],
)
def test_such_a_body_in_a_batch_is_unread_and_the_others_are_read(name: str) -> None:
    def change(batch: Any) -> bytes:
        marker = "@@body@@"
        rows = [
            {**row, "body": marker} if "authorizationPolicy" in str(row["body"]) else row for row in batch["responses"]
        ]
        return msgspec.json.encode({"responses": rows}).replace(b'"@@body@@"', BODIES[name])

    with GraphServer(tenant()) as server:
        server.fault("/$batch", Changed(change), times=None)
        snapshot = read(server, PREFLIGHT)
    assert list(snapshot.unread) == ["authorizationPolicy"]
    assert snapshot.sections.organization and snapshot.sections.oauth2PermissionGrants


@pytest.mark.parametrize("levels", [pytest.param(900, id="a little"), pytest.param(200_000, id="far too deep")])
def test_a_batch_that_is_nested_too_deeply_to_find_its_answers_ends_the_audit_in_one_sentence(levels: int) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Body(_deep(levels)), times=None)
        with pytest.raises(NotJson):
            read(server, PREFLIGHT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"value": [' + b" " * (65 << 20) + b"]}", id="of blanks, which are packed to almost nothing"),
        pytest.param(b'{"value": [], "x": "' + b"x" * (65 << 20) + b'"}', id="of one text"),
    ],
)
def test_an_answer_of_more_than_64_mb_is_unread(body: bytes) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/beta/settings", Body(body))
        snapshot = read(server, Plan(sections=("directorySettings", "organization")))
    assert snapshot.unread["directorySettings"].message.endswith("sent an answer of more than 64 MB")
    assert snapshot.sections.organization


def test_an_answer_of_a_few_mb_is_read() -> None:
    body = {"id": "authorizationPolicy", "description": "x" * (8 << 20)}
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", Body(body))
        assert read(server, PREFLIGHT).unread == {}


def test_text_of_an_error_is_kept_short() -> None:
    huge = {"error": {"code": "C" * 100_000, "message": "M" * 5_000_000, "innerError": {"request-id": "R" * 100_000}}}
    with GraphServer(tenant()) as server:
        server.fault("/policies/authorizationPolicy", Body(huge, 403), times=None)
        unread = read(server, PREFLIGHT).unread["authorizationPolicy"]
    assert max(map(len, (unread.code, unread.message, unread.request_id))) <= 1000


def test_numbers_and_letters_in_another_spelling_are_read() -> None:
    body = b'{"value": [{"id": "0f6f6c4b-7a0e-4a8c-9d6c-2b1d5f3e4a10", "displayName": "Fabrik\\u0061m", "x": 1.0e1}]}'
    with GraphServer(tenant()) as server:
        server.fault("/organization", Body(body))
        assert read(server, Plan(sections=("organization",))).tenant.name == "Fabrikam"


LINKS: Mapping[str, Any] = {
    "a number": 7,
    "zero": 0,
    "null": None,
    "true": True,
    "false": False,
    "a list": ["https://graph.microsoft.com/v1.0/x"],
    "an object": {"url": "https://graph.microsoft.com/v1.0/x"},
    "empty": "",
    "a blank": " ",
    "garbage": "next page",
    "plain http": "http://localhost/v1.0/oauth2PermissionGrants?$skiptoken=1",
    "another scheme": "file:///etc/passwd",
    "relative": "/v1.0/oauth2PermissionGrants?$skiptoken=1",
    "relative to the page": "?$skiptoken=1",
    "without a scheme": "//localhost/v1.0/oauth2PermissionGrants",
    "without a host": "https:///v1.0/oauth2PermissionGrants",
    "half an address": "https://[::1",
    "a port that is too large": "https://localhost:99999/v1.0/oauth2PermissionGrants",
    "a port that is a word": "https://localhost:https/v1.0/oauth2PermissionGrants",
    "with a user": "https://user:secret@localhost/v1.0/oauth2PermissionGrants",
    "a line break": "https://localhost/v1.0/oauth2PermissionGrants\r\nX-HTTP-Method: DELETE",
    "a backslash": "https://localhost\\@elsewhere.example/v1.0/oauth2PermissionGrants",
    "another host": "https://elsewhere.example/v1.0/oauth2PermissionGrants",
    "another port": "https://localhost:9/v1.0/oauth2PermissionGrants",
    "of a hundred thousand letters": "https://localhost/v1.0/" + "a" * 100_000,
    "not ASCII": "https://gräph.example/v1.0/oauth2PermissionGrants",
}


@pytest.mark.parametrize("link", [pytest.param(link, id=name) for name, link in LINKS.items()])
@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(clients=(CLIENT,)), id="in a batch"),
        pytest.param(Plan(whole=("oauth2PermissionGrants",), sections=("organization",)), id="alone"),
    ],
)
def test_a_list_that_goes_on_where_it_cannot_be_followed_is_unread(link: Any, plan: Plan) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", Changed(lambda page: {**page, "@odata.nextLink": link}), times=None)
        snapshot = read(server, plan)
        assert server.strays == []
    _only_the_grants_are_unread(snapshot)


@pytest.mark.parametrize("name", ["@odata.nextlink", "@nextLink", "odata.nextLink", "@odata.NextLink"])
def test_a_next_link_in_another_spelling_is_followed(name: str) -> None:
    with GraphServer(tenant(), page_size=2) as server:

        def respelled(page: Any) -> Any:
            return {name if key == "@odata.nextLink" else key: value for key, value in page.items()}

        server.fault("/oauth2PermissionGrants", Changed(respelled), times=None)
        snapshot = read(server, Plan(clients=(CLIENT,)))
    assert len(snapshot.sections.oauth2PermissionGrants or ()) == 5


def test_an_entry_of_which_a_list_goes_on_elsewhere_is_unread() -> None:
    def partial(page: Any) -> Any:
        link = "https://localhost/v1.0/policies/permissionGrantPolicies/p/includes?$skiptoken=1"
        return {**page, "value": [{**row, "includes@odata.nextLink": link} for row in page["value"]]}

    with GraphServer(tenant()) as server:
        server.fault("/permissionGrantPolicies", Changed(partial))
        snapshot = read(server, PREFLIGHT)
    assert snapshot.sections.permissionGrantPolicies is None
    assert "only the first page of a list in it" in snapshot.unread["permissionGrantPolicies"].message


@pytest.mark.parametrize(
    "rows", [pytest.param([], id="of no rows"), pytest.param([{"id": "g0", "clientId": "sp-client"}], id="of one row")]
)
def test_a_page_whose_next_link_leads_back_in_a_circle_is_unread(rows: list[Any]) -> None:
    def page(number: int) -> Callable[[Call], bool]:
        return lambda call: "/oauth2PermissionGrants" in call.path and call.query.get("$skiptoken", "0") == str(number)

    with GraphServer(tenant()) as server:
        address = f"{server.graph}/v1.0/oauth2PermissionGrants?$skiptoken="
        for number, following in ((0, 1), (1, 2), (2, 1)):
            answer = {"value": rows, "@odata.nextLink": f"{address}{following}"}
            server.fault(page(number), Body(answer), times=None)
        snapshot = read(server, Plan(whole=("oauth2PermissionGrants",), sections=("organization",)))
    _only_the_grants_are_unread(snapshot)


def test_a_list_that_never_ends_is_unread_when_the_time_is_over() -> None:
    pages = iter(range(1, 1_000_000))

    with GraphServer(tenant()) as server:
        address = f"{server.graph}/v1.0/oauth2PermissionGrants?$skiptoken="

        def more(page: Any) -> Any:
            return {"value": page.get("value", []), "@odata.nextLink": f"{address}{next(pages)}"}

        server.fault("/oauth2PermissionGrants", Changed(more), times=40)
        server.fault("$skiptoken", Status(503), times=None)
        snapshot = read(server, Plan(whole=("oauth2PermissionGrants",), sections=("organization",)))
    _only_the_grants_are_unread(snapshot)


def _only_the_grants_are_unread(snapshot: Snapshot) -> None:
    assert snapshot.sections.oauth2PermissionGrants is None and "oauth2PermissionGrants" not in snapshot.covers
    (found,) = snapshot.unread.values()
    assert found.message or found.status


def _count(number: Any, *, lose: int = 0) -> Changed:
    """The list, of which Graph says how many entries it has, and of which the first few are lost."""
    return Changed(lambda page: {**page, "@odata.count": number, "value": page["value"][lose:]})


GRANTS = Plan(clients=(CLIENT,))
WHOLE_GRANTS = Plan(whole=("oauth2PermissionGrants",))


@pytest.mark.parametrize("plan", [pytest.param(GRANTS, id="in a batch"), pytest.param(WHOLE_GRANTS, id="alone")])
def test_a_list_that_is_shorter_than_graph_counts_is_read_once_more(plan: Plan) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", _count(5, lose=1))
        snapshot = read(server, plan)
        asked = [path for call in server.requests for path in call.paths if "Grants" in path]
    assert snapshot.unread == {} and len(snapshot.sections.oauth2PermissionGrants or ()) == 5
    assert len(asked) == 2


@pytest.mark.parametrize("plan", [pytest.param(GRANTS, id="in a batch"), pytest.param(WHOLE_GRANTS, id="alone")])
def test_a_list_that_is_still_short_is_unread(plan: Plan) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", _count(5, lose=1), times=None)
        if not plan.clients:
            with pytest.raises(GraphError, match="Graph counts 5 entries and returned 4"):
                read(server, plan)
            return
        snapshot = read(server, plan)
        asked = [path for call in server.requests for path in call.paths if "Grants" in path]
    assert "counts 5 entries and returned 4" in snapshot.unread[f"oauth2PermissionGrants/{CLIENT}"].message
    assert snapshot.sections.oauth2PermissionGrants is None and len(asked) == 2


def test_a_row_that_comes_twice_while_another_is_missing_is_a_short_list() -> None:
    def shifted(page: Any) -> Any:
        rows = page["value"]
        return {**page, "@odata.count": len(rows), "value": [rows[0], *rows[:-1]]}

    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", Changed(shifted))
        snapshot = read(server, GRANTS)
    assert snapshot.unread == {} and len(snapshot.sections.oauth2PermissionGrants or ()) == 5


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(5, id="as many"),
        pytest.param(3, id="fewer"),
        pytest.param(-1, id="negative"),
        pytest.param("9", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_a_count_that_is_no_more_than_the_rows_changes_nothing(count: Any) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", _count(count))
        assert read(server, GRANTS).unread == {}
        assert len(server.requests) == 1


def test_a_count_is_of_all_pages() -> None:
    with GraphServer(tenant(), page_size=2) as server:
        server.fault("/oauth2PermissionGrants", _count(5))
        assert read(server, GRANTS).unread == {}


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param("not base64 !", id="not base64"),
        pytest.param("e", id="one letter"),
        pytest.param("AAAA", id="bytes"),
        pytest.param("W10=", id="a list"),
        pytest.param("bnVsbA==", id="null"),
        pytest.param("eyJh", id="cut off"),
        pytest.param("6Xs=", id="Latin-1"),
        pytest.param("W1tb" * 50_000, id="nested"),
    ],
)
def test_a_claims_challenge_that_is_not_base64_of_json_is_met_with_a_new_token(claims: str) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Challenge(claims[:8000]))
        assert read(server, PREFLIGHT).unread == {}
        assert len(server.token_requests) == 2
    with GraphServer(tenant()) as server:
        server.fault("/$batch", Challenge(claims[:8000]), times=None)
        with pytest.raises(TokenRefused):
            read(server, PREFLIGHT)


def test_an_empty_page_before_full_ones_is_no_end() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", EmptyPage(), times=1)
        assert len(read(server, WHOLE_GRANTS).sections.oauth2PermissionGrants or ()) == 5


def test_the_reason_that_is_kept_names_neither_the_body_nor_the_token() -> None:
    with GraphServer(tenant(), roles=()) as server:
        server.fault("/policies/authorizationPolicy", NextLink())
        unread: Mapping[str, Unread] = read(server, PREFLIGHT).unread
    assert TENANT and not any("eyJ" in why.message for why in unread.values())
