"""What checks of values say of small tenants: true, false, and unknown where something was not read."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.checks.combinations import AllOf, AnyOf, Not
from auditor.checks.directory_settings import DirectorySettingIs
from auditor.checks.kind import CheckContext, CheckKind
from auditor.checks.properties import EveryItem, ItemCount, ListContains, PropertyIs
from auditor.checks.property_tests import PropertyTest
from auditor.checks.user_consent import ConsentWorkflow
from auditor.model.rule import FindingOutcome
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
COMPLETE = policy(defaultUserRolePermissions={"permissionGrantPoliciesAssigned": []})
"""Graph always returns the list of assigned policies, which can be empty."""


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        pytest.param(
            PropertyIs(path=DAYS, at_most=30), workflow(requestDurationInDays=30), "pass", id="at most, at the limit"
        ),
        pytest.param(
            PropertyIs(path=DAYS, at_most=30), workflow(requestDurationInDays=31), "fail", id="at most, above"
        ),
        pytest.param(
            PropertyIs(path=DAYS, at_least=7), workflow(requestDurationInDays=7), "pass", id="at least, at the limit"
        ),
        pytest.param(
            PropertyIs(path=DAYS, at_least=7), workflow(requestDurationInDays=6), "fail", id="at least, below"
        ),
        pytest.param(PropertyIs(path=DAYS, at_most=30), workflow(isEnabled=True), "unknown", id="not set"),
        pytest.param(PropertyIs(path=DAYS, at_most=30), tenant(), "unknown", id="section not read"),
        pytest.param(
            PropertyIs(path=RISKY, equals=False), policy(allowUserConsentForRiskyApps=None), "unknown", id="null"
        ),
        pytest.param(
            PropertyIs(path=RISKY, equals=False, missing_means=False), COMPLETE, "pass", id="not set, a meaning given"
        ),
        pytest.param(
            PropertyIs(path=RISKY, equals=True, missing_means=False),
            COMPLETE,
            "fail",
            id="not set, the meaning disagrees",
        ),
        pytest.param(
            PropertyIs(path=RISKY, equals=False, missing_means=False),
            policy(),
            "unknown",
            id="nothing but the id was returned, a meaning given",
        ),
        pytest.param(
            PropertyIs(path=RISKY, equals=False, missing_means=False),
            policy(defaultUserRolePermissions={"allowedToCreateApps": False}),
            "unknown",
            id="what is always returned was lost, a meaning given",
        ),
        pytest.param(
            PropertyIs(path=RISKY, equals=False, missing_means=False),
            policy(allowUserConsentForRiskyApps=True),
            "fail",
            id="set, and what is always returned was lost",
        ),
        pytest.param(
            PropertyIs(path=RISKY, equals=False, missing_means=False),
            tenant(),
            "unknown",
            id="section not read, a meaning given",
        ),
        pytest.param(
            PropertyIs(path=GUEST, equals="ABC"), policy(guestUserRoleId="abc"), "pass", id="equal but for letter case"
        ),
        pytest.param(
            PropertyIs(path=GUEST, one_of=("x", "ABC")),
            policy(guestUserRoleId="abc"),
            "pass",
            id="one of, but for letter case",
        ),
        pytest.param(PropertyIs(path=GUEST, one_of=("x", "y")), policy(guestUserRoleId="abc"), "fail", id="none of"),
        pytest.param(PropertyIs(path=GUEST, present=True), policy(guestUserRoleId="abc"), "pass", id="present"),
        pytest.param(
            PropertyIs(path=GUEST, present=False),
            policy(guestUserRoleId="abc"),
            "fail",
            id="present, but should not be",
        ),
        pytest.param(PropertyIs(path=GUEST, present=False), policy(), "unknown", id="not set, and may not be"),
        pytest.param(PropertyIs(path=f"{ASSIGNED}", present=True), policy(), "unknown", id="not set, inside an object"),
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
        pytest.param(
            ListContains(path=ASSIGNED, none_of=("managepermissiongrantsforself.",), match="prefix"),
            LEGACY,
            "fail",
            id="none begins with, one does",
        ),
        pytest.param(
            ListContains(path=ASSIGNED, none_of=("managepermissiongrantsforself.",), match="prefix"),
            EMPTY,
            "pass",
            id="none begins with, empty list",
        ),
        pytest.param(
            ListContains(path=ASSIGNED, any_of=("MANAGEPERMISSIONGRANTSFORSELF.LEGACY",)),
            LEGACY,
            "pass",
            id="any of, but for letter case",
        ),
        pytest.param(
            ListContains(path=ASSIGNED, any_of=("MANAGEPERMISSIONGRANTSFORSELF.LEGACY",), match="exact"),
            LEGACY,
            "fail",
            id="exactly, letter case differs",
        ),
        pytest.param(
            ListContains(path=ASSIGNED, any_of=("ManagePermissionGrantsForSelf.Legacy",), match="exact"),
            LEGACY,
            "pass",
            id="exactly",
        ),
        pytest.param(
            ListContains(path=ASSIGNED, all_of=("ManagePermissionGrantsForSelf.legacy", "x")),
            LEGACY,
            "fail",
            id="all of, one is missing",
        ),
        pytest.param(
            ListContains(path=ASSIGNED, all_of=("ManagePermissionGrantsForSelf.legacy",)), LEGACY, "pass", id="all of"
        ),
        pytest.param(ListContains(path=ASSIGNED, none_of=("x",)), tenant(), "unknown", id="section not read"),
        pytest.param(ListContains(path=ASSIGNED, none_of=("x",)), policy(), "unknown", id="not set"),
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
        pytest.param(ENABLED, principals(principal()), "pass", id="all"),
        pytest.param(ENABLED, principals(), "pass", id="no item"),
        pytest.param(ENABLED, principals(principal(accountEnabled=False)), "fail", id="one fails"),
        pytest.param(ENABLED, principals(principal(accountEnabled=None)), "unknown", id="one is not known"),
        pytest.param(ENABLED, principals(principal(), covers=PART), "unknown", id="read in part"),
        pytest.param(
            ENABLED, principals(principal(accountEnabled=False), covers=PART), "fail", id="read in part, one fails"
        ),
        pytest.param(ENABLED, tenant(), "unknown", id="section not read"),
        pytest.param(FOREIGN_ENABLED, principals(principal(accountEnabled=False)), "fail", id="a selected one fails"),
        pytest.param(
            FOREIGN_ENABLED,
            principals(principal(accountEnabled=False, appOwnerOrganizationId=pool.TENANT)),
            "not-applicable",
            id="none is selected",
        ),
        pytest.param(
            FOREIGN_ENABLED,
            principals(principal(accountEnabled=False, appOwnerOrganizationId=None)),
            "unknown",
            id="not known whether it is selected",
        ),
        pytest.param(
            FOREIGN_ENABLED,
            principals(principal(appOwnerOrganizationId=None)),
            "pass",
            id="not known whether it is selected, but it passes",
        ),
    ],
)
def test_every_item(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


VERIFIED = principal(pool.OTHER_CLIENT, verifiedPublisher=pool.publisher("12345"))
NOT_SELECTED = {"id": "not-selected", "appId": "not-selected"}


@pytest.mark.parametrize(
    ("check", "snapshot", "expected"),
    [
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=1),
            principals(principal(), VERIFIED),
            "pass",
            id="at most, at the limit",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=0),
            principals(principal(), VERIFIED),
            "fail",
            id="at most, above",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=1),
            principals(principal(), NOT_SELECTED),
            "unknown",
            id="at most, one is not known",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_most=2),
            principals(principal(), NOT_SELECTED),
            "pass",
            id="at most, whatever the unknown one is",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_least=1),
            principals(principal(), NOT_SELECTED),
            "pass",
            id="at least, whatever the unknown one is",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_least=2),
            principals(principal(), NOT_SELECTED),
            "unknown",
            id="at least, the unknown one decides",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", where=UNVERIFIED, at_least=3),
            principals(principal(), NOT_SELECTED),
            "fail",
            id="at least, not even with the unknown one",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", at_most=1),
            principals(principal(), covers=PART),
            "unknown",
            id="at most, read in part",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", at_least=1),
            principals(principal(), covers=PART),
            "pass",
            id="at least, read in part, enough",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", at_least=2),
            principals(principal(), covers=PART),
            "unknown",
            id="at least, read in part",
        ),
        pytest.param(
            ItemCount(of="adminConsentRequestPolicy.reviewers", at_least=1),
            workflow(reviewers=[]),
            "fail",
            id="no reviewer",
        ),
        pytest.param(
            ItemCount(of="adminConsentRequestPolicy.reviewers", at_least=1),
            workflow(reviewers=[{"query": "/u"}]),
            "pass",
            id="a reviewer",
        ),
        pytest.param(
            ItemCount(of="adminConsentRequestPolicy.reviewers", at_least=1),
            workflow(isEnabled=True),
            "unknown",
            id="reviewers not set",
        ),
        pytest.param(
            ItemCount(of="delegatedPermissionClassifications", at_most=5),
            tenant(delegatedPermissionClassifications={}),
            "unknown",
            id="a map by resource",
        ),
        pytest.param(
            ItemCount(of="permissionGrantPolicies.includes", at_most=1),
            tenant(permissionGrantPolicies=[pool.low()]),
            "fail",
            id="a list inside the items of a list",
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
        pytest.param(DirectorySettingIs(name=NAME, equals=True), settings("True"), "pass", id="true"),
        pytest.param(DirectorySettingIs(name=NAME, equals=True), settings("false"), "fail", id="false"),
        pytest.param(DirectorySettingIs(name=NAME, equals=True), settings(None), "fail", id="not there"),
        pytest.param(
            DirectorySettingIs(name=NAME, equals=True, missing_means=True),
            settings(None),
            "pass",
            id="not there, a meaning given",
        ),
        pytest.param(
            DirectorySettingIs(name=NAME, equals=True, skip_when_missing=True),
            settings(""),
            "unknown",
            id="an empty text, which no true or false is",
        ),
        pytest.param(DirectorySettingIs(name=NAME, present=False), settings(None), "pass", id="absent as asked"),
        pytest.param(DirectorySettingIs(name=NAME, present=True), settings(None), "fail", id="absent"),
        pytest.param(
            DirectorySettingIs(name=NAME, one_of=("a", "FALSE")),
            settings("false"),
            "pass",
            id="one of, but for letter case",
        ),
        pytest.param(
            DirectorySettingIs(name=NAME, template=pool.OTHER_CLIENT, equals=True),
            settings("true"),
            "fail",
            id="of another template",
        ),
        pytest.param(
            DirectorySettingIs(name=NAME, equals=True, missing_means=True),
            tenant(),
            "unknown",
            id="section not read, a meaning given",
        ),
    ],
)
def test_a_directory_setting(check: CheckKind, snapshot: Snapshot, expected: str) -> None:
    assert says(check, snapshot) == expected


YES, NO = PropertyIs(path=DAYS, at_most=30), PropertyIs(path=DAYS, at_most=1)
OPEN, NEVER = PropertyIs(path=GUEST, equals="x"), DirectorySettingIs(name="x", equals="y", skip_when_missing=True)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        pytest.param(AllOf(checks=(YES, YES)), "pass", id="all: pass, pass"),
        pytest.param(AllOf(checks=(YES, OPEN)), "unknown", id="all: pass, unknown"),
        pytest.param(AllOf(checks=(NO, OPEN)), "fail", id="all: fail, unknown"),
        pytest.param(AllOf(checks=(NEVER, YES)), "pass", id="all: not applicable, pass"),
        pytest.param(AllOf(checks=(NEVER, NEVER)), "not-applicable", id="all: not applicable twice"),
        pytest.param(AnyOf(checks=(NO, YES)), "pass", id="any: fail, pass"),
        pytest.param(AnyOf(checks=(OPEN, YES)), "pass", id="any: unknown, pass"),
        pytest.param(AnyOf(checks=(OPEN, NO)), "unknown", id="any: unknown, fail"),
        pytest.param(AnyOf(checks=(NO, NO)), "fail", id="any: fail, fail"),
        pytest.param(AnyOf(checks=(NEVER, NO)), "fail", id="any: not applicable, fail"),
        pytest.param(AnyOf(checks=()), "unknown", id="any: nothing inside"),
        pytest.param(Not(check=YES), "fail", id="not: pass"),
        pytest.param(Not(check=NO), "pass", id="not: fail"),
        pytest.param(Not(check=OPEN), "unknown", id="not: unknown"),
        pytest.param(Not(check=NEVER), "not-applicable", id="not: not applicable"),
        pytest.param(Not(check=AnyOf(checks=(Not(check=OPEN), NO))), "unknown", id="not: any: not: unknown, fail"),
    ],
)
def test_any_all_and_not_are_three_valued(check: CheckKind, expected: str) -> None:
    read: dict[str, Any] = {"adminConsentRequestPolicy": {"requestDurationInDays": 14}, "directorySettings": []}
    assert says(check, tenant(**read)) == expected


def test_a_number_out_of_range_is_reported_with_what_it_should_be() -> None:
    result = ItemCount(of="servicePrincipals", at_least=2).judge(CheckContext(principals(principal())))
    assert result.clause == "servicePrincipals has 1 item; expected at least 2"
    result = ItemCount(of="servicePrincipals", at_most=0).judge(CheckContext(principals(principal())))
    assert result.clause == "servicePrincipals has 1 item; expected at most 0"


def test_the_reason_why_a_list_is_not_known_is_reported() -> None:
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


REVIEWER = {"query": "/v1.0/users/0a0a0a0a-1111-4222-8333-444444444444", "queryType": "MicrosoftGraph"}


@pytest.mark.parametrize(
    ("reviewers", "expected"),
    [
        pytest.param([None], FindingOutcome.UNKNOWN, id="a null"),
        pytest.param([{"queryType": "MicrosoftGraph"}], FindingOutcome.UNKNOWN, id="no query"),
        pytest.param([{**REVIEWER, "query": ""}], FindingOutcome.UNKNOWN, id="an empty query"),
        pytest.param([None, REVIEWER], FindingOutcome.PASS, id="one of two is whole"),
        pytest.param([], FindingOutcome.FAIL, id="nobody"),
    ],
)
def test_a_reviewer_whom_the_data_does_not_name_is_no_reviewer_and_no_proof_that_there_is_none(
    reviewers: list[Any], expected: FindingOutcome
) -> None:
    snapshot = workflow(isEnabled=True, notifyReviewers=True, reviewers=reviewers)
    assert ConsentWorkflow().judge(CheckContext(snapshot)).outcome is expected
