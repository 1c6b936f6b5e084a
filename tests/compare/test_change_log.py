"""When a change was made and by whom: what the directory's audit log says, and what only Microsoft can have done."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.compare import comparable, compare
from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_RECOMMENDED
from auditor.model.access_resources import ConfigurationDrift, DirectoryAudit, DriftedProperty
from auditor.model.difference import Actor, ActorKind, Change, Since
from auditor.model.snapshot import Snapshot, Unread
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


def drift(*properties: str, of: str = "authorizationPolicy", at: str = AT, **fields: Any) -> ConfigurationDrift:
    """A drift as Graph returns it, in the lower case of its examples."""
    values: dict[str, Any] = {
        "id": "f1",
        "resourceType": f"microsoft.entra.{of}".lower(),
        "resourceInstanceIdentifier": {"IsSingleInstance": "Yes"},
        "firstReportedDateTime": at,
        "status": "active",
        "driftedProperties": tuple(DriftedProperty(propertyName=name) for name in properties),
    }
    return ConfigurationDrift(**{**values, **fields})


POLICIES = "PermissionGrantPolicyIdsAssignedToDefaultUserRole"


def drifted(*drifts: ConfigurationDrift, log: tuple[DirectoryAudit, ...] | None = ()) -> Change:
    """The change of the user consent setting, where the later read has these drifts."""
    before, after = tenant("legacy-open"), tenant("legacy-open", SECOND, **assigned())
    after = with_section(after, configurationDrifts=drifts, directoryAudits=log)
    return major(compare(comparable(snapshot=before), comparable(snapshot=after)))[ASSIGNED]


@pytest.mark.parametrize(
    "log", [pytest.param((), id="the log has no entry"), pytest.param(None, id="the log wasn't read")]
)
def test_a_drift_says_when_a_setting_changed_but_not_by_whom(log: tuple[DirectoryAudit, ...] | None) -> None:
    change = drifted(drift("AllowInvitesFrom", POLICIES), log=log)
    assert change.since == Since(source="configuration drift", at=AT)
    assert change.by is None


def test_an_entry_of_the_log_comes_before_a_drift() -> None:
    done = entry("Update authorization policy", at="2026-11-22T06:11:12Z", PermissionGrantPolicyIdsAssigned=[])
    done = replace(done, targetResources=())
    change = drifted(drift(POLICIES), log=(done,))
    assert change.since == Since(source="directory audit", at="2026-11-22T06:11:12Z")
    assert change.by == ADMIN


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(drift(POLICIES, at="2026-11-22T02:00:00Z"), id="reported at the first read"),
        pytest.param(drift(POLICIES, at="2026-11-23T02:00:01Z"), id="reported after the second read"),
        pytest.param(drift("AllowInvitesFrom"), id="another property"),
        pytest.param(drift("AccountEnabled", of="servicePrincipal"), id="another type"),
        pytest.param(drift(POLICIES, status="fixed"), id="fixed since"),
        pytest.param(drift(POLICIES, status=None), id="without a status"),
        pytest.param(drift(POLICIES, resourceType=None), id="without a type"),
        pytest.param(drift(), id="without a property"),
        pytest.param(drift(POLICIES, at="yesterday"), id="without a time"),
        pytest.param(drift(POLICIES, at="2026-11-22T10:00:00"), id="without a time zone"),
        pytest.param(ConfigurationDrift(driftedProperties=(DriftedProperty(),)), id="without anything"),
    ],
)
def test_a_drift_about_something_else_or_a_broken_one_says_nothing(other: ConfigurationDrift) -> None:
    assert drifted(other).since == Since(source="reads", after=FIRST, before=SECOND)


def test_a_drift_of_an_app_is_found_by_any_of_its_ids() -> None:
    before = tenant("admin-consented")
    after = replace(with_client(before, accountEnabled=False), taken=SECOND)
    for named, is_found in ((APP.upper(), True), (object_id(APP), True), ("another app", False)):
        one = drift("AccountEnabled", of="servicePrincipal", resourceInstanceIdentifier={"AppId": named})
        with_drift = with_section(after, configurationDrifts=(one,))
        change = major(compare(comparable(snapshot=before), comparable(snapshot=with_drift)))[f"app/{APP}/enabled"]
        assert change.since and (change.since.at == AT) is is_found


def test_drifts_that_only_one_read_has_are_no_change_and_nothing_that_was_not_compared() -> None:
    before, after = tenant("legacy-open"), tenant("legacy-open", SECOND)
    with_drifts = with_section(after, configurationDrifts=(drift(POLICIES),))
    refused = replace(after, unread={"configurationDrifts": Unread(message="refused", status=403)})
    for second in (with_drifts, refused):
        for first, last in ((before, second), (second, before)):
            found = compare(judged(first), judged(last))
            assert not found.changes and not found.not_compared


@given(at=st.datetimes(min_value=datetime(2026, 11, 20), max_value=datetime(2026, 11, 25)), name=st.text(max_size=20))
def test_only_a_whole_drift_between_the_two_reads_dates_a_change(at: datetime, name: str) -> None:
    text = f"{at.isoformat()}Z"
    for one in (drift(POLICIES, at=text), drift(name, at=text), drift(POLICIES, at=name), drift(POLICIES, status=name)):
        since = drifted(one).since
        assert since is not None
        whole = one == drift(POLICIES, at=text)
        assert (since.source == "configuration drift") is (whole and FIRST < text <= SECOND)
