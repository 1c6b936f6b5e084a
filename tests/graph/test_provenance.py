"""What a snapshot says of the calls that it was made with."""

from __future__ import annotations

import msgspec

from auditor.model.snapshot import Plan, Provenance
from auditor.snapshot.read import loads
from auditor.snapshot.write import dumps
from tests.graph.live_tenants import ABSENT, CLIENT, PREFLIGHT, TAKEN, USER, read, tenant
from tests.graphserver import AUDIT_ROLES, GraphServer, NextLink


def made(server: GraphServer, plan: Plan) -> Provenance:
    """The provenance of a snapshot by `plan`."""
    found = read(server, plan).provenance
    assert found is not None
    return found


def test_every_item_that_the_server_was_asked_for_is_a_call_and_nothing_else_is() -> None:
    with GraphServer(tenant()) as server:
        calls = made(server, PREFLIGHT).calls
        asked = [item.path for request in server.requests for item in request.items or ()]
    assert sorted(call.address.partition("?")[0] for call in calls) == sorted(f"/v1.0{path}" for path in asked)
    assert {call.status for call in calls} == {200}
    assert {call.at for call in calls} == {TAKEN}


def test_a_call_names_the_permissions_that_allow_it_and_how_many_rows_came() -> None:
    with GraphServer(tenant()) as server:
        calls = {call.section: call for call in made(server, PREFLIGHT).calls}
    grants = calls[f"oauth2PermissionGrants/{CLIENT}"]
    assert (grants.rows, calls["authorizationPolicy"].rows) == (5, None)
    assert "DelegatedPermissionGrant.Read.All" in grants.permissions


def test_rows_are_counted_over_all_pages() -> None:
    with GraphServer(tenant(), page_size=2) as server:
        (call,) = made(server, Plan(whole=("oauth2PermissionGrants",))).calls
        assert len(server.requests) > 1
    assert call.rows == 5


def test_the_call_of_a_refused_or_absent_object_has_its_status() -> None:
    without = tuple(role for role in AUDIT_ROLES if not role.startswith("Policy."))
    plan = msgspec.structs.replace(PREFLIGHT, clients=(ABSENT,))
    with GraphServer(tenant(), roles=without) as server:
        calls = {call.section: call.status for call in made(server, plan).calls}
    assert calls["authorizationPolicy"] == 403
    assert calls[f"servicePrincipals/{ABSENT}"] == 404


def test_a_page_that_never_comes_leaves_a_call_without_an_answer() -> None:
    with GraphServer(tenant()) as server:
        server.fault("/oauth2PermissionGrants", NextLink("https://elsewhere.example/v1.0/more"), times=None)
        calls = {call.section: call for call in made(server, PREFLIGHT).calls}
    assert calls[f"oauth2PermissionGrants/{CLIENT}"].status is None


def test_the_reader_and_what_its_token_held_are_named_and_no_secret_is() -> None:
    with GraphServer(tenant(), roles=AUDIT_ROLES) as server:
        snapshot = read(server, PREFLIGHT)
        secret = server.env()["AZURE_CLIENT_SECRET"]
        reader = server.env()["AZURE_CLIENT_ID"]
    assert snapshot.provenance is not None
    assert snapshot.provenance.reader == reader
    assert set(snapshot.provenance.permissions) == set(AUDIT_ROLES)
    assert secret not in dumps(snapshot).decode()
    assert "eyJ" not in dumps(snapshot).decode()


def test_the_groups_of_a_user_take_more_than_the_user() -> None:
    with GraphServer(tenant()) as server:
        calls = made(server, Plan(users=(USER,))).calls
    assert {call.permissions for call in calls if "memberOf" in call.address} == {("Directory.Read.All",)}


def test_provenance_outlives_the_file() -> None:
    with GraphServer(tenant()) as server:
        snapshot = read(server, PREFLIGHT)
    assert loads(dumps(snapshot)).provenance == snapshot.provenance
