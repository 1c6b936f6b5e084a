"""Named lists of permissions, for rules to speak of: delegated scopes by subject, and app-only permissions.

The choice is this project's own: what reads or changes the content of mailboxes, files, sites and chats, or the
directory itself, on Microsoft Graph and Exchange Online. Names and ids: the Microsoft Graph permissions
reference; ids of app roles from Microsoft Graph's service principal, where they are the same in every tenant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from auditor.model.known_scopes import known_scopes
from auditor.model.wellknown import EXCHANGE_ONLINE, MICROSOFT_GRAPH

RESOURCES = MappingProxyType({"microsoft-graph": MICROSOFT_GRAPH, "exchange-online": EXCHANGE_ONLINE})
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
    "files": "Files.Read Files.ReadWrite Files.Read.All Files.ReadWrite.All Notes.Read.All Notes.ReadWrite.All",
    "sites": "Sites.Read.All Sites.ReadWrite.All Sites.Manage.All Sites.FullControl.All",
    "chats": (
        "Chat.Read Chat.ReadWrite Chat.ReadWrite.All ChatMessage.Read ChannelMessage.Read.All OnlineMeetings.Read"
        " OnlineMeetings.ReadWrite OnlineMeetingTranscript.Read.All OnlineMeetingRecording.Read.All"
    ),
    "directory": (
        "Directory.Read.All Directory.ReadWrite.All Directory.AccessAsUser.All User.Read.All User.ReadWrite.All"
        " Group.Read.All Group.ReadWrite.All Application.ReadWrite.All AppRoleAssignment.ReadWrite.All"
        " DelegatedPermissionGrant.ReadWrite.All RoleManagement.ReadWrite.Directory"
        " Policy.ReadWrite.Authorization Policy.ReadWrite.ConditionalAccess Policy.ReadWrite.PermissionGrant"
    ),
    "basic": "openid profile email offline_access User.Read",
}
_EXCHANGE = {
    "mail": "Mail.Read Mail.ReadWrite Mail.Send MailboxSettings.Read",
    "mailbox-protocols": f"{_PROTOCOLS} SMTP.Send",
    "calendars": "Calendars.Read Calendars.ReadWrite",
    "contacts": "Contacts.Read Contacts.ReadWrite",
    "directory": "Exchange.Manage",
}
RISKY = ("mail", "mailbox-protocols", "calendars", "contacts", "files", "sites", "chats", "directory")
"""The lists that the list ``risky`` is made of."""

SCOPE_LISTS = (*RISKY, "risky", "basic", ADMIN_ONLY)


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
                " MailboxSettings.ReadWrite 6931bccd-447a-43d1-b442-00a195474933",
            ),
            *_roles(
                EXCHANGE_ONLINE,
                "full_access_as_app dc890d15-9560-4a4c-9b7f-a736ec74ec40"
                " IMAP.AccessAsApp 5e5addcd-3e8d-4e90-baf5-964efab2b20a"
                " POP.AccessAsApp cb842b43-da6e-4506-86fe-bb12199c656d",
            ),
        ),
        "files-app-only": _roles(
            MICROSOFT_GRAPH,
            "Files.Read.All 01d4889c-1287-42c6-ac1f-5d1e02578ef6 Files.ReadWrite.All"
            " 75359482-378d-4052-8f01-80520e7db3cd Sites.Read.All 332a536c-c7ef-4017-ab91-336970924f0d"
            " Sites.ReadWrite.All 9492366f-7969-46a4-8d15-ed1a20078fff"
            " Sites.FullControl.All a82116e5-55eb-4c41-a434-62fe8a61c773",
        ),
        "directory-app-only": _roles(
            MICROSOFT_GRAPH,
            "Directory.ReadWrite.All 19dbc75e-c2e2-444c-a770-ec69d8559fc7"
            " RoleManagement.ReadWrite.Directory 9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
            " AppRoleAssignment.ReadWrite.All 06b708a9-e830-4db3-a914-8e69da51d44f"
            " Application.ReadWrite.All 1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
            " Policy.ReadWrite.PermissionGrant a402ca1c-2696-4531-972d-6e5ee4aa11ea"
            " DelegatedPermissionGrant.ReadWrite.All 8e8e4742-1d95-4f68-9d56-6ee75648c72a",
        ),
    }
)
"""Application permissions by the name of their list."""


def listed_scopes(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The scopes of these lists together, in lower case, by resource app id."""
    found: dict[str, set[str]] = {MICROSOFT_GRAPH: set(), EXCHANGE_ONLINE: set()}
    parts = (RISKY if name == "risky" else (name,) for name in names)
    for name in dict.fromkeys(part for each in parts for part in each):
        for resource, lists in ((MICROSOFT_GRAPH, _GRAPH), (EXCHANGE_ONLINE, _EXCHANGE)):
            if name == ADMIN_ONLY:
                found[resource].update(s for s, known in known_scopes(resource).items() if known.type == "Admin")
            else:
                found[resource].update(lists.get(name, "").lower().split())
    return {resource: frozenset(scopes) for resource, scopes in found.items() if scopes}
