"""Before an audit: is there a credential, are the hosts reachable, and does the token allow what the packs need?"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.checks.reads import Needed, permissions_for, plan_for
from auditor.facts.permissions import PERMISSIONS
from auditor.graph.daemon_threads import run
from auditor.graph.probe import Probe, probe
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction
from auditor.jobs.pack_selection import app_pack_names, chosen_packs
from auditor.jobs.tenant_reader import addresses_of, delegated_scopes
from auditor.model.live_tenant import LiveTenant


class PermissionState(msgspec.Struct, frozen=True, kw_only=True):
    """One permission that the packs need: held, covered by another one, or missing; `without` says what that costs."""

    name: str
    id: str
    sections: tuple[str, ...]
    held_as: str = ""
    without: str = ""

    @property
    def missing(self) -> bool:
        """Whether nothing in the token allows these reads."""
        return not self.held_as


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `extra` are permissions that no chosen pack needs."""

    probe: Probe
    permissions: tuple[PermissionState, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def can_audit(self) -> bool:
        """Whether an audit can be made at all, even if verdicts stay unknown."""
        return self.probe.claims is not None and all(host.ok for host in self.probe.hosts)

    @property
    def is_well(self) -> bool:
        """Whether nothing is missing."""
        clocks = all(host.clock_is_right is not False for host in self.probe.hosts)
        return self.can_audit and clocks and not any(p.missing for p in self.permissions)


def diagnose(
    request: AuditRequest, interaction: Interaction = SILENT, environ: Mapping[str, str] | None = None
) -> Diagnosis:
    """What stands between this machine and the audit of the request. Nothing of the tenant is read.

    Without packs, those about an app count. Raises PackError and GraphError.
    """
    assert isinstance(request.source, LiveTenant), "only a live tenant has a credential"
    tenant, plan = request.source, plan_for(chosen_packs(request.packs or app_pack_names(), request.app))
    at = addresses_of(tenant, environ)
    found = run(
        probe(
            tenant_id=tenant.tenant,
            at=at,
            auth=tenant.auth,
            environ=environ,
            prompt=interaction.show_code,
            scopes=delegated_scopes(tenant, plan, at),
            seconds=tenant.timeout,
        )
    )
    if found.claims is None:
        return Diagnosis(probe=found)
    held = {name.lower(): name for name in found.claims.allowed}
    needed = permissions_for(plan)
    used = {name.lower() for n in needed for name in _enough(n)}
    return Diagnosis(
        probe=found,
        permissions=tuple(_state(n, held) for n in needed),
        extra=tuple(name for key, name in sorted(held.items()) if key not in used),
    )


def _state(needed: Needed, held: Mapping[str, str]) -> PermissionState:
    allowed_by = (held[name.lower()] for name in _enough(needed) if name.lower() in held)
    permission = PERMISSIONS[needed.permission]
    return PermissionState(
        name=permission.name,
        id=permission.id,
        sections=needed.sections,
        held_as=next(allowed_by, ""),
        without=permission.without,
    )


def _enough(needed: Needed) -> tuple[str, ...]:
    """Every permission that allows these reads, the least first."""
    return (needed.permission, *needed.alternatives, *PERMISSIONS[needed.permission].wider)
