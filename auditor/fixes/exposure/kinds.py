"""What an attacker would get with a scope, in plain words, and how much the scope weighs.

Both are this project's own view, read off a scope's name. Microsoft rates Graph's permissions from 1 to 5
too (``privilegeLevel`` in microsoftgraph/microsoft-graph-devx-content, ``permissions/new/permissions.json``);
those numbers are not used here: this project holds no copy of them, and they cover Microsoft Graph alone.
A weight is 1 to 5: reading counts 2, anything that changes or sends 3 (and so does a name that does not
say); one less for basic properties or what the app itself made, one more for everything the user can reach
(``.All``, ``.Shared``), one more for the directory and for sign-in methods. Signing in counts 1.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from auditor.facts.ids import BASIC_SCOPES

WEIGHT_VIEW = "this project's own view of each scope's name, 1 to 5"


class Kind(StrEnum):
    """What the data is, in the words of the summary, which lists the kinds in this order."""

    MAIL = "mail"
    CALENDARS = "calendars"
    CONTACTS = "contacts"
    FILES = "files and sites"
    CHATS = "chats and meetings"
    DIRECTORY = "directory"
    TASKS = "tasks and notes"
    CREDENTIALS = "passwords and sign-in methods"
    PROFILE = "sign-in and profile"
    OTHER = "other"


# The first part of a scope's name, up to a dot or hyphen; a star stands for the rest of the word.
_HEADS = MappingProxyType(
    {
        Kind.MAIL: "mail mailbox* mailtips imap pop smtp ews eas exchange* full_access_as_user",
        Kind.CALENDARS: "calendar calendars bookings*",
        Kind.CONTACTS: "contact contacts people",
        Kind.FILES: "files allfiles myfiles filestorage* sites allsites lists listitems termstore",
        Kind.CHATS: "chat* channel* team* onlinemeeting* call* presence virtual* userteamwork aienterpriseinteraction"
        " copilotconversation engagementconversation engagementmeetingconversation",
        Kind.DIRECTORY: "user group* unifiedgroup* directory* administrativeunit application* approleassignment role*"
        " privileged* policy organization* orgcontact domain* multitenantorganization licenseassignment entitlement*"
        " consentrequest crosstenant* customsec* identity* accessreview member delegated* serviceprincipal*"
        " agentidentity* agentiduser synchronization* onpremdirectorysynchronization lifecycleworkflows"
        " tenantgovernance",
        Kind.TASKS: "tasks notes shortnotes",
        Kind.CREDENTIALS: "userauthmethod userauthenticationmethod signinidentifier devicelocalcredential bitlockerkey",
        Kind.PROFILE: "openid profile email offline_access profilephoto",
    }
)
_PATTERNS = tuple(
    (kind, re.compile("|".join(head.replace("*", r"\w*") for head in heads.split()))) for kind, heads in _HEADS.items()
)
_OWN_PROFILE = frozenset({"user.read", "user.readwrite"})
_FOR_THE_APP = ("selected", "appfolder", "createdbyapp", "self")


@lru_cache(maxsize=4096)
def kind_of(scope: str) -> Kind:
    """What the scope gives access to, by its name; `OTHER` where no pattern says."""
    name = scope.lower()
    if name in _OWN_PROFILE:
        return Kind.PROFILE
    head = re.split(r"[.-]", name, maxsplit=1)[0]
    return next((kind for kind, pattern in _PATTERNS if pattern.fullmatch(head)), Kind.OTHER)


@lru_cache(maxsize=4096)
def weight_of(scope: str) -> int:
    """How much the scope weighs, 1 to 5, as the head of this file tells."""
    name = scope.lower()
    if name in BASIC_SCOPES:
        return 1
    parts = name.split(".")[1:]
    weight = 2 if any(p.startswith("read") and "write" not in p for p in parts) else 3
    if "basic" in name or any(word in part for part in parts for word in _FOR_THE_APP):
        weight -= 1
    if "all" in parts or "shared" in parts:
        weight += 1
    if kind_of(scope) in (Kind.DIRECTORY, Kind.CREDENTIALS):
        weight += 1
    return min(weight, 5)
