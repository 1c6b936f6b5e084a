"""What a snapshot document says: a fact, a known absence, or nothing (design, section 3).

Names and ids are compared without regard to letter case. A value of null is a value that Graph did not give.
"""

from __future__ import annotations

from typing import Any

from .worlds import World

Json = dict[str, Any]

UNSEEN_ID = "an object id that no other object has"


def same(one: Any, other: Any) -> bool:
    """Whether two ids or names are the same but for letter case."""
    return isinstance(one, str) and isinstance(other, str) and one.casefold() == other.casefold()


def among(one: Any, others: list[Any]) -> bool:
    """Whether an id or name is one of `others` but for letter case."""
    return any(same(one, other) for other in others)


class Reading:
    """A snapshot, asked section by section."""

    def __init__(self, snapshot: Json) -> None:
        """The reading of one snapshot; a section of null was not read."""
        sections: Json = snapshot["sections"]
        self.sections = {name: value for name, value in sections.items() if value is not None}
        self.covers: dict[str, list[str]] = snapshot.get("covers") or {}
        self.unread: list[str] = list(snapshot.get("unread") or {})
        self.tenant_id: str = snapshot["tenant"]["id"]
        self.cloud: str = snapshot.get("cloud") or "global"

    def rows(self, section: str) -> list[Json]:
        """The rows of a list section. `complete` says whether more exist that were not read."""
        return list(self.sections.get(section, []))

    def complete(self, section: str, part: str) -> bool:
        """Whether what `section` does not say of `part` is known not to be."""
        if section not in self.sections:
            return False
        if among(section, self.unread) or among(f"{section}/{part}", self.unread):
            return False
        return section not in self.covers or among(part, self.covers[section])

    def part(self, section: str, app_id: str) -> list[Json] | None:
        """The list that a section keeps for one app; None if it was not read."""
        for key, rows in self.sections.get(section, {}).items():
            if same(key, app_id) and rows is not None:
                return list(rows)
        covered = section in self.covers and self.complete(section, app_id)
        return [] if covered else None

    def service_principal(self, world: World, app_id: str) -> Json | None:
        """The service principal of an app, None where it does not exist.

        One that was not read either does not exist or exists with every property unknown.
        """
        for found in self.rows("servicePrincipals"):
            if same(found.get("appId"), app_id):
                return found
        absent = among(app_id, self.sections.get("absentServicePrincipals", []))
        if absent or self.complete("servicePrincipals", app_id):
            return None
        return {} if world.ask(("service principal exists", app_id.casefold()), (False, True)) else None

    def object_id(self, world: World, app_id: str, end: str) -> str | None:
        """The id by which grants know an app, as their `clientId` or their `resourceId`.

        The id of a service principal that was not read may be any that a grant has and no known object has.
        """
        principal = self.service_principal(world, app_id)
        if principal is None:
            return None
        known = [found.get("id") for found in self.rows("servicePrincipals")]
        mentioned = sorted({grant[end].casefold() for grant in self.rows("oauth2PermissionGrants")})
        strangers: list[str] = [one for one in mentioned if not among(one, known)]
        return world.known(principal.get("id"), ("object id", app_id.casefold()), (UNSEEN_ID, *strangers))
