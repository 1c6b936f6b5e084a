"""A plan of reads: what must be asked of a tenant, without saying how."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read. Equal plans cost the same, whatever the tenant's size, unless `whole` names a section.

    `sections` are tenant-wide and small (organization, policies, settings, custom role definitions).
    `clients` and `resources` are app ids: of a client the service principal, its grants and who is
    assigned to it; of a resource its service principal with the delegated scopes, and their
    classifications. `users` are object ids or user principal names. `beta_policies` are consent policies
    whose beta-only conditions matter. `assignments_of` are role definition ids whose holders matter.
    `whole` are sections to be read directory-wide, page by page.
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
        """Everything that either plan reads, in a stable order."""

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
        """Whether nothing is asked."""
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
