"""Tenants of which every section was read and every property is there, as Graph returns them: what faults are tried on.

Microsoft's own consent policies are as Microsoft documents them; what varies is the tenant.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from auditor.consent.decision_facts import LEGACY_SETTING, SETTING
from auditor.facts.builtin_policies import documented_policy
from tests.oracle import pool
from tests.oracle.condition_strategies import condition_sets, mostly

Json = dict[str, Any]

BUILT_IN = (pool.LEGACY, pool.LOW, pool.RECOMMENDED, pool.MAIL_CLIENTS)
CUSTOM_ROLE = "d1000000-0000-4000-8000-000000000001"
MAIL_READ_ROLE = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"
"""The application permission Mail.Read of Microsoft Graph."""
UNASSIGNED_ROLE = "00000000-0000-0000-0000-000000000000"
OWNERS = "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team"
_BETA_ONLY = ("certifiedClientApplicationsOnly", "scopeSensitivityLabels", "unknownConditions")


def built_in(policy_id: str) -> Json:
    """One of Microsoft's policies as Graph v1.0 returns it."""
    found = documented_policy(policy_id, pool.TENANT)
    assert found is not None
    plain: Json = json.loads(msgspec.json.encode(found))
    for side in ("includes", "excludes"):
        plain[side] = [{k: v for k, v in one.items() if k not in _BETA_ONLY} for one in plain.get(side, [])]
    return {"displayName": policy_id, "description": None, **plain}


@st.composite
def custom_policies(draw: DrawFn) -> Json:
    """A policy that the tenant wrote."""
    includes = draw(st.lists(condition_sets(), min_size=1, max_size=2))
    excludes = draw(st.lists(condition_sets(), max_size=1))
    plain = pool.condition_set(certifiedClientApplicationsOnly=False)
    numbered = {
        side: [{"id": f"{side}-{n}", **plain, **_without_null(one)} for n, one in enumerate(sets)]
        for side, sets in (("includes", includes), ("excludes", excludes))
    }
    beta = {"includeAllPreApprovedApplications": False, "resourceScopeType": "tenant"}
    return {"id": pool.CUSTOM, "displayName": "Woodgrove mail", "description": None, **beta, **numbered}


def _without_null(conditions: Json) -> Json:
    """What Graph returns: it stores no null in a condition."""
    return {k: v for k, v in conditions.items() if v not in (None, [])}


@st.composite
def authorization_policies(draw: DrawFn) -> Json:
    """The switches of the tenant, and the policies that are assigned to users."""
    chosen = draw(st.lists(st.sampled_from([*BUILT_IN, pool.CUSTOM]), max_size=2, unique=True))
    switches = ("allowedToCreateApps", "allowedToCreateSecurityGroups", "allowedToCreateTenants")
    more = ("allowedToReadBitlockerKeysForOwnedDevice", "allowedToReadOtherUsers")
    own = ("allowedToSignUpEmailBasedSubscriptions", "allowedToUseSSPR", "allowEmailVerifiedUsersToJoinOrganization")
    return {
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "allowUserConsentForRiskyApps": draw(st.sampled_from([None, False, True])),
        "guestUserRoleId": draw(st.sampled_from([pool.GUEST_ROLE, pool.MEMBER_ROLE, pool.RESTRICTED_ROLE])),
        "allowInvitesFrom": draw(st.sampled_from(["everyone", "adminsAndGuestInviters", "none"])),
        "blockMsolPowerShell": draw(st.booleans()),
        **{name: draw(st.booleans()) for name in own},
        "defaultUserRolePermissions": {
            "permissionGrantPoliciesAssigned": [*(f"ManagePermissionGrantsForSelf.{one}" for one in chosen), OWNERS],
            **{name: draw(st.booleans()) for name in (*switches, *more)},
        },
    }


@st.composite
def clients(draw: DrawFn) -> Json:
    """The client's service principal; most are switched on."""
    published = {"displayName": "Woodgrove", "verifiedPublisherId": "1234567", "addedDateTime": "2024-05-01T08:00:00Z"}
    return pool.client(
        displayName="Woodgrove Mailer",
        servicePrincipalType="Application",
        signInAudience="AzureADMultipleOrgs",
        accountEnabled=draw(mostly(True, False)),
        appRoleAssignmentRequired=draw(mostly(False, True)),
        appOwnerOrganizationId=draw(mostly(pool.VENDOR_TENANT, pool.TENANT)),
        verifiedPublisher=draw(st.sampled_from([published, pool.publisher(None)])),
        disabledByMicrosoftStatus=draw(mostly(None, "DisabledDueToViolationOfServicesAgreement")),
        isDisabled=draw(mostly(None, True)),
        replyUrls=["https://eu.example.com/callback", "https://us.example.com/callback"],
        servicePrincipalNames=[pool.CLIENT],
        tags=[],
    )


def _resource(app_id: str, name: str) -> Json:
    return {
        **pool.resource(app_id),
        "displayName": name,
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "appRoleAssignmentRequired": False,
        "disabledByMicrosoftStatus": None,
        "isDisabled": None,
        "verifiedPublisher": pool.publisher(None),
        "servicePrincipalNames": [app_id],
    }


@st.composite
def resources(draw: DrawFn) -> list[Json]:
    """The APIs of the tenant, perhaps switched off; a scope of the own API is for everybody or for administrators."""
    found = [
        _resource(pool.GRAPH, "Microsoft Graph"),
        _resource(pool.EXCHANGE, "Office 365 Exchange Online"),
        _resource(pool.OWN_API, "Orders"),
    ]
    found[1]["accountEnabled"] = draw(mostly(True, False))
    found[2]["oauth2PermissionScopes"][0]["type"] = draw(mostly("User", "Admin"))
    kept = [one for one in found[:2] if draw(mostly(True, False))]
    return [*kept, found[2]]


def _one_grant(row: Json) -> tuple[str, str, str | None]:
    """Graph has one grant for a client, a resource and a user."""
    return row["clientId"], row["resourceId"], row["principalId"]


@st.composite
def grants(draw: DrawFn) -> list[Json]:
    """Grants of the client and of another app."""
    rows = [
        pool.grant(pool.GRAPH, " openid User.Read Mail.Read"),
        pool.grant(pool.GRAPH, " ".join(pool.PERMISSION_IDS[pool.GRAPH])),
        pool.grant(pool.GRAPH, "User.Read", principal=pool.ALICE),
        pool.grant(pool.EXCHANGE, "EWS.AccessAsUser.All", principal=pool.BOB),
        pool.grant(pool.GRAPH, "Mail.ReadWrite Directory.Read.All", client_id=pool.OTHER_CLIENT),
        pool.grant(pool.OWN_API, "Orders.Read"),
    ]
    chosen = draw(st.lists(st.sampled_from(rows), max_size=3, unique_by=_one_grant))
    return [{"id": f"grant-{number}", **row} for number, row in enumerate(chosen)]


def _assignment(number: int, principal: str, kind: str, role: str, resource: str) -> Json:
    return {
        "id": f"assignment-{resource[:4]}-{number}",
        "principalId": principal,
        "principalType": kind,
        "principalDisplayName": "Somebody",
        "appRoleId": role,
        "resourceId": pool.OBJECT_IDS[resource],
    }


@st.composite
def assignments(draw: DrawFn) -> Json:
    """Who is assigned to the client, and which apps hold application permissions of the resources."""
    people = [
        _assignment(1, pool.ALICE, "User", UNASSIGNED_ROLE, pool.CLIENT),
        _assignment(2, pool.RECRUITERS, "Group", UNASSIGNED_ROLE, pool.CLIENT),
        _assignment(3, pool.OBJECT_IDS[pool.OTHER_CLIENT], "ServicePrincipal", UNASSIGNED_ROLE, pool.CLIENT),
    ]
    held = [_assignment(4, pool.OBJECT_IDS[pool.OTHER_CLIENT], "ServicePrincipal", MAIL_READ_ROLE, pool.GRAPH)]
    return {
        pool.CLIENT: draw(st.lists(st.sampled_from(people), max_size=2, unique_by=str)),
        pool.GRAPH: draw(st.sampled_from([[], held])),
        pool.EXCHANGE: [],
        pool.OWN_API: [],
        pool.OTHER_CLIENT: [],
    }


CONTROLS = (["mfa"], ["compliantDevice"], ["block"], ["mfa", "compliantDevice"])


@st.composite
def access_policies(draw: DrawFn) -> list[Json]:
    """Conditional Access policies on everybody, on some people, or switched off."""
    return [
        {
            "id": f"ca000000-0000-4000-8000-00000000000{number}",
            "displayName": f"Policy {number}",
            "state": draw(st.sampled_from(["enabled", "disabled", "enabledForReportingButNotEnforced"])),
            "conditions": {
                "applications": {
                    "includeApplications": draw(st.sampled_from([["All"], ["Office365"], [pool.EXCHANGE]])),
                    "excludeApplications": draw(mostly([], [pool.EXCHANGE])),
                    "includeUserActions": [],
                },
                "users": {
                    "includeUsers": draw(st.sampled_from([["All"], [pool.ALICE], ["None"]])),
                    "excludeUsers": draw(mostly([], [pool.ALICE])),
                    "includeGroups": [],
                    "excludeGroups": draw(mostly([], [pool.RECRUITERS])),
                    "includeRoles": [],
                    "excludeRoles": draw(mostly([], [pool.GLOBAL_ADMINISTRATOR])),
                },
                "clientAppTypes": ["all"],
                "platforms": None,
                "locations": None,
                "signInRiskLevels": [],
                "userRiskLevels": [],
            },
            "grantControls": {
                "operator": draw(st.sampled_from(["OR", "AND"])),
                "builtInControls": draw(st.sampled_from(CONTROLS)),
                "termsOfUse": [],
                "customAuthenticationFactors": [],
            },
            "sessionControls": None,
        }
        for number in range(draw(st.integers(0, 2)))
    ]


@st.composite
def roles(draw: DrawFn) -> tuple[list[Json], list[Json]]:
    """The custom roles, and who holds which role. Nobody holds a custom role that the tenant doesn't have."""
    action = f"microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.{draw(st.sampled_from(BUILT_IN))}"
    definition = {
        "id": CUSTOM_ROLE,
        "displayName": "Consenters",
        "isBuiltIn": False,
        "isEnabled": draw(mostly(True, False)),
        "templateId": CUSTOM_ROLE,
        "rolePermissions": [{"allowedResourceActions": [action], "condition": None}],
    }
    definitions: list[Json] = draw(st.sampled_from([[], [definition]]))
    custom = [str(one["id"]) for one in definitions]
    holders = [
        {"roleDefinitionId": role, "principalId": holder, "directoryScopeId": scope}
        for role in (*custom, pool.GLOBAL_ADMINISTRATOR, pool.CLOUD_APPLICATION_ADMINISTRATOR)
        for holder in (pool.ALICE, pool.BOB, pool.RECRUITERS)
        for scope in ("/", f"/{pool.OBJECT_IDS[pool.CLIENT]}")
    ]
    chosen = draw(st.lists(st.sampled_from(holders), max_size=2, unique_by=str))
    rows = [{"id": f"role-assignment-{number}", **row} for number, row in enumerate(chosen)]
    return definitions, rows


@st.composite
def tenants(draw: DrawFn) -> Json:
    """A tenant, with everything that the shipped packs read."""
    definitions, holders = draw(roles())
    principals = draw(resources())
    client, other = draw(clients()), {**pool.client(), "id": pool.OBJECT_IDS[pool.OTHER_CLIENT]}
    other |= {"appId": pool.OTHER_CLIENT, "displayName": "Another app", "servicePrincipalType": "Application"}
    is_absent = draw(mostly(False, True))
    rows = [row for row in draw(grants()) if not is_absent or row["clientId"] != client["id"]]
    present = {one["appId"] for one in (*principals, *([] if is_absent else [client]))}
    absent = [app for app in (pool.CLIENT, pool.GRAPH, pool.EXCHANGE) if app not in present]
    alice = {
        "id": pool.ALICE,
        "userPrincipalName": "alice@woodgrove.example",
        "displayName": "Alice",
        "userType": draw(mostly("Member", "Guest")),
        "accountEnabled": True,
        "memberOf": draw(st.sampled_from([[], [{"id": pool.RECRUITERS, "displayName": "Recruiters"}]])),
        "assignedPlans": [
            {
                "service": "exchange",
                "servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
                "capabilityStatus": draw(mostly("Enabled", "Deleted")),
            }
        ],
    }
    setting = st.sampled_from([None, "true", "false"])
    risk, workflow = draw(setting), draw(setting)
    values = [{"name": n, "value": v} for n, v in ((SETTING, risk), (LEGACY_SETTING, workflow)) if v is not None]
    settings = {"id": "s-1", "displayName": "Consent Policy Settings", "templateId": pool.CONSENT_POLICY_SETTINGS}
    reviewer = {"query": f"/users/{pool.ALICE}", "queryType": "MicrosoftGraph", "queryRoot": None}
    return pool.snapshot(
        {
            "organization": {"id": pool.TENANT, "displayName": "Woodgrove", "tenantType": "AAD", "verifiedDomains": []},
            "authorizationPolicy": draw(authorization_policies()),
            "permissionGrantPolicies": [*map(built_in, BUILT_IN), draw(custom_policies())],
            "adminConsentRequestPolicy": {
                "isEnabled": draw(st.booleans()),
                "notifyReviewers": draw(st.booleans()),
                "remindersEnabled": True,
                "requestDurationInDays": 30,
                "version": 1,
                "reviewers": draw(st.sampled_from([[], [reviewer]])),
            },
            "conditionalAccessPolicies": draw(access_policies()),
            "directorySettings": [{**settings, "values": values}] if values else [],
            "servicePrincipals": [*([] if is_absent else [client]), *principals, other],
            "absentServicePrincipals": [],
            "delegatedPermissionClassifications": {
                one: draw(st.sampled_from([[], _classified(one)])) for one in pool.RESOURCES
            },
            "oauth2PermissionGrants": rows,
            "appRoleAssignedTo": {**draw(assignments()), **{app: [] for app in absent}},
            "roleDefinitions": definitions,
            "roleAssignments": holders,
            "users": [alice],
        }
    )


def _classified(resource: str) -> list[Json]:
    scopes = [value for value in pool.PERMISSION_IDS[resource] if value in (*pool.BASIC, "Mail.Read")]
    return [{"id": f"classified-{n}", **row} for n, row in enumerate(pool.classified(resource, scopes))]
