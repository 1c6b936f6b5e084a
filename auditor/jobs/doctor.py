"""Before an audit: is there a credential, are the hosts reachable, and does the token allow what packs need."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.checks.reads import Needed, permissions_for
from auditor.graph.daemon_threads import run
from auditor.graph.probe import Probe, probe
from auditor.jobs.live import Target, delegated
from auditor.model.permissions import PERMISSIONS, WIDER
from auditor.model.read_plan import Plan


class PermissionState(msgspec.Struct, frozen=True, kw_only=True):
    """One permission that the packs need: held, or covered by another one, or missing and what that costs."""

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
    """Everything that the doctor found; `extra` are permissions that no chosen pack needs."""

    probe: Probe
    permissions: tuple[PermissionState, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def can_audit(self) -> bool:
        """Whether an audit can be made at all, though verdicts may be missing."""
        return self.probe.claims is not None and all(host.ok for host in self.probe.hosts)

    @property
    def is_well(self) -> bool:
        """Whether nothing is missing."""
        clocks = all(host.clock_is_right is not False for host in self.probe.hosts)
        return self.can_audit and clocks and not any(p.missing for p in self.permissions)


def diagnose(target: Target, plan: Plan, environ: Mapping[str, str] | None = None) -> Diagnosis:
    """What stands between this machine and an audit that reads `plan`. Nothing of the tenant is read."""
    found = run(
        probe(
            tenant_id=target.tenant,
            at=target.at,
            auth=target.auth,
            environ=environ,
            prompt=target.prompt,
            scopes=delegated(target, plan),
            seconds=target.timeout,
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
    return (needed.permission, *needed.alternatives, *WIDER.get(needed.permission, ()))
