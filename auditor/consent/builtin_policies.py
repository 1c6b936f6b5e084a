"""Microsoft's documented text of the built-in user consent policies, for tenants whose own could not be read.

It stands in with the confidence *likely*: the same ids have had other contents (until mid-2025
``microsoft-user-default-recommended`` allowed five basic scopes to verified publishers only).
Source: Entra, "Manage app consent policies" (list of July 2026); the older two from live tenants.
"""

from __future__ import annotations

from auditor.facts.ids import (
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    POLICY_LEGACY,
    POLICY_LOW,
    POLICY_MAIL_CLIENTS,
    POLICY_RECOMMENDED,
)
from auditor.facts.scopes import known_scopes
from auditor.model.resources import ConditionSet, PermissionGrantPolicy

EXCLUDED_ON_GRAPH = (
    *("Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All"),
    *("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic"),
    *("Mail.Read.Shared", "Mail.ReadBasic.Shared", "Mail.ReadWrite.Shared"),
    *("MailboxItem.Read", "MailboxFolder.Read", "MailboxFolder.ReadWrite"),
    *("MailboxSettings.Read", "MailboxSettings.ReadWrite"),
    *("Calendars.Read", "Calendars.ReadBasic", "Calendars.ReadWrite"),
    *("Calendars.Read.Shared", "Calendars.ReadWrite.Shared"),
    *("Chat.Read", "Chat.ReadWrite", "OnlineMeetings.Read", "OnlineMeetings.ReadWrite"),
    *("Contacts.ReadWrite", "Contacts.Read.Shared", "Contacts.ReadWrite.Shared"),
    *("Tasks.Read", "Tasks.Read.Shared", "Tasks.ReadWrite", "Tasks.ReadWrite.Shared", "People.Read"),
)
EXCLUDED_ON_EXCHANGE = (
    "EAS.AccessAsUser.All",
    "EWS.AccessAsUser.All",
    "IMAP.AccessAsUser.All",
    "POP.AccessAsUser.All",
)
MAIL_CLIENTS = (
    "f8d98a96-0999-43f5-8af3-69971c7bb423",  # Apple Mail, iOS accounts
    "b50c1dbd-1855-4e54-b07c-d3c3029e93d3",  # Spark
    "e9a7fea1-1cc0-4cd9-a31b-9137ca5deedd",  # eM Client
    "8acd33ea-7197-4a96-bc33-d7cc7101262f",  # Samsung mail
    "2cee05de-2b8f-45a2-8289-2a06ca32c4c8",  # Android mail
    "9e5f94bc-e8a4-4e73-b8be-63364c29d753",  # Thunderbird
)


def documented_policy(policy_id: str, tenant_id: str) -> PermissionGrantPolicy | None:
    """The documented text of a built-in user consent policy; ``None`` for any other."""
    match policy_id.lower():
        case str(name) if name == POLICY_LEGACY:
            includes: tuple[ConditionSet, ...] = (_user_consentable("documented-legacy"),)
            excludes: tuple[ConditionSet, ...] = ()
        case str(name) if name == POLICY_LOW:
            includes = (
                _low("documented-low-own-tenant", clientApplicationTenantIds=(tenant_id,)),
                _low("documented-low-verified", clientApplicationsFromVerifiedPublisherOnly=True),
            )
            excludes = ()
        case str(name) if name == POLICY_RECOMMENDED:
            includes = (_user_consentable("documented-recommended"),)
            excludes = (
                _listed("documented-excluded-graph", MICROSOFT_GRAPH, EXCLUDED_ON_GRAPH),
                _listed("documented-excluded-exchange", EXCHANGE_ONLINE, EXCLUDED_ON_EXCHANGE),
            )
        case str(name) if name == POLICY_MAIL_CLIENTS:
            includes = tuple(
                _listed(f"documented-mail-clients-{resource}", resource, scopes, MAIL_CLIENTS)
                for resource, scopes in ((MICROSOFT_GRAPH, EXCLUDED_ON_GRAPH), (EXCHANGE_ONLINE, EXCLUDED_ON_EXCHANGE))
            )
            excludes = ()
        case _:
            return None
    return PermissionGrantPolicy(id=policy_id, includes=includes, excludes=excludes)


def _user_consentable(set_id: str) -> ConditionSet:
    return ConditionSet(id=set_id, permissionType="delegatedUserConsentable", certifiedClientApplicationsOnly=False)


def _low(
    set_id: str,
    *,
    clientApplicationTenantIds: tuple[str, ...] = ("all",),
    clientApplicationsFromVerifiedPublisherOnly: bool = False,
) -> ConditionSet:
    return ConditionSet(
        id=set_id,
        permissionType="delegated",
        permissionClassification="low",
        clientApplicationTenantIds=clientApplicationTenantIds,
        clientApplicationsFromVerifiedPublisherOnly=clientApplicationsFromVerifiedPublisherOnly,
        certifiedClientApplicationsOnly=False,
    )


def _listed(set_id: str, resource: str, scopes: tuple[str, ...], clients: tuple[str, ...] = ("all",)) -> ConditionSet:
    table = known_scopes(resource)
    return ConditionSet(
        id=set_id,
        permissionType="delegated",
        resourceApplication=resource,
        permissions=tuple(table[scope.lower()].id for scope in scopes),
        clientApplicationIds=clients,
        certifiedClientApplicationsOnly=False,
    )
