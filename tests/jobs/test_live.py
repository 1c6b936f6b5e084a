"""A live audit with the real SDKs over real TLS says what an offline one says of the same tenant."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import msgspec
import pytest

from auditor.checks.kind import plan_for
from auditor.compare import comparable as one_side
from auditor.compare import compare
from auditor.consent.requested_scopes import app_from_scopes
from auditor.graph.preconnect import run
from auditor.jobs.audit import exit_code
from auditor.jobs.audit_request import SILENT, Interaction
from auditor.jobs.pack_selection import apps_of, chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.jobs.tenant_reader import read_for, read_tenant, retry_policy
from auditor.model.difference import ChangeKind, Since
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.sections import DATING_SECTIONS, FULL_SECTIONS, SECTIONS, Sections
from auditor.model.snapshot import LiveTenant, Plan, Snapshot
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from benchmarks.tenants import as_large
from tests.graphserver import GraphServer, LatencyProxy, Status
from tests.graphserver.answer import Answer
from tests.graphserver.call import Call
from tests.graphserver.faults import FailWith, Fault, Proper
from tests.limits import HUNG_AFTER
from tests.oracle.pool import publisher

PACKS = load_packs(["trackerrms-uk"])
APPS = [pack.app for pack in PACKS if pack.app is not None]
LEAST = (
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.Read.PermissionGrant",
    "Application.Read.All",
    "DelegatedPermissionGrant.Read.All",
    "RoleManagement.Read.Directory",
)
"""What docs/app-registration.md asks an admin to grant."""


@contextmanager
def served(document: dict[str, Any], **options: Any) -> Iterator[tuple[GraphServer, LiveTenant, dict[str, str]]]:
    """A server for this tenant, and how to read it."""
    with GraphServer(document, **options) as server:
        yield server, LiveTenant(authority_host=server.authority, graph_endpoint=server.graph), server.env()


def document_of(name: str) -> dict[str, Any]:
    """A sample tenant as the server serves it: Graph returns each property of ``verifiedPublisher``, or null for it."""
    document: dict[str, Any] = json.loads(dumps(sample(name)))
    for principal in document["sections"].get("servicePrincipals", ()):
        if principal.get("verifiedPublisher") == {}:
            principal["verifiedPublisher"] = publisher(None)
    return document


def comparable(report: Report) -> dict[str, Any]:
    """A report without when and how it was made."""
    plain: dict[str, Any] = msgspec.to_builtins(report)
    for unread in plain["unread"]:
        for said_by_server in ("request_id", "message", "code"):
            unread.pop(said_by_server, None)
    for fix in (fix for part in (*plain["decisions"], *plain["findings"]) for fix in part["fixes"]):
        # Whether step-up would shield is known where the risk settings were read, which a pre-flight need not do.
        fix["opens"]["summary"] = fix["opens"]["summary"].partition(" Risk-based")[0]
    # A pre-flight reads the grants of its own apps only; a sample may hold those of others.
    clients = {app.client_id for app in APPS}
    plain["granted"] = [row for row in plain["granted"]["rows"] if row["client_id"] in clients]
    for one in plain["abused_apps"]:
        one.pop("days_old")
    # A pre-flight reads neither requests for consent nor sign-ins.
    return {k: v for k, v in plain.items() if k not in ("taken", "tool", "source", "provenance", "stopped")}


@pytest.mark.parametrize("name", sample_names())
def test_live_and_offline_say_the_same_of_every_sample(name: str) -> None:
    with served(document_of(name), roles=LEAST) as (server, target, environ):
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, environ=environ)
        batches = [r for r in server.requests if r.path.endswith("$batch")]
        assert server.refused_writes == []
    assert comparable(build_report(snapshot, PACKS)) == comparable(build_report(sample(name), PACKS))
    assert len(batches) <= 2


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        pytest.param((*LEAST, "AuditLog.Read.All"), "user consent by sofia@", id="with the permission for the log"),
        pytest.param(LEAST, "directoryAudits was not read", id="without it, and without a refused request"),
    ],
)
def test_who_consented_to_a_known_abused_app_is_read_where_it_may_be(roles: tuple[str, ...], says: str) -> None:
    packs = load_packs(["grants-hygiene"])
    with served(document_of("stopped-users"), roles=roles) as (_, target, environ):
        reading = read_for(target, plan_for(packs), apps=(), packs=packs, environ=environ, taken="2026-11-19T02:00:00Z")
        report = build_report(run(reading), packs)
    (found,) = (one for one in report.findings if one.rule == "HYG-ABUSED-LEGITIMATE")
    assert says in found.reason
    assert (found.unread, report.unread) == ("", ())


@pytest.mark.parametrize("name", ["managed-default", "consent-off", "admin-consented", "low-classified"])
def test_a_preflight_is_one_batch_whatever_the_tenants_size(name: str) -> None:
    document = document_of(name)
    document["sections"]["servicePrincipals"] += [
        {"id": f"00000000-0000-4000-8000-{i:012d}", "appId": f"10000000-0000-4000-8000-{i:012d}"} for i in range(3000)
    ]
    with served(document, roles=LEAST) as (server, target, environ):
        read_tenant(target, plan_for(PACKS), apps=APPS, environ=environ)
        assert [(r.method, r.path) for r in server.requests] == [("POST", "/$batch")]
        assert {item.method for item in server.requests[0].items or ()} == {"GET"}
        assert len(server.token_requests) == 1


def test_a_pre_flight_of_a_large_tenant_asks_for_and_gets_what_it_gets_of_a_small_one() -> None:
    """No more requests, and no more bytes than those by which one answer differs from the next."""
    small, large = (asked_and_got(as_large(*size)) for size in ((2, 10), (2_000, 10_000)))
    assert large.requests == small.requests
    assert large.sections == small.sections
    assert abs(large.bytes_down - small.bytes_down) < 200


class Traffic(NamedTuple):
    """What a pre-flight asked for, what it got, and in how many bytes."""

    requests: list[tuple[str, ...]]
    sections: Sections
    bytes_down: int


def asked_and_got(document: dict[str, Any]) -> Traffic:
    with GraphServer(document) as server, LatencyProxy(server.port, 0.0) as graph:
        target = LiveTenant(authority_host=server.authority, graph_endpoint=graph.url)
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, packs=PACKS, environ=server.env())
        requests = [(one.method, one.path, *(item.path for item in one.items or ())) for one in server.requests]
        return Traffic(requests, snapshot.sections, graph.bytes_down)


def test_a_script_gets_the_progress_of_each_section() -> None:
    sections: set[str] = set()
    plan = plan_for(PACKS).union(Plan(whole=("servicePrincipals",)))
    with served(document_of("managed-default"), roles=LEAST) as (_, target, environ):
        read_tenant(target, plan, apps=APPS, environ=environ, progress=lambda section, *_: sections.add(section))
    assert "servicePrincipals" in sections


def test_an_unverified_publisher_is_worth_a_second_look_at_the_risk_settings() -> None:
    document = document_of("legacy-open")
    for principal in document["sections"]["servicePrincipals"]:
        if principal["appId"] == APPS[0].client_id:
            principal["verifiedPublisher"] = publisher(None)
    with served(document) as (server, target, environ):
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, environ=environ)
        assert [r.version for r in server.requests] == ["v1.0", "beta"]
    assert snapshot.sections.directorySettings == ()


@pytest.mark.parametrize("missing", LEAST)
def test_each_missing_permission_costs_its_section_and_nothing_else(missing: str) -> None:
    roles = tuple(role for role in LEAST if role != missing)
    with served(document_of("admin-consented"), roles=roles) as (_, target, environ):
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, environ=environ)
    # The risk settings are a second look, which an app with the least permissions may not take.
    refused = {name: unread for name, unread in snapshot.unread.items() if name != "directorySettings"}
    assert refused
    assert all(missing in unread.needs for unread in refused.values())
    assert build_report(snapshot, PACKS).unread


def test_an_app_without_any_permission_still_gets_a_report_of_what_it_may_not_read() -> None:
    with served(document_of("admin-consented"), roles=()) as (_, target, environ):
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, environ=environ)
    report = build_report(snapshot, PACKS)
    assert (report.summary.passed, report.summary.failed) == (0, 0)
    assert report.decisions[0].outcome.value == "depends"


def test_a_user_is_read_with_groups_and_roles_and_decided_for() -> None:
    document = document_of("assignment-required")
    assigned = next(iter(document["sections"]["appRoleAssignedTo"].values()))[0]["principalId"]
    document["sections"]["users"] = [
        {"id": assigned, "userPrincipalName": "pat@contoso.example", "displayName": "Pat", "userType": "Member"}
    ]
    with served(document) as (server, target, environ):
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, user="pat@contoso.example", environ=environ)
        assert server.refused_writes == []
    report = build_report(snapshot, PACKS, user="pat@contoso.example")
    assert [d.subject for d in report.decisions] == ["ordinary member", "pat@contoso.example"]


def test_an_empty_publisher_says_that_none_is_verified() -> None:
    document = document_of("admin-consented")
    for principal in document["sections"]["servicePrincipals"]:
        principal["verifiedPublisher"] = {}
    with served(document) as (_, target, environ):
        snapshot = read_tenant(target, plan_for(PACKS), apps=APPS, environ=environ)
    (client,) = (p for p in snapshot.sections.servicePrincipals or () if p.appId == APPS[0].client_id)
    assert client.verifiedPublisher is not None
    assert not client.verifiedPublisher.is_verified


def test_a_full_read_fills_every_section_page_by_page_with_progress() -> None:
    document = document_of("admin-consented")
    document["sections"]["servicePrincipals"] += [
        {"id": f"00000000-0000-4000-8000-{i:012d}", "appId": f"10000000-0000-4000-8000-{i:012d}"} for i in range(250)
    ]
    seen: list[tuple[str, int]] = []
    plan = plan_for(PACKS).union(Plan(sections=("directorySettings",), whole=FULL_SECTIONS))
    with served(document, page_size=100) as (server, target, environ):
        snapshot = read_tenant(
            target,
            plan,
            apps=APPS,
            environ=environ,
            interaction=Interaction(progress=lambda name, done, _: seen.append((name, done))),
        )
        assert server.refused_writes == []
    assert snapshot.unread == {}
    assert len(snapshot.sections.servicePrincipals or ()) >= 253
    assert [done for name, done in seen if name == "servicePrincipals"][:2] == [100, 200]
    missing = [name for name in FULL_SECTIONS if getattr(snapshot.sections, name) is None]
    assert missing == []


def test_a_full_read_takes_every_section_that_grows_with_the_directory_except_people() -> None:
    assert {name for name, section in SECTIONS.items() if section.grows} - {"users"} <= set(FULL_SECTIONS)


def test_what_a_grant_means_is_asked_of_its_resource_in_a_second_look() -> None:
    document = document_of("admin-consented")
    sections = document["sections"]
    vendor = "ac3e0b5b-c291-4709-8c1e-26038dabf68e"
    api = {"id": "77777777-1111-4111-8111-111111111111", "appId": "88888888-1111-4111-8111-111111111111"}
    scope = {"id": "99999999-1111-4111-8111-111111111111", "value": "Everything.All", "type": "Admin"}
    others = [
        {"id": f"00000000-0000-4000-8000-{n:012d}", "appId": f"10000000-0000-4000-8000-{n:012d}"} for n in range(99)
    ]
    sections["servicePrincipals"] += [{**api, "oauth2PermissionScopes": [scope]}, *others]
    sections["oauth2PermissionGrants"] = [
        {
            "id": "g1",
            "clientId": vendor,
            "consentType": "AllPrincipals",
            "resourceId": api["id"],
            "scope": "Everything.All",
        }
    ]
    document["covers"] = {}
    packs = load_packs(["grants-hygiene"])
    with served(document, page_size=50) as (server, target, environ):
        snapshot = read_tenant(target, plan_for(packs), packs=packs, environ=environ)
        asked = [item.path for r in server.requests for item in r.items or () if api["appId"] in item.path]
    assert len(asked) == 2
    assert len([p for p in snapshot.sections.servicePrincipals or () if p.appId == api["appId"]]) == 1
    outcomes = {f.rule: (f.outcome.value, f.reason) for f in build_report(snapshot, packs).findings}
    assert outcomes["HYG-WIDE-UNVERIFIED"][0] == "fail"
    assert "Tailwind Scheduler" in outcomes["HYG-WIDE-UNVERIFIED"][1]


BATCH, SETTINGS = "POST v1.0/$batch", "GET beta/settings"
RISKY = app_from_scopes("c0ffee00-1111-4222-8333-444455556666", "Mail.Read")
"""An app of which nothing says that its publisher is verified, so that risk-based step-up consent may stop it."""


@pytest.mark.parametrize(
    ("packs", "name", "connections", "requests", "most"),
    [
        pytest.param(PACKS, "managed-default", 1, [BATCH], 5, id="a vendor's pack needs no settings"),
        pytest.param(load_packs(["eidsca"]), "managed-default", 2, [SETTINGS, BATCH], 5, id="a check of settings"),
        pytest.param(chosen_packs([], RISKY), "legacy-open", 1, [BATCH, SETTINGS], 6, id="an app that may be risky"),
    ],
)
def test_a_pre_flight_takes_few_round_trips(
    packs: tuple[Pack, ...], name: str, connections: int, requests: list[str], most: int
) -> None:
    """One token and one batch; the connections that the first requests need open while the token is fetched."""
    with (
        GraphServer(document_of(name)) as server,
        LatencyProxy(int(server.authority.rpartition(":")[2]), 0.0) as authority,
        LatencyProxy(server.port, 0.0) as graph,
    ):
        target = LiveTenant(authority_host=authority.url, graph_endpoint=graph.url)
        read_tenant(target, plan_for(packs), apps=apps_of(packs), packs=packs, environ=server.env())
        assert len(server.token_requests) == 1
        asked = [f"{one.method} {one.version}{one.path}" for one in server.requests]
    assert sorted(asked) == sorted(requests)
    assert (authority.connections, graph.connections) == (1, connections)
    # First everything that the authority is asked, then what Graph is asked: at once where there are connections.
    assert authority.round_trips + 1 + len(requests) - connections <= most


class Held(Fault):
    """The proper answer, but not before `event` has happened."""

    event: ClassVar[threading.Event]

    def answer(self, call: Call, proper: Proper, fail: FailWith) -> Answer:
        assert self.event.wait(HUNG_AFTER)
        return proper()


def test_the_evaluation_is_loaded_while_graph_is_waited_for() -> None:
    Held.event = threading.Event()
    with served(document_of("managed-default")) as (server, target, environ):
        server.fault("/$batch", Held())
        read_tenant(target, plan_for(PACKS), apps=APPS, packs=PACKS, environ=environ, meanwhile=Held.event.set)
        assert Held.event.is_set()


def test_with_wait_the_pauses_that_microsoft_asks_for_may_be_longer_than_the_time_limit() -> None:
    patient = retry_policy(LiveTenant(timeout=60, waits_as_asked=True), SILENT)
    assert patient.allows(3600)
    assert not retry_policy(LiveTenant(timeout=60), SILENT).allows(3600)


NIGHT = "2026-11-22T02:00:00Z"


def read_with_log(document: dict[str, Any], taken: str, roles: tuple[str, ...]) -> Snapshot:
    with served(document, roles=roles) as (_, target, environ):
        plan = plan_for(PACKS)
        reading = read_for(
            target, plan, apps=tuple(APPS), packs=(), environ=environ, taken=taken, if_allowed=DATING_SECTIONS
        )
        return run(reading)


def test_two_live_reads_say_what_changed_and_the_log_by_whom() -> None:
    done = {
        "id": "d1",
        "activityDateTime": "2026-11-22T10:00:00Z",
        "activityDisplayName": "Update authorization policy",
        "result": "success",
        "initiatedBy": {"user": {"id": "u1", "userPrincipalName": "admin@contoso.example"}},
        "targetResources": [],
    }
    before, after = document_of("legacy-open"), document_of("legacy-open")
    role = after["sections"]["authorizationPolicy"]["defaultUserRolePermissions"]
    role["permissionGrantPoliciesAssigned"] = []
    after["sections"]["directoryAudits"] = [done, {**done, "id": "d2", "activityDisplayName": "Add user"}]
    roles = (*LEAST, "AuditLog.Read.All")
    reads = [read_with_log(before, "2026-11-22T02:00:00Z", roles), read_with_log(after, "2026-11-23T02:00:00Z", roles)]
    assert [row.id for row in reads[1].sections.directoryAudits or ()] == ["d1"]
    first, second = (one_side(build_report(read, PACKS), read) for read in reads)
    found = compare(first, second)
    decision = next(one for one in found.changes if one.kind is ChangeKind.DECISION)
    assert decision.because_of == ("setting/permissionGrantPoliciesAssigned",)
    assert decision.by and decision.by.name == "admin@contoso.example"
    assert decision.since and decision.since.at == "2026-11-22T10:00:00Z"


def test_a_drift_of_the_second_read_says_when_a_setting_changed() -> None:
    one = {
        "id": "f1",
        "resourceType": "microsoft.entra.authorizationpolicy",
        "firstReportedDateTime": "2026-11-22T12:00:57.4830642Z",
        "status": "active",
        "driftedProperties": [{"propertyName": "AllowInvitesFrom", "currentValue": "None", "desiredValue": "Everyone"}],
    }
    before, after = document_of("legacy-open"), document_of("legacy-open")
    before["sections"]["authorizationPolicy"]["allowInvitesFrom"] = "everyone"
    after["sections"]["authorizationPolicy"]["allowInvitesFrom"] = "none"
    after["sections"]["configurationDrifts"] = [one]
    # A token with the wider permission may read the drifts, too.
    roles = (*LEAST, "ConfigurationMonitoring.ReadWrite.All")
    reads = [read_with_log(before, "2026-11-22T02:00:00Z", roles), read_with_log(after, "2026-11-23T02:00:00Z", roles)]
    first, second = (one_side(build_report(read, PACKS), read) for read in reads)
    found = compare(first, second)
    (change,) = (one for one in found.changes if one.kind is ChangeKind.SETTING)
    assert change.key == "setting/allowInvitesFrom"
    assert change.since == Since(source="configuration drift", at="2026-11-22T12:00:57.4830642Z")
    assert change.by is None


def test_drifts_that_graph_refuses_change_nothing_and_make_nothing_fail() -> None:
    document = document_of("legacy-open")
    roles = (*LEAST, "ConfigurationMonitoring.Read.All")
    with served(document, roles=roles) as (server, target, environ):
        server.fault("/configurationDrifts", Status(403), times=None)
        plan = plan_for(PACKS)
        refused = run(
            read_for(target, plan, apps=tuple(APPS), packs=(), environ=environ, taken=NIGHT, if_allowed=DATING_SECTIONS)
        )
    read = read_with_log(document, NIGHT, roles)
    assert list(refused.unread) == ["configurationDrifts"] and read.unread == {}
    reports = [build_report(one, PACKS) for one in (read, refused)]
    assert exit_code(reports[0], fail_on="low", strict=True) == exit_code(reports[1], fail_on="low", strict=True)
    found = compare(one_side(reports[0], read), one_side(reports[1], refused))
    assert found.changes == () and found.not_compared == ()


def test_a_preflight_never_asks_for_the_log_or_the_drifts() -> None:
    with served(document_of("legacy-open")) as (server, target, environ):
        read_tenant(target, plan_for(PACKS), apps=APPS, packs=PACKS, environ=environ)
        asked = [item.path for one in server.requests for item in one.items or (one,)]
    assert not [path for path in asked if "auditLogs" in path or "configurationManagement" in path]


def test_the_log_and_drifts_are_read_only_with_their_permission_and_nothing_is_missing_without() -> None:
    snapshot = read_with_log(document_of("legacy-open"), "2026-11-22T02:00:00Z", LEAST)
    assert snapshot.sections.directoryAudits is None
    assert snapshot.sections.configurationDrifts is None
    assert snapshot.unread == {}
