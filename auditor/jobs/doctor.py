"""Check before an audit: the hosts, the clock, the credential, and whether the token allows what the packs need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from auditor.checks.kind import plan_for
from auditor.checks.required_reads import Needed, permissions_for
from auditor.facts.permissions import PERMISSIONS
from auditor.graph.access_tokens import TokenClaims
from auditor.graph.preconnect import run
from auditor.graph.probe import Probe, probe
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction
from auditor.jobs.kept_runs import named_history
from auditor.jobs.pack_selection import app_pack_names, chosen_packs
from auditor.jobs.tenant_reader import addresses_of, delegated_scopes, retry_policy
from auditor.model.errors import AuditorError
from auditor.model.snapshot import LiveTenant, Plan

ABOUT_PEOPLE = Plan(sections=("appConsentRequests", "signIns", "directoryAudits"))
"""What ``blocked``, ``apps survey`` and ``explain`` read of requests and logs."""


class PermissionState(msgspec.Struct, frozen=True, kw_only=True):
    """A permission that the packs need. `held_as` is the permission in the token that allows these reads, if any.

    `without` says what is unknown in a report if the permission is missing.
    """

    name: str
    id: str
    sections: tuple[str, ...]
    held_as: str = ""
    without: str = ""

    @property
    def missing(self) -> bool:
        """Whether no permission in the token allows these reads."""
        return not self.held_as


class PermissionChange(msgspec.Struct, frozen=True, kw_only=True):
    """How the permissions in the token differ from those of the last run in the history, which began at `since`."""

    since: str
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the checks; `extra` are permissions in the token that no chosen pack and no command needs.

    `of_commands` are those that only the commands about logs and requests need, in addition to those of the packs.
    `change` is none without an earlier run of the tenant in the history.
    """

    probe: Probe
    permissions: tuple[PermissionState, ...] = ()
    of_commands: tuple[PermissionState, ...] = ()
    extra: tuple[str, ...] = ()
    change: PermissionChange | None = None

    @property
    def can_audit(self) -> bool:
        """Whether an audit can run, even if some verdicts are unknown."""
        return self.probe.claims is not None and all(host.ok for host in self.probe.hosts)

    @property
    def has_no_problems(self) -> bool:
        """Whether an audit can run, no permission is missing and the clock is right."""
        clocks = all(host.clock_is_right is not False for host in self.probe.hosts)
        return self.can_audit and clocks and not any(p.missing for p in self.permissions)


def diagnose(
    request: AuditRequest, interaction: Interaction = SILENT, environ: Mapping[str, str] | None = None
) -> Diagnosis:
    """Check whether the audit of the request can run from this machine, and when its credential ends.

    It reads nothing of the tenant but the audit's own app registration. Without packs, it checks for the shipped packs
    about an app. Raises PackError and GraphError.
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
            retry=retry_policy(tenant, interaction),
        )
    )
    if found.claims is None:
        return Diagnosis(probe=found)
    held = {name.lower(): name for name in found.claims.allowed}
    needed = permissions_for(plan)
    of_packs = {one.permission for one in needed}
    of_commands = tuple(one for one in permissions_for(ABOUT_PEOPLE) if one.permission not in of_packs)
    used = {name.lower() for n in (*needed, *of_commands) for name in _sufficient(n)}
    return Diagnosis(
        probe=found,
        permissions=permission_states(needed, found.claims.allowed),
        of_commands=permission_states(of_commands, found.claims.allowed),
        extra=tuple(name for key, name in sorted(held.items()) if key not in used),
        change=None if found.claims.user else _since_last_run(found.claims),
    )


def _since_last_run(claims: TokenClaims) -> PermissionChange | None:
    """What changed since the last nightly run of the tenant with this app; none if there is no history of it."""
    try:
        with named_history("", "").open() as history:
            last = history.last_finished(claims.tenant_id)
            before = history.comparable_parts(last.id)[1].provenance if last else None
    except (AuditorError, OSError):  # says nothing about the credential; `history list` says what is wrong with it
        return None
    if last is None or before is None or before.reader.lower() != claims.app_id.lower():
        return None
    then, now = frozenset(before.permissions), frozenset(claims.allowed)
    return PermissionChange(since=last.started, gained=tuple(sorted(now - then)), lost=tuple(sorted(then - now)))


def permission_states(needed: Iterable[Needed], allowed: Iterable[str]) -> tuple[PermissionState, ...]:
    """Which of the permissions a token with the permissions `allowed` has, or wider ones."""
    held = {name.lower(): name for name in allowed}
    return tuple(_state(one, held) for one in needed)


def _state(needed: Needed, held: Mapping[str, str]) -> PermissionState:
    allowed_by = (held[name.lower()] for name in _sufficient(needed) if name.lower() in held)
    permission = PERMISSIONS[needed.permission]
    return PermissionState(
        name=permission.name,
        id=permission.id,
        sections=needed.sections,
        held_as=next(allowed_by, ""),
        without=permission.without,
    )


def _sufficient(needed: Needed) -> tuple[str, ...]:
    """Every permission that allows these reads, the least privileged first."""
    return (needed.permission, *needed.alternatives, *PERMISSIONS[needed.permission].wider)
