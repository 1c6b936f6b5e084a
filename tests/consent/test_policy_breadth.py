"""How much a policy allows, as `policy_breadth` says it, against what the policy approves when it is evaluated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from auditor.consent import Truth
from auditor.consent.conditions import match, restrictions_of
from auditor.consent.policies import GoverningPolicy, approval
from auditor.consent.policy_breadth import PolicyBreadth, policy_breadth
from auditor.consent.requested_access import Client, Permission
from auditor.model.resources import ConditionSet, PermissionGrantPolicy
from tests.consent.from_oracle import snapshot_of
from tests.oracle import pool
from tests.oracle.condition_strategies import PUBLISHERS, condition_sets

Json = dict[str, Any]
STRANGER = Client(
    app_id="00000000-0000-4000-8000-00000000dead",
    presence=Truth.TRUE,
    owner_tenant="00000000-0000-4000-8000-0000000000ff",
    publisher_verified=Truth.FALSE,
    publisher_id="",
)
"""An app that no policy names, without a publisher."""


def policy_of(includes: list[Json], excludes: list[Json]) -> PermissionGrantPolicy:
    """A policy with these condition sets, through the loader that files go through."""
    document = pool.snapshot({"permissionGrantPolicies": [pool.policy(pool.CUSTOM, includes, excludes)]})
    (policy,) = snapshot_of(document).sections.permissionGrantPolicies or ()
    return policy


def unlisted(user_type: Truth) -> Permission:
    """A permission that no policy lists and nobody classified."""
    return Permission(
        resource="00000000-0000-4000-8000-00000000a000",
        resource_name="An API",
        value="Data.Read",
        exists=Truth.TRUE,
        id="00000000-0000-4000-8000-00000000b000",
        user_type=user_type,
    )


def kinds(draw: st.DrawFn) -> Json:
    """A condition set, of a permission type that is new to the program now and then."""
    one = draw(condition_sets())
    return {**one, "permissionType": "somethingNew"} if draw(st.integers(0, 9)) == 0 else one


SETS = st.lists(st.composite(kinds)(), max_size=2)
CLIENTS = st.builds(
    lambda app_id, owner, publisher: Client(
        app_id=app_id,
        presence=Truth.TRUE,
        owner_tenant=owner,
        publisher_verified=Truth.TRUE if publisher else Truth.FALSE,
        publisher_id=publisher,
    ),
    st.sampled_from([pool.CLIENT, pool.OTHER_CLIENT]),
    st.sampled_from([pool.TENANT, pool.VENDOR_TENANT]),
    st.sampled_from(["", *PUBLISHERS, "another publisher"]),
)
PERMISSIONS = st.builds(
    lambda scope, user_type, level: Permission(
        resource=scope[0],
        resource_name=scope[0],
        value=scope[1],
        exists=Truth.TRUE,
        id=pool.PERMISSION_IDS[scope[0]][scope[1]],
        user_type=user_type,
        classification=level,
    ),
    st.sampled_from(pool.EVERY_SCOPE),
    st.sampled_from([Truth.TRUE, Truth.FALSE]),
    st.sampled_from(["", "low", "medium"]),
)


@given(includes=SETS, excludes=SETS, permission=PERMISSIONS, client=CLIENTS)
def test_the_breadth_never_contradicts_an_evaluation(
    includes: list[Json], excludes: list[Json], permission: Permission, client: Client
) -> None:
    policy = policy_of(includes, excludes)
    breadth = policy_breadth(policy, pool.TENANT)
    event(str(breadth))
    assigned = (GoverningPolicy(id=policy.id, policy=policy),)
    found = approval(permission, client, assigned).truth
    strangers = [approval(unlisted(kind), STRANGER, assigned).truth for kind in (Truth.TRUE, Truth.FALSE)]
    if breadth is PolicyBreadth.NOTHING:
        assert found is not Truth.TRUE
    if breadth is PolicyBreadth.LOW and found is Truth.TRUE:
        assert permission.classification == "low"
        assert client.owner_tenant == pool.TENANT or client.publisher_verified is Truth.TRUE
    if breadth is PolicyBreadth.EVERYTHING:
        assert found is Truth.TRUE or permission.user_type is Truth.FALSE
    if breadth is not None and breadth < PolicyBreadth.ALL_BUT:
        assert Truth.TRUE not in strangers
    if breadth is not None and breadth >= PolicyBreadth.ALL_BUT and not uncertain(excludes):
        assert Truth.TRUE in strangers


def uncertain(sets: list[Json]) -> bool:
    """Whether one of the sets has a condition of which nobody can say whether a stranger meets it."""
    return any(one["permissionType"] == "somethingNew" or one.get("certifiedClientApplicationsOnly") for one in sets)


@given(wide=st.composite(kinds)(), narrow=st.composite(kinds)(), permission=PERMISSIONS, client=CLIENTS)
def test_a_set_that_includes_another_matches_whatever_that_matches(
    wide: Json, narrow: Json, permission: Permission, client: Client
) -> None:
    sets = [restrictions_of(one) for one in policy_of([wide, narrow], []).includes or ()]
    if sets[0].includes(sets[1]) and match(sets[1], permission, client).truth is Truth.TRUE:
        assert match(sets[0], permission, client).truth is Truth.TRUE


@pytest.mark.parametrize(
    ("includes", "excludes", "breadth"),
    [
        pytest.param([], [], PolicyBreadth.NOTHING, id="no include"),
        pytest.param([{}], [{}], PolicyBreadth.NOTHING, id="everything is excluded"),
        pytest.param(
            [{"permissionType": "delegatedUserConsentable"}],
            [{"permissionType": "delegatedUserConsentable"}],
            PolicyBreadth.NOTHING,
            id="the same is excluded",
        ),
        pytest.param(
            [{"permissionClassification": "low", "clientApplicationsFromVerifiedPublisherOnly": True}],
            [{"permissionClassification": "low"}],
            PolicyBreadth.NOTHING,
            id="more than what is included is excluded",
        ),
        pytest.param(
            [{"permissionClassification": "low", "clientApplicationPublisherIds": ["1234567"]}],
            [],
            PolicyBreadth.LOW,
            id="low, for a listed publisher",
        ),
        pytest.param([{"permissionClassification": "low"}], [], PolicyBreadth.LIMITED, id="low, for any app"),
        pytest.param([{}], [{"permissionType": "application"}], PolicyBreadth.EVERYTHING, id="another type excluded"),
        pytest.param([{}], [{"permissionClassification": "high"}], PolicyBreadth.ALL_BUT, id="some excluded"),
        pytest.param([{"permissionType": "somethingNew"}], [], None, id="a new type included"),
        pytest.param([{}], [{"permissionType": "somethingNew"}], None, id="a new type excluded"),
    ],
)
def test_the_breadth_of_a_policy(includes: list[Json], excludes: list[Json], breadth: PolicyBreadth | None) -> None:
    policy = policy_of([pool.condition_set(**one) for one in includes], [pool.condition_set(**one) for one in excludes])
    assert policy_breadth(policy, pool.TENANT) is breadth


def test_a_policy_whose_sets_were_not_read_has_no_breadth() -> None:
    assert policy_breadth(PermissionGrantPolicy(id="x", includes=(ConditionSet(),)), pool.TENANT) is None
