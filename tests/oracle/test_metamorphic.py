"""What must hold of the oracle for every tenant: sameness, knowing less, allowing less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from tests.limits import examples

from . import pool
from .evaluator import judge, lowered
from .reading import Json
from .strategies import (
    apps,
    shuffled_and_recased,
    subjects,
    tenants,
    with_an_exclude_added,
    with_an_include_removed,
    with_properties_removed,
    with_sections_removed,
)
from .worlds import World, every_world

MEMBER = {"id": pool.ALICE, "userType": "Member", "roles": [], "role_actions": [], "groups": []}
ADMIN = {**MEMBER, "roles": [pool.GLOBAL_ADMINISTRATOR]}

many = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(tenants(), apps(), subjects(), st.data())
def test_order_and_letter_case_do_not_matter(snapshot: Json, app: Json, subject: Json | None, data: DataObject) -> None:
    assert judge(data.draw(shuffled_and_recased(snapshot)), app, subject) == judge(snapshot, app, subject)


@many
@given(
    tenants(),
    apps(),
    subjects(),
    st.data(),
    st.sampled_from([with_sections_removed, with_properties_removed]),
)
def test_knowing_less_adds_possibilities_and_takes_none_away(
    snapshot: Json, app: Json, subject: Json | None, data: DataObject, forget: Callable[[Json], Any]
) -> None:
    before, after = judge(snapshot, app, subject), judge(data.draw(forget(snapshot)), app, subject)
    assert before.outcomes <= after.outcomes
    assert before.codes <= after.codes
    assert all(after.scopes[scope] in (what, "unknown") for scope, what in before.scopes.items())


@many
@given(
    tenants(),
    apps(),
    subjects(),
    st.data(),
    st.sampled_from([with_an_include_removed, with_an_exclude_added]),
)
def test_a_stricter_policy_lets_nobody_consent_to_more(
    snapshot: Json, app: Json, subject: Json | None, data: DataObject, tighten: Callable[[Json], Any]
) -> None:
    before, after = judge(snapshot, app, subject), judge(data.draw(tighten(snapshot)), app, subject)
    assert "user-may-consent" in before.outcomes or "user-may-consent" not in after.outcomes
    for scope, what in after.scopes.items():
        assert what not in ("consentable", "unknown") or before.scopes[scope] in ("consentable", "unknown")
        assert what != "consentable" or before.scopes[scope] == "consentable"


@many
@given(tenants(), apps(), subjects())
def test_entries_for_owned_resources_change_nothing(snapshot: Json, app: Json, subject: Json | None) -> None:
    before = judge(snapshot, app, subject)
    permissions = snapshot["sections"].get("authorizationPolicy", {}).get("defaultUserRolePermissions", {})
    assume("permissionGrantPoliciesAssigned" in permissions)
    entry = f"managePermissionGrantsForOwnedResource.{pool.LEGACY}"
    permissions["permissionGrantPoliciesAssigned"].append(entry)
    assert judge(snapshot, app, subject) == before


@many
@given(tenants(), apps())
def test_without_an_entry_for_self_no_ordinary_user_consents_to_anything(snapshot: Json, app: Json) -> None:
    snapshot["sections"]["authorizationPolicy"] = {
        "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": []}
    }
    for subject in (None, MEMBER):
        verdict = judge(snapshot, app, subject)
        assert "user-may-consent" not in verdict.outcomes
        assert "consentable" not in verdict.scopes.values()


@many
@given(tenants(), apps(), subjects())
def test_a_disabled_client_is_blocked_whatever_else_holds(snapshot: Json, app: Json, subject: Json | None) -> None:
    snapshot["sections"]["servicePrincipals"] = [
        *(one for one in snapshot["sections"].get("servicePrincipals", []) if one["appId"] != pool.CLIENT),
        pool.client(accountEnabled=False),
    ]
    assert judge(snapshot, app, subject).outcome == "blocked"


@many
@given(tenants(), apps())
def test_a_global_administrator_never_needs_an_admin(snapshot: Json, app: Json) -> None:
    assert "needs-admin" not in judge(snapshot, app, ADMIN).outcomes


@many
@given(tenants(), apps(), subjects())
def test_when_everything_is_granted_to_everybody_nobody_is_asked(
    snapshot: Json, app: Json, subject: Json | None
) -> None:
    sections = snapshot["sections"]
    known = {one["appId"] for one in sections.get("servicePrincipals", [])}
    wanted = [lowered(scope) for scope in app["scopes"]]
    assume(not app["prompt_consent"] and known >= {pool.CLIENT, *(resource for resource, _ in wanted)})
    sections["oauth2PermissionGrants"] = [pool.grant(resource, value) for resource, value in wanted]
    verdict = judge(snapshot, app, subject)
    assert verdict.outcomes <= {"connects-silently", "blocked"}
    assert set(verdict.scopes.values()) == {"granted"}


@many
@given(tenants(), apps(), subjects())
def test_settling_a_question_loses_no_world_and_invents_none(snapshot: Json, app: Json, subject: Json | None) -> None:
    app["scopes"] = app["scopes"][:1]
    settled = judge(snapshot, app, subject)
    with patch.object(World, "settle", lambda world, name, question, about: question(world)):
        assert judge(snapshot, app, subject) == settled


def test_a_fact_has_one_value_in_one_world() -> None:
    def twice(world: World) -> tuple[bool, bool]:
        return world.ask(("rain",), (False, True)), world.ask(("rain",), (False, True))

    assert {answer for answer, _ in every_world(twice)} == {(False, False), (True, True)}


def test_every_combination_of_open_facts_is_visited_once() -> None:
    def pair(world: World) -> tuple[int, int]:
        return world.ask(("one",), (1, 2, 3)), world.ask(("two",), (1, 2))

    assert sorted(answer for answer, _ in every_world(pair)) == [(a, b) for a in (1, 2, 3) for b in (1, 2)]
