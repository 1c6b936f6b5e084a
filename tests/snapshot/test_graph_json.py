"""Graph's responses in every spelling become the same sections; anything else is refused with its place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.model.resources import (
    AuthorizationPolicy,
    ConditionSet,
    DefaultUserRolePermissions,
    DelegatedScope,
    OAuth2PermissionGrant,
    PermissionGrantPolicy,
    ServicePrincipal,
    VerifiedPublisher,
    lacking,
)
from auditor.snapshot import ShapeError
from auditor.snapshot.graph_json import decode_section

from .strategies import NAMES

SELF_LOW = "ManagePermissionGrantsForSelf.microsoft-user-default-low"
LOW = AuthorizationPolicy(
    defaultUserRolePermissions=DefaultUserRolePermissions(
        permissionGrantPoliciesAssigned=(SELF_LOW,), allowedToCreateApps=True
    )
)
V1 = {
    "id": "authorizationPolicy",
    "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [SELF_LOW], "allowedToCreateApps": True},
}
BETA = {
    "id": "authorizationPolicy",
    "permissionGrantPolicyIdsAssignedToDefaultUserRole": [SELF_LOW],
    "defaultUserRolePermissions": {"allowedToCreateApps": True},
}
POWERSHELL = {
    "Id": "authorizationPolicy",
    "AllowUserConsentForRiskyApps": None,
    "DefaultUserRolePermissions": {"AllowedToCreateApps": True, "PermissionGrantPoliciesAssigned": [SELF_LOW]},
    "AdditionalProperties": {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata"},
}
POWERSHELL_BETA = {
    "Id": "authorizationPolicy",
    "PermissionGrantPolicyIdsAssignedToDefaultUserRole": [SELF_LOW],
    "DefaultUserRolePermissions": {"AllowedToCreateApps": True, "PermissionGrantPoliciesAssigned": None},
}


@pytest.mark.parametrize(
    "raw",
    [
        V1,
        BETA,
        POWERSHELL,
        POWERSHELL_BETA,
        [V1],
        {"value": [BETA]},
        {"@odata.context": "https://…", "value": [BETA]},
        {**V1, "@odata.context": "https://…", "newProperty": {"a": 1}},
        {**V1, "allowUserConsentForRiskyApps": None, "guestUserRoleId": None},
    ],
    ids=["v1", "beta", "powershell", "powershell-beta", "list", "value", "collection", "unknown", "nulls"],
)
def test_every_spelling_of_the_authorization_policy_means_the_same(raw: object) -> None:
    assert decode_section("authorizationPolicy", raw) == LOW


def test_beta_without_the_inner_object_still_tells_what_is_assigned() -> None:
    policy = decode_section("authorizationPolicy", {"permissionGrantPolicyIdsAssignedToDefaultUserRole": []})
    assert policy.defaultUserRolePermissions == DefaultUserRolePermissions(permissionGrantPoliciesAssigned=())


def test_a_list_is_not_known_when_it_is_null_and_empty_when_it_is_empty() -> None:
    assert decode_section("authorizationPolicy", {"defaultUserRolePermissions": {}}) == AuthorizationPolicy(
        defaultUserRolePermissions=DefaultUserRolePermissions(permissionGrantPoliciesAssigned=None)
    )


def test_null_is_a_section_that_was_not_read() -> None:
    assert [decode_section(name, None) for name in NAMES] == [None] * len(NAMES)


def test_an_unknown_section_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        decode_section("policies", [])


GRANT = {"clientId": "A", "resourceId": "B", "consentType": "AllPrincipals", "scope": " User.Read"}
READ = (OAuth2PermissionGrant(clientId="A", resourceId="B", consentType="AllPrincipals", scope=" User.Read"),)


@pytest.mark.parametrize(
    "raw",
    [
        [GRANT],
        {"value": [GRANT]},
        {"@odata.count": 1, "value": [GRANT]},
        {"value": [GRANT], "Count": 1},
        GRANT,
        [{key[:1].upper() + key[1:]: value for key, value in GRANT.items()}],
        [{**GRANT, "principalId": None, "startTime": "0001-01-01T00:00:00Z"}],
    ],
    ids=["bare", "value", "count", "powershell-5", "one", "pascal", "nulls"],
)
def test_every_spelling_of_a_list_means_the_same(raw: object) -> None:
    assert decode_section("oauth2PermissionGrants", raw) == READ


NOTHING = OAuth2PermissionGrant(clientId="", resourceId="", consentType="")


@pytest.mark.parametrize(
    ("rows", "means"),
    [
        pytest.param([GRANT, None], (*READ, NOTHING), id="a null row"),
        pytest.param([{}], (NOTHING,), id="an empty row"),
        pytest.param([{"clientId": None, "consentType": " ", "scope": ""}], (NOTHING,), id="null and empty values"),
        pytest.param([{"Client": "A"}], (NOTHING,), id="other names"),
    ],
)
def test_a_row_that_lost_its_values_is_kept_and_says_which_it_lacks(rows: Any, means: object) -> None:
    found = decode_section("oauth2PermissionGrants", rows)
    assert found == means
    assert found[-1].lacks == ("clientId", "resourceId", "consentType", "scope")


def test_a_grant_for_one_user_needs_the_user() -> None:
    (found,) = decode_section("oauth2PermissionGrants", [{**GRANT, "consentType": "Principal"}])
    assert found.lacks == ("principalId",)
    assert lacking("grants", 2, found) == "grants[2] has no principalId"


@pytest.mark.parametrize("entry", [None, ""], ids=["null", "empty"])
def test_a_list_of_text_with_a_null_or_empty_entry_is_not_known(entry: object) -> None:
    raw = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [SELF_LOW, entry]}}
    assert decode_section("authorizationPolicy", raw).defaultUserRolePermissions == DefaultUserRolePermissions()


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        pytest.param(None, ("null",), id="a null set"),
        pytest.param({}, ("null",), id="a set without any condition"),
        pytest.param({"futureRestriction": ["x"]}, ("futureRestriction",), id="nothing but a new condition"),
        pytest.param({"permissionType": "delegated", "futureOnly": True}, ("futureOnly",), id="a new condition"),
        pytest.param({"id": "c", "permissions": ["a", None]}, ("permissions",), id="a null in a list"),
        pytest.param({"id": "c", "permissionClassification": ""}, ("permissionClassification",), id="an empty text"),
        pytest.param({"id": "c"}, ("permissionType",), id="a set without the condition that Graph requires"),
        pytest.param({"permissionType": None, "permissions": ["all"]}, ("permissionType",), id="a type that is null"),
        pytest.param({"permissionType": "delegated", "futureOnly": None}, (), id="a new condition that isn't set"),
        pytest.param(
            {"PermissionType": "delegated", "AdditionalProperties": {}, "@odata.type": "#x"}, (), id="annotations"
        ),
    ],
)
def test_a_condition_of_which_the_content_is_not_known_is_named(conditions: object, names: tuple[str, ...]) -> None:
    (policy,) = decode_section("permissionGrantPolicies", [{"id": "p", "includes": [conditions]}])
    assert policy.includes[0].unknownConditions == names


@pytest.mark.parametrize("key", ["publishedPermissionScopes", "Oauth2PermissionScopes", "PublishedPermissionScopes"])
def test_the_scopes_of_a_resource_are_found_under_every_name(key: str) -> None:
    raw = {"id": "1", "appId": "2", key: [{"id": "3", "value": "Mail.Read", "type": "User", "isEnabled": True}]}
    (found,) = decode_section("servicePrincipals", [raw])
    assert found.oauth2PermissionScopes == (DelegatedScope(id="3", value="Mail.Read", type="User", isEnabled=True),)


@pytest.mark.parametrize(
    ("given", "means"),
    [
        pytest.param({}, None, id="no property"),
        pytest.param({"verifiedPublisher": None}, VerifiedPublisher(), id="null"),
        pytest.param({"VerifiedPublisher": None}, VerifiedPublisher(), id="null, other letter case"),
        pytest.param(
            {"verifiedPublisher": {"verifiedPublisherId": None, "displayName": None}},
            VerifiedPublisher(),
            id="an object of nulls",
        ),
        pytest.param(
            {"verifiedPublisher": {"verifiedPublisherId": "7"}}, VerifiedPublisher(verifiedPublisherId="7"), id="an id"
        ),
    ],
)
def test_no_verified_publisher_is_an_answer_but_no_property_is_none(given: dict[str, Any], means: object) -> None:
    assert decode_section("servicePrincipals", [{"id": "1", "appId": "2", **given}])[0].verifiedPublisher == means


def test_what_powershell_puts_aside_is_found_and_what_it_names_itself_comes_first() -> None:
    raw = {"Id": "1", "AppId": "2", "DisplayName": "A", "AdditionalProperties": {"isDisabled": True}}
    assert decode_section("servicePrincipals", raw) == (
        ServicePrincipal(id="1", appId="2", displayName="A", isDisabled=True),
    )


def test_an_empty_or_null_condition_does_not_restrict() -> None:
    empty: dict[str, object] = {
        "id": "c",
        "permissionType": "delegated",
        "permissions": [],
        "clientApplicationIds": [],
        "clientApplicationTenantIds": None,
        "clientApplicationPublisherIds": {"value": [], "Count": 0},
        "resourceApplication": None,
        "permissionClassification": None,
    }
    (policy,) = decode_section("permissionGrantPolicies", [{"id": "p", "includes": [empty], "excludes": []}])
    assert policy == PermissionGrantPolicy(id="p", includes=(ConditionSet(id="c"),), excludes=())


def test_unknown_enum_values_and_ids_stay_as_they_are() -> None:
    raw = {"id": "ABC-Def", "permissionType": "delegatedSomethingNew", "resourceApplication": "0000-AbC"}
    (policy,) = decode_section("permissionGrantPolicies", [{"id": "P", "includes": [raw]}])
    (found,) = policy.includes
    assert (found.id, found.permissionType, found.resourceApplication) == tuple(raw.values())


def test_app_ids_that_are_keys_become_lower_case() -> None:
    raw = {"ABC": {"value": [{"permissionId": "X", "classification": "low"}]}, "@odata.context": "…", "D": None}
    assert list(decode_section("delegatedPermissionClassifications", raw)) == ["abc"]
    assert decode_section("absentServicePrincipals", ["ABC"]) == ("abc",)


def test_free_objects_lose_nulls_annotations_and_capitals_only() -> None:
    raw = [{"TargetResources": [{"@odata.type": "#x", "Id": "1", "OldValue": None, "Parts": [{"Name": "N"}]}]}]
    (audit,) = decode_section("directoryAudits", raw)
    assert audit.targetResources == ({"id": "1", "parts": [{"name": "N"}]},)


POLICIES = "sections.permissionGrantPolicies"
CUT_OFF = "Microsoft.Graph.PowerShell.Models.MicrosoftGraphPermissionGrantConditionSet"


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        pytest.param(
            "permissionGrantPolicies",
            [{"id": "a"}, {"id": "b"}, {"id": "c", "includes": [{"permissions": 3}]}],
            f"{POLICIES}[2].includes[0].permissions: expected a list of text, found a number",
            id="a number for a list of text",
        ),
        pytest.param(
            "permissionGrantPolicies",
            [{"id": "c", "excludes": [{"permissions": ["x", True]}]}],
            f"{POLICIES}[0].excludes[0].permissions[1]: expected text, found true",
            id="true among text",
        ),
        pytest.param(
            "permissionGrantPolicies",
            [{"Id": "c", "Includes": [CUT_OFF]}],
            f"{POLICIES}[0].Includes[0]: expected an object, found text"
            " that ConvertTo-Json shortened; export again with -Depth 10",
            id="cut off by PowerShell",
        ),
        pytest.param(
            "permissionGrantPolicies",
            "none",
            f"{POLICIES}: expected a list of objects, found text",
            id="text for a list",
        ),
        pytest.param(
            "permissionGrantPolicies",
            {},
            f"{POLICIES}: expected a list of objects, found an object",
            id="an object for a list",
        ),
        pytest.param(
            "organization", [], "sections.organization: expected an object, found a list of 0", id="no object"
        ),
        pytest.param(
            "organization",
            [{"id": "1"}, {"id": "2"}],
            "sections.organization: expected an object, found a list of 2",
            id="two objects",
        ),
        pytest.param(
            "adminConsentRequestPolicy",
            {"isEnabled": "yes"},
            "sections.adminConsentRequestPolicy.isEnabled: expected true or false, found text",
            id="text for true or false",
        ),
        pytest.param(
            "adminConsentRequestPolicy",
            {"requestDurationInDays": 1.5},
            "sections.adminConsentRequestPolicy.requestDurationInDays: expected a whole number, found a number",
            id="a fraction",
        ),
        pytest.param(
            "delegatedPermissionClassifications",
            [],
            "sections.delegatedPermissionClassifications:"
            " expected an object with one list for each app id, found a list of 0",
            id="a list for a map",
        ),
        pytest.param(
            "delegatedPermissionClassifications",
            {"value": []},
            "sections.delegatedPermissionClassifications:"
            " expected an object with one list for each app id, found one answer of Graph",
            id="an answer of Graph for a map",
        ),
        pytest.param(
            "appRoleAssignedTo",
            {"aB": [], "Ab": []},
            "sections.appRoleAssignedTo.Ab: occurs twice, in different case",
            id="a key twice",
        ),
        pytest.param(
            "appRoleAssignedTo",
            {"ab": {"value": [], "@odata.nextLink": "https://…"}},
            "sections.appRoleAssignedTo.ab: is only the first page (it has @odata.nextLink);"
            " put the items of all pages into one list",
            id="a first page in a map",
        ),
        pytest.param(
            "servicePrincipals",
            {"value": [], "@odata.nextLink": "https://…"},
            "sections.servicePrincipals: is only the first page (it has @odata.nextLink);"
            " put the items of all pages into one list",
            id="a first page",
        ),
        pytest.param(
            "signIns",
            {"error": {"code": "Authorization_RequestDenied", "message": "…"}},
            "sections.signIns: is an error that Graph answered (Authorization_RequestDenied); move it to unread",
            id="an error of Graph",
        ),
        pytest.param(
            "directoryAudits",
            [{"initiatedBy": "app"}],
            "sections.directoryAudits[0].initiatedBy: expected an object, found text",
            id="text for an object inside",
        ),
        pytest.param(
            "authorizationPolicy",
            {"permissionGrantPolicyIdsAssignedToDefaultUserRole": "x", "defaultUserRolePermissions": 5},
            "sections.authorizationPolicy.defaultUserRolePermissions: expected an object, found a number",
            id="a beta spelling and a number instead of an object",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_reported_with_its_path(name: str, raw: object, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        decode_section(name, raw)
    assert str(caught.value) == message


def test_all_problems_of_a_section_are_reported_together() -> None:
    with pytest.raises(ShapeError) as caught:
        decode_section("servicePrincipals", [{"id": 1, "appId": "2"}, 3, {"tags": {}}])
    assert [str(problem) for problem in caught.value.problems] == [
        "sections.servicePrincipals[0].id: expected text, found a number",
        "sections.servicePrincipals[1]: expected an object, found a number",
        "sections.servicePrincipals[2].tags: expected a list of text, found an object",
    ]
    assert (caught.value.path, caught.value.message) == (
        "sections.servicePrincipals[0].id",
        "expected text, found a number",
    )


def test_a_condition_that_is_new_is_named_and_not_forgotten() -> None:
    conditions: dict[str, Any] = {
        "applications": {"includeApplications": ["All"], "resourceTags": ["x"]},
        "signInRiskLevels": [],
        "times": None,
        "deviceStates": [],
        "networkReputation": {"levels": ["low"]},
        "locations@odata.context": "https://graph.microsoft.com/v1.0/$metadata",
    }
    (policy,) = decode_section("conditionalAccessPolicies", [{"id": "p", "conditions": conditions}])
    assert policy.conditions.unknownConditions == ("networkReputation",)
    assert policy.conditions.applications.unknownConditions == ("resourceTags",)
    written = [{"id": "p", "conditions": msgspec.to_builtins(policy.conditions)}]
    assert decode_section("conditionalAccessPolicies", written) == (policy,)
