"""Named lists of permissions, for rules to speak of: delegated scopes by subject, and app-only permissions.

The choice is this project's own, but for the list that CISA keeps: what reads or changes the content of mailboxes,
files, sites and chats, or the directory itself, on Microsoft Graph, Exchange Online and SharePoint Online. Names and
ids: the Microsoft Graph permissions reference, and for the other resources ``RiskyAppPermissions.json`` of CISA's
ScubaGear; the ids of a resource's app roles are the same in every tenant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from auditor.facts.ids import (
    DATAVERSE,
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    POWER_APPS,
    POWER_AUTOMATE,
    POWER_BI,
    SHAREPOINT_ONLINE,
)
from auditor.facts.scopes import known_scopes

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
"""The resources that a pack may call by name; any other goes by its app id."""

ADMIN_ONLY = "admin-only"
"""The list that is no list: every scope that its resource lets only administrators grant."""

_PROTOCOLS = "EAS.AccessAsUser.All EWS.AccessAsUser.All IMAP.AccessAsUser.All POP.AccessAsUser.All"

_GRAPH = {
    "mail": (
        "Mail.Read Mail.ReadBasic Mail.ReadWrite Mail.Send Mail.Read.Shared Mail.ReadBasic.Shared"
        " Mail.ReadWrite.Shared Mail.Send.Shared Mail-Advanced.ReadWrite Mail-Advanced.ReadWrite.Shared"
        " MailboxItem.Read MailboxItem.ReadWrite MailboxItem.Export MailboxItem.ImportExport MailboxFolder.Read"
        " MailboxFolder.ReadWrite MailboxSettings.Read MailboxSettings.ReadWrite"
    ),
    "mailbox-protocols": f"{_PROTOCOLS} SMTP.Send",
    "calendars": (
        "Calendars.Read Calendars.ReadBasic Calendars.ReadWrite Calendars.Read.Shared Calendars.ReadWrite.Shared"
    ),
    "contacts": (
        "Contacts.Read Contacts.ReadWrite Contacts.Read.Shared Contacts.ReadWrite.Shared People.Read People.Read.All"
    ),
    "files": (
        "Files.Read Files.ReadWrite Files.Read.All Files.ReadWrite.All Notes.Read Notes.ReadWrite Notes.Read.All"
        " Notes.ReadWrite.All"
    ),
    "sites": "Sites.Read.All Sites.ReadWrite.All Sites.Manage.All Sites.FullControl.All",
    "chats": (
        "Chat.Read Chat.ReadWrite Chat.ReadWrite.All ChatMessage.Read ChannelMessage.Read.All OnlineMeetings.Read"
        " OnlineMeetings.ReadWrite OnlineMeetingTranscript.Read.All OnlineMeetingRecording.Read.All"
    ),
    "directory": (
        "Directory.Read.All Directory.ReadWrite.All Directory.AccessAsUser.All User.Read.All User.ReadWrite.All"
        " Group.Read.All Group.ReadWrite.All Application.ReadWrite.All AppRoleAssignment.ReadWrite.All"
        " DelegatedPermissionGrant.ReadWrite.All RoleManagement.ReadWrite.Directory"
        " RoleManagement.ReadWrite.Exchange UserAuthenticationMethod.ReadWrite.All Domain.ReadWrite.All"
        " Policy.ReadWrite.AuthenticationMethod Policy.ReadWrite.Authorization Policy.ReadWrite.ConditionalAccess"
        " Policy.ReadWrite.PermissionGrant"
    ),
    "basic": "openid profile email offline_access User.Read",
}
_EXCHANGE = {
    "mail": (
        "Mail.Read Mail.ReadBasic Mail.ReadWrite Mail.Send Mail.Read.Shared Mail.ReadWrite.Shared Mail.Send.Shared"
        " Mail.Read.All Mail.ReadWrite.All Mail.Send.All MailboxSettings.Read MailboxSettings.ReadWrite"
    ),
    "mailbox-protocols": f"{_PROTOCOLS} SMTP.Send",
    "calendars": (
        "Calendars.Read Calendars.ReadWrite Calendars.Read.Shared Calendars.ReadWrite.Shared Calendars.Read.All"
        " Calendars.ReadWrite.All"
    ),
    "contacts": (
        "Contacts.Read Contacts.ReadWrite Contacts.Read.Shared Contacts.ReadWrite.Shared Contacts.Read.All"
        " Contacts.ReadWrite.All"
    ),
    "directory": "Exchange.Manage Exchange.ManageV2 Organization.ReadWrite.All User.Read.All Group.ReadWrite.All",
}
_SHAREPOINT = {
    "files": "MyFiles.Read MyFiles.Write",
    "sites": "AllSites.Read AllSites.Write AllSites.Manage AllSites.FullControl",
    "directory": "User.Read.All User.ReadWrite.All",
}
_BY_RESOURCE = {MICROSOFT_GRAPH: _GRAPH, EXCHANGE_ONLINE: _EXCHANGE, SHAREPOINT_ONLINE: _SHAREPOINT}
RISKY = ("mail", "mailbox-protocols", "calendars", "contacts", "files", "sites", "chats", "directory")
"""The lists that the list ``risky`` is made of."""

CISA = "cisa-risky"
"""CISA's own list, of seven resources."""

SCOPE_LISTS = (*RISKY, "risky", CISA, "basic", ADMIN_ONLY)


class NamedRole(NamedTuple):
    """An application permission: the resource (app id), its name and its id."""

    resource: str
    value: str
    id: str


def _roles(resource: str, text: str) -> tuple[NamedRole, ...]:
    words = text.split()
    return tuple(NamedRole(resource, name, role) for name, role in zip(words[::2], words[1::2], strict=True))


APP_ROLES: Mapping[str, tuple[NamedRole, ...]] = MappingProxyType(
    {
        "mail-app-only": (
            *_roles(
                MICROSOFT_GRAPH,
                "Mail.Read 810c84a8-4a9e-49e6-bf7d-12d183f40d01 Mail.ReadWrite e2a3a72e-5f79-4c64-b1b1-878b674786c9"
                " Mail.Send b633e1c5-b582-4048-a93e-9f11b44c7e96 Mail.ReadBasic 6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a"
                " Mail.ReadBasic.All 693c5e45-0940-467d-9b8a-1022fb9d42ef"
                " MailboxItem.Read.All 7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce"
                " MailboxFolder.ReadWrite.All fef87b92-8391-4589-9da7-eb93dab7dc8a"
                " MailboxSettings.ReadWrite 6931bccd-447a-43d1-b442-00a195474933"
                " MailboxSettings.Read 40f97065-369a-49f4-947c-6a255697ae91"
                " MailboxFolder.Read.All 99280d24-a782-4793-93cc-0888549957f6"
                " Mail-Advanced.ReadWrite.All e118f1da-5c1c-46cf-bff6-8858d786f46f",
            ),
            *_roles(
                EXCHANGE_ONLINE,
                "full_access_as_app dc890d15-9560-4a4c-9b7f-a736ec74ec40"
                " IMAP.AccessAsApp 5e5addcd-3e8d-4e90-baf5-964efab2b20a"
                " POP.AccessAsApp cb842b43-da6e-4506-86fe-bb12199c656d"
                " SMTP.SendAsApp 7146a1f0-8703-45b3-9eae-527a64c00995"
                " Mail.Read 810c84a8-4a9e-49e6-bf7d-12d183f40d01 Mail.ReadWrite e2a3a72e-5f79-4c64-b1b1-878b674786c9"
                " Mail.Send b633e1c5-b582-4048-a93e-9f11b44c7e96"
                " MailboxSettings.Read d45fa9f8-36e5-4cd2-b601-b063c7cf9ac2"
                " MailboxSettings.ReadWrite f9156939-25cd-4ba8-abfe-7fabcf003749"
                " Mailbox.Migration f7264778-fba9-422d-8e9e-2675a2c4b513"
                " Exchange.ManageAsApp dc50a0fb-09a3-484d-be87-e023b12c6440"
                " Exchange.ManageAsAppV2 ea3d980d-ebc7-4be4-8298-a167e5b8797c",
            ),
        ),
        "files-app-only": (
            *_roles(
                MICROSOFT_GRAPH,
                "Files.Read.All 01d4889c-1287-42c6-ac1f-5d1e02578ef6"
                " Files.ReadWrite.All 75359482-378d-4052-8f01-80520e7db3cd"
                " Sites.Read.All 332a536c-c7ef-4017-ab91-336970924f0d"
                " Sites.ReadWrite.All 9492366f-7969-46a4-8d15-ed1a20078fff"
                " Sites.FullControl.All a82116e5-55eb-4c41-a434-62fe8a61c773"
                " Notes.Read.All 3aeca27b-ee3a-4c2b-8ded-80376e2134a4"
                " Notes.ReadWrite.All 0c458cef-11f3-48c2-a568-c66751c238c0",
            ),
            *_roles(
                SHAREPOINT_ONLINE,
                "Sites.Read.All d13f72ca-a275-4b96-b789-48ebcc4da984"
                " Sites.ReadWrite.All fbcd29d2-fcca-4405-aded-518d457caae4"
                " Sites.Manage.All 9bff6588-13f2-4c48-bbf2-ddab62256b36"
                " Sites.FullControl.All 678536fe-1083-478a-9c59-b99265e6b0d3",
            ),
        ),
        "directory-app-only": _roles(
            MICROSOFT_GRAPH,
            "Directory.ReadWrite.All 19dbc75e-c2e2-444c-a770-ec69d8559fc7"
            " RoleManagement.ReadWrite.Directory 9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
            " AppRoleAssignment.ReadWrite.All 06b708a9-e830-4db3-a914-8e69da51d44f"
            " Application.ReadWrite.All 1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
            " Policy.ReadWrite.PermissionGrant a402ca1c-2696-4531-972d-6e5ee4aa11ea"
            " DelegatedPermissionGrant.ReadWrite.All 8e8e4742-1d95-4f68-9d56-6ee75648c72a"
            " RoleManagement.ReadWrite.Exchange 025d3225-3f02-4882-b4c0-cd5b541a4e80"
            " RoleAssignmentSchedule.ReadWrite.Directory dd199f4a-f148-40a4-a2ec-f0069cc799ec"
            " RoleEligibilitySchedule.ReadWrite.Directory fee28b28-e1f3-4841-818e-2704dc62245f"
            " RoleManagementPolicy.ReadWrite.Directory 31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad"
            " User.ReadWrite.All 741f803b-c850-494e-b5df-cde7c675a1ca"
            " User-PasswordProfile.ReadWrite.All cc117bb9-00cf-4eb8-b580-ea2a878fe8f7"
            " UserAuthenticationMethod.ReadWrite.All 50483e42-d915-4231-9639-7fdb7fd190e5"
            " Group.ReadWrite.All 62a82d76-70ea-41e2-9197-370581804d09"
            " GroupMember.ReadWrite.All dbaae8cf-10b5-4b86-a4a1-f871c94c6695"
            " Domain.ReadWrite.All 7e05723c-0bb0-42da-be95-ae9f08a6e53c"
            " Organization.ReadWrite.All 292d869f-3427-49a8-9dab-8c70152b74e9"
            " IdentityProvider.ReadWrite.All 90db2b9a-d928-4d33-a4dd-8442ae3d41e4"
            " OnPremDirectorySynchronization.ReadWrite.All c22a92cc-79bf-4bb1-8b6c-e0a05d3d80ce"
            " Policy.ReadWrite.Authorization fb221be6-99f2-473f-bd32-01c6a0e9ca3b"
            " Policy.ReadWrite.AuthenticationMethod 29c18626-4985-4dcd-85c0-193eef327366"
            " Policy.ReadWrite.ConditionalAccess 01c0a623-fc9b-48e9-b794-0756f8e8f067"
            " Policy.ReadWrite.SecurityDefaults 1c6e93a6-28e2-4cbb-9f64-1a46a821124d",
        ),
    }
)
"""Application permissions by the name of their list."""


def listed_scopes(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The scopes of these lists together, in lower case, by resource app id."""
    found: dict[str, set[str]] = {resource: set() for resource in RESOURCES.values()}
    parts = (RISKY if name == "risky" else (name,) for name in names)
    for name in dict.fromkeys(part for each in parts for part in each):
        for resource, scopes in found.items():
            scopes.update(_listed(name, resource))
    return {resource: frozenset(scopes) for resource, scopes in found.items() if scopes}


def _listed(name: str, resource: str) -> Iterable[str]:
    """The scopes of one list on one resource."""
    if name == CISA:
        return CISA_RISKY[resource].lower().split()
    if name == ADMIN_ONLY:
        return [scope for scope, known in known_scopes(resource).items() if known.type == "Admin"]
    return _BY_RESOURCE.get(resource, {}).get(name, "").lower().split()


@cache
def spellings() -> Mapping[str, str]:
    """Every scope of the lists as its resource writes it, by its name in lower case."""
    texts = (*CISA_RISKY.values(), *(text for lists in _BY_RESOURCE.values() for text in lists.values()))
    return MappingProxyType({name.lower(): name for text in texts for name in text.split()})


CISA_RISKY = MappingProxyType(
    {
        MICROSOFT_GRAPH: (
            "AccessReview.ReadWrite.All AccessReview.ReadWrite.Membership AdministrativeUnit.ReadWrite.All"
            " Agreement.ReadWrite.All APIConnectors.ReadWrite.All AppCatalog.ReadWrite.All"
            " AppCertTrustConfiguration.ReadWrite.All Application-RemoteDesktopConfig.ReadWrite.All"
            " Application.ReadWrite.All AppRoleAssignment.ReadWrite.All ApprovalSolution.ReadWrite"
            " ApprovalSolutionResponse.ReadWrite AuditLog.Read.All AttackSimulation.ReadWrite.All"
            " AuthenticationContext.ReadWrite.All BackupRestore-Configuration.ReadWrite.All"
            " BackupRestore-Control.ReadWrite.All BackupRestore-Restore.ReadWrite.All Bookings.Manage.All"
            " Bookings.ReadWrite.All BookingsAppointment.ReadWrite.All Calendars.Read Calendars.Read.Shared"
            " Calendars.ReadWrite Channel.ReadBasic.All ChannelMessage.Edit ChannelMessage.Send Chat.Create Chat.Read"
            " Chat.ReadWrite ChatMessage.Read ChatMessage.Send Contacts.Read Contacts.ReadWrite"
            " CustomDetection.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All Device.Command"
            " Directory.AccessAsUser.All Directory.Read.All Directory.ReadWrite.All Domain.ReadWrite.All"
            " EAS.AccessAsUser.All EWS.AccessAsUser.All Files.Read Files.Read.All Files.ReadWrite Files.ReadWrite.All"
            " Financials.ReadWrite.All Group.Read.All Group.ReadWrite.All IdentityRiskyUser.ReadWrite.All"
            " IMAP.AccessAsUser.All Mail.Read Mail.Read.Shared Mail.ReadBasic Mail.ReadBasic.Shared Mail.ReadWrite"
            " Mail.ReadWrite.Shared Mail.Send Mail.Send.Shared MailboxFolder.Read MailboxFolder.ReadWrite"
            " MailboxItem.Read MailboxSettings.Read MailboxSettings.ReadWrite OnlineMeetings.Read"
            " OnlineMeetings.ReadWrite Policy.Read.All Policy.ReadWrite.AuthenticationMethod"
            " Policy.ReadWrite.ConditionalAccess POP.AccessAsUser.All RoleManagement.Read.All"
            " RoleManagement.ReadWrite.CloudPC RoleManagement.ReadWrite.Defender RoleManagement.ReadWrite.Directory"
            " RoleManagement.ReadWrite.Exchange SecurityAlert.ReadWrite.All SecurityEvents.ReadWrite.All"
            " Sites.Read.All Sites.ReadWrite.All SMTP.Send TeamMember.Read.All TeamsActivity.Send"
            " TeamsAppInstallation.ReadWriteForTeam TeamSettings.ReadWrite.All TeamsTab.ReadWrite.All"
            " ThreatHunting.Read.All ThreatIndicators.ReadWrite.OwnedBy ThreatIntelligence.Read.All"
            " ThreatSubmission.ReadWrite.All User.Export.All User.Read.All User.ReadWrite.All"
            " UserAuthenticationMethod.ReadWrite.All"
        ),
        EXCHANGE_ONLINE: (
            "Calendars.Read Calendars.Read.All Calendars.ReadWrite Calendars.ReadWrite.All Calendars.ReadWrite.Shared"
            " Contacts.Read Contacts.Read.All Contacts.ReadWrite Contacts.ReadWrite.All EAS.AccessAsUser.All"
            " EWS.AccessAsUser.All Exchange.Manage Exchange.ManageV2 Group.ReadWrite.All IMAP.AccessAsUser.All"
            " Mail.Read Mail.Read.All Mail.Read.Shared Mail.ReadBasic Mail.ReadWrite Mail.ReadWrite.All"
            " Mail.ReadWrite.Shared Mail.Send Mail.Send.All MailboxSettings.Read MailboxSettings.ReadWrite"
            " Organization.ReadWrite.All POP.AccessAsUser.All SMTP.Send User.Read.All User.ReadBasic.All"
        ),
        SHAREPOINT_ONLINE: (
            "AllSites.FullControl AllSites.Manage AllSites.Read AllSites.Write Migration.ReadWrite.All"
            " ProjectWebApp.FullControl SharePointCrossTenantMigration.Manage.All SitesMetadataAdmin.ReadWrite.All"
            " User.Read.All User.ReadWrite.All"
        ),
        POWER_BI: (
            "App.Read.All Capacity.Read.All Capacity.ReadWrite.All Connection.Read.All Connection.ReadWrite.All"
            " Content.Create Dashboard.Read.All Dashboard.ReadWrite.All Dataflow.Read.All Dataflow.ReadWrite.All"
            " Dataset.Read.All Dataset.ReadWrite.All Gateway.Read.All Gateway.ReadWrite.All Item.Read.All"
            " Item.ReadWrite.All Pipeline.Deploy Pipeline.Read.All Pipeline.ReadWrite.All Report.Read.All"
            " Report.ReadWrite.All StorageAccount.Read.All StorageAccount.ReadWrite.All Tenant.Read.All"
            " Tenant.ReadWrite.All UserState.ReadWrite.All Workspace.Read.All Workspace.ReadWrite.All"
        ),
        DATAVERSE: "user_impersonation",
        POWER_APPS: "User",
        POWER_AUTOMATE: (
            "Approvals.Manage.All Approvals.Read.All Flows.Manage.All Flows.Read.All Flows.Read.Plans Flows.Write.Plans"
        ),
    }
)
"""Names of delegated permissions, by resource app id."""
