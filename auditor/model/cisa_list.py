"""The delegated permissions that CISA's baseline calls risky: none of them may be classified low (MS.AAD.5.2v1).

Source: ``RiskyAppPermissions.json`` of CISA's ScubaGear, 2026, whatever its level of risk; names by resource. Many
can be granted by administrators only and so can never be classified. They are kept, so that the list can be compared
with CISA's line by line.
"""

from __future__ import annotations

from types import MappingProxyType

from auditor.model.wellknown import (
    DATAVERSE,
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    POWER_APPS,
    POWER_AUTOMATE,
    POWER_BI,
    SHAREPOINT_ONLINE,
)

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
