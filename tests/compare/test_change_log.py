"""When a change was made and by whom: what the directory's audit log says, and what only Microsoft can have done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.compare import comparable, compare
from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_RECOMMENDED
from auditor.model.access_resources import DirectoryAudit
from auditor.model.difference import Actor, ActorKind, Change
from auditor.model.snapshot import Snapshot
from tests.compare.states import FIRST, SECOND, judged, major, replace, tenant, with_section
from tests.compare.test_compare import (
    APP,
    ASSIGNED,
    DECISION,
    GRANT,
    assigned,
    grant,
    with_client,
    with_excluded,
    with_grants,
)

ADMIN = Actor(kind=ActorKind.USER, name="admin@contoso.example", id="a1")
AT = "2026-11-22T10:00:00.1234567Z"
POLICY = f"policy/{POLICY_RECOMMENDED}"


def entry(activity: str, *targets: str, at: str = AT, by: bool = True, **properties: Any) -> DirectoryAudit:
    """An entry of the log as Graph returns it: values are JSON inside texts."""
    changed = [
        {"displayName": name.replace("_", "."), "oldValue": None, "newValue": json.dumps(value)}
        for name, value in properties.items()
    ]
    first, *others = [{"id": one, "displayName": one, "modifiedProperties": []} for one in targets or ("",)]
    return DirectoryAudit(
        id=f"{activity} {at}",
        activityDateTime=at,
        activityDisplayName=activity,
        result="success",
        initiatedBy={"user": {"id": "a1", "userPrincipalName": "admin@contoso.example"}, "app": None} if by else None,
        targetResources=({**first, "modifiedProperties": changed}, *others),
    )


def changed(before: Snapshot, after: Snapshot, key: str, *log: DirectoryAudit) -> Change:
    after = replace(with_section(after, directoryAudits=log), taken=SECOND)
    return major(compare(comparable(snapshot=before), comparable(snapshot=after)))[key]


def object_id(app: str) -> str:
    return next(one.id for one in tenant("admin-consented").sections.servicePrincipals or () if one.appId == app)


def test_the_log_says_when_the_consent_setting_was_changed_and_by_whom() -> None:
    done = entry("Update authorization policy", PermissionGrantPolicyIdsAssignedToDefaultUserRole=[])
    change = changed(tenant("legacy-open"), tenant("legacy-open", **assigned()), ASSIGNED, done)
    assert change.since and (change.since.source, change.since.at) == ("directory audit", AT)
    assert change.by == ADMIN


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(entry("Update authorization policy", AllowInvitesFrom="everyone"), id="another property"),
        pytest.param(entry("Update authorization policy", at="2026-11-21T10:00:00Z"), id="before the first read"),
        pytest.param(entry("Update authorization policy", at="2026-11-24T10:00:00Z"), id="after the second read"),
        pytest.param(entry("Add user", "u1"), id="another activity"),
    ],
)
def test_an_entry_about_something_else_says_nothing(log: DirectoryAudit) -> None:
    change = changed(tenant("legacy-open"), tenant("legacy-open", **assigned()), ASSIGNED, log)
    assert change.since and (change.since.source, change.since.at) == ("reads", "")
    assert (change.since.after, change.since.before) == (FIRST, SECOND)
    assert change.by is None


def test_a_grant_is_found_by_its_client_and_its_resource() -> None:
    before, after = with_grants(grant("Mail.Read")), with_grants(grant("Mail.Read Mail.Send"))
    graph, client = object_id(MICROSOFT_GRAPH), object_id(APP)
    done = entry("Add delegated permission grant", graph, ServicePrincipal_ObjectID=client)
    assert changed(before, after, GRANT, done).by == ADMIN
    other = entry("Add delegated permission grant", graph, ServicePrincipal_ObjectID="another client")
    assert changed(before, after, GRANT, other).by is None
    assert changed(before, after, GRANT, entry("Consent to application", client)).by == ADMIN


def test_an_app_that_was_disabled_is_found_by_the_property() -> None:
    before = tenant("admin-consented")
    after = with_client(before, accountEnabled=False)
    done = entry("Update service principal", object_id(APP), AccountEnabled=[False])
    assert changed(before, after, f"app/{APP}/enabled", done).by == ADMIN


def test_a_change_of_a_managed_policy_without_an_entry_is_microsofts() -> None:
    before = tenant("admin-consented")
    after = with_excluded(before, POLICY_RECOMMENDED, "Notes.Read")
    assert changed(before, after, POLICY).by == Actor(kind=ActorKind.MICROSOFT, name="Microsoft", inferred=True)


def test_without_the_log_of_the_whole_time_nobody_is_named() -> None:
    before = tenant("admin-consented")
    after = replace(with_excluded(before, POLICY_RECOMMENDED, "Notes.Read"), taken=SECOND)
    assert major(compare(comparable(snapshot=before), comparable(snapshot=after)))[POLICY].by is None
    old = replace(before, taken="2026-10-01T02:00:00Z")
    assert changed(old, after, POLICY).by is None


def test_a_decision_has_the_time_and_the_actor_of_its_only_cause() -> None:
    done = entry("Update authorization policy", PermissionGrantPolicyIdsAssignedToDefaultUserRole=[])
    after = with_section(tenant("legacy-open", SECOND, **assigned()), directoryAudits=(done,))
    decision = major(compare(judged(tenant("legacy-open")), judged(after)))[DECISION]
    assert decision.by == ADMIN
    assert decision.since and decision.since.at == AT


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"targetResources": ({"modifiedProperties": None},)}, id="no properties"),
        pytest.param({"targetResources": ({"modifiedProperties": ["text", {"newValue": 5}]},)}, id="odd properties"),
        pytest.param({"activityDateTime": "yesterday"}, id="no time"),
        pytest.param({"initiatedBy": {"user": None, "app": []}}, id="odd actor"),
    ],
)
def test_an_odd_entry_is_no_error(broken: dict[str, Any]) -> None:
    done = replace(entry("Update authorization policy"), **broken)
    assert changed(tenant("legacy-open"), tenant("legacy-open", **assigned()), ASSIGNED, done).key == ASSIGNED
