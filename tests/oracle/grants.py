"""Section 4.4: what has been granted to the client already, seen by one user."""

from __future__ import annotations

from .policies import Scope
from .reading import Json, Reading, same
from .worlds import World

GRAPH = "00000003-0000-0000-c000-000000000000"
SATISFIED_BY_ANY_GRAPH_SCOPE = ("openid", "profile", "email")


class Grants:
    """The rows of the client that work for this user: tenant-wide ones and the user's own."""

    def __init__(self, reading: Reading, client_id: str, user_id: str | None, asked_for: list[Scope]) -> None:
        """The grants of one client to one user; `asked_for` are the scopes whose grant may be asked about."""
        self.reading = reading
        self.client_id = client_id
        self.user_id = user_id
        self.asked_for = asked_for

    def known_rows(self, world: World) -> list[Json]:
        """effective(user) = AllPrincipals row and the Principal row of that user."""
        client = self.reading.object_id(world, self.client_id, "clientId")
        rows = self.reading.rows("oauth2PermissionGrants")
        return [row for row in rows if same(row.get("clientId"), client) and self._works_for_the_user(row)]

    def _works_for_the_user(self, row: Json) -> bool:
        if same(row.get("consentType"), "AllPrincipals"):
            return True
        return same(row.get("consentType"), "Principal") and same(row.get("principalId"), self.user_id)

    def all_read(self, world: World) -> bool:
        """Whether no other row can exist: all were read, or there is no client for one to belong to."""
        absent = self.reading.service_principal(world, self.client_id) is None
        return absent or self.reading.complete("oauth2PermissionGrants", self.client_id)

    def any_row(self, world: World) -> bool:
        """Whether the client has any row: if not, this would be its initial consent."""
        if self.known_rows(world) or self.all_read(world):
            return bool(self.known_rows(world))
        return world.ask(("the client has a grant",), (False, True))

    def rows_for(self, world: World, resource: str) -> list[Json]:
        """The known rows for one resource."""
        resource_id = self.reading.object_id(world, resource, "resourceId")
        return [row for row in self.known_rows(world) if same(row.get("resourceId"), resource_id)]

    def any_row_for(self, world: World, resource: str) -> bool:
        """Whether the client has a row for this resource."""
        if self.rows_for(world, resource):
            return True
        if self.all_read(world) or self.reading.service_principal(world, resource) is None:
            return False
        return self.any_row(world) and world.ask(("the client has a grant for", resource), (False, True))

    def granted_values(self, world: World, resource: str) -> set[str]:
        """The scopes in the known rows: split on whitespace, letter case does not count."""
        strings = [row.get("scope") or "" for row in self.rows_for(world, resource)]
        return {value.casefold() for string in strings for value in string.split()}

    def granted(self, world: World, scope: Scope) -> bool:
        """Whether the scope itself is in a row."""
        resource, value = scope
        if value in self.granted_values(world, resource):
            return True
        if self.all_read(world) or not self.any_row_for(world, resource):
            return False
        return world.ask(("granted", *scope), (False, True))

    def satisfied(self, world: World, scope: Scope) -> bool:
        """Granted, or openid, profile or email beside any granted scope of Graph."""
        resource, value = scope
        if self.granted(world, scope):
            return True
        return resource == GRAPH and value in SATISFIED_BY_ANY_GRAPH_SCOPE and self._any_graph_scope(world)

    def _any_graph_scope(self, world: World) -> bool:
        if self.granted_values(world, GRAPH):
            return True
        if any(self.granted(world, scope) for scope in self.asked_for if scope[0] == GRAPH):
            return True
        if self.all_read(world) or not self.any_row_for(world, GRAPH):
            return False
        return world.ask(("some other Graph scope is granted",), (False, True))
