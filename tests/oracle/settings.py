"""The tenant-wide settings that consent depends on: who consents by default, risk step-up, the workflow."""

from __future__ import annotations

from typing import Any

from .reading import Reading, same
from .worlds import World

FOR_SELF = "managePermissionGrantsForSelf"
MEMBER_ROLE = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
CONSENT_POLICY_SETTINGS = "dffd5d46-495d-40a9-8e21-954ff55e198a"


class Settings:
    """The authorization policy, the directory settings and the admin consent request policy of a tenant."""

    def __init__(self, reading: Reading) -> None:
        """The settings of one reading."""
        self.reading = reading
        self.authorization_policy: dict[str, Any] = reading.sections.get("authorizationPolicy", {})
        self.assigned = self._assigned_to_default_users()

    def _assigned_to_default_users(self) -> list[str] | None:
        """1.3: the policies of entries that begin with ForSelf or are bare; None if not known."""
        permissions = self.authorization_policy.get("defaultUserRolePermissions") or {}
        entries = permissions.get("permissionGrantPoliciesAssigned")
        if entries is None:
            return None
        split = [entry.partition(".") for entry in entries]
        return [rest if dot else prefix for prefix, dot, rest in split if not dot or same(prefix, FOR_SELF)]

    def guests_consent_like_members(self, world: World) -> bool:
        """4.9: true where guests have the member's role; undocumented, so either way, where they have not."""
        role = self.authorization_policy.get("guestUserRoleId")
        return same(role, MEMBER_ROLE) or world.ask(("guests may consent",), (False, True))

    def step_up_on(self, world: World) -> bool:
        """1.6: on unless something says so and every indicator present says off."""
        allowed, blocked = self._allow_risky(world), self._block_risky(world)
        says_off = [allowed] * (allowed is not None) + [not blocked] * (blocked is not None)
        return not says_off or not all(says_off)

    def _allow_risky(self, world: World) -> bool | None:
        if "authorizationPolicy" not in self.reading.sections:
            return world.ask(("allowUserConsentForRiskyApps",), (None, False, True))
        stated: bool | None = self.authorization_policy.get("allowUserConsentForRiskyApps")
        return stated

    def _block_risky(self, world: World) -> bool | None:
        if "directorySettings" not in self.reading.sections:
            return world.ask(("BlockUserConsentForRiskyApps",), (None, False, True))
        for setting in self.reading.rows("directorySettings"):
            if same(setting.get("templateId"), CONSENT_POLICY_SETTINGS):
                for item in setting.get("values") or []:
                    if same(item.get("name"), "BlockUserConsentForRiskyApps"):
                        stated = {"true": True, "false": False}.get(str(item.get("value")).casefold())
                        # Graph never leaves this value empty, so an empty one is lost.
                        return world.known(stated, ("BlockUserConsentForRiskyApps",), (None, False, True))
        return None

    def workflow_on(self, world: World) -> bool:
        """4.10: whether a refused user may ask an admin."""
        policy = self.reading.sections.get("adminConsentRequestPolicy", {})
        return world.known(policy.get("isEnabled"), ("workflow on",), (False, True))
