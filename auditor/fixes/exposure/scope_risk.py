"""What an attacker could get with a scope, in plain words, and how much the scope weighs.

Both are this project's own view, derived from the scope's name. Microsoft also rates Graph's permissions from 1 to 5
(``privilegeLevel`` in microsoftgraph/microsoft-graph-devx-content, ``permissions/new/permissions.json``); those
ratings are not used, because this project holds no copy of them and they cover Microsoft Graph only.

A weight is 1 to 5. Reading counts 2; anything that changes or sends data counts 3, and so does a name that does not
say. One less for basic properties or data that the app itself created; one more for everything that the user can
access (``.All``, ``.Shared``); one more for the directory and for sign-in methods. Signing in counts 1.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

import msgspec

from auditor.facts.ids import BASIC_SCOPES

WEIGHT_VIEW = "this project's own view of each scope's name, 1 to 5"


class ScopeRef(msgspec.Struct, frozen=True, order=True):
    """A delegated scope of a resource (app id, lower case)."""

    resource: str
    scope: str
    resource_name: str


class DataKind(StrEnum):
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


# The first part of a scope's name, up to a dot or hyphen; a star at the end matches any rest.
_HEADS = MappingProxyType(
    {
        DataKind.MAIL: "mail mailbox* mailtips imap pop smtp ews eas exchange* full_access_as_user",
        DataKind.CALENDARS: "calendar calendars bookings*",
        DataKind.CONTACTS: "contact contacts people",
        DataKind.FILES: "files allfiles myfiles filestorage* sites allsites lists listitems termstore",
        DataKind.CHATS: "chat* channel* team* onlinemeeting* call* presence virtual* userteamwork"
        " aienterpriseinteraction copilotconversation engagementconversation engagementmeetingconversation",
        DataKind.DIRECTORY: "user group* unifiedgroup* directory* administrativeunit application* approleassignment"
        " role* privileged* policy organization* orgcontact domain* multitenantorganization licenseassignment"
        " entitlement* consentrequest crosstenant* customsec* identity* accessreview member delegated*"
        " serviceprincipal* agentidentity* agentiduser synchronization* onpremdirectorysynchronization"
        " lifecycleworkflows tenantgovernance",
        DataKind.TASKS: "tasks notes shortnotes",
        DataKind.CREDENTIALS: "userauthmethod userauthenticationmethod signinidentifier devicelocalcredential"
        " bitlockerkey",
        DataKind.PROFILE: "openid profile email offline_access profilephoto",
    }
)
_OWN_PROFILE = frozenset({"user.read", "user.readwrite"})
_LIMITED = ("selected", "appfolder", "createdbyapp", "self")
"""Parts of names that limit a scope to what was selected for the app or created by it."""


@lru_cache(maxsize=4096)
def data_kind(scope: str) -> DataKind:
    """What the scope gives access to, according to its name; `DataKind.OTHER` if the name is not known."""
    name = scope.lower()
    if name in _OWN_PROFILE:
        return DataKind.PROFILE
    head = re.split(r"[.-]", name, maxsplit=1)[0]
    return next((kind for kind, heads in _HEADS.items() if _matches(head, heads)), DataKind.OTHER)


def _matches(head: str, patterns: str) -> bool:
    return any(head.startswith(one[:-1]) if one.endswith("*") else head == one for one in patterns.split())


@lru_cache(maxsize=4096)
def scope_weight(scope: str) -> int:
    """How much the scope weighs, 1 to 5, as the description of this module explains."""
    name = scope.lower()
    if name in BASIC_SCOPES:
        return 1
    parts = name.split(".")[1:]
    weight = 2 if any(p.startswith("read") and "write" not in p for p in parts) else 3
    if "basic" in name or any(word in part for part in parts for word in _LIMITED):
        weight -= 1
    if "all" in parts or "shared" in parts:
        weight += 1
    if data_kind(scope) in (DataKind.DIRECTORY, DataKind.CREDENTIALS):
        weight += 1
    return min(weight, 5)


def count_by_kind(refs: tuple[ScopeRef, ...]) -> dict[DataKind, int]:
    """How many scopes there are of each kind, in the order of the kinds."""
    counted = Counter(data_kind(ref.scope) for ref in refs)
    return {kind: counted[kind] for kind in DataKind if counted[kind]}
