"""Reading a tenant live: what the packs need, then what the first look shows to be worth asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

import msgspec

from auditor.checks import follow_up as about_rules
from auditor.consent import further_reads as about_apps
from auditor.consent.request import refuse_unnamed_resources
from auditor.consent.subject import ADMIN_ROLES, ORDINARY_MEMBER, Subject, subject_for
from auditor.graph.credentials import Prompt
from auditor.graph.daemon_threads import run
from auditor.graph.retry import RetryPolicy
from auditor.graph.session import Endpoints, open_graph
from auditor.jobs.tool import TOOL
from auditor.model.app import App
from auditor.model.read_plan import Plan
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot
from auditor.packs.plan import permissions_for

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
    packs: Iterable[Pack] = (),
    user: str = "",
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
) -> Snapshot:
    """A snapshot of the tenant with everything that `plan`, the decisions on `apps` and the rules of `packs` need.

    Raises RequestError for a scope of a resource that has no app id, which Graph cannot be asked about,
    GraphError (and its CredentialError) when no audit can be made; what was refused alone is in the
    snapshot's `unread`.
    """
    apps = tuple(apps)
    for app in apps:
        refuse_unnamed_resources(app)
    return run(_read(target, plan, apps, tuple(packs), user, progress, environ))


async def _read(
    target: Target,
    plan: Plan,
    apps: tuple[App, ...],
    packs: tuple[Pack, ...],
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
        retry=RetryPolicy(target.timeout),
        prompt=target.prompt,
        scopes=delegated(target, plan),
    ) as client:
        # Not at the top: the SDK below it is imported while the token is fetched.
        from auditor.graph.collect import collect

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
        more = _further(snapshot, apps, packs, user)
        if not more.is_empty:
            snapshot = await read(more, onto=snapshot)
    return snapshot


def _further(snapshot: Snapshot, apps: tuple[App, ...], packs: tuple[Pack, ...], user: str) -> Plan:
    """What all decisions and rules together want to know beside the first read."""
    subjects = [ORDINARY_MEMBER]
    if user and isinstance(found := subject_for(snapshot, user), Subject):
        subjects.append(found)
    plan = about_rules.further_reads(snapshot, packs)
    for app in apps:
        for subject in subjects:
            plan = plan.union(about_apps.further_reads(snapshot, app, subject))
    return plan


def delegated(target: Target, plan: Plan) -> tuple[str, ...]:
    """The scopes that an administrator who signs in is asked for; an app's permissions need no names."""
    if target.auth != "device-code":
        return ()
    return tuple(f"{target.at.graph}/{needed.permission}" for needed in permissions_for(plan))


def now() -> str:
    """The time of the run in UTC, to the second: the one place where time enters a report."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
