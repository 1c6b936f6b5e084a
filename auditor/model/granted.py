"""What a report shows of the permissions that apps were granted in the tenant."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class GrantKind(StrEnum):
    """``delegated`` (an oauth2PermissionGrant: the app acts for a user), or ``application`` (app roles it holds)."""

    DELEGATED = "delegated"
    APPLICATION = "application"


class Audience(StrEnum):
    """Whom a grant covers: everybody (or the app itself), or one user."""

    TENANT = "tenant"
    USER = "user"


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """One grant of permissions on one resource to one app, in names that a person can read.

    `principal` is whose grant it is where it is one user's: a user principal name where users were read, else
    an object id.
    `client_id` is an app id, or the service principal's object id where it was not read; `publisher` is the
    verified publisher's name and `verified` whether there is one, none where that is not known. `owner` is the
    tenant that owns the app (``appOwnerOrganizationId``).
    """

    client_id: str
    client_name: str
    kind: GrantKind
    resource_id: str
    resource_name: str
    permissions: tuple[str, ...]
    audience: Audience = Audience.TENANT
    principal: str = ""
    publisher: str = ""
    verified: bool | None = None
    owner: str = ""
    enabled: bool | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The grants that were read.

    `covers` names the apps (app ids) whose grants were read, where it was not the whole directory; `whole` is
    whether the delegated grants of the whole directory were.
    """

    rows: tuple[GrantRow, ...] = ()
    whole: bool = False
    covers: tuple[str, ...] = ()
