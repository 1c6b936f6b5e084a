"""A survey of a live tenant reads each log once and says what an offline one says of the same data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.jobs import tenant_reader
from auditor.jobs.app_survey import SurveyRequest, survey_exit_code, survey_of
from auditor.jobs.audit_request import GivenSnapshot, Redaction
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.model.snapshot import LiveTenant, Snapshot
from auditor.model.survey import ConnectState, Filters, ScopeSource, Survey
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from tests.apps.tenants_with_apps import UNVERIFIED, Directory, app, failed, last_used, request
from tests.graph.live_tenants import Sleeps
from tests.graphserver import GraphServer, Status
from tests.oracle.pool import publisher

MAIL_READ_ROLE = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"
ENTRIES = 10_000
CODES = (90094, 50126, 0, 50076, 50140, 0, 50055, 0, 50126, 0)
"""The sign-ins in the log, of 250 users to 40 apps; every tenth is about consent."""
SINCE_ALWAYS = 100_000
"""Days of the log, so that the entries of the server's data are in it whenever the test runs."""


def of_snapshot(snapshot: Snapshot, **options: Any) -> Survey:
    return survey_of(SurveyRequest(source=GivenSnapshot(snapshot), **options))


@contextmanager
def live(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> Iterator[tuple[GraphServer, LiveTenant]]:
    """A server with the data of the snapshot, and how to read it."""
    document: dict[str, Any] = json.loads(dumps(snapshot))
    for principal in document["sections"]["servicePrincipals"]:
        if principal.get("verifiedPublisher") == {}:
            principal["verifiedPublisher"] = publisher(None)
    with GraphServer(document, **options) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        yield server, LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)


def comparable(found: Survey) -> Any:
    """What a survey says, without where and when the tenant was read."""
    return msgspec.structs.replace(found, source="", taken="", tool="", gaps=())


def directory() -> Directory:
    tenant = Directory()
    tenant.with_app(app(1, "Doodle"), alice="Calendars.ReadWrite User.Read")
    tenant.with_app(app(2, "Approved", publisher=UNVERIFIED), "Mail.ReadWrite")
    tenant.with_app(app(3, "Daemon")).with_role(3, MAIL_READ_ROLE)
    tenant.with_app(app(4, "Quiet"))
    return tenant


def test_a_live_survey_reads_a_log_of_ten_thousand_sign_ins_once_although_graph_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = tuple(
        msgspec.structs.replace(
            failed(
                10 + number // 10 % 40, f"user-{number // 10 % 250}", code=CODES[number % len(CODES)], name="Logged"
            ),
            id=f"{number:05}",
        )
        for number in range(ENTRIES)
    )
    snapshot = directory().snapshot(
        signIns=log, directoryAudits=(), servicePrincipalSignInActivities=(last_used(1, "2026-11-20T00:00:00Z"),)
    )
    sleeps = Sleeps()
    monkeypatch.setattr(tenant_reader, "retry_policy", lambda *_: sleeps.retry(600))
    with live(snapshot, monkeypatch) as (server, target):
        server.fault("/auditLogs/signIns", Status(429, retry_after=7))
        found = survey_of(SurveyRequest(source=target, log_days=SINCE_ALWAYS))
        requests = [call.path for call in server.requests]
    assert comparable(found) == comparable(of_snapshot(snapshot))
    assert found.source == "live, read through Microsoft Graph"
    assert sum(one.waiting.failed or 0 for one in found.apps) == 1_000, "25 of the 250 users at each of 40 apps"
    assert sum("/auditLogs/" in path for path in requests) < 10, "entries about something else are not read"
    assert sum("/servicePrincipals" in path for path in requests) == 1
    assert 7 in sleeps.slept
    assert not server.strays


def test_without_the_license_and_permissions_it_says_what_is_missing_and_decides_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = directory().snapshot(appConsentRequests=(request(1, "Doodle", "Calendars.ReadWrite", "bob"),))
    least = {
        "Organization.Read.All",
        "Policy.Read.All",
        "Policy.Read.PermissionGrant",
        "Application.Read.All",
        "DelegatedPermissionGrant.Read.All",
        "RoleManagement.Read.Directory",
    }
    with live(snapshot, monkeypatch, premium=False, roles=least) as (_, target):
        found = survey_of(SurveyRequest(source=target))
    why = {gap.section: gap.why for gap in found.gaps}
    assert "needs ConsentRequest.Read.All" in why["appConsentRequests"]
    assert set(why) >= {"appConsentRequests", "signIns", "servicePrincipalSignInActivities"}
    doodle = found.apps[0]
    assert (doodle.name, doodle.state) == ("Doodle", ConnectState.STOPPED)
    assert (doodle.waiting.asking, doodle.waiting.failed, doodle.last_sign_in) == (None, None, None)


# ---- Names, the catalogue, redaction, exit codes --------------------------------------------------------------------


@pytest.mark.parametrize("name", sample_names())
def test_a_survey_says_of_a_packs_app_what_a_check_says(name: str) -> None:
    (pack,) = load_packs(["trackerrms-uk"])
    assert pack.app is not None
    decision = decide(sample(name), pack.app)
    found = of_snapshot(sample(name), packs=(pack,), filters=Filters(names=(pack.app.client_id,)))
    (one,) = found.apps
    assert one.can_connect is not None
    assert (one.can_connect.outcome, one.can_connect.code) == (decision.outcome, decision.code)
    assert one.scopes_from == (ScopeSource.PACK,)


def test_an_app_of_the_catalogue_is_shown_although_the_tenant_doesnt_have_it() -> None:
    found = of_snapshot(Directory("consent-off").snapshot(), chosen=("Thunderbird",))
    (one,) = found.apps
    assert (one.name, one.in_tenant, one.scopes_from) == ("Thunderbird", False, (ScopeSource.CATALOGUE,))
    assert one.pack == "thunderbird/imap"
    assert one.state is ConnectState.STOPPED


def test_a_named_app_is_searched_in_the_tenant_first_and_then_in_the_catalogue() -> None:
    snapshot = directory().snapshot()
    assert [one.name for one in of_snapshot(snapshot, filters=Filters(names=("dood",))).apps] == ["Doodle"]
    assert [one.name for one in of_snapshot(snapshot, filters=Filters(names=("thunderbird",))).apps] == ["Thunderbird"]


def test_a_name_that_nothing_has_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(InvalidRequest, match="no app of this tenant has the name 'dodle': did you mean 'Doodle'"):
        of_snapshot(directory().snapshot(), filters=Filters(names=("dodle",)))
    with pytest.raises(InvalidRequest, match="did you mean 'thunderbird' of the catalogue"):
        of_snapshot(directory().snapshot(), filters=Filters(names=("thunderbrid",)))


def test_a_redacted_survey_gives_the_same_answers_without_names_of_the_tenant() -> None:
    tenant = directory()
    tenant.with_app(app(5, "Zebrafinch Payroll", owner=tenant.tenant_id, publisher=UNVERIFIED), alice="Mail.Read")
    snapshot = tenant.snapshot(appConsentRequests=(request(5, "Zebrafinch Payroll", "Mail.Read", "bob"),))
    plain, redacted = of_snapshot(snapshot), of_snapshot(snapshot, redaction=Redaction())
    assert [(one.state, one.holds.users, one.waiting.asking) for one in plain.apps] == [
        (one.state, one.holds.users, one.waiting.asking) for one in redacted.apps
    ]
    text = msgspec.json.encode(redacted).decode()
    assert "Zebrafinch" not in text and tenant.tenant_id not in text and "Zebrafinch" in str(plain)
    named = of_snapshot(snapshot, redaction=Redaction(), filters=Filters(names=("zebrafinch",)))
    assert [one.holds.users for one in named.apps] == [1]


def test_the_exit_code_says_whether_somebody_is_stopped_or_something_is_unknown() -> None:
    open_tenant = Directory("legacy-open").with_app(app(1, "App"), "User.Read")
    codes = {
        "stopped": of_snapshot(directory().snapshot()),
        "fine": of_snapshot(open_tenant.snapshot()),
        "grants not read": of_snapshot(open_tenant.snapshot(oauth2PermissionGrants=None)),
        "filter not decided": of_snapshot(
            open_tenant.snapshot(servicePrincipalSignInActivities=None), filters=Filters(unused_days=90)
        ),
    }
    assert {name: survey_exit_code(found) for name, found in codes.items()} == {
        "stopped": FAILING,
        "fine": OK,
        "grants not read": UNKNOWN,
        "filter not decided": UNKNOWN,
    }
