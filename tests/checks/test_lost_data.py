"""Lost data never makes an answer firmer or better: every loss at every path, all packs and the decision."""

from __future__ import annotations

import copy
import json
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.consent.subject import ORDINARY_MEMBER, Subject, subject_for
from auditor.model.rule import App, Pack
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.checks.lost_data import (
    Answers,
    Json,
    Loss,
    after,
    answers,
    as_preflight,
    enumerated,
    firmer,
    losses,
    readable,
    refused,
    with_new_value,
)
from tests.checks.random_tenants import tenants as whole_tenants
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle import pool
from tests.oracle.strategies import apps

PACKS = ("trackerrms-uk", "cis-m365", "cisa-scuba", "eidsca", "zero-trust-assessment", "microsoft-recommended")
FEW = settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
LOSSES = 4
"""How many losses of one tenant are tried."""


@cache
def packs() -> tuple[Pack, ...]:
    return load_packs((*PACKS, "grants-hygiene"))


@cache
def tracker() -> App:
    app = packs()[0].app
    assert app is not None
    return app


SAMPLES = ("managed-default", "low-classified", "admin-consented", "custom-policy", "consent-off-workflow")


@cache
def of_sample(name: str) -> tuple[Json, Answers]:
    """A sample of which all grants and apps were read, with its answers."""
    document: Json = json.loads(dumps(sample(name)))
    for section in ("servicePrincipals", "oauth2PermissionGrants"):
        document["covers"].pop(section, None)
    return document, answers(document, tracker(), packs())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_value_that_is_new_to_this_version_makes_nothing_firmer(name: str) -> None:
    document, before = of_sample(name)
    for path in enumerated(document):
        changed = answers(with_new_value(document, path), tracker(), packs())
        assert firmer(before, changed) == [], f"{name}: {'.'.join(map(str, path))}"


@pytest.mark.parametrize("name", ["low-classified", "managed-default"])
@pytest.mark.parametrize("lost", ["value", "id", "type", "isEnabled"])
def test_a_loss_in_a_requested_scope_makes_nothing_firmer(name: str, lost: str) -> None:
    """Every scope that the app requests: few of the hundreds that a resource has would be drawn below."""
    document, before = of_sample(name)
    wanted = {need.value for need in tracker().scopes}
    for number, scope in enumerate(document["sections"]["servicePrincipals"][0]["oauth2PermissionScopes"]):
        for kind in ("rename", "remove", "null") if scope["value"] in wanted else ():
            loss = Loss(kind, ("servicePrincipals", 0, "oauth2PermissionScopes", number, lost))
            assert firmer(before, answers(after(document, loss), tracker(), packs())) == [], f"{name}: {loss}"


@FEW
@given(st.sampled_from(SAMPLES), st.data())
def test_a_loss_in_a_sample_makes_nothing_firmer(name: str, data: st.DataObject) -> None:
    document, before = of_sample(name)
    for loss in _drawn(data, document):
        assert firmer(before, answers(after(document, loss), tracker(), packs())) == [], f"{name}: {loss}"


def _drawn(data: st.DataObject, document: Json) -> list[Loss]:
    return data.draw(st.lists(st.sampled_from(list(losses(document))), min_size=1, max_size=LOSSES, unique=True))


GRANT = pool.grant(pool.GRAPH, " openid User.Read Mail.Read")
ROLE = {
    "principalId": pool.OBJECT_IDS[pool.CLIENT],
    "principalType": "ServicePrincipal",
    "appRoleId": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
}


@st.composite
def tenants(draw: st.DrawFn) -> Json:
    """A wholly read tenant whose answers are firm: built-in policies as documented, grants and assignments."""
    policies = [pool.low(), pool.legacy(), pool.recommended()]
    assigned = draw(st.lists(st.sampled_from([pool.LOW, pool.LEGACY, pool.RECOMMENDED]), max_size=2, unique=True))
    publisher: dict[str, Any] = {"displayName": "Woodgrove", "verifiedPublisherId": "1234567"}
    client = pool.client(
        appRoleAssignmentRequired=draw(st.booleans()),
        verifiedPublisher=draw(st.sampled_from([publisher, pool.publisher(None)])),
        accountEnabled=draw(st.booleans()),
    )
    grants = [GRANT, {**GRANT, "consentType": "Principal", "principalId": pool.ALICE}]
    classified = pool.classified(pool.GRAPH, draw(st.sampled_from([[], ["User.Read"], list(pool.BASIC)])))
    sections: Json = {
        "organization": {"id": pool.TENANT, "tenantType": "AAD"},
        "authorizationPolicy": {
            "defaultUserRolePermissions": {
                "permissionGrantPoliciesAssigned": [f"ManagePermissionGrantsForSelf.{one}" for one in assigned],
                "allowedToCreateApps": draw(st.booleans()),
            },
        },
        "permissionGrantPolicies": policies,
        "adminConsentRequestPolicy": {"isEnabled": draw(st.booleans()), "reviewers": [{"query": "/users/1"}]},
        "directorySettings": draw(st.sampled_from([[], [pool.setting("BlockUserConsentForRiskyApps", "false")]])),
        "servicePrincipals": [client, pool.resource(pool.GRAPH), pool.resource(pool.EXCHANGE)],
        "delegatedPermissionClassifications": {pool.GRAPH: classified, pool.EXCHANGE: []},
        "oauth2PermissionGrants": draw(st.lists(st.sampled_from(grants), max_size=2, unique_by=str)),
        "appRoleAssignedTo": {
            pool.CLIENT: draw(st.sampled_from([[], [{**ROLE, "principalType": "User"}]])),
            pool.GRAPH: draw(st.sampled_from([[], [ROLE]])),
            pool.EXCHANGE: [],
        },
    }
    return pool.snapshot(sections)


@FEW
@given(tenants(), apps(), st.data())
def test_a_loss_in_a_generated_tenant_makes_nothing_firmer(document: Json, plain: Json, data: st.DataObject) -> None:
    app = app_of(plain)
    before = answers(document, app, packs()[1:])
    for loss in _drawn(data, document):
        assert firmer(before, answers(after(document, loss), app, packs()[1:])) == [], str(loss)


NEW_KEYS = ({"futureRestriction": ["x"]}, {"futureOnly": True}, {"futureText": "some"}, {"futureObject": {"a": "b"}})


@FEW
@given(tenants(), apps(), st.sampled_from(NEW_KEYS), st.data())
def test_a_new_condition_or_property_makes_nothing_firmer(
    document: Json, plain: Json, more: Json, data: st.DataObject
) -> None:
    app = app_of(plain)
    before = answers(document, app, packs()[1:])
    changed = copy.deepcopy(document)
    holder = data.draw(st.sampled_from(list(_objects(changed["sections"]))))
    holder.update(more)
    assert firmer(before, answers(changed, app, packs()[1:])) == [], str(holder)


def _objects(value: Any) -> list[Json]:
    """Every object that Graph returns, down to condition sets; tables by app id have no other keys."""
    if isinstance(value, list):
        return [found for item in value for found in _objects(item)]
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in _objects(item)]
    is_table = any(isinstance(item, list) and len(key) == len(pool.GRAPH) for key, item in value.items())
    return inner if is_table or "servicePrincipals" in value else [value, *inner]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_section_that_is_refused_makes_nothing_firmer(name: str) -> None:
    document: Json = json.loads(dumps(sample(name)))
    before = answers(document, tracker(), packs())
    for one in readable(document):
        assert firmer(before, answers(refused(document, one), tracker(), packs())) == [], f"{name}: {one}"


REFUSED = settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
APPS = (pool.CLIENT, *pool.RESOURCES, pool.OTHER_CLIENT)


@REFUSED
@given(whole_tenants(), apps(), st.booleans(), st.data())
def test_of_two_refusals_each_makes_nothing_firmer(
    document: Json, plain: Json, is_preflight: bool, data: st.DataObject
) -> None:
    app = app_of(plain)
    document = as_preflight(document, APPS, (pool.CLIENT,)) if is_preflight else document
    states = [document]
    for name in data.draw(st.permutations(list(readable(document))))[:2]:
        states.append(refused(states[-1], name))
    of_each = [_of_both(state, app) for state in states]
    for before, later in pairwise(of_each):
        for one, other in zip(before, later, strict=False):
            assert firmer(one, other) == [], str(states[-1]["unread"])


def _of_both(document: Json, app: App) -> tuple[Answers, ...]:
    """The answers about an ordinary member, and about a user who can be read."""
    found = subject_for(snapshot_of(document), pool.ALICE)
    subjects = (ORDINARY_MEMBER, *([found] if isinstance(found, Subject) else []))
    return tuple(answers(document, app, packs(), subject) for subject in subjects)


@REFUSED
@given(whole_tenants(), apps(), st.data())
def test_a_loss_or_a_new_value_in_a_whole_tenant_makes_nothing_firmer(
    document: Json, plain: Json, data: st.DataObject
) -> None:
    app = app_of(plain)
    changed = [after(document, loss) for loss in _drawn(data, document)]
    changed += [with_new_value(document, data.draw(st.sampled_from(list(enumerated(document)))))]
    before = _of_both(document, app)
    for one in changed:
        for was, now in zip(before, _of_both(one, app), strict=False):
            assert firmer(was, now) == []


@pytest.mark.parametrize(
    ("before", "later", "found"),
    [
        pytest.param("pass", "unknown", [], id="unknown is less firm"),
        pytest.param("fail", "fail", [], id="the same"),
        pytest.param("fail", "pass", ["p:r: fail became pass"], id="better"),
        pytest.param("unknown", "fail", ["p:r: unknown became fail"], id="firmer"),
        pytest.param("pass", "not-applicable", ["p:r: pass became not-applicable"], id="another claim"),
    ],
)
def test_the_order_of_outcomes(before: str, later: str, found: list[str]) -> None:
    _, some = of_sample("managed-default")
    assert firmer(some._replace(findings={"p:r": before}), some._replace(findings={"p:r": later})) == found
