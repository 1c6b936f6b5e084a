"""Changes to the application permissions that an app holds.

Source: Microsoft Graph v1.0 reference, ``appRoleAssignment``.
"""

from __future__ import annotations

from typing import Self

import msgspec

from auditor.fixes.app_changes import assignments_by_app, roles_by_app, service_principal
from auditor.fixes.change import (
    Conflict,
    CreateUnlessFound,
    Deletion,
    GraphChange,
    MatchingRows,
    NotApplicable,
    Step,
    new_id,
    with_sections,
)
from auditor.model.resources import AppRoleAssignment
from auditor.model.snapshot import Snapshot


class GrantAppRole(GraphChange, frozen=True, kw_only=True):
    """Grant an application permission of one resource to an app, which can then use it without a user.

    Source: Microsoft Graph v1.0, "Grant an appRoleAssignment to a service principal".
    """

    method = "POST"
    path = "/servicePrincipals/{object_id}/appRoleAssignments"
    permission = "AppRoleAssignment.ReadWrite.All"
    summary = "The application permission, which the app has without a user."

    object_id: str

    @classmethod
    def of(cls, graph: str, client: str, resource: str, role: str, *, number: int = 1) -> Self:
        """The grant of the app role `role` of a resource to a client; client and resource are object ids."""
        body = {"principalId": client, "resourceId": resource, "appRoleId": role}
        return cls(graph=graph, object_id=client, body=body, returns=new_id("app role assignment", number))

    def effect(self, before: Snapshot) -> Snapshot:
        """The app holds one more application permission; both lists that say so have it, as far as they were read."""
        row = msgspec.convert({"principalType": "ServicePrincipal", "id": self.returns, **self.body}, AppRoleAssignment)
        client, resource = service_principal(before, self.object_id), service_principal(before, str(row.resourceId))
        held = roles_by_app(before)
        rows = held.get(client.appId.lower(), ())
        if any((one.resourceId, one.appRoleId) == (row.resourceId, row.appRoleId) for one in rows):
            raise Conflict(f"{row.appRoleId} is granted")
        given, to = assignments_by_app(before), resource.appId.lower()
        more = {to: (*given[to], row)} if to in given else {}
        return with_sections(
            before,
            appRoleAssignments={**held, client.appId.lower(): (*rows, row)},
            appRoleAssignedTo={**given, **more} if given else before.sections.appRoleAssignedTo,
        )

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Remove the application permission."""
        return (RevokeAppRole(graph=self.graph, object_id=self.object_id, assignment_id=self.returns),)

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for the same permission."""
        where = tuple((name, str(self.body[name])) for name in ("resourceId", "appRoleId"))
        return CreateUnlessFound(
            rows=MatchingRows(url=f"{self.url}?$top=999", where=where), found="The app has it already."
        )


class RevokeAppRole(Deletion, frozen=True, kw_only=True):
    """Take an application permission away from an app."""

    path = "/servicePrincipals/{object_id}/appRoleAssignments/{assignment_id}"
    permission = "AppRoleAssignment.ReadWrite.All"
    summary = "Remove the application permission."

    object_id: str
    assignment_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The app holds one application permission less."""
        client = service_principal(before, self.object_id).appId.lower()
        held = roles_by_app(before)
        kept = tuple(row for row in held.get(client, ()) if row.id != self.assignment_id)
        if len(kept) == len(held.get(client, ())):
            raise NotApplicable(f"no application permission {self.assignment_id}")
        given = {
            app: tuple(r for r in rows if r.id != self.assignment_id)
            for app, rows in assignments_by_app(before).items()
        }
        return with_sections(
            before,
            appRoleAssignments={**held, client: kept},
            appRoleAssignedTo=given if given else before.sections.appRoleAssignedTo,
        )
