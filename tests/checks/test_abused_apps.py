"""Known abused apps: what they hold, who consented and when, which day counts, and what isn't known."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.checks.abused_apps import NoAbusedApps
from auditor.checks.kind import CheckContext, CheckResult
from auditor.checks.required_reads import further_reads
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, SHAREPOINT_ONLINE
from auditor.model.report import AbusedApp, AbusedAppsList
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Plan, Snapshot
from auditor.packs.load import load_packs
from tests.consent.from_oracle import snapshot_of
from tests.oracle import pool

EXPORTER = "ff8d92dc-3d82-41d6-bcbd-b9174d163620"
RCLONE = "b15665d9-eda6-4092-8539-0eec376afd59"
OBJECT = "5b0f9a52-0000-4e6f-9c21-5a7d2e8b4f10"
TAKEN = "2026-11-22T02:00:00Z"
ROLES: dict[str, Any] = {MICROSOFT_GRAPH: [], EXCHANGE_ONLINE: [], SHAREPOINT_ONLINE: []}


def consent(at: str, who: str = "eva@contoso.example", **properties: str) -> dict[str, Any]:
    """An entry of the audit log about a consent to the app."""
    changed = [{"displayName": name, "newValue": f'"{value}"'} for name, value in properties.items()]
    return {
        "id": at,
        "activityDateTime": at,
        "activityDisplayName": "Consent to application",
        "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": who}},
        "targetResources": [{"id": OBJECT, "displayName": "an app", "modifiedProperties": changed}],
    }


def tenant(app: str = EXPORTER, taken: str = TAKEN, log: Any = None, **app_properties: Any) -> Snapshot:
    """A tenant in which one user granted the app a permission, all of it read."""
    sections = {
        "servicePrincipals": [
            {"id": OBJECT, "appId": app, "displayName": "an app", **app_properties},
            pool.resource(pool.GRAPH),
        ],
        "oauth2PermissionGrants": [
            {
                "clientId": OBJECT,
                "resourceId": pool.OBJECT_IDS[pool.GRAPH],
                "consentType": "Principal",
                "principalId": pool.ALICE,
                "scope": "Mail.Read",
            }
        ],
        "appRoleAssignedTo": ROLES,
        **({} if log is None else {"directoryAudits": log}),
    }
    return msgspec.structs.replace(snapshot_of(pool.snapshot(sections)), taken=taken)


def judged(snapshot: Snapshot, *own: AbusedApp, **arguments: Any) -> CheckResult:
    lists = (AbusedAppsList(name="own.yaml", digest="", read="2026-11-01", apps=own),) if own else ()
    return NoAbusedApps(**arguments).judge(CheckContext(snapshot, abused=lists))


def actual(result: CheckResult, path: str) -> list[Any]:
    return [one.actual for one in result.evidence if one.path.startswith(path)]


def test_the_log_says_who_consented_and_when() -> None:
    log = [
        consent("2026-11-18T09:00:00Z", "bob@contoso.example"),
        consent("2026-11-20T10:00:00Z", **{"ConsentContext.IsAdminConsent": "True"}),
        {**consent("2026-11-21T10:00:00Z"), "result": "failure"},
        {**consent("2026-11-21T11:00:00Z"), "targetResources": [{"id": pool.OBJECT_IDS[pool.GRAPH]}]},
    ]
    result = judged(tenant(log=log))
    assert result.clause.endswith("the last consent was on 2026-11-20, admin consent by eva@contoso.example")
    assert actual(result, "directoryAudits") == [
        "2026-11-20 10:00 UTC: admin consent by eva@contoso.example",
        "2026-11-18 09:00 UTC: consent by bob@contoso.example",
    ]


def test_without_the_log_the_finding_stands_and_when_is_unknown() -> None:
    result = judged(tenant())
    assert result.outcome is FindingOutcome.FAIL
    assert "who consented, and when, isn't known: directoryAudits was not read" in result.clause
    assert actual(result, "directoryAudits") == []


def test_a_log_without_a_consent_says_from_when_on_there_was_none() -> None:
    result = judged(tenant(log=[]))
    assert actual(result, "directoryAudits") == ["no consent from 2026-11-15 on"]


@pytest.mark.parametrize(
    ("snapshot", "since", "outcome"),
    [
        pytest.param(tenant(log=[consent("2026-11-20T10:00:00Z")]), "2026-11-20", "fail", id="a consent on that day"),
        pytest.param(tenant(log=[consent("2026-11-17T23:59:59Z")]), "2026-11-18", "pass", id="the last was earlier"),
        pytest.param(tenant(log=[]), "2026-11-18", "pass", id="none since then"),
        pytest.param(tenant(log=[]), "2026-11-01", "unknown", id="the log doesn't go back so far"),
        pytest.param(tenant(), "2026-11-18", "unknown", id="no log"),
        pytest.param(
            tenant(createdDateTime="2026-11-19T00:00:00Z"), "2026-11-18", "fail", id="no log, but the app is newer"
        ),
        pytest.param(
            tenant(createdDateTime="2025-11-19T00:00:00Z"), "2026-11-18", "unknown", id="no log, and the app is older"
        ),
    ],
)
def test_only_consents_from_the_day_on_count(snapshot: Snapshot, since: str, outcome: str) -> None:
    assert judged(snapshot, since=since).outcome.value == outcome
    # A day in the list comes before that of the rule.
    listed = AbusedApp(client_id=EXPORTER, since=since)
    assert judged(snapshot, listed, since="2000-01-01").outcome.value == outcome


@pytest.mark.parametrize(
    ("app", "failing"),
    [
        pytest.param(EXPORTER, {"any", "malicious"}, id="a malicious app"),
        pytest.param(RCLONE, {"any", "legitimate"}, id="a legitimate product"),
        pytest.param(pool.CLIENT, set(), id="an app that isn't listed"),
    ],
)
def test_each_class_of_apps_is_judged_by_itself(app: str, failing: set[str]) -> None:
    outcomes = {apps: judged(tenant(app), apps=apps).outcome for apps in ("any", "malicious", "legitimate")}
    assert {apps for apps, outcome in outcomes.items() if outcome is FindingOutcome.FAIL} == failing
    assert set(outcomes.values()) <= {FindingOutcome.FAIL, FindingOutcome.PASS}


def test_your_own_list_adds_apps_and_its_name_is_in_the_pass() -> None:
    own = AbusedApp(client_id=pool.CLIENT, name="Mail thief", why="Known here.")
    failing = judged(tenant(pool.CLIENT), own)
    assert "an app (Mail thief in the list)" in failing.clause
    assert actual(failing, "abused-apps") == ["Known here."]
    assert "own.yaml (read on 2026-11-01)" in judged(tenant(pool.OTHER_CLIENT), own).clause


def test_an_old_list_says_that_newer_apps_are_missing() -> None:
    for snapshot in (tenant(taken="2027-12-01T00:00:00Z"), tenant(pool.CLIENT, taken="2027-12-01T00:00:00Z")):
        assert (
            "the list abused-apps was last checked on 2026-11-22, more than 180 days before" in judged(snapshot).clause
        )


def test_a_pass_never_says_that_other_apps_are_safe() -> None:
    assert judged(tenant(pool.CLIENT)).clause.endswith("Apps that aren't listed can be harmful")


def test_more_is_read_only_where_a_listed_app_is_in_the_tenant() -> None:
    packs = load_packs(["grants-hygiene"])
    assert further_reads(tenant(), packs) == Plan(sections=("directoryAudits",), app_roles_of=(EXPORTER,))
    assert further_reads(tenant(log=[]), packs) == Plan(app_roles_of=(EXPORTER,))
    assert further_reads(tenant(pool.CLIENT), packs).is_empty


def test_what_the_app_holds_on_every_resource_is_found_where_it_was_read_app_by_app() -> None:
    role = {
        "principalId": OBJECT,
        "principalType": "ServicePrincipal",
        "appRoleId": "own",
        "resourceId": pool.OBJECT_IDS[pool.OWN_API],
    }
    read = {**msgspec.to_builtins(tenant().sections), "oauth2PermissionGrants": [], "appRoleAssignedTo": {}}
    for roles, outcome in (([role], FindingOutcome.FAIL), ([], FindingOutcome.PASS)):
        held = {**read, "appRoleAssignments": {EXPORTER: roles}}
        assert judged(snapshot_of(pool.snapshot(held))).outcome is outcome


def test_a_day_that_is_not_written_as_one_is_a_mistake() -> None:
    for text, wrong in (("2026-11-20", 0), ("2026-1-5", 1), ("2026-02-30", 1), ("soon", 1), ("", 0)):
        assert len(list(NoAbusedApps.problems({"since": text}, has_app=False))) == wrong, text
