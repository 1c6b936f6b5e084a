"""Paths into a snapshot are the ones that its types have, and the judge can walk every one of them."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from auditor.checks.kind import Invalid
from auditor.checks.snapshot_paths import (
    ITEMS,
    ItemRows,
    PathTarget,
    item_paths,
    items_at,
    items_target,
    section_paths,
    target_at,
    value_at,
)
from auditor.model.sections import Sections
from auditor.model.snapshot import GroupedGrants, Snapshot, Tenant
from auditor.packs.load import Source, load
from auditor.snapshot.samples import sample
from tests.packs.text import HEAD

NOTHING = Snapshot(tenant=Tenant(id="00000000-0000-0000-0000-000000000000"))


def test_there_are_paths() -> None:
    assert len(section_paths()) > 30
    assert "authorizationPolicy.defaultUserRolePermissions.allowedToCreateApps" in section_paths()


@pytest.mark.parametrize("path", section_paths())
def test_every_path_that_is_offered_leads_somewhere_and_can_be_walked(path: str) -> None:
    found = target_at(path)
    assert isinstance(found, PathTarget)
    for snapshot in (NOTHING, sample("managed-default"), sample("admin-consented")):
        value_at(snapshot, path)
    if found.item is not None:
        items_at(sample("admin-consented"), path)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        pytest.param(
            "authorisationPolicy.guestUserRoleId", "authorizationPolicy.guestUserRoleId", id="British spelling"
        ),
        pytest.param(
            "authorizationPolicy.guestUserRoleID", "authorizationPolicy.guestUserRoleId", id="other letter case"
        ),
        pytest.param(
            "authorizationPolicy.allowedToCreateApps",
            "authorizationPolicy.defaultUserRolePermissions.allowedToCreateApps",
            id="left out a level",
        ),
        pytest.param(
            "authorizationPolicy.defaultUserRolePermission",
            "authorizationPolicy.defaultUserRolePermissions",
            id="singular",
        ),
        pytest.param("authorizationPolicy.invites", "authorizationPolicy.allowInvitesFrom", id="part of a name"),
    ],
)
def test_a_path_that_leads_nowhere_gets_the_nearest_one(path: str, near: str) -> None:
    found = target_at(path)
    assert isinstance(found, Invalid)
    assert found.near == near


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("permissionGrantPolicies.includes", "a list of items", id="list in a list"),
        pytest.param("permissionGrantPolicies.includes.permissions", "a list of text", id="text in a list in a list"),
        pytest.param("delegatedPermissionClassifications", "a list of items", id="table of lists"),
        pytest.param("adminConsentRequestPolicy.reviewers", "a list of items", id="list in an object"),
        pytest.param("appConsentRequests.pendingScopes", "a table", id="table in a list"),
    ],
)
def test_items_are_found_through_lists_and_tables(path: str, kind: str) -> None:
    found = items_target(path)
    assert isinstance(found, PathTarget)
    assert found.kind == kind


@pytest.mark.parametrize("path", item_paths())
def test_every_list_that_is_offered_can_be_walked(path: str) -> None:
    found = items_target(path)
    assert isinstance(found, PathTarget)
    assert found.kind == ITEMS
    items_at(sample("admin-consented"), path)


def test_grants_in_groups_are_items_like_those_in_a_list() -> None:
    in_groups = GroupedGrants({("resource", "Principal", "Mail.Read", "client"): ["ada", "bob"]}, {})
    sections = Sections(oauth2PermissionGrants=cast(Any, in_groups))
    snapshot = msgspec.structs.replace(NOTHING, sections=sections)
    found = items_at(snapshot, "oauth2PermissionGrants")
    assert isinstance(found, ItemRows) and [getattr(row, "principalId", "") for row in found.rows] == ["ada", "bob"]


def test_the_lists_inside_of_lists_and_tables_are_offered() -> None:
    assert {"permissionGrantPolicies.includes", "servicePrincipals.appRoles", "appRoleAssignedTo"} <= set(item_paths())
    assert "authorizationPolicy" not in item_paths()


def test_an_unknown_policy_is_a_warning_and_not_an_error() -> None:
    text = (
        HEAD
        + """\
rules:
  - id: MINE-1
    title: Policies
    severity: low
    why: Because.
    check:
      kind: all
      checks:
        - kind: list
          path: authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned
          none-of: [ManagePermissionGrantsForSelf.microsoft-apps-of-2031, ManagePermissionGrantsForSelf.ours]
        - {kind: assigned-policies, expect: none, wording: {allows: [microsoft-user-default-low]}}
"""
    )
    pack = load(Source("mine.yaml", text.encode()))
    (warning,) = pack.warnings
    assert warning.startswith('mine.yaml:16:21: "microsoft-apps-of-2031" isn\'t a known policy of Microsoft')


def test_without_a_similar_name_the_existing_properties_are_listed() -> None:
    found = target_at("authorizationPolicy.foo")
    assert isinstance(found, Invalid)
    assert found.near == ""
    assert "allowInvitesFrom" in found.expected
