"""Section 2: does a policy approve one permission for one client, and section 4.5's two functions for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .reading import Json, Reading, among, same
from .worlds import World

Scope = tuple[str, str]
"""A requested scope: the appId of its resource and its value, both in lower case."""

Documented = Callable[[str, str], Json | None]
"""Policy id and tenant id to the policy's documented text, where there is one."""

ANOTHER = "one that no policy names"
CLASSIFICATIONS = (None, "low", "medium", "high")


class Policies:
    """The tenant's consent policies and the facts their conditions ask for."""

    def __init__(self, reading: Reading, app: Json, documented: Documented, in_play: list[str]) -> None:
        """The policies of one tenant for one app; `in_play` are the ids that this user can consent under."""
        self.reading = reading
        self.app = app
        self.documented = documented
        contents = [self.content(policy_id) or {} for policy_id in in_play]
        parts = [policy.get(part) or [] for policy in contents for part in ("includes", "excludes")]
        self.condition_sets: list[Json] = [condition_set for part in parts for condition_set in part]

    def content(self, policy_id: str) -> Json | None:
        """The policy as the tenant has it; its documented text if policies could not be read; else None."""
        for policy in self.reading.rows("permissionGrantPolicies"):
            if same(policy.get("id"), policy_id):
                return policy
        if self.reading.complete("permissionGrantPolicies", policy_id):
            return None
        return self.documented(policy_id, self.reading.tenant_id)

    def approves(self, world: World, policy_id: str, scope: Scope) -> bool:
        """2.2: at least one set of `includes` matches and none of `excludes`."""
        policy = self.content(policy_id)
        if policy is None:
            return world.ask(("policy approves", policy_id.casefold(), *scope), (False, True))
        included = self._any_matches(world, policy, "includes", scope)
        return included and not self._any_matches(world, policy, "excludes", scope)

    def _any_matches(self, world: World, policy: Json, part: str, scope: Scope) -> bool:
        condition_sets = policy.get(part)
        if condition_sets is None:
            return world.ask((f"a set in {part} matches", str(policy["id"]), *scope), (False, True))
        unread = among(f"permissionGrantPolicies/{policy['id']}", self.reading.unread)
        hides = unread and not str(policy["id"]).casefold().startswith("microsoft-")
        return any(
            self.matches(world, c, scope) and not (hides and self._is_narrower(world, policy, part, n, c))
            for n, c in enumerate(condition_sets)
        )

    def _is_narrower(self, world: World, policy: Json, part: str, number: int, c: Json) -> bool:
        """2.1: whether a condition that v1.0 hides keeps the set from matching; beta could not be read."""
        if c.get("certifiedClientApplicationsOnly") is not None:
            return False
        return world.ask(("a condition of beta", str(policy["id"]), part, str(number)), (False, True))

    def matches(self, world: World, c: Json, scope: Scope) -> bool:
        """2.1: a condition set matches when all its conditions match."""
        resource, _ = scope
        if not self._permission_type_matches(world, c, scope):
            return False
        wanted = str(c.get("permissionClassification") or "all").casefold()
        if wanted != "all" and wanted not in self.classifications(world, scope):
            return False
        if limits(c, "permissions") and not among(self.permission_id(world, scope), c["permissions"]):
            return False
        only = c.get("resourceApplication") or "any"
        if not same(only, "any") and not same(only, resource):
            return False
        clients, tenants = "clientApplicationIds", "clientApplicationTenantIds"
        if limits(c, clients) and not among(self.app["client_id"], c[clients]):
            return False
        if limits(c, tenants) and not among(self.owner(world), c[tenants]):
            return False
        publishers = "clientApplicationPublisherIds"
        if limits(c, publishers) and not among(self.publisher(world), c[publishers]):
            return False
        if c.get("clientApplicationsFromVerifiedPublisherOnly") and self.publisher(world) is None:
            return False
        certified_only = bool(c.get("certifiedClientApplicationsOnly"))
        return not certified_only or world.ask(("client is certified",), (False, True))

    def _permission_type_matches(self, world: World, c: Json, scope: Scope) -> bool:
        kind = str(c.get("permissionType")).casefold()
        if kind == "application":
            return False
        if kind == "delegated":
            return True
        if kind == "delegateduserconsentable":
            return same(self.permission_type(world, scope), "User")
        return world.ask(("permission type matches", kind, *scope), (False, True))

    # --- facts of the permission ---

    def permission(self, world: World, scope: Scope) -> Json | None:
        """The resource's entry for a scope; None where there is no enabled one (4.2, step 4)."""
        resource, value = scope
        principal = self.reading.service_principal(world, resource)
        if principal is None:
            return None
        published = principal.get("oauth2PermissionScopes")
        if published is None:
            return {} if world.ask(("scope exists", *scope), (False, True)) else None
        for entry in published:
            if same(entry.get("value"), value) and entry.get("isEnabled") is not False:
                return dict(entry)
        return None

    def permission_type(self, world: World, scope: Scope) -> str:
        """User or Admin: what the publisher of the API says of the scope."""
        stated: str | None = (self.permission(world, scope) or {}).get("type")
        return world.known(stated, ("permission type", *scope), ("User", "Admin"))

    def permission_id(self, world: World, scope: Scope) -> str:
        """The id of the scope: of one not read, any id that a policy or a classification names."""
        stated: str | None = (self.permission(world, scope) or {}).get("id")
        classified = self.reading.part("delegatedPermissionClassifications", scope[0]) or []
        named = {str(item["permissionId"]).casefold() for item in classified} | set(self.named("permissions"))
        return world.known(stated, ("permission id", *scope), (ANOTHER, *sorted(named)))

    def classifications(self, world: World, scope: Scope) -> set[str | None]:
        """Section 3: the bucket an admin put the permission in, if any."""
        rows = self.reading.part("delegatedPermissionClassifications", scope[0])
        if rows is None:
            return {world.ask(("classification", *scope), CLASSIFICATIONS)}
        wanted = self.permission_id(world, scope)
        found = [item for item in rows if same(item.get("permissionId"), wanted)]
        return {str(item["classification"]).casefold() for item in found}

    # --- facts of the client ---

    def publisher(self, world: World) -> str | None:
        """The id of the client's verified publisher, or None (5.3); national clouds know none (4.7)."""
        if not same(self.reading.cloud, "global"):
            return None
        principal = self.reading.service_principal(world, self.app["client_id"])
        verified = self.app.get("publisher_verified") if principal is None else None
        stated = (principal or {}).get("verifiedPublisher")
        if stated is not None:
            return stated.get("verifiedPublisherId") or None
        somebody = (ANOTHER, *self.named("clientApplicationPublisherIds"))
        if verified is None:
            return world.ask(("publisher",), (None, *somebody))
        return world.ask(("publisher",), somebody) if verified else None

    def owner(self, world: World) -> str:
        """The tenant in which the client is registered."""
        principal = self.reading.service_principal(world, self.app["client_id"])
        stated: str | None = (
            self.app.get("owner_tenant") if principal is None else principal.get("appOwnerOrganizationId")
        )
        candidates = {self.reading.tenant_id.casefold(), *self.named("clientApplicationTenantIds")}
        return world.known(stated, ("owner tenant",), (ANOTHER, *sorted(candidates)))

    def named(self, condition: str) -> list[str]:
        """Every value that some condition set lists for `condition`."""
        lists = [c[condition] for c in self.condition_sets if limits(c, condition)]
        return sorted({str(one).casefold() for listed in lists for one in listed})


def limits(c: Json, condition: str) -> bool:
    """2.1: whether the list is a condition; null, absent, empty and "all" aren't."""
    listed: list[Any] | None = c.get(condition)
    return bool(listed) and not among("all", listed or [])
