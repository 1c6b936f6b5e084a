"""Types of the text fields of a snapshot: what a text holds, which decides how it is redacted.

Each type is ``str`` (or JSON) with a `FieldText` as metadata, so that a field says at its declaration what it holds:
``displayName: AppName | None``. A text field without a kind is free text, which redaction removes; the tests fail
for one. msgspec and mypy ignore the metadata; `auditor.redact` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints


class FieldText(Enum):
    """What a text holds, in words that say why it stays readable or is replaced."""

    KEYWORD = "a word of a fixed vocabulary of Microsoft Graph"
    ID = "an id: replaced, unless it is Microsoft's or a vendor's, or the app was asked about"
    TEMPLATE_ID = "an id that is the same in every tenant"
    PUBLISHER_ID = "the number of a verified publisher"
    POLICY_ID = "the id of a consent policy"
    ASSIGNED_POLICY = "the id of a consent policy after the kind of consent, as it is assigned to users"
    ROLE_ACTION = "an action that a directory role allows"
    PERMISSION_NAMES = "names of permissions, separated by blanks"
    TENANT_NAME = "the tenant's name"
    DOMAIN_NAME = "a domain of the tenant"
    USER_PRINCIPAL_NAME = "a user principal name"
    PERSON_NAME = "a person's name"
    GROUP_NAME = "a group's name"
    PRINCIPAL_NAME = "the name of a user, group or app, depending on the kind of principal"
    APP_NAME = "an app's name"
    ROLE_NAME = "a directory role's name"
    POLICY_NAME = "the name of a consent policy or of a Conditional Access policy"
    PUBLISHER_NAME = "a verified publisher's name"
    PUBLISHER_TEXT = "a description that the publisher wrote"
    REPLY_URL = "an address to which an app's tokens are sent"
    APP_URI = "a URI by which an app is addressed"
    GRAPH_PATH = "the path of a query to Microsoft Graph"
    NAME_OR_ID = "the name or id of something that was looked for"
    SECTION_PART = "a section's name, or section/part"
    TAG = "a tag of an app"
    SETTING_DATA = "the value of a directory setting"
    TIMESTAMP = "a point in time"
    PROGRAM_NAME = "the name and version of a program or format"
    ERROR_MESSAGE = "an error message"
    FREE_TEXT = "free text"
    JSON = "JSON of any form"


NEVER_EMPTY = frozenset(
    {
        *(FieldText.KEYWORD, FieldText.ID, FieldText.TEMPLATE_ID, FieldText.PUBLISHER_ID, FieldText.POLICY_ID),
        *(FieldText.ASSIGNED_POLICY, FieldText.PERMISSION_NAMES, FieldText.GRAPH_PATH, FieldText.TIMESTAMP),
    }
)
"""Texts that Graph never leaves empty, unlike a description: an empty one is missing."""

Keyword = Annotated[str, FieldText.KEYWORD]
Id = Annotated[str, FieldText.ID]
TemplateId = Annotated[str, FieldText.TEMPLATE_ID]
PublisherId = Annotated[str, FieldText.PUBLISHER_ID]
PolicyId = Annotated[str, FieldText.POLICY_ID]
AssignedPolicy = Annotated[str, FieldText.ASSIGNED_POLICY]
RoleAction = Annotated[str, FieldText.ROLE_ACTION]
PermissionNames = Annotated[str, FieldText.PERMISSION_NAMES]
TenantName = Annotated[str, FieldText.TENANT_NAME]
DomainName = Annotated[str, FieldText.DOMAIN_NAME]
UserPrincipalName = Annotated[str, FieldText.USER_PRINCIPAL_NAME]
PersonName = Annotated[str, FieldText.PERSON_NAME]
GroupName = Annotated[str, FieldText.GROUP_NAME]
PrincipalName = Annotated[str, FieldText.PRINCIPAL_NAME]
AppName = Annotated[str, FieldText.APP_NAME]
RoleName = Annotated[str, FieldText.ROLE_NAME]
PolicyName = Annotated[str, FieldText.POLICY_NAME]
PublisherName = Annotated[str, FieldText.PUBLISHER_NAME]
PublisherText = Annotated[str, FieldText.PUBLISHER_TEXT]
ReplyUrl = Annotated[str, FieldText.REPLY_URL]
AppUri = Annotated[str, FieldText.APP_URI]
GraphPath = Annotated[str, FieldText.GRAPH_PATH]
NameOrId = Annotated[str, FieldText.NAME_OR_ID]
SectionPart = Annotated[str, FieldText.SECTION_PART]
Tag = Annotated[str, FieldText.TAG]
SettingData = Annotated[str, FieldText.SETTING_DATA]
Timestamp = Annotated[str, FieldText.TIMESTAMP]
ProgramName = Annotated[str, FieldText.PROGRAM_NAME]
ErrorMessage = Annotated[str, FieldText.ERROR_MESSAGE]
FreeText = Annotated[str, FieldText.FREE_TEXT]
Json = Annotated[Mapping[str, Any], FieldText.JSON]


class FieldKind(NamedTuple):
    """What the texts of a field hold, and what the keys of a field that is a mapping hold."""

    text: FieldText = FieldText.FREE_TEXT
    keys: FieldText = FieldText.FREE_TEXT


@cache
def field_kinds(kind: type) -> Mapping[str, FieldKind]:
    """What each field of a class holds, by the name of the field: free text where the annotation does not say."""
    # Annotations are strings until somebody evaluates them. Only redaction needs to.
    hints = get_type_hints(kind, include_extras=True)
    return {name: FieldKind(_text_kind(hint), _key_kind(hint)) for name, hint in hints.items()}


def _text_kind(hint: Any) -> FieldText:
    """The kind in an annotation such as ``tuple[AppName, ...] | None``, or free text."""
    if get_origin(hint) is Annotated:
        return next((one for one in hint.__metadata__ if isinstance(one, FieldText)), FieldText.FREE_TEXT)
    inner = get_args(hint)[1:] if get_origin(hint) is Mapping else get_args(hint)
    found = (_text_kind(one) for one in inner)
    return next((one for one in found if one is not FieldText.FREE_TEXT), FieldText.FREE_TEXT)


def _key_kind(hint: Any) -> FieldText:
    if get_origin(hint) is Mapping:
        return _text_kind(get_args(hint)[0])
    found = (_key_kind(one) for one in get_args(hint) if get_origin(hint) is not Annotated)
    return next((one for one in found if one is not FieldText.FREE_TEXT), FieldText.FREE_TEXT)
