"""The entries of the sign-in log and of the directory's audit log, as `auditor.model.resources` describes others.

Source of names and meanings: the Microsoft Graph v1.0 reference, ``signIn`` and ``directoryAudit``.
"""

from __future__ import annotations

from auditor.model.field_types import (
    AppName,
    FreeText,
    Id,
    Json,
    Keyword,
    PersonName,
    Timestamp,
    UserPrincipalName,
)
from auditor.model.resources import Resource


class SignInStatus(Resource, frozen=True):
    """How a sign-in ended: error code 0 (success), or the number of an AADSTS code."""

    errorCode: int | None = None
    failureReason: FreeText | None = None
    additionalDetails: FreeText | None = None


class SignIn(Resource, frozen=True):
    """One entry of the sign-in log."""

    id: Id | None = None
    createdDateTime: Timestamp | None = None
    appId: Id | None = None
    appDisplayName: AppName | None = None
    userId: Id | None = None
    userPrincipalName: UserPrincipalName | None = None
    userDisplayName: PersonName | None = None
    resourceId: Id | None = None
    resourceDisplayName: AppName | None = None
    correlationId: Id | None = None
    status: SignInStatus | None = None


class DirectoryAudit(Resource, frozen=True):
    """One entry of the directory's audit log."""

    id: Id | None = None
    activityDateTime: Timestamp | None = None
    activityDisplayName: FreeText | None = None
    category: Keyword | None = None
    result: Keyword | None = None
    resultReason: FreeText | None = None
    correlationId: Id | None = None
    initiatedBy: Json | None = None
    targetResources: tuple[Json, ...] = ()
    additionalDetails: tuple[Json, ...] = ()
