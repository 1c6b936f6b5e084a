"""What checks of values say of small tenants: true, false, and unknown where something was not read."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.checks.combinations import AllOf, AnyOf, Not
from auditor.checks.context import CheckContext
from auditor.checks.directory_settings import DirectorySettingIs
from auditor.checks.kind import CheckKind
from auditor.checks.properties import EveryItem, ItemCount, ListContains, PropertyIs
from auditor.checks.property_tests import PropertyTest
from auditor.model.snapshot import Snapshot
from tests.checks.tenants import PART, principal, says, tenant
from tests.oracle import pool

ASSIGNED = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"


def policy(**properties: Any) -> Snapshot:
    return tenant(authorizationPolicy={"id": "authorizationPolicy", **properties})


def workflow(**properties: Any) -> Snapshot:
    return tenant(adminConsentRequestPolicy=properties)


DAYS = "adminConsentRequestPolicy.requestDurationInDays"
RISKY = "authorizationPolicy.allowUserConsentForRiskyApps"
GUEST = "authorizationPolicy.guestUserRoleId"


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        (PropertyIs(path=DAYS, at_most=30), workflow(requestDurationInDays=30), "pass"),
        (PropertyIs(path=DAYS, at_most=30), workflow(requestDurationInDays=31), "fail"),
        (PropertyIs(path=DAYS, at_least=7), workflow(requestDurationInDays=7), "pass"),
        (PropertyIs(path=DAYS, at_least=7), workflow(requestDurationInDays=6), "fail"),
        (PropertyIs(path=DAYS, at_most=30), workflow(isEnabled=True), "unknown"),
        (PropertyIs(path=DAYS, at_most=30), tenant(), "unknown"),
        (PropertyIs(path=RISKY, equals=False), policy(allowUserConsentForRiskyApps=None), "unknown"),
        (PropertyIs(path=RISKY, equals=False, missing_means=False), policy(), "pass"),
        (PropertyIs(path=RISKY, equals=True, missing_means=False), policy(), "fail"),
        (PropertyIs(path=RISKY, equals=False, missing_means=False), tenant(), "unknown"),
        (PropertyIs(path=GUEST, equals="ABC"), policy(guestUserRoleId="abc"), "pass"),
        (PropertyIs(path=GUEST, one_of=("x", "ABC")), policy(guestUserRoleId="abc"), "pass"),
        (PropertyIs(path=GUEST, one_of=("x", "y")), policy(guestUserRoleId="abc"), "fail"),
        (PropertyIs(path=GUEST, present=True), policy(guestUserRoleId="abc"), "pass"),
        (PropertyIs(path=GUEST, present=False), policy(guestUserRoleId="abc"), "fail"),
        (PropertyIs(path=GUEST, present=False), policy(), "unknown"),
        (PropertyIs(path=f"{ASSIGNED}", present=True), policy(), "unknown"),
    ],
)
def test_a_setting(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


LEGACY = policy(
    defaultUserRolePermissions={"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.Legacy"]}
)
EMPTY = policy(defaultUserRolePermissions={"permissionGrantPoliciesAssigned": []})


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        (ListContains(path=ASSIGNED, none_of=("managepermissiongrantsforself.",), match="prefix"), LEGACY, "fail"),
        (ListContains(path=ASSIGNED, none_of=("managepermissiongrantsforself.",), match="prefix"), EMPTY, "pass"),
        (ListContains(path=ASSIGNED, any_of=("MANAGEPERMISSIONGRANTSFORSELF.LEGACY",)), LEGACY, "pass"),
        (ListContains(path=ASSIGNED, any_of=("MANAGEPERMISSIONGRANTSFORSELF.LEGACY",), match="exact"), LEGACY, "fail"),
        (ListContains(path=ASSIGNED, any_of=("ManagePermissionGrantsForSelf.Legacy",), match="exact"), LEGACY, "pass"),
        (ListContains(path=ASSIGNED, all_of=("ManagePermissionGrantsForSelf.legacy", "x")), LEGACY, "fail"),
        (ListContains(path=ASSIGNED, all_of=("ManagePermissionGrantsForSelf.legacy",)), LEGACY, "pass"),
        (ListContains(path=ASSIGNED, none_of=("x",)), tenant(), "unknown"),
        (ListContains(path=ASSIGNED, none_of=("x",)), policy(), "unknown"),
    ],
)
def test_a_list(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


def principals(*rows: dict[str, Any], covers: dict[str, Any] | None = None) -> Snapshot:
    return tenant(covers=covers, servicePrincipals=list(rows))


ENABLED = EveryItem(of="servicePrincipals", has=(PropertyTest(path="accountEnabled", equals=True),))
FOREIGN_ENABLED = EveryItem(
    of="servicePrincipals",
    where=(PropertyTest(path="appOwnerOrganizationId", equals=pool.VENDOR_TENANT.upper()),),
    has=(PropertyTest(path="accountEnabled", equals=True),),
)
UNVERIFIED = (PropertyTest(path="verifiedPublisher.verifiedPublisherId", present=False),)


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        (ENABLED, principals(principal()), "pass"),
        (ENABLED, principals(), "pass"),
        (ENABLED, principals(principal(accountEnabled=False)), "fail"),
        (ENABLED, principals(principal(accountEnabled=None)), "unknown"),
        (ENABLED, principals(principal(), covers=PART), "unknown"),
        (ENABLED, principals(principal(accountEnabled=False), covers=PART), "fail"),
        (ENABLED, tenant(), "unknown"),
        (FOREIGN_ENABLED, principals(principal(accountEnabled=False)), "fail"),
        (
            FOREIGN_ENABLED,
            principals(principal(accountEnabled=False, appOwnerOrganizationId=pool.TENANT)),
            "not-applicable",
        ),
        (FOREIGN_ENABLED, principals(principal(accountEnabled=False, appOwnerOrganizationId=None)), "unknown"),
        (FOREIGN_ENABLED, principals(principal(appOwnerOrganizationId=None)), "pass"),
    ],
)
def test_every_item(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


VERIFIED = principal(pool.OTHER_CLIENT, verifiedPublisher=pool.publisher("12345"))
NOT_SELECTED = {"id": "not-selected", "appId": "not-selected"}


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        (ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=1), principals(principal(), VERIFIED), "pass"),
        (ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=0), principals(principal(), VERIFIED), "fail"),
        (
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=1),
            principals(principal(), NOT_SELECTED),
            "unknown",
        ),
        (ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=2), principals(principal(), NOT_SELECTED), "pass"),
        (
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_least=1),
            principals(principal(), NOT_SELECTED),
            "pass",
        ),
        (
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_least=2),
            principals(principal(), NOT_SELECTED),
            "unknown",
        ),
        (
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_least=3),
            principals(principal(), NOT_SELECTED),
            "fail",
        ),
        (ItemCount(of="servicePrincipals", at_most=1), principals(principal(), covers=PART), "unknown"),
        (ItemCount(of="servicePrincipals", at_least=1), principals(principal(), covers=PART), "pass"),
        (ItemCount(of="servicePrincipals", at_least=2), principals(principal(), covers=PART), "unknown"),
        (ItemCount(of="adminConsentRequestPolicy.reviewers", at_least=1), workflow(reviewers=[]), "fail"),
        (
            ItemCount(of="adminConsentRequestPolicy.reviewers", at_least=1),
            workflow(reviewers=[{"query": "/u"}]),
            "pass",
        ),
        (ItemCount(of="adminConsentRequestPolicy.reviewers", at_least=1), workflow(isEnabled=True), "unknown"),
        (
            ItemCount(of="delegatedPermissionClassifications", at_most=5),
            tenant(delegatedPermissionClassifications={}),
            "unknown",
        ),
        (
            ItemCount(of="permissionGrantPolicies.includes", at_most=1),
            tenant(permissionGrantPolicies=[pool.low()]),
            "fail",
        ),
    ],
)
def test_how_many(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


def settings(value: str | None) -> Snapshot:
    return tenant(directorySettings=[] if value is None else [pool.setting("BlockUserConsentForRiskyApps", value)])


NAME = "blockUserConsentForRiskyApps"


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        (DirectorySettingIs(name=NAME, equals=True), settings("True"), "pass"),
        (DirectorySettingIs(name=NAME, equals=True), settings("false"), "fail"),
        (DirectorySettingIs(name=NAME, equals=True), settings(None), "fail"),
        (DirectorySettingIs(name=NAME, equals=True, missing_means=True), settings(None), "pass"),
        (DirectorySettingIs(name=NAME, equals=True, skip_when_missing=True), settings(""), "not-applicable"),
        (DirectorySettingIs(name=NAME, present=False), settings(None), "pass"),
        (DirectorySettingIs(name=NAME, present=True), settings(None), "fail"),
        (DirectorySettingIs(name=NAME, one_of=("a", "FALSE")), settings("false"), "pass"),
        (DirectorySettingIs(name=NAME, template=pool.OTHER_CLIENT, equals=True), settings("true"), "fail"),
        (DirectorySettingIs(name=NAME, equals=True, missing_means=True), tenant(), "unknown"),
    ],
)
def test_a_directory_setting(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


YES, NO = PropertyIs(path=DAYS, at_most=30), PropertyIs(path=DAYS, at_most=1)
OPEN, NEVER = PropertyIs(path=GUEST, equals="x"), DirectorySettingIs(name="x", equals="y", skip_when_missing=True)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (AllOf(checks=(YES, YES)), "pass"),
        (AllOf(checks=(YES, OPEN)), "unknown"),
        (AllOf(checks=(NO, OPEN)), "fail"),
        (AllOf(checks=(NEVER, YES)), "pass"),
        (AllOf(checks=(NEVER, NEVER)), "not-applicable"),
        (AnyOf(checks=(NO, YES)), "pass"),
        (AnyOf(checks=(OPEN, YES)), "pass"),
        (AnyOf(checks=(OPEN, NO)), "unknown"),
        (AnyOf(checks=(NO, NO)), "fail"),
        (AnyOf(checks=(NEVER, NO)), "fail"),
        (AnyOf(checks=()), "unknown"),
        (Not(check=YES), "fail"),
        (Not(check=NO), "pass"),
        (Not(check=OPEN), "unknown"),
        (Not(check=NEVER), "not-applicable"),
        (Not(check=AnyOf(checks=(Not(check=OPEN), NO))), "unknown"),
    ],
)
def test_any_all_and_not_are_three_valued(check: CheckKind, expected: str) -> None:
    read: dict[str, Any] = {"adminConsentRequestPolicy": {"requestDurationInDays": 14}, "directorySettings": []}
    assert says(check, tenant(**read)) == expected


def test_a_number_out_of_reach_is_told_with_what_it_should_be() -> None:
    result = ItemCount(of="servicePrincipals", at_least=2).judge(CheckContext(principals(principal())))
    assert result.clause == "servicePrincipals has 1 item; expected at least 2"
    result = ItemCount(of="servicePrincipals", at_most=0).judge(CheckContext(principals(principal())))
    assert result.clause == "servicePrincipals has 1 item; expected at most 0"


def test_why_a_list_is_not_known_is_told() -> None:
    assert (
        ListContains(path=ASSIGNED, none_of=("x",)).judge(CheckContext(tenant())).clause
        == "authorizationPolicy was not read"
    )


def test_evidence_holds_values_of_one_kind() -> None:
    (switch,) = (
        PropertyIs(path=RISKY, equals=False).judge(CheckContext(policy(allowUserConsentForRiskyApps=True))).evidence
    )
    assert (switch.actual, switch.expected) == (True, False)
    (days,) = PropertyIs(path=DAYS, at_most=30).judge(CheckContext(workflow(requestDurationInDays=60))).evidence
    assert (days.actual, days.expected) == (60, "at most 30")
    listed = PropertyIs(path=ASSIGNED, present=True).judge(CheckContext(LEGACY))
    assert listed.clause == f"{ASSIGNED} is ManagePermissionGrantsForSelf.Legacy"


def test_the_opposite_says_what_should_not_hold() -> None:
    check = PropertyIs(path=GUEST, equals="abc")
    held = Not(check=check).judge(CheckContext(policy(guestUserRoleId="abc")))
    assert held.clause == f"the negated check passes: {GUEST} is abc"
    assert [(one.actual, one.expected) for one in held.evidence] == [("abc", "anything but abc")]
    other = Not(check=check).judge(CheckContext(policy(guestUserRoleId="x")))
    assert other.clause == f"as required, the negated check fails: {GUEST} is x; expected abc"
    assert Not(check=check).judge(CheckContext(tenant())) == check.judge(CheckContext(tenant()))
