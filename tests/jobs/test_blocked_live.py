"""``blocked`` against the Graph server: long logs in pages, throttled, without the license, without permissions."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from auditor.apps.stopped_users import blocked
from auditor.graph.collect import collect
from auditor.graph.session import open_graph
from auditor.graph.transport import GraphClient
from auditor.jobs.audit_request import GivenSnapshot, Interaction
from auditor.jobs.blocked import BlockedRequest, blocked_exit_code, blocked_users, read_in_steps
from auditor.model.blocked import Blocked
from auditor.model.snapshot import LiveTenant, Snapshot
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.graph.live_tenants import Sleeps, where
from tests.graphserver import GraphServer, Status
from tests.oracle.pool import publisher

TAKEN = "2026-11-22T02:00:00Z"
ENTRIES = 10_000
EVERYTHING = (
    *("Organization.Read.All", "Policy.Read.All", "Policy.Read.PermissionGrant", "Application.Read.All"),
    *(
        "DelegatedPermissionGrant.Read.All",
        "RoleManagement.Read.Directory",
        "GroupSettings.Read.All",
        "Directory.Read.All",
    ),
    *("AuditLog.Read.All", "ConsentRequest.Read.All"),
)


def document(**sections: Any) -> dict[str, Any]:
    """The sample with stopped users as the server serves it, with these sections replaced."""
    made: dict[str, Any] = json.loads(dumps(sample("stopped-users")))
    for principal in made["sections"]["servicePrincipals"]:
        principal["verifiedPublisher"] = {**publisher(None), **principal.get("verifiedPublisher", {})}
    made["sections"].update(sections)
    return made


def long_log() -> list[dict[str, Any]]:
    """A sign-in log of 10,000 entries, of which every tenth is about consent, of 100 users at 5 apps."""
    codes = (90094, 50126, 0, 50076, 50140, 0, 50055, 0, 50126, 0)
    return [
        {
            "id": f"n{number:05}",
            "createdDateTime": f"2026-11-{number % 20 + 1:02}T{number % 24:02}:00:00Z",
            "appId": f"0a000000-0000-4000-8000-{number // 10 % 5:012}",
            "appDisplayName": f"App {number // 10 % 5}",
            "userId": f"0b000000-0000-4000-8000-{number // 10 % 100:012}",
            "userPrincipalName": f"user{number // 10 % 100}@relecloud.example",
            "status": {"errorCode": codes[number % 10]},
        }
        for number in range(ENTRIES)
    ]


def read(server: GraphServer, sleeps: Sleeps, **request: Any) -> Snapshot:
    """What the command reads, by a clock that only sleeping moves."""

    async def run() -> Snapshot:
        async with open_graph(at=where(server), environ=server.env(), retry=sleeps.retry(600)) as client:
            return await read_in_steps(reading(client), BlockedRequest(source=LiveTenant(), **request), TAKEN)

    def reading(client: GraphClient) -> Any:
        return partial(collect, client, tenant_id=server.tenant.id, cloud="global", tool="test")

    return asyncio.run(run())


def report_calls(server: GraphServer) -> int:
    return sum("/auditLogs/" in request.path for request in server.requests)


def plain(made: Blocked) -> Any:
    """The answer without what only one of two reads has."""
    found = msgspec.to_builtins(made)
    return {key: found[key] for key in ("summary", "apps", "asked")}


def test_ten_thousand_sign_ins_are_read_by_code_in_pages_and_within_microsofts_limit() -> None:
    sleeps = Sleeps()
    with GraphServer(document(signIns=long_log()), roles=EVERYTHING, page_size=500) as server:
        server.fault("/auditLogs/signIns", Status(429, retry_after=7), times=2)
        snapshot = read(server, sleeps)
        calls = report_calls(server)
    assert len(snapshot.sections.signIns or ()) == ENTRIES / 10, "entries about something else are not read"
    assert calls <= 20
    assert sleeps.slept.count(7) >= 1
    made = blocked(snapshot, with_fixes=False)
    stopped = {app.app.name: app for app in made.apps if app.app.name.startswith("App ")}
    assert {name: (app.stopped, app.codes[0].times) for name, app in stopped.items()} == {
        f"App {number}": (20, 200) for number in range(5)
    }
    assert all(app.now.would_connect is None for app in stopped.values()), "nobody knows what they ask for"


def test_the_live_answer_is_that_of_the_snapshot() -> None:
    with GraphServer(document(), roles=EVERYTHING) as server:
        live = read(server, Sleeps())
        assert server.refused_writes == []
    assert plain(blocked(live)) == plain(blocked(sample("stopped-users")))


def test_one_app_by_its_client_id_is_read_without_the_others() -> None:
    app = "01f1a5b4-34ce-42e2-acbc-d1dfe46dba94"
    with GraphServer(document(), roles=EVERYTHING) as server:
        live = read(server, Sleeps(), app=app)
    assert {row.appId for row in live.sections.signIns or ()} == {app}
    asked = BlockedRequest(source=LiveTenant(), app=app)
    (found,) = blocked(live, msgspec.convert({"app": asked.app}, type=type(blocked(live).asked))).apps
    assert (found.stopped, found.waiting, found.refused, found.not_known) == (3, 2, 0, {})


@pytest.mark.parametrize(
    ("options", "section", "said", "field"),
    [
        pytest.param({"premium": False}, "signIns", "P1 or P2", "stopped", id="without the license"),
        pytest.param(
            {"roles": EVERYTHING[:-1]}, "appConsentRequests", "ConsentRequest.Read.All", "waiting", id="no requests"
        ),
        pytest.param({"roles": EVERYTHING[:-2]}, "directoryAudits", "AuditLog.Read.All", "refused", id="no logs"),
    ],
)
def test_what_a_tenant_refuses_is_said_and_never_zero(
    options: dict[str, Any], section: str, said: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GraphServer(document(), **{"roles": EVERYTHING, **options}) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
        made = blocked_users(BlockedRequest(source=target, since="2026-10-01T00:00:00Z"))
    gap = next(one for one in made.sources if one.section == section)
    assert not gap.complete and said in " ".join((gap.why, *gap.needs))
    assert all(getattr(app, field) is None and app.not_known[field] for app in made.apps)
    assert blocked_exit_code(made) in (1, 4)


def test_somebody_who_waits_for_the_fixes_of_many_apps_is_told_so() -> None:
    snapshot = sample("stopped-users")
    row = next(one for one in snapshot.sections.signIns or () if one.status and one.status.errorCode == 90095)
    rows = tuple(replace(row, id=f"s{n}", appId=f"0a000000-0000-4000-8000-{n:012}") for n in range(201))
    many = replace(snapshot, sections=replace(snapshot.sections, signIns=rows, appConsentRequests=()))
    said: list[str] = []
    for one in (snapshot, many):
        blocked_users(BlockedRequest(source=GivenSnapshot(one)), Interaction(on_wait=said.append))
    assert len(said) == 1 and said[0].startswith("Looking for fixes for 20")
