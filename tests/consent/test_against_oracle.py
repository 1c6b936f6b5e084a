"""The engine and a second evaluator, written independently from the same documents, agree.

The oracle walks through every way in which the unread part of a tenant may be; the engine reasons with three
truth values. So where the oracle finds one outcome in all worlds, the engine may still say *depends* where
facts about the publisher hang together, and never in the opposite case.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from auditor.consent.decide import decide
from auditor.consent.subject import Subject
from auditor.model.decision import Confidence, Decision, Outcome, Reason, Verdict
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from tests.consent.from_oracle import app_of, snapshot_of, subject_of
from tests.oracle import pool
from tests.oracle.evaluator import judge
from tests.oracle.plain import VERIFIED, tenant
from tests.oracle.plain import app as plain_app
from tests.oracle.reading import among, same
from tests.oracle.strategies import apps, subjects, tenants
from tests.oracle.variations import (
    shuffled_and_recased,
    with_an_exclude_added,
    with_an_include_removed,
    with_sections_removed,
)

Json = dict[str, Any]
ANYBODY = st.one_of(st.none(), subjects())
MANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


def read(document: Json, app: Json, subject: Json | None) -> tuple[Snapshot, App, Subject]:
    """The oracle's documents as the engine takes them."""
    snapshot = snapshot_of(document)
    return snapshot, app_of(app), subject_of(subject, snapshot)


def plain(document: Json) -> Json:
    """Without null publishers, which mean that there is no publisher to the loader, and an unread one to the oracle."""
    for principal in document["sections"].get("servicePrincipals", []):
        if principal.get("verifiedPublisher", {}) is None:
            principal["verifiedPublisher"] = {}
    return document


def facts_hang_together(document: Json, app: Json) -> bool:
    """Whether owner and publisher of the client, which decide together, are both in question."""
    for principal in document["sections"].get("servicePrincipals", []):
        if principal["appId"].lower() == app["client_id"].lower():
            return not (principal.get("appOwnerOrganizationId") and "verifiedPublisher" in principal)
    return True


def grants_go_beyond_what_was_read(document: Json, app: Json) -> bool:
    """Whether the document has a grant of the client although its grants were not read, which no collector writes.

    The oracle counts it; the engine says that the client's grants are not known, which takes nothing away.
    """
    covered = document.get("covers", {}).get("oauth2PermissionGrants")
    principals = document["sections"].get("servicePrincipals", [])
    clients = {one["id"] for one in principals if same(one["appId"], app["client_id"])}
    rows = document["sections"].get("oauth2PermissionGrants") or ()
    was_read = covered is None or among(app["client_id"], covered)
    return not was_read and any(among(row["clientId"], [*clients]) for row in rows)


@MANY
@given(document=tenants(), app=apps(), subject=ANYBODY)
def test_the_engine_agrees_with_the_second_evaluator(document: Json, app: Json, subject: Json | None) -> None:
    assume(any(scope["required"] for scope in app["scopes"]))
    event(agree(document, app, subject).value)


@pytest.mark.parametrize(
    "client_id", [pytest.param(pool.CLIENT, id="as written"), pytest.param(pool.CLIENT.upper(), id="in capitals")]
)
def test_a_grant_that_no_collector_would_read_is_unknown_to_the_engine(client_id: str) -> None:
    """Found by a random draw: the client in capitals, and a row of it in a section read for another app."""
    grants = [pool.grant(pool.GRAPH, "Mail.Send")]
    document = tenant(pool.LEGACY, client=VERIFIED, oauth2PermissionGrants=grants)
    document["covers"] = {"oauth2PermissionGrants": [pool.OTHER_CLIENT]}
    agree(document, plain_app(["openid"], client_id=client_id), None)
    assert grants_go_beyond_what_was_read(document, plain_app(client_id=client_id))


@pytest.mark.parametrize("mode", ["dynamic", "default"])
@pytest.mark.parametrize("policies", [pytest.param((), id="consent off"), pytest.param((pool.LEGACY,), id="legacy")])
@pytest.mark.parametrize(
    "scopes",
    [
        [(pool.EXCHANGE, "Mail.Read")],
        [(pool.EXCHANGE, "Mail.Read"), (pool.GRAPH, "Mail.Send")],
        [(pool.GRAPH, "openid")],
    ],
    ids=["of the resource that was read", "of both", "of the resource that was not read"],
)
def test_a_grant_for_an_unread_resource_leaves_the_others_certain(
    mode: str, policies: tuple[str, ...], scopes: list[tuple[str, str]]
) -> None:
    """Found by a random draw: a grant whose resource nobody read made every scope's grant unknown."""
    document = tenant(*policies, client=VERIFIED, oauth2PermissionGrants=[pool.grant(pool.GRAPH, "Mail.Send")])
    principals = document["sections"]["servicePrincipals"]
    document["sections"]["servicePrincipals"] = [one for one in principals if one["appId"] != pool.GRAPH]
    document["covers"] = {"servicePrincipals": [pool.CLIENT, pool.EXCHANGE]}
    app = {**plain_app(mode=mode), "scopes": [{"resource": r, "value": v, "required": True} for r, v in scopes]}
    assert (agree(document, app, None) is Outcome.DEPENDS) == any(resource == pool.GRAPH for resource, _ in scopes)


@pytest.mark.parametrize("kind", ["ForSelf", "ForAll"])
@pytest.mark.parametrize("approves", [True, False])
def test_the_role_of_a_guest_holds_whatever_guests_may_do_by_default(kind: str, approves: bool) -> None:
    """Found by a random draw: that nobody documents whether guests may consent says nothing about their own roles."""
    custom = pool.policy(pool.CUSTOM, [pool.condition_set()] if approves else [])
    document = tenant(pool.LEGACY, client=VERIFIED, permissionGrantPolicies=[pool.legacy(), custom])
    del document["sections"]["authorizationPolicy"]["guestUserRoleId"]
    actions = [f"microsoft.directory/servicePrincipals/managePermissionGrants{kind}.{pool.CUSTOM}"]
    guest = {"id": pool.ALICE, "userType": "Guest", "roles": [], "role_actions": actions, "groups": []}
    outcome = agree(document, plain_app(["openid", "Mail.Send"]), guest)
    assert outcome is (Outcome.USER_MAY_CONSENT if approves else Outcome.DEPENDS)


@pytest.mark.parametrize(
    ("granted", "outcome"),
    [
        pytest.param("", Outcome.NEEDS_ADMIN, id="nothing is granted"),
        pytest.param("openid profile", Outcome.NEEDS_ADMIN, id="part of one resource is granted"),
        pytest.param("openid profile Mail.Read", Outcome.USER_MAY_CONSENT, id="all of one resource is granted"),
    ],
)
def test_a_page_for_registered_permissions_also_asks_for_what_a_resource_with_a_grant_lacks(
    granted: str, outcome: Outcome
) -> None:
    """Found by a random draw: any grant counted as all of its resource while another resource had none."""
    scopes = [(pool.EXCHANGE, "Mail.Read"), *((pool.GRAPH, value) for value in ("openid", "profile", "Mail.Read"))]
    app = {**plain_app(mode="default"), "scopes": [{"resource": r, "value": v, "required": True} for r, v in scopes]}
    grants = [pool.grant(pool.GRAPH, granted)] if granted else []
    document = tenant(pool.RECOMMENDED, client=VERIFIED, oauth2PermissionGrants=grants)
    assert agree(document, app, None) is outcome


def agree(document: Json, app: Json, subject: Json | None) -> Outcome:
    """The engine's outcome, after checking it against the oracle's."""
    document = plain(document)
    ours = decide(*read(document, app, subject))
    theirs = judge(document, app, subject)
    if any("offline_access" in caveat for caveat in ours.caveats):
        return ours.outcome  # The documents leave open whether a grant covers it; the oracle takes the other reading.
    if ours.outcome is Outcome.DEPENDS:
        open_to_us = facts_hang_together(document, app) or grants_go_beyond_what_was_read(document, app)
        assert theirs.outcome == "depends" or open_to_us
    else:
        assert ours.outcome.value in theirs.outcomes
        if ours.confidence is Confidence.CERTAIN:
            assert theirs.outcome == ours.outcome.value
    return ours.outcome


@MANY
@given(document=tenants(), app=apps(), subject=ANYBODY)
def test_each_scope_gets_the_verdict_of_the_second_evaluator(document: Json, app: Json, subject: Json | None) -> None:
    document = plain(document)
    ours = decide(*read(document, app, subject))
    theirs = judge(document, app, subject).scopes
    for scope in ours.scopes:
        if scope.implicit or scope.confidence is Confidence.LIKELY or scope.verdict is Verdict.UNKNOWN:
            continue
        other = theirs[(scope.resource, scope.scope.lower())]
        if other == "blocked" and scope.verdict is Verdict.CONSENTABLE:
            # The oracle counts a requirement of assignment against each scope, the engine against the request.
            principals = document["sections"].get("servicePrincipals", [])
            assert any(p.get("appRoleAssignmentRequired") is not False for p in principals)
            continue
        if other == "granted":
            # What is granted may be asked for again; what the resource no longer offers may not be asked for.
            assert scope.verdict in (Verdict.GRANTED, Verdict.CONSENTABLE) or scope.policy is None
            continue
        assert other in (scope.verdict.value, "unknown")


def outcome(decision: Decision) -> tuple[Outcome, frozenset[Outcome]]:
    """What a decision says, without its words."""
    return decision.outcome, frozenset(decision.outcomes)


@MANY
@given(data=st.data(), document=tenants(), app=apps(), subject=ANYBODY)
def test_order_and_letter_case_of_lists_never_matter(
    data: st.DataObject, document: Json, app: Json, subject: Json | None
) -> None:
    other = data.draw(shuffled_and_recased(document))
    first, second = decide(*read(document, app, subject)), decide(*read(other, app, subject))
    assert (outcome(first), first.confidence, first.code) == (outcome(second), second.confidence, second.code)
    assert [(s.verdict, s.reason) for s in first.scopes] == [(s.verdict, s.reason) for s in second.scopes]


@MANY
@given(data=st.data(), document=tenants(), app=apps(), subject=ANYBODY)
def test_an_unread_section_never_makes_anything_firmer(
    data: st.DataObject, document: Json, app: Json, subject: Json | None
) -> None:
    less = data.draw(with_sections_removed(document))
    full, partial = decide(*read(document, app, subject)), decide(*read(less, app, subject))
    if partial.outcome is not Outcome.DEPENDS and partial.confidence is Confidence.CERTAIN:
        assert full.outcome is partial.outcome


@MANY
@given(data=st.data(), document=tenants(), app=apps(), subject=ANYBODY)
def test_a_stricter_policy_never_allows_more(
    data: st.DataObject, document: Json, app: Json, subject: Json | None
) -> None:
    stricter = data.draw(st.one_of(with_an_include_removed(document), with_an_exclude_added(document)))
    before, after = decide(*read(document, app, subject)), decide(*read(stricter, app, subject))
    rank = {Verdict.BLOCKED: 0, Verdict.UNKNOWN: 1, Verdict.CONSENTABLE: 2, Verdict.GRANTED: 2}
    for was, now in zip(before.scopes, after.scopes, strict=True):
        assert rank[now.verdict] <= rank[was.verdict]


@MANY
@given(document=tenants(), app=apps(), subject=ANYBODY)
def test_every_decision_explains_itself(document: Json, app: Json, subject: Json | None) -> None:
    decision = decide(*read(document, app, subject))
    assert decision.because.endswith(".")
    assert (decision.outcome is Outcome.DEPENDS) == bool(decision.depends_on) == (len(decision.outcomes) > 1)
    assert (decision.confidence is Confidence.LIKELY) == bool(decision.caveats)
    assert bool(decision.screen) == (decision.outcome is not Outcome.DEPENDS)
    for scope in decision.scopes:
        assert scope.detail
        assert bool(scope.policy) or scope.reason is not Reason.APPROVED_BY_POLICY
