"""Changes to the switches of the authorization policy, such as whether users can register apps.

Source: Microsoft Graph v1.0 reference, "Update authorizationPolicy".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec

from auditor.fixes.change import Equals, GraphChange, NotApplicable, SetValue, Step, json_text, with_sections
from auditor.model.decision import GraphRequest
from auditor.model.snapshot import Snapshot


class SetAuthorizationSwitch(GraphChange, frozen=True, kw_only=True):
    """Set one switch of the authorization policy: a property that is true or false.

    Graph keeps every property that the body leaves out, also those next to it (Graph, "Update authorizationPolicy").
    """

    method = "PATCH"
    path = "/policies/authorizationPolicy"
    permission = "Policy.ReadWrite.Authorization"

    @classmethod
    def of(cls, graph: str, switch: str, value: bool) -> Self:
        """The switch at this path: the name of a property, after the name of the object that contains it and a dot."""
        body: Any = value
        for name in reversed(switch.split(".")):
            body = {name: body}
        return cls(graph=graph, body=body)

    @classmethod
    def read(cls, request: GraphRequest) -> Self | None:
        """The change, if the body sets one switch and nothing else."""
        found = super().read(request)
        return found if found is not None and found._set is not None else None

    @property
    def _set(self) -> tuple[str, bool] | None:
        """The path of the switch and its new value."""
        names: list[str] = []
        value: Any = self.body
        while isinstance(value, Mapping) and len(value) == 1:
            ((name, value),) = value.items()
            names.append(name)
        return (".".join(names), value) if isinstance(value, bool) else None

    @property
    def comment(self) -> str:
        """The switch and its new value."""
        return f"The authorization policy: {json_text(self.body)}."

    def effect(self, before: Snapshot) -> Snapshot:
        """The switch has the new value."""
        policy = before.sections.authorizationPolicy
        if policy is None:
            raise NotApplicable("the authorization policy was not read")
        changed = dict(self.body)
        if isinstance(inner := changed.get("defaultUserRolePermissions"), Mapping):
            if policy.defaultUserRolePermissions is None:
                raise NotApplicable("the default user permissions were not read")
            role = msgspec.structs.replace(policy.defaultUserRolePermissions, **inner)
            changed["defaultUserRolePermissions"] = role
        return with_sections(before, authorizationPolicy=msgspec.structs.replace(policy, **changed))

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Set the previous value."""
        switch, _ = self._set or ("", False)
        found: Any = before.sections.authorizationPolicy
        for name in switch.split("."):
            found = getattr(found, name, None)
        if not isinstance(found, bool):
            raise NotApplicable(f"{switch} was not read")
        return (self.of(self.graph, switch, found),)

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look whether the switch already has the value; there is nothing else to overwrite."""
        return SetValue(
            url=self.url,
            done=tuple(Equals(switch, value) for switch, value in filter(None, [self._set])),
            found="The authorization policy already says so.",
        )
