"""Ids and names that are the same in every tenant, as named constants.

Sources: the Microsoft Graph permissions reference, the Entra built-in roles reference, and
"Manage app consent policies" of the Entra documentation.
"""

from __future__ import annotations

import re
from types import MappingProxyType

MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT_ONLINE = "00000003-0000-0ff1-ce00-000000000000"
POWER_BI = "00000009-0000-0000-c000-000000000000"
DATAVERSE = "00000007-0000-0000-c000-000000000000"
POWER_APPS = "475226c6-020e-4fb2-8a90-7a972cbfc1d4"
POWER_AUTOMATE = "7df0a125-d3be-4c96-aa54-591f83ff541c"

RESOURCE_NAMES = MappingProxyType(
    {
        MICROSOFT_GRAPH: "Microsoft Graph",
        EXCHANGE_ONLINE: "Office 365 Exchange Online",
        SHAREPOINT_ONLINE: "Office 365 SharePoint Online",
        POWER_BI: "Power BI Service",
        DATAVERSE: "Dataverse",
        POWER_APPS: "PowerApps Service",
        POWER_AUTOMATE: "Microsoft Flow Service",
    }
)
"""The Microsoft resources whose scopes rules refer to, with their names in Entra."""

RESOURCES = MappingProxyType(
    {
        "microsoft-graph": MICROSOFT_GRAPH,
        "exchange-online": EXCHANGE_ONLINE,
        "sharepoint-online": SHAREPOINT_ONLINE,
        "power-bi": POWER_BI,
        "dataverse": DATAVERSE,
        "power-apps": POWER_APPS,
        "power-automate": POWER_AUTOMATE,
    }
)
"""The names of these resources in packs and permission lists; other resources are named by app id."""

MAILBOX_RESOURCES = (MICROSOFT_GRAPH, EXCHANGE_ONLINE)
"""The resources whose scopes give access to mailboxes; their scopes are published."""

OPENID_ORDER = ("openid", "profile", "email", "offline_access")
"""The scopes of a sign-in, in their usual order."""

OPENID_SCOPES = frozenset(OPENID_ORDER)
"""OpenID Connect scopes; Microsoft Graph's service principal publishes all four."""

BASIC_SCOPES = OPENID_SCOPES | {"user.read"}
"""Sign-in and the user's own profile, in lower case: scopes that don't make a request risky."""

FALSE_SEPARATORS = MappingProxyType({",": "commas", ";": "semicolons", "+": "plus signs", "|": "vertical bars"})
"""Signs by which other providers separate scopes, with their names; Entra takes spaces only (RFC 6749, 3.3)."""

NO_ID = "00000000-0000-0000-0000-000000000000"
"""An id that no app and no tenant has."""

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID in its usual form."""
    return _GUID.fullmatch(text) is not None


ASSIGNED_FOR_SELF = "ManagePermissionGrantsForSelf"
"""Prefix, before a dot and the id, of an assigned policy by which users consent for themselves."""
FOR_SELF = ASSIGNED_FOR_SELF.lower()
"""The same in lower case."""
FOR_ALL = "managepermissiongrantsforall"

POLICY_LEGACY = "microsoft-user-default-legacy"
POLICY_LOW = "microsoft-user-default-low"
POLICY_RECOMMENDED = "microsoft-user-default-recommended"
POLICY_MAIL_CLIENTS = "microsoft-user-default-allow-consent-apps"

GUEST_ROLE = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
GUEST_ROLE_RESTRICTED = "2af84b1e-32c8-42b7-82bc-daa82404023b"
GUEST_ROLE_AS_MEMBER = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
"""The values of ``guestUserRoleId``: what guests can do in the directory."""

ROLE_GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROLE_PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
ROLE_APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
ROLE_CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"

CONSENT_SETTINGS_TEMPLATE = "dffd5d46-495d-40a9-8e21-954ff55e198a"
"""Template of the directory settings object "Consent Policy Settings"."""
