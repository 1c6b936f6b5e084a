"""Reading a tenant live: what the packs need, then what the first look shows to be worth asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

import msgspec

from auditor import __version__
from auditor.consent.followup import further_reads
from auditor.consent.subject import ADMIN_ROLES, ORDINARY_MEMBER, Subject, subject_for
from auditor.graph.collect import collect
from auditor.graph.credentials import Prompt
from auditor.graph.retry import Patience
from auditor.graph.session import Endpoints, open_graph
from auditor.model.app import App
from auditor.model.permissions import NEEDS
from auditor.model.plan import Plan
from auditor.model.snapshot import Snapshot

TOOL = f"consent-auditor {__version__}"
WHOLE = (
    "servicePrincipals",
    "oauth2PermissionGrants",
    "roleDefinitions",
    "roleAssignments",
    "directorySettings",
    "appConsentRequests",
    "signIns",
    "directoryAudits",
)
"""What ``--full`` reads directory-wide, page by page."""

Progress = Callable[[str, int, int | None], None]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which tenant to read, and how."""

    at: Endpoints
    tenant: str = ""
    auth: str = "auto"
    timeout: float = 120.0
    prompt: Prompt | None = None


def read_tenant(
    target: Target,
    plan: Plan,
    *,
    apps: Iterable[App] = (),
    user: str = "",
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
) -> Snapshot:
    """A snapshot of the tenant with everything that `plan` and the decisions on `apps` need.

    Raises GraphError (and its CredentialError) when no audit can be made; what was refused alone is in the
    snapshot's `unread`.
    """
    return asyncio.run(_read(target, plan, tuple(apps), user, progress, environ))


async def _read(
    target: Target,
    plan: Plan,
    apps: tuple[App, ...],
    user: str,
    progress: Progress | None,
    environ: Mapping[str, str] | None,
) -> Snapshot:
    if user:
        plan = plan.union(Plan(users=(user,), assignments_of=tuple(ADMIN_ROLES)))
    async with open_graph(
        tenant_id=target.tenant,
        at=target.at,
        auth=target.auth,
        environ=environ,
        patience=Patience(target.timeout),
        prompt=target.prompt,
        scopes=delegated(target),
    ) as client:
        claims = await client.tokens.claims()
        read = partial(
            collect,
            client,
            tenant_id=claims.tenant_id or target.tenant,
            cloud=target.at.cloud,
            taken=now(),
            tool=TOOL,
            progress=progress,
        )
        snapshot = await read(plan)
        more = _further(snapshot, apps, user)
        if not more.is_empty:
            snapshot = await read(more, onto=snapshot)
    return snapshot


def _further(snapshot: Snapshot, apps: tuple[App, ...], user: str) -> Plan:
    """What all decisions together want to know beside the first read."""
    subjects = [ORDINARY_MEMBER]
    if user and isinstance(found := subject_for(snapshot, user), Subject):
        subjects.append(found)
    plan = Plan()
    for app in apps:
        for subject in subjects:
            plan = plan.union(further_reads(snapshot, app, subject))
    return plan


def delegated(target: Target) -> tuple[str, ...]:
    """The scopes that an administrator who signs in is asked for; an app's permissions need no names."""
    if target.auth != "device-code":
        return ()
    least = dict.fromkeys(names[0] for names in NEEDS.values())
    return tuple(f"{target.at.graph}/{name}" for name in least)


def now() -> str:
    """The time of the run in UTC, to the second: the one place where time enters a report."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
