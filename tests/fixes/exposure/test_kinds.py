"""Every scope has a kind and a weight, read off its name."""

from __future__ import annotations

import pytest

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.facts.permissions import known_scopes
from auditor.fixes.exposure_classes import DataKind, data_kind, scope_weight

GRAPH = known_scopes(MICROSOFT_GRAPH).values()
USERS_MAY = [s.value for s in GRAPH if s.type == "User"]
EVERY = [s.value for resource in (MICROSOFT_GRAPH, EXCHANGE_ONLINE) for s in known_scopes(resource).values()]

# What is in none of the plain kinds. A scope that Microsoft adds is put into a kind, or here, on purpose.
_OTHER = """
Acronym.Read.All AgentRegistration.Read.All Analytics.Read AppCatalog.Read.All AppCatalog.Submit
AttackSimulation.ReadWrite.All Bookmark.Read.All BrowserSiteLists.Read.All BrowserSiteLists.ReadWrite.All
ChangeManagement.Read.All CloudApp-Discovery.Read.All CloudPC.Read.All CopilotPackages.Read.All Device.Command
Device.Read EngagementRole.Read Family.Read Financials.ReadWrite.All IndustryData.ReadBasic.All
InformationProtectionPolicy.Read LearningAssignedCourse.Read LearningSelfInitiatedCourse.Read
NetworkAccessBranch.Read.All NetworkAccessPolicy.Read.All Notifications.ReadWrite.CreatedByApp PrintJob.Create
PrintJob.Read PrintJob.ReadBasic PrintJob.ReadWrite PrintJob.ReadWriteBasic PrinterShare.Read.All
PrinterShare.ReadBasic.All QnA.Read.All SecurityCopilotWorkspaces.Read.All SecurityCopilotWorkspaces.ReadWrite.All
SubjectNameRegistration.ReadWrite UserActivity.ReadWrite.CreatedByApp UserCloudClipboard.Read
UserNotification.ReadWrite.CreatedByApp UserTimelineActivity.Write.CreatedByApp
"""


def test_all_153_scopes_that_users_may_consent_to_fall_in_a_kind_or_are_listed_as_other() -> None:
    assert len(USERS_MAY) == 153
    assert sorted(s for s in USERS_MAY if data_kind(s) is DataKind.OTHER) == sorted(_OTHER.split())
    assert {data_kind(s) for s in USERS_MAY} == set(DataKind)


@pytest.mark.parametrize(
    ("kind", "scopes"),
    [
        pytest.param(
            DataKind.MAIL,
            "Mail.Read Mail.Send MailboxSettings.Read MailTips.ReadBasic.Shared IMAP.AccessAsUser.All SMTP.Send",
            id="mail",
        ),
        pytest.param(
            DataKind.CALENDARS,
            "Calendars.ReadBasic Bookings.Manage.All BookingsAppointment.ReadWrite.All",
            id="calendars",
        ),
        pytest.param(DataKind.CONTACTS, "Contacts.Read.Shared People.Read", id="contacts"),
        pytest.param(
            DataKind.FILES,
            "Files.ReadWrite.AppFolder Sites.Selected FileStorageContainerType.Manage.All AllSites.Read",
            id="files",
        ),
        pytest.param(
            DataKind.CHATS,
            "Chat.Create ChannelMessage.Send OnlineMeetings.Read Team.ReadBasic.All Presence.Read.All",
            id="chats",
        ),
        pytest.param(
            DataKind.DIRECTORY,
            "User.ReadBasic.All Directory.Read.All Policy.Read.ConditionalAccess Group-Conversation.Read",
            id="directory",
        ),
        pytest.param(DataKind.TASKS, "Tasks.ReadWrite Notes.Create ShortNotes.Read", id="tasks"),
        pytest.param(DataKind.CREDENTIALS, "UserAuthMethod-Password.ReadWrite.All", id="credentials"),
        pytest.param(DataKind.PROFILE, "openid profile email offline_access User.Read User.ReadWrite", id="profile"),
        pytest.param(DataKind.OTHER, "Orders.Read user_impersonation Printing.Read", id="other"),
    ],
)
def test_a_scope_has_the_kind_that_a_reader_would_give_it(kind: DataKind, scopes: str) -> None:
    for scope in scopes.split():
        assert data_kind(scope) is data_kind(scope.upper()) is kind


def test_every_scope_weighs_between_one_and_five_in_any_spelling() -> None:
    assert {scope_weight(s) for s in EVERY} == {1, 2, 3, 4, 5}
    assert all(scope_weight(s) == scope_weight(s.lower()) for s in EVERY)


@pytest.mark.parametrize(
    "lighter_first",
    [
        pytest.param(("User.Read", "Mail.Read", "Mail.ReadWrite", "Mail.ReadWrite.Shared"), id="mail"),
        pytest.param(("Calendars.ReadBasic", "Calendars.Read", "Calendars.ReadWrite"), id="calendars"),
        pytest.param(("Files.ReadWrite.AppFolder", "Files.ReadWrite", "Files.ReadWrite.All"), id="files"),
        pytest.param(("Files.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"), id="directory"),
        pytest.param(
            ("Notes.Read.All", "UserAuthMethod-Phone.Read.All", "UserAuthMethod-Phone.ReadWrite.All"), id="credentials"
        ),
    ],
)
def test_reading_weighs_less_than_writing_less_than_everything_less_than_the_directory(
    lighter_first: tuple[str, ...],
) -> None:
    weights = [scope_weight(scope) for scope in lighter_first]
    assert weights == sorted(set(weights))


def test_a_name_that_does_not_say_what_it_does_weighs_as_much_as_writing() -> None:
    assert scope_weight("user_impersonation") == scope_weight("Mail.ReadWrite") == 3
