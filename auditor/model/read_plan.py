"""A plan of reads: what to read of a tenant, but not how."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read. The cost of a plan does not depend on the size of the tenant, unless `whole` names a section.

    `sections` are read for the tenant in one small request each (`Extent.TENANT`), or are logs (`Extent.LOG`).
    `clients` and `resources` are app ids: of a client the service principal, its grants and its assignments are
    read; of a resource the service principal with its delegated scopes, and their classifications. `users` are
    object ids or user principal names. `beta_policies` are consent policies whose beta-only conditions are needed.
    `assignments_of` are role definition ids whose holders are needed. `whole` are sections to read directory-wide,
    page by page. `log_days` is how many days of the logs to read.
    """

    sections: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    beta_policies: tuple[str, ...] = ()
    assignments_of: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    log_days: int = 7

    def union(self, other: Plan) -> Plan:
        """The plan that reads everything in either plan, in a stable order."""

        def both(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys((*a, *b)))

        return Plan(
            sections=both(self.sections, other.sections),
            clients=both(self.clients, other.clients),
            resources=both(self.resources, other.resources),
            users=both(self.users, other.users),
            beta_policies=both(self.beta_policies, other.beta_policies),
            assignments_of=both(self.assignments_of, other.assignments_of),
            whole=both(self.whole, other.whole),
            log_days=max(self.log_days, other.log_days),
        )

    @property
    def is_empty(self) -> bool:
        """Whether the plan reads nothing."""
        return not any(
            (
                self.sections,
                self.clients,
                self.resources,
                self.users,
                self.beta_policies,
                self.assignments_of,
                self.whole,
            )
        )
