"""Changes to one app in the tenant: its service principal, who is assigned to it, and what is granted to it.

Sources: Microsoft Graph v1.0 reference, ``servicePrincipal``, ``appRoleAssignment`` and ``oAuth2PermissionGrant``.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Self

import msgspec

from auditor.consent.snapshot_index import assigned_by_app, index_of
from auditor.fixes.change import (
    NEW_SERVICE_PRINCIPAL,
    AddScopes,
    Conflict,
    CreateUnlessFound,
    Deletion,
    Equals,
    GraphChange,
    MatchingRows,
    NoScript,
    NotApplicable,
    SetValue,
    Step,
    new_id,
    with_filter,
    with_sections,
)
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.snapshot import Snapshot

DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
"""The app role of an assignment to an app that has no roles for users."""
MAX_SCOPE_LENGTH = 3850
"""The longest scope string that a grant can hold, in characters (``oAuth2PermissionGrant``, beta reference)."""


ANY_REPLY_URL = ("*",)
"""The pattern that every redirect URI matches: a change says nothing about what the vendor registered."""


class CreateServicePrincipal(GraphChange, frozen=True, kw_only=True):
    """Add an app to the tenant without any consent."""

    method = "POST"
    path = "/servicePrincipals"
    permission = "Application.ReadWrite.All"
    summary = "The app in this tenant: its service principal."

    @classmethod
    def of(cls, graph: str, app_id: str, *, returns: str = NEW_SERVICE_PRINCIPAL) -> Self:
        """The service principal of the app with this app id."""
        return cls(graph=graph, body={"appId": app_id}, returns=returns)

    def effect(self, before: Snapshot) -> Snapshot:
        """A new service principal starts enabled, requires no assignment and has nobody assigned."""
        app_id = str(self.body["appId"]).lower()
        if isinstance(index_of(before).service_principal(app_id), ServicePrincipal):
            raise Conflict(f"app {app_id} has a service principal")
        created = ServicePrincipal(
            id=self.returns or NEW_SERVICE_PRINCIPAL,
            appId=app_id,
            accountEnabled=True,
            appRoleAssignmentRequired=False,
            # Graph copies them from the vendor's registration, which nobody in the tenant can read before.
            replyUrls=ANY_REPLY_URL,
        )
        absent = before.sections.absentServicePrincipals
        return with_sections(
            before,
            servicePrincipals=(*(before.sections.servicePrincipals or ()), created),
            absentServicePrincipals=absent and tuple(a for a in absent if a.lower() != app_id),
            appRoleAssignedTo={**assignments_by_app(before), app_id: ()},
        )

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Delete it."""
        return (DeleteServicePrincipal(graph=self.graph, object_id=self.returns),)

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for the app id."""
        rows = MatchingRows(url=with_filter(self.url, appId=str(self.body["appId"])))
        return CreateUnlessFound(rows=rows, found="The app is already in the tenant.")


class SetServicePrincipalProperty(GraphChange, frozen=True, kw_only=True):
    """Set a property of an app's service principal, such as ``accountEnabled``; the other properties stay."""

    method = "PATCH"
    path = "/servicePrincipals/{object_id}"
    permission = "Application.ReadWrite.All"

    object_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The property has the new value."""
        found = service_principal(before, self.object_id)
        changed = msgspec.structs.replace(found, **self.body)
        principals = before.sections.servicePrincipals or ()
        return with_sections(before, servicePrincipals=tuple(changed if p is found else p for p in principals))

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Set the previous value."""
        found = service_principal(before, self.object_id)
        previous = {name: getattr(found, name) for name in self.body}
        if None in previous.values():
            raise NotApplicable("the previous value was not read")
        return (msgspec.structs.replace(self, body=previous),)

    @property
    def comment(self) -> str:
        """The property's name."""
        return f"{' and '.join(self.body)} of the app's service principal."

    def script_step(self, undo: GraphChange | None) -> Step:
        """Read the property."""
        values = " and ".join(f"{name} is already {str(value).lower()}" for name, value in self.body.items())
        return SetValue(
            url=f"{self.url}?$select={','.join(self.body)}",
            done=tuple(Equals(name, bool(value)) for name, value in self.body.items()),
            found=f"{values}.",
        )


class DeleteServicePrincipal(Deletion, frozen=True, kw_only=True):
    """Remove an app from the tenant."""

    path = "/servicePrincipals/{object_id}"
    permission = "Application.ReadWrite.All"
    summary = "Remove the app's service principal."

    object_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The app's grants and assignments are deleted with it."""
        found = service_principal(before, self.object_id)
        app_id = found.appId.lower()
        grants = before.sections.oauth2PermissionGrants
        return with_sections(
            before,
            servicePrincipals=tuple(p for p in before.sections.servicePrincipals or () if p is not found),
            absentServicePrincipals=(*(before.sections.absentServicePrincipals or ()), app_id),
            oauth2PermissionGrants=grants and tuple(g for g in grants if found.id not in (g.clientId, g.resourceId)),
            appRoleAssignedTo={key: rows for key, rows in assignments_by_app(before).items() if key != app_id},
            appRoleAssignments=before.sections.appRoleAssignments
            and {key: rows for key, rows in roles_by_app(before).items() if key != app_id},
        )


class AssignApp(GraphChange, frozen=True, kw_only=True):
    """Assign a user or group to an app."""

    method = "POST"
    path = "/servicePrincipals/{object_id}/appRoleAssignedTo"
    permission = "AppRoleAssignment.ReadWrite.All"
    summary = "Who can use the app."

    object_id: str

    @classmethod
    def of(cls, graph: str, object_id: str, principal: str, role: str = DEFAULT_ACCESS) -> Self:
        """The assignment of `principal` (an object id) to the app with this service principal, in this app role."""
        body = {"principalId": principal, "resourceId": object_id, "appRoleId": role}
        return cls(graph=graph, object_id=object_id, body=body, returns=new_id("assignment"))

    def effect(self, before: Snapshot) -> Snapshot:
        """The app has one more assignment. The request doesn't say what the principal is; a user is assumed."""
        app_id = service_principal(before, self.object_id).appId.lower()
        row = msgspec.convert({"principalType": "User", "id": self.returns or None, **self.body}, AppRoleAssignment)
        rows = assignments_by_app(before).get(app_id, ())
        if any(one.principalId.lower() == row.principalId.lower() for one in rows):
            raise Conflict(f"{row.principalId} is assigned")
        return with_sections(before, appRoleAssignedTo={**assignments_by_app(before), app_id: (*rows, row)})

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Remove the assignment."""
        return (UnassignApp(graph=self.graph, object_id=self.object_id, assignment_id=self.returns),)

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for an assignment of the principal, whatever its role."""
        rows = MatchingRows(url=f"{self.url}?$top=999", where=(("principalId", str(self.body["principalId"])),))
        return CreateUnlessFound(rows=rows, found="This user or group is already assigned.")


class UnassignApp(Deletion, frozen=True, kw_only=True):
    """Remove an assignment to an app."""

    path = "/servicePrincipals/{object_id}/appRoleAssignedTo/{assignment_id}"
    permission = "AppRoleAssignment.ReadWrite.All"
    summary = "Remove the assignment."

    object_id: str
    assignment_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The app has one assignment less."""
        app_id = service_principal(before, self.object_id).appId.lower()
        rows = assignments_by_app(before).get(app_id, ())
        kept = tuple(row for row in rows if row.id != self.assignment_id)
        if len(kept) == len(rows):
            raise NotApplicable(f"no assignment {self.assignment_id}")
        return with_sections(before, appRoleAssignedTo={**assignments_by_app(before), app_id: kept})


class CreateGrant(GraphChange, frozen=True, kw_only=True):
    """Grant delegated permissions of one resource, to every user or to one.

    Graph has one grant for a client, resource and (with ``consentType`` ``Principal``) user, and refuses a second one.
    """

    method = "POST"
    path = "/oauth2PermissionGrants"
    permission = "DelegatedPermissionGrant.ReadWrite.All"
    summary = "The grant with these scopes. Scopes that it already has stay."

    @classmethod
    def of(
        cls, graph: str, client: str, resource: str, scopes: str, *, user: str | None = None, number: int = 1
    ) -> Self:
        """The grant of `scopes` for `user`, or for everybody. Client, resource and user are object ids."""
        who = {"consentType": "Principal", "principalId": user} if user else {"consentType": "AllPrincipals"}
        body = {"clientId": client, **who, "resourceId": resource, "scope": scopes}
        return cls(graph=graph, body=body, returns=new_id("grant", number))

    def effect(self, before: Snapshot) -> Snapshot:
        """There is one more grant, and it is known; which other grants there are stays as unknown as it was."""
        row = msgspec.convert({"id": self.returns or None, **self.body}, OAuth2PermissionGrant)
        rows = before.sections.oauth2PermissionGrants
        if any(_grant_key(one) == _grant_key(row) for one in index_of(before).grants_of(row.clientId)):
            raise Conflict("there is a grant for the same client and resource")
        after = with_sections(before, oauth2PermissionGrants=(*(rows or ()), row))
        covered = () if rows is None else before.covers.get("oauth2PermissionGrants")
        if covered is None:
            return after
        client = index_of(before).principal_with_id(row.clientId)
        known = dict.fromkeys((*covered, client.appId.lower())) if client else covered
        return msgspec.structs.replace(after, covers={**before.covers, "oauth2PermissionGrants": tuple(known)})

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Delete the grant.

        If it was not read which grants exist, the consent may have added to one, which must not be deleted.
        """
        if not _grants_read(before, str(self.body["clientId"])):
            raise NotApplicable("the existing grants were not read")
        return (DeleteGrant(graph=self.graph, grant_id=self.returns),)

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for a grant of the same kind. Graph filters by client and user; the resource is compared afterwards."""
        body = {name: str(self.body[name]) for name in ("clientId", "consentType", "resourceId", "scope")}
        user = str(self.body.get("principalId") or "")
        whose = {"principalId": user} if user else {"consentType": body["consentType"]}
        rows = MatchingRows(
            url=with_filter(self.url, clientId=body["clientId"], **whose),
            where=(("resourceId", body["resourceId"]), ("consentType", body["consentType"])),
        )
        return AddScopes(scopes=_scriptable(body["scope"]), rows=rows)


class ReplaceGrantScopes(GraphChange, frozen=True, kw_only=True):
    """Replace the whole scope string of a grant: every scope that stays must be in the body."""

    method = "PATCH"
    path = "/oauth2PermissionGrants/{grant_id}"
    permission = "DelegatedPermissionGrant.ReadWrite.All"
    summary = "More scopes for the existing grant. Scopes that it already has stay."

    grant_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The grant has the new scope string."""
        found = _grant(before, self.grant_id)
        changed = msgspec.structs.replace(found, scope=str(self.body["scope"]))
        rows = before.sections.oauth2PermissionGrants or ()
        return with_sections(before, oauth2PermissionGrants=tuple(changed if row is found else row for row in rows))

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Set the exact previous scope string."""
        return (msgspec.structs.replace(self, body={"scope": _grant(before, self.grant_id).scope}),)

    @property
    def previous_value(self) -> str:
        """The scope string."""
        return f'The scopes of grant {self.grant_id} were: "{self.body["scope"]}".'

    def script_step(self, undo: GraphChange | None) -> Step:
        """Read the scopes that the grant has by then; only missing ones are added."""
        return AddScopes(scopes=_scriptable(str(self.body["scope"])))


class DeleteGrant(Deletion, frozen=True, kw_only=True):
    """Delete a grant."""

    path = "/oauth2PermissionGrants/{grant_id}"
    permission = "DelegatedPermissionGrant.ReadWrite.All"
    summary = "Delete the grant."

    grant_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """There is one grant less."""
        gone = _grant(before, self.grant_id)
        rows = before.sections.oauth2PermissionGrants or ()
        return with_sections(before, oauth2PermissionGrants=tuple(row for row in rows if row is not gone))


def grant_id(row: OAuth2PermissionGrant) -> str | None:
    """The grant's id. If it was not read, it is derived: base64url of the GUIDs (as in the docs and live samples)."""
    if row.id:
        return row.id
    try:
        raw = b"".join(uuid.UUID(one).bytes_le for one in (row.clientId, row.resourceId, row.principalId) if one)
    except ValueError:
        return None
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _grant(before: Snapshot, sought: str) -> OAuth2PermissionGrant:
    for row in before.sections.oauth2PermissionGrants or ():
        if grant_id(row) == sought:
            return row
    raise NotApplicable(f"no grant {sought}")


def _grant_key(row: OAuth2PermissionGrant) -> tuple[str, ...]:
    parts = (row.clientId, row.resourceId, row.consentType, row.principalId or "")
    return tuple(part.lower() for part in parts)


def _grants_read(before: Snapshot, client: str) -> bool:
    """Whether every grant of the client (an object id) is known; a client that was only just created has none."""
    if client == NEW_SERVICE_PRINCIPAL:
        return True
    index = index_of(before)
    found = index.principal_with_id(client)
    return index.covers("oauth2PermissionGrants", found.appId if found else "")


def _scriptable(scopes: str) -> str:
    """The scopes, if a script can hold them. Raises NoScript. Source of the characters: RFC 6749, section 3.3."""
    if not re.fullmatch(r"[ !#-\[\]-~]*", scopes):
        raise NoScript("the name of a scope contains a character that no request can hold")
    return scopes


def service_principal(before: Snapshot, object_id: str) -> ServicePrincipal:
    """The service principal with this object id. Raises NotApplicable."""
    if found := index_of(before).principal_with_id(object_id):
        return found
    raise NotApplicable(f"no service principal {object_id}")


def assignments_by_app(before: Snapshot) -> Mapping[str, tuple[AppRoleAssignment, ...]]:
    """Who is assigned to each app, by its app id in lower case."""
    return assigned_by_app(before.sections.appRoleAssignedTo)


def roles_by_app(before: Snapshot) -> Mapping[str, tuple[AppRoleAssignment, ...]]:
    """The application permissions that each app holds, by its app id in lower case."""
    return assigned_by_app(before.sections.appRoleAssignments)
