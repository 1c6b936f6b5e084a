"""The few names and objects in generated tenants: so few that conditions often match."""

from __future__ import annotations

from collections.abc import Sequence

from .reading import Json

TENANT = "7a0c5f0e-5a3b-4d55-9c0f-0d6a4b1e2f01"
VENDOR_TENANT = "1c9d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e02"
OTHER_TENANT = "c4d5e6f7-0819-4a2b-b3c4-d5e6f7081903"

CLIENT = "d2f6a8b0-1c3e-4f50-8a72-94b6c8dae010"
OTHER_CLIENT = "f0e1d2c3-b4a5-4968-8778-695a4b3c2d11"
GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
OWN_API = "ab12cd34-ef56-4789-a0b1-c2d3e4f5a612"
RESOURCES = (GRAPH, EXCHANGE, OWN_API)

OBJECT_IDS = {
    CLIENT: "3b9f1d2c-0a4e-4c61-9f88-5d7e6c5b4a20",
    OTHER_CLIENT: "e7d6c5b4-a392-4180-8f7e-6d5c4b3a2921",
    GRAPH: "9c8b7a69-5847-4362-a514-03f2e1d0cb22",
    EXCHANGE: "5f4e3d2c-1b0a-4998-b877-665544332223",
    OWN_API: "a1b2c3d4-e5f6-4071-8293-a4b5c6d7e824",
}
ALICE = "b0a1c2d3-e4f5-4607-9819-2a3b4c5d6e30"
BOB = "2d3e4f50-6172-4839-8a4b-5c6d7e8f9031"
RECRUITERS = "6e7f8091-a2b3-4cd4-9ef5-061728394a32"

# Permission ids of Microsoft's APIs: section 7.2.
PERMISSION_IDS = {
    GRAPH: {
        "openid": "37f7f235-527c-4136-accd-4a02d197296e",
        "profile": "14dad69e-099b-42c9-810b-d002981feec1",
        "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
        "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
        "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
        "Mail.Read": "570282fd-fa5c-430d-a7fd-fc8dc98a9dca",
        "Mail.ReadWrite": "024d486e-b451-40bb-833d-3e66d98c5c73",
        "Mail.Send": "e383f46e-2787-4529-855e-0e479a3ffac0",
        "Calendars.ReadWrite": "1ec239c2-d7c9-4623-a91a-a9775856bb36",
        "Contacts.ReadWrite": "d56682ec-c09e-4743-aaf4-1a3aac4caa21",
        "Directory.Read.All": "06da0dbc-49e2-44d2-8312-53f166ab848a",
        "AgentCard.Read.All": "73ea6732-992c-4292-98f7-9feff18d3ade",
    },
    EXCHANGE: {
        "Mail.Read": "185758ba-798d-4b72-9e54-429a413a2510",
        "EWS.AccessAsUser.All": "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5",
    },
    OWN_API: {"Orders.Read": "0f1e2d3c-4b5a-4697-8786-95a4b3c2d140"},
}
ADMIN_TYPE = ("Directory.Read.All", "AgentCard.Read.All")
NOT_ENABLED = ("AgentCard.Read.All",)
BASIC = ("openid", "profile", "email", "offline_access", "User.Read")
EVERY_SCOPE = tuple((resource, value) for resource, values in PERMISSION_IDS.items() for value in values)

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
MEMBER_ROLE = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
GUEST_ROLE = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
RESTRICTED_ROLE = "2af84b1e-32c8-42b7-82bc-daa82404023b"
CONSENT_POLICY_SETTINGS = "dffd5d46-495d-40a9-8e21-954ff55e198a"

LEGACY = "microsoft-user-default-legacy"
LOW = "microsoft-user-default-low"
RECOMMENDED = "microsoft-user-default-recommended"
MAIL_CLIENTS = "microsoft-user-default-allow-consent-apps"
CUSTOM = "woodgrove-mail"
ANOTHER_CUSTOM = "woodgrove_api2"
UNKNOWN_POLICY = "woodgrove-deleted"


def permission_ids(resource: str, values: Sequence[str]) -> list[str]:
    """The ids of some scopes of one resource."""
    return [PERMISSION_IDS[resource][value] for value in values]


def condition_set(**conditions: object) -> Json:
    """A condition set as Graph writes it: every condition is there, most of them saying `all`."""
    return {
        "permissionType": "delegated",
        "permissionClassification": "all",
        "resourceApplication": "any",
        "permissions": ["all"],
        "clientApplicationIds": ["all"],
        "clientApplicationTenantIds": ["all"],
        "clientApplicationPublisherIds": ["all"],
        "clientApplicationsFromVerifiedPublisherOnly": False,
        **conditions,
    }


def policy(policy_id: str, includes: Sequence[Json], excludes: Sequence[Json] = ()) -> Json:
    """A permission grant policy with its condition sets expanded."""
    return {"id": policy_id, "includes": list(includes), "excludes": list(excludes)}


def legacy() -> Json:
    """2.3: whatever the API's publisher lets users consent to."""
    return policy(LEGACY, [condition_set(permissionType="delegatedUserConsentable")])


def low() -> Json:
    """2.3: what is classified low, for apps of this tenant and of verified publishers."""
    return policy(
        LOW,
        [
            condition_set(permissionClassification="low", clientApplicationTenantIds=[TENANT]),
            condition_set(permissionClassification="low", clientApplicationsFromVerifiedPublisherOnly=True),
        ],
    )


def recommended() -> Json:
    """1.5: today's managed policy, everything but a list."""
    kept_back = ["Mail.Read", "Mail.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite"]
    return policy(
        RECOMMENDED,
        [condition_set(permissionType="delegatedUserConsentable")],
        [
            condition_set(resourceApplication=GRAPH, permissions=permission_ids(GRAPH, kept_back)),
            condition_set(resourceApplication=EXCHANGE, permissions=permission_ids(EXCHANGE, ["EWS.AccessAsUser.All"])),
        ],
    )


def recommended_2023() -> Json:
    """2.3: the managed policy as it was, five basic scopes for verified publishers."""
    basics = permission_ids(GRAPH, BASIC)
    only_verified = condition_set(
        resourceApplication=GRAPH, permissions=basics, clientApplicationsFromVerifiedPublisherOnly=True
    )
    return policy(RECOMMENDED, [only_verified])


def mail_clients(*clients: str) -> Json:
    """1.5: the companion policy, mail scopes for some well-known clients."""
    mail = permission_ids(GRAPH, ["Mail.Read", "Mail.ReadWrite", "Calendars.ReadWrite"])
    return policy(
        MAIL_CLIENTS,
        [condition_set(resourceApplication=GRAPH, permissions=mail, clientApplicationIds=list(clients))],
    )


def resource(app_id: str) -> Json:
    """The service principal of an API, with its scopes."""
    scopes = [
        {
            "id": permission_id,
            "value": value,
            "type": "Admin" if value in ADMIN_TYPE else "User",
            "isEnabled": value not in NOT_ENABLED,
        }
        for value, permission_id in PERMISSION_IDS[app_id].items()
    ]
    return {
        "id": OBJECT_IDS[app_id],
        "appId": app_id,
        "accountEnabled": True,
        "oauth2PermissionScopes": scopes,
    }


def publisher(publisher_id: str | None) -> Json:
    """A verified publisher, or the empty one of an app that has none."""
    return {"displayName": None, "verifiedPublisherId": publisher_id, "addedDateTime": None}


def client(**properties: object) -> Json:
    """The client's service principal: enabled, foreign, not verified, unless said otherwise."""
    return {
        "id": OBJECT_IDS[CLIENT],
        "appId": CLIENT,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "appOwnerOrganizationId": VENDOR_TENANT,
        "disabledByMicrosoftStatus": None,
        "isDisabled": None,
        "verifiedPublisher": publisher(None),
        **properties,
    }


def grant(resource_id: str, scope: str, principal: str | None = None, client_id: str = CLIENT) -> Json:
    """A delegated grant: tenant-wide, or for one principal."""
    return {
        "clientId": OBJECT_IDS[client_id],
        "consentType": "Principal" if principal else "AllPrincipals",
        "principalId": principal,
        "resourceId": OBJECT_IDS[resource_id],
        "scope": scope,
    }


def setting(name: str, value: str) -> Json:
    """The directory settings object with one of its values."""
    return {"templateId": CONSENT_POLICY_SETTINGS, "values": [{"name": name, "value": value}]}


def classified(resource_id: str, values: Sequence[str], bucket: str = "low") -> list[Json]:
    """Permissions of one resource put into a bucket."""
    return [
        {
            "permissionId": PERMISSION_IDS[resource_id][value],
            "permissionName": value,
            "classification": bucket,
        }
        for value in values
    ]


def snapshot(sections: Json, **outside: object) -> Json:
    """A snapshot document around some sections."""
    return {
        "format": "consent-auditor/snapshot",
        "version": 1,
        "tenant": {"id": TENANT, "name": "Woodgrove"},
        "cloud": "global",
        "taken": "2026-11-22T02:00:00Z",
        "tool": "oracle",
        "sections": sections,
        **outside,
    }
