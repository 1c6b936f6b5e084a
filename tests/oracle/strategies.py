"""Hypothesis strategies for tenants, apps and users: odd but valid, small, shrinking to the plain case."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from . import pool
from .condition_strategies import PUBLISHERS, condition_sets, mostly, optional, policies
from .reading import Json
from .variations import (
    shuffled_and_recased,
    with_an_exclude_added,
    with_an_include_removed,
    with_properties_removed,
    with_sections_removed,
)

__all__ = [
    "apps",
    "condition_sets",
    "policies",
    "shuffled_and_recased",
    "subjects",
    "tenants",
    "with_an_exclude_added",
    "with_an_include_removed",
    "with_properties_removed",
    "with_sections_removed",
]

REPLY_URLS = ("https://eu.example.com/callback", "https://us.example.com/callback")
PREFIXES = (
    "ManagePermissionGrantsForSelf.",
    "managePermissionGrantsForSelf.",
    "MANAGEPERMISSIONGRANTSFORSELF.",
    "",
    "ManagePermissionGrantsForOwnedResource.",
    "managePermissionGrantsForOwnedResource.",
)
POLICY_IDS = (
    pool.LEGACY,
    pool.LOW,
    pool.RECOMMENDED,
    pool.CUSTOM,
    pool.ANOTHER_CUSTOM,
    pool.MAIL_CLIENTS,
    pool.UNKNOWN_POLICY,
)
ROLE_ACTION = "microsoft.directory/servicePrincipals/managePermissionGrants"


def authorization_policies() -> SearchStrategy[Json]:
    """1.2 and 1.3: which policies are assigned, in every spelling; the risk switch; the guests' role."""
    entry = st.builds(str.__add__, mostly(PREFIXES[0], *PREFIXES[1:]), st.sampled_from(POLICY_IDS))
    assigned = st.lists(entry, max_size=3, unique=True)
    permissions = mostly(True, False).flatmap(
        lambda read: assigned.map(lambda entries: {"permissionGrantPoliciesAssigned": entries} if read else {})
    )
    return st.fixed_dictionaries(
        {"id": st.just("authorizationPolicy"), "defaultUserRolePermissions": permissions},
        optional={
            "allowUserConsentForRiskyApps": st.sampled_from([None, False, True]),
            "guestUserRoleId": st.sampled_from([pool.GUEST_ROLE, pool.MEMBER_ROLE, pool.RESTRICTED_ROLE]),
        },
    )


def clients() -> SearchStrategy[Json]:
    """The client's service principal: each property plain, odd or missing."""
    published = [pool.publisher(publisher_id) for publisher_id in (None, PUBLISHERS[0], "", PUBLISHERS[1])]
    owners = [pool.VENDOR_TENANT, pool.TENANT, pool.TENANT.upper(), pool.OTHER_TENANT, None]
    plain_or_odd: dict[str, SearchStrategy[Any]] = {
        "accountEnabled": mostly(True, False, None),
        "appRoleAssignmentRequired": mostly(False, True, True, None),
        "appOwnerOrganizationId": st.sampled_from(owners),
        "verifiedPublisher": mostly(published[0], None) | st.sampled_from(published),
        "isDisabled": mostly(None, False, True),
        "disabledByMicrosoftStatus": mostly(None, "", "NotDisabled", "DisabledDueToViolationOfServicesAgreement"),
        "replyUrls": mostly(list(REPLY_URLS), [], [REPLY_URLS[1]], ["https://old.example.com/"]),
    }
    missing = st.lists(mostly("replyUrls", *plain_or_odd), max_size=2)
    return st.builds(_without, st.fixed_dictionaries(plain_or_odd), missing).map(
        lambda said: {"id": pool.OBJECT_IDS[pool.CLIENT], "appId": pool.CLIENT, **said}
    )


def _without(properties: Json, names: list[str]) -> Json:
    return {name: value for name, value in properties.items() if name not in names}


@st.composite
def resources(draw: DrawFn, app_id: str) -> Json:
    """The service principal of an API; perhaps disabled, perhaps with properties that were not read."""
    principal = pool.resource(app_id)
    principal["accountEnabled"] = draw(mostly(True, False, None))
    for scope in principal["oauth2PermissionScopes"]:
        if scope["value"] in ("Mail.Send", "Orders.Read"):
            scope["type"] = draw(mostly("User", "Admin"))
    for missing in draw(mostly((), ("accountEnabled",), ("oauth2PermissionScopes",))):
        del principal[missing]
    return principal


@st.composite
def scope_strings(draw: DrawFn, resource: str) -> str:
    """The text of a grant: spaces before, between and after, doubles, any letter case."""
    every = [*pool.PERMISSION_IDS[resource], "Gone.Read"]
    values = draw(st.one_of(st.just(every), st.lists(st.sampled_from(every), max_size=6)))
    recased = [draw(mostly(value, value.lower(), value.upper())) for value in values]
    return draw(mostly(" ", "")) + draw(mostly(" ", "  ")).join(recased) + draw(mostly("", " "))


@st.composite
def grants(draw: DrawFn) -> Json:
    """A grant of the client or of another, for all or for one, on any resource."""
    resource = draw(mostly(pool.GRAPH, pool.EXCHANGE, pool.OWN_API))
    return pool.grant(
        resource,
        draw(scope_strings(resource).filter(str.strip)),
        principal=draw(st.sampled_from([None, None, pool.ALICE, pool.BOB])),
        client_id=draw(mostly(pool.CLIENT, pool.OTHER_CLIENT)),
    )


def assignments() -> SearchStrategy[list[Json]]:
    """4.6: who is assigned to the client."""
    principals = [
        {"principalId": pool.ALICE, "principalType": "User"},
        {"principalId": pool.RECRUITERS, "principalType": "Group"},
        {"principalId": pool.OBJECT_IDS[pool.OTHER_CLIENT], "principalType": "ServicePrincipal"},
    ]
    return st.lists(st.sampled_from(principals), max_size=2, unique_by=lambda row: row["principalId"])


def classifications() -> SearchStrategy[Json]:
    """Section 3: for some resources a list, which may be empty; for the others none was read."""

    def of(resource: str) -> SearchStrategy[list[Json]]:
        item = st.tuples(st.sampled_from(list(pool.PERMISSION_IDS[resource])), mostly("low", "medium", "high"))
        chosen = st.lists(item, max_size=4, unique_by=lambda pair: pair[0])
        basics = st.just([(value, "low") for value in pool.BASIC if resource == pool.GRAPH])
        both = st.tuples(st.one_of(basics, st.just([])), chosen).map(lambda two: dict([*two[0], *two[1]]))
        return both.map(
            lambda buckets: [one for value, b in buckets.items() for one in pool.classified(resource, [value], b)]
        )

    return optional({resource: of(resource) for resource in pool.RESOURCES})


def directory_settings() -> SearchStrategy[list[Json]]:
    """No settings object, or one with the risk switch in some spelling, or one of another template."""
    values = ["true", "True", "false", "FALSE", ""]
    risk = st.sampled_from(values).map(lambda value: [pool.setting("BlockUserConsentForRiskyApps", value)])
    other: list[Json] = [{"templateId": pool.OTHER_CLIENT, "values": [{"name": "Unrelated", "value": "true"}]}]
    workflow = [pool.setting("EnableAdminConsentRequests", "true")]
    return st.one_of(st.just([]), risk, risk, st.sampled_from([other, workflow]))


@st.composite
def tenants(draw: DrawFn) -> Json:
    """A snapshot in which everything may be plain, odd or unread."""
    principals: list[Json] = []
    absent: list[str] = []
    for app_id in (pool.CLIENT, *pool.RESOURCES):
        presence = draw(_PRESENCE if app_id == pool.CLIENT else mostly("present", "absent", "unread"))
        if presence == "present":
            principals.append(draw(clients() if app_id == pool.CLIENT else resources(app_id)))
        elif presence == "absent":
            absent.append(app_id)
    asked = [found["appId"] for found in principals] + [one for one in absent if draw(st.booleans())]
    sections: Json = {
        "authorizationPolicy": draw(authorization_policies()),
        "permissionGrantPolicies": draw(policies()),
        "adminConsentRequestPolicy": draw(
            st.sampled_from([{"isEnabled": False}, {"isEnabled": True, "reviewers": []}, {}])
        ),
        "directorySettings": draw(directory_settings()),
        "servicePrincipals": principals,
        "absentServicePrincipals": absent,
        "delegatedPermissionClassifications": draw(classifications()),
        "oauth2PermissionGrants": draw(st.lists(grants(), max_size=3)),
        "appRoleAssignedTo": draw(optional({pool.CLIENT: assignments()})),
    }
    covers: Json = {"servicePrincipals": asked}
    if draw(st.booleans()):
        covers["oauth2PermissionGrants"] = draw(
            mostly([pool.CLIENT], [pool.OTHER_CLIENT], [pool.CLIENT.upper(), pool.OTHER_CLIENT])
        )
    unread: Json = {}
    for name in list(sections):
        if draw(mostly(False, True)):
            del sections[name]
            if draw(st.booleans()):
                unread[name] = {"status": 403, "code": "Authorization_RequestDenied"}
    if draw(mostly(False, True)):
        # Graph's beta version was asked for the tenant's own policy.
        unread[f"permissionGrantPolicies/{pool.CUSTOM}"] = {"status": 403, "code": "Authorization_RequestDenied"}
    cloud = draw(mostly("global", "us-gov"))
    return pool.snapshot(sections, covers=covers, unread=unread, cloud=cloud)


_PRESENCE = st.sampled_from(["present", "present", "present", "absent", "unread"])


@st.composite
def apps(draw: DrawFn) -> Json:
    """A product: how it asks, for what, and what its vendor says of it."""
    basic = [(pool.GRAPH, value) for value in pool.BASIC]
    known = st.sampled_from([*basic, *(one for one in pool.EVERY_SCOPE if one[1] not in pool.NOT_ENABLED)])
    asked = st.lists(known, min_size=1, max_size=4, unique=True)
    wanted = draw(asked) + draw(
        mostly(
            [],
            [(pool.GRAPH, "Mail.Sent")],
            [(pool.GRAPH, "AgentCard.Read.All")],
            [(pool.OWN_API, "Mail.Read")],
        )
    )
    scopes = [
        {
            "resource": draw(mostly(resource, resource.upper())),
            "value": draw(mostly(value, value.lower(), value.upper())),
            "required": draw(mostly(True, False)),
        }
        for resource, value in wanted
    ]
    return {
        "client_id": draw(mostly(pool.CLIENT, pool.CLIENT.upper())),
        "name": "Woodgrove Mailer",
        "mode": draw(st.sampled_from(["dynamic", "dynamic", "default", "registered"])),
        "prompt_consent": draw(mostly(False, True)),
        "redirect_uris": draw(st.sampled_from([[], [REPLY_URLS[0]], list(REPLY_URLS)])),
        "scopes": scopes,
        "publisher_verified": draw(st.sampled_from([None, True, False])),
        "owner_tenant": draw(st.sampled_from([None, pool.VENDOR_TENANT, pool.TENANT])),
    }


def subjects() -> SearchStrategy[Json | None]:
    """Nobody in particular, or a member or guest with roles and groups."""
    actions = [
        f"{ROLE_ACTION}{kind}.{policy_id}"
        for kind in ("ForSelf", "ForAll")
        for policy_id in (pool.CUSTOM, pool.LEGACY, pool.UNKNOWN_POLICY)
    ]
    somebody = st.fixed_dictionaries(
        {
            "id": st.sampled_from([pool.ALICE, pool.BOB, pool.ALICE.upper()]),
            "userType": mostly("Member", "Guest"),
            "roles": mostly(
                [], [pool.GLOBAL_ADMINISTRATOR], [pool.CLOUD_APPLICATION_ADMINISTRATOR], [pool.OTHER_CLIENT]
            ),
            "role_actions": st.one_of(st.just([]), st.lists(st.sampled_from(actions), max_size=2, unique=True)),
            "groups": st.sampled_from([[], [pool.RECRUITERS], [pool.RECRUITERS.upper()]]),
        }
    )
    return st.one_of(st.none(), somebody)
