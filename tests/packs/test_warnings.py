"""An odd value in a check that may be intended is a warning: the pack can be used, and every use prints it."""

from __future__ import annotations

import pytest

from tests.packs.text import SOUND, loaded

ASSIGNED = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"


def warnings_of(check: str) -> tuple[str, ...]:
    pack = loaded(SOUND.replace("{kind: users-can-connect}", check))
    return tuple(warning.split(": ", 1)[1] for warning in pack.warnings)


@pytest.mark.parametrize(
    ("check", "warning"),
    [
        pytest.param(
            "{kind: setting, path: authorizationPolicy.allowInvitesFrom, one-of: [none, partners]}",
            '"partners" isn\'t a documented value of allowInvitesFrom (none, adminsAndGuestInviters,'
            " adminsGuestInvitersAndAllMembers, everyone)",
            id="a value of a setting",
        ),
        pytest.param(
            "{kind: count, of: servicePrincipals, at-most: 0, where: [{path: servicePrincipalType, equals: Agent}]}",
            '"Agent" isn\'t a documented value of servicePrincipalType (Application, ManagedIdentity, Legacy,'
            " SocialIdp, ServiceIdentity)",
            id="a value in a count",
        ),
        pytest.param(
            f"{{kind: list, path: {ASSIGNED}, none-of: [ManagePermissionGrantsForSelf.x], match: exact}}",
            'match: exact compares the letter case of "ManagePermissionGrantsForSelf.x", which differs between tenants',
            id="exact letter case",
        ),
        pytest.param(
            f"{{kind: list, path: {ASSIGNED}, none-of: [ManagePermissionGrantsForSelf.microsoft-2031], match: prefix}}",
            'no known policy of Microsoft begins with "microsoft-2031"',
            id="a policy of Microsoft",
        ),
        pytest.param(
            "{kind: delegated-grants, scopes: {000000ff-0000-0000-c000-000000000000: [x]}}",
            '"000000ff-0000-0000-c000-000000000000" isn\'t the id of Microsoft Graph; did you mean'
            ' "00000003-0000-0000-c000-000000000000"?',
            id="a resource of grants",
        ),
        pytest.param(
            "{kind: count, of: servicePrincipals, where: [{path: appId, equals: 000000ff-0000-0000-c000-000000000000}],"
            " at-most: 0}",
            '"000000ff-0000-0000-c000-000000000000" isn\'t the id of Microsoft Graph; did you mean'
            ' "00000003-0000-0000-c000-000000000000"?',
            id="an app id in a count",
        ),
        pytest.param(
            "{kind: every, of: servicePrincipals.oauth2PermissionScopes,"
            " has: [{path: value, equals: Calender.ReadWrite}]}",
            '"Calender.ReadWrite" isn\'t a scope of a known resource; did you mean "Calendars.ReadWrite"?',
            id="a scope",
        ),
    ],
)
def test_a_value_that_may_be_intended_is_a_warning(check: str, warning: str) -> None:
    assert warnings_of(check) == (warning,)


@pytest.mark.parametrize(
    "check",
    [
        "{kind: setting, path: authorizationPolicy.allowInvitesFrom, equals: EVERYONE}",
        "{kind: count, of: oauth2PermissionGrants, where: [{path: consentType, equals: principal}], at-most: 0}",
        f"{{kind: list, path: {ASSIGNED}, none-of: [managepermissiongrantsforself.MICROSOFT-user-default-low]}}",
        f"{{kind: list, path: {ASSIGNED}, none-of: [managePermissionGrantsFor], match: prefix}}",
        "{kind: assigned-policies, expect: none, wording: {forbids: [ours, our.other]}}",
        "{kind: delegated-grants, scopes: {00000002-0000-0000-c000-000000000000: [x]}}",
        "{kind: every, of: permissionGrantPolicies.includes, has: [{path: resourceApplication, equals: any}]}",
        "{kind: count, of: servicePrincipals.oauth2PermissionScopes, where: [{path: value, equals: ours}], at-most: 0}",
    ],
)
def test_a_correct_value_raises_no_warning(check: str) -> None:
    assert warnings_of(check) == ()
