"""Whole lists in files: complete or unread, with the memory of a page, and continued after a stop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from auditor.graph.checkpoint import PartialRead, ReadRequest, partial_read
from auditor.graph.collect import collect
from auditor.graph.directory_lists import DirectoryLists
from auditor.graph.graph_errors import Unreachable
from auditor.graph.transport import GraphClient
from auditor.model.errors import InvalidRequest
from auditor.model.sections import STREAMED_SECTIONS
from auditor.model.snapshot import Plan, Snapshot
from auditor.snapshot.packed_files import line_batches
from tests.graph.live_tenants import CLIENT, GRAPH, TAKEN, TENANT, Sleeps, tenant, with_client
from tests.graphserver import (
    AUDIT_ROLES,
    Body,
    Changed,
    EmptyPage,
    Fault,
    GraphServer,
    HtmlPage,
    NextLink,
    Silence,
    Status,
)
from tests.graphserver.call import Call

REQUEST = ReadRequest(tool="test", tenant=TENANT, cloud="global", lists=STREAMED_SECTIONS)
PLAN = Plan(whole=("oauth2PermissionGrants", "servicePrincipals", "signIns"), clients=(CLIENT,), resources=(GRAPH,))
GRANTS = "/oauth2PermissionGrants"


def is_of_all_grants(call: Call) -> bool:
    """Whether a page of all grants is asked for, and not the grants of one app."""
    return call.path == GRANTS


def is_later_page(call: Call) -> bool:
    """Whether a page of all grants is asked for, other than the first."""
    return is_of_all_grants(call) and "skiptoken" in call.text


class Stopped(Exception):
    """The run ends here, as if the process was killed."""


class Found(NamedTuple):
    """What was read: the snapshot, and the rows in files by section."""

    snapshot: Snapshot
    rows: Mapping[str, list[dict[str, Any]]]
    said: list[str]
    lists: DirectoryLists


def read_lists(server: GraphServer, folder: Path, plan: Plan = PLAN, **options: Any) -> Found:
    """Read what `plan` asks for, with whole lists in the folder of ``tenant.zip``."""
    said: list[str] = []
    now = options.pop("now", TAKEN)
    progress = options.pop("progress", None)

    async def use(client: GraphClient) -> Found:
        with partial_read(folder / "tenant.zip", REQUEST, now, said.append) as partial:
            lists = DirectoryLists(client, partial, progress, said.append)
            snapshot = await collect(
                client, plan, tenant_id=TENANT, cloud="global", taken=partial.taken, tool="test", lists=lists
            )
            return Found(snapshot, {name: list(rows_of(partial, name)) for name in lists.files}, said, lists)

    return with_client(server, use, **options)


def rows_of(partial: PartialRead, section: str) -> Iterator[dict[str, Any]]:
    for lines in line_batches(partial.rows(section), partial.lists[section].size):
        yield from map(json.loads, lines.splitlines())


def test_the_rows_are_in_files_as_graph_returned_them(tmp_path: Path) -> None:
    document = tenant()
    with GraphServer(document, page_size=2) as server:
        found = read_lists(server, tmp_path)
    assert found.rows["oauth2PermissionGrants"] == document["sections"]["oauth2PermissionGrants"]
    assert [row["appId"] for row in found.rows["servicePrincipals"]] == [CLIENT, GRAPH]
    assert {name: file.rows for name, file in found.lists.files.items()} == {
        "servicePrincipals": 2,
        "oauth2PermissionGrants": 5,
        "signIns": 2,
    }
    assert found.snapshot.unread == {} and found.snapshot.covers == {}


def test_the_snapshot_has_only_what_was_read_by_itself(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        found = read_lists(server, tmp_path)
        paths = [item.url for request in server.requests for item in request.items]
    assert found.snapshot.sections.oauth2PermissionGrants == ()
    assert not [path for path in paths if GRANTS in path], "the list of all grants has those of the app"
    graph = next(row for row in found.snapshot.sections.servicePrincipals or () if row.appId == GRAPH)
    assert graph.oauth2PermissionScopes
    assert found.snapshot.provenance is not None
    calls = {call.section: call.rows for call in found.snapshot.provenance.calls if call.rows is not None}
    assert calls["oauth2PermissionGrants"] == 5 and calls["signIns"] == 2


def test_progress_is_shown_page_by_page(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    with GraphServer(tenant(), page_size=2) as server:
        server.fault(is_of_all_grants, Changed(lambda page: {**page, "@odata.count": 5}))
        read_lists(server, tmp_path, progress=lambda *step: seen.append(step))
    grants = [step[1:] for step in seen if step[0] == "oauth2PermissionGrants"]
    assert grants == [(0, None), (2, 5), (4, 5), (5, 5)]


def test_a_list_does_not_wait_for_another(tmp_path: Path) -> None:
    done: set[str] = set()

    def progress(section: str, rows: int, total: int | None) -> None:
        done.update([section] if rows == 2 else [])
        if done == {"servicePrincipals", "signIns"}:
            raise Stopped

    with GraphServer(tenant()) as server:
        server.fault(is_of_all_grants, Silence(), times=None)
        with pytest.raises(Stopped):
            read_lists(server, tmp_path, progress=progress)


DEEP = b'{"id":"2","new":' + b"[" * 100 + b"]" * 100 + b"}"
"""A row that a typed reader takes, because it skips what it doesn't know."""

UNREAD: Mapping[str, tuple[str, Fault, str]] = {
    "403 on a later page": ("$skiptoken", Status(403), "Scripted answer 403"),
    "a web page": (GRANTS, HtmlPage(), "instead of JSON"),
    "no list": (GRANTS, Body({"value": "none"}), "not a list"),
    "an error with the status 200": (GRANTS, Body({"value": [], "error": {"code": "Oops"}}), ""),
    "a row that is text": (GRANTS, Body({"value": ["x"]}), "expected an object"),
    "a value of another type": (GRANTS, Body({"value": [{"clientId": 7, "resourceId": "r"}]}), "clientId"),
    "text that isn't UTF-8": (GRANTS, Body(b'{"value": [{"scope": "\xe4"}]}'), "invalid"),
    "no number": (GRANTS, Body(b'{"value": [{"scope": NaN}]}'), "invalid"),
    "a list that occurs twice": (GRANTS, Body(b'{"value": [], "value": [{"id": "1"}]}'), "occurs twice"),
    "a name that occurs twice in a row": (
        GRANTS,
        Body(b'{"value": [{"id": "1", "scope": "a"}, {"id": "2", "scope": "a", "scope": "b"}]}'),
        "occurs twice",
    ),
    "deep nesting": (GRANTS, Body(b'{"value": ' + b"[" * 5000 + b"]" * 5000 + b"}"), ""),
    "a row that is nested more deeply than any of Graph's": (
        GRANTS,
        Body(b'{"value": [' + DEEP + b"]}"),
        "nested too deeply",
    ),
    "one such row among others": (
        GRANTS,
        Body(b'{"value":[' + b'{"id":"1","new":[]},' * 50 + DEEP + b"]}"),
        "nested too deeply",
    ),
    "a next link to this page": (GRANTS, NextLink(), "already read"),
    "a next link to another host": (GRANTS, NextLink("https://127.0.0.1:1/v1.0/x"), "was refused"),
    "a next link without TLS": (GRANTS, NextLink("http://localhost/v1.0/x"), "next link"),
    "a next link that is relative": (GRANTS, NextLink("/v1.0/oauth2PermissionGrants"), "next link"),
    "a next link that is a number": (GRANTS, Changed(lambda page: {**page, "@odata.nextLink": 7}), "next link"),
    "a next link that is empty": (GRANTS, Changed(lambda page: {**page, "@odata.nextLink": ""}), "next link"),
    "fewer rows than Graph counts": (GRANTS, Changed(lambda page: {**page, "@odata.count": 9}), "counts 9"),
    "a row twice and another one missing": (
        GRANTS,
        Changed(lambda page: {"value": [*page["value"][:4], page["value"][0]], "@odata.count": 5}),
        "counts 5 entries and returned 4",
    ),
}


@pytest.mark.parametrize(("where", "fault", "says"), [pytest.param(*case, id=name) for name, case in UNREAD.items()])
def test_a_list_that_cannot_be_read_to_its_end_is_unread(tmp_path: Path, where: str, fault: Fault, says: str) -> None:
    def hits(call: Call) -> bool:
        return is_of_all_grants(call) and where in call.text

    with GraphServer(tenant(), page_size=2 if where == "$skiptoken" else None) as server:
        server.fault(hits, fault, times=None)
        found = read_lists(server, tmp_path, retry=Sleeps().retry(attempts=2))
    assert says in found.snapshot.unread["oauth2PermissionGrants"].message
    assert "oauth2PermissionGrants" not in found.lists.files
    assert set(found.rows) == {"servicePrincipals", "signIns"}, "the others are read"
    # What can be known of single apps is read where the list of all is not.
    assert len(found.snapshot.sections.oauth2PermissionGrants or ()) == 5
    assert found.snapshot.covers["oauth2PermissionGrants"] == (CLIENT,)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("{[" * 100, id="brackets in a text"),
        pytest.param([[[{"a": [{}] * 100}]]] * 3, id="many brackets next to each other"),
    ],
)
def test_brackets_that_are_not_deep_are_kept(tmp_path: Path, value: Any) -> None:
    def changed(page: Any) -> Any:
        return {**page, "value": [{**row, "new": value} for row in page["value"]]}

    with GraphServer(tenant()) as server:
        server.fault(is_of_all_grants, Changed(changed), times=None)
        found = read_lists(server, tmp_path)
    assert all(row["new"] == value for row in found.rows["oauth2PermissionGrants"])


def test_an_empty_page_with_a_next_link_is_not_the_end(tmp_path: Path) -> None:
    with GraphServer(tenant()) as server:
        server.fault(GRANTS, EmptyPage())
        assert len(read_lists(server, tmp_path).rows["oauth2PermissionGrants"]) == 5


def test_a_list_that_is_shorter_than_graph_counts_is_read_once_more(tmp_path: Path) -> None:
    with GraphServer(tenant()) as server:
        server.fault(GRANTS, Changed(lambda page: {"value": page["value"][1:], "@odata.count": 5}))
        found = read_lists(server, tmp_path)
    assert len(found.rows["oauth2PermissionGrants"]) == 5 and found.snapshot.unread == {}


def test_a_cloud_that_does_not_know_a_property_is_asked_again_without_it(tmp_path: Path) -> None:
    with GraphServer(tenant(), unknown_properties=("isDisabled", "verifiedPublisher")) as server:
        found = read_lists(server, tmp_path)
    assert len(found.rows["servicePrincipals"]) == 2 and found.snapshot.unread == {}


def test_rows_in_many_lines_and_with_blanks_become_one_line_each(tmp_path: Path) -> None:
    rows = [{"id": str(number), "clientId": "c", "resourceId": "r", "scope": "é \n x"} for number in range(3)]
    with GraphServer(tenant()) as server:
        server.fault(GRANTS, Body(json.dumps({"value": rows}, indent=2).encode()))
        assert read_lists(server, tmp_path).rows["oauth2PermissionGrants"] == rows


def test_blueprints_of_agents_are_found_in_the_list(tmp_path: Path) -> None:
    blueprint = {
        "@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal",
        "id": "sp-blueprint",
        "appId": "b1000000-0000-4000-8000-000000000001",
        "appOwnerOrganizationId": TENANT,
    }
    page = {"value": [{"id": "sp-client", "appId": CLIENT}, blueprint]}
    with GraphServer(tenant()) as server:
        server.fault("/servicePrincipals?", Body(page))
        found = read_lists(server, tmp_path, Plan(whole=("servicePrincipals",), sections=("organization",)))
        assert any("inheritablePermissions" in request.path for request in server.requests)
    assert [row["id"] for row in found.rows["servicePrincipals"]] == ["sp-client", "sp-blueprint"]
    assert [row.id for row in found.snapshot.sections.servicePrincipals or ()] == ["sp-blueprint"]


# ---- Continuing a read that was stopped -----------------------------------------------------------------------------


@contextmanager
def stopped_after(rows: int) -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress that stops the run when so many grants were written."""

    def progress(section: str, done: int, total: int | None) -> None:
        if section == "oauth2PermissionGrants" and done >= rows:
            raise Stopped

    with pytest.raises(Stopped):
        yield progress


def stop(server: GraphServer, folder: Path, rows: int = 2, **options: Any) -> None:
    """A run that ends after so many grants."""
    with stopped_after(rows) as progress:
        read_lists(server, folder, progress=progress, **options)
    server.forget()


def asked(server: GraphServer) -> list[str]:
    """The pages of grants that were asked for: nothing for the first, and the tokens of the others."""
    return [request.query.get("$skiptoken", "") for request in server.requests if request.path == GRANTS]


def test_a_stopped_read_continues_with_the_next_page(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        whole = read_lists(server, tmp_path / ".")
        pages = asked(server)
        for file in (tmp_path / "tenant.zip.partial").iterdir():
            file.unlink()
        stop(server, tmp_path)
        found = read_lists(server, tmp_path, now="2026-11-22T03:00:00Z")
        assert asked(server) == pages[1:]
    assert found.rows == whole.rows and found.snapshot == whole.snapshot
    assert found.said == [f"Continuing the read that started at {TAKEN}, from {tmp_path / 'tenant.zip.partial'}."]
    assert found.lists.kinds_of_grants == whole.lists.kinds_of_grants


def test_a_list_that_was_complete_is_not_read_again(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path, rows=5)
        assert len(read_lists(server, tmp_path).rows["oauth2PermissionGrants"]) == 5
        assert asked(server) == []


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_next_link_that_expired_starts_the_list_again_and_says_so(tmp_path: Path, status: int) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path)
        server.fault(is_later_page, Status(status))
        found = read_lists(server, tmp_path)
        assert asked(server)[1] == ""
    assert len(found.rows["oauth2PermissionGrants"]) == 5
    assert any("no longer knows where oauth2PermissionGrants was to go on" in said for said in found.said)


def test_a_next_link_that_never_works_ends_with_an_unread_list(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        server.fault(is_later_page, Status(410), times=None)
        found = read_lists(server, tmp_path)
        assert len(asked(server)) == 4
    assert found.snapshot.unread["oauth2PermissionGrants"].status == 410


def test_rows_after_the_checkpoint_are_cut_off(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path)
        with (tmp_path / "tenant.zip.partial" / "oauth2PermissionGrants.jsonl.gz").open("ab") as file:
            file.write(b"half a page")
        assert len(read_lists(server, tmp_path).rows["oauth2PermissionGrants"]) == 5


def test_a_checkpoint_that_was_cut_off_continues_from_the_line_before(tmp_path: Path) -> None:
    checkpoint = tmp_path / "tenant.zip.partial" / "checkpoint.jsonl"
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path, rows=4)
        checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
        assert len(read_lists(server, tmp_path).rows["oauth2PermissionGrants"]) == 5
        assert asked(server)[0] != ""


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-3], id="cut off"),
        pytest.param(lambda data: b"\0" * len(data), id="zeros"),
        pytest.param(lambda data: b"", id="empty"),
    ],
)
def test_rows_that_are_damaged_are_read_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "tenant.zip.partial" / "oauth2PermissionGrants.jsonl.gz"
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path)
        file.write_bytes(damage(file.read_bytes()))
        found = read_lists(server, tmp_path)
    assert len(found.rows["oauth2PermissionGrants"]) == 5
    assert any("are damaged: reading them again" in said for said in found.said)


def test_graph_at_another_address_starts_unfinished_lists_again(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path)
    with GraphServer(tenant(), page_size=2) as server:
        found = read_lists(server, tmp_path)
    assert len(found.rows["oauth2PermissionGrants"]) == 5
    assert any("from another host" in said for said in found.said)


def test_a_read_of_yesterday_starts_again(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path)
        found = read_lists(server, tmp_path, now="2026-11-23T03:00:00Z")
        assert asked(server)[0] == ""
    assert any("more than a day old" in said for said in found.said)
    assert found.snapshot.taken == "2026-11-23T03:00:00Z"


def test_what_graph_did_not_answer_can_be_continued(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        server.fault(is_later_page, HtmlPage(), times=None)
        found = read_lists(server, tmp_path)
        assert found.lists.unfinished == ("oauth2PermissionGrants",)
    assert "instead of JSON" in found.snapshot.unread["oauth2PermissionGrants"].message


def test_a_run_in_which_graph_never_answered_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with GraphServer(tenant()) as server:
        server.fault("/", Status(503), times=None)
        with pytest.raises(Unreachable):
            read_lists(server, tmp_path, retry=Sleeps().retry(attempts=2))
    assert list(tmp_path.iterdir()) == []


def test_a_forbidden_list_is_unread_with_the_permission(tmp_path: Path) -> None:
    roles = set(AUDIT_ROLES) - {"DelegatedPermissionGrant.Read.All", "Directory.Read.All"}
    with GraphServer(tenant(), roles=roles) as server:
        found = read_lists(server, tmp_path)
    assert found.snapshot.unread["oauth2PermissionGrants"].needs[0] == "DelegatedPermissionGrant.Read.All"
    assert found.lists.unfinished == ()


# ---- The folder -----------------------------------------------------------------------------------------------------


OTHERS: Mapping[str, tuple[ReadRequest, str]] = {
    "another tenant": (
        ReadRequest(tool="test", tenant="other", cloud="global", lists=REQUEST.lists),
        "of another tenant",
    ),
    "another cloud": (
        ReadRequest(tool="test", tenant=TENANT, cloud="china", lists=REQUEST.lists),
        "of another read",
    ),
    "other sections": (ReadRequest(tool="test", tenant=TENANT, cloud="global", lists=()), "of another read"),
    "another version": (
        ReadRequest(tool="old", tenant=TENANT, cloud="global", lists=REQUEST.lists),
        "another version",
    ),
}


@pytest.mark.parametrize(("request_", "why"), [pytest.param(*case, id=name) for name, case in OTHERS.items()])
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, request_: ReadRequest, why: str) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        stop(server, tmp_path)
    with (
        pytest.raises(InvalidRequest, match=f"{why}.*: delete .*tenant.zip.partial, or give -o another name"),
        partial_read(tmp_path / "tenant.zip", request_, TAKEN, print),
    ):
        pass


def test_a_checkpoint_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tenant.zip.partial").mkdir()
    (tmp_path / "tenant.zip.partial" / "checkpoint.jsonl").write_text("{]")
    with (
        pytest.raises(InvalidRequest, match="can't be read: delete"),
        partial_read(tmp_path / "tenant.zip", REQUEST, TAKEN, print),
    ):
        pass


@pytest.mark.skipif("sys.platform == 'win32'", reason="needs the permissions and locks of POSIX")
def test_the_folder_is_for_its_owner_and_one_process(tmp_path: Path) -> None:
    folder = tmp_path / "tenant.zip.partial"
    folder.mkdir(mode=0o777)
    with partial_read(tmp_path / "tenant.zip", REQUEST, TAKEN, print):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "checkpoint.jsonl").stat().st_mode & 0o777 == 0o600
        with (
            pytest.raises(InvalidRequest, match="another collect reads into"),
            partial_read(tmp_path / "tenant.zip", REQUEST, TAKEN, print),
        ):
            pass
    assert not folder.exists(), "nothing was read"


@pytest.mark.skipif("sys.platform == 'win32'", reason="needs links")
def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tenant.zip.partial").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(InvalidRequest, match="isn't a folder"),
        partial_read(tmp_path / "tenant.zip", REQUEST, TAKEN, print),
    ):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []
